package io.github.bellwire.iommu.driver;

import io.github.bellwire.cache.CacheOperation;
import io.github.bellwire.cpu.CpuPort;
import io.github.bellwire.cpu.InterruptVector;
import io.github.bellwire.dma.PageAllocator;
import io.github.bellwire.kernel.Simulation;
import org.jspecify.annotations.Nullable;

/**
 * What is different from one architecture to the other: registers, tables of devices, commands.
 *
 * @param <Q> its queue of commands
 */
abstract class HardwareDriver<Q extends HardwareQueue> {
  final Simulation simulation;
  final PageAllocator pages;
  final long registersPa;
  final IommuDriverConfig config;

  /** Set by {@link #start}. */
  @Nullable Q queue;

  /** Whether the hardware looks at the caches when it reads tables; set by {@link #start}. */
  boolean isSnooped;

  HardwareDriver(
      Simulation simulation, PageAllocator pages, long registersPa, IommuDriverConfig config) {
    this.simulation = simulation;
    this.pages = pages;
    this.registersPa = registersPa;
    this.config = config;
  }

  /**
   * Switches translation on.
   *
   * @param port the core that executes it
   * @param remapsInterrupts whether messages have to take the way over the remapping table
   * @throws IllegalStateException if the hardware lacks what is needed
   */
  abstract void start(CpuPort port, boolean remapsInterrupts);

  /** {@return the format of page tables} */
  abstract EntryFormat format();

  /** {@return whether the hardware looks at the caches when it reads tables} */
  final boolean isSnooped() {
    return isSnooped;
  }

  /** {@return its queue, once it has been started} */
  final Q queue() {
    Q running = queue;
    if (running == null) {
      throw new IllegalStateException("the driver must have been started");
    }
    return running;
  }

  /**
   * Lets a device do DMA.
   *
   * @param port the core that executes it
   * @param requesterId of the device
   * @param domain its address space; null if it passes untranslated
   * @param number of the domain, for the hardware
   * @param isCaching whether the device may remember translations
   */
  abstract void attach(
      CpuPort port, int requesterId, @Nullable DmaDomain domain, int number, boolean isCaching);

  /**
   * Takes DMA away from a device.
   *
   * @param port the core that executes it
   * @param requesterId of the device
   * @param domainId of its address space, also if it has passed untranslated
   */
  abstract void detach(CpuPort port, int requesterId, int domainId);

  /**
   * Makes an entry of the interrupt remapping table.
   *
   * @param port the core that executes it
   * @param requesterId the only one whose messages the entry takes
   * @param vector where messages lead
   * @return what the device is to be told
   * @throws IllegalStateException if interrupts are not remapped
   */
  abstract IommuDriver.RemappedMessage remapInterrupt(
      CpuPort port, int requesterId, InterruptVector vector);

  /** {@return the highest number of a domain} */
  int domainIdMax() {
    return 0xFFFF;
  }

  /** {@return whether a hypervisor has to be told of every new mapping (caching mode)} */
  boolean isEmulated() {
    return false;
  }

  final void writeRegister(CpuPort port, int register, long value) {
    port.mmioWrite(registersPa + register, Long.BYTES, value);
  }

  /** {@return a table of zeros that the hardware sees as such} */
  final long newTable(CpuPort port, int sizeBytes) {
    long pa = pages.allocate(sizeBytes);
    if (pa == PageAllocator.NO_MEMORY) {
      throw new IllegalStateException("there is no memory for a table");
    }
    byte[] zeros = new byte[Math.min(sizeBytes, PageAllocator.PAGE_BYTES)];
    for (int done = 0; done < sizeBytes; done += zeros.length) {
      port.store(pa + done, zeros, 0, zeros.length);
      clean(port, pa + done, zeros.length);
    }
    return pa;
  }

  /** Stores an entry of a table where the hardware sees it. */
  final void store(CpuPort port, long pa, long value) {
    port.store(pa, Long.BYTES, value);
    clean(port, pa, Long.BYTES);
  }

  private void clean(CpuPort port, long pa, int lengthBytes) {
    if (!isSnooped) {
      port.maintainCache(CacheOperation.CLEAN, pa, lengthBytes);
    }
  }
}
