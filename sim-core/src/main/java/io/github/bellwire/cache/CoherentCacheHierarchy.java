package io.github.bellwire.cache;

import io.github.bellwire.kernel.RandomStream;
import io.github.bellwire.memory.MemoryController;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The coherent caches of a server of one or two sockets.
 *
 * <pre>{@code
 * cores L1, L2 ---miss--> +-------------------+        +-------------------+
 *      ^ snoop, invalidate| LLC of socket 0   |--link--| LLC of socket 1   |
 * root ports -----------> | sets x ways, I/O  |        |                   |
 *                         +---------+---------+        +---------+---------+
 *                            DRAM of socket 0             DRAM of socket 1
 * }</pre>
 *
 * <ul>
 *   <li>A device read is served by the nearest copy or by DRAM and changes no state, except that an
 *       inclusive cache takes in what a core had changed.
 *   <li>A device write updates the line in the last-level cache next to the device, or allocates it
 *       in the I/O ways, and takes it from everybody else. A part of a line is merged with the rest
 *       of it, which is fetched if it is absent. From a port that does not allocate the line goes
 *       to DRAM.
 *   <li>With No Snoop only DRAM is accessed; copies stay as they are, and are counted as hazards.
 *   <li>A core load fetches the line; out of a cache that is not inclusive it moves up. A store
 *       takes it from everybody else. What cores evict goes down to the last-level cache.
 *   <li>A dirty line that a last-level cache evicts occupies DRAM, but nobody waits for it.
 * </ul>
 *
 * <p>Between sockets (assumptions): a directory tells at no cost whether the other socket holds a
 * line; the home reads its memory while its caches are looked up, and answers when it has heard
 * from both; a device write to a line that is absent and at home on the other socket waits until
 * that has granted it.
 *
 * <p>Allocates nothing after construction. Confined to the simulation thread.
 */
public final class CoherentCacheHierarchy implements CacheHierarchy {
  private static final int LINE_SHIFT = 6;

  private final SliceHash hash;
  private final CoreCaches[] cores;
  private final SocketCaches[] sockets;
  private final HomeMemory memory;
  private final CacheStatistics statistics = new CacheStatistics();
  private final int coresPerSocket;
  private final boolean isInclusive;
  private final long ioWays;
  private final long allWays;
  private final long l1HitPs;
  private final long l2HitPs;
  private final long llcHitPs;
  private final long storePs;
  private final long snoopPs;
  private final long roundTripPs;
  private final MaintenanceConfig maintenance;

  /**
   * Creates empty caches.
   *
   * @param config sizes and latencies
   * @param coresCount cores of the machine, 1..64
   * @param controllers the DRAM of each socket
   * @param random seeds the choice of victims
   */
  public CoherentCacheHierarchy(
      CoherentCacheConfig config,
      int coresCount,
      List<MemoryController> controllers,
      RandomStream random) {
    NumaConfig numa = config.numa();
    if (controllers.size() != numa.sockets()) {
      throw new IllegalArgumentException(
          "controllers must be one for each of "
              + numa.sockets()
              + " sockets: controllers="
              + controllers.size());
    }
    LlcConfig llc = config.llc();
    hash = new SliceHash(llc.slices(), llc.setsPerSlice());
    memory = new HomeMemory(numa, controllers, statistics);
    cores = new CoreCaches[coresCount];
    for (int i = 0; i < coresCount; i++) {
      cores[i] = new CoreCaches(config.core(), random.nextLong());
    }
    sockets = new SocketCaches[numa.sockets()];
    for (int i = 0; i < sockets.length; i++) {
      sockets[i] = new SocketCaches(llc, cores, hash, memory, statistics, random.nextLong());
    }
    coresPerSocket = (coresCount + sockets.length - 1) / sockets.length;
    isInclusive = llc.isInclusive();
    ioWays = llc.ioWays();
    allWays = (1L << llc.ways()) - 1;
    l1HitPs = config.core().l1HitPs();
    l2HitPs = config.core().l2HitPs();
    llcHitPs = llc.hitPs();
    storePs = config.core().storePs();
    snoopPs = config.core().snoopPs();
    roundTripPs = numa.roundTripPs();
    maintenance = config.maintenance();
  }

  @Override
  public DeviceCachePort devicePort(DevicePortConfig config) {
    if (config.socket() >= sockets.length) {
      throw new IllegalArgumentException(
          "socket must be 0.." + (sockets.length - 1) + ": socket=" + config.socket());
    }
    return new Port(config);
  }

  @Override
  public CacheStatistics statistics() {
    return statistics;
  }

