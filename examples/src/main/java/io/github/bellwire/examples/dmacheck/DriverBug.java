package io.github.bellwire.examples.dmacheck;

import io.github.bellwire.dma.check.DmaViolation;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * A bug of a driver, and the same driver without it.
 *
 * @param violation what the checker has to find in the faulty driver
 * @param machine makes a machine for either
 * @param faulty the driver with the bug
 * @param repaired the driver without it
 */
record DriverBug(
    DmaViolation violation,
    Supplier<BugMachine> machine,
    Consumer<BugMachine> faulty,
    Consumer<BugMachine> repaired) {

  static DriverBug of(
      DmaViolation violation, Consumer<BugMachine> faulty, Consumer<BugMachine> repaired) {
    return new DriverBug(violation, BugMachine::coherent, faulty, repaired);
  }
}
