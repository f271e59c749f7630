package io.github.bellwire.pcie;

/** The answer to a core's read of a device register, reused for every read. */
public final class MmioResult {
  private long value;
  private long donePs;

  /** Creates an answer that nobody has filled in yet. */
  public MmioResult() {}

  void answer(long newValue, long newDonePs) {
    value = newValue;
    donePs = newDonePs;
  }

  /** {@return the value, little endian in the low bytes} */
  public long value() {
    return value;
  }

  /** {@return when it is at the core, in picoseconds} */
  public long donePs() {
    return donePs;
  }
}
