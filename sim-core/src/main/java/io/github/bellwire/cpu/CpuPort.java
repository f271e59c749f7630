package io.github.bellwire.cpu;

import io.github.bellwire.cache.CacheOperation;

/**
 * What host software can do: load, store, uncached access, compute. Drivers are written against
 * this and run either in a {@link Routine} on a core or, as straight-line code, on the synchronous
 * port.
 *
 * <p>Every call takes simulated time, so {@link #nowPs()} has moved on when it returns. In a
 * routine that is the core's local time, which runs ahead of the clock until the routine ends;
 * memory is seen as it was when the routine started, and an MMIO read lets the clock catch up. On
 * the synchronous port the clock itself moves, and everything due happens before the call returns.
 *
 * <p>Addresses are host physical. Values are little endian, in the low bytes of a {@code long}.
 */
public interface CpuPort {
  /** Returned by {@link #spinUntil} when the value has not appeared in time. */
  long NOT_SEEN = -1;

  /** {@return this core's time in picoseconds} */
  long nowPs();

  /** {@return the index of the core that executes} */
  int coreIndex();

  /**
   * Loads from memory through the caches.
   *
   * @param pa host physical address in RAM
   * @param sizeBytes 1, 2, 4 or 8
   * @return the value
   */
  long load(long pa, int sizeBytes);

  /**
   * Loads a value that nothing waits for: software only needs the line to be near later on. An
   * out-of-order core goes on while the line is under way, as far as it can look ahead and as long
   * as not too many lines are under way.
   *
   * @param pa host physical address in RAM
   * @param sizeBytes 1, 2, 4 or 8
   */
  void touch(long pa, int sizeBytes);

  /**
   * Stores to memory through the caches.
   *
   * @param pa host physical address in RAM
   * @param sizeBytes 1, 2, 4 or 8
   * @param value the value
   */
  void store(long pa, int sizeBytes, long value);

  /**
   * Stores two 64-bit values side by side, as a descriptor is written: two stores.
   *
   * @param pa host physical address in RAM
   * @param first the value at {@code pa}
   * @param second the value 8 bytes on
   */
  default void storeLongs(long pa, long first, long second) {
    store(pa, Long.BYTES, first);
    store(pa + Long.BYTES, Long.BYTES, second);
  }

  /**
   * Loads a block from memory: a stream that waits for several lines at once.
   *
   * @param pa host physical address in RAM
   * @param destination receives the bytes
   * @param offset first index in {@code destination}
   * @param lengthBytes at least 1
   */
  void load(long pa, byte[] destination, int offset, int lengthBytes);

  /**
   * Stores a block to memory.
   *
   * @param pa host physical address in RAM
   * @param source bytes to store
   * @param offset first index in {@code source}
   * @param lengthBytes at least 1
   */
  void store(long pa, byte[] source, int offset, int lengthBytes);

  /**
   * Reads a device register: a full round trip over the fabric, behind all earlier MMIO writes.
   *
   * @param address host physical address inside a BAR
   * @param sizeBytes 1, 2, 4 or 8
   * @return the value; all ones when nobody answers
   */
  long mmioRead(long address, int sizeBytes);

  /**
   * Writes a device register: posted, returns after the store has been issued.
   *
   * @param address host physical address inside a BAR
   * @param sizeBytes 1, 2, 4 or 8
   * @param value the value
   */
  void mmioWrite(long address, int sizeBytes, long value);

  /**
   * Reads device memory by plain loads as wide as the core's vector registers: each a request of
   * its own, a full round trip behind the one before. Bytes are all ones where nobody answers.
   *
   * @param address host physical address inside a BAR
   * @param destination receives the bytes
   * @param offset first index in {@code destination}
   * @param lengthBytes at least 1
   */
  void mmioRead(long address, byte[] destination, int offset, int lengthBytes);

