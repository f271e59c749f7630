package io.github.bellwire.cache;

import static java.util.Objects.requireNonNull;

import io.github.bellwire.kernel.RandomStream;
import io.github.bellwire.memory.CommitQueue;
import io.github.bellwire.memory.MemoryController;
import io.github.bellwire.memory.PhysicalMemory;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * The write-back cache of a cluster of embedded cores, with bytes.
 *
 * <pre>{@code
 * devices not coherent                       devices coherent (snooped)
 *
 * cores --> [ lines with the cores' bytes ]  cores, devices --> [ dirty lines' old bytes ]
 *                | fill   ^ write-back                              | lost by invalidation
 * devices ---> [ PhysicalMemory = DRAM    ]               [ PhysicalMemory = newest bytes ]
 * }</pre>
 *
 * <p>If devices are not coherent, a line holds the bytes that cores see, and they reach memory when
 * the line is cleaned or evicted: the whole line, over whatever a device has written there. A
 * device sees memory only. So a forgotten clean sends old bytes and a forgotten invalidation reads
 * them.
 *
 * <p>If devices are coherent, their writes allocate in the cache, and memory in the model always
 * has the newest bytes; a dirty line keeps what DRAM has instead. Invalidating such a line brings
 * those old bytes back.
 *
 * <p>Not modelled: time for coherence between the cores of the cluster. Allocates nothing after
 * construction, except while the number of uncached ranges grows. Confined to the simulation
 * thread.
 */
public final class EmbeddedCacheHierarchy implements CacheHierarchy, CoreMemory {
  private static final int LINE_SHIFT = 6;
  private static final int LINE_MASK = LINE_BYTES - 1;
  private static final VarHandle LONGS =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private final EmbeddedCacheConfig config;
  private final CommitQueue commits;

  /** As cores see it, who begin with what is due. */
  private final PhysicalMemory memory;

  private final MemoryController dram;

  /** For how long memory has not taken what the store at work has sent there. */
  private long storeWaitPs;

  private final TagArray tags;
  private final byte[] data;
  private final int setMask;
  private final int setBits;
  private final boolean isCoherent;
  private final AddressRanges uncached = new AddressRanges();
  private final CacheStatistics statistics = new CacheStatistics();

  /**
   * Creates an empty cache.
   *
   * @param config sizes and latencies
   * @param commits device writes on their way to the memory behind it
   * @param dram the time that memory takes
   * @param random seeds the choice of victims
   */
  public EmbeddedCacheHierarchy(
      EmbeddedCacheConfig config, CommitQueue commits, MemoryController dram, RandomStream random) {
    this.config = config;
    this.commits = requireNonNull(commits, "commits");
    memory = commits.memory();
    this.dram = requireNonNull(dram, "dram");
    tags = new TagArray(config.sets(), config.ways(), random.nextLong());
    data = new byte[config.sets() * config.ways() * LINE_BYTES];
    setMask = config.sets() - 1;
    setBits = Integer.numberOfTrailingZeros(config.sets());
    isCoherent = config.snoopsForDevices();
  }

  @Override
  public DeviceCachePort devicePort(DevicePortConfig port) {
    if (port.socket() != 0) {
      throw new IllegalArgumentException("socket must be 0: socket=" + port.socket());
    }
    return isCoherent ? new SnoopedPort(port.allocatesOnWrite()) : new PlainPort();
  }

  @Override
  public CacheStatistics statistics() {
    return statistics;
  }

  // Cores: time.

  @Override
  public long coreLoad(int coreIndex, long pa, int lengthBytes, long atPs) {
    long lastLine = pa + lengthBytes - 1 >>> LINE_SHIFT;
    long donePs = atPs + config.hitPs();
    for (long line = pa >>> LINE_SHIFT; line <= lastLine; line++) {
      donePs = Math.max(donePs, loadLine(line, atPs + config.hitPs()));
    }
    return donePs;
  }

