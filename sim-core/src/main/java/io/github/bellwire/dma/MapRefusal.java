package io.github.bellwire.dma;

/** Why memory could not be mapped. */
public enum MapRefusal {
  /** The device cannot reach it, and the machine has no bounce buffers. */
  OUT_OF_REACH,
  /** There is no row of free bounce slots that is long enough. */
  NO_BOUNCE_SLOTS,
  /** It is larger than what bounce slots in a row can hold. */
  TOO_LARGE_TO_BOUNCE,
  /** It would have to be bounced, which cannot be done to memory that is shared for good. */
  NOT_SHARABLE,
  /** There is no free bus address under the mask. */
  NO_ADDRESS,
  /** There are no free pages within reach. */
  NO_MEMORY
}
