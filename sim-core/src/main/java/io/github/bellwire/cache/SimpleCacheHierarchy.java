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
  private static final int LINE_MASK = LINE_BYTES - 1;
  private static final long ABSENT = -1;

  // An entry of the last-level cache: the line, and whether it is dirty in bit 0.
  private static final long DIRTY = 1;

  // The state of a set, side by side because it is used together: the line hit last, which is most
  // likely the next hit, with its way, whether it is dirty, and the next victim; and the cores that
  // may hold copies of the set's lines. Two words never lie across lines of the host's caches.
  private static final int STATE_WORDS = 2;
  private static final int SHARERS = 1;
  private static final int RECENT_SHIFT = 16;
  private static final long RECENT_DIRTY = 1 << 15;
  private static final int VICTIM_SHIFT = 8;
  private static final int WAY_MASK = 0x3f;
  private static final long VICTIM_MASK = (long) WAY_MASK << VICTIM_SHIFT;
  private static final long RECENT_MASK = -1L << RECENT_SHIFT;

  private final MemoryController dram;
  private final long llcHitPs;
  private final long coreHitPs;
  private final long storePs;
  private final int setMask;
  private final int ways;
  private final int coreMask;
  private final int coreShift;
  private final long[] llcLines;
  private final long[] setStates;
  // The private caches, one after the other.
  private final long[] coreLines;
  private final Port port;

  /** How long memory did not take what the line allocated last has displaced. */
  private long displacedWaitPs;

  private final CacheStatistics statistics = new CacheStatistics();

  /**
   * Creates an empty hierarchy.
   *
   * @param config sizes and latencies
   * @param coresCount private caches, at least 1
   * @param dram what lies behind the last-level cache
   */
  public SimpleCacheHierarchy(SimpleCacheConfig config, int coresCount, MemoryController dram) {
    this.dram = dram;
    port = new Port();
    llcHitPs = config.llcHitPs();
    coreHitPs = config.coreHitPs();
    storePs = config.storePs();
    setMask = config.llcSets() - 1;
    ways = config.llcWays();
    coreMask = config.coreLines() - 1;
    coreShift = Integer.numberOfTrailingZeros(config.coreLines());
    llcLines = new long[config.llcSets() * ways];
    Arrays.fill(llcLines, ABSENT);
    setStates = new long[config.llcSets() * STATE_WORDS];
    for (int i = 0; i < setStates.length; i += STATE_WORDS) {
      setStates[i] = RECENT_MASK; // No line is all ones.
    }
    coreLines = new long[coresCount * config.coreLines()];
    Arrays.fill(coreLines, ABSENT);
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
  public CacheStatistics statistics() {
    return statistics;
  }

  @Override
  public long coreLoad(int coreIndex, long pa, int lengthBytes, long atPs) {
    if (((int) pa & LINE_MASK) > LINE_BYTES - lengthBytes) {
      return loadLines(coreIndex, pa, lengthBytes, atPs);
    }
    long line = pa >>> LINE_SHIFT;
    return coreLines[coreSlot(coreIndex, line)] == line
        ? atPs + coreHitPs
        : loadBeyondCore(coreIndex, line, atPs);
  }

  @Override
  public long coreStore(int coreIndex, long pa, int lengthBytes, long atPs) {
    return ((int) pa & LINE_MASK) > LINE_BYTES - lengthBytes
        ? storeLines(coreIndex, pa, lengthBytes, atPs)
        : storeLine(coreIndex, pa >>> LINE_SHIFT, atPs) + storePs;
  }

  /** The second store finds the line as the first has left it. */
  @Override
  public long coreStoreTwice(int coreIndex, long pa, int sizeBytes, long atPs) {
    return storeLine(coreIndex, pa >>> LINE_SHIFT, atPs) + 2 * storePs;
  }

  private long loadLines(int coreIndex, long pa, int lengthBytes, long atPs) {
    long lastLine = pa + lengthBytes - 1 >>> LINE_SHIFT;
    long donePs = atPs + coreHitPs;
    for (long line = pa >>> LINE_SHIFT; line <= lastLine; line++) {
      if (coreLines[coreSlot(coreIndex, line)] != line) {
        donePs = Math.max(donePs, loadBeyondCore(coreIndex, line, atPs));
      }
    }
    return donePs;
  }

  private long storeLines(int coreIndex, long pa, int lengthBytes, long atPs) {
    long lastLine = pa + lengthBytes - 1 >>> LINE_SHIFT;
    long localPs = atPs;
    long donePs = atPs;
    for (long line = pa >>> LINE_SHIFT; line <= lastLine; line++) {
      long takenPs = storeLine(coreIndex, line, localPs);
      donePs += storePs + takenPs - localPs;
      localPs = takenPs;
    }
    return donePs;
  }

  @Override
  public long maintain(CacheOperation operation, long pa, int lengthBytes, long atPs) {
    long lastLine = pa + lengthBytes - 1 >>> LINE_SHIFT;
    long donePs = atPs;
    for (long line = pa >>> LINE_SHIFT; line <= lastLine; line++) {
      donePs += storePs;
      int state = state(line);
      int way = find(line, state);
      if (way >= 0) {
        maintainLine(operation, line, state, way, donePs);
      }
    }
    return donePs;
  }

  private void maintainLine(CacheOperation operation, long line, int state, int way, long atPs) {
    int slot = firstSlot(state) + way;
    if ((llcLines[slot] & DIRTY) != 0) {
      writeBack(line, atPs);
      llcLines[slot] &= ~DIRTY;
      setStates[state] &= ~RECENT_DIRTY;
    }
    if (operation != CacheOperation.CLEAN) {
      invalidateCoreCopies(line, setStates[state + SHARERS]);
      llcLines[slot] = ABSENT;
      setStates[state] |= RECENT_MASK;
    }
  }

  /** Nothing to do: all memory is accessed coherently. */
  @Override
  public void setCacheable(long pa, int lengthBytes, boolean isCacheable) {}

  private long loadBeyondCore(int coreIndex, long line, long atPs) {
    int state = state(line);
    setStates[state + SHARERS] |= 1L << coreIndex;
    coreLines[coreSlot(coreIndex, line)] = line;
    long llcPs = atPs + llcHitPs + coreHitPs;
    if (find(line, state) >= 0) {
      return llcPs;
    }
    allocate(line, state, atPs);
    return fetch(line, llcPs);
  }

  /**
   * Lets a device make a line dirty. Returns when it is: an absent one when there is room for it,
   * and the rest of it is here if it is written in part.
   */
  private long dirty(long line, int state, boolean isPartial, long atPs) {
    long dirtyPs = atPs + llcHitPs;
    int way = find(line, state);
    statistics.countDeviceWrite(way >= 0, isPartial);
    if (way < 0) {
      long fetchedPs = isPartial ? fetch(line, dirtyPs) : dirtyPs;
      way = allocate(line, state, atPs);
      dirtyPs = Math.max(fetchedPs, dirtyPs + displacedWaitPs);
    }
    setRecentDirty(state, way);
    return dirtyPs;
  }

  /** Returns when memory takes what the line displaces: at once, unless its queues are full. */
  private long storeLine(int coreIndex, long line, long atPs) {
    int state = state(line);
    // A line that is dirty and that nobody else can hold stays as it is.
    boolean isOwned =
        coreLines[coreSlot(coreIndex, line)] == line
            && isRecentAndDirty(line, state)
            && setStates[state + SHARERS] == 1L << coreIndex;
    return isOwned ? atPs : own(coreIndex, line, state, atPs);
  }

  private long own(int coreIndex, long line, int state, long atPs) {
    long takenPs = atPs;
    int way = find(line, state);
    if (way < 0) {
      way = allocate(line, state, atPs);
      takenPs += displacedWaitPs;
    }
    setRecentDirty(state, way);
    invalidateCoreCopies(line, setStates[state + SHARERS]);
    coreLines[coreSlot(coreIndex, line)] = line;
    setStates[state + SHARERS] |= 1L << coreIndex;
    return takenPs;
  }

  private long fetch(long line, long atPs) {
    statistics.dramReads++;
    return dram.read(line << LINE_SHIFT, LINE_BYTES, atPs);
  }

  private void writeBack(long line, long atPs) {
    statistics.writeBacks++;
    statistics.dramWrites++;
    dram.write(line << LINE_SHIFT, LINE_BYTES, atPs);
  }

  private int coreSlot(int coreIndex, long line) {
    return coreIndex << coreShift | (int) line & coreMask;
  }

  /**
   * {@return the set of a line: address bits folded as sliced caches do, so that buffers 4 KiB or
   * larger powers of two apart spread over more sets than their low bits tell apart; 2 KiB apart
   * they share one set of 32, as in sliced caches; the folding itself is an assumption}
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

  /** Returns the way of a line, which is the recent one then, or -1. */
  private int find(long line, int state) {
    long recent = setStates[state];
    return recent >>> RECENT_SHIFT == line ? (int) recent & WAY_MASK : search(line, state);
  }

  private int search(long line, int state) {
    int base = firstSlot(state);
    for (int way = 0; way < ways; way++) {
      if (llcLines[base + way] >>> 1 == line) {
        hitLast(state, llcLines[base + way], way);
        return way;
      }
    }
    return -1;
  }

  private boolean isRecentAndDirty(long line, int state) {
    return (setStates[state] & (RECENT_MASK | RECENT_DIRTY))
        == (line << RECENT_SHIFT | RECENT_DIRTY);
  }

  private void setRecentDirty(int state, int way) {
    setStates[state] |= RECENT_DIRTY;
    llcLines[firstSlot(state) + way] |= DIRTY;
  }

  private int firstSlot(int state) {
    return state / STATE_WORDS * ways;
  }

  private void hitLast(int state, long entry, int way) {
    setStates[state] =
        entry >>> 1 << RECENT_SHIFT
            | (entry & DIRTY) * RECENT_DIRTY
            | setStates[state] & VICTIM_MASK
            | way;
  }

  private int allocate(long line, int state, long atPs) {
    int way = (int) (setStates[state] & VICTIM_MASK) >>> VICTIM_SHIFT;
    long nextVictim = way + 1 == ways ? 0 : way + 1;
    int slot = firstSlot(state) + way;
    long victim = llcLines[slot];
    displacedWaitPs = 0;
    if (victim != ABSENT) {
      if ((victim & DIRTY) != 0) {
        writeBack(victim >>> 1, atPs);
        displacedWaitPs = dram.waitPs();
      }
      invalidateCoreCopies(victim >>> 1, setStates[state + SHARERS]);
    }
    llcLines[slot] = line << 1;
    setStates[state] = setStates[state] & ~VICTIM_MASK | nextVictim << VICTIM_SHIFT;
    hitLast(state, line << 1, way);
    return way;
  }

  /**
   * Looks for copies; the line may be in none.
   *
   * @param cores which have ever loaded a line of the set, a bit each
   */
  private void invalidateCoreCopies(long line, long cores) {
    if (cores != 0) {
      invalidateCoreCopy(line, Long.numberOfTrailingZeros(cores));
      if ((cores & cores - 1) != 0) {
        invalidateOtherCopies(line, cores & cores - 1); // Rare, and a loop costs.
      }
    }
  }

  private void invalidateOtherCopies(long line, long otherCores) {
    for (long cores = otherCores; cores != 0; cores &= cores - 1) {
      invalidateCoreCopy(line, Long.numberOfTrailingZeros(cores));
    }
  }

  private void invalidateCoreCopy(long line, int coreIndex) {
    int slot = coreSlot(coreIndex, line);
    if (coreLines[slot] == line) {
      coreLines[slot] = ABSENT;
    }
  }

  /** The way of all root ports. Looks at the tags whether a request asks for it or not. */
  private final class Port extends MemoryPort {
    Port() {
      super(dram);
    }

    @Override
    public long read(long pa, int lengthBytes, boolean noSnoop, long atPs) {
      long lastLine = pa + lengthBytes - 1 >>> LINE_SHIFT;
      long donePs = atPs + llcHitPs;
      for (long line = pa >>> LINE_SHIFT; line <= lastLine; line++) {
        if (find(line, state(line)) >= 0) {
          statistics.deviceReadHits++;
        } else {
          statistics.deviceReadMisses++;
          donePs = Math.max(donePs, fetch(line, atPs + llcHitPs));
        }
      }
      return donePs;
    }

    @Override
    public long write(long pa, int lengthBytes, boolean noSnoop, long atPs) {
      long line = pa >>> LINE_SHIFT;
      return line == pa + lengthBytes - 1 >>> LINE_SHIFT
          ? writeLine(line, lengthBytes, atPs)
          : writeLines(pa, lengthBytes, atPs);
    }

    private long writeLines(long pa, int lengthBytes, long atPs) {
      long end = pa + lengthBytes;
      long donePs = atPs;
      for (long from = pa; from < end; ) {
        long to = Math.min(end, (from | LINE_MASK) + 1);
        donePs = Math.max(donePs, writeLine(from >>> LINE_SHIFT, (int) (to - from), atPs));
        from = to;
      }
      return donePs;
    }

    private long writeLine(long line, int lengthBytes, long atPs) {
      int state = state(line);
      long cores = setStates[state + SHARERS]; // Read once with the rest of the state.
      long donePs = atPs + llcHitPs;
      if (isRecentAndDirty(line, state)) {
        statistics.countDeviceWrite(true, lengthBytes < LINE_BYTES);
      } else {
        donePs = dirty(line, state, lengthBytes < LINE_BYTES, atPs);
      }
      invalidateCoreCopies(line, cores);
      return donePs;
    }
  }
}
