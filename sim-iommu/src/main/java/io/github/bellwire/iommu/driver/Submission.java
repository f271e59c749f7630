package io.github.bellwire.iommu.driver;

import static java.util.Objects.requireNonNull;

import org.jspecify.annotations.Nullable;

/**
 * Commands that a core has put into the queue together, and what has become of them. Reused: a core
 * and the queue hold it, and it is free when both have let go.
 */
final class Submission {
  /** What has become of the commands, as QI_IN_USE, QI_DONE and QI_ABORT of Linux. */
  enum Status {
    IN_USE,
    DONE,
    ABORTED
  }

  /** No device has been silent. */
  static final int NOBODY = -1;

  private final long[] lows;
  private final long[] highs;
  private int commandsCount;

  Status status = Status.IN_USE;

  /** Whether the hardware has refused a command, so that it was not executed. */
  boolean isRefused;

  /** The device that had not answered when the commands were aborted. */
  int silentSource = NOBODY;

  /** Slot of the wait descriptor, and the value that says in the status word that it is done. */
  int waitSlot;

  int value;

  /** A core and the queue, as long as they need it. */
  int holders;

  Submission(int commandsMax) {
    lows = new long[commandsMax];
    highs = new long[commandsMax];
  }

  /** Starts anew, with no commands or with those of another. */
  void reset(@Nullable Submission other) {
    commandsCount = other == null ? 0 : other.commandsCount;
    for (int i = 0; i < commandsCount; i++) {
      lows[i] = requireNonNull(other).lows[i];
      highs[i] = requireNonNull(other).highs[i];
    }
    status = Status.IN_USE;
    isRefused = false;
    silentSource = NOBODY;
  }

  void add(long low, long high) {
    lows[commandsCount] = low;
    highs[commandsCount] = high;
    commandsCount++;
  }

  /** Leaves commands out that begin with this word; returns whether there were any. */
  boolean remove(long low) {
    int kept = 0;
    for (int i = 0; i < commandsCount; i++) {
      if (lows[i] != low) {
        lows[kept] = lows[i];
        highs[kept] = highs[i];
        kept++;
      }
    }
    boolean isShorter = kept < commandsCount;
    commandsCount = kept;
    return isShorter;
  }

  int commandsCount() {
    return commandsCount;
  }

  long low(int index) {
    return lows[index];
  }

  long high(int index) {
    return highs[index];
  }
}
