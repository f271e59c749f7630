package io.github.bellwire.examples.host;

import io.github.bellwire.cpu.CpuPort;
import io.github.bellwire.dma.DmaDirection;
import io.github.bellwire.dma.DmaMapper;

/** Knows where a device finds one range of memory that has been made reachable for good. */
final class OneRangeMapper implements DmaMapper {
  private final long pa;
  private final long iova;
  private final long sizeBytes;

  /**
   * Creates the mapper.
   *
   * @param pa host physical address of the first byte
   * @param iova bus address of the first byte
   * @param sizeBytes at least 1
   */
  OneRangeMapper(long pa, long iova, long sizeBytes) {
    this.pa = pa;
    this.iova = iova;
    this.sizeBytes = sizeBytes;
  }

  @Override
  public boolean reaches(long firstPa, int lengthBytes, long mask) {
    return iova + sizeBytes - 1 <= mask; // Bounce buffers would not help.
  }

  @Override
  public long map(CpuPort port, long firstPa, int lengthBytes, DmaDirection direction, long mask) {
    boolean isInside = firstPa >= pa && firstPa + lengthBytes <= pa + sizeBytes;
    return isInside ? iova + (firstPa - pa) : MAPPING_ERROR;
  }

  @Override
  public void unmap(CpuPort port, long firstIova, int lengthBytes, DmaDirection direction) {
    // The range stays.
  }
}
