package io.github.bellwire.iommu.queue;

import static io.github.bellwire.iommu.layout.RegisterLayout.EVENT_MASK;
import static io.github.bellwire.iommu.layout.RegisterLayout.EVENT_PENDING;
import static io.github.bellwire.iommu.layout.RegisterLayout.FECTL;
import static io.github.bellwire.iommu.layout.RegisterLayout.FRCD;
import static io.github.bellwire.iommu.layout.RegisterLayout.FSTS;
import static io.github.bellwire.iommu.layout.RegisterLayout.FSTS_OVERFLOW;
import static io.github.bellwire.iommu.layout.RegisterLayout.FSTS_PENDING;
import static io.github.bellwire.iommu.queue.QueueFixture.MESSAGE_ADDRESS;
import static io.github.bellwire.iommu.queue.QueueFixture.VECTOR;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.bellwire.iommu.layout.FaultReason;
import io.github.bellwire.iommu.queue.QueueFixture.Message;
import io.github.bellwire.pcie.TranslationRequest;
import org.junit.jupiter.api.Test;

class FaultLogTest {
  private static final int NO_PASID = TranslationRequest.NO_PASID;
  private static final int CLEAR = 1 << 31;

  private final QueueFixture unit = new QueueFixture();

  private void fault(long address, long atPs) {
    unit.faults.onFault(FaultReason.WRITE_DENIED, 0x0308, NO_PASID, address, true, atPs);
  }

  private void runTo(long ps) {
    unit.simulation.runUntil(ps);
  }

  private void clear(int record) {
    unit.write4(FRCD + record * 16 + 12, CLEAR);
  }

  @Test
  void shouldRecordWhoWantedWhat() {
    unit.faults.onFault(FaultReason.WRITE_DENIED, 0x0308, NO_PASID, 0x1234_5678L, true, 10);
    unit.faults.onFault(
        FaultReason.SCALABLE_READ_DENIED, 0xFFFF, 0xABCDE, 0x7FFF_FFFF_F123L, false, 20);
    runTo(20);

    assertThat(unit.read8(FRCD)).isEqualTo(0x1234_5000L);
    // F, reason 5, source 0308h; a write.
    assertThat(unit.read8(FRCD + 8)).isEqualTo(0x8000_0005_0000_0308L);
    assertThat(unit.read8(FRCD + 16)).isEqualTo(0x7FFF_FFFF_F000L);
    // F, T1, PASID ABCDEh at bit 40, reason 86h, PP, source FFFFh.
    assertThat(unit.read8(FRCD + 24)).isEqualTo(0xCABC_DE86_8000_FFFFL);
    assertThat(unit.read4(FSTS)).isEqualTo(FSTS_PENDING);
    assertThat(unit.faults.recordedTotal()).isEqualTo(2);
    assertThat(unit.faults.faultsTotal(FaultReason.WRITE_DENIED)).isEqualTo(1);
    assertThat(unit.faults.faultsTotal(FaultReason.READ_DENIED)).isZero();
    assertThat(unit.faults.faultsTotal()).isEqualTo(2);
  }

  @Test
  void shouldKeepTheIndexOfARefusedInterrupt() {
    unit.faults.onFault(
        FaultReason.INTERRUPT_ENTRY_NOT_PRESENT, 0x100, NO_PASID, 0x1234L << 48, true, 0);
    runTo(0);
    assertThat(unit.read8(FRCD)).isEqualTo(0x1234L << 48);
  }

  @Test
  void shouldShowNoFaultBeforeItsTime() {
    fault(0x5000, 1_000);
    runTo(999);
    assertThat(unit.read4(FSTS)).isZero();
    // A core whose time is ahead of the clock sees more.
    assertThat(unit.read4(FSTS, 1_000)).isEqualTo(FSTS_PENDING);
    runTo(1_000);
    assertThat(unit.faults.recordedTotal()).isEqualTo(1);
  }

  @Test
  void shouldRecordInTheOrderOfTimes() {
    fault(0x5000, 1_000);
    fault(0x6000, 500);
    runTo(1_000);
    assertThat(unit.read8(FRCD)).isEqualTo(0x6000);
    assertThat(unit.read8(FRCD + 16)).isEqualTo(0x5000);
  }

  @Test
  void shouldRecordWhatHasHappenedBeforeAtOnce() {
    runTo(1_000);
    fault(0x5000, 500);
    runTo(1_000);
    assertThat(unit.faults.recordedTotal()).isEqualTo(1);
  }

  @Test
  void shouldInterruptForTheEarlierOfTwoFaultsFirst() {
    unit.unmask(FECTL);
    fault(0x5000, 1_000);
    fault(0x6000, 500);
    runTo(600);
    assertThat(unit.messages).extracting(Message::atPs).containsExactly(500L);
  }

  @Test
  void shouldUseTheRegistersInTurnAndNameTheFirst() {
    fault(0x1000, 0);
    fault(0x2000, 0);
    runTo(0);
    clear(0);
    assertThat(unit.read8(FRCD + 8)).isPositive();
    assertThat(unit.read4(FSTS)).isEqualTo(FSTS_PENDING);
    clear(1);
    assertThat(unit.read4(FSTS)).isZero();
    fault(0x3000, 0);
    runTo(0);

    assertThat(unit.read8(FRCD + 32)).isEqualTo(0x3000);
    assertThat(unit.read4(FSTS)).isEqualTo(FSTS_PENDING | 2 << 8);
    fault(0x4000, 0);
    fault(0x5000, 0); // After the last of the four comes the first.
    runTo(0);
    assertThat(unit.read8(FRCD)).isEqualTo(0x5000);
  }

