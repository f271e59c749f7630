package io.github.bellwire.dma.check;

import static io.github.bellwire.dma.check.CheckerBench.bytes;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.bellwire.dma.CoherentBuffer;
import io.github.bellwire.dma.DescriptorRing;
import org.junit.jupiter.api.Test;

/** Who writes and who fetches descriptors of 16 bytes, in a ring of 4. */
class RingShadowTest {
  private final CheckerBench bench = new CheckerBench();
  private final CoherentBuffer memory = bench.coherent(4096);
  private final DescriptorRing ring = bench.dma.newRing(memory, 16, 4);

  private void store(int index, long atPs) {
    bench.coreStores(ring.descriptorPa(index), 16, atPs);
  }

  private void doorbell(long atPs) {
    bench.checker.accessListener().onRegisterWrite(CheckerBench.REQUESTER, atPs);
  }

  private void fetch(int index, int value, long atPs) {
    bench.deviceReads(ring.descriptorIova(index), bytes(16, value), atPs);
  }

  private void announce(int index, long atPs) {
    store(index, atPs);
    ring.advanceTail(1);
    doorbell(atPs);
  }

  @Test
  void shouldAllowDescriptorsThatAreWrittenAndThenAnnounced() {
    for (int i = 0; i < 10; i++) {
      int index = ring.tail();
      announce(index, 1_000 * i);
      fetch(index, i, 1_000 * i + 500);
      ring.advanceHead(1);
    }

    assertThat(bench.found()).isEmpty();
  }

  /** The device says in a descriptor that it is done. */
  private void complete(int index, long atPs) {
    bench.deviceWrites(ring.descriptorIova(index) + 12, 4, atPs);
  }

  @Test
  void shouldFindThatADescriptorIsUsedBeforeItIsHandedOver() {
    announce(0, 1_000);
    fetch(1, 0, 2_000);
    assertThat(bench.found()).isEmpty(); // A look does no harm.

    complete(1, 2_500);

    DmaReport report = bench.onlyReport();
    assertThat(report.violation()).isEqualTo(DmaViolation.DOORBELL_BEFORE_DESCRIPTOR);
    assertThat(report.iova()).isEqualTo(ring.descriptorIova(1));
    assertThat(report.mapping()).isNotNull().returns(memory.iova(), MappingInfo::iova);
  }

  @Test
  void shouldFindThatADescriptorIsUsedAsItWasBeforeTheStore() {
    // The tail is moved late, so that only times tell.
    doorbell(1_000);
    fetch(0, 0, 1_500);
    store(0, 1_501);
    ring.advanceTail(1);

    complete(0, 2_000);

    assertThat(bench.found()).containsExactly(DmaViolation.DOORBELL_BEFORE_DESCRIPTOR);
    assertThat(bench.onlyReport().detail())
        .contains("stored at 1.501 ns and used as it had been fetched at 1.500 ns")
        .contains("told at 1.000 ns");
    complete(0, 2_500); // told once
    assertThat(bench.found()).hasSize(1);
  }

  /** An ownership bit in the last word is polled; no register is ever written but at the start. */
  @Test
  void shouldAllowADeviceThatPollsTheRingAndFetchesAhead() {
    doorbell(0); // The device is switched on.
    for (int i = 0; i < 10; i++) {
      int index = ring.tail();
      int ahead = ring.next(index);
      long startPs = 10_000L * i;
      fetch(index, i, startPs + 1_000); // not its own yet
      fetch(ahead, i, startPs + 1_000);
      bench.coreStores(ring.descriptorPa(index), 12, startPs + 2_000);
      fetch(index, i + 50, startPs + 2_500); // still not
      bench.coreStores(ring.descriptorPa(index) + 12, 4, startPs + 3_000);
      ring.advanceTail(1);
      fetch(index, i + 100, startPs + 4_000);
      fetch(ahead, i, startPs + 4_000);
      complete(index, startPs + 5_000);
      ring.advanceHead(1);
    }

    assertThat(bench.found()).isEmpty();
  }

  @Test
  void shouldAllowADeviceThatFindsItsFirstDescriptorReady() {
    doorbell(0);
    store(0, 1_000);
    ring.advanceTail(1);
    fetch(0, 1, 2_000);
    complete(0, 3_000);

    assertThat(bench.found()).isEmpty();
  }

  @Test
  void shouldAllowADeviceThatLooksWhileACoreIsAheadOfTheClock() {
    store(0, 5_000);
    ring.advanceTail(1);
    fetch(0, 0, 3_000);
    fetch(0, 7, 5_000);
    complete(0, 6_000);

    assertThat(bench.found()).isEmpty();
  }

