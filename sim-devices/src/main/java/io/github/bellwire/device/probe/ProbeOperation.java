package io.github.bellwire.device.probe;

/** What a probe measures. */
public enum ProbeOperation {
  /** As many DMA reads as engine, tags and link allow. */
  READ(true, false, false),
  /** As many DMA writes as engine and link allow. */
  WRITE(false, true, false),
  /** Pairs of a read and a write, to addresses of their own. */
  READWRITE(true, true, false),
  /** One read at a time, as the firmware sees it. */
  LAT_READ(true, false, true),
  /** One write at a time with a read of the same bytes behind it, as the firmware sees it. */
  LAT_WRITE_READ(true, true, true);

  private final boolean reads;
  private final boolean writes;
  private final boolean single;

  ProbeOperation(boolean reads, boolean writes, boolean single) {
    this.reads = reads;
    this.writes = writes;
    this.single = single;
  }

  /** {@return whether it reads memory} */
  public boolean hasReads() {
    return reads;
  }

  /** {@return whether it writes memory} */
  public boolean hasWrites() {
    return writes;
  }

  /** {@return whether the next operation waits for the end of this one} */
  public boolean isSingle() {
    return single;
  }
}
