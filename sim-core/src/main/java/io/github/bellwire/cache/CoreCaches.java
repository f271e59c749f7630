package io.github.bellwire.cache;

import java.util.Arrays;

/**
 * The tags of one core's private caches. The first level says only how near a line is; whether a
 * line is there at all and dirty is known at the second level, which includes the first.
 */
final class CoreCaches {
  private static final long ABSENT = -1;

  private final int l1Mask;
  private final int l1Ways;
  private final long[] l1Lines;
  private final byte[] l1Next;
  private final int l2Mask;
  private final int l2Bits;
  private final TagArray l2;

  CoreCaches(CoreCacheConfig config, long seed) {
    l1Mask = config.l1Sets() - 1;
    l1Ways = config.l1Ways();
    l1Lines = new long[config.l1Sets() * l1Ways];
    Arrays.fill(l1Lines, ABSENT);
    l1Next = new byte[config.l1Sets()];
    l2Mask = config.l2Sets() - 1;
    l2Bits = Integer.numberOfTrailingZeros(config.l2Sets());
    l2 = new TagArray(config.l2Sets(), config.l2Ways(), seed);
  }

  boolean isInL1(long line) {
    int base = ((int) line & l1Mask) * l1Ways;
    for (int way = 0; way < l1Ways; way++) {
      if (l1Lines[base + way] == line) {
        return true;
      }
    }
    return false;
  }

  /** {@return the way of the second level that holds a line, or {@link TagArray#NOWHERE}} */
  int find(long line) {
    return l2.find((int) line & l2Mask, (int) (line >>> l2Bits));
  }

  boolean isDirty(long line, int way) {
    return l2.isDirty((int) line & l2Mask, way);
  }

  void setDirty(long line, int way, boolean isDirty) {
    l2.setDirty((int) line & l2Mask, way, isDirty);
  }

  /** Brings a line of the second level to the first; replaces round robin. */
  void promote(long line) {
    int set = (int) line & l1Mask;
    int next = l1Next[set];
    l1Lines[set * l1Ways + next] = line;
    l1Next[set] = (byte) (next + 1 == l1Ways ? 0 : next + 1);
  }

  /** {@return the way of the second level to fill with a line that is absent} */
  int victimWay(long line) {
    return l2.victim((int) line & l2Mask, l2.allWays());
  }

  /** {@return whether there is a line in a way of the set that a line belongs to} */
  boolean holdsAny(long line, int way) {
    return !l2.isEmpty((int) line & l2Mask, way);
  }

  /** {@return the line in a way of the set that a line belongs to} */
  long lineAt(long line, int way) {
    int set = (int) line & l2Mask;
    return (long) l2.tag(set, way) << l2Bits | set;
  }

  /** Puts an absent line into an empty way. */
  void put(long line, int way) {
    l2.put((int) line & l2Mask, way, (int) (line >>> l2Bits));
    promote(line);
  }

  /** {@return whether the line was here and dirty; it is not here any more} */
  boolean remove(long line) {
    int way = find(line);
    if (way == TagArray.NOWHERE) {
      return false;
    }
    boolean wasDirty = isDirty(line, way);
    l2.remove((int) line & l2Mask, way);
    int base = ((int) line & l1Mask) * l1Ways;
    for (int i = base; i < base + l1Ways; i++) {
      if (l1Lines[i] == line) {
        l1Lines[i] = ABSENT;
        break;
      }
    }
    return wasDirty;
  }
}
