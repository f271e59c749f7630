package io.github.bellwire.trace;

/**
 * Listens to the steps of DMA operations. Called on the simulation thread, in the order in which
 * the model executes; times of one operation never decrease, times of different operations may
 * interleave.
 */
@FunctionalInterface
public interface TraceSink {
  /**
   * Called once per step, possibly several times for one step of one operation when it has several
   * parts (a descriptor fetch and a payload write are both {@link LifecycleStep#DEVICE_DMA}).
   *
   * @param operationId see {@link OperationId}
   * @param step which of the seven steps
   * @param cause what made it happen
   * @param timePs when it took effect, in picoseconds
   * @param address the bus or host address concerned, 0 if none
   * @param lengthBytes the bytes concerned, 0 if none
   */
  void onStep(
      long operationId,
      LifecycleStep step,
      TraceCause cause,
      long timePs,
      long address,
      long lengthBytes);
}
