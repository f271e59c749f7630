package io.github.bellwire.cpu;

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
   * Stores to memory through the caches.
   *
   * @param pa host physical address in RAM
   * @param sizeBytes 1, 2, 4 or 8
   * @param value the value
   */
  void store(long pa, int sizeBytes, long value);

  /**
   * Loads a block from memory.
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
