package io.github.bellwire.pcie;

import org.jspecify.annotations.Nullable;

/**
 * Shows the TLPs of a device's DMA to a listener, with headers made up for it; they exist for
 * nobody else.
 */
final class TlpTap {
  private static final int COMPLETER_ID = 0; // The root complex.

  private final boolean hasDigest;
  private @Nullable TlpListener listener;

  TlpTap(PcieLinkConfig link) {
    hasDigest = link.ecrc();
  }

  void listen(@Nullable TlpListener newListener) {
    listener = newListener;
  }

  /** {@return whether anybody listens: only then the methods below are to be called} */
  boolean isOpen() {
    return listener != null;
  }

  void onRequest(
      boolean isWrite,
      long address,
      int lengthBytes,
      int attributes,
      int requesterId,
      int tag,
      boolean isPoisoned,
      long sentPs,
      long effectivePs) {
    long header01 =
        TlpHeader.request01(isWrite, address, lengthBytes, attributes, requesterId, tag);
    tell(header01, TlpHeader.request23(address), isPoisoned, sentPs, effectivePs);
  }

  void onCompletion(
      long address,
      int lengthBytes,
      int owedBytes,
      int completionStatus,
      int attributes,
      int requesterId,
      int tag,
      boolean isPoisoned,
      long sentPs,
      long arrivalPs) {
    long header01 =
        TlpHeader.completion01(
            address, lengthBytes, owedBytes, completionStatus, attributes, COMPLETER_ID, tag);
    long header23 = TlpHeader.completion23(address, requesterId, tag);
    tell(header01, header23, isPoisoned, sentPs, arrivalPs);
  }

  private void tell(
      long header01, long header23, boolean isPoisoned, long sentPs, long effectivePs) {
    TlpListener current = listener;
    if (current != null) {
      long marked = hasDigest ? TlpHeader.withDigest(header01) : header01;
      marked = isPoisoned ? TlpHeader.withPoison(marked) : marked;
      current.onTlp(marked, header23, sentPs, effectivePs);
    }
  }
}
