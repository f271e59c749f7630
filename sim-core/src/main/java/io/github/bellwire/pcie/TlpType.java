package io.github.bellwire.pcie;

/** The kinds of transaction layer packets that cross a link here. */
enum TlpType {
  /** MWr, interrupt messages included: posted. */
  MEMORY_WRITE,
  /** Msg: posted; errors, invalidations of device TLBs, page requests, and their answers. */
  MESSAGE,
  /** MRd: non-posted. */
  MEMORY_READ,
  /** CplD. */
  COMPLETION_WITH_DATA,
  /** Cpl: a refusal. */
  COMPLETION;

  boolean isPosted() {
    return this == MEMORY_WRITE || this == MESSAGE;
  }

  boolean isCompletion() {
    return this == COMPLETION_WITH_DATA || this == COMPLETION;
  }
}
