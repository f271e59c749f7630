package io.github.bellwire.cache;

import io.github.bellwire.memory.MemoryController;
import java.util.Arrays;

/**
 * A set-associative last-level cache that devices and cores share, and a direct-mapped private
 * cache per core.
 *
 * <ul>
 *   <li>A device read is served by the last-level cache, or by DRAM without allocating.
 *   <li>A device write updates or allocates in the last-level cache and invalidates core copies; a
 *       line written in part is fetched first when it is absent.
 *   <li>A core load allocates in both.
 * </ul>
 *
 * <p>Replacement is round robin per set. Writing back a dirty victim occupies DRAM but nobody waits
 * for it. Allocates nothing after construction. Confined to the simulation thread.
 */
public final class SimpleCacheHierarchy implements CacheHierarchy {
  private static final int LINE_SHIFT = 6;
  private static final long ABSENT = -1;

  private final SimpleCacheConfig config;
  private final MemoryController dram;
  private final int setMask;
  private final int ways;
  private final int coreMask;
  private final long[] llcLines;
  // Which cores may hold a copy, one bit each: only those are looked at when it must go.
  private final long[] sharers;
  private final int[] dirtyWays;
  private final byte[] nextVictim;
  // Where a set was hit last: most likely the next hit.
  private final byte[] recentWays;
  private final long[][] coreLines;

  private long deviceReadHitsTotal;
  private long deviceReadMissesTotal;
  private long deviceWriteHitsTotal;
  private long deviceWriteMissesTotal;

  /**
   * Creates an empty hierarchy.
   *
   * @param config sizes and latencies
   * @param coresCount private caches, at least 1
   * @param dram what lies behind the last-level cache
   */
  public SimpleCacheHierarchy(SimpleCacheConfig config, int coresCount, MemoryController dram) {
    this.config = config;
    this.dram = dram;
    setMask = config.llcSets() - 1;
    ways = config.llcWays();
    coreMask = config.coreLines() - 1;
    llcLines = new long[config.llcSets() * ways];
    Arrays.fill(llcLines, ABSENT);
    sharers = new long[llcLines.length];
    dirtyWays = new int[config.llcSets()];
    nextVictim = new byte[config.llcSets()];
    recentWays = new byte[config.llcSets()];
    coreLines = new long[coresCount][config.coreLines()];
    for (long[] lines : coreLines) {
      Arrays.fill(lines, ABSENT);
    }
  }

  @Override
  public long deviceRead(long pa, int lengthBytes, long atPs) {
    long lastLine = pa + lengthBytes - 1 >>> LINE_SHIFT;
    long donePs = atPs + config.llcHitPs();
    for (long line = pa >>> LINE_SHIFT; line <= lastLine; line++) {
      if (find(line) >= 0) {
        deviceReadHitsTotal++;
      } else {
        deviceReadMissesTotal++;
        long missPs = atPs + config.llcHitPs();
        donePs = Math.max(donePs, dram.read(line << LINE_SHIFT, LINE_BYTES, missPs));
      }
    }
    return donePs;
  }

  @Override
  public long deviceWrite(long pa, int lengthBytes, long atPs) {
    long end = pa + lengthBytes;
    long lastLine = end - 1 >>> LINE_SHIFT;
    long donePs = atPs + config.llcHitPs();
    for (long line = pa >>> LINE_SHIFT; line <= lastLine; line++) {
      int way = find(line);
      if (way >= 0) {
        deviceWriteHitsTotal++;
      } else {
        deviceWriteMissesTotal++;
        boolean isPartial = line << LINE_SHIFT < pa || line + 1 << LINE_SHIFT > end;
        if (isPartial) {
          long fetchedPs = dram.read(line << LINE_SHIFT, LINE_BYTES, atPs + config.llcHitPs());
          donePs = Math.max(donePs, fetchedPs);
        }
        way = allocate(line, atPs);
      }
      dirtyWays[(int) line & setMask] |= 1 << way;
      invalidateCoreCopies(line, way);
    }
    return donePs;
  }

