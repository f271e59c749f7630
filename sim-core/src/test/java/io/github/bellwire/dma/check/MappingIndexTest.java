package io.github.bellwire.dma.check;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.bellwire.dma.DmaDirection;
import io.github.bellwire.dma.MappingKind;
import org.junit.jupiter.api.Test;

class MappingIndexTest {
  private final CheckerBench bench = new CheckerBench();
  private final MappingIndex index = new MappingIndex(mapping -> mapping.iova);
  private final DeviceShadow device =
      new DeviceShadow(new CheckerState(bench.simulation, bench.memory, 1), "disk", 1, true);

  private ShadowMapping add(long iova, int bytes) {
    ShadowMapping mapping =
        new ShadowMapping(
            device,
            MappingKind.SINGLE,
            iova,
            iova,
            -1,
            bytes,
            DmaDirection.FROM_DEVICE,
            new CallSite("disk", 0, 0, 0, "here"));
    index.add(mapping);
    return mapping;
  }

  @Test
  void shouldFindAMappingOnceByAnyOfItsBytes() {
    ShadowMapping mapping = add(0x1ff0, 0x2020);

    assertThat(index.touching(0x1fef, 1)).isEmpty();
    assertThat(index.touching(0x1fef, 2)).containsExactly(mapping);
    assertThat(index.touching(0x0ff0, 0x9000)).containsExactly(mapping);
    assertThat(index.touching(0x1000, 0x9000)).containsExactly(mapping);
    assertThat(index.touching(0x400f, 1)).containsExactly(mapping);
    assertThat(index.touching(0x4010, 1)).isEmpty();
  }

  @Test
  void shouldFindLargeAndSmallMappingsAndForgetThem() {
    ShadowMapping large = add(0, 64 << 20);
    ShadowMapping small = add(0x5000, 64);

    assertThat(index.touching(0x5000, 1)).containsExactly(small, large);
    assertThat(index.touching(0x5040, 1)).containsExactly(large);
    index.remove(large);
    assertThat(index.touching(0x5000, 1)).containsExactly(small);
    index.remove(small);
    assertThat(index.touching(0x5000, 1)).isEmpty();
  }
}
