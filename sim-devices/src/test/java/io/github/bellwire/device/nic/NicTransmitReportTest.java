package io.github.bellwire.device.nic;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** How software learns that transmit descriptors are done. */
class NicTransmitReportTest {
  private static final int NO_RS = TxDescriptorLayout.COMMAND_EOP | TxDescriptorLayout.COMMAND_IFCS;
  private static final long FLUSH_DEFAULT_PS = 10_000_000;

  private final NicBench bench = new NicBench();

  @Test
  void shouldReportDescriptorsThatAskAndNoOthers() {
    NicBench.TxRing ring = bench.txRing(0, 16, 0);
    for (int i = 0; i < 8; i++) {
      int command = i % 3 == 2 ? NicBench.TxRing.EOP_FCS_RS : NO_RS;
      ring.add(NicBench.frame(60, i), command, 0, 0, 60);
    }
    ring.ring();

    bench.run();

    assertThat(ring.done()).containsExactly(2, 5);
    assertThat(ring.head()).isEqualTo(8);
    // Two reports of 24 + 16 bytes.
    assertThat(bench.port.upstream().memoryWritesTotal()).isEqualTo(2);
  }

  @Test
  void shouldKeepWhatTheDescriptorSays() {
    NicBench.TxRing ring = bench.txRing(0, 16, 0);
    ring.add(NicBench.frame(60, 1)).ring();
    long high = bench.memory().getLong(ring.base + 8);

    bench.run();

    assertThat(bench.memory().getLong(ring.base)).isEqualTo(ring.buffer(0));
    assertThat(bench.memory().getLong(ring.base + 8)).isEqualTo(high | 1L << 32);
  }

  @Test
  void shouldReportAContextOnlyThroughTheDescriptorThatFollows() {
    NicBench.TxRing ring = bench.txRing(0, 16, 0);
    ring.add(0, TxDescriptorLayout.contextHigh(true, 1, 0, 20, 0) | NicBench.TxRing.EOP_FCS_RS);
    ring.add(NicBench.frame(60, 1)).ring();

    bench.run();

    assertThat(ring.done()).containsExactly(1);
    assertThat(ring.head()).isEqualTo(2);
    assertThat(bench.sent).hasSize(1);
  }

  @Test
  void shouldReportLegacyDescriptorsAtTheSamePlace() {
    NicBench.TxRing ring = bench.txRing(0, 16, 0);
    bench.memory().copyIn(ring.buffer(0), NicBench.frame(60, 1), 0, 60);
    ring.add(
        ring.buffer(0), TxDescriptorLayout.legacyHigh(60, 0, NicBench.TxRing.EOP_FCS_RS, 0, 0));
    ring.ring();

    bench.run();

    // STA is byte 12, bit 0 is DD.
    assertThat(bench.memory().getByte(ring.base + 12) & 1).isEqualTo(1);
  }

  // WTHRESH, frames, reports at once, and in all after the timer.
  @ParameterizedTest
  @CsvSource({
    "0, 5, 5, 5",
    "1, 5, 5, 5",
    "2, 7, 6, 7",
    "3, 7, 6, 7",
    "4, 11, 8, 11",
    "8, 15, 8, 15",
    "8, 16, 16, 16",
    "8, 3, 0, 3"
  })
  void shouldGatherReportsAndLoseNoPartialGroup(int wthresh, int frames, int atOnce, int inAll) {
    NicBench.TxRing ring = bench.txRing(0, 32, wthresh << 16);
    for (int i = 0; i < frames; i++) {
      ring.add(NicBench.frame(60, i));
    }
    ring.ring();

    bench.simulation.runUntil(bench.simulation.nowPs() + 5_000_000);
    assertThat(ring.done()).hasSize(atOnce);
    bench.run();

    assertThat(ring.done()).hasSize(inAll);
  }

  @Test
  void shouldWriteAGroupAtOnce() {
    NicBench.TxRing ring = bench.txRing(0, 32, 8 << 16);
    for (int i = 0; i < 16; i++) {
      ring.add(NicBench.frame(60, i));
    }
    ring.ring();

    bench.run();

    // Two groups of 24 + 8 x 16 bytes; the rest are reads of 24 bytes: 256 of descriptors, 16 x 60.
    assertThat(bench.port.upstream().memoryWritesTotal()).isEqualTo(2);
    assertThat(bench.port.upstream().bytesTotal()).isEqualTo(2 * 152 + 24 * 17);
  }

  @Test
  void shouldAlignTheNextGroupAfterAPartialOne() {
    NicBench.TxRing ring = bench.txRing(0, 32, 8 << 16);
    for (int i = 0; i < 3; i++) {
      ring.add(NicBench.frame(60, i));
    }
    ring.ring();
    bench.run();
    assertThat(ring.done()).containsExactly(0, 1, 2);

    for (int i = 0; i < 13; i++) {
      ring.add(NicBench.frame(60, i));
    }
    ring.ring();
    bench.simulation.runUntil(bench.simulation.nowPs() + 5_000_000);

    // 3..7 ends with the second line of four; then 8..15 is a whole group.
    assertThat(ring.done()).hasSize(16);
    assertThat(bench.port.upstream().memoryWritesTotal()).isEqualTo(3);
  }

