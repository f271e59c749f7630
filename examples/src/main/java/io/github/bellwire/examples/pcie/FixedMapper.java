package io.github.bellwire.examples.pcie;

import io.github.bellwire.cpu.CpuPort;
import io.github.bellwire.dma.DmaDirection;
import io.github.bellwire.dma.DmaMapper;

/** Stands for page tables that somebody else has filled already: one range, at a known address. */
record FixedMapper(long iova) implements DmaMapper {
  @Override
  public boolean reaches(long pa, int lengthBytes, long mask) {
    return true;
  }

  @Override
  public long map(CpuPort port, long pa, int lengthBytes, DmaDirection direction, long mask) {
    return iova;
  }

  @Override
  public void unmap(CpuPort port, long unmapped, int lengthBytes, DmaDirection direction) {}
}
