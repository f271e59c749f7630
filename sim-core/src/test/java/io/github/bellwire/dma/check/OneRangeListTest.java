package io.github.bellwire.dma.check;

import static io.github.bellwire.dma.DmaDirection.FROM_DEVICE;
import static io.github.bellwire.dma.DmaDirection.TO_DEVICE;
import static io.github.bellwire.dma.check.DmaViolation.UNMAP_NOT_MAPPED;
import static io.github.bellwire.dma.check.DmaViolation.UNMAP_WRONG_DIRECTION;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.github.bellwire.cpu.CpuPort;
import io.github.bellwire.dma.DmaConfig;
import io.github.bellwire.dma.DmaDevice;
import io.github.bellwire.dma.DmaDirection;
import io.github.bellwire.dma.DmaMapper;
import io.github.bellwire.dma.ScatterList;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Lists that are mapped as one range of bus addresses, by a driver that is watched. */
class OneRangeListTest {
  private static final long RANGE_IOVA = 0x7000_0000L;
  private static final int OTHER_REQUESTER = 0x200;

  private final CheckerBench bench = new CheckerBench();
  private final RangeMapper mapper = new RangeMapper();
  private final DmaDevice dma = device("list disk", 0x180);
  private final ScatterList list = new ScatterList(3);
  private final long pa = bench.pages.allocate(4 * 4096);

  /** Maps every list at the same place, and nothing else. */
  private static final class RangeMapper implements DmaMapper {
    final List<String> unmapped = new ArrayList<>();

    @Override
    public boolean reaches(long pa, int lengthBytes, long mask) {
      return true;
    }

    @Override
    public int listGranuleBytes() {
      return 4096;
    }

    @Override
    public long map(CpuPort port, long pa, int lengthBytes, DmaDirection direction, long mask) {
      return MAPPING_ERROR;
    }

    @Override
    public long mapList(CpuPort port, ScatterList list, DmaDirection direction, long mask) {
      return RANGE_IOVA;
    }

    @Override
    public void unmap(CpuPort port, long iova, int lengthBytes, DmaDirection direction) {
      unmapped.add(Long.toHexString(iova) + "+" + lengthBytes);
    }
  }

  private DmaDevice device(String name, int requesterId) {
    DmaDevice device = new DmaDevice(DmaConfig.LINUX_DEFAULT, bench.pages, mapper, bench.pool);
    bench.checker.watch(device, name, requesterId);
    device.trySetMask(64);
    return device;
  }

  @BeforeEach
  void mapThreeSegments() {
    list.add(pa + 96, 4000); // ends with its page
    list.add(pa + 4096, 4096); // joins
    list.add(pa + 12_288, 100); // joins, though a page of host memory lies between
    assertThat(dma.mapScatterList(bench.port, list, FROM_DEVICE)).isEqualTo(1);
  }

  @Test
  void shouldKnowEachSegmentByItsAddresses() {
    assertThat(bench.checker.liveMappings())
        .extracting(MappingInfo::iova, MappingInfo::pa, MappingInfo::lengthBytes)
        .containsExactly(
            tuple(RANGE_IOVA + 96, pa + 96, 4000),
            tuple(RANGE_IOVA + 4096, pa + 4096, 4096),
            tuple(RANGE_IOVA + 8192, pa + 12_288, 100));
    assertThat(bench.checker.liveMappings())
        .allSatisfy(
            mapping ->
                assertThat(mapping.madeBy().code())
                    .startsWith("OneRangeListTest.mapThreeSegments:"));
    assertThat(bench.found()).isEmpty();
  }

  @Test
  void shouldEndAllSegmentsWithOneUnmap() {
    dma.unmapScatterList(bench.port, list, FROM_DEVICE);

    assertThat(bench.found()).isEmpty();
    assertThat(bench.checker.liveMappings()).isEmpty();
    assertThat(dma.liveMappingsCount()).isZero();
    assertThat(dma.unmapsCount()).isEqualTo(3);
    assertThat(mapper.unmapped).containsExactly("70000000+12288");
    list.clear();
  }

  @Test
  void shouldForgiveAWrongDirectionAndUnmapAllTheSame() {
    dma.unmapScatterList(bench.port, list, TO_DEVICE);

    assertThat(bench.found())
        .containsExactly(UNMAP_WRONG_DIRECTION, UNMAP_WRONG_DIRECTION, UNMAP_WRONG_DIRECTION);
    assertThat(bench.checker.reports().get(1).detail())
        .isEqualTo("mapped FROM_DEVICE, unmapped TO_DEVICE");
    assertThat(bench.checker.reports().get(1).iova()).isEqualTo(RANGE_IOVA + 4096);
    assertThat(bench.checker.liveMappings()).isEmpty();
    assertThat(dma.liveMappingsCount()).isZero();
    assertThat(mapper.unmapped).containsExactly("70000000+12288");
  }

  @Test
  void shouldUnmapNothingTheSecondTime() {
    dma.unmapScatterList(bench.port, list, FROM_DEVICE);

    dma.unmapScatterList(bench.port, list, FROM_DEVICE);

    assertThat(bench.found()).containsExactly(UNMAP_NOT_MAPPED);
    assertThat(bench.onlyReport().iova()).isEqualTo(RANGE_IOVA + 96);
    assertThat(mapper.unmapped).hasSize(1);
  }

  @Test
  void shouldLeaveWhatAnotherDeviceHasMapped() {
    DmaDevice other = device("other disk", OTHER_REQUESTER);

    other.unmapScatterList(bench.port, list, FROM_DEVICE);

    assertThat(bench.found()).containsExactly(UNMAP_NOT_MAPPED, UNMAP_NOT_MAPPED, UNMAP_NOT_MAPPED);
    assertThat(bench.checker.reports()).allMatch(report -> report.device().equals("other disk"));
    assertThat(mapper.unmapped).isEmpty();
    assertThat(dma.liveMappingsCount()).isEqualTo(3);
    assertThat(other.unmapsCount()).isZero();
  }

  @Test
  void shouldJudgeAccessesBySegment() {
    byte[] data = new byte[64];
    var accesses = bench.checker.accessListener();
    accesses.onWrite(0x180, RANGE_IOVA + 8192, pa + 12_288, data, 0, 64, 1_000);
    assertThat(bench.found()).isEmpty();

    // The last segment has 100 bytes.
    accesses.onWrite(0x180, RANGE_IOVA + 8192 + 64, pa + 12_288 + 64, data, 0, 64, 2_000);

    DmaReport report = bench.onlyReport();
    assertThat(report.violation()).isEqualTo(DmaViolation.DEVICE_ACCESS_BEYOND_MAPPING);
    assertThat(report.offsetBytes()).isEqualTo(64);
  }

  @Test
  void shouldJudgeAccessesThatTheDeviceHasTranslatedItself() {
    byte[] data = new byte[64];
    var accesses = bench.checker.accessListener();
    accesses.onWrite(0x180, pa + 4096, pa + 4096, data, 0, 64, 1_000);
    assertThat(bench.found()).isEmpty();
    bench.port.nowPs = 2_000;
    dma.unmapScatterList(bench.port, list, FROM_DEVICE);

    accesses.onWrite(0x180, pa + 4160, pa + 4160, data, 0, 64, 3_000);

    DmaReport report = bench.onlyReport();
    assertThat(report.violation()).isEqualTo(DmaViolation.DEVICE_ACCESS_AFTER_UNMAP_CACHED);
    assertThat(report.iova()).isEqualTo(RANGE_IOVA + 4160);
    assertThat(report.offsetBytes()).isEqualTo(64);
  }
}
