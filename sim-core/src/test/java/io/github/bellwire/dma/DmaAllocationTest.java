package io.github.bellwire.dma;

import static io.github.bellwire.dma.DmaDirection.FROM_DEVICE;
import static io.github.bellwire.dma.DmaDirection.TO_DEVICE;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Test;

/** Mapping, unmapping, sync, rings and pages allocate nothing on the heap of the host. */
class DmaAllocationTest {
  private static final long GIB = 1L << 30;
  private static final long HIGH = MemoryZones.NORMAL_BASE;
  private static final int CALLS = 1_000_000;

  private final FakeCpuPort port = new FakeCpuPort();
  private final PageAllocator allocator = new PageAllocator(MemoryZones.ofRam(GIB, GIB));
  private final BounceBufferPool pool = new BounceBufferPool(allocator, 1 << 20);
  private final DmaDevice device =
      new DmaDevice(DmaConfig.LINUX_DEFAULT, allocator, DmaMapper.IDENTITY, pool);

  @Test
  void shouldAllocateNothingPerIdentityMapping() {
    assertAllocatesNothing(() -> mapAndUnmap(1L << 20));
  }

  @Test
  void shouldAllocateNothingPerBouncedMapping() {
    assertAllocatesNothing(() -> mapAndUnmap(HIGH));
  }

  @Test
  void shouldAllocateNothingPerScatterList() {
    ScatterList list = new ScatterList(2);

    assertAllocatesNothing(
        () -> {
          list.clear();
          list.add(1L << 20, 64);
          list.add(HIGH, 64);
          device.mapScatterList(port, list, TO_DEVICE);
          device.unmapScatterList(port, list, TO_DEVICE);
        });
  }

  @Test
  void shouldAllocateNothingPerPageBlock() {
    assertAllocatesNothing(
        () -> {
          long pa = allocator.allocate(8192);
          allocator.free(pa, 8192);
        });
  }

  @Test
  void shouldAllocateNothingPerDescriptor() {
    DescriptorRing ring = new DescriptorRing(new CoherentBuffer(4096, 4096, 4096), 16, 256);
    Doorbell doorbell = new Doorbell(0xe000_0000L, 4);

    assertAllocatesNothing(
        () -> {
          port.store(ring.descriptorPa(ring.tail()), 8, ring.tailSequence());
          ring.advanceTail(1);
          doorbell.ring(port, ring.tail());
          ring.advanceHead(1);
        });
  }

  private void mapAndUnmap(long pa) {
    long iova = device.mapSingle(port, pa, 64, FROM_DEVICE);
    device.syncForCpu(port, iova, 0, 64, FROM_DEVICE);
    device.syncForDevice(port, iova, 0, 64, FROM_DEVICE);
    device.unmapSingle(port, iova, 64, FROM_DEVICE);
  }

  private static void assertAllocatesNothing(Runnable operation) {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long thread = Thread.currentThread().getId();
    repeat(operation, CALLS / 10);
    threads.getThreadAllocatedBytes(thread);

    long before = threads.getThreadAllocatedBytes(thread);
    repeat(operation, CALLS);
    long after = threads.getThreadAllocatedBytes(thread);

    // The bean itself may allocate a little, and so may the compiler when it gives up a guess; a
    // call
    // that allocates takes at least 16 bytes.
    assertThat(after - before).isLessThan(CALLS);
  }

  private static void repeat(Runnable operation, int calls) {
    for (int i = 0; i < calls; i++) {
      operation.run();
    }
  }
}
