package io.github.bellwire.pcie;

/** Kinds of TLPs that the ordering rules tell apart (Base Specification 5.0, table 2-40). */
public enum TlpClass {
  /** Memory writes and messages, interrupt messages among them. */
  POSTED,
  /** Memory, I/O and configuration reads. */
  READ_REQUEST,
  /** Atomic operations, I/O and configuration writes. */
  NON_POSTED_WITH_DATA,
  /** Completions with and without data, other than those below. */
  COMPLETION,
  /** Completions of I/O and configuration writes. */
  IO_OR_CONFIG_WRITE_COMPLETION;

  /** {@return whether this is a completion of any kind} */
  public boolean isCompletion() {
    return this == COMPLETION || this == IO_OR_CONFIG_WRITE_COMPLETION;
  }
}
