package io.github.bellwire.pcie;

import static io.github.bellwire.pcie.TestFabric.HIGH;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Sustained bandwidth against the analytic model of pcie-bench (model/pcie.py at 40703cf): W = 24,
 * R = 24, C = 20 bytes; write T x s / (s + n(MPS) W), read s x min(T / (s + n(MPS) C), T / (n(MRRS)
 * R)), mixed s x T / (s + n(MPS) W + n(MRRS) R) per direction; T is the guide rate.
 */
class DmaBandwidthTest {
  private static final int ACCESSES = 800;
  private static final double TOLERANCE_PERCENT = 0.5;

  /** GT/s x encoding, by generation. */
  private static final double[] GBPS_PER_LANE = {
    0, 2.5 * 0.8, 5 * 0.8, 8 * 128 / 130.0, 16 * 128 / 130.0, 32 * 128 / 130.0
  };

  private final byte[] buffer = new byte[4096];

  @ParameterizedTest
  @CsvSource({
    // generation, lanes, MPS, MRRS, bytes, write, read, mixed Gb/s.
    "GEN3, 8, 128, 512, 64, 41.2116, 43.1740, 32.3805",
    "GEN3, 8, 128, 512, 512, 47.7187, 49.0084, 45.9066",
    "GEN3, 8, 256, 512, 64, 42.0980, 44.1027, 33.0770",
    "GEN3, 8, 256, 512, 256, 52.9232, 53.6902, 48.7451",
    "GEN3, 8, 256, 512, 512, 52.9232, 53.6902, 50.7483",
    "GEN3, 8, 256, 512, 1024, 52.9232, 53.6902, 50.7483",
    "GEN3, 8, 256, 512, 4096, 52.9232, 53.6902, 50.7483",
    "GEN4, 16, 256, 512, 64, 165.3819, 173.2572, 129.9429",
    "GEN4, 16, 256, 512, 512, 207.9087, 210.9219, 199.3645",
    "GEN4, 16, 256, 512, 4096, 207.9087, 210.9219, 199.3645",
    "GEN5, 16, 512, 4096, 64, 333.4498, 349.3283, 261.9963",
    "GEN5, 16, 512, 4096, 4096, 437.9639, 441.2569, 435.5262"
  })
  void shouldEqualTheAnalyticModel(
      PcieGeneration generation,
      int lanes,
      int mpsBytes,
      int mrrsBytes,
      int sizeBytes,
      double writeGbps,
      double readGbps,
      double mixedGbps) {
    PcieLinkConfig link =
        PcieLinkConfig.GEN3_X8
            .withGeneration(generation)
            .withLanes(lanes)
            .withMaxPayloadBytes(mpsBytes)
            .withMaxReadRequestBytes(mrrsBytes)
            .withPropagationPs(0)
            .withTags(PcieLinkConfig.TAGS_MAX);

    assertThat(gbps(link, sizeBytes, true, false))
        .isCloseTo(writeGbps, withinPercentage(TOLERANCE_PERCENT));
    assertThat(gbps(link, sizeBytes, false, true))
        .isCloseTo(readGbps, withinPercentage(TOLERANCE_PERCENT));
    assertThat(gbps(link, sizeBytes, true, true))
        .isCloseTo(mixedGbps, withinPercentage(TOLERANCE_PERCENT));
  }

  /**
   * Every generation, width, MPS and MRRS that the table of pcie-bench/pcie-model has, all its
   * sizes that are whole double words, against the formulas above; the table equals them to 1e-4,
   * and a few of its rows stand in the test before.
   */
  @ParameterizedTest
  @EnumSource(names = "GEN6", mode = EnumSource.Mode.EXCLUDE)
  void shouldEqualTheAnalyticModelEverywhere(PcieGeneration generation) {
    for (int lanes = 4; lanes <= 16; lanes *= 2) {
      for (int mpsBytes = 128; mpsBytes <= 512; mpsBytes *= 2) {
        for (int mrrsBytes = 512; mrrsBytes <= 4096; mrrsBytes *= 8) {
          PcieLinkConfig link =
              PcieLinkConfig.GEN3_X8
                  .withGeneration(generation)
                  .withLanes(lanes)
                  .withMaxPayloadBytes(mpsBytes)
                  .withMaxReadRequestBytes(mrrsBytes)
                  .withPropagationPs(0)
                  .withTags(PcieLinkConfig.TAGS_MAX);
          for (int size : new int[] {64, 128, 192, 256, 320, 512, 1024, 1500, 2048, 4096}) {
            assertEqualsTheModel(link, size);
          }
        }
      }
    }
  }

