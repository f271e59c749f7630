package io.github.bellwire.iommu.queue;

import static io.github.bellwire.iommu.layout.InvalidationDescriptorLayout.*;
import static io.github.bellwire.iommu.layout.RegisterLayout.FECTL;
import static io.github.bellwire.iommu.layout.RegisterLayout.FSTS;
import static io.github.bellwire.iommu.layout.RegisterLayout.FSTS_COMPLETION_ERROR;
import static io.github.bellwire.iommu.layout.RegisterLayout.FSTS_QUEUE_ERROR;
import static io.github.bellwire.iommu.layout.RegisterLayout.FSTS_TIMEOUT_ERROR;
import static io.github.bellwire.iommu.layout.RegisterLayout.GCMD;
import static io.github.bellwire.iommu.layout.RegisterLayout.ICS;
import static io.github.bellwire.iommu.layout.RegisterLayout.ICS_WAIT_COMPLETE;
import static io.github.bellwire.iommu.layout.RegisterLayout.IECTL;
import static io.github.bellwire.iommu.layout.RegisterLayout.IQA;
import static io.github.bellwire.iommu.layout.RegisterLayout.IQERCD;
import static io.github.bellwire.iommu.layout.RegisterLayout.IQH;
import static io.github.bellwire.iommu.layout.RegisterLayout.IQT;
import static io.github.bellwire.iommu.layout.RegisterLayout.QUEUED_INVALIDATION_ENABLE;
import static io.github.bellwire.iommu.layout.RegisterLayout.QUEUE_ERROR_ALIGNMENT;
import static io.github.bellwire.iommu.layout.RegisterLayout.QUEUE_ERROR_FETCH;
import static io.github.bellwire.iommu.layout.RegisterLayout.QUEUE_ERROR_RESERVED;
import static io.github.bellwire.iommu.layout.RegisterLayout.QUEUE_ERROR_TAIL;
import static io.github.bellwire.iommu.layout.RegisterLayout.QUEUE_ERROR_TYPE;
import static io.github.bellwire.iommu.layout.RegisterLayout.QUEUE_ERROR_WIDTH;
import static io.github.bellwire.iommu.queue.QueueFixture.IOTLB_PS;
import static io.github.bellwire.iommu.queue.QueueFixture.ISSUE_PS;
import static io.github.bellwire.iommu.queue.QueueFixture.MESSAGE_ADDRESS;
import static io.github.bellwire.iommu.queue.QueueFixture.QUEUE;
import static io.github.bellwire.iommu.queue.QueueFixture.READ_PS;
import static io.github.bellwire.iommu.queue.QueueFixture.STATUS;
import static io.github.bellwire.iommu.queue.QueueFixture.TIMEOUT_PS;
import static io.github.bellwire.iommu.queue.QueueFixture.VECTOR;
import static io.github.bellwire.iommu.queue.QueueFixture.WRITE_PS;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.bellwire.iommu.queue.QueueFixture.Asked;
import io.github.bellwire.iommu.queue.QueueFixture.Message;
import io.github.bellwire.iommu.queue.QueueFixture.Responded;
import io.github.bellwire.kernel.Event;
import io.github.bellwire.kernel.Simulation;
import io.github.bellwire.pcie.TranslationRequest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class InvalidationQueueTest {
  private static final long GLOBAL_IOTLB = IOTLB | GLOBAL << GRANULARITY_SHIFT;
  private static final int DONE = 2;
  private static final long WAIT_AND_WRITE =
      WAIT | WAIT_STATUS_WRITE | (long) DONE << WAIT_DATA_SHIFT;

  private final QueueFixture unit = new QueueFixture();

  private void runTo(long ps) {
    unit.simulation.runUntil(ps);
  }

  private void tail(int descriptors) {
    unit.write4(IQT, descriptors * 16);
  }

  private int error() {
    return unit.read4(IQERCD) & 0xF;
  }

  @Test
  void shouldTellACoreThatWaitsWhenEverythingIsDone() {
    unit.enableQueue(false);
    unit.descriptor(0, GLOBAL_IOTLB, 0);
    unit.descriptor(1, WAIT_AND_WRITE, STATUS);
    runTo(1_000);
    tail(2);

    // One line is fetched, the IOTLB invalidated, the wait dealt with, the status written.
    long donePs = 1_000 + READ_PS + IOTLB_PS + ISSUE_PS;
    assertThat(unit.commits.nextCommitPs()).isEqualTo(donePs + WRITE_PS);
    assertThat(unit.simulation.nextEventPs()).isEqualTo(Simulation.NEVER_PS);
    runTo(donePs + WRITE_PS - 1);
    assertThat(unit.visible4(STATUS)).isZero();
    runTo(donePs + WRITE_PS);
    assertThat(unit.visible4(STATUS)).isEqualTo(DONE);
    assertThat(unit.reads).containsExactly(QUEUE);
    assertThat(unit.registers.invalidationQueue().descriptorsTotal(IOTLB)).isEqualTo(1);
    assertThat(unit.registers.invalidationQueue().descriptorsTotal(WAIT)).isEqualTo(1);
    assertThat(unit.registers.invalidationQueue().descriptorsTotal()).isEqualTo(2);
    assertThat(unit.registers.invalidationQueue().busyPsTotal()).isEqualTo(donePs - 1_000);
  }

  @Test
  void shouldMoveItsHeadOnWhenADescriptorIsDone() {
    unit.enableQueue(false);
    unit.descriptor(0, GLOBAL_IOTLB, 0);
    unit.descriptor(1, WAIT_AND_WRITE, STATUS);
    tail(2);
    long firstPs = READ_PS + IOTLB_PS;
    assertThat(unit.read4(IQH, firstPs - 1)).isZero();
    assertThat(unit.read4(IQH, firstPs)).isEqualTo(16);
    assertThat(unit.read4(IQH, firstPs + ISSUE_PS - 1)).isEqualTo(16);
    assertThat(unit.read4(IQH, firstPs + ISSUE_PS)).isEqualTo(32);
    assertThat(unit.read8(IQT)).isEqualTo(32);
  }

  @Test
  void shouldWriteNothingButTheStatus() {
    unit.enableQueue(false);
    unit.memory.putLong(STATUS, -1);
    unit.descriptor(0, WAIT | WAIT_STATUS_WRITE | 0x1234_5678L << WAIT_DATA_SHIFT, STATUS);
    unit.descriptor(1, WAIT | 7L << WAIT_DATA_SHIFT, STATUS + 8); // No status write.
    tail(2);
    unit.simulation.run();
    assertThat(unit.memory.getLong(STATUS)).isEqualTo(0xFFFF_FFFF_1234_5678L);
    assertThat(unit.memory.getInt(STATUS + 8)).isZero();
  }

  /** A device has changed the data of the second wait when the queue gets to it. */
  @Test
  void shouldSeeADescriptorThatADeviceHasWritten() {
    unit.enableQueue(false);
    unit.descriptor(0, WAIT | WAIT_STATUS_WRITE | 9L << WAIT_DATA_SHIFT, STATUS);
    unit.descriptor(1, WAIT | WAIT_STATUS_WRITE | 1L << WAIT_DATA_SHIFT, STATUS + 8);
    unit.commits.add(QUEUE + 16 + 4, new byte[] {2}, 0, 1, 500);
    Event tail =
        new Event() {
          @Override
          protected void onEvent(long nowPs) {
            tail(2);
          }
        };
    unit.simulation.schedule(tail, 500);
    unit.simulation.run();
    assertThat(unit.memory.getInt(STATUS)).isEqualTo(9);
    assertThat(unit.memory.getInt(STATUS + 8)).isEqualTo(2);
  }

  @Test
  void shouldLoseAStatusThatGoesNowhere() {
    unit.enableQueue(false);
    unit.descriptor(0, WAIT_AND_WRITE, 1L << 40);
    unit.descriptor(1, WAIT_AND_WRITE, -4);
    tail(2);
    assertThat(unit.commits.pendingCount()).isZero();
    assertThat(unit.read4(IQH, 1_000_000)).isEqualTo(32);
  }

  @Test
  void shouldFetchFourDescriptorsAtATime() {
    unit.enableQueue(false);
    for (int i = 0; i < 5; i++) {
      unit.descriptor(i, WAIT, 0);
    }
    tail(5);
    assertThat(unit.reads).containsExactly(QUEUE, QUEUE + 64);
    assertThat(unit.read4(IQH, 2 * READ_PS + 5 * ISSUE_PS)).isEqualTo(80);
    assertThat(unit.read4(IQH, 0)).isEqualTo(80);
  }

  @Test
  void shouldFetchALineAgainForAnotherTail() {
    unit.enableQueue(false);
    unit.descriptor(0, WAIT, 0);
    unit.descriptor(1, WAIT, 0);
    tail(1);
    tail(2);
    // The second starts when the first is done.
    assertThat(unit.reads).containsExactly(QUEUE, QUEUE);
    assertThat(unit.read4(IQH, 2 * (READ_PS + ISSUE_PS) - 1)).isEqualTo(16);
    assertThat(unit.read4(IQH, 2 * (READ_PS + ISSUE_PS))).isEqualTo(32);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldGoRound(boolean isWide) {
    unit.enableQueue(isWide);
    int bytes = isWide ? 32 : 16;
    int last = 4096 / bytes - 1;
    for (int i = 0; i <= last; i++) {
      unit.memory.putLong(QUEUE + (long) i * bytes, WAIT);
    }
    unit.write4(IQT, last * bytes);
    unit.memory.putLong(QUEUE, WAIT_AND_WRITE);
    unit.memory.putLong(QUEUE + 8, STATUS);
    runTo(1_000_000_000);
    unit.write4(IQT, bytes);
    unit.simulation.run();
    assertThat(unit.memory.getInt(STATUS)).isEqualTo(DONE);
    assertThat(unit.read4(IQH, 2_000_000_000)).isEqualTo(bytes);
    assertThat(unit.read4(FSTS)).isZero();
    assertThat(unit.registers.invalidationQueue().descriptorsTotal()).isEqualTo(last + 2);
  }

  @Test
  void shouldHaveTheSizeItIsGiven() {
    unit.write8(IQA, QUEUE | 1);
    unit.write4(GCMD, QUEUED_INVALIDATION_ENABLE);
    for (int i = 0; i < 511; i++) {
      unit.descriptor(i, WAIT, 0);
    }
    tail(511);
    assertThat(unit.read4(IQH, Long.MAX_VALUE - 1)).isEqualTo(511 * 16);
  }

  @Test
  void shouldWaitUntilItIsOn() {
    unit.descriptor(0, WAIT_AND_WRITE, STATUS);
    unit.write8(IQA, QUEUE);
    tail(1);
    assertThat(unit.reads).isEmpty();
    unit.write4(GCMD, QUEUED_INVALIDATION_ENABLE);
    assertThat(unit.commits.nextCommitPs()).isEqualTo(READ_PS + ISSUE_PS + WRITE_PS);
    unit.write4(GCMD, 0);
    assertThat(unit.read4(IQH, 1_000_000)).isZero();
    tail(2);
    assertThat(unit.reads).hasSize(1);
  }

  @Test
  void shouldTakeItsTimeForEveryKind() {
    unit.enableQueue(true);
    unit.wideDescriptor(0, CONTEXT | GLOBAL << GRANULARITY_SHIFT, 0);
    unit.wideDescriptor(1, PASID_IOTLB | PASID_ALL << GRANULARITY_SHIFT, 0);
    unit.wideDescriptor(2, PASID_CACHE | PASID_CACHE_GLOBAL << GRANULARITY_SHIFT, 0);
    unit.wideDescriptor(3, INTERRUPT_ENTRY, 0);
    unit.write4(IQT, 4 * 32);
    long contextPs = READ_PS + 100_000;
    long iotlbPs = contextPs + IOTLB_PS;
    long pasidPs = iotlbPs + READ_PS + 200_000;
    long interruptPs = pasidPs + 300_000;
    int done = 0;
    for (long ps : new long[] {contextPs, iotlbPs, pasidPs, interruptPs}) {
      assertThat(unit.read4(IQH, ps - 1)).isEqualTo(done);
      done += 32;
      assertThat(unit.read4(IQH, ps)).isEqualTo(done);
    }
    assertThat(unit.interruptCalls).containsExactly("forget all at " + interruptPs);
  }

  @Test
  void shouldForgetTheInterruptEntriesThatItIsTold() {
    unit.enableQueue(false);
    long selective = INTERRUPT_ENTRY | INTERRUPT_SELECTIVE;
    unit.descriptor(0, selective | 0x1237L << INTERRUPT_INDEX_SHIFT, 0);
    unit.descriptor(
        1, selective | 0x1237L << INTERRUPT_INDEX_SHIFT | 4L << INTERRUPT_MASK_SHIFT, 0);
    unit.descriptor(2, selective | 16L << INTERRUPT_MASK_SHIFT, 0);
    tail(3);
    assertThat(unit.interruptCalls)
        .containsExactly(
            "forget 4663 1 at " + (READ_PS + 300_000),
            "forget 4656 16 at " + (READ_PS + 600_000),
            "forget all at " + (READ_PS + 900_000));
  }

  @Test
  void shouldInterruptWhenAWaitIsDone() {
    unit.unmask(IECTL);
    unit.enableQueue(false);
    unit.descriptor(0, WAIT_AND_WRITE | WAIT_INTERRUPT, STATUS);
    unit.descriptor(1, WAIT | WAIT_INTERRUPT, 0);
    tail(2);
    long firstPs = READ_PS + ISSUE_PS + WRITE_PS; // Not before the status can be seen.
    long secondPs = READ_PS + 2 * ISSUE_PS;
    assertThat(secondPs).isLessThan(firstPs);
    assertThat(unit.read4(ICS, secondPs - 1)).isZero();
    runTo(1_000_000);
    // One interrupt for both, as software has not cleared the first.
    assertThat(unit.messages).containsExactly(new Message(MESSAGE_ADDRESS, VECTOR, secondPs));
    assertThat(unit.read4(ICS)).isEqualTo(ICS_WAIT_COMPLETE);

    unit.write4(ICS, 0);
    assertThat(unit.read4(ICS)).isEqualTo(ICS_WAIT_COMPLETE);
    unit.write4(ICS, ICS_WAIT_COMPLETE);
    assertThat(unit.read4(ICS)).isZero();
    unit.descriptor(2, WAIT | WAIT_INTERRUPT, 0);
    tail(3);
    unit.simulation.run();
    assertThat(unit.messages).hasSize(2);
  }

  @Test
  void shouldKeepAnInterruptUntilItIsUnmasked() {
    unit.enableQueue(false);
    unit.descriptor(0, WAIT | WAIT_INTERRUPT, 0);
    tail(1);
    unit.simulation.run();
    assertThat(unit.messages).isEmpty();
    unit.unmask(IECTL);
    assertThat(unit.messages).hasSize(1);
    unit.write4(IECTL, 1 << 31);
    unit.write4(ICS, ICS_WAIT_COMPLETE);
    unit.descriptor(1, WAIT | WAIT_INTERRUPT, 0);
    tail(2);
    unit.simulation.run();
    unit.write4(ICS, ICS_WAIT_COMPLETE); // Seen without an interrupt: none is due any more.
    unit.unmask(IECTL);
    assertThat(unit.messages).hasSize(1);
  }

  @ParameterizedTest
  @CsvSource({
    // Size bit clear: one page. Then the lowest clear bit from 12 on tells.
    "12345000, 0, 12345000, 1000",
    "12344000, 1, 12344000, 2000",
    "12345000, 1, 12344000, 4000",
    "122FF000, 1, 12200000, 200000",
    "7FFFFFFFFFFFF000, 1, 0, 4000000000000000",
    "FFFFFFFFFFFFF000, 1, 0, 4000000000000000",
  })
  void shouldTellDevicesWhatToForget(String address, int size, String iova, String bytes) {
    unit.enableQueue(false);
    unit.answerPs = 700_000;
    long word1 = Long.parseUnsignedLong(address, 16) | size;
    unit.descriptor(0, DEVICE_TLB | 0xABCDL << DEVICE_SOURCE_SHIFT, word1);
    tail(1);
    assertThat(unit.asked)
        .containsExactly(
            new Asked(
                0xABCD,
                TranslationRequest.NO_PASID,
                Long.parseLong(iova, 16),
                Long.parseLong(bytes, 16),
                READ_PS + ISSUE_PS));
  }

  @Test
  void shouldTellDevicesWhichPasidToForget() {
    unit.enableQueue(true);
    long word0 = PASID_DEVICE_TLB | 0xABCDL << PASID_DEVICE_SOURCE_SHIFT | 0x54321L << PASID_SHIFT;
    unit.wideDescriptor(0, word0, 0x5000);
    unit.wideDescriptor(1, word0, 0x4000 | PASID_DEVICE_SIZE);
    unit.wideDescriptor(2, word0, 0x4000 | PASID_DEVICE_GLOBAL);
    unit.write4(IQT, 96);
    long firstPs = READ_PS + ISSUE_PS;
    long thirdPs = 2 * READ_PS + 3 * ISSUE_PS;
    assertThat(unit.asked)
        .containsExactly(
            new Asked(0xABCD, 0x54321, 0x5000, 4096, firstPs),
            new Asked(0xABCD, 0x54321, 0x4000, 8192, firstPs + ISSUE_PS),
            new Asked(0xABCD, TranslationRequest.NO_PASID, 0x4000, 4096, thirdPs));
  }

  @Test
  void shouldWaitForTheAnswersOfDevices() {
    unit.enableQueue(false);
    unit.answerPs = 700_000;
    unit.descriptor(0, DEVICE_TLB, 0x1000);
    unit.descriptor(1, DEVICE_TLB, 0x2000);
    unit.descriptor(2, WAIT_AND_WRITE, STATUS);
    tail(3);
    // Both requests are under way at once; the second is answered last.
    long answeredPs = READ_PS + 2 * ISSUE_PS + 700_000;
    assertThat(unit.commits.nextCommitPs()).isEqualTo(answeredPs + WRITE_PS);
    assertThat(unit.read4(IQH, answeredPs - 1)).isEqualTo(32);
    assertThat(unit.read4(IQH, answeredPs)).isEqualTo(48);
  }

  @Test
  void shouldStopWhenADeviceDoesNotAnswer() {
    unit.unmask(FECTL);
    unit.enableQueue(false);
    unit.answerPs = -1;
    unit.descriptor(0, DEVICE_TLB | 0x0308L << DEVICE_SOURCE_SHIFT, 0x1000);
    unit.descriptor(1, WAIT_AND_WRITE, STATUS);
    unit.descriptor(2, WAIT_AND_WRITE, STATUS + 4);
    tail(3);
    long timeoutPs = READ_PS + ISSUE_PS + TIMEOUT_PS;
    assertThat(unit.read4(FSTS, timeoutPs - 1)).isZero();
    assertThat(unit.read4(IQH, timeoutPs - 1)).isEqualTo(16);
    runTo(timeoutPs);

    // The wait that was under way is over, without a word; the next has not begun.
    assertThat(unit.read4(FSTS)).isEqualTo(FSTS_TIMEOUT_ERROR);
    assertThat(unit.read8(IQERCD)).isEqualTo(0x0308L << 32);
    assertThat(unit.read4(IQH)).isEqualTo(32);
    assertThat(unit.commits.pendingCount()).isZero();
    assertThat(unit.messages).containsExactly(new Message(MESSAGE_ADDRESS, VECTOR, timeoutPs));
    assertThat(unit.registers.invalidationQueue().timeoutsTotal()).isEqualTo(1);
    runTo(timeoutPs + 1_000);
    tail(3);
    assertThat(unit.commits.pendingCount()).isZero();

    unit.write4(FSTS, FSTS_TIMEOUT_ERROR);
    assertThat(unit.read4(FSTS)).isZero();
    assertThat(unit.read8(IQERCD)).isZero();
    assertThat(unit.commits.nextCommitPs())
        .isEqualTo(timeoutPs + 1_000 + READ_PS + ISSUE_PS + WRITE_PS);
    unit.simulation.run();
    assertThat(unit.memory.getInt(STATUS)).isZero();
    assertThat(unit.memory.getInt(STATUS + 4)).isEqualTo(DONE);
  }

  @Test
  void shouldStopAtTheFirstOfTwoTimeouts() {
    unit.enableQueue(false);
    unit.answerPs = -1;
    unit.descriptor(0, DEVICE_TLB, 0x1000);
    unit.descriptor(1, DEVICE_TLB, 0x2000);
    unit.descriptor(2, WAIT_AND_WRITE, STATUS);
    tail(3);
    long firstPs = READ_PS + ISSUE_PS + TIMEOUT_PS;
    assertThat(unit.read4(FSTS, firstPs)).isEqualTo(FSTS_TIMEOUT_ERROR);
    assertThat(unit.read4(IQH, firstPs - 1)).isEqualTo(32);
    assertThat(unit.read4(IQH, firstPs)).isEqualTo(48);
  }

  @ParameterizedTest
  @ValueSource(ints = {FSTS_QUEUE_ERROR, FSTS_TIMEOUT_ERROR})
  void shouldStayStoppedUntilBothErrorsAreCleared(int first) {
    unit.enableQueue(false);
    unit.answerPs = -1;
    unit.descriptor(0, DEVICE_TLB, 0x1000);
    unit.descriptor(1, 0, 0); // No such type.
    unit.descriptor(2, WAIT_AND_WRITE, STATUS);
    tail(3);
    runTo(READ_PS + ISSUE_PS + TIMEOUT_PS);
    int both = FSTS_QUEUE_ERROR | FSTS_TIMEOUT_ERROR;
    assertThat(unit.read4(FSTS)).isEqualTo(both);
    unit.descriptor(1, GLOBAL_IOTLB, 0);

    unit.write4(FSTS, first);
    tail(3); // A doorbell does not help either.
    assertThat(unit.reads).containsExactly(QUEUE);
    assertThat(unit.read4(IQH, Simulation.NEVER_PS - 1)).isEqualTo(16);
    unit.write4(FSTS, both & ~first);
    unit.simulation.run();
    assertThat(unit.memory.getInt(STATUS)).isEqualTo(DONE);
    assertThat(unit.registers.invalidationQueue().errorsTotal()).isEqualTo(1);
    assertThat(unit.read4(FSTS)).isZero();
  }

  @Test
  void shouldTakeAnAnswerThatIsTooLateForNone() {
    unit.enableQueue(false);
    unit.answerPs = TIMEOUT_PS + 1;
    unit.descriptor(0, DEVICE_TLB, 0x1000);
    tail(1);
    unit.simulation.run();
    assertThat(unit.read4(FSTS)).isEqualTo(FSTS_TIMEOUT_ERROR);
    unit.write4(FSTS, FSTS_TIMEOUT_ERROR);
    unit.answerPs = TIMEOUT_PS;
    unit.descriptor(1, DEVICE_TLB, 0x1000);
    unit.descriptor(2, WAIT_AND_WRITE, STATUS);
    tail(3);
    unit.simulation.run();
    assertThat(unit.read4(FSTS)).isZero();
    assertThat(unit.memory.getInt(STATUS)).isEqualTo(DONE);
  }

  @Test
  void shouldWorkOnUntilTheTimeout() {
    unit.enableQueue(false);
    unit.answerPs = -1;
    unit.descriptor(0, DEVICE_TLB, 0x1000);
    tail(1);
    runTo(1_000_000);
    unit.descriptor(1, GLOBAL_IOTLB, 0);
    tail(2);
    assertThat(unit.read4(IQH, 1_000_000 + READ_PS + IOTLB_PS)).isEqualTo(32);
    runTo(READ_PS + ISSUE_PS + TIMEOUT_PS);
    unit.descriptor(2, GLOBAL_IOTLB, 0);
    tail(3);
    assertThat(unit.read4(IQH, Simulation.NEVER_PS - 1)).isEqualTo(32);
    assertThat(unit.read4(FSTS)).isEqualTo(FSTS_TIMEOUT_ERROR);
  }

  @Test
  void shouldReportAnAnswerThatNobodyAskedFor() {
    unit.registers.invalidationQueue().onUnexpectedCompletion(0x0408, 100);
    runTo(100);
    assertThat(unit.read4(FSTS)).isEqualTo(FSTS_COMPLETION_ERROR);
    assertThat(unit.read8(IQERCD)).isEqualTo(0x0408L << 48);
    unit.write4(FSTS, FSTS_COMPLETION_ERROR);
    assertThat(unit.read4(FSTS)).isZero();
    assertThat(unit.read8(IQERCD)).isZero();
  }

  @Test
  void shouldAnswerPageRequests() {
    unit.enableQueue(true);
    long response = PAGE_GROUP_RESPONSE | 0x0308L << RESPONSE_REQUESTER_SHIFT;
    long group = 0x1FFL << RESPONSE_GROUP_SHIFT | RESPONSE_LAST;
    unit.wideDescriptor(0, response | RESPONSE_PASID_PRESENT | 0x12345L << PASID_SHIFT, group);
    unit.wideDescriptor(1, response | 1L << RESPONSE_CODE_SHIFT, 5L << RESPONSE_GROUP_SHIFT);
    unit.memory.putLong(QUEUE + 48, 99); // Private data is allowed here.
    unit.write4(IQT, 64);
    long firstPs = READ_PS + ISSUE_PS;
    assertThat(unit.responded)
        .containsExactly(
            new Responded(0x0308, 0x12345, 0x1FF, RESPONSE_SUCCESS, firstPs),
            new Responded(
                0x0308, TranslationRequest.NO_PASID, 5, RESPONSE_INVALID, firstPs + ISSUE_PS));
    assertThat(unit.read4(FSTS, 1_000_000)).isZero();
  }

  private void assertStops(int expectedError, long atPs) {
    runTo(atPs);
    assertThat(unit.read4(FSTS)).isEqualTo(FSTS_QUEUE_ERROR);
    assertThat(error()).isEqualTo(expectedError);
    assertThat(unit.read4(IQH)).isZero();
    assertThat(unit.registers.invalidationQueue().errorsTotal()).isEqualTo(1);
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 10, 11, 15, IOTLB | 1 << 9, IOTLB | 1 << 11})
  void shouldStopAtATypeThatNobodyKnows(long word0) {
    unit.enableQueue(true);
    unit.wideDescriptor(0, word0 | GLOBAL << GRANULARITY_SHIFT, 0);
    unit.write4(IQT, 32);
    assertThat(unit.read4(FSTS, READ_PS - 1)).isZero();
    assertStops(QUEUE_ERROR_TYPE, READ_PS);
  }

  @ParameterizedTest
  @ValueSource(longs = {PASID_IOTLB, PASID_CACHE, PASID_DEVICE_TLB, PAGE_GROUP_RESPONSE})
  void shouldStopAtATypeThatNeedsMoreBits(long type) {
    unit.enableQueue(false);
    unit.descriptor(0, type, 0);
    tail(1);
    assertStops(QUEUE_ERROR_WIDTH, READ_PS);
  }

  @Test
  void shouldStopAtATailOutsideTheQueue() {
    unit.enableQueue(false);
    unit.write4(IQT, 4096);
    assertStops(QUEUE_ERROR_TAIL, 0);
    // Software repairs the tail, then clears the error.
    unit.descriptor(0, WAIT_AND_WRITE, STATUS);
    tail(1);
    assertThat(unit.commits.pendingCount()).isZero();
    unit.write4(FSTS, FSTS_QUEUE_ERROR);
    assertThat(unit.commits.pendingCount()).isEqualTo(1);
    assertThat(unit.read8(IQERCD)).isZero();
  }

  @Test
  void shouldStopAtATailInTheMiddleOfADescriptor() {
    unit.enableQueue(true);
    unit.write4(IQT, 16);
    assertStops(QUEUE_ERROR_ALIGNMENT, 0);
  }

  @ParameterizedTest
  @ValueSource(longs = {64L << 20, 1L << 40, 1L << 63, -4096})
  void shouldStopIfItsMemoryIsNotThere(long address) {
    unit.write8(IQA, address);
    unit.write4(GCMD, QUEUED_INVALIDATION_ENABLE);
    tail(1);
    assertStops(QUEUE_ERROR_FETCH, 0);
  }

  @Test
  void shouldGoOnWhenSoftwareHasRepairedTheDescriptor() {
    unit.enableQueue(false);
    unit.descriptor(0, 0, 0);
    unit.descriptor(1, WAIT_AND_WRITE, STATUS);
    tail(2);
    runTo(1_000_000);
    unit.write4(FSTS, FSTS_QUEUE_ERROR); // It is still there: the same again.
    runTo(1_000_000 + READ_PS);
    assertThat(unit.read4(FSTS)).isEqualTo(FSTS_QUEUE_ERROR);
    assertThat(unit.registers.invalidationQueue().errorsTotal()).isEqualTo(2);

    unit.descriptor(0, WAIT, 0);
    runTo(2_000_000);
    unit.write4(FSTS, FSTS_QUEUE_ERROR);
    assertThat(unit.commits.nextCommitPs())
        .isEqualTo(2_000_000 + READ_PS + 2 * ISSUE_PS + WRITE_PS);
    assertThat(unit.read4(IQH, 3_000_000)).isEqualTo(32);
  }

  @Test
  void shouldNotGoOnBecauseOfAnotherErrorsBit() {
    unit.enableQueue(false);
    unit.descriptor(0, 0, 0);
    tail(1);
    runTo(1_000_000);
    unit.write4(FSTS, FSTS_TIMEOUT_ERROR | FSTS_COMPLETION_ERROR);
    assertThat(unit.registers.invalidationQueue().errorsTotal()).isEqualTo(1);
  }

  /** Bits of words 0 and 1 that may be anything, by type. */
  private static final long[][] FREE = {
    {},
    {0x0003_FFFF_FFFF_0030L, 0},
    {0x0000_0000_FFFF_00F0L, 0xFFFF_FFFF_FFFF_F07FL},
    {0xFFF0_FFFF_001F_F000L, 0xFFFF_FFFF_FFFF_F001L},
    {0x0000_FFFF_F800_0010L, 0},
    {0xFFFF_FFFF_0000_00F0L, 0xFFFF_FFFF_FFFF_FFFCL},
    {0x000F_FFFF_FFFF_0030L, 0xFFFF_FFFF_FFFF_F07FL},
    {0x000F_FFFF_FFFF_0030L, 0},
    {0xFFFF_FFFF_FFFF_F1F0L, 0xFFFF_FFFF_FFFF_F801L},
    {0x000F_FFFF_FFFF_F030L, 0xFFCL},
  };

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8, 9})
  void shouldStopAtEveryReservedBitAndAtNoOther(int type) {
    InvalidationDescriptor descriptor = new InvalidationDescriptor();
    long valid = type | (type == PASID_CACHE ? 3L : type >= 3 && type != 6 ? 0 : 2L) << 4;
    for (int bit = 4; bit < 256; bit++) {
      if (bit >= 9 && bit <= 11 || bit == 4 || bit == 5) {
        continue; // Bits of the type, and granularity.
      }
      for (int word = 0; word < 4; word++) {
        long value = word == 0 ? valid : 0;
        unit.memory.putLong(QUEUE + word * 8, value | (bit / 64 == word ? 1L << bit : 0));
      }
      descriptor.load(unit.memory, QUEUE, true);
      boolean isFree =
          bit < 128 ? (FREE[type][bit / 64] & 1L << bit) != 0 : type == PAGE_GROUP_RESPONSE;
      assertThat(descriptor.check(52))
          .as("type %d bit %d", type, bit)
          .isEqualTo(isFree ? InvalidationDescriptor.OK : QUEUE_ERROR_RESERVED);
    }
  }

  @ParameterizedTest
  @CsvSource({"1, 0", "2, 0", "6, 0", "6, 1", "7, 2"})
  void shouldStopAtAGranularityThatNobodyKnows(long type, long granularity) {
    unit.enableQueue(true);
    unit.wideDescriptor(0, type | granularity << GRANULARITY_SHIFT, 0);
    unit.write4(IQT, 32);
    assertStops(QUEUE_ERROR_RESERVED, READ_PS);
  }

  @ParameterizedTest
  @CsvSource({
    "2, 3, 18, 0",
    "2, 3, 19, 4",
    "2, 2, 63, 0",
    "6, 3, 18, 0",
    "6, 3, 19, 4",
    "6, 2, 63, 0"
  })
  void shouldStopAtAnAddressMaskBeyondItsCapability(
      long type, long granularity, long mask, int expectedError) {
    unit.enableQueue(true);
    unit.wideDescriptor(0, type | granularity << GRANULARITY_SHIFT, mask);
    unit.write4(IQT, 32);
    runTo(1_000_000);
    assertThat(error()).isEqualTo(expectedError);
  }
}
