package io.github.bellwire.iommu.queue;

import static io.github.bellwire.iommu.layout.RegisterLayout.*;
import static io.github.bellwire.iommu.queue.QueueFixture.MESSAGE_ADDRESS;
import static io.github.bellwire.iommu.queue.QueueFixture.VECTOR;
import static io.github.bellwire.iommu.queue.QueueFixture.WRITE_PS;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.bellwire.iommu.queue.QueueFixture.Message;
import io.github.bellwire.iommu.queue.QueueFixture.Responded;
import io.github.bellwire.pcie.TranslationRequest;
import org.junit.jupiter.api.Test;

class PageRequestQueueTest {
  private static final long RING = 0x30_0000;
  private static final int NO_PASID = TranslationRequest.NO_PASID;
  private static final int CAPACITY = 4096 / 32 - 1;

  private final QueueFixture unit = new QueueFixture();

  private void setUp() {
    unit.write8(PQH, 0);
    unit.write8(PQT, 0);
    unit.write8(PQA, RING);
  }

  private void request(long iova, boolean isLast, int group, long atPs) {
    unit.registers.onPageRequest(0x0308, NO_PASID, iova, true, false, isLast, group, atPs);
  }

  private void runTo(long ps) {
    unit.simulation.runUntil(ps);
  }

  @Test
  void shouldQueueWhatDevicesAskFor() {
    setUp();
    unit.registers.onPageRequest(0x0308, 0xABCDE, 0x7FFF_1234_5000L, true, true, true, 0x1FF, 100);
    unit.registers.onPageRequest(0xFFFF, NO_PASID, 0x6000, false, true, false, 3, 200);
    runTo(100 + WRITE_PS - 1);
    assertThat(unit.memory.getLong(RING)).isZero();
    assertThat(unit.read8(PQT)).isZero();
    runTo(100 + WRITE_PS);

    assertThat(unit.read8(PQT)).isEqualTo(32);
    assertThat(unit.read4(PRS)).isEqualTo(PRS_PENDING);
    // PASID at bit 32, requester at 16, PASID present at 8, type 1.
    assertThat(unit.memory.getLong(RING)).isEqualTo(0x000A_BCDE_0308_0101L);
    assertThat(unit.memory.getLong(RING + 8)).isEqualTo(0x7FFF_1234_5000L | 0x1FF << 3 | 7);
    runTo(200 + WRITE_PS);
    assertThat(unit.read8(PQT)).isEqualTo(64);
    assertThat(unit.memory.getLong(RING + 32)).isEqualTo(0xFFFF_0001L);
    assertThat(unit.memory.getLong(RING + 40)).isEqualTo(0x6000 | 3 << 3 | 2);
    assertThat(unit.memory.getLong(RING + 48)).isZero();
    assertThat(unit.registers.pageRequests().queuedTotal()).isEqualTo(2);
  }

  @Test
  void shouldShowACoreThatIsAheadOfTheClockMore() {
    setUp();
    request(0x1000, true, 0, 100);
    assertThat(unit.read4(PRS, 100 + WRITE_PS - 1)).isZero();
    assertThat(unit.read4(PQT, 100 + WRITE_PS)).isEqualTo(32);
    assertThat(unit.read4(PRS, 100 + WRITE_PS)).isEqualTo(PRS_PENDING);
  }

  @Test
  void shouldInterruptOnceUntilSoftwareClearsTheBit() {
    unit.unmask(PECTL);
    setUp();
    request(0x1000, true, 0, 100);
    request(0x2000, true, 1, 200);
    unit.simulation.run();
    assertThat(unit.messages).containsExactly(new Message(MESSAGE_ADDRESS, VECTOR, 100 + WRITE_PS));
    unit.write4(PRS, PRS_PENDING);
    assertThat(unit.read4(PRS)).isZero();
    request(0x3000, true, 2, 100_000);
    unit.simulation.run();
    assertThat(unit.messages).hasSize(2);
  }

