package io.github.bellwire.iommu.driver;

import io.github.bellwire.cache.CacheOperation;
import io.github.bellwire.cpu.CpuPort;
import io.github.bellwire.dma.PageAllocator;
import io.github.bellwire.kernel.Simulation;

/**
 * Software's side of a ring of commands of 16 bytes that ends in a completion command for each
 * submission, as AMD-Vi and SMMUv3 have it. Each submission waits for a status word of its own,
 * whose value is the number of the submission.
 *
 * <p>Cores take turns by a lock. Linux does so for AMD-Vi; for SMMUv3 it reserves room by an atomic
 * operation and then waits for the core before it to write the producer register, which makes cores
 * take turns just as well.
 */
abstract class CommandBuffer extends HardwareQueue {
  private static final int COMMAND_BYTES = 16;
  private static final int STATUS_BYTES = 8;
  private static final long CHECK_PS = 1_000_000_000L; // 1 ms
  private static final int CHECKS_MAX = 1000;

  private final IommuDriverConfig config;
  private final int entries;
  private final long ringPa;
  private final long statusPa;
  private int position;
  private int sequence;

  /**
   * Creates an empty ring.
   *
   * @param entries a power of two
   */
  CommandBuffer(Simulation simulation, IommuDriverConfig config, PageAllocator pages, int entries) {
    super(config.costs().newLock(simulation));
    this.config = config;
    this.entries = entries;
    ringPa = pages.allocate(entries * COMMAND_BYTES);
    statusPa = pages.allocate(entries * STATUS_BYTES);
    if (ringPa == PageAllocator.NO_MEMORY || statusPa == PageAllocator.NO_MEMORY) {
      throw new IllegalStateException("there is no memory for a command queue");
    }
  }

  /**
   * Clears ring and status words.
   *
   * @param isSnooped whether the hardware looks at the caches; if not, they are mapped uncached
   */
  final void clear(CpuPort port, boolean isSnooped) {
    clear(port, ringPa, entries * COMMAND_BYTES, isSnooped);
    clear(port, statusPa, entries * STATUS_BYTES, isSnooped);
  }

  private static void clear(CpuPort port, long pa, int bytes, boolean isSnooped) {
    port.store(pa, new byte[bytes], 0, bytes);
    if (!isSnooped) {
      port.maintainCache(CacheOperation.CLEAN_AND_INVALIDATE, pa, bytes);
      port.setCacheable(pa, bytes, false);
    }
  }

  /** {@return host physical address of the ring} */
  final long ringPa() {
    return ringPa;
  }

  /** {@return how many commands it holds} */
  final int entries() {
    return entries;
  }

  /** Puts a command in that makes the hardware write a value, low 32 bits, when all are done. */
  abstract void storeCompletion(CpuPort port, long wordPa, int value);

  /** Tells the hardware how far commands go, in entries; never wraps round. */
  abstract void writeTail(CpuPort port, int newPosition);

  /** Looks whether the hardware has stopped at an error; lets it go on if so. */
  abstract void recover(CpuPort port);

  final void begin(CpuPort port) {
    lock.acquire(port);
    port.compute(config.costs().submitCycles());
  }

  final void store(CpuPort port, long word0, long word1) {
    long pa = entryPa(position);
    port.store(pa, Long.BYTES, word0);
    port.store(pa + Long.BYTES, Long.BYTES, word1);
    position++;
  }

  final long entryPa(int atPosition) {
    return ringPa + (long) (atPosition & entries - 1) * COMMAND_BYTES;
  }

  /** Hands commands over and goes on at once. */
  final void post(CpuPort port, int commands) {
    onSubmit(commands);
    writeTail(port, position);
    lock.release(port);
  }

  /** Adds the completion command, hands all over, and waits; returns whether that was answered. */
  final boolean finish(CpuPort port, int commands) {
    int value = ++sequence;
    long wordPa = statusPa + (long) (position & entries - 1) * STATUS_BYTES;
    storeCompletion(port, wordPa, value);
    onSubmit(commands);
    writeTail(port, position);
    lock.release(port);
    long startPs = port.nowPs();
    boolean isAnswered = await(port, wordPa, value);
    onWaited(port.nowPs() - startPs);
    unansweredCount += isAnswered ? 0 : 1;
    return isAnswered;
  }

  private boolean await(CpuPort port, long wordPa, int value) {
    long expected = value & 0xffff_ffffL;
    for (int checks = 0; checks < CHECKS_MAX; checks++) {
      if (port.spinUntil(wordPa, Integer.BYTES, expected, CHECK_PS) != CpuPort.NOT_SEEN) {
        return true;
      }
      recover(port);
    }
    return false;
  }

  /** Submits one command and waits; returns whether it was answered. */
  final boolean submit(CpuPort port, long word0, long word1) {
    begin(port);
    store(port, word0, word1);
    return finish(port, 1);
  }
}
