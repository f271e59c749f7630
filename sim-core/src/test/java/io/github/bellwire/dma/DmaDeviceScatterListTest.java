package io.github.bellwire.dma;

import static io.github.bellwire.dma.DmaDirection.BIDIRECTIONAL;
import static io.github.bellwire.dma.DmaDirection.FROM_DEVICE;
import static io.github.bellwire.dma.DmaDirection.TO_DEVICE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DmaDeviceScatterListTest {
  private static final int KIB = 1 << 10;
  private static final int MIB = 1 << 20;
  private static final long GIB = 1L << 30;
  private static final long HIGH = MemoryZones.NORMAL_BASE;

  private final FakeCpuPort port = new FakeCpuPort();
  private final PageAllocator allocator = new PageAllocator(MemoryZones.ofRam(GIB, GIB));
  private final BounceBufferPool pool = new BounceBufferPool(allocator, MIB);
  private final DmaDevice device = device(DmaConfig.LINUX_DEFAULT);
  private final ScatterList list = new ScatterList(8);

  @Test
  void shouldKeepSegmentsApartThatDoNotFollowEachOther() {
    add(0x10_0000, 4096, 0x10_1001, 100, 0x0f_0000, 50);

    assertThat(device.mapScatterList(port, list, TO_DEVICE)).isEqualTo(3);

    assertMapped(0x10_0000, 4096, 0x10_1001, 100, 0x0f_0000, 50);
    assertThat(device.liveMappingsCount()).isEqualTo(3);
    device.unmapScatterList(port, list, TO_DEVICE);
    assertThat(device.liveMappingsCount()).isZero();
    assertThat(list.mappedCount()).isZero();
    assertThat(list.segmentCount()).isEqualTo(3);
    assertThat(port.nowPs).isZero();
  }

  @Test
  void shouldJoinSegmentsThatFollowEachOther() {
    add(0x10_0800, 2048, 0x10_1000, 4096, 0x10_2000, 1, 0x10_3000, 4096, 0x10_4000, 4096);

    assertThat(device.mapScatterList(port, list, TO_DEVICE)).isEqualTo(2);

    assertMapped(0x10_0800, 6145, 0x10_3000, 8192);
    assertThat(list.totalBytes()).isEqualTo(14_337);
  }

  @Test
  void shouldNotJoinBeyondTheLongestSegment() {
    DmaDevice small = device(DmaConfig.LINUX_DEFAULT.withMaxSegmentBytes(8192));
    add(0x10_0000, 4096, 0x10_1000, 4096, 0x10_2000, 1, 0x10_2001, 8191, 0x10_4000, 1);

    assertThat(small.mapScatterList(port, list, TO_DEVICE)).isEqualTo(3);

    assertMapped(0x10_0000, 8192, 0x10_2000, 8192, 0x10_4000, 1);
  }

  @Test
  void shouldNotJoinWhatNeedsNoBounceToWhatDoes() {
    // The mask ends at 4 GiB, between the two segments.
    add(HIGH - 4096, 4096, HIGH, 4096, HIGH + 4096, 4096);

    assertThat(device.mapScatterList(port, list, TO_DEVICE)).isEqualTo(2);

    assertMapped(HIGH - 4096, 4096, pool.basePa(), 8192);
  }

  @Test
  void shouldNotJoinWhatWouldExceedABounceBuffer() {
    DmaDevice large = device(DmaConfig.LINUX_DEFAULT.withMaxSegmentBytes(MIB));
    add(HIGH, 192 * KIB, HIGH + 192 * KIB, 64 * KIB, HIGH + 256 * KIB, 64 * KIB);
    add(0x1000_0000, 512 * KIB, 0x1008_0000, 512 * KIB);

    assertThat(large.mapScatterList(port, list, TO_DEVICE)).isEqualTo(3);

    assertMapped(pool.basePa(), 256 * KIB, pool.basePa() + 256 * KIB, 64 * KIB, 0x1000_0000, MIB);
  }

  @Test
  void shouldCopyEverySegment() {
    add(HIGH, 100, HIGH + 8192, 200);
    port.fill(HIGH, 100, 1);
    port.fill(HIGH + 8192, 200, 2);
    device.mapScatterList(port, list, BIDIRECTIONAL);
    assertThat(port.read(list.iova(0), 100)).containsOnly(1);
    assertThat(port.read(list.iova(1), 200)).containsOnly(2);

    port.fill(list.iova(0), 100, 3);
    port.fill(list.iova(1), 200, 4);
    device.syncScatterListForCpu(port, list, FROM_DEVICE);
    assertThat(port.read(HIGH, 100)).containsOnly(3);
    assertThat(port.read(HIGH + 8192, 200)).containsOnly(4);

    port.fill(HIGH, 100, 5);
    port.fill(HIGH + 8192, 200, 6);
    device.syncScatterListForDevice(port, list, TO_DEVICE);
    assertThat(port.read(list.iova(0), 100)).containsOnly(5);
    assertThat(port.read(list.iova(1), 200)).containsOnly(6);

    port.fill(list.iova(0), 100, 7);
    port.fill(list.iova(1), 200, 8);
    device.unmapScatterList(port, list, BIDIRECTIONAL);
    assertThat(port.read(HIGH, 100)).containsOnly(7);
    assertThat(port.read(HIGH + 8192, 200)).containsOnly(8);
    assertThat(pool.slotsUsed()).isZero();
  }

  @Test
  void shouldUndoEverythingWhenASegmentIsRefused() {
    DmaDevice large = device(DmaConfig.LINUX_DEFAULT.withMaxSegmentBytes(MIB));
    add(0x10_0000, 64, HIGH, 64, HIGH + 8192, 257 * KIB, HIGH + GIB, 64);

    assertThat(large.mapScatterList(port, list, FROM_DEVICE)).isZero();

    assertThat(list.mappedCount()).isZero();
    assertThat(large.liveMappingsCount()).isZero();
    assertThat(large.mappingErrorsCount()).isEqualTo(1);
    assertThat(pool.slotsUsed()).isZero();
    // What no device has written is not copied back.
    assertThat(pool.bytesFromBounce()).isZero();
    list.clear();
    add(0x10_0000, 64);
    assertThat(large.mapScatterList(port, list, FROM_DEVICE)).isEqualTo(1);
  }

  @Test
  void shouldRefuseSegmentsLongerThanTheDeviceAllows() {
    add(0x10_0000, 65_536, 0x20_0000, 65_537);

    assertThatIllegalArgumentException()
        .isThrownBy(() -> device.mapScatterList(port, list, TO_DEVICE))
        .withMessage("lengthBytes must be <= 65536 in segment 1: lengthBytes=65537");
    assertThat(device.liveMappingsCount()).isZero();
    list.clear();
  }

  @Test
  void shouldRefuseToMapTwiceOrNothing() {
    assertThatIllegalStateException()
        .isThrownBy(() -> device.mapScatterList(port, list, TO_DEVICE))
        .withMessage("segmentCount must be >= 1 to map: segmentCount=0");
    add(0x10_0000, 64);
    device.mapScatterList(port, list, TO_DEVICE);

    assertThatIllegalStateException()
        .isThrownBy(() -> device.mapScatterList(port, list, TO_DEVICE))
        .withMessage("scatter list must not be mapped: mappedCount=1");
    assertThatIllegalStateException().isThrownBy(() -> list.add(0, 1));
    assertThatIllegalStateException().isThrownBy(list::clear);
  }

  @Test
  void shouldRefuseAWrongUnmapOrSync() {
    add(0x10_0000, 64);
    String unmapped = "scatter list must be mapped: mappedCount=0";
    assertThatIllegalStateException()
        .isThrownBy(() -> device.unmapScatterList(port, list, TO_DEVICE))
        .withMessage(unmapped);
    assertThatIllegalStateException()
        .isThrownBy(() -> device.syncScatterListForCpu(port, list, TO_DEVICE))
        .withMessage(unmapped);
    assertThatIllegalStateException()
        .isThrownBy(() -> device.syncScatterListForDevice(port, list, TO_DEVICE))
        .withMessage(unmapped);
    device.mapScatterList(port, list, TO_DEVICE);

    assertThatIllegalArgumentException()
        .isThrownBy(() -> device.unmapScatterList(port, list, FROM_DEVICE))
        .withMessageEndingWith("mapped there: SCATTER TO_DEVICE of 64 B");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> device.syncScatterListForCpu(port, list, FROM_DEVICE))
        .withMessageEndingWith("mapped there: SCATTER TO_DEVICE of 64 B");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> device.unmapSingle(port, list.iova(0), 64, TO_DEVICE))
        .withMessageEndingWith("mapped there: SCATTER TO_DEVICE of 64 B");
    device.unmapScatterList(port, list, TO_DEVICE);
  }

  @Test
  void shouldCheckWhatIsAdded() {
    add(0x10_0000, 64, 0x20_0000, 128);

    assertThat(list).hasToString("[0x100000+64, 0x200000+128]");
    assertThat(list.pa(1)).isEqualTo(0x20_0000);
    assertThat(list.lengthBytes(1)).isEqualTo(128);
    assertThat(list.segmentCountMax()).isEqualTo(8);
    assertThatExceptionOfType(IndexOutOfBoundsException.class).isThrownBy(() -> list.pa(2));
    assertThatExceptionOfType(IndexOutOfBoundsException.class)
        .isThrownBy(() -> list.lengthBytes(2));
    assertThatExceptionOfType(IndexOutOfBoundsException.class).isThrownBy(() -> list.iova(0));
    assertThatExceptionOfType(IndexOutOfBoundsException.class)
        .isThrownBy(() -> list.mappedLengthBytes(0));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> list.add(0, 0))
        .withMessage("lengthBytes must be >= 1: lengthBytes=0");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new ScatterList(0))
        .withMessage("segmentCountMax must be >= 1: segmentCountMax=0");
    add(0, 1, 2, 1, 4, 1, 6, 1, 8, 1, 10, 1);
    assertThatIllegalStateException()
        .isThrownBy(() -> list.add(12, 1))
        .withMessage("segmentCount must be < 8 to add another");
  }

  @Test
  void shouldStartAnewWhenCleared() {
    ScatterList one = new ScatterList(1);
    one.add(0x10_0000, 64);

    one.clear();
    one.add(0x20_0000, 128);

    assertThat(one.totalBytes()).isEqualTo(128);
    assertThat(one).hasToString("[0x200000+128]");
  }

  private void add(long... pasAndLengths) {
    for (int i = 0; i < pasAndLengths.length; i += 2) {
      list.add(pasAndLengths[i], (int) pasAndLengths[i + 1]);
    }
  }

  private void assertMapped(long... iovasAndLengths) {
    long[] actual = new long[2 * list.mappedCount()];
    for (int i = 0; i < list.mappedCount(); i++) {
      actual[2 * i] = list.iova(i);
      actual[2 * i + 1] = list.mappedLengthBytes(i);
    }
    assertThat(actual).containsExactly(iovasAndLengths);
  }

  private DmaDevice device(DmaConfig config) {
    return new DmaDevice(config, allocator, DmaMapper.IDENTITY, pool);
  }

  @Test
  void shouldNotJoinAcrossABoundary() {
    device.setSegmentBoundary(0x1fff);
    add(0x10_0000, 4096, 0x10_1000, 4096, 0x10_2000, 4096);

    assertThat(device.mapScatterList(port, list, TO_DEVICE)).isEqualTo(2);

    assertMapped(0x10_0000, 8192, 0x10_2000, 4096);
    assertThat(device.segmentBoundary()).isEqualTo(0x1fff);
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 4094, 4096, 8190, -1})
  void shouldRejectABoundaryThatIsNone(long boundary) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> device.setSegmentBoundary(boundary))
        .withMessage("newBoundary must be 2^k - 1, at least 4095: newBoundary=" + boundary);
  }
}
