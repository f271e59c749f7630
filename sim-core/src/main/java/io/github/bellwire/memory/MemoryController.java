package io.github.bellwire.memory;

/**
 * The time side of DRAM: answers when an access that arrives at a time completes. Schedules nothing
 * and moves no bytes; the bytes live in {@link PhysicalMemory}.
 *
 * <p>Calls come in the order of arrival times, apart from what the horizon of the caller allows.
 */
public interface MemoryController {
  /** What {@link #delayPs} returns of what was too long ago. */
  long FORGOTTEN = Long.MIN_VALUE;

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

  /**
   * {@return how long the access that was asked for last has to stay where it comes from because
   * the queues are full, in picoseconds; 0 if there is room when it arrives} Who goes on earlier
   * outruns memory.
   */
  default long waitPs() {
    return 0;
  }

  /**
   * {@return how many parts of accesses it has been asked for: a number for the next one, by which
   * {@link #delayPs} knows it; always 0 if all answers are final}
   */
  default long askedTotal() {
    return 0;
  }

  /**
   * {@return how much later than answered the last of some reads is done, as known now, in
   * picoseconds; negative if it is earlier, {@link #FORGOTTEN} if that was long ago}
   *
   * <p>An answer is an estimate from what was known at the call, and a delay that lies in the
   * future still is. Once its time has come, everything is known that could have come in between.
   *
   * @param from {@link #askedTotal} before the first read
   * @param to {@link #askedTotal} behind the last one
   * @param nowPs the current time: what is asked for from now on arrives no earlier
   */
  default long delayPs(long from, long to, long nowPs) {
    return 0;
  }

  /** {@return how often an answer has changed that had been given: otherwise no delay has} */
  default long changesTotal() {
    return 0;
  }
}
