package io.github.bellwire.cache;

/**
 * The caches of one socket: its cores' private ones, its last-level cache, and the directory that
 * knows which cores hold a line. In an inclusive last-level cache the directory is part of the
 * tags; otherwise it is a filter of its own, and a line that the filter has no room for leaves the
 * cores.
 *
 * <p>Moves lines and keeps the books; when things happen is the business of {@link
 * CoherentCacheHierarchy}. Sets and tags are those of the {@link SliceHash}.
 */
final class SocketCaches {
  private final boolean isInclusive;
  private final CoreCaches[] cores;
  private final SliceHash hash;
  private final TagArray llc;
  private final TagArray directory;
  private final long[] holders;
  private final HomeMemory memory;
  private final CacheStatistics statistics;

  /**
   * Creates empty caches.
   *
   * @param config sizes
   * @param cores the private caches of all cores of the machine; only those of this socket are used
   * @param hash which set a line belongs to
   * @param memory where dirty lines go
   * @param statistics where write-backs and snoops are counted
   * @param seed of the choice of victims
   */
  SocketCaches(
      LlcConfig config,
      CoreCaches[] cores,
      SliceHash hash,
      HomeMemory memory,
      CacheStatistics statistics,
      long seed) {
    isInclusive = config.isInclusive();
    this.cores = cores;
    this.hash = hash;
    this.memory = memory;
    this.statistics = statistics;
    int sets = config.slices() * config.setsPerSlice();
    llc = new TagArray(sets, config.ways(), seed);
    int directoryWays = isInclusive ? config.ways() : config.snoopFilterWays();
    directory = isInclusive ? llc : new TagArray(sets, directoryWays, ~seed);
    holders = new long[sets * directoryWays];
  }

  /** {@return the way of the last-level cache that holds a line, or {@link TagArray#NOWHERE}} */
  int find(int set, int tag) {
    return llc.find(set, tag);
  }

  /** {@return the cores that hold a line, one bit each} */
  long holders(int set, int tag) {
    int way = directory.find(set, tag);
    return way == TagArray.NOWHERE ? 0 : holders[directory.slot(set, way)];
  }

  /** {@return whether some cache of the socket holds a line} */
  boolean isCached(int set, int tag) {
    return llc.find(set, tag) != TagArray.NOWHERE || holders(set, tag) != 0;
  }

  boolean isDirty(int set, int way) {
    return llc.isDirty(set, way);
  }

  void setDirty(int set, int way) {
    llc.setDirty(set, way, true);
  }

  /** {@return whether some cache of the socket holds a line in a newer version than memory} */
  boolean isDirtyAnywhere(long line, int set, int tag) {
    int way = llc.find(set, tag);
    return way != TagArray.NOWHERE && llc.isDirty(set, way)
        || isDirtyInCore(line, holders(set, tag));
  }

  /** {@return whether one of the cores that hold a line has changed it; then it is the only one} */
  boolean isDirtyInCore(long line, long holdingCores) {
    if (holdingCores == 0 || (holdingCores & holdingCores - 1) != 0) {
      return false;
    }
    CoreCaches core = cores[Long.numberOfTrailingZeros(holdingCores)];
    return core.isDirty(line, core.find(line));
  }

  /** Takes note that the core which has changed a line has handed it over. */
  void setCleanInCore(long line, long holdingCore) {
    CoreCaches core = cores[Long.numberOfTrailingZeros(holdingCore)];
    core.setDirty(line, core.find(line), false);
  }

  /** {@return the way of the last-level cache that holds a line, after making room if need be} */
  int findOrAllocate(int set, int tag, long allowedWays, long atPs) {
    int way = llc.find(set, tag);
    if (way == TagArray.NOWHERE) {
      way = allocate(set, tag, allowedWays, atPs);
    }
    return way;
  }

  /** Puts an absent line, clean, into one of some ways of the last-level cache. */
  int allocate(int set, int tag, long allowedWays, long atPs) {
    int way = llc.victim(set, allowedWays);
    if (!llc.isEmpty(set, way)) {
      evict(set, way, atPs);
    }
    llc.put(set, way, tag);
    if (isInclusive) {
      holders[llc.slot(set, way)] = 0;
    }
    return way;
  }

  /** Removes a line from the last-level cache only. */
  void remove(int set, int way) {
    llc.remove(set, way);
  }

