package io.github.bellwire.iommu.walk;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.bellwire.iommu.layout.ContextEntryLayout;
import io.github.bellwire.iommu.layout.FirstLevelLayout;
import io.github.bellwire.iommu.layout.PasidLayout;
import io.github.bellwire.iommu.layout.SecondLevelLayout;
import io.github.bellwire.pcie.AddressType;
import io.github.bellwire.pcie.DmaStatus;
import io.github.bellwire.pcie.TranslationRequest;
import java.util.Random;

/**
 * Writes nonsense into tables, now legacy ones, now those of both levels, and compares what becomes
 * of a request with a walk that is as simple as can be. Every byte that the unit writes is one of
 * an entry that it has walked through.
 */
final class CorruptTables {
  private static final long IOVA = 0x4000_0000L;
  private static final long PA = 0x800_0000L;
  private static final long TABLES = 0x10_0000L;
  private static final int PAGES = 16;
  private static final long PATTERN = 0x5A5A_5A5A_5A5A_5A5AL;

  private final WalkFixture fixture;
  private final ReferenceWalk reference;
  private final Random random;
  private final long seed;
  private final long tables;
  private long endOfTables;
  private long endOfPattern;
  private final int[] corrupted = new int[4];
  private long[] good = new long[0];

  CorruptTables(TranslationConfig config, long seed) {
    this.seed = seed;
    fixture = new WalkFixture(config);
    reference = new ReferenceWalk(fixture.memory, 46, 0b1110);
    random = new Random(seed);
    tables = fixture.legacy(WalkFixture.SOURCE, 7, 4, ContextEntryLayout.TRANSLATE);
  }

  void run(int corruptions) {
    for (int i = 0; i < PAGES; i++) {
      fixture.map(tables, 4, IOVA + i * 0x1000L, PA + i * 0x1000L, 1, 3);
    }
    keep();
    int refused = 0;
    for (int i = 0; i < corruptions * 9 / 10; i++) {
      corrupt(i);
      refused += askLegacy(i) ? 0 : 1;
      restore(i);
    }
    assertThat(refused).as("seed %d", seed).isBetween(corruptions / 20, corruptions * 4 / 5);
    restoreAll();
    assertUnchanged(0); // Nothing of this format writes to memory.
    runNested(corruptions / 10);
  }

  private void runNested(int corruptions) {
    long first = fixture.table();
    long second = fixture.table();
    fixture.scalable(PasidLayout.NESTED, first, second);
    fixture.map(second, 4, 0, 0, 3, 3);
    for (int i = 0; i < PAGES; i++) {
      fixture.mapFirst(
          first,
          IOVA + i * 0x1000L,
          0x1000L * i,
          1,
          FirstLevelLayout.USER | FirstLevelLayout.WRITE);
    }
    endOfPattern = PA + 0x10_0000;
    for (long pa = PA; pa < endOfPattern; pa += Long.BYTES) {
      fixture.memory.putLong(pa, PATTERN);
    }
    keep();
    int passed = 0;
    for (int i = 0; i < corruptions; i++) {
      corrupt(i);
      forget();
      long iova = IOVA + random.nextInt(PAGES) * 0x1000L;
      DmaStatus status =
          fixture.ask(
              WalkFixture.SOURCE,
              random.nextBoolean() ? WalkFixture.PASID : TranslationRequest.NO_PASID,
              AddressType.UNTRANSLATED,
              iova,
              random.nextBoolean(),
              0);
      passed += status == DmaStatus.OK ? 1 : 0;
      restore(i);
    }
    assertThat(passed).as("seed %d", seed).isBetween(corruptions / 5, corruptions);
    restoreAll();
    // Accessed and dirty bits may be set where a corrupted entry points to, and nothing else.
    assertUnchanged(
        FirstLevelLayout.ACCESSED
            | FirstLevelLayout.DIRTY
            | SecondLevelLayout.ACCESSED
            | SecondLevelLayout.DIRTY);
  }

  /** All of memory is as it was, but for some bits. */
  private void assertUnchanged(long marks) {
    for (long pa = 0; pa < WalkFixture.LOW_BYTES; pa += Long.BYTES) {
      long was = 0;
      if (pa >= TABLES && pa < endOfTables) {
        was = good[(int) (pa - TABLES) / Long.BYTES];
      } else if (pa >= PA && pa < endOfPattern) {
        was = PATTERN;
      }
      long difference = (fixture.memory.getLong(pa) ^ was) & ~(was == 0 ? 0 : marks);
      if (difference != 0) { // An empty entry is not present, and is never marked.
        throw new AssertionError(
            String.format("seed %d: 0x%x at 0x%x has changed", seed, difference, pa));
      }
    }
  }

  private void keep() {
    endOfTables = fixture.table();
    good = new long[(int) (endOfTables - TABLES) / Long.BYTES];
    for (int i = 0; i < good.length; i++) {
      good[i] = fixture.memory.getLong(TABLES + (long) i * Long.BYTES);
    }
  }

  /** Half of the time where something has been, the other half anywhere. */
  private void corrupt(int round) {
    int index = random.nextInt(good.length);
    for (int i = 0; i < 200 && good[index] == 0; i++) {
      index = index + 1 == good.length ? 0 : index + 1;
    }
    corrupted[round % corrupted.length] = index;
    long pa = TABLES + (long) index * Long.BYTES;
    long value = good[index];
    switch (random.nextInt(4)) {
      case 0:
        value = random.nextLong();
        break;
      case 1: // Somewhere in memory, or just not.
        value = random.nextLong() & 0x1FFF_F003L;
        break;
      case 2:
        value ^= 1L << random.nextInt(Long.SIZE);
        break;
      default: // Into the tables themselves.
        value = TABLES + ((long) random.nextInt(good.length >> 9) << 12) | random.nextInt(4);
        break;
    }
    fixture.memory.putLong(pa, value);
  }

  private void restore(int round) {
    if (round % corrupted.length == corrupted.length - 1) { // They add up.
      restoreAll();
    }
  }

  private void restoreAll() {
    for (int index : corrupted) {
      fixture.memory.putLong(TABLES + (long) index * Long.BYTES, good[index]);
    }
  }

  private void forget() {
    fixture.faults.clear();
    fixture.unit.caches().invalidateContexts(0);
    fixture.unit.caches().invalidatePasids(0);
    fixture.unit.caches().invalidateIotlb(0);
  }

  private boolean askLegacy(int round) {
    forget();
    long iova = IOVA + random.nextInt(PAGES) * 0x1000L + random.nextInt(0xFC0);
    boolean isWrite = random.nextBoolean();
    boolean isPassed = fixture.ask(iova, isWrite, 0) == DmaStatus.OK;
    long expected = reference.pa(fixture.root, WalkFixture.SOURCE, iova, isWrite);
    if (isPassed ? fixture.result.pa() != expected : expected != -1) {
      throw new AssertionError(
          String.format(
              "seed %d, round %d: expected 0x%x, was %s",
              seed,
              round,
              expected,
              isPassed ? Long.toHexString(fixture.result.pa()) : fixture.faults.toString()));
    }
    if (!isPassed && fixture.faults.size() > 1) {
      throw new AssertionError("more than one fault: " + fixture.faults);
    }
    return isPassed;
  }
}
