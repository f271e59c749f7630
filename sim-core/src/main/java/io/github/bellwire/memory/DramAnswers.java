package io.github.bellwire.memory;

/**
 * When bursts are done, as told and as known since: of those asked for last, a ring. A burst is
 * known by its number.
 *
 * <p>Allocates nothing after construction. Confined to the simulation thread.
 */
final class DramAnswers {
  private static final int BURSTS = 1 << 12;
  private static final int MASK = BURSTS - 1;

  // Per burst: what the caller was told, 0 for a write; what is known; whether that is certain, in
  // bit 0, and the channel above it.
  private static final int SHIFT = 2;
  private static final int TOLD = 0;
  private static final int KNOWN = 1;
  private static final int STATE = 2;
  private static final int CERTAIN = 1;

  private final long[] cells = new long[BURSTS << SHIFT];
  private long askedTotal;
  private long changesTotal;

  /** {@return how many bursts have been asked for, the number of the next one} */
  long askedTotal() {
    return askedTotal;
  }

  /** {@return how often what is known of a read has changed since its caller was told} */
  long changesTotal() {
    return changesTotal;
  }

  /** {@return the number of a new burst} */
  long add(int channel) {
    long tag = askedTotal++;
    int at = at(tag);
    cells[at + TOLD] = 0;
    cells[at + STATE] = (long) channel << CERTAIN;
    return tag;
  }

  /** A burst is done, or will be. */
  void set(long tag, long donePs, boolean isCertain) {
    if (isRemembered(tag)) {
      int at = at(tag);
      changesTotal += cells[at + TOLD] != 0 && cells[at + KNOWN] != donePs ? 1 : 0;
      cells[at + KNOWN] = donePs;
      cells[at + STATE] |= isCertain ? CERTAIN : 0;
    }
  }

  /** What is known of a burst is certain. */
  void setCertain(long tag) {
    if (isRemembered(tag)) {
      cells[at(tag) + STATE] |= CERTAIN;
    }
  }

  /** The caller is told what is known of a read. */
  void tell(long tag) {
    cells[at(tag) + TOLD] = cells[at(tag) + KNOWN];
  }

  boolean isRemembered(long tag) {
    return askedTotal - tag <= BURSTS;
  }

  boolean isCertain(long tag) {
    return (cells[at(tag) + STATE] & CERTAIN) != 0;
  }

  int channel(long tag) {
    return (int) (cells[at(tag) + STATE] >> CERTAIN);
  }

  /** {@return what the caller was told; 0 if it was not a read} */
  long toldPs(long tag) {
    return cells[at(tag) + TOLD];
  }

  long knownPs(long tag) {
    return cells[at(tag) + KNOWN];
  }

  private static int at(long tag) {
    return ((int) tag & MASK) << SHIFT;
  }
}