  /**
   * Removes a line from the cores.
   *
   * @param exceptCores bits of cores that keep it
   * @return whether one of those that lost it had changed it
   */
  boolean removeFromCores(long line, int set, int tag, long exceptCores) {
    int way = directory.find(set, tag);
    if (way == TagArray.NOWHERE) {
      return false;
    }
    int slot = directory.slot(set, way);
    boolean wasDirty = takeFrom(holders[slot] & ~exceptCores, line);
    holders[slot] &= exceptCores;
    forgetIfUnheld(set, way);
    return wasDirty;
  }

  /** {@return whether any copy of a line was newer than memory; all are gone} */
  boolean drop(long line, int set, int tag) {
    boolean wasDirty = removeFromCores(line, set, tag, 0);
    int way = llc.find(set, tag);
    if (way != TagArray.NOWHERE) {
      wasDirty |= llc.isDirty(set, way);
      llc.remove(set, way);
    }
    return wasDirty;
  }

  /** {@return whether a copy of a line was newer than memory; the copies stay and are clean} */
  boolean clean(long line, int set, int tag) {
    long holdingCores = holders(set, tag);
    boolean wasDirty = isDirtyInCore(line, holdingCores);
    if (wasDirty) {
      setCleanInCore(line, holdingCores);
    }
    int way = llc.find(set, tag);
    if (way != TagArray.NOWHERE) {
      wasDirty |= llc.isDirty(set, way);
      llc.setDirty(set, way, false);
    }
    return wasDirty;
  }

  /** Brings an absent line to a core's private caches; what that pushes out goes down a level. */
  void fill(int coreIndex, long line, int set, int tag, boolean isDirty, long atPs) {
    CoreCaches core = cores[coreIndex];
    int way = core.victimWay(line);
    if (core.holdsAny(line, way)) {
      leaveCore(coreIndex, core.lineAt(line, way), atPs);
    }
    addHolder(coreIndex, set, tag, atPs);
    core.put(line, way);
    core.setDirty(line, way, isDirty);
  }

  private void addHolder(int coreIndex, int set, int tag, long atPs) {
    int way = directory.find(set, tag);
    if (way == TagArray.NOWHERE) {
      assert !isInclusive : "a core's line is not in the inclusive cache";
      way = directory.victim(set, directory.allWays());
      if (!directory.isEmpty(set, way)) {
        forget(set, way, atPs);
      }
      directory.put(set, way, tag);
      holders[directory.slot(set, way)] = 0;
    }
    holders[directory.slot(set, way)] |= 1L << coreIndex;
  }

  /** A core gives up a line: an inclusive cache has it, another one takes it in. */
  private void leaveCore(int coreIndex, long line, long atPs) {
    boolean wasDirty = cores[coreIndex].remove(line);
    int set = hash.set(line);
    int tag = hash.tag(line);
    int way = directory.find(set, tag);
    int slot = directory.slot(set, way);
    holders[slot] &= ~(1L << coreIndex);
    boolean isHeldElsewhere = holders[slot] != 0;
    forgetIfUnheld(set, way);
    if (!isHeldElsewhere) {
      comeDown(set, tag, wasDirty, atPs);
    }
  }

  /** The filter needs the place of a line: the cores give it up. */
  private void forget(int set, int way, long atPs) {
    int tag = directory.tag(set, way);
    int slot = directory.slot(set, way);
    statistics.backInvalidations++;
    boolean wasDirty = takeFrom(holders[slot], hash.line(set, tag));
    holders[slot] = 0;
    directory.remove(set, way);
    comeDown(set, tag, wasDirty, atPs);
  }

  private void comeDown(int set, int tag, boolean isDirty, long atPs) {
    int way = findOrAllocate(set, tag, llc.allWays(), atPs);
    if (isDirty) {
      llc.setDirty(set, way, true);
    }
  }

  /** Makes room in the last-level cache; an inclusive one takes the line from the cores, too. */
  private void evict(int set, int way, long atPs) {
    boolean isDirty = llc.isDirty(set, way);
    long line = hash.line(set, llc.tag(set, way));
    if (isInclusive && holders[llc.slot(set, way)] != 0) {
      statistics.backInvalidations++;
      isDirty |= takeFrom(holders[llc.slot(set, way)], line);
    }
    if (isDirty) {
      memory.writeBack(line, atPs);
    }
  }

  private void forgetIfUnheld(int set, int way) {
    if (!isInclusive && holders[directory.slot(set, way)] == 0) {
      directory.remove(set, way);
    }
  }

  private boolean takeFrom(long holdingCores, long line) {
    boolean wasDirty = false;
    for (long left = holdingCores; left != 0; left &= left - 1) {
      statistics.coreSnoops++;
      wasDirty |= cores[Long.numberOfTrailingZeros(left)].remove(line);
    }
    return wasDirty;
  }
}
