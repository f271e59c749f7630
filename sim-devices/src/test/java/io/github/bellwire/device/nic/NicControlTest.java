package io.github.bellwire.device.nic;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.bellwire.host.Host;
import io.github.bellwire.kernel.Simulation;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Reset, master disable and bus mastering of the whole device. */
class NicControlTest {
  private static final int RESET = NicRegisters.CTRL_RST | NicRegisters.CTRL_LNK_RST;

  private final NicBench bench = new NicBench();

  @Test
  void shouldReturnEveryRegisterToWhatItWasAtFirst() {
    NicBench fresh = new NicBench(new Host(NicBench.SMALL_HOST, 1), NicBench.CONFIG, null);
    for (int offset = 0; offset < NicRegisters.WINDOW_BYTES; offset += 4) {
      if (offset != NicRegisters.CTRL) {
        bench.write(offset, 0x5A5A5A5A);
      }
    }
    bench.rxRing(0, 8).post(7);
    bench.receive(NicBench.frame(60, 1));
    bench.run();

    bench.write(NicRegisters.CTRL, RESET);
    assertThat(bench.read(NicRegisters.CTRL)).isEqualTo(RESET);
    bench.run();

    for (int offset = 0; offset < NicRegisters.WINDOW_BYTES; offset += 4) {
      assertThat(bench.read(offset)).as("offset %05x", offset).isEqualTo(fresh.read(offset));
    }
  }

  @Test
  void shouldClearTheResetBitsAfterTheResetTimeAndNotBefore() {
    long startPs = bench.simulation.nowPs();
    bench.write(NicRegisters.CTRL, NicRegisters.CTRL_RST);
    bench.simulation.runUntil(startPs + 500_000_000L);
    // Neither a second request nor a 0 changes when it ends.
    bench.write(NicRegisters.CTRL, RESET);
    bench.write(NicRegisters.CTRL, 0);

    bench.simulation.runUntil(startPs + NicBench.CONFIG.resetPs() - 1);
    assertThat(bench.read(NicRegisters.CTRL)).isEqualTo(RESET);
    bench.simulation.runUntil(startPs + NicBench.CONFIG.resetPs());
    assertThat(bench.read(NicRegisters.CTRL)).isZero();
  }

  @Test
  void shouldForgetFramesAndDescriptorsOnReset() {
    NicBench quick = new NicBench(NicBench.CONFIG.toBuilder().resetPs(0).build());
    NicBench.RxRing rx = quick.rxRing(0, 8);
    NicBench.TxRing tx = quick.txRing(0, 64, 8 << 16);
    quick.receive(NicBench.frame(60, 1));
    for (int i = 0; i < 63; i++) {
      tx.add(NicBench.frame(1500, i));
    }
    tx.ring();
    quick.simulation.runUntil(quick.simulation.nowPs() + 20_000_000);
    int sent = quick.sent.size();

    quick.write(NicRegisters.CTRL, RESET);
    quick.run();

    assertThat(quick.sent).hasSize(sent);
    assertThat(quick.nic.framesInFifoCount()).isZero();
    assertThat(quick.counter("rx_lost_to_reset_count")).isEqualTo(1);
    assertThat(rx.hasNext()).isFalse();
    quick.start();
    quick.simulation.runUntil(quick.simulation.nowPs() + 1);
    NicBench.TxRing fresh = quick.txRing(0, 8, 0);
    quick.rxRing(0, 8).post(7);
    fresh.add(NicBench.frame(60, 99)).ring();
    long startPs = quick.simulation.nowPs();
    quick.run();
    assertThat(quick.sent).hasSize(sent + 1).endsWith(NicBench.frame(60, 99));
    // Nothing of the frames that were given up holds the wire.
    assertThat(quick.sentPs.get(sent) - startPs).isLessThan(3_000_000);
  }

