package io.github.bellwire.pcie;

/** The outcome of a {@link Translation}, reused for every access. */
public final class TranslationResult {
  private long pa;
  private long readyPs;
  private DmaStatus status = DmaStatus.OK;
  // Of an answer to a translation request.
  private long rangeBytes;
  private boolean isReadable;
  private boolean isWritable;

  /** Creates an outcome that nobody has filled in yet. */
  public TranslationResult() {}

  /**
   * The access may go on.
   *
   * @param newPa host physical address of the first byte
   * @param newReadyPs when it is known, in picoseconds
   */
  public void translated(long newPa, long newReadyPs) {
    pa = newPa;
    readyPs = newReadyPs;
    status = DmaStatus.OK;
  }

  /**
   * Answers a {@linkplain AddressType#TRANSLATION_REQUEST request for a translation}: with the
   * address of the page, or, neither readable nor writable, with the news that there is none.
   *
   * @param newPa host physical address of the first byte asked about
   * @param newRangeBytes the aligned range around it that lies as it does in the device's addresses
   *     and has the same rights: a power of two, at least 4096
   * @param newIsReadable whether the device may read it
   * @param newIsWritable whether the device may write it
   * @param newReadyPs when that is known, in picoseconds
   */
  public void granted(
      long newPa,
      long newRangeBytes,
      boolean newIsReadable,
      boolean newIsWritable,
      long newReadyPs) {
    translated(newPa, newReadyPs);
    rangeBytes = newRangeBytes;
    isReadable = newIsReadable;
    isWritable = newIsWritable;
  }

  /**
   * The access is refused.
   *
   * @param newStatus why, not {@link DmaStatus#OK}
   * @param newReadyPs when that is known, in picoseconds
   */
  public void refused(DmaStatus newStatus, long newReadyPs) {
    readyPs = newReadyPs;
    status = newStatus;
  }

  /** {@return host physical address of the first byte; meaningless after a refusal} */
  public long pa() {
    return pa;
  }

  /** {@return when the outcome is known, in picoseconds} */
  public long readyPs() {
    return readyPs;
  }

  /** {@return OK, or why the access is refused} */
  public DmaStatus status() {
    return status;
  }

  /** {@return bytes of the range around {@link #pa()}; of an answer to a translation request} */
  public long rangeBytes() {
    return rangeBytes;
  }

  /** {@return whether the device may read; of an answer to a translation request} */
  public boolean isReadable() {
    return isReadable;
  }

  /** {@return whether the device may write; of an answer to a translation request} */
  public boolean isWritable() {
    return isWritable;
  }
}
