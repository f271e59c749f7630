package io.github.bellwire.iommu.driver;

import io.github.bellwire.cpu.CpuPort;
import io.github.bellwire.cpu.InterruptVector;
import org.jspecify.annotations.Nullable;

/** What is different from one architecture to the other: registers, tables of devices, commands. */
interface HardwareDriver {
  /**
   * Switches translation on.
   *
   * @param port the core that executes it
   * @param remapsInterrupts whether messages have to take the way over the remapping table
   * @throws IllegalStateException if the hardware lacks what is needed
   */
  void start(CpuPort port, boolean remapsInterrupts);

  /** {@return the format of page tables} */
  EntryFormat format();

  /** {@return whether the hardware looks at the caches when it reads tables} */
  boolean isSnooped();

  /** {@return its queue, once it has been started} */
  HardwareQueue queue();

  /**
   * Lets a device do DMA.
   *
   * @param port the core that executes it
   * @param requesterId of the device
   * @param domain its address space; null if it passes untranslated
   * @param number of the domain, for the hardware
   * @param isCaching whether the device may remember translations
   */
  void attach(
      CpuPort port, int requesterId, @Nullable DmaDomain domain, int number, boolean isCaching);

  /**
   * Takes DMA away from a device.
   *
   * @param port the core that executes it
   * @param requesterId of the device
   * @param domainId of its address space, also if it has passed untranslated
   */
  void detach(CpuPort port, int requesterId, int domainId);

  /**
   * Makes an entry of the interrupt remapping table.
   *
   * @param port the core that executes it
   * @param requesterId the only one whose messages the entry takes
   * @param vector where messages lead
   * @return what the device is to be told
   * @throws IllegalStateException if interrupts are not remapped
   */
  IommuDriver.RemappedMessage remapInterrupt(CpuPort port, int requesterId, InterruptVector vector);

  /** {@return the highest number of a domain} */
  default int domainIdMax() {
    return 0xFFFF;
  }

  /** {@return whether a hypervisor has to be told of every new mapping (caching mode)} */
  default boolean isEmulated() {
    return false;
  }
}
