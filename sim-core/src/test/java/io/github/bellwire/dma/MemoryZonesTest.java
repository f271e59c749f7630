package io.github.bellwire.dma;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;

class MemoryZonesTest {
  private static final long MIB = 1L << 20;
  private static final long GIB = 1L << 30;

  @Test
  void shouldLeaveTheFirstMebibyteToFirmware() {
    MemoryZones zones = MemoryZones.ofRam(3 * GIB, 13 * GIB);

    assertThat(zones.dma32()).isEqualTo(new MemoryZone(MIB, 3 * GIB - MIB));
    assertThat(zones.normal()).isEqualTo(new MemoryZone(4 * GIB, 13 * GIB));
    assertThat(zones.totalBytes()).isEqualTo(16 * GIB - MIB);
    assertThat(zones.lowestPa()).isEqualTo(MIB);
  }

  @Test
  void shouldDoWithoutOneOfTheZones() {
    assertThat(MemoryZones.ofRam(GIB, 0).normal().isEmpty()).isTrue();
    assertThat(new MemoryZones(MemoryZone.NONE, new MemoryZone(8 * GIB, GIB)).lowestPa())
        .isEqualTo(8 * GIB);
  }

  @Test
  void shouldRejectZonesOnTheWrongSideOfFourGibibytes() {
    MemoryZone straddling = new MemoryZone(3 * GIB, GIB + 4096);
    MemoryZone low = new MemoryZone(3 * GIB, 4096);

    assertThatIllegalArgumentException()
        .isThrownBy(() -> new MemoryZones(straddling, MemoryZone.NONE))
        .withMessageStartingWith("dma32 must be below 4 GiB: dma32=");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new MemoryZones(MemoryZone.NONE, low))
        .withMessageStartingWith("normal must be at or above 4 GiB: normal=");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new MemoryZones(MemoryZone.NONE, MemoryZone.NONE))
        .withMessageStartingWith("normal must be non-empty without DMA32: normal=");
  }

  @Test
  void shouldRejectWhatIsNotMadeOfPages() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new MemoryZone(4095, 4096))
        .withMessage("basePa must be a multiple of 4096: basePa=4095");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new MemoryZone(-4096, 4096))
        .withMessage("basePa must be a multiple of 4096: basePa=-4096");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new MemoryZone(0, 4097))
        .withMessage("sizeBytes must be a multiple of 4096: sizeBytes=4097");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new MemoryZone(0, -4096))
        .withMessage("sizeBytes must be a multiple of 4096: sizeBytes=-4096");
    // 2^52 - 4096 is the last page that x86-64 can address.
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new MemoryZone((1L << 52) - 4096, 8192))
        .withMessage("sizeBytes must be <= 4096: sizeBytes=8192");
  }
}
