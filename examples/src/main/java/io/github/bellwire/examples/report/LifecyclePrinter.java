package io.github.bellwire.examples.report;

import io.github.bellwire.trace.LifecycleStep;
import io.github.bellwire.trace.OperationId;
import io.github.bellwire.trace.TraceCause;
import io.github.bellwire.trace.TraceSink;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Keeps the records of the operations that a device takes up first and prints them step by step:
 * when, how long after the record before, why, and which bytes. A descriptor that waits in a ring
 * and that no device has touched is no operation yet.
 *
 * <p>Times are in nanoseconds with picoseconds behind the point. Allocates for the operations that
 * it keeps; the records of all others cost one look-up. Confined to the simulation thread.
 */
public final class LifecyclePrinter implements TraceSink {
  private static final int PS_PER_NS = 1_000;

  private final int operationsMax;
  private final Map<Long, List<Line>> operations = new LinkedHashMap<>();
  private final Map<Long, List<Line>> candidates = new LinkedHashMap<>();

  private record Line(
      LifecycleStep step, TraceCause cause, long timePs, long address, long lengthBytes) {}

  /**
   * Creates a printer without records.
   *
   * @param operationsMax how many operations to keep, at least 1
   */
  public LifecyclePrinter(int operationsMax) {
    if (operationsMax < 1) {
      throw new IllegalArgumentException(
          "operationsMax must be >= 1: operationsMax=" + operationsMax);
    }
    this.operationsMax = operationsMax;
  }

  @Override
  public void onStep(
      long operationId,
      LifecycleStep step,
      TraceCause cause,
      long timePs,
      long address,
      long lengthBytes) {
    List<Line> lines = operations.get(operationId);
    if (lines == null && operations.size() < operationsMax) {
      lines = candidates.computeIfAbsent(operationId, id -> new ArrayList<>());
      if (step == LifecycleStep.DEVICE_DMA) {
        keep(operationId, lines);
      }
    }
    if (lines != null) {
      lines.add(new Line(step, cause, timePs, address, lengthBytes));
    }
  }

  private void keep(long operationId, List<Line> lines) {
    candidates.remove(operationId);
    operations.put(operationId, lines);
    if (operations.size() == operationsMax) {
      candidates.clear();
    }
  }

  /**
   * {@return the operations kept, each with a heading and one line per record, in the order of
   * time}
   */
  public List<String> lines() {
    List<String> text = new ArrayList<>();
    operations.forEach(
        (operationId, records) -> {
          if (!text.isEmpty()) {
            text.add("");
          }
          text.add("Operation " + OperationId.describe(operationId));
          table(records).lines(TextReport.MAX_COLUMNS - 2).forEach(line -> text.add("  " + line));
        });
    return text;
  }

  private static Table table(List<Line> records) {
    Table table = new Table("", "step", ">time ns", ">after ns", "cause", ">address", ">bytes");
    // A device computes some steps ahead of time; a stable sort keeps the order of equal times.
    List<Line> inTime = new ArrayList<>(records);
    inTime.sort(Comparator.comparingLong(Line::timePs));
    long lastPs = inTime.get(0).timePs();
    for (Line line : inTime) {
      table.row(
          stepText(line.step()),
          ns(line.timePs()),
          ns(line.timePs() - lastPs),
          line.cause().description(),
          line.address() == 0 ? "" : "0x" + Long.toHexString(line.address()),
          line.lengthBytes() == 0 ? "" : Long.toString(line.lengthBytes()));
      lastPs = line.timePs();
    }
    return table;
  }

  private static String stepText(LifecycleStep step) {
    String name =
        step == LifecycleStep.DEVICE_DMA ? "device DMA" : step.name().toLowerCase(Locale.ROOT);
    return step.ordinal() + 1 + " " + name;
  }

  private static String ns(long ps) {
    return String.format(
        Locale.ROOT,
        "%s%d.%03d",
        ps < 0 ? "-" : "",
        Math.abs(ps) / PS_PER_NS,
        Math.abs(ps) % PS_PER_NS);
  }
}
