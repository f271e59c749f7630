package io.github.bellwire.dma;

import io.github.bellwire.cpu.CpuPort;

/** No translation: bus addresses are host physical addresses. */
final class IdentityMapper implements DmaMapper {
  IdentityMapper() {}

  @Override
  public boolean reaches(long pa, int lengthBytes, long mask) {
    return pa + lengthBytes - 1 <= mask;
  }

  @Override
  public long map(CpuPort port, long pa, int lengthBytes, DmaDirection direction, long mask) {
    return reaches(pa, lengthBytes, mask) ? pa : MAPPING_ERROR;
  }

  @Override
  public void unmap(CpuPort port, long iova, int lengthBytes, DmaDirection direction) {
    // Nothing was set up.
  }
}
