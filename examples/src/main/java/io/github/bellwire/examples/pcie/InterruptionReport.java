package io.github.bellwire.examples.pcie;

import io.github.bellwire.examples.report.Report;
import io.github.bellwire.examples.settings.Key;
import io.github.bellwire.examples.settings.Settings;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/** Says first of all that a reset or a removal has ended the measurement. */
final class InterruptionReport {
  private static final double PS_PER_US = 1e6;
  private static final double PS_PER_NS = 1e3;

  private InterruptionReport() {}

  /**
   * Adds a remark and figures if something has happened.
   *
   * @throws io.github.bellwire.examples.settings.UserErrorException if the run was over before
   */
  static void addTo(Report report, Settings settings, ProbeMachine machine) {
    List<Key<Long>> inTime =
        Stream.of(PcieBenchKeys.RESET_AT, PcieBenchKeys.REMOVE_AT)
            .filter(settings::isGiven)
            .sorted((left, right) -> Long.compare(settings.value(left), settings.value(right)))
            .toList();
    if (inTime.isEmpty()) {
      return;
    }
    Key<Long> first = inTime.get(0);
    if (!machine.isCutShort() && machine.probe().lostCount() == 0) {
      String end = String.format(Locale.ROOT, "%.3f", machine.elapsedPs() / PS_PER_US);
      throw settings.refuse(first, "must be before the end of the run, which took " + end + "us");
    }
    addEnd(report, machine, first, settings.value(first));
    for (Key<Long> later : inTime.subList(1, inTime.size())) {
      report.withoutEffect(
          settings.assignment(later) + ": the run was over with " + settings.assignment(first));
    }
  }

  private static void addEnd(Report report, ProbeMachine machine, Key<Long> key, long atPs) {
    long issued = machine.probe().meter().doneTotal();
    long lost = machine.probe().lostCount();
    String reads = machine.probeRun().operation().hasReads() ? ", " + lost + " without answer" : "";
    report
        .remark(
            String.format(
                Locale.ROOT,
                "The probe was %s after %s: %d of %d DMAs had been issued%s. Figures are of the time"
                    + " until then.",
                key == PcieBenchKeys.RESET_AT ? "reset" : "pulled out of its slot",
                key.type().format(atPs),
                issued,
                machine.probeRun().totalCount(),
                reads))
        .metric("interrupted_after_ns", atPs / PS_PER_NS)
        .metric("dma_issued_count", issued)
        .metric("reads_lost_count", lost);
  }
}