  @Test
  void shouldClearARecordByAOneOnly() {
    fault(0x1000, 0);
    runTo(0);
    unit.write4(FRCD + 12, 0x7FFF_FFFF);
    unit.write8(FRCD, -1);
    assertThat(unit.read4(FSTS)).isEqualTo(FSTS_PENDING);
    unit.write8(FRCD + 8, Long.MIN_VALUE);
    assertThat(unit.read4(FSTS)).isZero();
    assertThat(unit.read8(FRCD)).isEqualTo(0x1000);
    clear(0); // Once more: there is nothing to count down.
    assertThat(unit.read4(FSTS)).isZero();
    fault(0x2000, 0);
    runTo(0);
    assertThat(unit.read4(FSTS)).isEqualTo(FSTS_PENDING | 1 << 8);
  }

  @Test
  void shouldCountWhatFindsItsRegisterTaken() {
    for (int i = 0; i < 7; i++) {
      fault(0x1000 * (i + 1), i);
    }
    runTo(10);

    assertThat(unit.read4(FSTS)).isEqualTo(FSTS_PENDING | FSTS_OVERFLOW);
    assertThat(unit.faults.recordedTotal()).isEqualTo(4);
    assertThat(unit.faults.droppedTotal()).isEqualTo(3);
    assertThat(unit.faults.faultsTotal()).isEqualTo(7);
    assertThat(unit.read8(FRCD)).isEqualTo(0x1000);
  }

  @Test
  void shouldRecordNothingUntilTheOverflowIsCleared() {
    for (int i = 0; i < 5; i++) {
      fault(0x1000 * (i + 1), i);
    }
    runTo(10);
    for (int i = 0; i < 4; i++) {
      clear(i);
    }
    assertThat(unit.read4(FSTS)).isEqualTo(FSTS_OVERFLOW);
    fault(0x9000, 20);
    runTo(20);
    assertThat(unit.faults.droppedTotal()).isEqualTo(2);

    unit.write4(FSTS, FSTS_OVERFLOW);
    assertThat(unit.read4(FSTS)).isZero();
    fault(0xA000, 30);
    runTo(30);
    assertThat(unit.read8(FRCD)).isEqualTo(0xA000);
    assertThat(unit.faults.recordedTotal()).isEqualTo(5);
  }

  @Test
  void shouldNotLetSoftwareClearWhatRecordsSay() {
    fault(0x1000, 0);
    runTo(0);
    unit.write4(FSTS, -1);
    assertThat(unit.read4(FSTS)).isEqualTo(FSTS_PENDING);
  }

  @Test
  void shouldInterruptOnceUntilEverythingIsCleared() {
    unit.unmask(FECTL);
    fault(0x1000, 100);
    fault(0x2000, 200);
    runTo(200);
    assertThat(unit.messages).containsExactly(new Message(MESSAGE_ADDRESS, VECTOR, 100));
    clear(0);
    fault(0x3000, 300);
    runTo(300);
    assertThat(unit.messages).hasSize(1);

    clear(1);
    clear(2);
    fault(0x4000, 400);
    runTo(400);
    assertThat(unit.messages).hasSize(2);
    assertThat(unit.messages.get(1).atPs()).isEqualTo(400);
    assertThat(unit.faults.messagesTotal()).isEqualTo(2);
  }

  @Test
  void shouldShareTheInterruptWithErrorsOfTheQueue() {
    unit.unmask(FECTL);
    fault(0x1000, 100);
    unit.registers.invalidationQueue().onUnexpectedCompletion(0x0408, 200);
    runTo(200);
    assertThat(unit.messages).hasSize(1);
    clear(0);
    fault(0x2000, 300);
    runTo(300);
    assertThat(unit.messages).hasSize(1);
    clear(1);
    unit.write4(FSTS, -1);
    unit.registers.invalidationQueue().onUnexpectedCompletion(0x0408, 400);
    runTo(400);
    assertThat(unit.messages).extracting(Message::atPs).containsExactly(100L, 400L);
  }

  @Test
  void shouldInterruptWhenTheMaskIsCleared() {
    assertThat(unit.read4(FECTL)).isEqualTo(EVENT_MASK);
    fault(0x1000, 100);
    runTo(150);
    assertThat(unit.read4(FECTL)).isEqualTo(EVENT_MASK | EVENT_PENDING);
    unit.unmask(FECTL);
    assertThat(unit.messages).containsExactly(new Message(MESSAGE_ADDRESS, VECTOR, 150));
    assertThat(unit.read4(FECTL)).isZero();
  }

  @Test
  void shouldNotInterruptForWhatHasBeenCleared() {
    fault(0x1000, 100);
    runTo(150);
    clear(0);
    assertThat(unit.read4(FECTL)).isEqualTo(EVENT_MASK);
    unit.unmask(FECTL);
    assertThat(unit.messages).isEmpty();
  }

  @Test
  void shouldSendWideAddresses() {
    unit.unmask(FECTL);
    unit.write4(FECTL + 12, 0x100);
    unit.write4(FECTL + 8, 0xFEE0_0003); // The low two bits are not there.
    fault(0x1000, 0);
    runTo(0);
    assertThat(unit.messages).extracting(Message::address).containsExactly(0x100_FEE0_0000L);
    assertThat(unit.read4(FECTL + 4)).isEqualTo(VECTOR);
    assertThat(unit.read4(FECTL + 8)).isEqualTo(0xFEE0_0000);
    assertThat(unit.read4(FECTL + 12)).isEqualTo(0x100);
  }
}