  private void assertEqualsTheModel(PcieLinkConfig link, int sizeBytes) {
    double limit = link.ackLimitSymbols();
    double raw = GBPS_PER_LANE[link.generation().number()] * link.lanes();
    double tlpGbps = raw * (1 - 16 / limit - 4.0 / 1538);
    double payloads = Math.ceil(sizeBytes / (double) link.maxPayloadBytes());
    double requests = Math.ceil(sizeBytes / (double) link.maxReadRequestBytes());
    double up = sizeBytes + 24 * payloads;
    double down = sizeBytes + 20 * payloads;
    double write = tlpGbps * sizeBytes / up;
    double read = tlpGbps * sizeBytes / Math.max(down, 24 * requests);
    double mixed = tlpGbps * sizeBytes / Math.max(down, up + 24 * requests);

    assertThat(gbps(link, sizeBytes, true, false))
        .as("write %d B, %s", sizeBytes, link)
        .isCloseTo(write, withinPercentage(TOLERANCE_PERCENT));
    assertThat(gbps(link, sizeBytes, false, true))
        .as("read %d B, %s", sizeBytes, link)
        .isCloseTo(read, withinPercentage(TOLERANCE_PERCENT));
    assertThat(gbps(link, sizeBytes, true, true))
        .as("mixed %d B, %s", sizeBytes, link)
        .isCloseTo(mixed, withinPercentage(TOLERANCE_PERCENT));
  }

  @Test
  void shouldKeepTheShareOfPayloadInFlits() {
    PcieLinkConfig link =
        PcieLinkConfig.GEN6_X16.withMaxPayloadBytes(256).withPropagationPs(0).withTags(15_360);

    // The last FLIT, 2 ns of 2 us, is not full. 1024 Gb/s x 236/256 x 256/272: 86.8 % of the raw
    // rate.
    assertThat(gbps(link, 256, true, false) / 1024)
        .isCloseTo(236.0 / 256 * 256 / 272, withinPercentage(0.2));
    // CplD 256 + 12; MRd 16 per 512 B.
    assertThat(gbps(link, 512, false, true) / 1024)
        .isCloseTo(236.0 / 256 * 256 / 268, withinPercentage(0.2));
    // Up: MWr 2 x 272, MRd 16.
    assertThat(gbps(link, 512, true, true) / 1024)
        .isCloseTo(236.0 / 256 * 512 / 560, withinPercentage(0.2));
  }

  @Test
  void shouldPayForTheDigest() {
    PcieLinkConfig link =
        PcieLinkConfig.GEN3_X8
            .withPropagationPs(0)
            .withTags(PcieLinkConfig.TAGS_MAX)
            .withEcrc(true);

    // 57.8848 Gb/s x 256 / (256 + 28); CplD 256 + 24.
    assertThat(gbps(link, 256, true, false)).isCloseTo(57.8848 * 256 / 284, withinPercentage(0.05));
    assertThat(gbps(link, 256, false, true)).isCloseTo(57.8848 * 256 / 280, withinPercentage(0.05));
  }

  @Test
  void shouldPayForCompletionsAtEveryBoundary() {
    PcieLinkConfig link =
        PcieLinkConfig.GEN3_X8
            .withPropagationPs(0)
            .withTags(PcieLinkConfig.TAGS_MAX)
            .withCompletionCut(CompletionCut.EVERY_RCB);

    // 57.8848 Gb/s x 64 / 84, whatever the size.
    assertThat(gbps(link, 64, false, true)).isCloseTo(57.8848 * 64 / 84, withinPercentage(0.05));
    assertThat(gbps(link, 512, false, true)).isCloseTo(57.8848 * 64 / 84, withinPercentage(0.05));
  }

  private double gbps(PcieLinkConfig link, int sizeBytes, boolean writes, boolean reads) {
    DmaPort dma = new TestFabric().plug(link).dma();
    long donePs = 0;
    for (int i = 0; i < ACCESSES; i++) {
      if (writes) {
        donePs = Math.max(donePs, dma.write(HIGH, buffer, 0, sizeBytes, 0));
      }
      if (reads) {
        donePs = Math.max(donePs, dma.read(HIGH, buffer, 0, sizeBytes, 0));
      }
    }
    return 8_000.0 * ACCESSES * sizeBytes / donePs;
  }

  @ParameterizedTest
  @CsvSource({
    // tags x 512 bit / 560 ns, until the link bound of 44.10 Gb/s at 48.2 tags.
    "1, 0.914",
    "8, 7.314",
    "32, 29.257",
    "40, 36.571",
    "48, 43.886",
    "56, 44.10",
    "256, 44.10"
  })
  void shouldFollowTheTagLaw(int tags, double gbps) {
    TestFabric latent =
        new TestFabric(new RootComplexConfig(130_000, 130_000), Translation.IDENTITY);
    // MRd 24 B 3_316 + CplD 84 B 11_609 at the guide rate, 2 x 60 ns and 2 x 130 ns: 560 ns in all.
    latent.caches.deviceReadPs = 560_000 - 3_316 - 11_609 - 120_000 - 260_000;
    DmaPort dma = latent.plug(PcieLinkConfig.GEN3_X8.withTags(tags)).dma();
    assertThat(dma.read(HIGH, buffer, 0, 64, 0)).isEqualTo(560_000);

    long firstPs = dma.read(HIGH, buffer, 0, 64, 1_000_000) - 560_000;
    long donePs = 0;
    for (int i = 0; i < 100 * tags; i++) {
      donePs = dma.read(HIGH, buffer, 0, 64, 1_000_000);
    }

    assertThat(8_000.0 * 64 * 100 * tags / (donePs - firstPs)).isCloseTo(gbps, withinPercentage(2));
  }
}
