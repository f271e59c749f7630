package io.github.bellwire.dma.check;

import io.github.bellwire.dma.PageListener;

/** Checks what is given back to the page allocator. */
final class PageChecks implements PageListener {
  private final CheckerState state;

  PageChecks(CheckerState state) {
    this.state = state;
  }

  @Override
  public void onAllocate(long pa, long sizeBytes) {
    state.freed.remove(pa, sizeBytes);
    state.written.forget(pa, sizeBytes);
  }

  @Override
  public void onFree(long pa, long sizeBytes) {
    long nowPs = state.simulation.nowPs();
    state.freed.add(pa, sizeBytes, nowPs);
    for (ShadowMapping mapping : state.byPa.touching(pa, sizeBytes)) {
      state.report(
          DmaViolation.MEMORY_FREED_WHILE_MAPPED,
          mapping.device,
          nowPs,
          Text.bytes(sizeBytes) + " were given back from pa " + Text.hex(pa) + " on",
          mapping.iova,
          mapping.pa,
          mapping.lengthBytes,
          null,
          mapping);
    }
  }
}
