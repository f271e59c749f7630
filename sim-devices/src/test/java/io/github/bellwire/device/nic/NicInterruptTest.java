package io.github.bellwire.device.nic;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.bellwire.cpu.CpuPort;
import io.github.bellwire.cpu.InterruptVector;
import io.github.bellwire.cpu.Routine;
import io.github.bellwire.pcie.ConfigLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** From a cause in the card to a handler on a core. */
class NicInterruptTest {
  private static final int RX_VECTOR = 5;
  private static final int TX_VECTOR = 40;
  private static final int OTHER_VECTOR = 63;

  private final NicBench bench = new NicBench();
  private final NicBench.RxRing rx = bench.rxRing(0, 512);
  private final NicBench.TxRing tx = bench.txRing(3, 64, 0);
  private final List<Boolean> seen = new ArrayList<>();
  private InterruptVector rxVector;
  private InterruptVector txVector;
  private InterruptVector otherVector;

  @BeforeEach
  void connect() {
    rxVector = allocate(RX_VECTOR, () -> rx.hasNext());
    txVector = allocate(TX_VECTOR, () -> tx.isDone(0));
    otherVector = allocate(OTHER_VECTOR, () -> bench.nic.isLinkUp());
    bench.nic.configSpace().write(0x72, 2, ConfigLayout.MSIX_CONTROL_ENABLE);
    bench.write(NicRegisters.GPIE, NicRegisters.GPIE_MSIX_MODE | NicRegisters.GPIE_EIAME);
    // Queue 0 is the lower half of IVAR(0), queue 3 the upper of IVAR(1), transmit 8 bits higher.
    int rxField = NicRegisters.IVAR_ALLOC_VAL | RX_VECTOR;
    int txField = NicRegisters.IVAR_ALLOC_VAL | TX_VECTOR;
    bench.write(NicRegisters.ivar(0), rxField);
    bench.write(NicRegisters.ivar(1), txField << 24);
    bench.write(NicRegisters.IVAR_MISC, (NicRegisters.IVAR_ALLOC_VAL | OTHER_VECTOR) << 8);
    bench.write(NicRegisters.EICR, -1); // The link has come up before.
    bench.write(NicRegisters.EIAC, 0xFFFF);
    bench.write(NicRegisters.EIMS, NicRegisters.EICR_LSC);
    bench.write(NicRegisters.eimsEx(0), 1 << RX_VECTOR);
    bench.write(NicRegisters.eimsEx(1), 1 << TX_VECTOR - 32);
  }

  @Test
  void shouldInterruptBehindTheDataOfAFrame() {
    rx.post(511);

    for (int i = 0; i < 20; i++) {
      bench.receive(NicBench.frame(1514, i));
      bench.run();
      rx.take();
    }

    assertThat(rxVector.raisedTotal()).isEqualTo(20);
    assertThat(seen).hasSize(20).containsOnly(true);
    assertThat(txVector.raisedTotal()).isZero();
    assertThat(bench.counter("interrupt_messages_count")).isEqualTo(20);
    assertThat(bench.host.interrupts().spuriousTotal()).isZero();
  }

  @Test
  void shouldInterruptBehindTheReportOfAPacket() {
    tx.add(NicBench.frame(1514, 1)).ring();

    bench.run();

    assertThat(txVector.raisedTotal()).isEqualTo(1);
    assertThat(seen).containsExactly(true);
    assertThat(rxVector.raisedTotal()).isZero();
  }

  @Test
  void shouldNotInterruptForAPacketWithoutReport() {
    int command = TxDescriptorLayout.COMMAND_EOP | TxDescriptorLayout.COMMAND_IFCS;
    tx.add(NicBench.frame(60, 1), command, 0, 0, 60).ring();

    bench.run();

    assertThat(bench.sent).hasSize(1);
    assertThat(bench.counter("interrupt_messages_count")).isZero();
  }

