package io.github.bellwire.dma;

import static io.github.bellwire.dma.DmaDirection.FROM_DEVICE;
import static io.github.bellwire.dma.DmaDirection.TO_DEVICE;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.bellwire.kernel.Simulation;
import org.junit.jupiter.api.Test;

/** Bounce buffers that a device sees in whole pages, as one that is not trusted does. */
class BouncePaddingTest {
  private static final int KIB = 1 << 10;
  private static final int MIB = 1 << 20;
  private static final long GIB = 1L << 30;
  private static final long HIGH = MemoryZones.NORMAL_BASE;

  private final FakeCpuPort port = new FakeCpuPort();
  private final PageAllocator allocator = new PageAllocator(MemoryZones.ofRam(GIB, GIB));
  private final BounceBufferPool pool = new BounceBufferPool(allocator, MIB);
  private final FakeMapper mapper = new PageMapper();
  private final DmaDevice device = new DmaDevice(DmaConfig.LINUX_DEFAULT, allocator, mapper, pool);

  /** Bounces what does not fill whole pages. */
  private static final class PageMapper extends FakeMapper {
    @Override
    public boolean reaches(long pa, int lengthBytes, long mask) {
      return ((pa | lengthBytes) & 4095) == 0;
    }

    @Override
    public int bounceGranuleBytes() {
      return 4096;
    }

    @Override
    public int maxMappingBytes() {
      return BounceBufferPool.MAPPING_BYTES_MAX;
    }
  }

  @Test
  void shouldBounceOnlyWhatDoesNotFillPages() {
    assertThat(device.mapSingle(port, HIGH, 8192, TO_DEVICE)).isEqualTo(HIGH + FakeMapper.DISTANCE);
    assertThat(device.bouncedMapsCount()).isZero();
    device.mapSingle(port, HIGH, 8191, TO_DEVICE);
    device.mapSingle(port, HIGH + 2048, 4096, TO_DEVICE);

    assertThat(device.bouncedMapsCount()).isEqualTo(2);
    // Two pages and one, of two slots each: the copy begins at a page.
    assertThat(pool.slotsUsed()).isEqualTo(6);
    assertThat(mapper.calls.get(1)).startsWith("map " + hex(pool.basePa()) + "+8192");
    assertThat(mapper.calls.get(2)).startsWith("map " + hex(pool.basePa() + 8192) + "+4096");
  }

  @Test
  void shouldClearWhatLiesBesideTheCopy() {
    DmaDevice offsets =
        new DmaDevice(DmaConfig.LINUX_DEFAULT.withMinAlignMask(4095), allocator, mapper, pool);
    port.fill(pool.basePa(), 8192, 0x77);
    port.fill(HIGH + 100, 4000, 0x11);

    long iova = offsets.mapSingle(port, HIGH + 100, 4000, FROM_DEVICE);

    assertThat(iova).isEqualTo(pool.basePa() + 100 + FakeMapper.DISTANCE);
    assertThat(port.read(pool.basePa(), 100)).containsOnly(0);
    assertThat(port.read(pool.basePa() + 100, 4000)).containsOnly(0x11);
    assertThat(port.read(pool.basePa() + 4100, 4092)).containsOnly(0);
    offsets.unmapSingle(port, iova, 4000, FROM_DEVICE);
    assertThat(mapper.calls)
        .last()
        .isEqualTo("unmap " + hex(pool.basePa() + FakeMapper.DISTANCE) + "+8192 FROM_DEVICE");
    assertThat(pool.slotsUsed()).isZero();
  }

  @Test
  void shouldMap256KibAndNotAByteMore() {
    assertThat(device.mapSingle(port, HIGH + 1, 256 * KIB, TO_DEVICE))
        .isEqualTo(pool.basePa() + FakeMapper.DISTANCE);
    assertThat(device.mapSingle(port, HIGH + 1, 256 * KIB + 1, TO_DEVICE))
        .isEqualTo(DmaDevice.MAPPING_ERROR);
    assertThat(pool.tooLargeCount()).isEqualTo(1);
    assertThat(pool.refusedBytesLast()).isEqualTo(256 * KIB + 1);
    assertThat(pool.slotsUsedAtRefusalLast()).isEqualTo(128);
    assertThat(device.maxMappingBytes()).isEqualTo(256 * KIB);
  }

  @Test
  void shouldMapTheSegmentsOfAListOneByOne() {
    ScatterList list = new ScatterList(2);
    list.add(HIGH, 2048);
    list.add(HIGH + 2048, 2048);

    assertThat(device.mapScatterList(port, list, TO_DEVICE)).isEqualTo(2);

    assertThat(device.bouncedMapsCount()).isEqualTo(2);
  }

  @Test
  void shouldLeakOnlyWhenTheCopyAtMapIsLeftOut() {
    pool.leaveOutCopyAtMap();
    port.fill(pool.basePa(), 4096, 0x77);
    port.fill(HIGH, 2048, 0x11);

    long iova = device.mapSingle(port, HIGH, 2048, FROM_DEVICE);
    device.unmapSingle(port, iova, 2048, FROM_DEVICE);

    assertThat(port.read(HIGH, 2048)).containsOnly(0x77);
  }

  @Test
  void shouldGiveEachCoreAnArea() {
    BounceBufferPool areas =
        new BounceBufferPool(
            new Simulation(1), new PageAllocator(MemoryZones.ofRam(GIB, GIB)), MIB, 3, 100);
    assertThat(areas.areasCount()).isEqualTo(4);

    // 512 slots, 128 for each core; core 0 goes on in the area of core 1.
    for (int i = 0; i < 129; i++) {
      assertThat(areas.allocate(port, HIGH, 1, 0, 1)).isEqualTo(areas.basePa() + 2048L * i);
    }
    areas.free(port, areas.basePa() + 2048L * 128, 1, 1);
    areas.free(port, areas.basePa(), 1, 1);
    assertThat(areas.slotsUsed()).isEqualTo(127);
    // 130 searches that found, one in vain, 20 + 100 cycles each.
    assertThat(port.nowPs).isEqualTo((129 + 1 + 2) * 120L);
  }

  private static String hex(long value) {
    return Long.toHexString(value);
  }
}
