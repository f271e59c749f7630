package io.github.bellwire.device.nic;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class NicStatisticsTest {
  private final NicStatistics statistics = new NicStatistics();

  private void receive(int frameBytes, boolean isBroadcast, boolean isMulticast, int queue) {
    statistics.onFrameAccepted(frameBytes);
    if (isBroadcast || isMulticast) {
      statistics.onGroupFrameAccepted(isBroadcast);
    }
    statistics.delivered(queue).add(frameBytes);
  }

  @Test
  void shouldClearACounterWhenRead() {
    receive(64, false, false, 0);
    receive(64, false, false, 0);

    assertThat(statistics.read(NicRegisters.GPRC)).isEqualTo(2);
    assertThat(statistics.read(NicRegisters.GPRC)).isZero();
  }

  @ParameterizedTest
  @CsvSource({"4088, 408C", "40C0, 40C4", "1034, 1038"})
  void shouldClearReceivedOctetsByTheHighHalfOnly(String low, String high) {
    int lowOffset = Integer.parseInt(low, 16);
    int highOffset = Integer.parseInt(high, 16);
    for (int i = 0; i < 270_000; i++) {
      receive(16_383, false, false, 0);
    }

    // 270000 x 16383 = 4423410000 = 1 x 2^32 + 128442704.
    assertThat(statistics.read(lowOffset)).isEqualTo(128_442_704);
    assertThat(statistics.read(lowOffset)).isEqualTo(128_442_704);
    assertThat(statistics.read(highOffset)).isEqualTo(1);
    assertThat(statistics.read(lowOffset)).isZero();
    assertThat(statistics.read(highOffset)).isZero();
  }

  @ParameterizedTest
  @CsvSource({"4090, 4094", "8700, 8704"})
  void shouldClearSentOctetsByTheHighHalfOnly(String low, String high) {
    statistics.onFrameSent(1518, false, false, 3);

    assertThat(statistics.read(Integer.parseInt(low, 16))).isEqualTo(1518);
    assertThat(statistics.read(Integer.parseInt(high, 16))).isZero();
    assertThat(statistics.read(Integer.parseInt(low, 16))).isZero();
  }

  @ParameterizedTest
  @CsvSource({
    "64, 405C, 40D8",
    "65, 4060, 40DC",
    "127, 4060, 40DC",
    "128, 4064, 40E0",
    "255, 4064, 40E0",
    "256, 4068, 40E4",
    "511, 4068, 40E4",
    "512, 406C, 40E8",
    "1023, 406C, 40E8",
    "1024, 4070, 40EC",
    "1518, 4070, 40EC",
    "9018, 4070, 40EC"
  })
  void shouldBinFramesBySize(int frameBytes, String rxBin, String txBin) {
    receive(frameBytes, false, false, 0);
    statistics.onFrameSent(frameBytes, false, false, 0);
    statistics.onFrameSent(frameBytes, false, false, 0);

    for (int bin = 0; bin < 6; bin++) {
      int rx = NicRegisters.PRC64 + 4 * bin;
      int tx = NicRegisters.PTC64 + 4 * bin;
      assertThat(statistics.read(rx)).isEqualTo(rx == Integer.parseInt(rxBin, 16) ? 1 : 0);
      assertThat(statistics.read(tx)).isEqualTo(tx == Integer.parseInt(txBin, 16) ? 2 : 0);
    }
  }

  @Test
  void shouldTellBroadcastFromMulticast() {
    receive(64, true, true, 0);
    receive(64, false, true, 0);
    receive(64, false, true, 0);
    statistics.onFrameSent(64, true, true, 0);
    statistics.onFrameSent(64, true, false, 0);
    statistics.onFrameSent(64, false, true, 0);

    assertThat(statistics.read(NicRegisters.BPRC)).isEqualTo(1);
    assertThat(statistics.read(NicRegisters.MPRC)).isEqualTo(2);
    assertThat(statistics.read(NicRegisters.BPTC)).isEqualTo(2);
    assertThat(statistics.read(NicRegisters.MPTC)).isEqualTo(1);
  }

  @Test
  void shouldCountAllQueuesInSetZeroUntilMapped() {
    receive(64, false, false, 5);
    statistics.onFrameSent(64, false, false, 127);
    statistics.onNoDescriptorDrop(63);

    assertThat(statistics.read(NicRegisters.qprc(0))).isEqualTo(1);
    assertThat(statistics.read(NicRegisters.qptc(0))).isEqualTo(1);
    assertThat(statistics.read(NicRegisters.qprdc(0))).isEqualTo(1);
  }

  @Test
  void shouldCountQueuesInTheSetsTheyAreMappedTo() {
    // Queues 4..7 to sets 12, 13, 14, 15; only four bits of each byte are kept.
    statistics.write(NicRegisters.rqsmr(1), 0xFF0E0D0C);
    statistics.write(NicRegisters.tqsm(31), 0x09080706);

    receive(100, false, false, 7);
    statistics.onNoDescriptorDrop(4);
    statistics.onFrameSent(200, false, false, 127);

    assertThat(statistics.read(NicRegisters.rqsmr(1))).isEqualTo(0x0F0E0D0C);
    assertThat(statistics.read(NicRegisters.tqsm(31))).isEqualTo(0x09080706);
    assertThat(statistics.read(NicRegisters.qprc(15))).isEqualTo(1);
    assertThat(statistics.read(NicRegisters.qbrcl(15))).isEqualTo(100);
    assertThat(statistics.read(NicRegisters.qprdc(12))).isEqualTo(1);
    assertThat(statistics.read(NicRegisters.qbtcl(9))).isEqualTo(200);
    assertThat(statistics.read(0x08680 + 4 * 9)).isEqualTo(1);
    assertThat(statistics.read(NicRegisters.qptc(9))).isZero();
  }

  @Test
  void shouldCountAcceptedFramesBeforeTheyAreDelivered() {
    statistics.onFrameAccepted(64);

    assertThat(statistics.read(NicRegisters.GPRC)).isEqualTo(1);
    assertThat(statistics.read(NicRegisters.TPR)).isEqualTo(1);
    assertThat(statistics.read(NicRegisters.qprc(0))).isZero();

    statistics.delivered(0).add(64);

    assertThat(statistics.read(NicRegisters.qprc(0))).isEqualTo(1);
    assertThat(statistics.read(NicRegisters.GPRC)).isZero();
  }

  @Test
  void shouldCountWhatIsLost() {
    statistics.onMissed(7);
    statistics.onNoBuffer(2);
    statistics.onOversize();
    statistics.onUndersize();
    statistics.onFiltered();

    assertThat(statistics.read(NicRegisters.mpc(7))).isEqualTo(1);
    assertThat(statistics.read(NicRegisters.rnbc(2))).isEqualTo(1);
    assertThat(statistics.read(NicRegisters.ROC)).isEqualTo(1);
    assertThat(statistics.read(NicRegisters.RUC)).isEqualTo(1);
    // Every frame on the wire: the missed one, two bad ones and the filtered one.
    assertThat(statistics.read(NicRegisters.TPR)).isEqualTo(4);
    assertThat(statistics.read(NicRegisters.GPRC)).isZero();
    assertThat(statistics.missedFramesTotal()).isEqualTo(1);
    assertThat(statistics.badFramesTotal()).isEqualTo(2);
    assertThat(statistics.filteredFramesTotal()).isEqualTo(1);
  }

  @Test
  void shouldLeaveWhatAQueueHasCountedWhereItWasMapped() {
    receive(100, false, false, 7);
    statistics.write(NicRegisters.rqsmr(1), 0x0F00_0000); // queue 7 to set 15
    receive(200, false, false, 7);

    assertThat(statistics.read(NicRegisters.qprc(0))).isEqualTo(1);
    assertThat(statistics.read(NicRegisters.qbrcl(0))).isEqualTo(100);
    assertThat(statistics.read(NicRegisters.qprc(15))).isEqualTo(1);
    assertThat(statistics.read(NicRegisters.qbrcl(15))).isEqualTo(200);
  }

  @Test
  void shouldClearRegistersButNotTotalsAtReset() {
    receive(100, false, false, 7);
    receive(100, false, false, 3);

    statistics.reset();

    assertThat(nonZero()).isEmpty();
    assertThat(statistics.deliveredFramesTotal()).isEqualTo(2);
  }

  @Test
  void shouldTouchNoOtherCounter() {
    for (int buffer = 0; buffer < 8; buffer++) {
      statistics.onMissed(buffer);
      assertThat(nonZero()).containsExactly(NicRegisters.mpc(buffer), NicRegisters.TPR);
      statistics.onNoBuffer(buffer);
      assertThat(nonZero()).containsExactly(NicRegisters.rnbc(buffer));
    }
    statistics.onNoDescriptorDrop(0);
    assertThat(nonZero()).containsExactly(NicRegisters.qprdc(0));
    receive(1518, false, false, 0);
    assertThat(nonZero())
        .containsExactly(
            NicRegisters.qprc(0),
            NicRegisters.qbrcl(0),
            NicRegisters.PRC1522,
            NicRegisters.GPRC,
            NicRegisters.GORCL,
            NicRegisters.TORL,
            NicRegisters.TPR);
    statistics.onFrameSent(1518, false, false, 0);
    assertThat(nonZero())
        .containsExactly(
            NicRegisters.GPTC,
            NicRegisters.GOTCL,
            NicRegisters.TPT,
            NicRegisters.PTC1522,
            NicRegisters.qptc(0),
            NicRegisters.qbtcl(0));
  }

  @Test
  void shouldKeepTheSetsApart() {
    statistics.write(NicRegisters.rqsmr(0), 0x03020100);
    statistics.write(NicRegisters.tqsm(0), 0x03020100);

    receive(64, false, false, 3);
    assertThat(statistics.read(NicRegisters.qprc(3))).isEqualTo(1);
    assertThat(statistics.read(NicRegisters.qbrcl(3))).isEqualTo(64);
    statistics.onNoDescriptorDrop(2);
    assertThat(statistics.read(NicRegisters.qprdc(2))).isEqualTo(1);
    statistics.onFrameSent(64, false, false, 1);
    assertThat(statistics.read(NicRegisters.qptc(1))).isEqualTo(1);
    assertThat(statistics.read(NicRegisters.qbtcl(1))).isEqualTo(64);
  }

  @Test
  void shouldKeepTotalsThroughReadsAndReset() {
    statistics.write(NicRegisters.rqsmr(0), 1);
    statistics.write(NicRegisters.tqsm(0), 1);
    receive(64, false, false, 9);
    statistics.onFrameSent(128, false, false, 8);
    statistics.onNoDescriptorDrop(9);

    statistics.reset();

    assertThat(statistics.read(NicRegisters.GPRC)).isZero();
    assertThat(statistics.read(NicRegisters.rqsmr(0))).isZero();
    assertThat(statistics.read(NicRegisters.tqsm(0))).isZero();
    assertThat(statistics.deliveredFramesTotal()).isEqualTo(1);
    assertThat(statistics.sentFramesTotal()).isEqualTo(1);
    assertThat(statistics.noDescriptorDropsTotal()).isEqualTo(1);
  }

  @Test
  void shouldIgnoreWritesToCounters() {
    receive(64, false, false, 0);

    statistics.write(NicRegisters.GPRC, 77);

    assertThat(statistics.read(NicRegisters.GPRC)).isEqualTo(1);
  }

  @ParameterizedTest
  @ValueSource(
      ints = {0x3FA0, 0x4074, 0x408C, 0x1030, 0x13F0, 0x1430, 0x17F0, 0x6030, 0x877C, 0x2300})
  void shouldHandleItsRegisters(int offset) {
    assertThat(statistics.handles(offset)).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      ints = {
        0x1010, 0x1028, 0x1830, 0x2380, 0x3FE0, 0x6028, 0x6038, 0x4240, 0, 0x20000, 0x24074, -4
      })
  void shouldLeaveOtherRegistersAlone(int offset) {
    assertThat(statistics.handles(offset)).isFalse();
  }

  @Test
  void shouldAllocateNothing() {
    countMany(1000);
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long thread = Thread.currentThread().getId();

    long before = threads.getThreadAllocatedBytes(thread);
    countMany(1_000_000);
    long allocatedBytes = threads.getThreadAllocatedBytes(thread) - before;

    assertThat(allocatedBytes).isLessThan(1024);
  }

  /** Offsets of the counters that are not zero, in ascending order; clears them. */
  private List<Integer> nonZero() {
    List<Integer> offsets = new ArrayList<>();
    for (int offset = 0; offset < NicRegisters.WINDOW_BYTES; offset += 4) {
      if (statistics.handles(offset) && statistics.read(offset) != 0) {
        offsets.add(offset);
      }
    }
    return offsets;
  }

  private void countMany(int count) {
    for (int i = 0; i < count; i++) {
      receive(64 + (i & 1023), false, false, i & 63);
      statistics.onFrameSent(64 + (i & 1023), false, false, i & 63);
      statistics.read(NicRegisters.GPRC);
    }
  }
}
