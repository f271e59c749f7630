package io.github.bellwire.host;

import io.github.bellwire.pcie.RemappingUnit;

/** Makes the remapping unit of a machine while that is put together. */
@FunctionalInterface
public interface RemappingFactory {
  /**
   * {@return a unit for one machine}
   *
   * @param ports what it is wired to
   */
  RemappingUnit create(RemappingPorts ports);
}