  @Test
  void shouldInterruptWhenTheLinkGoesDownAndWhenItComesUp() {
    bench.write(NicRegisters.AUTOC, NicRegisters.AUTOC_AN_RESTART);
    bench.run();

    // Down, then up at the same time in this configuration: two causes, two messages.
    assertThat(otherVector.raisedTotal()).isEqualTo(2);
    assertThat(bench.read(NicRegisters.EICR) & NicRegisters.EICR_LSC).isNotZero();
    assertThat(bench.read(NicRegisters.EICR)).isZero();
  }

  @Test
  void shouldHoldAMaskedCauseUntilItIsUnmasked() {
    rx.post(511);
    bench.write(NicRegisters.eimcEx(0), 1 << RX_VECTOR);
    bench.receive(NicBench.frame(60, 1));
    bench.receive(NicBench.frame(60, 2));
    bench.run();
    assertThat(rxVector.raisedTotal()).isZero();

    bench.write(NicRegisters.eimsEx(0), 1 << RX_VECTOR);
    bench.run();

    assertThat(rxVector.raisedTotal()).isEqualTo(1);
  }

  // The interval is EITR bits 11:3 in units of 2.048 us (82599 data sheet, EITR).
  @ParameterizedTest
  @CsvSource({"8, 2048000", "0x28, 10240000", "0xC8, 51200000", "500, 126976000"})
  void shouldModerateASaturatedQueueToExactlyItsInterval(String eitrText, long intervalPs) {
    bench.write(NicRegisters.eitr(RX_VECTOR), Integer.decode(eitrText));
    rx.post(511);
    byte[][] frames = new byte[511][];
    for (int i = 0; i < frames.length; i++) {
      frames[i] = NicBench.frame(1514, i);
    }

    bench.receiveAtLineRate(frames);
    bench.run();

    // 511 frames of 1538 x 800 ps are 628.7 us. The first message leaves with the first frame,
    // one more each interval, and a last one for the frames since.
    long spanPs = 511L * 1538 * 800 - 1538 * 800;
    long whole = spanPs / intervalPs + 1;
    assertThat(rxVector.raisedTotal()).isBetween(whole, whole + 1);
    assertThat(seen).containsOnly(true);
  }

  @Test
  void shouldLetAnIsolatedFrameInterruptAtOnceDespiteModeration() {
    bench.write(NicRegisters.eitr(RX_VECTOR), 0xFF8);
    rx.post(511);
    long startPs = bench.simulation.nowPs();

    bench.receive(NicBench.frame(60, 1));
    // A delay from the first event would be 1.046 ms; the path takes about a microsecond.
    bench.simulation.runUntil(startPs + 2_000_000);

    assertThat(rxVector.raisedTotal()).isEqualTo(1);
  }

  @Test
  void shouldLeaveThePendingBitWhileTheVectorIsMasked() {
    rx.post(511);
    long control = 16L * RX_VECTOR + 12;
    bench.nic.mmioWrite(Nic.MSIX_BAR, control, 4, 1, bench.simulation.nowPs());
    bench.receive(NicBench.frame(60, 1));
    bench.run();
    assertThat(rxVector.raisedTotal()).isZero();
    assertThat(bench.nic.mmioRead(Nic.MSIX_BAR, 0x2000, 8, bench.simulation.nowPs()))
        .isEqualTo(1L << RX_VECTOR);

    bench.nic.mmioWrite(Nic.MSIX_BAR, control, 4, 0, bench.simulation.nowPs());
    bench.run();

    assertThat(rxVector.raisedTotal()).isEqualTo(1);
  }

  private InterruptVector allocate(int index, BooleanSupplier isVisible) {
    InterruptVector vector =
        bench
            .host
            .interrupts()
            .allocate(
                bench.host.core(0),
                new Routine(bench.host.core(0)) {
                  @Override
                  protected void run(CpuPort port) {
                    seen.add(isVisible.getAsBoolean());
                  }
                });
    long entry = 16L * index;
    long nowPs = bench.simulation.nowPs();
    bench.nic.mmioWrite(Nic.MSIX_BAR, entry, 8, vector.address(), nowPs);
    bench.nic.mmioWrite(Nic.MSIX_BAR, entry + 8, 8, vector.data(), nowPs);
    return vector;
  }
}
