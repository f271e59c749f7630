package io.github.bellwire.dma;

/** What made a mapping, and has to undo it. */
public enum MappingKind {
  /** {@link DmaDevice#mapSingle}. */
  SINGLE,
  /** A segment of {@link DmaDevice#mapScatterList}. */
  SCATTER,
  /** {@link DmaDevice#allocateCoherent}. */
  COHERENT,
  /** {@link DmaDevice#mapShared}. */
  SHARED
}
