package io.github.bellwire.examples.iommu;

import io.github.bellwire.dma.DmaDevice;
import io.github.bellwire.dma.DmaDirection;
import io.github.bellwire.dma.PageAllocator;
import io.github.bellwire.host.Host;

/**
 * What has happened to a device's bus addresses before the experiment begins: its driver has come up
 * with rings of the default size on all cores at once, so that they take pages in turn; then the
 * administrator has changed the size, upon which one core has given everything back.
 */
final class AddressHistory {
  private static final int PAGE_BYTES = PageAllocator.PAGE_BYTES;
  private static final DmaDirection DIRECTION = DmaDirection.FROM_DEVICE;

  private AddressHistory() {}

  static void replay(Host host, DmaDevice dma, int cores, int pagesPerCore) {
    long pa = host.pages().allocate(PAGE_BYTES);
    long[][] iovas = new long[cores][pagesPerCore];
    for (int page = 0; page < pagesPerCore; page++) {
      for (int core = 0; core < cores; core++) {
        iovas[core][page] = dma.mapSingle(host.synchronousPort(core), pa, PAGE_BYTES, DIRECTION);
      }
    }
    for (long[] ofCore : iovas) {
      for (long iova : ofCore) {
        dma.unmapSingle(host.synchronousPort(0), iova, PAGE_BYTES, DIRECTION);
      }
    }
    host.pages().free(pa, PAGE_BYTES);
  }
}
