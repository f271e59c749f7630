package io.github.bellwire.cache;

/**
 * A root port's way into the caches: answers when an access that arrives at a time completes. Made
 * by {@link CacheHierarchy#devicePort}. Schedules nothing and moves no bytes.
 *
 * <p>Addresses are host physical, lengths at least 1 byte, times picoseconds.
 */
public interface DeviceCachePort {
  /**
   * A device reads.
   *
   * @param pa first byte
   * @param lengthBytes bytes read
   * @param noSnoop the attribute of the request: read memory without looking at the caches
   * @param atPs arrival at the caches
   * @return when the last byte is available
   */
  long read(long pa, int lengthBytes, boolean noSnoop, long atPs);

  /**
   * A device writes; copies in core caches are invalidated unless the request is not snooped.
   *
   * @param pa first byte
   * @param lengthBytes bytes written
   * @param noSnoop the attribute of the request: write memory without looking at the caches
   * @param atPs arrival at the caches
   * @return when the write is globally visible
   */
  long write(long pa, int lengthBytes, boolean noSnoop, long atPs);

  /**
   * {@return a mark between what memory was asked for before and what it will be; see {@link
   * #delayPs}}
   */
  default long memoryMark() {
    return 0;
  }

  /**
   * {@return how much later than told memory answers a read, as known now; see {@link
   * io.github.bellwire.memory.MemoryController#delayPs}}
   *
   * @param from {@link #memoryMark} before the read
   * @param to {@link #memoryMark} behind it
   * @param nowPs the current time
   */
  default long delayPs(long from, long to, long nowPs) {
    return 0;
  }

  /** {@return how often memory has changed an answer, see {@link #delayPs}} */
  default long memoryChangesTotal() {
    return 0;
  }

  /**
   * {@return whether the time at which written bytes reach memory can be told from what cores read,
   * so that they must not be there any earlier}
   */
  default boolean isArrivalObservable() {
    return false;
  }
}
