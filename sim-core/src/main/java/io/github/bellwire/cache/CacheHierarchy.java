package io.github.bellwire.cache;

/**
 * The time side of the coherent caches: answers when an access that arrives at a time completes,
 * and keeps the tags that decide between hit and miss. Schedules nothing and moves no bytes; on a
 * coherent host those live in {@link io.github.bellwire.memory.PhysicalMemory}.
 *
 * <p>Addresses are host physical, lengths at least 1 byte, times picoseconds.
 */
public interface CacheHierarchy {
  /** Bytes of a cache line. */
  int LINE_BYTES = 64;

  /**
   * Makes a way into the caches for one root port.
   *
   * @param config how its requests are treated
   * @return the way, which shares tags and times with all others
   */
  DeviceCachePort devicePort(DevicePortConfig config);

  /** {@return what has been counted so far; the same object at every call} */
  CacheStatistics statistics();

  /**
   * A core loads.
   *
   * @param coreIndex which core
   * @param pa first byte
   * @param lengthBytes bytes loaded
   * @param atPs when the core issues the load
   * @return when the value is in a register
   */
  long coreLoad(int coreIndex, long pa, int lengthBytes, long atPs);

  /**
   * A core stores; the store buffer hides what it can.
   *
   * @param coreIndex which core
   * @param pa first byte
   * @param lengthBytes bytes stored
   * @param atPs when the core issues the store
   * @return when the core may go on
   */
  long coreStore(int coreIndex, long pa, int lengthBytes, long atPs);

  /**
   * A core stores twice, side by side in one line: two {@linkplain #coreStore stores}.
   *
   * @param coreIndex which core
   * @param pa first byte
   * @param sizeBytes bytes of each store
   * @param atPs when the core issues the first
   * @return when the core may go on
   */
  default long coreStoreTwice(int coreIndex, long pa, int sizeBytes, long atPs) {
    long secondPs = coreStore(coreIndex, pa, sizeBytes, atPs);
    return coreStore(coreIndex, pa + sizeBytes, sizeBytes, secondPs);
  }

  /**
   * A core cleans or invalidates all lines that a range touches, in the caches of all cores, and
   * waits until that is done.
   *
   * @param operation what to do with each line
   * @param pa first byte
   * @param lengthBytes at least 1
   * @param atPs when the core begins
   * @return when the core may go on
   */
  long maintain(CacheOperation operation, long pa, int lengthBytes, long atPs);

  /**
   * Maps memory cacheable or not, as page tables do. Coherent caches need not care. Memory that
   * ceases to be cacheable must have been cleaned and invalidated.
   *
   * @param pa first byte, a multiple of 64
   * @param lengthBytes at least 1; when made cacheable again, as when it was made uncached
   * @param isCacheable as all memory is at first
   */
  void setCacheable(long pa, int lengthBytes, boolean isCacheable);
}
