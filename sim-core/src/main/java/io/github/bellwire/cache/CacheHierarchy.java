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
   * A device reads.
   *
   * @param pa first byte
   * @param lengthBytes bytes read
   * @param atPs arrival at the cache
   * @return when the last byte is available
   */
  long deviceRead(long pa, int lengthBytes, long atPs);

  /**
   * A device writes; copies in core caches are invalidated.
   *
   * @param pa first byte
   * @param lengthBytes bytes written
   * @param atPs arrival at the cache
   * @return when the write is globally visible
   */
  long deviceWrite(long pa, int lengthBytes, long atPs);

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
}
