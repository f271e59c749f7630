package io.github.bellwire.dma;

/**
 * The live mappings of a device, found by bus address.
 *
 * <p>A hash table with linear probing; an entry is four longs, so two of them share a cache line.
 * One bus address may have several entries: without translation, mapping a buffer twice gives the
 * same address twice. Allocates only when it has to double.
 *
 * <pre>{@code
 * word 0   iova
 * word 1   pa, host physical address of the original
 * word 2   bounce, host physical address of the copy, or NOT_BOUNCED
 * word 3   35 kind 34 | 33 direction 32 | 31 lengthBytes 0;   0: free entry
 * }</pre>
 */
final class MappingTable {
  /** Word 2 of a mapping that lies where the original lies. */
  static final long NOT_BOUNCED = -1;

  /** Returned instead of an entry. */
  static final int NOT_FOUND = -1;

  private static final int WORDS = 4;
  private static final int PA = 1;
  private static final int BOUNCE = 2;
  private static final int KEY = 3;
  private static final int DIRECTION_SHIFT = 32;
  private static final int KIND_SHIFT = 34;

  /** 2^64 divided by the golden ratio (Knuth, The Art of Computer Programming, section 6.4). */
  private static final long GOLDEN = 0x9e3779b97f4a7c15L;

  private long[] words;
  private int hashShift;
  private int count;

  /** Creates an empty table that need not grow up to a number of mappings. */
  MappingTable(int expectedMappings) {
    // At most half full, so that chains stay short.
    allocate(Integer.highestOneBit(Math.max(8, 2 * expectedMappings) - 1) << 1);
  }

  private void allocate(int entries) {
    words = new long[entries * WORDS];
    hashShift = Long.SIZE - Integer.numberOfTrailingZeros(entries);
  }

  int count() {
    return count;
  }

  /** {@return what identifies a mapping apart from its address} */
  static long key(int lengthBytes, DmaDirection direction, MappingKind kind) {
    return (long) kind.ordinal() << KIND_SHIFT
        | (long) direction.ordinal() << DIRECTION_SHIFT
        | lengthBytes;
  }

  void add(long iova, long pa, long bouncePa, long key) {
    if (2 * (count + 1) > words.length / WORDS) {
      grow();
    }
    insert(iova, pa, bouncePa, key);
    count++;
  }

  private void insert(long iova, long pa, long bouncePa, long key) {
    int entry = home(iova);
    while (words[entry + KEY] != 0) {
      entry = next(entry);
    }
    words[entry] = iova;
    words[entry + PA] = pa;
    words[entry + BOUNCE] = bouncePa;
    words[entry + KEY] = key;
  }

  /** Returns the entry of a mapping, or NOT_FOUND. */
  int find(long iova, long key) {
    int entry = home(iova);
    while (words[entry + KEY] != 0) {
      if (words[entry] == iova && words[entry + KEY] == key) {
        return entry;
      }
      entry = next(entry);
    }
    return NOT_FOUND;
  }

  /** Returns the first entry of an address that holds a range in that direction, or NOT_FOUND. */
  int findHolding(long iova, int offsetBytes, int lengthBytes, DmaDirection direction) {
    int entry = home(iova);
    while (words[entry + KEY] != 0) {
      if (words[entry] == iova && holds(entry, offsetBytes, lengthBytes, direction)) {
        return entry;
      }
      entry = next(entry);
    }
    return NOT_FOUND;
  }

  /**
   * Returns the entry of an address that agrees in most of length, direction and kind, the first of
   * several; NOT_FOUND if nothing is mapped there.
   */
  int findBest(long iova, long key) {
    int best = NOT_FOUND;
    int bestScore = -1;
    for (int entry = home(iova); words[entry + KEY] != 0; entry = next(entry)) {
      int score = words[entry] == iova ? score(words[entry + KEY] ^ key) : -1;
      if (score > bestScore) {
        best = entry;
        bestScore = score;
      }
    }
    return best;
  }

  private static int score(long difference) {
    return ((int) difference == 0 ? 1 : 0)
        + ((difference >>> DIRECTION_SHIFT & 3) == 0 ? 1 : 0)
        + (difference >>> KIND_SHIFT == 0 ? 1 : 0);
  }

  /** Returns the first entry of an address that holds a range, in whatever direction. */
  int findHolding(long iova, int offsetBytes, int lengthBytes) {
    for (int entry = home(iova); words[entry + KEY] != 0; entry = next(entry)) {
      if (words[entry] == iova && offsetBytes <= lengthBytes(entry) - lengthBytes) {
        return entry;
      }
    }
    return NOT_FOUND;
  }

  private boolean holds(int entry, int offsetBytes, int lengthBytes, DmaDirection direction) {
    int mapped = directionOrdinal(entry);
    return offsetBytes <= lengthBytes(entry) - lengthBytes
        && (mapped == direction.ordinal() || mapped == DmaDirection.BIDIRECTIONAL.ordinal());
  }

  long pa(int entry) {
    return words[entry + PA];
  }

  long bouncePa(int entry) {
    return words[entry + BOUNCE];
  }

  int lengthBytes(int entry) {
    return (int) words[entry + KEY];
  }

  MappingKind kind(int entry) {
    return MappingKind.values()[(int) (words[entry + KEY] >>> KIND_SHIFT)];
  }

  DmaDirection direction(int entry) {
    return DmaDirection.values()[directionOrdinal(entry)];
  }

  private int directionOrdinal(int entry) {
    return (int) (words[entry + KEY] >>> DIRECTION_SHIFT) & 3;
  }

  /** Removes an entry; the entries behind it move up, so that no chain is broken. */
  void remove(int entry) {
    int hole = entry;
    int candidate = next(entry);
    while (words[candidate + KEY] != 0) {
      int home = home(words[candidate]);
      // The candidate may move only if its home is not behind the hole.
      if (distance(home, candidate) >= distance(hole, candidate)) {
        System.arraycopy(words, candidate, words, hole, WORDS);
        hole = candidate;
      }
      candidate = next(candidate);
    }
    words[hole + KEY] = 0;
    count--;
  }

  /** Describes what is mapped at an address, for an error message. */
  String describe(long iova) {
    StringBuilder text = new StringBuilder();
    for (int entry = home(iova); words[entry + KEY] != 0; entry = next(entry)) {
      if (words[entry] == iova) {
        text.append(text.length() == 0 ? "" : ", ")
            .append(kind(entry))
            .append(' ')
            .append(direction(entry))
            .append(" of ")
            .append(lengthBytes(entry))
            .append(" B");
      }
    }
    return text.length() == 0 ? "nothing" : text.toString();
  }

  private void grow() {
    long[] old = words;
    allocate(old.length / WORDS * 2);
    for (int entry = 0; entry < old.length; entry += WORDS) {
      if (old[entry + KEY] != 0) {
        insert(old[entry], old[entry + PA], old[entry + BOUNCE], old[entry + KEY]);
      }
    }
  }

  private int home(long iova) {
    return (int) (iova * GOLDEN >>> hashShift) * WORDS;
  }

  private int next(int entry) {
    return entry + WORDS & words.length - 1;
  }

  private int distance(int from, int to) {
    return to - from & words.length - 1;
  }
}