  @Override
  public long coreLoad(int coreIndex, long pa, int lengthBytes, long atPs) {
    long lastLine = pa + lengthBytes - 1 >>> LINE_SHIFT;
    long donePs = atPs;
    for (long line = pa >>> LINE_SHIFT; line <= lastLine; line++) {
      donePs = Math.max(donePs, loadLine(coreIndex, line, atPs));
    }
    return donePs;
  }

  @Override
  public long coreStore(int coreIndex, long pa, int lengthBytes, long atPs) {
    long lastLine = pa + lengthBytes - 1 >>> LINE_SHIFT;
    long localPs = atPs;
    long donePs = atPs;
    for (long line = pa >>> LINE_SHIFT; line <= lastLine; line++) {
      memory.beginAccess();
      storeLine(coreIndex, line, localPs);
      localPs += memory.waitPs();
      donePs += storePs + memory.waitPs();
    }
    return donePs;
  }

  @Override
  public long maintain(CacheOperation operation, long pa, int lengthBytes, long atPs) {
    long lastLine = pa + lengthBytes - 1 >>> LINE_SHIFT;
    long localPs = atPs;
    long donePs = atPs;
    for (long line = pa >>> LINE_SHIFT; line <= lastLine; line++) {
      localPs += maintenance.linePs();
      if (writeBack(line, operation == CacheOperation.CLEAN)) {
        statistics.writeBacks++;
        donePs = Math.max(donePs, memory.write(line, localPs));
      }
    }
    return Math.max(donePs, localPs) + maintenance.barrierPs();
  }

  /** Nothing to do: memory that software maps uncached is accessed as coherently as all other. */
  @Override
  public void setCacheable(long pa, int lengthBytes, boolean isCacheable) {}

  // Cores.

  /**
   * Returns whether a line has to be written to DRAM, now that no cache has it or all are clean.
   */
  private boolean writeBack(long line, boolean keepsCopies) {
    int set = hash.set(line);
    int tag = hash.tag(line);
    boolean wasDirty = false;
    for (SocketCaches socket : sockets) {
      wasDirty |= keepsCopies ? socket.clean(line, set, tag) : socket.drop(line, set, tag);
    }
    return wasDirty;
  }

  private long loadLine(int coreIndex, long line, long atPs) {
    CoreCaches core = cores[coreIndex];
    if (core.isInL1(line)) {
      return atPs + l1HitPs;
    }
    int way = core.find(line);
    if (way != TagArray.NOWHERE) {
      core.promote(line);
      return atPs + l2HitPs;
    }
    return loadBeyondCore(coreIndex, line, atPs + l2HitPs);
  }

  private long loadBeyondCore(int coreIndex, long line, long atPs) {
    SocketCaches near = sockets[socketOfCore(coreIndex)];
    int set = hash.set(line);
    int tag = hash.tag(line);
    int way = near.find(set, tag);
    long holders = near.holders(set, tag);
    long donePs = atPs + llcHitPs;
    boolean isDirty = false;
    if (near.isDirtyInCore(line, holders)) {
      // The owner hands over, and the last-level cache keeps what memory has not got.
      near.setCleanInCore(line, holders);
      near.setDirty(set, near.findOrAllocate(set, tag, allWays, atPs));
      donePs += snoop();
    } else if (way != TagArray.NOWHERE) {
      if (!isInclusive && holders == 0) {
        isDirty = near.isDirty(set, way);
        near.remove(set, way);
      }
    } else if (holders != 0) {
      donePs += snoop();
    } else {
      donePs = fetch(near, line, set, tag, donePs);
      cleanPeer(near, line, set, tag, atPs);
      if (isInclusive) {
        near.allocate(set, tag, allWays, atPs);
      }
    }
    near.fill(coreIndex, line, set, tag, isDirty, atPs);
    return donePs;
  }

  /**
   * The store buffer waits for the line, not the core. What the store sends to memory has to be
   * taken there, though.
   */
  private void storeLine(int coreIndex, long line, long atPs) {
    CoreCaches core = cores[coreIndex];
    int way = core.find(line);
    if (way != TagArray.NOWHERE && core.isDirty(line, way)) {
      if (!core.isInL1(line)) {
        core.promote(line);
      }
      return;
    }
    loadLine(coreIndex, line, atPs);
    int set = hash.set(line);
    int tag = hash.tag(line);
    SocketCaches near = sockets[socketOfCore(coreIndex)];
    near.removeFromCores(line, set, tag, 1L << coreIndex);
    int llcWay = near.find(set, tag);
    if (!isInclusive && llcWay != TagArray.NOWHERE) {
      near.remove(set, llcWay);
    }
    SocketCaches peer = peer(near);
    if (peer != null) {
      peer.drop(line, set, tag);
    }
    core.setDirty(line, core.find(line), true);
  }

