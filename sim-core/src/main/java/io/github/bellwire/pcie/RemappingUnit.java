package io.github.bellwire.pcie;

/**
 * What stands between the root complex and the rest of the host: translates the addresses of device
 * requests, checks their interrupt messages, and is told what to do through registers.
 */
public interface RemappingUnit extends Translation, InterruptSink {
  /** {@return the registers by which software controls it} */
  IntegratedRegisters registers();

  /**
   * The unit has become part of a root complex, through which it reaches devices.
   *
   * @param rootComplex which has no ports yet
   */
  default void onAttached(RootComplex rootComplex) {}
}
