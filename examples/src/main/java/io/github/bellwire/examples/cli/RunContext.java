package io.github.bellwire.examples.cli;

import io.github.bellwire.examples.report.LifecyclePrinter;
import io.github.bellwire.trace.LifecycleStep;
import io.github.bellwire.trace.TraceCause;
import io.github.bellwire.trace.TraceHash;
import io.github.bellwire.trace.TraceSink;
import java.util.List;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** What a run gets beside its settings. Confined to one thread. */
public final class RunContext {
  private static final double NS_PER_SECOND = 1e9;
  private static final long NO_OPERATION = -1;

  private final TraceHash hash = new TraceHash();
  private final @Nullable LifecyclePrinter printer;
  private final TraceSink trace;
  private final Progress progress;
  private final LongSupplier clockNs;
  private final long startNs;

  /**
   * Starts a run now.
   *
   * @param tracedOperations how many operations to keep for printing, 0 for none
   * @param progress where to tell how far the run has come
   * @param clockNs wall time in nanoseconds
   */
  public RunContext(int tracedOperations, Progress progress, LongSupplier clockNs) {
    this.printer = tracedOperations == 0 ? null : new LifecyclePrinter(tracedOperations);
    this.trace = printer == null ? hash : both(hash, printer);
    this.progress = progress;
    this.clockNs = clockNs;
    this.startNs = clockNs.getAsLong();
  }

  private static TraceSink both(TraceSink first, TraceSink second) {
    return (operationId, step, cause, timePs, address, lengthBytes) -> {
      first.onStep(operationId, step, cause, timePs, address, lengthBytes);
      second.onStep(operationId, step, cause, timePs, address, lengthBytes);
    };
  }

  /** {@return the sink to hand to all components that report the steps of their operations} */
  public TraceSink trace() {
    return trace;
  }

  /**
   * Lets the hash depend on something that is no step of an operation, such as the content that has
   * arrived or what a checker reports; it is printed nowhere.
   *
   * @param timePs when, in picoseconds
   * @param value what
   */
  public void observe(long timePs, long value) {
    hash.onStep(NO_OPERATION, LifecycleStep.COMPLETION, TraceCause.END_NOTICED, timePs, value, 0);
  }

  /** {@return where to tell how far the run has come} */
  public Progress progress() {
    return progress;
  }

  /** {@return wall time since the start of the run, in seconds} */
  public double wallSeconds() {
    return (clockNs.getAsLong() - startNs) / NS_PER_SECOND;
  }

  /** {@return 16 hexadecimal digits over all records and observations so far} */
  public String traceHash() {
    return hash.hex();
  }

  /** {@return the operations kept, step by step; empty when none was asked for} */
  List<String> traceLines() {
    return printer == null ? List.of() : printer.lines();
  }
}