  @Test
  void shouldReturnToPowerOnWithTheConfigurationSpace() {
    bench.rxRing(0, 8).post(7);
    bench.write(NicRegisters.CTRL, RESET);
    bench.nic.reset(bench.simulation.nowPs());

    assertThat(bench.nic.configSpace().isBusMasterEnabled()).isFalse();
    assertThat(bench.read(NicRegisters.CTRL)).isZero();
    assertThat(bench.read(NicRegisters.rxdctl(0))).isZero();
    assertThat(bench.nic.isLinkUp()).isFalse();
    assertThat(bench.simulation.nextEventPs()).isEqualTo(Simulation.NEVER_PS);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void shouldIssueNothingWhileItMayNotAndGoOnAfterwards(boolean byBusMasterBit) {
    NicBench.RxRing rx = bench.rxRing(0, 16).post(15);
    NicBench.TxRing tx = bench.txRing(0, 16, 0);
    setOpen(bench, byBusMasterBit, false);

    List<byte[]> frames = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      frames.add(NicBench.frame(60, i));
      bench.receive(frames.get(i));
    }
    tx.add(NicBench.frame(64, 7)).ring();
    bench.run();

    assertThat(bench.port.upstream().bytesTotal()).isZero();
    assertThat(bench.nic.framesInFifoCount()).isEqualTo(3);
    assertThat(bench.counter("rx_fault_count") + bench.counter("tx_fault_count")).isZero();
    setOpen(bench, byBusMasterBit, true);
    if (byBusMasterBit) {
      // Nobody tells the device; it finds out with the next thing that happens.
      frames.add(NicBench.frame(60, 3));
      bench.receive(frames.get(3));
      tx.ring();
    }
    bench.run();
    assertThat(rx.takeAll()).containsExactlyElementsOf(frames);
    assertThat(bench.sent).containsExactly(NicBench.frame(64, 7));
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void shouldKeepFramesWhoseDescriptorsCameBeforeTheDoorClosed(boolean byBusMasterBit) {
    NicBench shared = NicBench.withNeighbour();
    NicBench.RxRing rx = shared.rxRing(0, 16).post(15);
    shared.receive(NicBench.frame(60, 1)); // Its descriptor is being read.
    setOpen(shared, byBusMasterBit, false);
    shared.run();
    assertThat(shared.port.upstream().memoryWritesTotal()).isZero();
    assertThat(rx.hasNext()).isFalse();

    setOpen(shared, byBusMasterBit, true);
    shared.write(NicRegisters.CTRL, 0);
    shared.run();

    assertThat(rx.takeAll()).containsExactly(NicBench.frame(60, 1));
    assertThat(shared.counter("rx_fault_count")).isZero();
  }

  @Test
  void shouldSayInStatusWhenNothingIsOutstanding() {
    bench.rxRing(0, 16).post(1);
    bench.receive(NicBench.frame(60, 1));
    bench.receive(NicBench.frame(60, 2)); // Waits in the FIFO for a descriptor: not outstanding.
    assertThat(bench.isTransactionPending()).isTrue();
    bench.write(NicRegisters.CTRL, NicRegisters.CTRL_GIO_DIS);
    assertThat(bench.read(NicRegisters.STATUS) & NicRegisters.STATUS_GIO).isNotZero();

    bench.simulation.runUntil(bench.simulation.nowPs() + 5_000_000);

    assertThat(bench.read(NicRegisters.STATUS) & NicRegisters.STATUS_GIO).isZero();
    assertThat(bench.isTransactionPending()).isFalse();
    bench.write(NicRegisters.CTRL, 0);
    assertThat(bench.read(NicRegisters.STATUS) & NicRegisters.STATUS_GIO).isNotZero();
  }

  @Test
  void shouldCountATransmitReadAsOutstanding() {
    NicBench.TxRing tx = bench.txRing(0, 16, 0);
    tx.add(NicBench.frame(60, 1)).ring();

    assertThat(bench.isTransactionPending()).isTrue();
    bench.run();
    assertThat(bench.isTransactionPending()).isFalse();
  }

  @Test
  void shouldServeAccessesOfAllSizes() {
    bench.write(NicRegisters.rdbal(0), 0x11223380);
    bench.write(NicRegisters.rdbah(0), 0x55667788);
    long nowPs = bench.simulation.nowPs();

    assertThat(bench.nic.mmioRead(0, 0x1000, 8, nowPs)).isEqualTo(0x55667788_11223380L);
    assertThat(bench.nic.mmioRead(0, 0x1002, 2, nowPs)).isEqualTo(0x1122);
    assertThat(bench.nic.mmioRead(0, 0x1005, 1, nowPs)).isEqualTo(0x77);
    assertThat(bench.nic.mmioRead(0, 0x7FFFC, 8, nowPs)).isZero();
    assertThat(bench.nic.mmioRead(2, 0x1000, 4, nowPs)).isZero();
    bench.nic.mmioWrite(0, 0x1000, 8, 0xAABBCCDD_00000100L, nowPs);
    assertThat(bench.nic.mmioRead(0, 0x1000, 8, nowPs)).isEqualTo(0xAABBCCDD_00000100L);
    bench.nic.mmioWrite(0, 0x1000, 2, 0, nowPs);
    bench.nic.mmioWrite(0, 0x1002, 4, 0, nowPs);
    bench.nic.mmioWrite(2, 0x1000, 4, 0, nowPs);
    assertThat(bench.nic.mmioRead(0, 0x1000, 8, nowPs)).isEqualTo(0xAABBCCDD_00000100L);
  }

  @Test
  void shouldNotEnableQueuesThatTheConfigurationLacks() {
    NicBench few = new NicBench(NicBench.CONFIG.toBuilder().rxQueues(2).txQueues(2).build());
    for (int queue = 0; queue < NicRegisters.QUEUES; queue++) {
      few.write(NicRegisters.rdlen(queue), 128);
      few.write(NicRegisters.tdlen(queue), 128);
      few.write(NicRegisters.rxdctl(queue), NicRegisters.RXDCTL_ENABLE);
      few.write(NicRegisters.txdctl(queue), NicRegisters.TXDCTL_ENABLE);
      int expected = queue < 2 ? 1 << 25 : 0;
      assertThat(few.read(NicRegisters.rxdctl(queue))).isEqualTo(expected);
      assertThat(few.read(NicRegisters.txdctl(queue))).isEqualTo(expected);
    }
  }

  @Test
  void shouldShowAQueueWithoutARingAsOff() {
    bench.write(NicRegisters.rxdctl(3), NicRegisters.RXDCTL_ENABLE);
    bench.write(NicRegisters.txdctl(3), NicRegisters.TXDCTL_ENABLE);

    assertThat(bench.read(NicRegisters.rxdctl(3)) & NicRegisters.RXDCTL_ENABLE).isZero();
    assertThat(bench.read(NicRegisters.txdctl(3)) & NicRegisters.TXDCTL_ENABLE).isZero();
    bench.write(NicRegisters.rdlen(3), 128);
    bench.write(NicRegisters.rxdctl(3), NicRegisters.RXDCTL_ENABLE);
    assertThat(bench.read(NicRegisters.rxdctl(3)) & NicRegisters.RXDCTL_ENABLE).isNotZero();
  }

  private static void setOpen(NicBench bench, boolean byBusMasterBit, boolean open) {
    if (byBusMasterBit) {
      bench.setBusMaster(open);
    } else {
      bench.write(NicRegisters.CTRL, open ? 0 : NicRegisters.CTRL_GIO_DIS);
    }
  }
}
