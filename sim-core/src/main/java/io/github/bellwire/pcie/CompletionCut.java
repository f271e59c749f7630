package io.github.bellwire.pcie;

/**
 * Where a completer cuts the answer to a read. Legal are all multiples of RCB inside the range, as
 * long as no piece exceeds MPS (PCI Express Base Specification 5.0, section 2.3.1.1).
 */
public enum CompletionCut {
  /** Each piece as long as MPS allows. */
  LONGEST,
  /** At every multiple of RCB. */
  EVERY_RCB,
  /** At each multiple of RCB with a chance of one half, as data happens to come from memory. */
  RANDOM
}
