package io.github.bellwire.device.nic;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.bellwire.host.Host;
import io.github.bellwire.pcie.PcieLinkConfig;
import io.github.bellwire.pcie.PcieLinkConfig.DllpCharge;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Frames that need nothing but a descriptor that is on chip, and what they leave behind for the
 * next ones: the same whether they are taken in a row or one by one.
 */
class PlainFrameTest {
  /** 0.5 GB/s, 2000 ps per byte, while frames come with 800 ps per byte. */
  private static final PcieLinkConfig SLOW_LINK =
      PcieLinkConfig.GEN2_X8.withLanes(1).withDllpCharge(DllpCharge.NONE);

  private static final int FRAME_BYTES = 400;

  /** A TLP of 24 + 256 bytes and one of 24 + 144. */
  private static final long PAYLOAD_PS = 896_000;

  /** 24 + 16 bytes. */
  private static final long WRITE_BACK_PS = 80_000;

  /** A card behind a slow link. */
  private static NicBench bench(NicConfig config) {
    return bench(new Host(NicBench.SMALL_HOST.withLink(SLOW_LINK), 1), config);
  }

  private static NicBench translatedBench(RefusingUnit unit, NicConfig config) {
    return bench(new Host(NicBench.SMALL_HOST, 1, unit), config);
  }

  private static NicBench bench(Host host, NicConfig config) {
    NicBench bench = new NicBench(host, config, null);
    host.enumerate();
    bench.start();
    return bench;
  }

  /** A ring whose first frame has come and has brought descriptors for the next ones. */
  private static NicBench.RxRing begunRing(NicBench bench) {
    NicBench.RxRing ring = bench.rxRing(0, 16).post(15);
    bench.receive(NicBench.frame(60, 0));
    bench.run();
    assertThat(ring.takeAll()).hasSize(1);
    bench.read(NicRegisters.EICR);
    return ring;
  }

  private static void send(NicBench bench, boolean inARow, byte[]... frames) {
    if (inARow) {
      bench.receiveInARow(frames);
    } else {
      bench.receiveAtLineRate(frames);
    }
  }

