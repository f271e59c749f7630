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
 * <p>All root ports go the same way: on socket 0, allocating, and snooped even without need.
 * Replacement is round robin per set. Writing back a dirty victim occupies DRAM but nobody waits
 * for it. Allocates nothing after construction. Confined to the simulation thread.
 */
public final class SimpleCacheHierarchy implements CacheHierarchy {
  private static final int LINE_SHIFT = 6;
  private static final long ABSENT = -1;

  private static final int STATE_WORDS = 4;
  private static final int RECENT_LINE = 0;
  private static final int SHARERS = 1;
  private static final int DIRTY_WAYS = 2;
  private static final int WAYS = 3;
  private static final int VICTIM_SHIFT = 8;
  private static final int WAY_MASK = 0xff;

  private final SimpleCacheConfig config;
  private final MemoryController dram;
  private final int setMask;
  private final int ways;
  private final int coreMask;
  private final long[] llcLines;
  // Per set, side by side because they are used together: the line hit last, which is most likely
  // the next hit; the cores that may hold copies of the set's lines; and the packed rest.
  private final long[] setStates;
  private final long[][] coreLines;
  private final Port port = new Port();

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
    setStates = new long[config.llcSets() * STATE_WORDS];
    for (int i = RECENT_LINE; i < setStates.length; i += STATE_WORDS) {
      setStates[i] = ABSENT;
    }
    coreLines = new long[coresCount][config.coreLines()];
    for (long[] lines : coreLines) {
      Arrays.fill(lines, ABSENT);
    }
  }

  @Override
  public DeviceCachePort devicePort(DevicePortConfig config) {
    if (!config.equals(DevicePortConfig.DEFAULT)) {
      throw new IllegalArgumentException(
          "config must be " + DevicePortConfig.DEFAULT + ": " + config);
    }
    return port;
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
      markDirty(line, way);
      long[] own = coreLines[coreIndex];
      int index = (int) line & coreMask;
      boolean isOwn = own[index] == line;
      invalidateCoreCopies(line);
      own[index] = line;
      if (!isOwn) {
        share(line, coreIndex);
      }
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
    share(line, coreIndex);
    if (find(line) >= 0) {
      return llcPs;
    }
    allocate(line, atPs);
    return dram.read(line << LINE_SHIFT, LINE_BYTES, llcPs);
  }

  /**
   * {@return the set of a line: address bits folded as sliced caches do, so that buffers a power of
   * two apart spread over the sets; the folding itself is an assumption}
   *
   * @param line address over 64
   * @param setMask sets - 1
   */
  static int setIndex(long line, int setMask) {
    return (int) (line ^ line >>> 5 ^ line >>> 15) & setMask;
  }

  private int state(long line) {
    return setIndex(line, setMask) * STATE_WORDS;
  }

  private int find(long line) {
    int state = state(line);
    if (setStates[state + RECENT_LINE] == line) {
      return (int) setStates[state + WAYS] & WAY_MASK;
    }
    int base = setIndex(line, setMask) * ways;
    for (int way = 0; way < ways; way++) {
      if (llcLines[base + way] == line) {
        hitLast(state, line, way);
        return way;
      }
    }
    return -1;
  }

  private void hitLast(int state, long line, int way) {
    setStates[state + RECENT_LINE] = line;
    setStates[state + WAYS] = setStates[state + WAYS] & ~WAY_MASK | way;
  }

  private int allocate(long line, long atPs) {
    int state = state(line);
    int way = (int) (setStates[state + WAYS] >>> VICTIM_SHIFT);
    long nextVictim = way + 1 == ways ? 0 : way + 1;
    int slot = setIndex(line, setMask) * ways + way;
    long victim = llcLines[slot];
    long bit = 1L << way;
    if ((setStates[state + DIRTY_WAYS] & bit) != 0) {
      dram.write(victim << LINE_SHIFT, LINE_BYTES, atPs);
      setStates[state + DIRTY_WAYS] &= ~bit;
    }
    if (victim != ABSENT) {
      invalidateCoreCopies(victim);
    }
    llcLines[slot] = line;
    setStates[state + WAYS] = nextVictim << VICTIM_SHIFT;
    hitLast(state, line, way);
    return way;
  }

  private void markDirty(long line, int way) {
    setStates[state(line) + DIRTY_WAYS] |= 1L << way;
  }

  private void share(long line, int coreIndex) {
    setStates[state(line) + SHARERS] |= 1L << coreIndex;
  }

  /** Looks at the cores that have ever loaded a line of the set; the line may be in none. */
  private void invalidateCoreCopies(long line) {
    long cores = setStates[state(line) + SHARERS];
    int index = (int) line & coreMask;
    while (cores != 0) {
      long[] core = coreLines[Long.numberOfTrailingZeros(cores)];
      if (core[index] == line) {
        core[index] = ABSENT;
      }
      cores &= cores - 1;
    }
  }

  /** The way of all root ports. Looks at the tags whether a request asks for it or not. */
  private final class Port implements DeviceCachePort {
    @Override
    public long read(long pa, int lengthBytes, boolean noSnoop, long atPs) {
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
    public long write(long pa, int lengthBytes, boolean noSnoop, long atPs) {
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
        markDirty(line, way);
        invalidateCoreCopies(line);
      }
      return donePs;
    }
  }
}
