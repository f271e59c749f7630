package io.github.bellwire.dma.check;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.Supplier;

/** All violations counted, and the first of them explained. */
final class ReportLog {
  private final long[] counts = new long[DmaViolation.values().length];
  private final List<DmaReport> reports = new ArrayList<>();
  private final int reportsMax;
  private long total;

  ReportLog(int reportsMax) {
    this.reportsMax = reportsMax;
  }

  void add(DmaViolation violation, Supplier<DmaReport> report) {
    counts[violation.ordinal()]++;
    total++;
    if (reports.size() < reportsMax) {
      reports.add(report.get());
    }
  }

  long count(DmaViolation violation) {
    return counts[violation.ordinal()];
  }

  long total() {
    return total;
  }

  List<DmaReport> reports() {
    return Collections.unmodifiableList(reports);
  }
}
