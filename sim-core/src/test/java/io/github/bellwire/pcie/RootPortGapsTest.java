package io.github.bellwire.pcie;

import static io.github.bellwire.pcie.TestFabric.BAR;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.bellwire.pcie.PcieLinkConfig.DllpCharge;
import io.github.bellwire.pcie.RecordingEndpoint.Access;
import org.junit.jupiter.api.Test;

/**
 * A root port whose link may have to repeat TLPs, so that what it has told must stay true: TLPs
 * that were ready earlier go into gaps, and must not pass others there.
 */
class RootPortGapsTest {
  /** Bit errors are possible, but none happens. */
  private static final PcieLinkConfig REPLAYING =
      PcieLinkConfig.GEN3_X8
          .withDllpCharge(DllpCharge.NONE)
          .withFaults(LinkFaultConfig.NONE.withBitErrorRatio(1e-30));

  private final TestFabric fabric =
      new TestFabric(new RootComplexConfig(100_000, 50_000), Translation.IDENTITY);
  private final RecordingEndpoint endpoint = fabric.plug(REPLAYING);
  private final RootPort port = fabric.port(0);
  private final RootComplex rootComplex = fabric.rootComplex;
  private final MmioResult result = new MmioResult();

  @Test
  void shouldNotLetAShortWritePassALongerOneIntoAGap() {
    // The serializer is idle for 3_800 ps only: enough for 28 B (3_555) but not for 32 B (4_063).
    port.downstream().transmit(280, 50_000 + 3_800);

    rootComplex.mmioWrite(BAR, 8, 1, 0);
    rootComplex.mmioWrite(BAR, 4, 2, 0);
    fabric.simulation.run();

    // 53_800 + 280 B, 32 B, 28 B: 340 x 126.953125 = 43_164.0625; + 60_000.
    assertThat(endpoint.writes()).extracting(Access::value).containsExactly(1L, 2L);
    assertThat(endpoint.writes().get(1).atPs()).isEqualTo(156_964);
  }

  @Test
  void shouldNotLetACompletionPassAWriteIntoAGap() {
    // Busy until 400_000, idle for 3_800, busy again.
    port.downstream().transmit(280, 400_000 - 35_546);
    port.downstream().transmit(280, 403_800);
    rootComplex.mmioWrite(BAR, 8, 1, 399_000 - 50_000);

    // Ready at 400_010: MRd 20 B 2_539, 60_000, 100_000, 50_000; CplD 24 B (3_047) would fit.
    long donePs = endpoint.dma().read(0, new byte[4], 0, 4, 400_010 - 212_539);

    // Behind the write: 403_800 + (280 + 32 + 24) x 126.953125 = 42_656.25; + 60_000.
    assertThat(donePs).isEqualTo(403_800 + 42_656 + 60_000);
  }

  @Test
  void shouldNotLetARefusalPassAWriteIntoAGap() {
    port.downstream().transmit(280, 400_000 - 35_546);
    port.downstream().transmit(280, 403_800);
    rootComplex.mmioWrite(BAR, 8, 1, 399_000 - 50_000);

    long donePs = endpoint.dma().read(1L << 31, new byte[4], 0, 4, 400_010 - 212_539);

    // Cpl 20 B behind the write: 403_800 + 332 x 126.953125 = 42_148.4375; + 60_000.
    assertThat(donePs).isEqualTo(403_800 + 42_148 + 60_000);
  }

  @Test
  void shouldNotLetAReadPassAWriteIntoAGap() {
    port.downstream().transmit(280, 50_000 + 3_800);

    rootComplex.mmioWrite(BAR, 8, 1, 0);
    rootComplex.mmioRead(BAR, 4, 0, result);

    // 53_800 + (280 + 32 + 24) x 126.953125 = 42_656.25; + 60_000.
    assertThat(endpoint.reads().get(0).atPs()).isEqualTo(53_800 + 42_656 + 60_000);
    assertThat(endpoint.writes()).hasSize(1);
  }
}