  private long loadLine(long line, long atPs) {
    if (uncached.contains(line << LINE_SHIFT)) {
      return fetch(line, atPs);
    }
    int way = tags.find(set(line), tag(line));
    if (way != TagArray.NOWHERE) {
      return atPs;
    }
    fill(line, atPs);
    long donePs = fetch(line, atPs);
    if (config.prefetchesNextLine()) {
      prefetch(line + 1, atPs);
    }
    return donePs;
  }

  private void prefetch(long line, long atPs) {
    long pa = line << LINE_SHIFT;
    boolean isAbsent = tags.find(set(line), tag(line)) == TagArray.NOWHERE;
    if (isAbsent && memory.contains(pa, LINE_BYTES) && !uncached.contains(pa)) {
      fill(line, atPs);
      fetch(line, atPs);
    }
  }

  @Override
  public long coreStore(int coreIndex, long pa, int lengthBytes, long atPs) {
    long lastLine = pa + lengthBytes - 1 >>> LINE_SHIFT;
    long localPs = atPs;
    long donePs = atPs;
    for (long line = pa >>> LINE_SHIFT; line <= lastLine; line++) {
      storeWaitPs = 0;
      storeLine(line, localPs);
      localPs += storeWaitPs;
      donePs += config.storePs() + storeWaitPs;
    }
    return donePs;
  }

  private void storeLine(long line, long atPs) {
    if (uncached.contains(line << LINE_SHIFT)) {
      send(line, atPs);
      return;
    }
    int way = tags.find(set(line), tag(line));
    if (way == TagArray.NOWHERE) {
      way = fill(line, atPs);
      fetch(line, atPs);
    }
    soil(line, way);
  }

  @Override
  public long maintain(CacheOperation operation, long pa, int lengthBytes, long atPs) {
    long end = pa + lengthBytes;
    long lastLine = end - 1 >>> LINE_SHIFT;
    long localPs = atPs;
    long donePs = atPs;
    for (long line = pa >>> LINE_SHIFT; line <= lastLine; line++) {
      localPs += config.maintenance().linePs();
      boolean isPartial = line << LINE_SHIFT < pa || line + 1 << LINE_SHIFT > end;
      boolean loses = operation == CacheOperation.INVALIDATE && !isPartial;
      int way = tags.find(set(line), tag(line));
      if (way != TagArray.NOWHERE) {
        donePs = Math.max(donePs, writeBackOrLose(line, way, loses, localPs));
        if (operation != CacheOperation.CLEAN) {
          tags.remove(set(line), way);
        }
      }
    }
    return Math.max(donePs, localPs) + config.maintenance().barrierPs();
  }

  /** Makes a line clean, for better or worse; returns when that is done. */
  private long writeBackOrLose(long line, int way, boolean loses, long atPs) {
    int set = set(line);
    if (!tags.isDirty(set, way)) {
      return atPs;
    }
    tags.setDirty(set, way, false);
    if (!loses) {
      return writeBack(line, way, atPs);
    }
    if (isCoherent) {
      // The newest bytes are gone; what DRAM has is what there is.
      memory.copyIn(line << LINE_SHIFT, data, slot(line, way), LINE_BYTES);
    }
    return atPs;
  }

  @Override
  public void setCacheable(long pa, int lengthBytes, boolean isCacheable) {
    if ((pa & LINE_MASK) != 0) {
      throw new IllegalArgumentException(
          "pa must be a multiple of 64: pa=0x" + Long.toHexString(pa));
    }
    long end = pa + lengthBytes + LINE_MASK & ~LINE_MASK;
    if (isCacheable) {
      uncached.remove(pa, end);
    } else {
      uncached.add(pa, end);
    }
  }

  // Cores: bytes. The access has brought its lines in; those that are not there any more were
  // evicted by the same access, so that memory is up to date.

