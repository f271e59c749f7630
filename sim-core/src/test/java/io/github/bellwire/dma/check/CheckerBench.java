package io.github.bellwire.dma.check;

import static io.github.bellwire.dma.DmaDirection.FROM_DEVICE;

import io.github.bellwire.dma.BounceBufferPool;
import io.github.bellwire.dma.CoherentBuffer;
import io.github.bellwire.dma.DmaConfig;
import io.github.bellwire.dma.DmaDevice;
import io.github.bellwire.dma.DmaDirection;
import io.github.bellwire.dma.DmaMapper;
import io.github.bellwire.dma.MemoryZones;
import io.github.bellwire.dma.PageAllocator;
import io.github.bellwire.kernel.Simulation;
import io.github.bellwire.memory.PhysicalMemory;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/** A checker that the test tells everything by hand, at times of its own. */
final class CheckerBench {
  static final int REQUESTER = 0x100;
  static final int LOW_BYTES = 16 << 20;

  final Simulation simulation = new Simulation(1);
  final PhysicalMemory memory = new PhysicalMemory(LOW_BYTES, 64 << 20);
  final PageAllocator pages = new PageAllocator(MemoryZones.ofRam(LOW_BYTES, 64 << 20));
  final BounceBufferPool pool = new BounceBufferPool(pages, BounceBufferPool.SIZE_BYTES_MIN);
  final DmaChecker checker = new DmaChecker(simulation, memory);
  final ClockPort port = new ClockPort();
  final DmaDevice dma = device();

  CheckerBench() {
    pages.listen(checker.pageListener());
    checker.watch(dma, "disk", REQUESTER);
    dma.trySetMask(64);
    dma.trySetCoherentMask(64);
  }

  /** A device that nobody watches and whose driver has set no masks. */
  DmaDevice device() {
    return new DmaDevice(DmaConfig.LINUX_DEFAULT, pages, DmaMapper.IDENTITY, pool);
  }

  long page() {
    return pages.allocate(4096);
  }

  /** Maps and asks whether that failed. */
  long map(long pa, int bytes, DmaDirection direction) {
    long iova = dma.mapSingle(port, pa, bytes, direction);
    dma.isMappingError(iova);
    return iova;
  }

  /** Maps a new page to be written. */
  long mapPage() {
    return map(page(), 4096, FROM_DEVICE);
  }

  CoherentBuffer coherent(int bytes) {
    return Objects.requireNonNull(dma.allocateCoherent(port, bytes));
  }

  void deviceWrites(long iova, int bytes, long atPs) {
    checker.accessListener().onWrite(REQUESTER, iova, iova, new byte[bytes], 0, bytes, atPs);
  }

  void deviceReads(long iova, int bytes, long atPs) {
    checker.accessListener().onRead(REQUESTER, iova, iova, new byte[bytes], 0, bytes, atPs);
  }

  void deviceReads(long iova, byte[] content, long atPs) {
    checker.accessListener().onRead(REQUESTER, iova, iova, content, 0, content.length, atPs);
  }

  /** A core loads what is visible at a time. */
  void coreLoads(long pa, int bytes, long atPs) {
    simulation.runUntil(atPs);
    checker.cpuListener().onLoad(0, pa, bytes, atPs);
  }

  void coreStores(long pa, int bytes, long atPs) {
    checker.cpuListener().onStore(0, pa, bytes, atPs);
  }

  /** Returns what has been found, one entry per report. */
  List<DmaViolation> found() {
    return checker.reports().stream().map(DmaReport::violation).toList();
  }

  DmaReport onlyReport() {
    if (checker.reports().size() != 1) {
      throw new AssertionError("one report expected: " + checker.reports());
    }
    return checker.reports().get(0);
  }

  static byte[] bytes(int count, int value) {
    byte[] bytes = new byte[count];
    Arrays.fill(bytes, (byte) value);
    return bytes;
  }
}