  @Test
  void shouldKeepTheInterruptWhileItIsMasked() {
    setUp();
    request(0x1000, true, 0, 100);
    unit.simulation.run();
    assertThat(unit.read4(PECTL)).isEqualTo(EVENT_MASK | EVENT_PENDING);
    unit.write4(PRS, PRS_OVERFLOW);
    assertThat(unit.read4(PECTL)).isEqualTo(EVENT_MASK | EVENT_PENDING);
    unit.write4(PRS, PRS_PENDING);
    assertThat(unit.read4(PECTL)).isEqualTo(EVENT_MASK);
  }

  @Test
  void shouldDropWhatFindsNoRoomAndAnswerForIt() {
    setUp();
    for (int i = 0; i < CAPACITY; i++) {
      request(0x1000L * i, true, 0, i);
    }
    request(0x9000, false, 5, 1_000);
    request(0xA000, true, 5, 1_001);
    runTo(1_001);

    // Only the last of a group is answered: with success, so that the device tries again.
    assertThat(unit.responded).containsExactly(new Responded(0x0308, NO_PASID, 5, 0, 1_001));
    assertThat(unit.registers.pageRequests().droppedTotal()).isEqualTo(2);
    unit.simulation.run();
    assertThat(unit.read4(PRS)).isEqualTo(PRS_PENDING | PRS_OVERFLOW);
    assertThat(unit.read8(PQT)).isEqualTo(CAPACITY * 32);
    assertThat(unit.memory.getLong(RING + CAPACITY * 32)).isZero();
  }

  @Test
  void shouldDropEverythingUntilTheOverflowIsCleared() {
    setUp();
    for (int i = 0; i <= CAPACITY; i++) {
      request(0x1000L * i, false, 0, i);
    }
    runTo(100_000);
    unit.write8(PQH, CAPACITY * 32); // Software has emptied the queue.
    request(0xB000, false, 0, 100_000);
    runTo(200_000);
    assertThat(unit.registers.pageRequests().droppedTotal()).isEqualTo(2);
    unit.write4(PRS, PRS_OVERFLOW);
    request(0xC000, false, 0, 200_000);
    runTo(300_000);

    assertThat(unit.registers.pageRequests().queuedTotal()).isEqualTo(CAPACITY + 1);
    assertThat(unit.memory.getLong(RING + CAPACITY * 32 + 8)).isEqualTo(0xC001);
    assertThat(unit.read8(PQT)).isZero(); // Round the end.
    assertThat(unit.read8(PQH)).isEqualTo(CAPACITY * 32);
  }

  @Test
  void shouldTouchNoMemoryBeforeItIsSetUp() {
    unit.registers.onPageRequest(0x0308, 7, 0x1000, true, false, true, 9, 0);
    runTo(1_000_000);
    assertThat(unit.memory.residentPagesCount()).isZero();
    assertThat(unit.registers.pageRequests().droppedTotal()).isEqualTo(1);
    assertThat(unit.responded).containsExactly(new Responded(0x0308, 7, 9, 0, 0));
  }

  @Test
  void shouldDropWhatHasNoMemoryToGoTo() {
    unit.write8(PQA, 1L << 40 | 7);
    request(0x1000, true, 0, 0);
    runTo(1_000_000);
    assertThat(unit.registers.pageRequests().droppedTotal()).isEqualTo(1);
  }

  @Test
  void shouldHaveTheSizeItIsGiven() {
    unit.write8(PQA, RING | 1);
    for (int i = 0; i < 255; i++) {
      request(0, false, 0, 0);
    }
    runTo(1_000_000);
    assertThat(unit.registers.pageRequests().queuedTotal()).isEqualTo(255);
    request(0, false, 0, 1_000_000);
    runTo(2_000_000);
    assertThat(unit.registers.pageRequests().queuedTotal()).isEqualTo(255);
  }
}
