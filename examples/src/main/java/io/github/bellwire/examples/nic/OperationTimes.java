package io.github.bellwire.examples.nic;

import io.github.bellwire.trace.OperationId;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** One time per operation in flight. Allocates nothing once every queue has been seen. */
final class OperationTimes {
  /** What {@link #take} returns for an operation that nobody has put a time for. */
  static final long UNKNOWN = -1;

  /** More than a ring has descriptors, so that no slot is in use twice. */
  private static final int SLOTS = 1 << 15;

  private static final int QUEUES = 1 << 16;
  private static final int QUEUE_SHIFT = 48;

  private final @Nullable long[][] times = new long[QUEUES][];

  void put(long operationId, long timePs) {
    int queue = (int) (operationId >>> QUEUE_SHIFT);
    long[] slots = times[queue];
    if (slots == null) {
      slots = new long[SLOTS];
      Arrays.fill(slots, UNKNOWN);
      times[queue] = slots;
    }
    slots[slot(operationId)] = timePs;
  }

  long take(long operationId) {
    long[] slots = times[(int) (operationId >>> QUEUE_SHIFT)];
    if (slots == null) {
      return UNKNOWN;
    }
    long timePs = slots[slot(operationId)];
    slots[slot(operationId)] = UNKNOWN;
    return timePs;
  }

  private static int slot(long operationId) {
    return (int) OperationId.sequence(operationId) & SLOTS - 1;
  }
}