  @Test
  void shouldAllowADeviceThatLooksAtTheLastWordOnlyOnceMore() {
    fetch(0, 0, 1_000);
    bench.coreStores(ring.descriptorPa(0) + 12, 4, 2_000);
    ring.advanceTail(1);
    bench.deviceReads(ring.descriptorIova(0) + 12, bytes(4, 1), 3_000);
    complete(0, 4_000);

    assertThat(bench.found()).isEmpty();
  }

  @Test
  void shouldLetADevicePutEntriesIntoARing() {
    complete(0, 1_000);
    complete(1, 2_000);
    complete(0, 3_000);

    assertThat(bench.found()).isEmpty();
  }

  @Test
  void shouldMindOnlyStoresToWhatTheDeviceHasFetched() {
    bench.coreStores(ring.descriptorPa(0), 8, 1_000);
    ring.advanceTail(1);
    bench.deviceReads(ring.descriptorIova(0), bytes(8, 1), 2_000);
    bench.coreStores(ring.descriptorPa(0) + 8, 4, 2_500); // the driver's own notes
    complete(0, 3_000);

    assertThat(bench.found()).isEmpty();
  }

  @Test
  void shouldAllowADescriptorThatIsNotAnnouncedYet() {
    announce(0, 1_000);
    store(1, 1_500);
    ring.advanceTail(1);

    fetch(0, 0, 2_000);
    store(1, 2_500); // corrected before the device knows

    assertThat(bench.found()).isEmpty();
  }

  @Test
  void shouldFindAStoreToADescriptorThatTheDeviceHas() {
    announce(0, 1_000);

    bench.coreStores(ring.descriptorPa(0) + 12, 4, 1_100);

    assertThat(bench.found()).containsExactly(DmaViolation.DOORBELL_BEFORE_DESCRIPTOR);
  }

  @Test
  void shouldAllowAStoreToADescriptorThatTheDeviceHasCompleted() {
    announce(0, 1_000);
    fetch(0, 0, 1_500);
    bench.deviceWrites(ring.descriptorIova(0) + 8, 8, 2_000);

    store(0, 3_000);

    assertThat(bench.found()).isEmpty();
  }

  @Test
  void shouldFindADescriptorThatHasChangedBetweenFetches() {
    announce(0, 1_000);
    fetch(0, 7, 2_000);
    fetch(0, 7, 3_000);
    assertThat(bench.found()).isEmpty();

    bench.deviceReads(ring.descriptorIova(0) + 4, bytes(4, 8), 4_000);

    assertThat(bench.found()).containsExactly(DmaViolation.DESCRIPTOR_FETCHED_TWICE);
  }

  @Test
  void shouldAllowWhatTheDeviceItselfHasChanged() {
    announce(0, 1_000);
    fetch(0, 7, 2_000);
    bench.deviceWrites(ring.descriptorIova(0), 16, 2_500);

    fetch(0, 8, 3_000);

    assertThat(bench.found()).isEmpty();
  }

  @Test
  void shouldStartAgainWithTheRing() {
    announce(0, 1_000);
    announce(1, 1_000);
    fetch(0, 7, 2_000);
    ring.reset();

    store(0, 3_000);
    announce(0, 3_000);
    fetch(0, 8, 4_000);

    assertThat(bench.found()).isEmpty();
  }

  @Test
  void shouldEndWithItsMemory() {
    announce(0, 1_000);
    bench.port.nowPs = 2_000;
    bench.dma.freeCoherent(bench.port, memory);
    CoherentBuffer again = bench.coherent(4096);
    assertThat(again.pa()).isEqualTo(memory.pa());

    bench.deviceReads(again.iova() + 16, 16, 3_000);

    assertThat(bench.found()).isEmpty();
  }

  @Test
  void shouldFindADescriptorThatIsUsedAsFetchedBeforeItIsStored() {
    // Nobody has ever rung a doorbell.
    store(0, 3_000);
    ring.advanceTail(1);

    fetch(0, 0, 2_999);
    complete(0, 3_500);

    assertThat(bench.found()).containsExactly(DmaViolation.DOORBELL_BEFORE_DESCRIPTOR);
    fetch(0, 0, 3_000);
    complete(0, 4_000);
    assertThat(bench.found()).hasSize(1);
  }

  @Test
  void shouldNotCompareWithARoundBefore() {
    for (int i = 0; i < 5; i++) {
      int index = ring.tail();
      announce(index, 1_000 * i);
      bench.deviceReads(ring.descriptorIova(index), bytes(8, i), 1_000 * i + 500);
      bench.deviceReads(ring.descriptorIova(index) + 8, bytes(8, i), 1_000 * i + 500);
      ring.advanceHead(1);
    }

    assertThat(bench.found()).isEmpty();
  }
}
