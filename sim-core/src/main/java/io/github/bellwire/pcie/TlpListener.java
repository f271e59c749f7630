package io.github.bellwire.pcie;

/** Sees every TLP of a device's DMA on its link, as a protocol analyser does. */
@FunctionalInterface
public interface TlpListener {
  /**
   * A TLP has been sent. Called while an operation is computed: the times may lie ahead of the
   * clock, and TLPs come in the order of the computation.
   *
   * @param header01 double words 0 and 1, see {@link TlpHeader}
   * @param header23 double words 2 and 3
   * @param sentPs when its last bit has left
   * @param effectivePs a write: when it is globally visible; a read request: when memory has been
   *     read; a completion: when it has arrived
   */
  void onTlp(long header01, long header23, long sentPs, long effectivePs);
}
