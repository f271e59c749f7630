package io.github.bellwire.memory;

import org.jspecify.annotations.Nullable;

/**
 * Waits for a device to write to a 64-byte line, as a polling loop does. The owner creates it once
 * and puts it into a {@link CommitQueue} whenever it has nothing else to do.
 */
public abstract class MemoryWatch {
  long pa;
  boolean watching;
  @Nullable MemoryWatch next;

  /** Creates a watch that watches nothing. */
  protected MemoryWatch() {}

  /**
   * Chooses the line.
   *
   * @param newPa any address in it
   * @throws IllegalStateException if the watch is in use
   */
  public final void aim(long newPa) {
    if (watching) {
      throw new IllegalStateException(String.format("watch is in use: pa=0x%x", pa));
    }
    pa = newPa;
  }

  /**
   * Called once when a write to the line is on its way. The place to schedule whoever will look;
   * not to look, for the bytes are not there yet.
   *
   * @param atPs when the write becomes visible, in picoseconds, not before the current time
   */
  protected abstract void onWrite(long atPs);
}