  /** Returns when the last bit of a frame is there that follows others back to back. */
  private static long lastBitPs(int... lengths) {
    EthernetWire wire = new EthernetWire(NicBench.CONFIG.lineBitsPerSecond());
    long lastBitPs = 0;
    for (int length : lengths) {
      lastBitPs = wire.transmit(length, 0);
    }
    return lastBitPs;
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void shouldMissFramesWhileThoseBeforeThemFillTheFifo(boolean inARow) {
    NicBench bench = bench(NicBench.CONFIG.withRxPrefetchDescriptors(16));
    NicBench.RxRing ring = begunRing(bench);
    bench.write(NicRegisters.rxpbsize(0), 1 << 10); // Two frames of 400 bytes, not three.
    List<byte[]> frames = new ArrayList<>();
    for (int i = 0; i < 7; i++) {
      frames.add(NicBench.frame(FRAME_BYTES, i));
    }

    send(bench, inARow, frames.toArray(new byte[0][]));
    bench.run();

    // Frames come every 339.2 ns (424 bytes of the wire). The first has left after 896 ns; each
    // further one takes 976 ns, with the write-back of the one before it.
    //   arrival  0 yes, until 896      678 no: two are there    1357, 1696 no
    //          339 yes, until 1872    1018 yes, until 2848      2035 yes
    assertThat(ring.takeAll())
        .containsExactly(frames.get(0), frames.get(1), frames.get(3), frames.get(6));
    assertThat(bench.read(NicRegisters.mpc(0))).isEqualTo(3);
    assertThat(bench.counter("rx_missed_count")).isEqualTo(3);
    assertThat(bench.counter("rx_delivered_count")).isEqualTo(1 + 4);
    assertThat(bench.read(NicRegisters.EICR) & NicRegisters.EICR_RX_MISS).isNotZero();
  }

  @ParameterizedTest
  @CsvSource({"true, 1", "true, 16", "false, 1", "false, 16"})
  void shouldBeOutstandingUntilItsLastBitHasLeft(boolean inARow, int writtenBack) {
    NicBench bench = bench(NicBench.CONFIG.withRxBatches(16, 0, writtenBack));
    begunRing(bench);
    long startPs = bench.simulation.nowPs();

    send(bench, inARow, NicBench.frame(FRAME_BYTES, 1));

    // A write-back that waits for others is not outstanding.
    long goesPs = PAYLOAD_PS + (writtenBack == 1 ? WRITE_BACK_PS : 0);
    long leftPs = startPs + lastBitPs(FRAME_BYTES) + goesPs;
    bench.simulation.runUntil(leftPs - 1);
    assertThat(bench.isTransactionPending()).isTrue();
    bench.simulation.runUntil(leftPs);
    assertThat(bench.isTransactionPending()).isFalse();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void shouldBeOutstandingAgainWhileItsLateWriteBackLeaves(boolean inARow) {
    long delayPs = 5_000_000;
    NicConfig config = NicBench.CONFIG.withRxBatches(16, 0, 16);
    NicBench bench = bench(config.toBuilder().rxWriteBackDelayPs(delayPs).build());
    begunRing(bench);
    long startPs = bench.simulation.nowPs();

    send(bench, inARow, NicBench.frame(FRAME_BYTES, 1));

    long duePs = startPs + lastBitPs(FRAME_BYTES) + PAYLOAD_PS + delayPs;
    bench.simulation.runUntil(duePs - 1);
    assertThat(bench.isTransactionPending()).isFalse();
    bench.simulation.runUntil(duePs + WRITE_BACK_PS - 1);
    assertThat(bench.isTransactionPending()).isTrue();
    bench.simulation.runUntil(duePs + WRITE_BACK_PS);
    assertThat(bench.isTransactionPending()).isFalse();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void shouldWriteBackWhenItCameIfItsPayloadGoesNowhere(boolean inARow) {
    NicBench bench = bench(NicBench.CONFIG.withRxPrefetchDescriptors(16));
    NicBench.RxRing ring = bench.rxRing(0, 16).post(15);
    bench.memory().putLong(ring.base + 16, -32); // 32 bytes below the end of all addresses
    bench.receive(NicBench.frame(60, 0)); // brings all descriptors
    bench.run();
    long startPs = bench.simulation.nowPs();

    send(bench, inARow, NicBench.frame(60, 1));

    long leftPs = startPs + lastBitPs(60) + WRITE_BACK_PS;
    bench.simulation.runUntil(leftPs - 1);
    assertThat(bench.isTransactionPending()).isTrue();
    bench.simulation.runUntil(leftPs);
    assertThat(bench.isTransactionPending()).isFalse();
    assertThat(bench.counter("rx_fault_count")).isEqualTo(1);
  }

  /** One that waits for its descriptor must not be computed ahead while another one leaves. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void shouldKeepAFrameThatFollowsWhileAWriteBackLeaves(boolean inARow) {
    NicBench bench = bench(NicBench.CONFIG.withRxBatches(2, 0, 1));
    NicBench.RxRing ring = begunRing(bench); // One more is on chip.
    long startPs = bench.simulation.nowPs();
    byte[] first = NicBench.frame(FRAME_BYTES, 1);
    byte[] second = NicBench.frame(1151, 2); // 940 ns of the wire: between 896 and 976.

    send(bench, inARow, first, second);
    bench.simulation.runUntil(startPs + lastBitPs(FRAME_BYTES, 1151));

    assertThat(bench.nic.framesInFifoCount()).isEqualTo(1);
    bench.run();
    assertThat(ring.takeAll()).containsExactly(first, second);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void shouldReportDescriptorsAheadThatTranslationRefuses(boolean inARow) {
    RefusingUnit unit = new RefusingUnit();
    NicBench bench = translatedBench(unit, NicBench.CONFIG.withRxBatches(8, 8, 1));
    // 256 descriptors in the first page, 8 in the second.
    NicBench.RxRing ring = bench.rxRing(0, 264).post(248);
    bench.write(NicRegisters.rxdctl(0), 0);
    bench.write(NicRegisters.rdh(0), 248);
    bench.write(NicRegisters.rxdctl(0), NicRegisters.RXDCTL_ENABLE);
    ring.next = 248;
    ring.post(15);
    unit.refuse(ring.base + 4096);
    byte[][] frames = new byte[4][];
    for (int i = 0; i < frames.length; i++) {
      frames[i] = NicBench.frame(60, i);
    }

    bench.receive(frames[0]); // brings the last ones of the page
    bench.run();
    assertThat(bench.counter("rx_fault_count")).isEqualTo(1);
    bench.read(NicRegisters.EICR);
    send(bench, inARow, frames[1], frames[2], frames[3]);
    bench.run();

    assertThat(bench.counter("rx_fault_count")).isEqualTo(4);
    assertThat(bench.read(NicRegisters.EICR) & NicRegisters.EICR_PCI).isNotZero();
    assertThat(bench.counter("rx_lost_to_fault_count")).isZero();
    assertThat(ring.takeAll()).containsExactly(frames);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void shouldReportAPayloadThatTranslationRefuses(boolean inARow) {
    RefusingUnit unit = new RefusingUnit();
    NicBench bench = translatedBench(unit, NicBench.CONFIG.withRxPrefetchDescriptors(16));
    NicBench.RxRing ring = begunRing(bench);
    unit.refuse(ring.buffer(2)); // and 3
    byte[][] frames = new byte[4][];
    for (int i = 0; i < frames.length; i++) {
      frames[i] = NicBench.frame(60, 100 + i);
    }

    send(bench, inARow, frames);
    bench.run();

    assertThat(bench.counter("rx_fault_count")).isEqualTo(2);
    assertThat(bench.read(NicRegisters.EICR) & NicRegisters.EICR_PCI).isNotZero();
    assertThat(bench.counter("rx_delivered_count")).isEqualTo(1 + 4);
    assertThat(bench.counter("rx_lost_to_fault_count")).isZero();
    // Descriptors are done although two buffers are as they were.
    assertThat(ring.takeAll()).containsExactly(frames[0], new byte[60], new byte[60], frames[3]);
  }
}
