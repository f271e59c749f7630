package io.github.bellwire.examples.attack;

import io.github.bellwire.trace.LifecycleStep;
import io.github.bellwire.trace.TraceCause;
import io.github.bellwire.trace.TraceSink;
import java.util.ArrayList;
import java.util.List;

/** Keeps the records of a machine until it is that machine's turn. */
final class TraceBuffer implements TraceSink {
  private final List<Record> records = new ArrayList<>();

  private record Record(
      long operationId,
      LifecycleStep step,
      TraceCause cause,
      long timePs,
      long address,
      long lengthBytes) {}

  @Override
  public void onStep(
      long operationId,
      LifecycleStep step,
      TraceCause cause,
      long timePs,
      long address,
      long lengthBytes) {
    records.add(new Record(operationId, step, cause, timePs, address, lengthBytes));
  }

  /** Tells somebody all records, in their order. */
  void replay(TraceSink sink) {
    for (Record kept : records) {
      sink.onStep(
          kept.operationId, kept.step, kept.cause, kept.timePs, kept.address, kept.lengthBytes);
    }
  }
}