  /**
   * Writes device memory by uncached stores of up to 8 bytes: each a posted request of its own.
   *
   * @param address host physical address inside a BAR
   * @param source the bytes
   * @param offset first index in {@code source}
   * @param lengthBytes at least 1
   */
  void mmioWrite(long address, byte[] source, int offset, int lengthBytes);

  /**
   * Writes device memory that is mapped write-combining: bytes gather in line buffers, and a full
   * buffer leaves as one request. What is not full stays in the core until it is evicted: by {@link
   * #fence()}, an uncached access, or for want of a buffer. Until then the device does not see it.
   *
   * @param address host physical address inside a BAR
   * @param source the bytes
   * @param offset first index in {@code source}
   * @param lengthBytes at least 1
   */
  void wcStore(long address, byte[] source, int offset, int lengthBytes);

  /**
   * Reads device memory that is mapped write-combining by streaming loads (MOVNTDQA): a request per
   * line, several of them under way at once.
   *
   * @param address host physical address inside a BAR
   * @param destination receives the bytes, all ones where nobody answers
   * @param offset first index in {@code destination}
   * @param lengthBytes at least 1
   */
  void wcLoad(long address, byte[] destination, int offset, int lengthBytes);

  /**
   * Writes a line of device memory at once (MOVDIR64B): one request that nothing tears, not held
   * back in a buffer.
   *
   * @param address host physical address inside a BAR, a multiple of 64
   * @param source the bytes
   * @param offset first of 64 in {@code source}
   */
  void movdir64b(long address, byte[] source, int offset);

  /**
   * Waits until the root complex has taken all stores to write-combining memory (SFENCE), those
   * that are still in the core included. The device gets them in order, some time later.
   */
  void fence();

  /**
   * Copies memory through the caches. Loads run ahead as far as the core can wait for several lines
   * at once, and stores hide behind them.
   *
   * @param fromPa host physical address in RAM
   * @param toPa host physical address in RAM; not above {@code fromPa} if the ranges overlap
   * @param lengthBytes at least 1
   */
  void copy(long fromPa, long toPa, int lengthBytes);

  /**
   * Cleans or invalidates the cached lines of a range, one by one, and waits until that is done.
   *
   * @param operation what to do with each line
   * @param pa host physical address in RAM
   * @param lengthBytes at least 1
   */
  void maintainCache(CacheOperation operation, long pa, int lengthBytes);

  /**
   * Maps memory cacheable or uncached, which takes no time here. Only hosts whose caches are not
   * coherent make a difference. Clean and invalidate memory before it ceases to be cacheable.
   *
   * @param pa host physical address in RAM, a multiple of 64
   * @param lengthBytes at least 1; when made cacheable again, as when it was made uncached
   * @param isCacheable as all memory is at first
   */
  void setCacheable(long pa, int lengthBytes, boolean isCacheable);

  /**
   * Polls a word until it has a value that a device writes, and does nothing else meanwhile. In a
   * routine the clock need not run along when the device has already booked the write: the core
   * goes on when that commits.
   *
   * @param pa host physical address in RAM, whose bytes the caches keep coherent
   * @param sizeBytes 1, 2, 4 or 8
   * @param value what to wait for
   * @param timeoutPs how long at most, in picoseconds, at least 0
   * @return how long that took, the load that sees the value included, in picoseconds, or {@link
   *     #NOT_SEEN}; the time has passed then
   */
  long spinUntil(long pa, int sizeBytes, long value, long timeoutPs);

  /**
   * Begins a section of code in which nobody else comes in between, as under a lock with interrupts
   * off: on the synchronous port the clock stands still until the section ends and catches up then.
   * Routines always run like that. Sections nest; none may wait for something that has yet to
   * happen.
   */
  void beginCritical();

  /** Ends the section that began last. */
  void endCritical();

  /**
   * Computes for a while.
   *
   * @param durationPs time in picoseconds, at least 0
   */
  void delay(long durationPs);

  /**
   * Executes instructions that touch neither memory nor devices.
   *
   * @param cycles clock cycles of this core, at least 0
   */
  void compute(int cycles);
}
