package io.github.bellwire.iommu.interrupt;

import static io.github.bellwire.iommu.layout.InterruptEntryLayout.*;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.sun.management.ThreadMXBean;
import io.github.bellwire.cache.DeviceCachePort;
import io.github.bellwire.iommu.layout.FaultCode;
import io.github.bellwire.iommu.layout.FaultReason;
import io.github.bellwire.kernel.Event;
import io.github.bellwire.kernel.Simulation;
import io.github.bellwire.memory.CommitQueue;
import io.github.bellwire.memory.LittleEndian;
import io.github.bellwire.memory.PhysicalMemory;
import io.github.bellwire.pcie.InterruptSink;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class InterruptRemapperTest {
  private static final long TABLE = 0x10_0000;
  private static final int ENTRIES = 256;
  private static final long READ_PS = 50_000;
  private static final long LOOKUP_PS = 3_000;
  private static final int DEVICE = 0x0308;
  private static final int VECTOR = 0x41;
  private static final long TO_CORE_3 = (long) 3 << NARROW_DESTINATION_SHIFT;
  private static final long ENTRY = PRESENT | VECTOR << VECTOR_SHIFT | TO_CORE_3;
  private static final long FROM_DEVICE =
      (long) VALIDATE_SOURCE << VALIDATION_SHIFT | QUALIFIER_ALL << QUALIFIER_SHIFT | DEVICE;

  private record Message(int requesterId, long address, int data, long atPs) {}

  private record Fault(FaultCode reason, int sourceId, long index, boolean isWrite, long atPs) {}

  private final Simulation simulation = new Simulation(1);
  private final PhysicalMemory memory = new PhysicalMemory(64 << 20, 0);
  private final CommitQueue commits = new CommitQueue(simulation, memory);
  private final List<Message> messages = new ArrayList<>();
  private final List<Fault> faults = new ArrayList<>();
  private final List<Long> reads = new ArrayList<>();
  private final InterruptRemapper remapper =
      remapper(
          new InterruptConfig(4, LOOKUP_PS),
          (requesterId, address, data, atPs) ->
              messages.add(new Message(requesterId, address, data, atPs)));

  private InterruptRemapper remapper(InterruptConfig config, InterruptSink sink) {
    DeviceCachePort caches =
        new DeviceCachePort() {
          @Override
          public long read(long pa, int lengthBytes, boolean noSnoop, long atPs) {
            reads.add(pa);
            return atPs + READ_PS;
          }

          @Override
          public long write(long pa, int lengthBytes, boolean noSnoop, long atPs) {
            return atPs;
          }
        };
    return new InterruptRemapper(
        config,
        commits,
        caches,
        (reason, sourceId, pasid, address, isWrite, atPs) ->
            faults.add(new Fault(reason, sourceId, address >>> 48, isWrite, atPs)),
        sink);
  }

  @BeforeEach
  void enable() {
    remapper.setTable(TABLE, ENTRIES, false);
    remapper.setEnabled(true);
  }

  private void entry(int index, long low, long high) {
    memory.putLongs(TABLE + index * 16L, low, high);
  }

  private static long handle(int handle) {
    long high = (long) (handle >>> 15) << MESSAGE_HANDLE_15_SHIFT;
    return 0xFEE0_0000L | MESSAGE_REMAPPABLE | (handle & 0x7FFF) << MESSAGE_HANDLE_SHIFT | high;
  }

  private void send(int index, int requesterId, long atPs) {
    remapper.onMessage(requesterId, handle(index), 0, atPs);
  }

  private void assertFault(FaultReason reason, long index) {
    assertThat(messages).isEmpty();
    assertThat(faults).extracting(Fault::reason).containsExactly(reason);
    assertThat(faults).extracting(Fault::index).containsExactly(index);
    assertThat(faults).extracting(Fault::sourceId).containsExactly(DEVICE);
    assertThat(remapper.refusedTotal()).isEqualTo(1);
  }

  @Test
  void shouldPassEverythingBeforeItIsOn() {
    remapper.setEnabled(false);
    remapper.onMessage(DEVICE, 0xFEE0_3010L, 0x99, 100);
    assertThat(messages).containsExactly(new Message(DEVICE, 0xFEE0_3010L, 0x99, 100));
    assertThat(remapper.passedTotal()).isEqualTo(1);
  }

  @Test
  void shouldSendMessagesWhereTheirEntrySays() {
    entry(7, ENTRY | REDIRECTION_HINT, FROM_DEVICE);
    remapper.onMessage(DEVICE, handle(7), 0x1234_5678, 1_000);
    // The data of the message does not count.
    assertThat(messages)
        .containsExactly(new Message(DEVICE, 0xFEE0_3000L, VECTOR, 1_000 + LOOKUP_PS + READ_PS));
    assertThat(reads).containsExactly(TABLE + 7 * 16);
    assertThat(faults).isEmpty();
    assertThat(remapper.remappedTotal()).isEqualTo(1);
  }

  @Test
  void shouldSeeAnEntryThatADeviceHasWritten() {
    byte[] bytes = new byte[16];
    LittleEndian.putLong(bytes, 0, ENTRY);
    LittleEndian.putLong(bytes, 8, FROM_DEVICE);
    commits.add(TABLE + 7 * 16, bytes, 0, 16, 1_000);
    Event message =
        new Event() {
          @Override
          protected void onEvent(long nowPs) {
            send(7, DEVICE, nowPs);
          }
        };
    simulation.schedule(message, 1_000);
    simulation.run();
    assertThat(messages).hasSize(1);
  }

  @Test
  void shouldSendDeliveryModeAndTrigger() {
    entry(0, ENTRY | LEVEL_TRIGGERED | 4L << DELIVERY_MODE_SHIFT, 0);
    send(0, DEVICE, 0);
    assertThat(messages).extracting(Message::data).containsExactly(0x8000 | 4 << 8 | VECTOR);
  }

  @Test
  void shouldAddTheSubhandle() {
    entry(12, ENTRY, FROM_DEVICE);
    remapper.onMessage(DEVICE, handle(9) | MESSAGE_SUBHANDLE_VALID, 3, 0);
    assertThat(messages).hasSize(1);
  }

  @Test
  void shouldKnowHandlesOf16Bits() {
    remapper.setTable(TABLE, 65_536, false);
    entry(0xABCD, ENTRY, FROM_DEVICE);
    send(0xABCD, DEVICE, 0);
    assertThat(messages).hasSize(1);
    assertThat(reads).containsExactly(TABLE + 0xABCD * 16);
  }

  @Test
  void shouldSendToWideDestinationsIfTheTableIsExtended() {
    remapper.setTable(TABLE, ENTRIES, true);
    entry(0, PRESENT | VECTOR << VECTOR_SHIFT | 0x12345L << DESTINATION_SHIFT, 0);
    send(0, DEVICE, 0);
    // Destination 7:0 in address 19:12, 31:8 in address 63:40.
    assertThat(messages).extracting(Message::address).containsExactly(0x1_2300_FEE4_5000L);
  }

  @Test
  void shouldRefuseReservedBitsOfARequest() { // 20h
    remapper.onMessage(DEVICE, handle(9) | MESSAGE_SUBHANDLE_VALID, 0x1_0000, 100);
    assertFault(FaultReason.INTERRUPT_REQUEST_RESERVED, 9);
    assertThat(faults.get(0)).isEqualTo(new Fault(faults.get(0).reason(), DEVICE, 9, true, 3_100));
  }

  @Test
  void shouldRefuseAnIndexBeyondTheTable() { // 21h
    entry(ENTRIES, ENTRY, FROM_DEVICE);
    entry(ENTRIES - 1, ENTRY, FROM_DEVICE);
    remapper.onMessage(DEVICE, handle(ENTRIES - 1) | MESSAGE_SUBHANDLE_VALID, 1, 0);
    assertFault(FaultReason.INTERRUPT_INDEX_BEYOND_TABLE, ENTRIES);
    send(ENTRIES - 1, DEVICE, 0);
    assertThat(messages).hasSize(1);
  }

  @Test
  void shouldRefuseAnEntryThatIsNotPresent() { // 22h
    entry(5, ENTRY & ~PRESENT, FROM_DEVICE);
    send(5, DEVICE, 0);
    assertFault(FaultReason.INTERRUPT_ENTRY_NOT_PRESENT, 5);
    assertThat(faults.get(0).atPs()).isEqualTo(LOOKUP_PS + READ_PS);
  }

  @ParameterizedTest
  @ValueSource(longs = {64L << 20, 1L << 40, -4096})
  void shouldRefuseIfTheTableIsNotInMemory(long table) { // 23h
    remapper.setTable(table, ENTRIES, false);
    send(0, DEVICE, 0);
    assertFault(FaultReason.INTERRUPT_TABLE_INVALID, 0);
    assertThat(reads).isEmpty();
  }

  @Test
  void shouldRefuseEveryReservedBitOfAnEntry() { // 24h
    long lowFree = 0x0000_FF00_00FF_0FFFL; // Destination 47:40, vector, available, 7:0.
    for (int bit = 1; bit < 64; bit++) {
      boolean isFree = (lowFree & 1L << bit) != 0;
      assertRefusedIf(!isFree, PRESENT | 1L << bit, 0, "low " + bit);
    }
    for (int bit = 0; bit < 64; bit++) {
      assertRefusedIf(bit >= 20, PRESENT, 1L << bit, "high " + bit);
    }
    assertRefusedIf(true, PRESENT, 3L << VALIDATION_SHIFT, "validation 3");
    remapper.setTable(TABLE, ENTRIES, true);
    assertRefusedIf(false, PRESENT | -1L << DESTINATION_SHIFT, 0, "wide destination");
  }

  private void assertRefusedIf(boolean isRefused, long low, long high, String what) {
    faults.clear();
    entry(0, low, high);
    remapper.invalidateAllEntries(0);
    send(0, 0, 0); // From requester 0, so that the source is the right one.
    boolean isReserved =
        faults.stream().anyMatch(f -> f.reason() == FaultReason.INTERRUPT_ENTRY_RESERVED);
    assertThat(isReserved).as(what).isEqualTo(isRefused);
  }

  @Test
  void shouldBlockCompatibilityFormat() { // 25h
    remapper.onMessage(DEVICE, 0xFEE0_3000L, 0x99, 100);
    assertFault(FaultReason.INTERRUPT_COMPATIBILITY_BLOCKED, 0);
  }

  @Test
  void shouldPassCompatibilityFormatIfItIsToldSo() {
    remapper.setCompatibilityPassed(true);
    remapper.onMessage(DEVICE, 0xFEE0_3000L, 0x99, 100);
    assertThat(messages).containsExactly(new Message(DEVICE, 0xFEE0_3000L, 0x99, 100 + LOOKUP_PS));
    // Never if destinations are wide.
    remapper.setTable(TABLE, ENTRIES, true);
    remapper.onMessage(DEVICE, 0xFEE0_3000L, 0x99, 100);
    assertThat(faults)
        .extracting(Fault::reason)
        .containsExactly(FaultReason.INTERRUPT_COMPATIBILITY_BLOCKED);
  }

  @ParameterizedTest
  @CsvSource({
    // validation, qualifier, source of the entry, requester, allowed
    "0, 0, 0308, FFFF, true",
    "1, 0, 0308, 0308, true",
    "1, 0, 0308, 0309, false",
    "1, 0, 0308, 0708, false",
    "1, 1, 0308, 030C, true",
    "1, 1, 0308, 030A, false",
    "1, 1, 0308, 0309, false",
    "1, 2, 0308, 030E, true",
    "1, 2, 0308, 0309, false",
    "1, 3, 0308, 030F, true",
    "1, 3, 0308, 0310, false",
    "2, 0, 0305, 02FF, false",
    "2, 0, 0305, 0300, true",
    "2, 0, 0305, 05FF, true",
    "2, 0, 0305, 0600, false",
  })
  void shouldCheckWhoSends(
      long validation, long qualifier, String source, String requester, boolean isAllowed) { // 26h
    long high =
        validation << VALIDATION_SHIFT
            | qualifier << QUALIFIER_SHIFT
            | Integer.parseInt(source, 16);
    entry(1, ENTRY, high);
    for (int i = 1; i <= 2; i++) { // Also when the entry is remembered.
      send(1, Integer.parseInt(requester, 16), 0);
      assertThat(messages).hasSize(isAllowed ? i : 0);
      assertThat(faults).hasSize(isAllowed ? 0 : i);
    }
    assertThat(faults).allMatch(f -> f.reason() == FaultReason.INTERRUPT_SOURCE_REJECTED);
  }

  @Test
  void shouldRecordNoFaultsOfAnEntryThatSaysSo() {
    entry(0, FAULT_PROCESSING_DISABLE, 0);
    send(0, DEVICE, 0);
    entry(1, ENTRY | FAULT_PROCESSING_DISABLE | POSTED, 0);
    send(1, DEVICE, 0);
    entry(2, ENTRY | FAULT_PROCESSING_DISABLE, FROM_DEVICE);
    send(2, DEVICE + 1, 0);
    assertThat(faults).isEmpty();
    assertThat(remapper.refusedTotal()).isEqualTo(3);
    // What the entry has nothing to do with is recorded.
    send(ENTRIES, DEVICE, 0);
    assertThat(faults).hasSize(1);
  }

  @Test
  void shouldRememberEntries() {
    entry(1, ENTRY, FROM_DEVICE);
    send(1, DEVICE, 0);
    entry(1, 0, 0); // Not invalidated: the old one serves on.
    send(1, DEVICE, 1_000_000);
    // A message that comes while the entry is on its way waits for it.
    send(1, DEVICE, 10_000);
    long knownPs = LOOKUP_PS + READ_PS;
    assertThat(messages)
        .extracting(Message::atPs)
        .containsExactly(knownPs, 1_000_000 + LOOKUP_PS, knownPs);
    assertThat(remapper.cacheHitsTotal()).isEqualTo(2);
    assertThat(remapper.cacheMissesTotal()).isEqualTo(1);
  }

  @Test
  void shouldForgetTheEntryThatHasNotBeenUsedForLongest() {
    for (int i = 0; i < 4; i++) {
      entry(i, ENTRY, FROM_DEVICE);
      send(i, DEVICE, 0);
    }
    send(0, DEVICE, 0);
    entry(4, ENTRY, FROM_DEVICE);
    send(4, DEVICE, 0); // In place of 1.
    assertThat(remapper.cacheMissesTotal()).isEqualTo(5);
    send(0, DEVICE, 0);
    assertThat(remapper.cacheMissesTotal()).isEqualTo(5);
    send(1, DEVICE, 0);
    assertThat(remapper.cacheMissesTotal()).isEqualTo(6);
  }

  @Test
  void shouldNotRememberWhatIsNotPresent() {
    send(1, DEVICE, 0);
    entry(1, ENTRY, FROM_DEVICE);
    send(1, DEVICE, 0);
    assertThat(messages).hasSize(1);
  }

  @Test
  void shouldForgetWhatSoftwareInvalidatesWhenItIsDone() {
    for (int i = 4; i < 8; i++) {
      entry(i, ENTRY, FROM_DEVICE);
      send(i, DEVICE, 0);
      entry(i, 0, 0);
    }
    remapper.invalidateEntries(5, 2, 500_000);
    send(5, DEVICE, 499_999 - LOOKUP_PS);
    assertThat(faults).isEmpty();
    send(5, DEVICE, 500_000 - LOOKUP_PS);
    send(6, DEVICE, 600_000);
    assertThat(faults).hasSize(2);
    send(4, DEVICE, 600_000);
    send(7, DEVICE, 600_000);
    assertThat(faults).hasSize(2);
    remapper.invalidateAllEntries(700_000);
    send(4, DEVICE, 700_000);
    send(7, DEVICE, 700_000);
    assertThat(faults).hasSize(4);
  }

  @Test
  void shouldFillThePlaceOfAForgottenEntryFirst() {
    for (int i = 0; i < 4; i++) {
      entry(i, ENTRY, FROM_DEVICE);
      send(i, DEVICE, 0);
    }
    remapper.invalidateEntries(3, 1, 0);
    entry(4, ENTRY, FROM_DEVICE);
    send(4, DEVICE, 0);
    for (int i = 0; i < 3; i++) {
      send(i, DEVICE, 0);
    }
    assertThat(remapper.cacheMissesTotal()).isEqualTo(5);
  }

  @Test
  void shouldForgetEarlierRatherThanRememberInvalidationsForEver() {
    entry(1, ENTRY, FROM_DEVICE);
    send(1, DEVICE, 0);
    entry(1, 0, 0);
    remapper.invalidateEntries(1, 1, 1_000_000);
    for (int i = 0; i < 63; i++) {
      remapper.invalidateEntries(2, 1, 2_000_000);
    }
    send(1, DEVICE, 100_000);
    assertThat(faults).isEmpty();
    remapper.invalidateEntries(2, 1, 2_000_000);
    send(1, DEVICE, 100_000);
    assertThat(faults).hasSize(1);
  }

  @Test
  void shouldSurviveEveryMessageAndEveryTable() {
    SplittableRandom random = new SplittableRandom(5);
    for (int i = 0; i < 200_000; i++) {
      int index = random.nextInt(ENTRIES);
      long noise = random.nextInt(4) == 0 ? random.nextLong() : 1L << random.nextInt(64);
      boolean isLow = random.nextBoolean();
      entry(index, ENTRY ^ (isLow ? noise : 0), isLow ? FROM_DEVICE : FROM_DEVICE ^ noise);
      boolean isAnywhere = random.nextInt(8) == 0;
      long address = isAnywhere ? 0xFEE0_0000L | random.nextInt(1 << 20) : handle(index);
      int requesterId = random.nextInt(8) == 0 ? random.nextInt(1 << 16) : DEVICE;
      remapper.setTable(random.nextInt(9) == 0 ? random.nextLong() : TABLE, ENTRIES, i % 2 == 0);
      remapper.onMessage(requesterId, address, random.nextInt(), i);
    }
    long all = remapper.remappedTotal() + remapper.refusedTotal() + remapper.passedTotal();
    assertThat(all).isEqualTo(200_000);
    assertThat(remapper.remappedTotal()).isGreaterThan(20_000);
    assertThat(faults).extracting(Fault::reason).contains(FaultReason.INTERRUPT_ENTRY_RESERVED);
  }

  @Test
  void shouldAllocateNothing() {
    InterruptRemapper quiet =
        new InterruptRemapper(
            new InterruptConfig(4, 0),
            commits,
            new DeviceCachePort() {
              @Override
              public long read(long pa, int lengthBytes, boolean noSnoop, long atPs) {
                return atPs;
              }

              @Override
              public long write(long pa, int lengthBytes, boolean noSnoop, long atPs) {
                return atPs;
              }
            },
            (reason, sourceId, pasid, address, isWrite, atPs) -> {},
            (requesterId, address, data, atPs) -> {});
    quiet.setTable(TABLE, ENTRIES, false);
    quiet.setEnabled(true);
    entry(1, ENTRY, FROM_DEVICE);
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    exercise(quiet);
    threads.getCurrentThreadAllocatedBytes();
    // The least of three: the virtual machine itself may allocate once for code it links late.
    long least = Long.MAX_VALUE;
    for (int round = 0; round < 3; round++) {
      long before = threads.getCurrentThreadAllocatedBytes();
      exercise(quiet);
      least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
    }
    assertThat(least).isLessThan(1024);
    assertThat(quiet.remappedTotal()).isPositive();
  }

  private static void exercise(InterruptRemapper quiet) {
    for (int i = 0; i < 20_000; i++) {
      quiet.onMessage(DEVICE, handle(i & 7), 0, i);
      quiet.invalidateEntries(i & 7, 1, i);
    }
  }

  @Test
  void shouldRejectWhatCannotBe() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new InterruptConfig(0, 0))
        .withMessage("cachedEntries must be 1..256: cachedEntries=0");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new InterruptConfig(257, 0))
        .withMessage("cachedEntries must be 1..256: cachedEntries=257");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new InterruptConfig(1, -1))
        .withMessage("lookupPs must be 0..1000000000: lookupPs=-1");
  }
}