  // Devices.

  private long deviceRead(SocketCaches near, long line, long atPs) {
    int set = hash.set(line);
    int tag = hash.tag(line);
    int way = near.find(set, tag);
    long holders = near.holders(set, tag);
    if (way == TagArray.NOWHERE && holders == 0) {
      statistics.deviceReadMisses++;
      return fetch(near, line, set, tag, atPs + llcHitPs);
    }
    statistics.deviceReadHits++;
    return forward(near, line, set, way, holders, atPs + llcHitPs);
  }

  /** Serves a read from a socket that holds the line: its owner keeps it. */
  private long forward(SocketCaches holder, long line, int set, int way, long holders, long atPs) {
    if (holder.isDirtyInCore(line, holders)) {
      if (isInclusive) {
        holder.setCleanInCore(line, holders);
        holder.setDirty(set, way);
      }
      return atPs + snoop();
    }
    return way == TagArray.NOWHERE ? atPs + snoop() : atPs;
  }

  /** {@return when a line arrives that the near socket does not hold} */
  private long fetch(SocketCaches near, long line, int set, int tag, long atPs) {
    SocketCaches peer = peer(near);
    if (peer == null) {
      return memory.read(line, atPs);
    }
    boolean isRemote = isHome(peer, line);
    int way = peer.find(set, tag);
    long holders = peer.holders(set, tag);
    boolean isThere = way != TagArray.NOWHERE || holders != 0;
    boolean isNewerThere = isThere && peer.isDirtyAnywhere(line, set, tag);
    long memoryPs =
        isRemote ? memory.read(line, atPs + outwardPs()) + inwardPs() : memory.read(line, atPs);
    if (isThere && (isRemote || isNewerThere)) {
      // The home answers when it has heard from the caches and from memory, which it reads anyway.
      statistics.overruledReads += isNewerThere ? 1 : 0;
      long cachePs = forward(peer, line, set, way, holders, atPs + roundTripPs + llcHitPs);
      return Math.max(cachePs, memoryPs);
    }
    return memoryPs;
  }

  private long deviceWrite(
      SocketCaches near, long line, boolean isPartial, boolean allocates, long atPs) {
    int set = hash.set(line);
    int tag = hash.tag(line);
    int way = near.find(set, tag);
    long holders = near.holders(set, tag);
    boolean isHere = way != TagArray.NOWHERE || holders != 0;
    statistics.countDeviceWrite(isHere, isPartial);
    return allocates
        ? writeAllocating(near, line, set, tag, isPartial, isHere, atPs)
        : writeThrough(near, line, set, tag, isPartial, atPs);
  }

  private long writeAllocating(
      SocketCaches near,
      long line,
      int set,
      int tag,
      boolean isPartial,
      boolean isHere,
      long atPs) {
    long donePs = atPs + llcHitPs;
    if (!isHere && isPartial) {
      donePs = fetch(near, line, set, tag, donePs);
    }
    if (near.removeFromCores(line, set, tag, 0) && isPartial) {
      donePs += snoopPs; // The rest of the line comes from the core that had changed it.
    }
    SocketCaches peer = peer(near);
    boolean isGrantedThere = peer != null && !isHere && isHome(peer, line);
    if (isGrantedThere && !isPartial) {
      // The home grants the line when it has looked into its memory, too.
      statistics.overruledReads += peer.isDirtyAnywhere(line, set, tag) ? 1 : 0;
      long askedPs = atPs + llcHitPs + outwardPs();
      donePs = Math.max(donePs, memory.read(line, askedPs) + inwardPs());
    }
    if (peer != null && (isGrantedThere || peer.isCached(set, tag))) {
      donePs = Math.max(donePs, atPs + llcHitPs + roundTripPs + llcHitPs);
      peer.drop(line, set, tag);
    }
    int way = near.findOrAllocate(set, tag, ioWays, atPs);
    near.setDirty(set, way);
    // There is no room for the line until memory has taken what it displaces.
    return Math.max(donePs, atPs + llcHitPs + memory.waitPs());
  }

