package io.github.bellwire.pcie;

/** The outcome of a {@link Translation}, reused for every access. */
public final class TranslationResult {
  private long pa;
  private long readyPs;
  private DmaStatus status = DmaStatus.OK;

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
}
