package io.github.bellwire.examples.iommu;

import io.github.bellwire.cpu.CpuPort;
import io.github.bellwire.host.Host;
import io.github.bellwire.iommu.driver.IovaAllocator;
import io.github.bellwire.kernel.RandomStream;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;

/**
 * What has happened to a device's bus addresses before the experiment begins: its driver has come
 * up with rings of the default size on all cores at once, so that they take pages in turn; the
 * administrator has changed the size, upon which one core has given everything back and all have
 * taken pages again; and traffic has come and gone, in which pages were given back in another order
 * than they were taken in. Only the allocator of addresses takes part.
 */
final class AddressHistory {
  private static final long LAST_PFN = (1L << 20) - 1; // Below 4 GiB, which is tried first.
  private static final int LEAF_TABLE_PAGES_SHIFT = 9;
  private static final int AGES = 4;

  private final IovaAllocator iovas;
  private final CpuPort[] ports;
  private final RandomStream random;
  private final long[][] pfns;
  private final int[] handedOver;

  AddressHistory(Host host, IovaAllocator iovas, int cores) {
    this.iovas = iovas;
    ports = new CpuPort[cores];
    Arrays.setAll(ports, host::synchronousPort);
    random = host.simulation().randomStream("address history");
    pfns = new long[cores][];
    handedOver = new int[cores];
  }

  /** All cores take pages, in turn. */
  void open(int pagesPerCore) {
    for (int core = 0; core < pfns.length; core++) {
      pfns[core] = new long[pagesPerCore];
    }
    for (int page = 0; page < pagesPerCore; page++) {
      for (int core = 0; core < pfns.length; core++) {
        pfns[core][page] = take(core);
      }
    }
  }

  /** One core gives everything back. */
  void close() {
    for (long[] ofCore : pfns) {
      for (long pfn : ofCore) {
        iovas.free(ports[0], pfn, 1);
      }
    }
  }

  /** The first cores replace all their pages a few times, so many at once, chosen at random. */
  void age(int cores, int atOnce) {
    for (int core = 0; core < cores; core++) {
      long[] ofCore = pfns[core];
      for (int round = 0; round < AGES * ofCore.length / atOnce; round++) {
        for (int i = 0; i < atOnce; i++) {
          int chosen = i + random.nextInt(ofCore.length - i);
          long pfn = ofCore[chosen];
          ofCore[chosen] = ofCore[i];
          iovas.free(ports[core], pfn, 1);
        }
        for (int i = 0; i < atOnce; i++) {
          ofCore[i] = take(core);
        }
      }
    }
  }

  /** Gives pages of a core back, so that its driver takes their addresses next. */
  void handOver(int core, int pages) {
    for (int i = 0; i < pages; i++) {
      iovas.free(ports[core], pfns[core][handedOver[core]++], 1);
    }
  }

  /** {@return the tables of last-level entries that the addresses of the first cores are in} */
  int leafTables(int cores) {
    Set<Long> tables = new HashSet<>();
    for (int core = 0; core < cores; core++) {
      for (long pfn : pfns[core]) {
        tables.add(pfn >>> LEAF_TABLE_PAGES_SHIFT);
      }
    }
    return tables.size();
  }

  private long take(int core) {
    return iovas.allocate(ports[core], 1, LAST_PFN, false);
  }
}
