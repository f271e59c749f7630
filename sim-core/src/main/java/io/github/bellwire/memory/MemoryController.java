package io.github.bellwire.memory;

/**
 * The time side of DRAM: answers when an access that arrives at a time completes. Schedules nothing
 * and moves no bytes; the bytes live in {@link PhysicalMemory}.
 *
 * <p>Calls come in the order of arrival times, apart from what the horizon of the caller allows.
 */
public interface MemoryController {
  /**
   * Reads from DRAM.
   *
   * @param pa host physical address
   * @param lengthBytes at least 1; spans as many 64-byte lines as it touches
   * @param atPs arrival time in picoseconds
   * @return when the last byte is available, in picoseconds
   */
  long read(long pa, int lengthBytes, long atPs);

  /**
   * Writes to DRAM.
   *
   * @param pa host physical address
   * @param lengthBytes at least 1; spans as many 64-byte lines as it touches
   * @param atPs arrival time in picoseconds
   * @return when the write is globally visible, in picoseconds
   */
  long write(long pa, int lengthBytes, long atPs);
}
