package io.github.bellwire.device.nic;

import static io.github.bellwire.device.nic.NicRegisters.EIAC;
import static io.github.bellwire.device.nic.NicRegisters.EIAM;
import static io.github.bellwire.device.nic.NicRegisters.EICR;
import static io.github.bellwire.device.nic.NicRegisters.EICR_LSC;
import static io.github.bellwire.device.nic.NicRegisters.EICR_OTHER;
import static io.github.bellwire.device.nic.NicRegisters.EICR_RX_MISS;
import static io.github.bellwire.device.nic.NicRegisters.EICR_TCP_TIMER;
import static io.github.bellwire.device.nic.NicRegisters.EICS;
import static io.github.bellwire.device.nic.NicRegisters.EIMC;
import static io.github.bellwire.device.nic.NicRegisters.EIMS;
import static io.github.bellwire.device.nic.NicRegisters.EITR_CNT_WDIS;
import static io.github.bellwire.device.nic.NicRegisters.GPIE;
import static io.github.bellwire.device.nic.NicRegisters.GPIE_EIAME;
import static io.github.bellwire.device.nic.NicRegisters.GPIE_EIMEN;
import static io.github.bellwire.device.nic.NicRegisters.GPIE_MSIX_MODE;
import static io.github.bellwire.device.nic.NicRegisters.GPIE_OCD;
import static io.github.bellwire.device.nic.NicRegisters.IVAR_MISC;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.github.bellwire.kernel.Event;
import io.github.bellwire.kernel.Simulation;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class InterruptUnitTest {
  private static final long US = 1_000_000;

  private final Simulation simulation = new Simulation(1);
  private final List<String> messages = new ArrayList<>();
  private final InterruptUnit unit =
      new InterruptUnit(
          simulation,
          (vector, atPs) -> {
            assertThat(atPs).isEqualTo(simulation.nowPs());
            messages.add(vector + "@" + atPs);
          });

  // ---- Mapping ----

  @Test
  void shouldMapQueuesToVectorsByTheirFields() {
    msix(0);
    // RX 6: byte 0, TX 6: byte 1, RX 7: byte 2, TX 7: byte 3 of IVAR(3); bit 7 is valid.
    write(NicRegisters.ivar(3), 0x85_84_83_82);
    write(NicRegisters.eimsEx(0), -1);

    unit.onRxCause(6, 0);
    unit.onTxCause(6, 0);
    unit.onRxCause(7, 0);
    unit.onTxCause(7, 0);

    assertThat(messages).containsExactly("2@0", "3@0", "4@0", "5@0");
    assertThat(unit.messagesTotal()).isEqualTo(4);
  }

  @Test
  void shouldIgnoreAQueueWithoutAValidField() {
    msix(0);
    write(NicRegisters.ivar(0), 0x00_00_00_01);
    write(EIMS, -1);

    unit.onRxCause(0, 0);
    unit.onRxCause(2, 0);

    assertThat(messages).isEmpty();
    assertThat(read(EICS)).isZero();
    assertThat(unit.hasTxVector(0)).isFalse();
  }

  @Test
  void shouldReachTheLastQueueAndVector() {
    msix(0);
    write(NicRegisters.ivar(63), 0xBF << 24);
    write(NicRegisters.eimsEx(1), 1 << 31);

    unit.onTxCause(127, 0);

    assertThat(messages).containsExactly("63@0");
    assertThat(unit.txVector(127)).isEqualTo(63);
    assertThat(unit.hasTxVector(127)).isTrue();
  }

  @Test
  void shouldSendOtherCausesByTheirOwnFields() {
    msix(0);
    write(IVAR_MISC, 0x8987);
    write(EIMS, EICR_LSC | EICR_TCP_TIMER);

    unit.onOther(EICR_LSC, 0);
    unit.onOther(EICR_TCP_TIMER, 0);
    unit.onOther(EICR_RX_MISS, 0);

    assertThat(messages).containsExactly("9@0", "7@0");
    assertThat(read(EICS)).isEqualTo(EICR_LSC | EICR_TCP_TIMER | EICR_RX_MISS | EICR_OTHER);
  }

  @Test
  void shouldShareOneVectorBetweenAQueueAndOtherCauses() {
    msix(0);
    rxVector(0, 1);
    write(IVAR_MISC, 0x8100);
    write(EIMS, 0x2 | EICR_LSC);
    write(NicRegisters.eitr(1), 0x028);

    unit.onRxCause(0, 0);
    unit.onOther(EICR_LSC, 0);
    unit.onRxCause(0, 0);
    simulation.run();

    // One message for both, 0x28 x 256 ns after the first.
    assertThat(messages).containsExactly("1@0", "1@10240000");
  }

  @Test
  void shouldSendEverythingToVectorZeroWithoutMsix() {
    rxVector(0, 3);
    rxVector(1, 0x11); // Only four bits choose an EICR bit.
    write(EIMS, -1);

    unit.onRxCause(0, 0);
    unit.onRxCause(1, 0);
    unit.onOther(EICR_LSC, 0);

    assertThat(messages).containsExactly("0@0", "0@0", "0@0");
    assertThat(read(EICR)).isEqualTo(0x8 | 0x2 | EICR_LSC | EICR_OTHER);
    write(NicRegisters.ivar(0), 0x8500);
    assertThat(unit.txVector(0)).isZero();
  }

  // ---- Masks and causes ----

  @Test
  void shouldKeepAMaskedCauseUntilUnmasked() {
    msix(0);
    rxVector(0, 2);

    unit.onRxCause(0, 0);
    assertThat(messages).isEmpty();
    assertThat(read(EICS)).isEqualTo(0x4);

    simulation.runUntil(5 * US);
    write(EIMS, 0x4);
    assertThat(messages).containsExactly("2@5000000");
  }

  @Test
  void shouldChangeOnlyTheMaskBitsWritten() {
    write(EIMS, 0x0000_00F0);
    write(EIMS, 0x4010_0001);
    write(EIMC, 0x4000_0010);

    assertThat(read(EIMS)).isEqualTo(0x0010_00E1);
    assertThat(read(EIMC)).isZero();
  }

  @Test
  void shouldWithdrawAMaskedCauseByWritingOrReading() {
    msix(0);
    rxVector(0, 2);

    unit.onRxCause(0, 0);
    write(EICR, 0x4);
    write(EIMS, 0x4);
    assertThat(messages).isEmpty();

    write(EIMC, 0x4);
    unit.onRxCause(0, 0);
    assertThat(read(EICR)).isEqualTo(0x4);
    assertThat(read(EICR)).isZero();
    write(EIMS, 0x4);
    assertThat(messages).isEmpty();
  }

  @Test
  void shouldClearOnlyOtherCausesByReadingWhenToldSo() {
    msix(GPIE_OCD);
    write(EICS, 0x4010_0003);

    assertThat(read(EICR)).isEqualTo(0xC010_0003);
    assertThat(read(EICR)).isEqualTo(0x4000_0003);
  }

  @Test
  void shouldNotClearCausesByReadingTheSetRegister() {
    write(EICS, 0x0010_0005);

    assertThat(read(EICS)).isEqualTo(0x8010_0005);
    assertThat(read(EICS)).isEqualTo(0x8010_0005);
  }

  @Test
  void shouldAutoClearTheCausesOfTheMessage() {
    msix(0);
    write(EIAC, 0xFFFF);
    write(EIMS, 0x5);

    write(EICS, 0x1 | 0x2);

    // Cause 0 went with its message; cause 1 is masked and stays.
    assertThat(messages).containsExactly("0@0");
    assertThat(read(EICS)).isEqualTo(0x2);
    assertThat(read(EIAC)).isEqualTo(0xFFFF);
  }

  @Test
  void shouldAutoClearOtherCausesWhenToldSo() {
    msix(0);
    write(IVAR_MISC, 0x8100);
    write(EIMS, EICR_LSC | EICR_RX_MISS);
    write(EIAC, EICR_LSC);

    unit.onOther(EICR_LSC, 0);
    unit.onOther(EICR_RX_MISS, 0);

    assertThat(read(EICS)).isEqualTo(EICR_RX_MISS | EICR_OTHER);
  }

  @Test
  void shouldAskAgainWhenUnmaskedWithTheCauseStillSet() {
    msix(0);
    write(EIMS, 0x1);
    write(EICS, 0x1);
    write(EIMC, 0x1);
    assertThat(messages).hasSize(1);

    write(EIMS, 0x1);
    write(EIMS, 0x1);

    assertThat(messages).hasSize(2);
  }

  @Test
  void shouldClearTheHiddenCausesOfUpperVectorsThemselves() {
    msix(0);
    write(NicRegisters.eimsEx(1), 0x1);
    write(NicRegisters.eicsEx(1), 0x1);
    write(NicRegisters.eimcEx(1), 0x1);

    write(NicRegisters.eimsEx(1), 0x1);

    assertThat(messages).containsExactly("32@0");
  }

  @Test
  void shouldShowTheLowVectorsInBothMaskRegisters() {
    write(NicRegisters.eimsEx(0), 0x8001_0011);
    write(NicRegisters.eimsEx(1), 0x0000_0300);
    write(NicRegisters.eimcEx(0), 0x0000_0010);
    write(NicRegisters.eimcEx(1), 0x0000_0100);

    assertThat(read(EIMS)).isEqualTo(0x1);
    assertThat(read(NicRegisters.eimsEx(0))).isEqualTo(0x8001_0001);
    assertThat(read(NicRegisters.eimsEx(1))).isEqualTo(0x0000_0200);
  }

  @Test
  void shouldAutoMaskByTheMessageWhenEnabled() {
    msix(GPIE_EIAME);
    write(NicRegisters.eiamEx(0), 0x0000_0003);
    write(NicRegisters.eiamEx(1), 0x8000_0000);
    write(EIMS, 0x7);
    write(NicRegisters.eimsEx(1), 0x8000_0000);

    write(EICS, 0x6);
    write(NicRegisters.eicsEx(1), 0x8000_0000);

    // Vector 1 masked itself, vector 2 is not in EIAM, vector 0 had no message.
    assertThat(read(EIMS)).isEqualTo(0x5);
    assertThat(read(NicRegisters.eimsEx(1))).isZero();
    assertThat(read(NicRegisters.eiamEx(0))).isEqualTo(0x3);
    assertThat(read(NicRegisters.eiamEx(1))).isEqualTo(0x8000_0000);
  }

  @Test
  void shouldAutoMaskOtherCausesByTheMessage() {
    msix(GPIE_EIAME);
    write(IVAR_MISC, 0x8100);
    write(EIAM, EICR_LSC);
    write(EIMS, EICR_LSC | EICR_RX_MISS);

    unit.onOther(EICR_LSC, 0);

    assertThat(read(EIMS)).isEqualTo(EICR_RX_MISS);
    assertThat(read(EIAM)).isEqualTo(EICR_LSC);
  }

  @Test
  void shouldAutoMaskByReadingTheCausesWithoutMessageMode() {
    write(EIAM, 0x0010_00FF);
    write(EIMS, 0x0030_0F0F);

    read(EICR);

    assertThat(read(EIMS)).isEqualTo(0x0020_0F00);
  }

  @Test
  void shouldAutoMaskAndUnmaskByTheBitsWritten() {
    write(EIAM, 0x0010_00FF);
    write(EIMS, 0x0010_0F0F);

    write(EICR, 0x0010_0003);
    assertThat(read(EIMS)).isEqualTo(0x0000_0F0C);

    write(EICS, 0x0010_0001);
    assertThat(read(EIMS)).isEqualTo(0x0010_0F0D);
    assertThat(messages).containsExactly("0@0");
  }

  @Test
  void shouldGatherSoftwareCauses() {
    msix(0);
    write(IVAR_MISC, 0x8500);
    write(EICS, 0x1 | EICR_LSC);
    write(EICS, 0x2 | EICR_RX_MISS);
    write(NicRegisters.eicsEx(0), 0x4 | 1 << 20);
    assertThat(read(EICS)).isEqualTo(0x7 | EICR_LSC | EICR_RX_MISS | EICR_OTHER);

    write(EIMS, EICR_LSC);
    write(EIMS, EICR_RX_MISS);
    write(EIMS, 0x1);
    write(EIMS, 0x2);
    write(EIMS, 0x4);
    write(NicRegisters.eimsEx(0), 1 << 20);
    write(EICS, EICR_LSC);

    assertThat(messages).containsExactly("5@0", "5@0", "0@0", "1@0", "2@0", "20@0", "5@0");
    assertThat(read(EIMS)).isEqualTo(0x7 | EICR_LSC | EICR_RX_MISS);
  }

  @Test
  void shouldAskAgainWhenAnOtherCauseIsUnmaskedWhileStillSet() {
    msix(0);
    write(IVAR_MISC, 0x8500);
    write(EIMS, EICR_LSC | EICR_RX_MISS);
    unit.onOther(EICR_LSC, 0);
    unit.onOther(EICR_RX_MISS, 0);
    write(EIMC, EICR_LSC | EICR_RX_MISS);
    messages.clear();

    write(EIMS, EICR_LSC);
    write(EIMS, EICR_LSC);

    assertThat(messages).containsExactly("5@0");
  }

  @Test
  void shouldKeepARequestWhenOtherCausesCome() {
    msix(0);
    write(NicRegisters.eitr(0), 0x028);
    write(NicRegisters.eitr(5), 0x028);
    write(IVAR_MISC, 0x8500);
    write(EIMS, 0x1 | EICR_LSC);
    write(EICS, 0x1 | EICR_LSC);
    write(EICS, 0x1 | EICR_LSC);

    write(EICS, 0x4 | EICR_RX_MISS);
    rxVector(0, 3);
    unit.onRxCause(0, US);
    unit.onOther(NicRegisters.EICR_MNG, US);
    simulation.runUntil(2 * US);
    read(EICS);
    write(EIMS, 0x2 | NicRegisters.EICR_PCI);
    simulation.run();

    assertThat(messages).containsExactly("5@0", "0@0", "5@10240000", "0@10240000");
  }

  @Test
  void shouldSendAWaitingCauseOnceItIsMapped() {
    msix(0);
    write(EIMS, EICR_LSC);
    unit.onOther(EICR_LSC, 0);
    assertThat(messages).isEmpty();

    write(IVAR_MISC, 0x8900);

    assertThat(messages).containsExactly("9@0");
  }

  @Test
  void shouldSendAWaitingCauseOnceTheModeMapsIt() {
    msix(0);
    write(EIMS, EICR_LSC);
    unit.onOther(EICR_LSC, 0);

    write(GPIE, 0);

    assertThat(messages).containsExactly("0@0");
  }

  @Test
  void shouldWithdrawACauseThatWasAnnounced() {
    msix(0);
    rxVector(0, 2);
    unit.onRxCause(0, US);
    simulation.runUntil(2 * US);

    write(EICR, 0x4);

    assertThat(read(EICS)).isZero();
  }

  @Test
  void shouldReplaceTheAutoMask() {
    write(NicRegisters.eiamEx(0), -1);
    write(NicRegisters.eiamEx(1), -1);

    write(NicRegisters.eiamEx(0), 0x0003_0003);
    write(NicRegisters.eiamEx(1), 0x0000_0005);
    assertThat(read(NicRegisters.eiamEx(0))).isEqualTo(0x0003_0003);
    assertThat(read(NicRegisters.eiamEx(1))).isEqualTo(0x0000_0005);

    write(EIAM, 0x0000_00F0);
    assertThat(read(NicRegisters.eiamEx(0))).isEqualTo(0x0003_00F0);
  }

  // Linux's interrupt self-test, both with and without MSI-X vectors.
  @ParameterizedTest
  @ValueSource(ints = {0, GPIE_MSIX_MODE})
  void shouldPassTheInterruptSelfTest(int gpie) {
    write(GPIE, gpie);
    for (int bit = 0; bit < 10; bit++) {
      int mask = 1 << bit;
      int others = ~mask & 0x7FFF;
      messages.clear();

      write(EIMC, others);
      write(EICS, others);
      simulation.runUntil(simulation.nowPs() + 10_000 * US);
      assertThat(messages).isEmpty();
      assertThat(read(EICR)).isEqualTo(others);

      write(EIMS, mask);
      write(EICS, mask);
      simulation.runUntil(simulation.nowPs() + 10_000 * US);
      assertThat(messages).hasSize(1);
      assertThat(messages.get(0)).startsWith((gpie == 0 ? 0 : bit) + "@");
      assertThat(read(EICR)).isEqualTo(mask);

      write(EIMC, -1);
      write(EICS, mask);
      simulation.runUntil(simulation.nowPs() + 10_000 * US);
      assertThat(messages).hasSize(1);
      read(EICR);
    }
  }

  // ---- Moderation ----

  // Interval in units of 256 ns; messages in 20 ms, the first at 0: floor(20 ms / interval) + 1.
  // 500 is 128 us on the 82598, whose register keeps all bits; the 82599's low three bits are zero.
  @ParameterizedTest
  @CsvSource({
    "0x008, 9766, 2048000", // 488281 per second
    "0x028, 1954, 10240000", // 97656 per second
    "0x0C8, 391, 51200000", // 19531 per second
    "0x1F4, 158, 126976000", // 500, that is 496 x 256 ns: 7875 per second
    "0x7D0, 40, 512000000", // 1953 per second
    "0xFF8, 20, 1046528000" // 956 per second
  })
  void shouldLimitTheRateOfMessages(String interval, int count, long spacingPs) {
    msix(0);
    rxVector(0, 5);
    write(EIAC, 0xFFFF);
    write(EIMS, 0x20);
    write(NicRegisters.eitr(5), Integer.decode(interval));
    saturate(20_000 * US, 512_000);

    simulation.runUntil(20_000 * US);

    assertThat(messages).hasSize(count);
    for (int i = 0; i < count; i++) {
      assertThat(messages.get(i)).isEqualTo("5@" + i * spacingPs);
    }
  }

  @Test
  void shouldSendEveryCauseWithoutAnInterval() {
    msix(0);
    rxVector(0, 0);
    write(EIMS, 0x1);
    saturate(100 * US, US);

    simulation.run();

    assertThat(messages).hasSize(101);
  }

  @Test
  void shouldFireAnIsolatedCauseAtOnce() {
    msix(0);
    rxVector(0, 0);
    write(EIMS, 0x1);
    write(NicRegisters.eitr(0), 0x028);

    for (long atPs : new long[] {3 * US, 14 * US, 25 * US}) {
      simulation.runUntil(atPs);
      unit.onRxCause(0, atPs);
    }

    // 11 us apart, more than 10.24 us.
    assertThat(messages).containsExactly("0@3000000", "0@14000000", "0@25000000");
  }

  @Test
  void shouldCountTheIntervalFromTheLastMessage() {
    msix(0);
    rxVector(0, 0);
    write(EIMS, 0x1);
    write(NicRegisters.eitr(0), 0x028);

    unit.onRxCause(0, 0);
    simulation.runUntil(9 * US);
    unit.onRxCause(0, 9 * US);
    simulation.run();

    assertThat(messages).containsExactly("0@0", "0@10240000");
  }

  @Test
  void shouldModerateVectorsApart() {
    msix(0);
    rxVector(0, 0);
    rxVector(1, 24);
    write(NicRegisters.eimsEx(0), -1);
    write(NicRegisters.eitr(0), 0x028);
    write(NicRegisters.eitr(24), 0x008);

    for (int i = 0; i < 2; i++) {
      unit.onRxCause(0, 0);
      unit.onRxCause(1, 0);
    }
    simulation.run();

    assertThat(messages).containsExactly("0@0", "24@0", "24@2048000", "0@10240000");
  }

  @Test
  void shouldModerateByTheFirstRegisterWithoutMsix() {
    rxVector(0, 3);
    write(EIMS, -1);
    write(NicRegisters.eitr(0), 0x010);
    write(NicRegisters.eitr(3), 0x7D0);

    unit.onRxCause(0, 0);
    unit.onRxCause(0, 0);
    simulation.run();

    assertThat(messages).containsExactly("0@0", "0@4096000");
  }

  @Test
  void shouldNotSendAfterTheCauseIsClearedWhileWaiting() {
    msix(0);
    write(EIMS, 0x1);
    write(NicRegisters.eitr(0), 0x028);
    write(EICS, 0x1);
    write(EICS, 0x1);

    write(EICR, 0x1);
    simulation.run();

    assertThat(messages).hasSize(1);
  }

  @Test
  void shouldNotSendAfterTheCauseIsMaskedWhileWaiting() {
    msix(0);
    write(EIMS, 0x1);
    write(NicRegisters.eitr(0), 0x028);
    write(EICS, 0x1);
    write(EICS, 0x1);

    write(EIMC, 0x1);
    simulation.runUntil(20 * US);
    assertThat(messages).hasSize(1);

    write(EIMS, 0x1);
    assertThat(messages).containsExactly("0@0", "0@20000000");
  }

  @Test
  void shouldEndARunningIntervalByAWrite() {
    msix(0);
    write(EIMS, 0x1);
    write(NicRegisters.eitr(0), 0x7D0);
    write(EICS, 0x1);
    write(EICS, 0x1);
    simulation.runUntil(US);

    write(NicRegisters.eitr(0), 0x028 | EITR_CNT_WDIS);
    assertThat(messages).hasSize(1);

    write(NicRegisters.eitr(0), 0x028);
    assertThat(messages).containsExactly("0@0", "0@1000000");
  }

  @Test
  void shouldUseANewIntervalFromTheNextMessageOn() {
    msix(0);
    write(EIMS, 0x1);
    write(NicRegisters.eitr(0), 0x028);
    write(EICS, 0x1);
    write(NicRegisters.eitr(0), 0x008 | EITR_CNT_WDIS);

    write(EICS, 0x1);
    simulation.run();
    write(EICS, 0x1);
    simulation.run();

    // The first interval runs out as it was set; the second is 2.048 us.
    assertThat(messages).containsExactly("0@0", "0@10240000", "0@12288000");
  }

  @Test
  void shouldLoadAndShowTheUpperBitsOfTheCounter() {
    msix(0);
    write(EIMS, 0x1);

    // Counter field 3 is 3 x 4 steps of 2.048 us = 24.576 us.
    write(NicRegisters.eitr(0), 0x0000_8028 | 3 << 21);
    assertThat(read(NicRegisters.eitr(0))).isEqualTo(0x0000_8028 | 3 << 21);
    write(EICS, 0x1);
    simulation.runUntil(17 * US);
    // 7.576 us are left: 4 steps, which show as 1.
    assertThat(read(NicRegisters.eitr(0))).isEqualTo(0x0000_8028 | 1 << 21);
    simulation.run();

    assertThat(messages).containsExactly("0@24576000");
  }

  @Test
  void shouldSendASoftwareCauseAtOnceWhenToldSo() {
    msix(GPIE_EIMEN);
    write(IVAR_MISC, 0x8100);
    write(EIMS, 0x1 | EICR_LSC);
    write(NicRegisters.eitr(0), 0x028);
    write(NicRegisters.eitr(1), 0x028);

    write(EICS, 0x1);
    write(EICS, 0x1);
    write(EICS, EICR_LSC);
    write(EICS, EICR_LSC);

    assertThat(messages).containsExactly("0@0", "0@0", "1@0", "1@0");
  }

  @Test
  void shouldForgetToHurryOnceTheCauseIsGone() {
    msix(GPIE_EIMEN);
    write(IVAR_MISC, 0x8100);
    rxVector(0, 0);
    write(NicRegisters.eitr(0), 0x028);
    write(NicRegisters.eitr(1), 0x028);
    write(EIMS, 0x1 | EICR_LSC);
    unit.onRxCause(0, 0);
    unit.onOther(EICR_LSC, 0);
    write(EIMC, 0x1 | EICR_LSC);
    write(EICS, 0x1 | EICR_LSC);
    write(EICR, 0x1 | EICR_LSC);
    write(EIMS, 0x1 | EICR_LSC);
    messages.clear();

    unit.onRxCause(0, 0);
    unit.onOther(EICR_LSC, 0);
    simulation.run();

    assertThat(messages).containsExactly("0@10240000", "1@10240000");
  }

  @Test
  void shouldHurryEverySoftwareCause() {
    msix(GPIE_EIMEN);
    write(IVAR_MISC, 0x8585);
    for (int vector : new int[] {0, 1, 5}) {
      // The counter starts at 24.576 us.
      write(NicRegisters.eitr(vector), 0x028 | 3 << 21);
    }
    write(EICS, 0x1 | EICR_LSC);
    write(EICS, 0x2 | EICR_TCP_TIMER);

    write(EIMS, 0x1);
    write(EIMS, EICR_LSC);
    write(EIMS, 0x2);

    assertThat(messages).containsExactly("0@0", "5@0", "1@0");
  }

  @Test
  void shouldTellTheIntervalAndItsNextExpiry() {
    msix(0);
    write(NicRegisters.ivar(0), 0x8200);
    write(EIMS, 0x4);
    assertThat(unit.itrPs(2)).isZero();
    assertThat(unit.itrExpiryPs(2, 0)).isEqualTo(Simulation.NEVER_PS);

    write(NicRegisters.eitr(2), 0x028);
    assertThat(unit.itrPs(unit.txVector(0))).isEqualTo(10_240_000);
    assertThat(unit.itrExpiryPs(2, 5)).isEqualTo(10_240_005);

    unit.onTxCause(0, 0);
    assertThat(unit.itrExpiryPs(2, 5)).isEqualTo(10_240_000);
    assertThat(unit.itrExpiryPs(2, 10_240_000)).isEqualTo(20_480_000);
  }

  // ---- Causes announced ahead of time ----

  @Test
  void shouldActAtTheTimeOfAnAnnouncedCause() {
    msix(0);
    rxVector(0, 1);
    write(EIMS, 0x2);

    unit.onRxCause(0, 7 * US);
    assertThat(messages).isEmpty();
    simulation.runUntil(7 * US - 1);
    assertThat(read(EICS)).isZero();
    simulation.run();

    assertThat(messages).containsExactly("1@7000000");
    assertThat(read(EICS)).isEqualTo(0x2);
  }

  @Test
  void shouldActAtEveryAnnouncedTime() {
    msix(0);
    rxVector(0, 1);
    rxVector(1, 1);
    write(EIAC, 0xFFFF);
    write(EIMS, 0x2);

    unit.onRxCause(0, 9 * US);
    unit.onRxCause(1, 7 * US);
    unit.onRxCause(0, 11 * US);
    simulation.run();

    assertThat(messages).containsExactly("1@7000000", "1@9000000", "1@11000000");
  }

  @Test
  void shouldNotLoseAnAnnouncedCauseBehindAMessage() {
    msix(GPIE_EIAME);
    rxVector(0, 1);
    write(EIAC, 0xFFFF);
    write(NicRegisters.eiamEx(0), -1);
    write(EIMS, 0x2);

    unit.onRxCause(0, 7 * US);
    unit.onRxCause(0, 8 * US);
    simulation.runUntil(10 * US);
    // The message at 7 us masked the vector; the driver polls and unmasks at 10 us.
    assertThat(messages).containsExactly("1@7000000");
    write(EIMS, 0x2);

    assertThat(messages).containsExactly("1@7000000", "1@10000000");
  }

  @Test
  void shouldNeedNoEventForAMaskedCause() {
    msix(0);
    rxVector(0, 1);

    unit.onRxCause(0, 7 * US);

    assertThat(simulation.nextEventPs()).isEqualTo(Simulation.NEVER_PS);
    simulation.runUntil(8 * US);
    assertThat(read(EICR)).isEqualTo(0x2);
  }

  @Test
  void shouldNeedOneEventPerMessageWhenSaturated() {
    msix(0);
    rxVector(0, 0);
    write(EIMS, 0x1);
    write(NicRegisters.eitr(0), 0x028);

    for (int i = 1; i <= 20; i++) {
      unit.onRxCause(0, i * 1_000_000L);
    }
    simulation.run();

    assertThat(messages).containsExactly("0@1000000", "0@11240000", "0@21480000");
    assertThat(simulation.eventsTotal()).isEqualTo(3);
  }

  @Test
  void shouldKeepTheLastOfManyAnnouncedCauses() {
    msix(0);
    rxVector(0, 0);
    write(IVAR_MISC, 0x8100);
    write(EIMS, 0x1 | EICR_LSC);

    for (int i = 1; i <= 1000; i++) {
      unit.onRxCause(0, i * US);
      unit.onOther(EICR_LSC, i * US);
    }
    simulation.run();

    assertThat(messages).contains("0@1000000", "0@1000000000", "1@1000000", "1@1000000000");
  }

  @Test
  void shouldMakeRoomByTakingCausesWhoseTimeHasCome() {
    msix(0);
    rxVector(0, 0);
    for (int i = 1; i < CauseTimes.CAPACITY; i++) {
      unit.onRxCause(0, i);
      unit.onOther(EICR_LSC, i);
    }
    unit.onRxCause(0, US);
    unit.onOther(EICR_LSC, US);
    simulation.runUntil(1000);

    unit.onRxCause(0, 2 * US);
    unit.onOther(EICR_LSC, 2 * US);
    read(EICR);

    // The cause of 1 us has kept its own time.
    simulation.runUntil(US);
    assertThat(read(EICR)).isEqualTo(0x1 | EICR_LSC | EICR_OTHER);
    simulation.runUntil(2 * US);
    assertThat(read(EICR)).isEqualTo(0x1 | EICR_LSC | EICR_OTHER);
  }

  @Test
  void shouldKeepAnnouncedCausesApart() {
    msix(0);
    rxVector(0, 0);
    rxVector(1, 1);
    unit.onRxCause(0, US);
    unit.onRxCause(1, 2 * US);
    unit.onOther(EICR_LSC, US);
    unit.onOther(EICR_RX_MISS, 2 * US);

    simulation.runUntil(US);
    assertThat(read(EICR)).isEqualTo(0x1 | EICR_LSC | EICR_OTHER);
    simulation.runUntil(2 * US);
    assertThat(read(EICR)).isEqualTo(0x2 | EICR_RX_MISS | EICR_OTHER);

    unit.onRxCause(0, 3 * US);
    unit.onRxCause(1, 4 * US);
    unit.onOther(EICR_LSC, 3 * US);
    unit.onOther(EICR_RX_MISS, 4 * US);
    simulation.runUntil(4 * US);
    assertThat(read(EICS)).isEqualTo(0x3 | EICR_LSC | EICR_RX_MISS | EICR_OTHER);
    write(IVAR_MISC, 0x8500);
    write(EIMS, EICR_LSC);
    write(EIMS, EICR_RX_MISS);
    write(EIMS, 0x1);
    write(EIMS, 0x2);
    assertThat(messages).containsExactly("5@4000000", "5@4000000", "0@4000000", "1@4000000");
  }

  @Test
  void shouldWithdrawOneOfTwoWaitingCauses() {
    msix(0);
    write(IVAR_MISC, 0x8181);
    write(EIMS, EICR_LSC | EICR_RX_MISS | EICR_TCP_TIMER);
    write(NicRegisters.eitr(1), 0x028);
    unit.onOther(EICR_TCP_TIMER, 0);
    unit.onOther(EICR_LSC, 0);
    unit.onOther(EICR_RX_MISS, 0);

    write(EICR, EICR_RX_MISS);
    simulation.run();

    assertThat(messages).containsExactly("1@0", "1@10240000");
  }

  @Test
  void shouldAnnounceOtherCausesToo() {
    msix(0);
    write(IVAR_MISC, 0x8100);
    write(EIMS, EICR_LSC);

    write(EIAC, EICR_LSC);

    unit.onOther(EICR_LSC, 7 * US);
    simulation.run();

    assertThat(messages).containsExactly("1@7000000");
    assertThat(read(EICS)).isZero();
  }

  @Test
  void shouldTakeAPassedTimeAsNow() {
    msix(0);
    rxVector(0, 0);
    write(EIMS, 0x1);
    simulation.runUntil(US);

    unit.onRxCause(0, 0);

    assertThat(messages).containsExactly("0@1000000");
  }

  // ---- The rest ----

  @Test
  void shouldKeepMappingRegistersUnderTheirMasks() {
    write(NicRegisters.ivar(5), -1);
    write(IVAR_MISC, -1);
    write(NicRegisters.EITRSEL, 0x55);
    write(NicRegisters.eitr(63), 0xFFFF | EITR_CNT_WDIS);

    assertThat(read(NicRegisters.ivar(5))).isEqualTo(0xBFBFBFBF);
    assertThat(read(IVAR_MISC)).isEqualTo(0xBFBF);
    assertThat(read(NicRegisters.EITRSEL)).isEqualTo(0x55);
    assertThat(read(NicRegisters.eitr(63))).isEqualTo(0x8FF8);
    assertThat(read(GPIE)).isZero();
    assertThat(read(0x8A0)).isZero();
  }

  @ParameterizedTest
  @CsvSource({
    "0x7FC, false",
    "0x800, true",
    "0x87C, true",
    "0x898, true",
    "0x9FC, true",
    "0xAD4, true",
    "0xB00, false",
    "0x122FC, false",
    "0x12300, true",
    "0x1239C, true",
    "0x123A0, false"
  })
  void shouldHandleItsRegisters(String offset, boolean expected) {
    assertThat(unit.handles(Integer.decode(offset))).isEqualTo(expected);
  }

  @Test
  void shouldForgetEverythingOnReset() {
    msix(GPIE_EIMEN);
    rxVector(0, 0);
    rxVector(1, 1);
    write(IVAR_MISC, 0x8180);
    write(EIAC, -1);
    write(EIMS, 0x1 | NicRegisters.EICR_MNG);
    write(NicRegisters.EITRSEL, 1);
    write(NicRegisters.eitr(0), 0x7D0);
    unit.onRxCause(0, 0);
    write(EICS, 0x2 | EICR_RX_MISS);
    write(EIAM, -1);
    unit.onRxCause(0, US);
    unit.onRxCause(1, US);
    unit.onOther(EICR_LSC, US);
    messages.clear();

    unit.reset();

    assertThat(simulation.nextEventPs()).isEqualTo(Simulation.NEVER_PS);
    for (int offset : new int[] {EICS, EIAC, EIMS, EIAM, GPIE, IVAR_MISC, 0x894, 0x820, 0x900}) {
      assertThat(read(offset)).as("%x", offset).isZero();
    }
    simulation.runUntil(10 * US);
    assertThat(read(EICS)).isZero();
    msix(0);
    rxVector(0, 0);
    rxVector(1, 1);
    write(IVAR_MISC, 0x8100);
    write(NicRegisters.eimsEx(0), -1);
    write(EIMS, EICR_LSC | EICR_RX_MISS);
    assertThat(messages).isEmpty();
    unit.onRxCause(0, 10 * US);
    unit.onRxCause(1, 20 * US);
    unit.onOther(EICR_LSC, 30 * US);
    simulation.run();
    assertThat(messages).containsExactly("0@10000000", "1@20000000", "1@30000000");
  }

  @Test
  void shouldAllocateNothing() {
    long[] sent = new long[1];
    InterruptUnit quiet = new InterruptUnit(simulation, (vector, atPs) -> sent[0]++);
    quiet.write(GPIE, GPIE_MSIX_MODE | GPIE_EIAME, 0);
    quiet.write(NicRegisters.ivar(0), 0x80, 0);
    quiet.write(EIAC, 0xFFFF, 0);
    quiet.write(EIAM, 0xFFFF, 0);
    quiet.write(NicRegisters.eitr(0), 0x028, 0);
    interruptMany(quiet, 1000);
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long thread = Thread.currentThread().getId();

    long before = threads.getThreadAllocatedBytes(thread);
    interruptMany(quiet, 350_000);
    long allocatedBytes = threads.getThreadAllocatedBytes(thread) - before;

    assertThat(allocatedBytes).isLessThan(1024);
    assertThat(sent[0]).isGreaterThan(1000);
  }

  private void interruptMany(InterruptUnit target, int count) {
    for (int i = 0; i < count; i++) {
      long nowPs = simulation.nowPs();
      target.onRxCause(0, nowPs + 300_000);
      target.write(EIMS, 0x1, nowPs);
      simulation.runUntil(nowPs + 500_000);
    }
  }

  private void saturate(long untilPs, long periodPs) {
    Event packets =
        new Event() {
          @Override
          protected void onEvent(long nowPs) {
            unit.onRxCause(0, nowPs);
            if (nowPs + periodPs <= untilPs) {
              simulation.schedule(this, nowPs + periodPs);
            }
          }
        };
    simulation.schedule(packets, simulation.nowPs());
  }

  private void msix(int gpie) {
    write(GPIE, GPIE_MSIX_MODE | gpie);
  }

  private void rxVector(int queue, int vector) {
    int shift = 16 * (queue & 1);
    int offset = NicRegisters.ivar(queue >>> 1);
    write(offset, read(offset) & ~(0xFF << shift) | (0x80 | vector) << shift);
  }

  private int read(int offset) {
    assertThat(unit.handles(offset)).isTrue();
    return unit.read(offset, simulation.nowPs());
  }

  private void write(int offset, int value) {
    assertThat(unit.handles(offset)).isTrue();
    unit.write(offset, value, simulation.nowPs());
  }
}
