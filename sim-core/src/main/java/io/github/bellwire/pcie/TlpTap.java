package io.github.bellwire.pcie;

import org.jspecify.annotations.Nullable;

/** Shows the TLPs of a device's DMA to a listener; their headers exist for nobody else. */
final class TlpTap {
  /** The completer ID of the root complex. */
  static final int ROOT_COMPLEX_ID = 0;

  private final Changes changes;
  private final boolean hasDigest;
  private @Nullable TlpListener listener;

  TlpTap(PcieLinkConfig link, Changes changes) {
    this.changes = changes;
    hasDigest = link.ecrc();
  }

  void listen(@Nullable TlpListener newListener) {
    listener = newListener;
    changes.add();
  }

  /** {@return whether anybody listens: only then anything is to be told} */
  boolean isOpen() {
    return listener != null;
  }

  /** See {@link TlpListener#onTlp}. */
  void tell(long header01, long header23, long sentPs, long effectivePs) {
    TlpListener current = listener;
    if (current != null) {
      long marked = hasDigest ? TlpHeader.withDigest(header01) : header01;
      current.onTlp(marked, header23, sentPs, effectivePs);
    }
  }
}
