package io.github.bellwire.dma;

import static io.github.bellwire.dma.DmaDirection.FROM_DEVICE;
import static io.github.bellwire.dma.DmaDirection.TO_DEVICE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.bellwire.cpu.CpuPort;
import org.junit.jupiter.api.Test;

/** Scatter lists behind a mapper that maps them as one range of bus addresses. */
class DmaDeviceOneRangeTest {
  private static final long GIB = 1L << 30;
  private static final long BASE = 0x1_0000_0000L - 0x4000;

  private final FakeCpuPort port = new FakeCpuPort();
  private final PageAllocator allocator = new PageAllocator(MemoryZones.ofRam(GIB, GIB));
  private final RangeMapper mapper = new RangeMapper();
  private final DmaDevice device =
      new DmaDevice(DmaConfig.LINUX_DEFAULT.withMaxSegmentBytes(12_288), allocator, mapper, null);
  private final ScatterList list = new ScatterList(8);

  /** Maps lists in granules of 4 KiB to one place. */
  private static final class RangeMapper extends FakeMapper {
    @Override
    public int listGranuleBytes() {
      return 4096;
    }

    @Override
    public long mapList(CpuPort port, ScatterList list, DmaDirection direction, long mask) {
      if (room == 0) {
        return MAPPING_ERROR;
      }
      calls.add("list " + list.layoutBytes());
      return BASE;
    }
  }

  @Test
  void shouldJoinWhatMeetsAtGranules() {
    list.add(0x8800, 2048); // ends with its page
    list.add(0x3000, 4096); // joins
    list.add(0x5000, 100); // joins, ends within a page
    list.add(0x9000, 4096); // does not
    list.add(0xA010, 100); // begins within a page

    assertThat(device.mapScatterList(port, list, TO_DEVICE)).isEqualTo(3);

    assertThat(list.iova(0)).isEqualTo(BASE + 0x800);
    assertThat(list.mappedLengthBytes(0)).isEqualTo(2048 + 4096 + 100);
    assertThat(list.iova(1)).isEqualTo(BASE + 0x3000);
    assertThat(list.mappedLengthBytes(1)).isEqualTo(4096);
    assertThat(list.iova(2)).isEqualTo(BASE + 0x4010);
    assertThat(mapper.calls).containsExactly("list 20480");
  }

  @Test
  void shouldNotJoinAcrossABoundaryOrBeyondTheLongestSegment() {
    for (int i = 0; i < 6; i++) {
      list.add(0x1000L * (2 * i + 1), 4096);
    }

    // Three pages are the longest segment; 4 GiB lie four pages behind the beginning.
    assertThat(device.mapScatterList(port, list, TO_DEVICE)).isEqualTo(3);

    assertThat(list.mappedLengthBytes(0)).isEqualTo(12_288);
    assertThat(list.iova(1)).isEqualTo(BASE + 0x3000);
    assertThat(list.mappedLengthBytes(1)).isEqualTo(4096);
    assertThat(list.iova(2)).isEqualTo(0x1_0000_0000L);
    assertThat(list.mappedLengthBytes(2)).isEqualTo(8192);
  }

  @Test
  void shouldUnmapTheWholeRangeAtOnce() {
    list.add(0x8800, 100);
    list.add(0x3000, 4097);
    device.mapScatterList(port, list, FROM_DEVICE);
    assertThat(device.liveMappingsCount()).isEqualTo(2);
    device.syncScatterListForCpu(port, list, FROM_DEVICE);
    device.syncScatterListForDevice(port, list, FROM_DEVICE);

    assertThatIllegalArgumentException()
        .isThrownBy(() -> device.unmapScatterList(port, list, TO_DEVICE));
    assertThat(device.liveMappingsCount()).isEqualTo(2);
    device.unmapScatterList(port, list, FROM_DEVICE);

    assertThat(device.liveMappingsCount()).isZero();
    assertThat(list.mappedCount()).isZero();
    assertThat(device.mapsCount()).isEqualTo(2);
    assertThat(device.unmapsCount()).isEqualTo(2);
    assertThat(mapper.calls)
        .containsExactly("list 12288", "unmap " + Long.toHexString(BASE) + "+12288 FROM_DEVICE");
    list.clear();
  }

  @Test
  void shouldLeaveNothingWhenThereIsNoRoom() {
    mapper.room = 0;
    list.add(0x8000, 100);

    assertThat(device.mapScatterList(port, list, TO_DEVICE)).isZero();

    assertThat(device.mappingErrorsCount()).isEqualTo(1);
    assertThat(device.liveMappingsCount()).isZero();
    list.clear();
  }

  @Test
  void shouldBeginASegmentThatWouldCrossABoundaryAtIt() {
    list.add(0x1000, 4096 * 3);
    list.add(0x9000, 4096 * 2);
    list.layOut(4096, 0x3fff);

    assertThat(list.layoutOffset(0)).isZero();
    assertThat(list.layoutOffset(1)).isEqualTo(0x4000);
    assertThat(list.layoutBytes()).isEqualTo(0x6000);
  }

  @Test
  void shouldTellWhatTheMapperCanDo() {
    assertThat(device.maxMappingBytes()).isEqualTo(Integer.MAX_VALUE);
    assertThat(device.optimalMappingBytes()).isEqualTo(Integer.MAX_VALUE);
  }
}