  /** A write to DRAM; no cache keeps the line. */
  private long writeThrough(
      SocketCaches near, long line, int set, int tag, boolean isPartial, long atPs) {
    boolean wasDirty = near.drop(line, set, tag);
    SocketCaches peer = peer(near);
    long readyPs = atPs + llcHitPs;
    if (peer != null && peer.drop(line, set, tag)) {
      wasDirty = true;
      readyPs += roundTripPs + llcHitPs;
    }
    boolean isRemote = peer != null && isHome(peer, line);
    readyPs += isRemote ? outwardPs() : 0;
    if (isPartial && !wasDirty) {
      readyPs = memory.read(line, readyPs);
    }
    return memory.write(line, readyPs) + (isRemote ? inwardPs() : 0);
  }

  private long readUnsnooped(SocketCaches near, long line, long atPs) {
    if (isDirtyAnywhere(line)) {
      statistics.noSnoopHazards++;
    }
    boolean isRemote = !isHome(near, line);
    return isRemote ? memory.read(line, atPs + outwardPs()) + inwardPs() : memory.read(line, atPs);
  }

  private long writeUnsnooped(SocketCaches near, long line, long atPs) {
    if (isCachedAnywhere(line)) {
      statistics.noSnoopHazards++;
    }
    boolean isRemote = !isHome(near, line);
    return isRemote
        ? memory.write(line, atPs + outwardPs()) + inwardPs()
        : memory.write(line, atPs);
  }

  // Both.

  /** {@return whether a cache holds a line in a newer version than memory} */
  boolean isDirtyAnywhere(long line) {
    int set = hash.set(line);
    int tag = hash.tag(line);
    for (SocketCaches socket : sockets) {
      if (socket.isDirtyAnywhere(line, set, tag)) {
        return true;
      }
    }
    return false;
  }

  private boolean isCachedAnywhere(long line) {
    int set = hash.set(line);
    int tag = hash.tag(line);
    for (SocketCaches socket : sockets) {
      if (socket.isCached(set, tag)) {
        return true;
      }
    }
    return false;
  }

  /** What a core reads is clean in the other socket afterwards. */
  private void cleanPeer(SocketCaches near, long line, int set, int tag, long atPs) {
    SocketCaches peer = peer(near);
    if (peer != null && peer.clean(line, set, tag)) {
      memory.writeBack(line, atPs);
    }
  }

  private long snoop() {
    statistics.coreSnoops++;
    return snoopPs;
  }

  private long outwardPs() {
    return roundTripPs >> 1;
  }

  private long inwardPs() {
    return roundTripPs - outwardPs();
  }

  private boolean isHome(SocketCaches socket, long line) {
    return sockets[memory.socketOf(line)] == socket;
  }

  private @Nullable SocketCaches peer(SocketCaches near) {
    if (sockets.length == 1) {
      return null;
    }
    return sockets[0] == near ? sockets[1] : sockets[0];
  }

  private int socketOfCore(int coreIndex) {
    return coreIndex < coresPerSocket ? 0 : 1;
  }

  /** The way of one root port. */
  private final class Port implements DeviceCachePort {
    private final SocketCaches near;
    private final boolean allocatesOnWrite;

    Port(DevicePortConfig config) {
      near = sockets[config.socket()];
      allocatesOnWrite = config.allocatesOnWrite();
    }

    @Override
    public long read(long pa, int lengthBytes, boolean noSnoop, long atPs) {
      long lastLine = pa + lengthBytes - 1 >>> LINE_SHIFT;
      long donePs = atPs;
      for (long line = pa >>> LINE_SHIFT; line <= lastLine; line++) {
        long linePs = noSnoop ? readUnsnooped(near, line, atPs) : deviceRead(near, line, atPs);
        donePs = Math.max(donePs, linePs);
      }
      return donePs;
    }

    @Override
    public long write(long pa, int lengthBytes, boolean noSnoop, long atPs) {
      long end = pa + lengthBytes;
      long lastLine = end - 1 >>> LINE_SHIFT;
      long donePs = atPs;
      for (long line = pa >>> LINE_SHIFT; line <= lastLine; line++) {
        boolean isPartial = line << LINE_SHIFT < pa || line + 1 << LINE_SHIFT > end;
        memory.beginAccess();
        long linePs =
            noSnoop
                ? writeUnsnooped(near, line, atPs)
                : deviceWrite(near, line, isPartial, allocatesOnWrite, atPs);
        donePs = Math.max(donePs, linePs);
      }
      return donePs;
    }

    @Override
    public long memoryMark() {
      return memory.mark();
    }

    @Override
    public long delayPs(long from, long to, long nowPs) {
      return memory.delayPs(from, to, nowPs);
    }

    @Override
    public long memoryChangesTotal() {
      return memory.changesTotal();
    }
  }
}
