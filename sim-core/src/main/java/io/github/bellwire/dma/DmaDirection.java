package io.github.bellwire.dma;

/**
 * Who reads and who writes a mapped buffer; decides which cache maintenance and copies are needed.
 */
public enum DmaDirection {
  /** The device reads what the host wrote. */
  TO_DEVICE,
  /** The host reads what the device wrote. */
  FROM_DEVICE,
  /** Both. */
  BIDIRECTIONAL
}