  @Test
  void shouldSplitAReportAtTheEndOfTheRing() {
    NicBench.TxRing ring = bench.txRing(0, 8, 8 << 16);
    for (int i = 0; i < 6; i++) {
      ring.add(NicBench.frame(60, i));
    }
    ring.ring();
    bench.run();
    for (int i = 0; i < 6; i++) {
      bench.memory().putLong(ring.base + i * 16L + 8, 0);
    }
    for (int i = 0; i < 6; i++) {
      ring.add(NicBench.frame(60, i));
    }
    ring.ring();
    bench.run();

    assertThat(ring.done()).containsExactly(0, 1, 2, 3, 6, 7);
    assertThat(ring.head()).isEqualTo(4);
  }

  @Test
  void shouldFlushWhenSoftwareAsks() {
    NicBench.TxRing ring = bench.txRing(0, 32, 8 << 16);
    ring.add(NicBench.frame(60, 1)).add(NicBench.frame(60, 2)).ring();
    bench.simulation.runUntil(bench.simulation.nowPs() + 5_000_000);
    assertThat(ring.done()).isEmpty();

    int txdctl = bench.read(NicRegisters.txdctl(0));
    bench.write(NicRegisters.txdctl(0), txdctl | NicRegisters.TXDCTL_SWFLSH);
    bench.simulation.runUntil(bench.simulation.nowPs() + 1_000_000);

    assertThat(ring.done()).containsExactly(0, 1);
    assertThat(bench.read(NicRegisters.txdctl(0))).isEqualTo(txdctl);
  }

  @Test
  void shouldFlushWhenTheVectorsModerationTimeHasPassed() {
    bench.write(NicRegisters.GPIE, NicRegisters.GPIE_MSIX_MODE);
    bench.write(NicRegisters.ivar(0), (NicRegisters.IVAR_ALLOC_VAL | 3) << 8);
    bench.write(NicRegisters.eitr(0), 8); // Another queue's vector.
    bench.write(NicRegisters.eitr(3), 0xC8);
    NicBench.TxRing ring = bench.txRing(0, 32, 8 << 16);
    ring.add(NicBench.frame(60, 1)).ring();

    // 0C8 is 51.2 us; the data takes about a microsecond to arrive.
    bench.simulation.runUntil(bench.simulation.nowPs() + 51_200_000);
    assertThat(ring.done()).isEmpty();
    bench.simulation.runUntil(bench.simulation.nowPs() + 3_000_000);

    assertThat(ring.done()).containsExactly(0);
  }

  @Test
  void shouldNotTakeTheTimeOfAVectorThatIsNotItsOwn() {
    bench.write(NicRegisters.eitr(0), 0xFF8);
    NicBench.TxRing ring = bench.txRing(0, 32, 8 << 16);
    ring.add(NicBench.frame(60, 1)).ring();

    bench.simulation.runUntil(bench.simulation.nowPs() + FLUSH_DEFAULT_PS + 3_000_000);

    assertThat(ring.done()).containsExactly(0);
  }

  @Test
  void shouldTakeThresholdsWhileTheQueueRuns() {
    NicBench.TxRing ring = bench.txRing(0, 32, 8 << 16);
    bench.write(NicRegisters.txdctl(0), NicRegisters.TXDCTL_ENABLE | 2 << 16);
    ring.add(NicBench.frame(60, 1)).add(NicBench.frame(60, 2)).ring();

    bench.simulation.runUntil(bench.simulation.nowPs() + 5_000_000);

    assertThat(ring.done()).containsExactly(0, 1);
  }

  @Test
  void shouldWriteTheHeadInsteadOfDescriptorsIfAsked() {
    NicBench.TxRing ring = bench.new TxRing(0, 16);
    long head = bench.host.pages().allocate(4096) + 64;
    bench.memory().putLong(head, -1L);
    bench.write(NicRegisters.tdwbal(0), (int) head | NicRegisters.TDWBAL_HEAD_WB_ENABLE);
    bench.write(NicRegisters.tdwbah(0), (int) (head >>> 32));
    ring.enable(0);
    for (int i = 0; i < 3; i++) {
      ring.add(NicBench.frame(60, i));
    }
    ring.ring();

    bench.run();

    assertThat(ring.done()).isEmpty();
    // Four bytes, no more.
    assertThat(bench.memory().getLong(head)).isEqualTo(0xFFFFFFFF_00000003L);
  }

  @Test
  void shouldReportWhenTheDataIsOnTheDeviceAndNotEarlier() {
    NicBench.TxRing ring = bench.txRing(0, 16, 0);
    ring.add(NicBench.frame(1514, 1)).ring();
    long startPs = bench.simulation.nowPs();

    while (!ring.isDone(0)) {
      bench.simulation.runUntil(bench.simulation.nowPs() + 10_000);
    }

    // Two dependent reads and a write: at least four times the root complex's 130 ns and five
    // times the link's 60 ns.
    assertThat(bench.simulation.nowPs() - startPs).isGreaterThan(4 * 130_000 + 5 * 60_000);
    assertThat(bench.sent).as("done before the last bit has left").isEmpty();
  }

  @Test
  void shouldReportWhatWasHeldBackWhenMastersAreEnabledAgain() {
    NicBench.TxRing ring = bench.txRing(0, 16, 0);
    ring.add(NicBench.frame(60, 1)).ring();
    bench.simulation.runUntil(bench.simulation.nowPs() + 600_000); // The data is under way.
    bench.write(NicRegisters.CTRL, NicRegisters.CTRL_GIO_DIS);
    bench.run();
    assertThat(ring.head()).isEqualTo(1);
    assertThat(ring.done()).isEmpty();

    bench.write(NicRegisters.CTRL, 0);
    bench.run();

    assertThat(ring.done()).containsExactly(0);
  }
}