  @Override
  public long get(long pa, int sizeBytes) {
    int inLine = (int) pa & LINE_MASK;
    if (isCoherent || sizeBytes != Long.BYTES || inLine > LINE_BYTES - Long.BYTES) {
      return getBytes(pa, sizeBytes);
    }
    int slot = slot(pa);
    return slot < 0 ? memory.getLong(pa) : (long) LONGS.get(data, slot + inLine);
  }

  private long getBytes(long pa, int sizeBytes) {
    if (isCoherent || slot(pa) < 0 && slot(pa + sizeBytes - 1) < 0) {
      return memory.get(pa, sizeBytes);
    }
    long value = 0;
    for (int i = sizeBytes - 1; i >= 0; i--) {
      int slot = slot(pa + i);
      int inLine = (int) (pa + i) & LINE_MASK;
      int next = slot < 0 ? memory.getByte(pa + i) : data[slot + inLine] & 0xff;
      value = value << Byte.SIZE | next;
    }
    return value;
  }

  @Override
  public void put(long pa, int sizeBytes, long value) {
    if (isCoherent) {
      memory.put(pa, sizeBytes, value);
      return;
    }
    for (int i = 0; i < sizeBytes; i++) {
      int slot = slot(pa + i);
      byte next = (byte) (value >>> i * Byte.SIZE);
      if (slot < 0) {
        memory.putByte(pa + i, next);
      } else {
        data[slot + ((int) (pa + i) & LINE_MASK)] = next;
      }
    }
  }

  @Override
  public void copyOut(long pa, byte[] destination, int offset, int lengthBytes) {
    memory.copyOut(pa, destination, offset, lengthBytes);
    for (int done = 0; !isCoherent && done < lengthBytes; ) {
      int inLine = (int) (pa + done) & LINE_MASK;
      int piece = Math.min(lengthBytes - done, LINE_BYTES - inLine);
      int slot = slot(pa + done);
      if (slot >= 0) {
        System.arraycopy(data, slot + inLine, destination, offset + done, piece);
      }
      done += piece;
    }
  }

  @Override
  public void copyIn(long pa, byte[] source, int offset, int lengthBytes) {
    if (isCoherent) {
      memory.copyIn(pa, source, offset, lengthBytes);
      return;
    }
    for (int done = 0; done < lengthBytes; ) {
      int inLine = (int) (pa + done) & LINE_MASK;
      int piece = Math.min(lengthBytes - done, LINE_BYTES - inLine);
      int slot = slot(pa + done);
      if (slot < 0) {
        memory.copyIn(pa + done, source, offset + done, piece);
      } else {
        System.arraycopy(source, offset + done, data, slot + inLine, piece);
      }
      done += piece;
    }
  }

  // Lines.

  private int set(long line) {
    return (int) line & setMask;
  }

  private int tag(long line) {
    return (int) (line >>> setBits);
  }

  /** {@return where the bytes of an address' line are, or a negative value} */
  private int slot(long pa) {
    long line = pa >>> LINE_SHIFT;
    int way = tags.find(set(line), tag(line));
    return way == TagArray.NOWHERE ? -1 : slot(line, way);
  }

  private int slot(long line, int way) {
    return tags.slot(set(line), way) << LINE_SHIFT;
  }

  /** Brings an absent line in, clean; the caller charges DRAM for reading it. */
  private int fill(long line, long atPs) {
    int set = set(line);
    int way = tags.victim(set, tags.allWays());
    if (!tags.isEmpty(set, way) && tags.isDirty(set, way)) {
      writeBack((long) tags.tag(set, way) << setBits | set, way, atPs);
    }
    tags.put(set, way, tag(line));
    if (!isCoherent) {
      memory.copyOut(line << LINE_SHIFT, data, slot(line, way), LINE_BYTES);
    }
    return way;
  }

  /** A line is about to be written, be it by a device. */
  private void soil(long line, int way) {
    int set = set(line);
    if (isCoherent && !tags.isDirty(set, way)) {
      commits.memory().copyOut(line << LINE_SHIFT, data, slot(line, way), LINE_BYTES);
    }
    tags.setDirty(set, way, true);
  }

