package io.github.bellwire.pcie;

import java.util.Arrays;

/**
 * The translations that a device keeps (address translation cache of ATS): set-associative, least
 * recently used first out, tagged by process address space. An entry holds a whole range, of 4 KiB
 * or larger, and the rights that came with it.
 *
 * <p>An entry can be found from the request on, and used when its answer has come: who finds it
 * before waits. It is taken out as soon as its invalidation is known, which is earlier than the
 * message is at the device by its way there; the answer waits for the uses that have begun. Hits
 * take no time. Allocates nothing after construction.
 */
public final class DeviceTlb {
  private static final int PAGE_SHIFT = 12;
  private static final int NONE = -1;

  private final int waysCount;
  private final int setsMask;
  // Each entry: first byte, size (0: empty) and what belongs to it.
  private final long[] iovas;
  private final long[] sizesBytes;
  private final int[] pasids;
  private final long[] entries;
  private final long[] readyPs;
  private final long[] usedUntilPs;
  private final long[] lastUses;
  // Bit n: there has been an entry of 2^n bytes, so that lookups must try its set.
  private long sizesSeen;
  private long uses;

  private long hitsTotal;
  private long missesTotal;
  private long invalidatedTotal;

  /**
   * Creates an empty cache.
   *
   * @param config its size
   */
  public DeviceTlb(DeviceTlbConfig config) {
    waysCount = config.waysCount();
    setsMask = config.setsCount() - 1;
    int count = config.setsCount() * waysCount;
    iovas = new long[count];
    sizesBytes = new long[count];
    pasids = new int[count];
    entries = new long[count];
    readyPs = new long[count];
    usedUntilPs = new long[count];
    lastUses = new long[count];
  }

  /**
   * Looks an address up, and counts a hit or a miss.
   *
   * @param pasid the process address space, or {@link TranslationRequest#NO_PASID}
   * @param iova any address
   * @return the entry's index, for the methods below until the next insertion; -1 if there is none
   */
  public int find(int pasid, long iova) {
    for (long sizes = sizesSeen; sizes != 0; sizes &= sizes - 1) {
      int index = findSize(pasid, iova, Long.numberOfTrailingZeros(sizes));
      if (index != NONE) {
        hitsTotal++;
        lastUses[index] = ++uses;
        return index;
      }
    }
    missesTotal++;
    return NONE;
  }

  /**
   * Keeps a translation, in the place of the one that has not been used for longest. What the cache
   * has had of the same addresses gives way: the newer answer counts, whatever its size and rights.
   * Uses of that which have begun go on, as uses of the new entry.
   *
   * @param pasid the process address space, or {@link TranslationRequest#NO_PASID}
   * @param iova any address of its range
   * @param entry as it came in the completion, see {@link AtsLayout}
   * @param atPs when that has arrived, in picoseconds
   * @return the entry's index
   */
  public int insert(int pasid, long iova, long entry, long atPs) {
    long sizeBytes = AtsLayout.rangeBytes(entry);
    int shift = Long.numberOfTrailingZeros(sizeBytes);
    long usedPs = replace(pasid, iova & -sizeBytes, sizeBytes, atPs);
    int victim = victim(iova, shift);
    sizesSeen |= 1L << shift;
    iovas[victim] = iova & -sizeBytes;
    sizesBytes[victim] = sizeBytes;
    pasids[victim] = pasid;
    entries[victim] = entry;
    readyPs[victim] = atPs;
    usedUntilPs[victim] = usedPs;
    lastUses[victim] = ++uses;
    return victim;
  }

  /**
   * {@return what an address means to the host}
   *
   * @param index of its entry
   * @param iova an address of the entry's range
   */
  public long address(int index, long iova) {
    return AtsLayout.address(entries[index]) + (iova - iovas[index]);
  }

  /**
   * {@return whether an entry allows an access}
   *
   * @param index of the entry
   * @param isWrite whether the device writes
   */
  public boolean allows(int index, boolean isWrite) {
    return (entries[index] & (isWrite ? AtsLayout.ENTRY_WRITE : AtsLayout.ENTRY_READ)) != 0;
  }

  /**
   * {@return when an entry can be used, in picoseconds}
   *
   * @param index of the entry
   */
  public long readyPs(int index) {
    return readyPs[index];
  }

  /**
   * Takes note that a request uses an entry.
   *
   * @param index of the entry
   * @param untilPs when the read is answered, or the write has left
   */
  public void use(int index, long untilPs) {
    usedUntilPs[index] = Math.max(usedUntilPs[index], untilPs);
  }

  /**
   * Takes entries out, see {@link Endpoint#onInvalidateRequest}.
   *
   * @param pasid the process address space, or {@link TranslationRequest#NO_PASID}
   * @param iova first byte, a multiple of {@code sizeBytes}
   * @param sizeBytes a power of two, at least 4096
   * @param arrivalPs when the request is at the device, in picoseconds
   * @return when no use of the entries is under way any more, not before {@code arrivalPs}
   */
  public long invalidate(int pasid, long iova, long sizeBytes, long arrivalPs) {
    long donePs = arrivalPs;
    for (int i = 0; i < sizesBytes.length; i++) {
      if (overlaps(i, pasid, iova, sizeBytes)) {
        sizesBytes[i] = 0;
        donePs = Math.max(donePs, usedUntilPs[i]);
        invalidatedTotal++;
      }
    }
    return donePs;
  }

  /** Takes all entries out, as a reset does. */
  public void clear() {
    Arrays.fill(sizesBytes, 0);
  }

  /** {@return lookups that have found an entry} */
  public long hitsTotal() {
    return hitsTotal;
  }

  /** {@return lookups that have found none} */
  public long missesTotal() {
    return missesTotal;
  }

  /** {@return entries taken out by invalidations} */
  public long invalidatedTotal() {
    return invalidatedTotal;
  }

  /**
   * Takes entries out that an answer is newer than; returns when the last of their uses is over.
   */
  private long replace(int pasid, long iova, long sizeBytes, long atPs) {
    long untilPs = atPs;
    for (int i = 0; i < sizesBytes.length; i++) {
      if (overlaps(i, pasid, iova, sizeBytes)) {
        sizesBytes[i] = 0;
        untilPs = Math.max(untilPs, usedUntilPs[i]);
      }
    }
    return untilPs;
  }

  /** Both are aligned powers of two: they overlap if the larger holds the smaller. */
  private boolean overlaps(int index, int pasid, long iova, long sizeBytes) {
    long mask = -Math.max(sizesBytes[index], sizeBytes);
    return sizesBytes[index] != 0
        && pasids[index] == pasid
        && (iovas[index] & mask) == (iova & mask);
  }

  private int findSize(int pasid, long iova, int shift) {
    long sizeBytes = 1L << shift;
    int first = firstOfSet(iova, shift);
    for (int i = first; i < first + waysCount; i++) {
      if (sizesBytes[i] == sizeBytes && iovas[i] == (iova & -sizeBytes) && pasids[i] == pasid) {
        return i;
      }
    }
    return NONE;
  }

  private int victim(long iova, int shift) {
    int first = firstOfSet(iova, shift);
    int victim = first;
    for (int i = first; i < first + waysCount; i++) {
      if (sizesBytes[i] == 0) {
        return i;
      }
      victim = lastUses[i] < lastUses[victim] ? i : victim;
    }
    return victim;
  }

  private int firstOfSet(long iova, int shift) {
    assert shift >= PAGE_SHIFT : "no entry is smaller than a page";
    return ((int) (iova >>> shift) & setsMask) * waysCount;
  }
}
