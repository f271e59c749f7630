package io.github.bellwire.dma;

import io.github.bellwire.cpu.CpuPort;
import java.util.ArrayList;
import java.util.List;

/** Translates by a fixed distance, has room for a few mappings and records what it is asked. */
class FakeMapper implements DmaMapper {
  static final long DISTANCE = 0x7000_0000_0000L;

  final List<String> calls = new ArrayList<>();
  int room = Integer.MAX_VALUE;

  @Override
  public boolean reaches(long pa, int lengthBytes, long mask) {
    return true;
  }

  @Override
  public long map(CpuPort port, long pa, int lengthBytes, DmaDirection direction, long mask) {
    if (room == 0) {
      return MAPPING_ERROR;
    }
    room--;
    calls.add(String.format("map %x+%d %s <=%x", pa, lengthBytes, direction, mask));
    port.delay(100);
    return pa + DISTANCE;
  }

  @Override
  public void unmap(CpuPort port, long iova, int lengthBytes, DmaDirection direction) {
    room++;
    calls.add(String.format("unmap %x+%d %s", iova, lengthBytes, direction));
    port.delay(200);
  }
}