  private long writeBack(long line, int way, long atPs) {
    statistics.writeBacks++;
    if (!isCoherent) {
      memory.copyIn(line << LINE_SHIFT, data, slot(line, way), LINE_BYTES);
    }
    return send(line, atPs);
  }

  /** Reads a line from DRAM; returns when it is there. */
  private long fetch(long line, long atPs) {
    statistics.dramReads++;
    long donePs = dram.read(line << LINE_SHIFT, LINE_BYTES, atPs);
    storeWaitPs = Math.max(storeWaitPs, dram.waitPs());
    return donePs;
  }

  /** Writes a line to DRAM; returns when it is there. */
  private long send(long line, long atPs) {
    statistics.dramWrites++;
    long donePs = dram.write(line << LINE_SHIFT, LINE_BYTES, atPs);
    storeWaitPs = Math.max(storeWaitPs, dram.waitPs());
    return donePs;
  }

  // Devices.

  /** Past the cache, to DRAM. */
  private final class PlainPort extends MemoryPort {
    PlainPort() {
      super(dram);
    }

    @Override
    public long read(long pa, int lengthBytes, boolean noSnoop, long atPs) {
      statistics.dramReads += lines(pa, lengthBytes);
      return dram.read(pa, lengthBytes, atPs + config.devicePs());
    }

    @Override
    public long write(long pa, int lengthBytes, boolean noSnoop, long atPs) {
      statistics.dramWrites += lines(pa, lengthBytes);
      return dram.write(pa, lengthBytes, atPs + config.devicePs());
    }

    private long lines(long pa, int lengthBytes) {
      return (pa + lengthBytes - 1 >>> LINE_SHIFT) - (pa >>> LINE_SHIFT) + 1;
    }

    @Override
    public boolean isArrivalObservable() {
      return true;
    }
  }

  /** Through the cache. */
  private final class SnoopedPort extends MemoryPort {
    private final boolean allocatesOnWrite;

    SnoopedPort(boolean allocatesOnWrite) {
      super(dram);
      this.allocatesOnWrite = allocatesOnWrite;
    }

    @Override
    public long read(long pa, int lengthBytes, boolean noSnoop, long atPs) {
      long lastLine = pa + lengthBytes - 1 >>> LINE_SHIFT;
      long arrivalPs = atPs + config.devicePs();
      long donePs = arrivalPs;
      for (long line = pa >>> LINE_SHIFT; line <= lastLine; line++) {
        if (tags.find(set(line), tag(line)) == TagArray.NOWHERE) {
          statistics.deviceReadMisses++;
          donePs = Math.max(donePs, fetch(line, arrivalPs));
        } else {
          statistics.deviceReadHits++;
        }
      }
      return donePs;
    }

    @Override
    public long write(long pa, int lengthBytes, boolean noSnoop, long atPs) {
      long end = pa + lengthBytes;
      long lastLine = end - 1 >>> LINE_SHIFT;
      long donePs = atPs + config.devicePs();
      for (long line = pa >>> LINE_SHIFT; line <= lastLine; line++) {
        boolean isPartial = line << LINE_SHIFT < pa || line + 1 << LINE_SHIFT > end;
        donePs = Math.max(donePs, writeLine(line, isPartial, atPs + config.devicePs()));
      }
      return donePs;
    }

    private long writeLine(long line, boolean isPartial, long atPs) {
      int way = tags.find(set(line), tag(line));
      long donePs = atPs;
      statistics.countDeviceWrite(way != TagArray.NOWHERE, isPartial);
      if (way == TagArray.NOWHERE) {
        if (!allocatesOnWrite) {
          return send(line, atPs);
        }
        donePs = isPartial ? fetch(line, atPs) : atPs;
        way = fill(line, atPs);
      }
      soil(line, way);
      return donePs;
    }
  }
}
