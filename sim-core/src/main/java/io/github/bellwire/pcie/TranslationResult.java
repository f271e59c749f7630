package io.github.bellwire.pcie;

/** The outcome of a {@link Translation}, reused for every access. */
public final class TranslationResult {
  private long pa;
  private long readyPs;
  private DmaStatus status = DmaStatus.OK;
  // Of the answer to a translation request.
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
   * Answers a translation request ({@link AddressType#TRANSLATION_REQUEST}).
   *
   * @param newPa host physical address that stands for the first byte asked about
   * @param newRangeBytes size of the naturally aligned range for which that holds, a power of two
   *     and at least 4096
   * @param newIsReadable whether the device may read there
   * @param newIsWritable whether the device may write there; with neither there is no translation
   * @param newReadyPs when it is known, in picoseconds
   */
  public void translatedRange(
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

  /** {@return of a translation request: size of the aligned range that the answer is about} */
  public long rangeBytes() {
    return rangeBytes;
  }

  /** {@return of a translation request: whether the device may read there} */
  public boolean isReadable() {
    return isReadable;
  }

  /** {@return of a translation request: whether the device may write there} */
  public boolean isWritable() {
    return isWritable;
  }

  /** {@return when the outcome is known, in picoseconds} */
  public long readyPs() {
    return readyPs;
  }

  /** {@return OK, or why the access is refused} */
  public DmaStatus status() {
    return status;
  }
}