  @Override
  public long coreLoad(int coreIndex, long pa, int lengthBytes, long atPs) {
    long[] core = coreLines[coreIndex];
    long lastLine = pa + lengthBytes - 1 >>> LINE_SHIFT;
    long donePs = atPs + config.coreHitPs();
    for (long line = pa >>> LINE_SHIFT; line <= lastLine; line++) {
      if (core[(int) line & coreMask] != line) {
        donePs = Math.max(donePs, loadBeyondCore(coreIndex, line, atPs));
        core[(int) line & coreMask] = line;
      }
    }
    return donePs;
  }

  @Override
  public long coreStore(int coreIndex, long pa, int lengthBytes, long atPs) {
    long lastLine = pa + lengthBytes - 1 >>> LINE_SHIFT;
    long donePs = atPs;
    for (long line = pa >>> LINE_SHIFT; line <= lastLine; line++) {
      donePs += config.storePs();
      int way = find(line);
      if (way < 0) {
        way = allocate(line, atPs);
      }
      dirtyWays[(int) line & setMask] |= 1 << way;
      invalidateCoreCopies(line, way);
      coreLines[coreIndex][(int) line & coreMask] = line;
      sharers[slot(line, way)] = 1L << coreIndex;
    }
    return donePs;
  }

  /** {@return lines that devices read and found in the last-level cache} */
  public long deviceReadHitsTotal() {
    return deviceReadHitsTotal;
  }

  /** {@return lines that devices read and that came from DRAM} */
  public long deviceReadMissesTotal() {
    return deviceReadMissesTotal;
  }

  /** {@return lines that devices wrote and found in the last-level cache} */
  public long deviceWriteHitsTotal() {
    return deviceWriteHitsTotal;
  }

  /** {@return lines that devices wrote and that had to be allocated} */
  public long deviceWriteMissesTotal() {
    return deviceWriteMissesTotal;
  }

  private long loadBeyondCore(int coreIndex, long line, long atPs) {
    long llcPs = atPs + config.llcHitPs() + config.coreHitPs();
    int way = find(line);
    if (way >= 0) {
      sharers[slot(line, way)] |= 1L << coreIndex;
      return llcPs;
    }
    sharers[slot(line, allocate(line, atPs))] = 1L << coreIndex;
    return dram.read(line << LINE_SHIFT, LINE_BYTES, llcPs);
  }

  private int find(long line) {
    int set = (int) line & setMask;
    int base = set * ways;
    int recent = recentWays[set];
    if (llcLines[base + recent] == line) {
      return recent;
    }
    for (int way = 0; way < ways; way++) {
      if (llcLines[base + way] == line) {
        recentWays[set] = (byte) way;
        return way;
      }
    }
    return -1;
  }

  private int allocate(long line, long atPs) {
    int set = (int) line & setMask;
    int way = nextVictim[set];
    nextVictim[set] = (byte) (way + 1 == ways ? 0 : way + 1);
    int bit = 1 << way;
    long victim = llcLines[set * ways + way];
    if ((dirtyWays[set] & bit) != 0) {
      dram.write(victim << LINE_SHIFT, LINE_BYTES, atPs);
      dirtyWays[set] &= ~bit;
    }
    if (victim != ABSENT) {
      invalidateCoreCopies(victim, way);
    }
    llcLines[set * ways + way] = line;
    recentWays[set] = (byte) way;
    return way;
  }

  private void invalidateCoreCopies(long line, int way) {
    int slot = slot(line, way);
    long cores = sharers[slot];
    if (cores == 0) {
      return;
    }
    sharers[slot] = 0;
    int index = (int) line & coreMask;
    while (cores != 0) {
      long[] core = coreLines[Long.numberOfTrailingZeros(cores)];
      // The core may have replaced it since.
      if (core[index] == line) {
        core[index] = ABSENT;
      }
      cores &= cores - 1;
    }
  }

  private int slot(long line, int way) {
    return ((int) line & setMask) * ways + way;
  }
}
