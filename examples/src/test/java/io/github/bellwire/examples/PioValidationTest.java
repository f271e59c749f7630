package io.github.bellwire.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/**
 * Moving bytes by loads and stores against what gdrcopy's README measures. The V100 figures at 8 B
 * and 64 KiB were used to calibrate handover, fence and loads under way; everything else, and all
 * of the P100's, follows.
 */
class PioValidationTest {
  private static final String V100 = "gdrcopy README, V100-SXM2";
  private static final String P100 = "gdrcopy README, P100-PCIE";
  private static final String GAP = "Intel community, thread 1186313: 50 to 300 ns";

  private final List<ValidationRow> rows = new ArrayList<>();
  private final JsonNode json = Tool.json("pio-vs-dma");

  private void row(String method, int bytes, double publishedUs, String source) {
    String name = method + "_" + bytes + "_us";
    rows.add(
        Validation.record(
            new ValidationRow("PIO", name, publishedUs, Tool.number(json, name), 15, source)));
  }

  private void assertAllInBand() {
    assertThat(rows.stream().filter(row -> !row.isInBand())).isEmpty();
  }

  @Test
  void shouldWriteCombiningAsMeasured() {
    row("wc-write", 8, 0.0884, V100);
    row("wc-write", 64, 0.0902, V100);
    row("wc-write", 256, 0.0983, V100);
    row("wc-write", 1024, 0.1825, V100);
    row("wc-write", 4096, 0.4366, V100);
    row("wc-write", 65_536, 6.4906, V100);

    assertAllInBand();
  }

  @Test
  void shouldWriteCombiningAsMeasuredElsewhere() {
    row("wc-write", 8, 0.0983, P100);
    row("wc-write", 16, 0.1000, P100);
    row("wc-write", 32, 0.0997, P100);
    row("wc-write", 64, 0.1018, P100);
    row("wc-write", 128, 0.1011, P100);
    row("wc-write", 256, 0.1134, P100);
    row("wc-write", 512, 0.1342, P100);
    row("wc-write", 1024, 0.1751, P100);
    row("wc-write", 2048, 0.2606, P100);
    row("wc-write", 4096, 0.4336, P100);
    row("wc-write", 8192, 0.8141, P100);
    row("wc-write", 16_384, 1.6070, P100);
    row("wc-write", 32_768, 3.1999, P100);
    row("wc-write", 65_536, 6.3869, P100);
    row("wc-write", 131_072, 12.7635, P100);
    row("wc-write", 262_144, 25.5032, P100);

    assertAllInBand();
  }

  @Test
  void shouldKeepTheGapOfUncachedStores() {
    for (int bytes : new int[] {8, 64, 4096, 65_536}) {
      String name = "uc-write_" + bytes + "_us";
      double gapUs = Tool.number(json, name) / (bytes / 8);
      rows.add(
          Validation.record(new ValidationRow("PIO", name + " per store", 0.1, gapUs, 15, GAP)));
    }

    assertAllInBand();
  }

  @Test
  void shouldReadAsMeasured() {
    row("mmio-read", 8, 1.716, V100);
    row("mmio-read", 4096, 7.98, V100);
    row("mmio-read", 65_536, 114.1, V100);
    row("mmio-read", 16, 0.8822, P100);
    row("mmio-read", 32, 1.7350, P100);
    row("mmio-read", 65_536, 118.7792, P100);
    row("mmio-read", 131_072, 241.5278, P100);
    row("mmio-read", 262_144, 506.1804, P100);

    assertAllInBand();
  }

  @Test
  void shouldCrossOverWhereTheFiguresDo() {
    // The size at which write-combining copies take as long as a bare DMA, whose link is faster.
    assertThat(Tool.count(json, "crossover_write_bytes")).isBetween(48L << 10, 128L << 10);
    assertThat(Tool.count(json, "crossover_read_bytes")).isBetween(1L << 10, 4L << 10);
  }
}
