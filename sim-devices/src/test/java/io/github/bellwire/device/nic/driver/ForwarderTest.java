package io.github.bellwire.device.nic.driver;

import static io.github.bellwire.device.nic.driver.DriverBench.MS_PS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import io.github.bellwire.device.CheckedMachines;
import io.github.bellwire.device.nic.NicRegisters;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@ExtendWith(CheckedMachines.class)
class ForwarderTest {
  private static final long DRAIN_PS = 100_000_000;

  @Test
  void shouldSendAfterEachReceiveBatch() {
    RingRig rig = new RingRig(config(), 128, null);
    RxRing rxRing = rig.rxRing();
    Forwarder forwarder = new Forwarder(rig.txRing(), false);
    rig.receive(rxRing, 0, 60, true);

    rxRing.receive(rig.port, 32, forwarder);

    assertThat(rig.port.written(NicRegisters.tdt(0))).containsExactly(1);
    assertThat(forwarder.drainAtPs()).isEqualTo(FrameHandler.NEVER_PS);
  }

  @Test
  void shouldGatherABatchIfItMayWait() {
    RingRig rig = new RingRig(config(), 128, null);
    RxRing rxRing = rig.rxRing();
    Forwarder forwarder = new Forwarder(rig.txRing(), false, 3, DRAIN_PS);
    rig.receive(rxRing, 0, 60, true);
    rxRing.receive(rig.port, 32, forwarder);
    long firstPs = rig.port.nowPs();
    assertThat(rig.port.written(NicRegisters.tdt(0))).isEmpty();
    // A few accesses of 1 ns lie between the frame and here.
    assertThat(forwarder.drainAtPs()).isCloseTo(firstPs + DRAIN_PS, within(10_000L));

    rig.receive(rxRing, 1, 60, true);
    rig.receive(rxRing, 2, 60, true);
    rig.receive(rxRing, 3, 60, true);
    rxRing.receive(rig.port, 32, forwarder);

    assertThat(rig.port.written(NicRegisters.tdt(0))).containsExactly(3);
    assertThat(forwarder.drainAtPs()).isGreaterThan(firstPs + DRAIN_PS);
  }

  @Test
  void shouldLoadTheFrameOnlyIfAsked() {
    RingRig rig = new RingRig(config(), 128, null);
    RxRing rxRing = rig.rxRing();
    TxRing txRing = rig.txRing();
    for (int i = 0; i < 2; i++) {
      rig.receive(rxRing, i, 60, true);
    }

    rig.port.loadsCount = 0;
    rxRing.receive(rig.port, 1, new Forwarder(txRing, false));
    assertThat(rig.port.loadsCount).isEqualTo(1);
    rxRing.receive(rig.port, 1, new Forwarder(txRing, true));
    assertThat(rig.port.loadsCount).isEqualTo(3);
  }

  @Test
  void shouldSendTheLastFramesWhenTrafficStops() {
    DriverBench bench = new DriverBench(NicDriverConfig.POLLING);
    bench.driver.start(bench.port);
    List<Long> sentPs = new ArrayList<>();
    bench.nic.connectWire((frame, offset, lengthBytes, nowPs) -> sentPs.add(nowPs));
    bench.startReceivers(new Forwarder(bench.driver.txRing(0), false, 32, DRAIN_PS));
    long startPs = bench.host.simulation().nowPs();
    bench.feed(DriverBench.equalFrames(33, 60));

    bench.runFor(MS_PS);

    assertThat(sentPs).hasSize(33);
    // 32 at once; the last one 100 us after it was received, within 5 us of the start.
    assertThat(sentPs.get(31) - startPs).isLessThan(20_000_000);
    assertThat(sentPs.get(32) - startPs).isBetween(DRAIN_PS, DRAIN_PS + 10_000_000);
    assertThat(bench.driver.txRing(0).tailWritesTotal()).isEqualTo(2);
  }

  // Wire bytes per forwarded frame of the corrected byte ledger of pcie-bench's niantic model for a
  // polling driver, L = frame without FCS: to the NIC 55.25 + L + 20 ceil(L / 256), from it
  // 84.2 + L + 24 (ceil(L / 512) + ceil(L / 256)). It fetches 40 transmit descriptors at a time,
  // this driver announces 32, hence a difference of up to 0.5 bytes.
  @ParameterizedTest
  @CsvSource({
    "64, 135.25, 192.2",
    "256, 327.25, 384.2",
    "512, 603.25, 664.2",
    "1024, 1155.25, 1248.2",
    "1500, 1671.25, 1796.2"
  })
  void shouldMeetTheByteLedger(int frameBytes, double bytesToNic, double bytesFromNic) {
    DriverBench bench = new DriverBench(NicDriverConfig.POLLING);
    bench.driver.start(bench.port);
    bench.startReceivers(new Forwarder(bench.driver.txRing(0), false, 32, DRAIN_PS));
    RxRing ring = bench.driver.rxRing(0);
    bench.feed(DriverBench.equalFrames(7_000, frameBytes - 4));

    runUntil(bench, ring, 1600);
    long frames = ring.framesTotal();
    long toNic = bench.slot.downstream().bytesTotal();
    long fromNic = bench.slot.upstream().bytesTotal();
    runUntil(bench, ring, 6400);
    frames = ring.framesTotal() - frames;
    toNic = bench.slot.downstream().bytesTotal() - toNic;
    fromNic = bench.slot.upstream().bytesTotal() - fromNic;

    assertThat((double) toNic / frames).isCloseTo(bytesToNic, within(bytesToNic / 100));
    assertThat((double) fromNic / frames).isCloseTo(bytesFromNic, within(bytesFromNic / 100));
  }

  @Test
  void shouldRefuseArgumentsOutOfRange() {
    TxRing ring = new RingRig(config(), 128, null).txRing();

    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Forwarder(ring, false, 0, 0))
        .withMessage("batch must be >= 1: batch=0");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Forwarder(ring, false, 1, -1))
        .withMessage("drainPs must be >= 0: drainPs=-1");
  }

  private static void runUntil(DriverBench bench, RxRing ring, int frames) {
    while (ring.framesTotal() < frames) {
      bench.runFor(MS_PS / 1000);
    }
  }

  private static NicDriverConfig config() {
    return NicDriverConfig.POLLING.withRingSize(32);
  }
}
