package io.github.bellwire.pcie;

/** What may happen to one TLP. */
public enum TlpFault {
  /** Nothing. */
  NONE,
  /** Its sender marks the data as bad (EP): the receiver does not use it. TLPs with data only. */
  POISONED,
  /**
   * A bit goes wrong where the link does not protect it. With ECRC the receiver drops the TLP,
   * without it uses wrong data; a request without data goes astray.
   */
  CORRUPTED,
  /** It breaks the rules of its format: the receiver drops it. */
  MALFORMED,
  /** It gets lost. Not for writes. */
  LOST
}
