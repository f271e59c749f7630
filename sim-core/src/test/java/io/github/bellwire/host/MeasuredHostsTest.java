package io.github.bellwire.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.bellwire.cache.CoherentCacheConfig;
import io.github.bellwire.cache.LlcConfig;
import io.github.bellwire.memory.DramConfig;
import io.github.bellwire.memory.DramTiming;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MeasuredHostsTest {
  /** MRd and CplD, 24 + 84 B, at 57.885 Gb/s, and 60 ns of flight each way. */
  private static final long LINK_PS = 14_926 + 120_000;

  /** 60 ns and 64 * 156 ps. */
  private static final long DEVICE_PS = 69_984;

  @ParameterizedTest
  @CsvSource({
    // Mean latencies of 64-byte reads, warm and cold (pcie-bench/data, lat_dma_details).
    "snb, 559018, 615185",
    "ib, 567085, 622490",
    "hsw, 552607, 603047",
    "hsw-sm, 597154, 648936",
    "bdw, 557239, 608561"
  })
  void shouldAddUpToTheMeasuredMeans(String name, long warmPs, long coldPs) {
    HostConfig host = host(name);
    DramConfig dram = (DramConfig) host.memory();
    LlcConfig llc = ((CoherentCacheConfig) host.cache()).llc();
    long rootComplexPs = host.rootComplex().upstreamPs() + host.rootComplex().downstreamPs();

    long hitPs = DEVICE_PS + LINK_PS + rootComplexPs + llc.hitPs();
    long cyclePs = dram.timing().refresh().cyclePs();
    long refreshPs = cyclePs * cyclePs / (2 * 7_800_000);
    long missPs = hitPs + dram.frontPs() + dram.timing().rowClosedPs() + dram.backPs() + refreshPs;

    // Halves are rounded down.
    assertThat(hitPs).isCloseTo(warmPs, within(2L));
    assertThat(missPs).isCloseTo(coldPs, within(4L));
  }

  @ParameterizedTest
  @CsvSource({
    // Last-level cache in KiB, refresh in ns, cores, clock in MHz, sockets.
    "snb, 15360, 160, 6, 2300, 1",
    "ib, 15360, 160, 12, 2100, 2",
    "hsw, 15360, 260, 6, 2400, 1",
    "hsw-sm, 15360, 260, 4, 3500, 1",
    "bdw, 25600, 350, 20, 2200, 2",
    "e3, 8192, 260, 4, 3300, 1"
  })
  void shouldBeMadeOfWhatTheDataSheetsSay(
      String name, int llcKib, int refreshNs, int cores, int megahertz, int sockets) {
    HostConfig host = host(name);
    LlcConfig llc = ((CoherentCacheConfig) host.cache()).llc();
    DramTiming timing = ((DramConfig) host.memory()).timing();

    assertThat(llc.slices() * llc.setsPerSlice() * llc.ways() / 16).isEqualTo(llcKib);
    assertThat(timing.refresh().cyclePs()).isEqualTo(refreshNs * 1_000L);
    assertThat(host.coresCount()).isEqualTo(cores);
    assertThat(host.core().frequencyHz()).isEqualTo(megahertz * 1_000_000L);
    assertThat(host.cache().sockets()).isEqualTo(sockets);
  }

  @Test
  void shouldGiveEachSocketItsMemory() {
    Host bdw = new Host(HostConfig.BDW, 1);
    long secondPa = HostConfig.BDW.cache().numa().secondSocketPa();

    // 2 GiB below 4 GiB and 62 from there belong to the first socket.
    assertThat(secondPa).isEqualTo(66L << 30);
    assertThat(bdw.pages(0).allocate(4096)).isEqualTo(4L << 30);
    assertThat(bdw.pages(0)).isSameAs(bdw.pages());
    assertThat(bdw.pages(1).allocate(4096)).isEqualTo(secondPa);
    assertThat(bdw.memory().contains(secondPa + (64L << 30) - 1, 1)).isTrue();
    assertThat(bdw.memory().contains(secondPa + (64L << 30), 1)).isFalse();
  }

  private static HostConfig host(String name) {
    return HostConfig.PRESETS.stream().filter(h -> h.name().equals(name)).findFirst().orElseThrow();
  }
}
