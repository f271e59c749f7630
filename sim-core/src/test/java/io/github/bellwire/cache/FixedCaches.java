package io.github.bellwire.cache;

/**
 * Caches without state: every access takes as long as a test says, so that a test of what lies
 * around them can derive its times. Also keeps the arguments of the last device access.
 */
public final class FixedCaches implements CacheHierarchy, DeviceCachePort {
  /** What a device read takes, in picoseconds. */
  public long deviceReadPs;

  /** What a device write takes, in picoseconds. */
  public long deviceWritePs;

  /** What a core's load takes, in picoseconds. */
  public long coreLoadPs = 1;

  /** What a core's store takes, in picoseconds. */
  public long coreStorePs = 1;

  /** Address of the last device access. */
  public long lastPa;

  /** What the last port was made with. */
  public DevicePortConfig lastPortConfig = DevicePortConfig.DEFAULT;

  /** Whether the last device access asked not to be snooped. */
  public boolean lastNoSnoop;

  /** Length of the last device access in bytes. */
  public int lastLengthBytes;

  /** When the last device access arrived, in picoseconds. */
  public long lastAtPs;

  /** How much later than told memory has answered each of the first 16 device reads. */
  public final long[] memoryDelayPs = new long[16];

  /** How often that has changed. */
  public long memoryChangesTotal;

  private long readsTotal;
  private final CacheStatistics statistics = new CacheStatistics();

  /** Creates caches that take no time for devices and 1 ps for cores. */
  public FixedCaches() {}

  @Override
  public DeviceCachePort devicePort(DevicePortConfig config) {
    lastPortConfig = config;
    return this;
  }

  @Override
  public CacheStatistics statistics() {
    return statistics;
  }

  @Override
  public long read(long pa, int lengthBytes, boolean noSnoop, long atPs) {
    record(pa, lengthBytes, noSnoop, atPs);
    readsTotal++;
    return atPs + deviceReadPs;
  }

  @Override
  public long memoryMark() {
    return readsTotal;
  }

  @Override
  public long delayPs(long from, long to, long nowPs) {
    return from < memoryDelayPs.length ? memoryDelayPs[(int) from] : 0;
  }

  @Override
  public long memoryChangesTotal() {
    return memoryChangesTotal;
  }

  @Override
  public long write(long pa, int lengthBytes, boolean noSnoop, long atPs) {
    record(pa, lengthBytes, noSnoop, atPs);
    return atPs + deviceWritePs;
  }

  @Override
  public long coreLoad(int coreIndex, long pa, int lengthBytes, long atPs) {
    return atPs + coreLoadPs;
  }

  @Override
  public long coreStore(int coreIndex, long pa, int lengthBytes, long atPs) {
    return atPs + coreStorePs;
  }

  @Override
  public long maintain(CacheOperation operation, long pa, int lengthBytes, long atPs) {
    return atPs + 1;
  }

  @Override
  public void setCacheable(long pa, int lengthBytes, boolean isCacheable) {}

  private void record(long pa, int lengthBytes, boolean noSnoop, long atPs) {
    lastPa = pa;
    lastNoSnoop = noSnoop;
    lastLengthBytes = lengthBytes;
    lastAtPs = atPs;
  }
}
