package io.github.bellwire.host;

import static io.github.bellwire.host.HostConfig.GEN4_SERVER;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import io.github.bellwire.cpu.CoreConfig;
import io.github.bellwire.pcie.PcieGeneration;
import io.github.bellwire.pcie.PcieLinkConfig;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class HostConfigTest {
  private static HostConfig host(long lowMemoryBytes, long highMemoryBytes, int coresCount) {
    return new HostConfig(
        "test",
        lowMemoryBytes,
        highMemoryBytes,
        coresCount,
        GEN4_SERVER.core(),
        GEN4_SERVER.cache(),
        GEN4_SERVER.memory(),
        GEN4_SERVER.rootComplex(),
        GEN4_SERVER.link());
  }

  @ParameterizedTest
  @CsvSource({
    "16773120, 0, 1, 'lowMemoryBytes must be a multiple of 4 KiB, 16 MiB..3 GiB:'",
    "3221229568, 0, 1, 'lowMemoryBytes must be a multiple of 4 KiB, 16 MiB..3 GiB:'",
    "16777217, 0, 1, 'lowMemoryBytes must be a multiple of 4 KiB, 16 MiB..3 GiB:'",
    "16777216, -4096, 1, 'highMemoryBytes must be a multiple of 4 KiB, 0..16 TiB:'",
    "16777216, 17592186048512, 1, 'highMemoryBytes must be a multiple of 4 KiB, 0..16 TiB:'",
    "16777216, 2048, 1, 'highMemoryBytes must be a multiple of 4 KiB, 0..16 TiB:'",
    "16777216, 0, 0, coresCount must be 1..64: coresCount=0",
    "16777216, 0, 65, coresCount must be 1..64: coresCount=65"
  })
  void shouldRejectAnIllegalConfiguration(
      long lowMemoryBytes, long highMemoryBytes, int coresCount, String message) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> host(lowMemoryBytes, highMemoryBytes, coresCount))
        .withMessageStartingWith(message);
  }

  @ParameterizedTest
  @ValueSource(longs = {16L << 20, 20L << 20, 255L << 20, (256L << 20) + 4096})
  void shouldMakeAMachineOfAnyLegalSize(long lowMemoryBytes) {
    Host host = new Host(host(lowMemoryBytes, 0, 1), 1);

    // A quarter of low memory or less, a power of two.
    assertThat((long) host.bounceBuffers().sizeBytes())
        .isEqualTo(Long.highestOneBit(Math.min(64 << 20, lowMemoryBytes / 4)));
  }

  @Test
  void shouldAcceptItsBounds() {
    assertThat(host(16 << 20, 0, 1).coresCount()).isEqualTo(1);
    assertThat(host(3L << 30, 16L << 40, 64).coresCount()).isEqualTo(64);
  }

  @Test
  void shouldRejectNothing() {
    assertThatNullPointerException()
        .isThrownBy(() -> GEN4_SERVER.withName(nothing()))
        .withMessage("name");
    assertThatNullPointerException()
        .isThrownBy(() -> GEN4_SERVER.withLink(nothing()))
        .withMessage("link");
    assertThatNullPointerException()
        .isThrownBy(() -> GEN4_SERVER.withCore(nothing()))
        .withMessage("core");
  }

  @SuppressWarnings({"NullAway", "TypeParameterUnusedInFormals"})
  private static <T> T nothing() {
    return null;
  }

  @Test
  void shouldChangeOneComponentAtATime() {
    HostConfig named = GEN4_SERVER.withName("other");
    assertThat(named.name()).isEqualTo("other");
    assertThat(named.withName("gen4-server")).isEqualTo(GEN4_SERVER);

    HostConfig slower = GEN4_SERVER.withGeneration(PcieGeneration.GEN3);
    assertThat(slower.link())
        .isEqualTo(PcieLinkConfig.GEN4_X16.withGeneration(PcieGeneration.GEN3));
    assertThat(slower.withLink(PcieLinkConfig.GEN4_X16)).isEqualTo(GEN4_SERVER);

    HostConfig small = GEN4_SERVER.withLowMemoryBytes(1 << 25);
    assertThat(small.lowMemoryBytes()).isEqualTo(1 << 25);
    assertThat(small.withLowMemoryBytes(GEN4_SERVER.lowMemoryBytes())).isEqualTo(GEN4_SERVER);

    HostConfig ideal = GEN4_SERVER.withCore(CoreConfig.IDEAL);
    assertThat(ideal.core()).isEqualTo(CoreConfig.IDEAL);
    assertThat(ideal.withCore(CoreConfig.SERVER)).isEqualTo(GEN4_SERVER);
  }

  @Test
  void shouldListItsPresetsUnderTheirNames() {
    assertThat(HostConfig.PRESETS)
        .extracting(HostConfig::name)
        .containsExactly(
            "ideal",
            "snb",
            "ib",
            "hsw",
            "hsw-sm",
            "bdw",
            "e3",
            "gen4-server",
            "gen5-server",
            "dgx-1",
            "skx",
            "embedded-noncoherent");
    assertThat(HostConfig.GEN5_SERVER.link()).isEqualTo(PcieLinkConfig.GEN5_X16);
    assertThat(HostConfig.GEN5_SERVER.withName("gen4-server").withLink(PcieLinkConfig.GEN4_X16))
        .isEqualTo(GEN4_SERVER);
  }
}
