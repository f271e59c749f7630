package io.github.bellwire.device.nic.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.bellwire.device.nic.NicRegisters;
import io.github.bellwire.device.nic.TxDescriptorLayout;
import io.github.bellwire.dma.ScatterList;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class TxRingTest {
  private static final NicDriverConfig CONFIG =
      NicDriverConfig.POLLING.toBuilder().ringSize(32).profile(DriverProfile.IDEAL).build();

  private final RingRig rig = new RingRig(CONFIG, 128, null);
  private final TxRing ring = rig.txRing();

  @Test
  void shouldDescribeAFrameInOneBuffer() {
    int buffer = rig.pool.take();

    assertThat(ring.trySend(rig.port, buffer, 1000)).isTrue();

    assertThat(rig.txLow(ring, 0)).isEqualTo(rig.pool.pa(buffer));
    // PAYLEN 1000 in 63:46; EOP 24, IFCS 25, RS 27, DEXT 29, DTYP 3 in 23:20, DTALEN 1000.
    assertThat(rig.txHigh(ring, 0)).isEqualTo(1000L << 46 | 0x2B300000L | 1000);
    assertThat(rig.port.mmioWrites).isEmpty();
    assertThat(ring.freeCount()).isEqualTo(30);
  }

  @Test
  void shouldWriteTheTailOncePerFlush() {
    send(5);

    ring.flush(rig.port);
    ring.flush(rig.port);

    assertThat(rig.port.written(NicRegisters.tdt(0))).containsExactly(5);
    assertThat(ring.tailWritesTotal()).isEqualTo(1);
  }

  @Test
  void shouldRefuseWhenFullAndChangeNothing() {
    send(31);
    int buffer = rig.pool.take();

    assertThat(ring.trySend(rig.port, buffer, 60)).isFalse();

    assertThat(ring.refusedTotal()).isEqualTo(1);
    assertThat(ring.framesTotal()).isEqualTo(31);
    rig.pool.give(buffer); // still the caller's
  }

  @Test
  void shouldCleanAGroupAfterOneLook() {
    send(20); // Groups of 8: a quarter of the ring.
    for (int i = 0; i < 16; i++) {
      rig.sent(ring, i);
    }
    rig.port.loadsCount = 0;

    assertThat(ring.clean(rig.port, 100)).isEqualTo(16);

    // Two groups, and not even a look at the rest.
    assertThat(rig.port.loadsCount).isEqualTo(2);
    assertThat(rig.pool.freeCount()).isEqualTo(128 - 4);
    assertThat(ring.clean(rig.port, 100)).isZero();
  }

  @Test
  void shouldStopCleaningAtTheBudget() {
    send(24);
    for (int i = 0; i < 24; i++) {
      rig.sent(ring, i);
    }

    assertThat(ring.clean(rig.port, 1)).isEqualTo(8);
    assertThat(ring.clean(rig.port, 9)).isEqualTo(16);
  }

  @Test
  void shouldNotCleanBeforeTheGroupIsDone() {
    send(8);
    for (int i = 0; i < 7; i++) {
      rig.sent(ring, i);
    }

    assertThat(ring.clean(rig.port, 100)).isZero();
    rig.sent(ring, 7);
    assertThat(ring.clean(rig.port, 100)).isEqualTo(8);
  }

  @Test
  void shouldFinishFrameByFrameAndAskForTheRest() {
    send(3);
    rig.sent(ring, 0);

    assertThat(ring.finish(rig.port)).isEqualTo(1);
    assertThat(rig.port.written(NicRegisters.tdt(0))).containsExactly(3);
    // ENABLE 25, SWFLSH 26, thresholds 32, 8 and 8.
    assertThat(rig.port.written(NicRegisters.txdctl(0))).containsExactly(0x06080820);

    rig.sent(ring, 1);
    rig.sent(ring, 2);
    assertThat(ring.finish(rig.port)).isEqualTo(2);
    assertThat(ring.isIdle()).isTrue();
    assertThat(rig.port.written(NicRegisters.txdctl(0))).hasSize(1);
  }

  @Test
  void shouldGoRoundTheRing() {
    for (int i = 0; i < 1000; i++) {
      send(1);
      rig.sent(ring, i % 32);
      ring.clean(rig.port, 100);
    }

    assertThat(ring.framesTotal()).isEqualTo(1000);
    assertThat(ring.refusedTotal()).isZero();
    // 1000 = 125 groups of 8.
    assertThat(ring.isIdle()).isTrue();
    assertThat(rig.pool.freeCount()).isEqualTo(128);
  }

  @Test
  void shouldSendSeveralSegmentsAsOnePacket() {
    ScatterList list = list(14, 20, 1000);

    assertThat(ring.trySend(rig.port, list, TxOffload.NONE)).isTrue();

    assertThat(list.mappedCount()).isEqualTo(3);
    for (int i = 0; i < 3; i++) {
      assertThat(rig.txLow(ring, i)).isEqualTo(list.iova(i));
      assertThat(TxDescriptorLayout.bufferBytes(rig.txHigh(ring, i)))
          .isEqualTo(list.lengthBytes(i));
      assertThat(TxDescriptorLayout.payloadBytes(rig.txHigh(ring, i))).isEqualTo(1034);
    }
    int middle = TxDescriptorLayout.COMMAND_IFCS | TxDescriptorLayout.COMMAND_DEXT;
    assertThat(TxDescriptorLayout.command(rig.txHigh(ring, 0))).isEqualTo(middle);
    assertThat(TxDescriptorLayout.command(rig.txHigh(ring, 1))).isEqualTo(middle);
    assertThat(TxDescriptorLayout.command(rig.txHigh(ring, 2)))
        .isEqualTo(middle | TxDescriptorLayout.COMMAND_EOP | TxDescriptorLayout.COMMAND_RS);
    rig.sent(ring, 2);
    assertThat(ring.finish(rig.port)).isEqualTo(3);
    assertThat(list.mappedCount()).isZero();
  }

  @Test
  void shouldCutLongSegments() {
    ScatterList list = new ScatterList(1);
    list.add(rig.pages.allocate(65_536), 40_000);

    assertThat(ring.trySend(rig.port, list, TxOffload.NONE)).isTrue();

    assertThat(ring.descriptorsTotal()).isEqualTo(3);
    assertThat(TxDescriptorLayout.bufferBytes(rig.txHigh(ring, 0))).isEqualTo(16_384);
    assertThat(TxDescriptorLayout.bufferBytes(rig.txHigh(ring, 1))).isEqualTo(16_384);
    assertThat(TxDescriptorLayout.bufferBytes(rig.txHigh(ring, 2))).isEqualTo(7_232);
    assertThat(rig.txLow(ring, 2)).isEqualTo(list.iova(0) + 32_768);
  }

  @Test
  void shouldJudgeAGroupByTheEndOfItsLastFrame() {
    send(6);
    ring.trySend(rig.port, list(100, 100, 100, 100), TxOffload.NONE); // 6..9, across the group
    for (int i = 0; i < 6; i++) {
      rig.sent(ring, i);
    }
    assertThat(ring.clean(rig.port, 100)).isZero();

    rig.sent(ring, 9);

    assertThat(ring.clean(rig.port, 100)).isEqualTo(10);
  }

  @Test
  void shouldRefuseFramesOfTooManyDescriptors() {
    // 40 on chip - 2 - WTHRESH 8.
    int[] lengths = new int[31];
    Arrays.fill(lengths, 10);

    assertThatIllegalArgumentException()
        .isThrownBy(() -> ring.trySend(rig.port, list(lengths), TxOffload.NONE))
        .withMessage("descriptors of a frame must be 1..30: descriptors of a frame=31");
  }

  @Test
  void shouldSendAContextOnceForFramesAlike() {
    TxOffload checksums = TxOffload.ipv4Checksums(14, 20, TxDescriptorLayout.L4T_UDP);
    TxOffload segmentation = TxOffload.ipv4TcpSegmentation(14, 20, 32, 1448);

    ring.trySend(rig.port, rig.pool.take(), 100, checksums);
    ring.trySend(rig.port, rig.pool.take(), 200, checksums);
    ring.trySend(rig.port, list(66, 4000), segmentation);

    assertThat(ring.descriptorsTotal()).isEqualTo(6);
    assertThat(rig.txLow(ring, 0)).isEqualTo(14 << 9 | 20);
    // TUCMD.IPV4 10, L4T 0, DTYP 2, DEXT.
    assertThat(rig.txHigh(ring, 0)).isEqualTo(0x20200400L);
    assertThat(TxDescriptorLayout.isData(rig.txHigh(ring, 1))).isTrue();
    assertThat(TxDescriptorLayout.options(rig.txHigh(ring, 1)))
        .isEqualTo(TxDescriptorLayout.OPTION_IXSM | TxDescriptorLayout.OPTION_TXSM);
    assertThat(TxDescriptorLayout.isData(rig.txHigh(ring, 2))).isTrue();
    // MSS 1448 in 63:48, L4LEN 32 in 47:40, L4T 1 in 12:11.
    assertThat(rig.txHigh(ring, 3)).isEqualTo(1448L << 48 | 32L << 40 | 0x20200C00L);
    assertThat(TxDescriptorLayout.payloadBytes(rig.txHigh(ring, 4))).isEqualTo(4000);
    assertThat(TxDescriptorLayout.command(rig.txHigh(ring, 5)) & TxDescriptorLayout.COMMAND_TSE)
        .isNotZero();
    rig.sent(ring, 1);
    rig.sent(ring, 2);
    rig.sent(ring, 5);
    // The contexts go with the frames behind them.
    assertThat(ring.finish(rig.port)).isEqualTo(6);
    assertThat(ring.isIdle()).isTrue();
  }

  @Test
  void shouldMapEachBufferOnlyWhileTheDeviceHasIt() {
    NicDriverConfig config = CONFIG.toBuilder().mode(DriverMode.INTERRUPT).build();
    RingRig mapped = new RingRig(config, 8, null);
    TxRing mappedRing = mapped.txRing();
    int before = mapped.dma.liveMappingsCount();

    mappedRing.trySend(mapped.port, mapped.pool.take(), 60);
    assertThat(mapped.dma.liveMappingsCount()).isEqualTo(before + 1);
    mapped.sent(mappedRing, 0);

    // A kernel driver cleans packet by packet.
    assertThat(mappedRing.clean(mapped.port, 100)).isEqualTo(1);
    assertThat(mapped.dma.liveMappingsCount()).isEqualTo(before);
    assertThat(mapped.pool.freeCount()).isEqualTo(8);
  }

  @Test
  void shouldForwardReceivedFramesWithoutCopying() {
    RxRing rxRing = rig.rxRing();
    long firstPa = rig.rxLow(rxRing, 0);
    long secondPa = rig.rxLow(rxRing, 1);
    rig.receive(rxRing, 0, 2048, false);
    rig.receive(rxRing, 1, 100, true);
    Forwarder forwarder = new Forwarder(ring, false);
    rig.port.mmioWrites.clear();

    rxRing.receive(rig.port, 4, forwarder);

    assertThat(rig.txLow(ring, 0)).isEqualTo(firstPa);
    assertThat(rig.txLow(ring, 1)).isEqualTo(secondPa);
    assertThat(TxDescriptorLayout.bufferBytes(rig.txHigh(ring, 1))).isEqualTo(100);
    assertThat(TxDescriptorLayout.payloadBytes(rig.txHigh(ring, 1))).isEqualTo(2148);
    assertThat(rig.port.written(NicRegisters.tdt(0))).containsExactly(2);
    // 31 in the receive ring, 2 in this one.
    assertThat(rig.pool.freeCount()).isEqualTo(128 - 33);
    assertThat(forwarder.droppedTotal()).isZero();
  }

  @Test
  void shouldDropForwardedFramesWhenFull() {
    send(31);
    RxRing rxRing = rig.rxRing();
    rig.receive(rxRing, 0, 60, true);
    Forwarder forwarder = new Forwarder(ring, true);

    rxRing.receive(rig.port, 4, forwarder);

    assertThat(forwarder.droppedTotal()).isEqualTo(1);
    assertThat(rig.pool.freeCount()).isEqualTo(128 - 31 - 31);
  }

  @Test
  void shouldDropWhatIsInTheRing() {
    send(3);
    ScatterList list = list(10, 20);
    ring.trySend(rig.port, list, TxOffload.NONE);

    ring.drop(rig.port);

    assertThat(ring.isIdle()).isTrue();
    assertThat(list.mappedCount()).isZero();
    assertThat(rig.pool.freeCount()).isEqualTo(128);
  }

  @Test
  void shouldRejectLengthsOutsideTheBuffer() {
    int buffer = rig.pool.take();

    assertThatIllegalArgumentException()
        .isThrownBy(() -> ring.trySend(rig.port, buffer, 2049))
        .withMessage("lengthBytes must be 1..2048: lengthBytes=2049");
    assertThatIllegalArgumentException().isThrownBy(() -> ring.trySend(rig.port, buffer, 0));
  }

  private void send(int count) {
    for (int i = 0; i < count; i++) {
      assertThat(ring.trySend(rig.port, rig.pool.take(), 60)).isTrue();
    }
  }

  /** Returns a list whose segments do not join. */
  private ScatterList list(int... lengths) {
    ScatterList list = new ScatterList(lengths.length);
    for (int length : lengths) {
      list.add(rig.pages.allocate(8192) + 64, length);
    }
    return list;
  }
}
