package io.github.bellwire.examples.host;

import io.github.bellwire.cache.CacheOperation;
import io.github.bellwire.cpu.CpuPort;
import io.github.bellwire.dma.PageAllocator;
import io.github.bellwire.iommu.layout.ContextEntryLayout;
import io.github.bellwire.iommu.layout.RegisterLayout;
import io.github.bellwire.iommu.layout.RootEntryLayout;
import io.github.bellwire.iommu.layout.SecondLevelLayout;
import io.github.bellwire.pcie.Bdf;

/**
 * One contiguous range that a device may reach through the IOMMU for as long as the machine runs,
 * mapped by a core that writes the tables and switches translation on.
 */
final class StaticMapping {
  /** Where the range begins for the device: a multiple of every page. */
  static final long IOVA = 1L << 30;

  private static final int LEVELS = 4;
  private static final long WIDTH_48 = 2;
  private static final int DOMAIN = 1;
  private static final long RIGHTS = SecondLevelLayout.READ | SecondLevelLayout.WRITE;
  private static final int TABLE_BYTES = 4096;

  private final CpuPort cpu;
  private final PageAllocator pages;
  private final boolean isCoherent;
  private final long root;

  StaticMapping(CpuPort cpu, PageAllocator pages, boolean isCoherent) {
    this.cpu = cpu;
    this.pages = pages;
    this.isCoherent = isCoherent;
    root = newTable();
  }

  /** Maps a range by pages of one size, which its address and length are multiples of. */
  void map(long pa, long lengthBytes, IommuPage page) {
    for (long done = 0; done < lengthBytes; done += page.bytes()) {
      long table = root;
      for (int level = LEVELS; level > page.level(); level--) {
        table = below(entry(table, IOVA + done, level));
      }
      long large = page.level() > 1 ? SecondLevelLayout.PAGE_SIZE : 0;
      store(entry(table, IOVA + done, page.level()), pa + done | RIGHTS | large);
    }
  }

  /** Gives a device the range, and nobody anything else. */
  void enable(Bdf device) {
    long rootTable = newTable();
    long contexts = newTable();
    long context = contexts + (device.requesterId() & 0xFFL) * ContextEntryLayout.ENTRY_BYTES;
    store(context + ContextEntryLayout.HIGH, DOMAIN << ContextEntryLayout.DOMAIN_SHIFT | WIDTH_48);
    store(context, root | ContextEntryLayout.PRESENT);
    store(
        rootTable + (long) device.bus() * RootEntryLayout.ENTRY_BYTES,
        contexts | RootEntryLayout.PRESENT);
    write(RegisterLayout.RTADDR, Long.BYTES, rootTable);
    write(RegisterLayout.GCMD, Integer.BYTES, RegisterLayout.SET_ROOT_POINTER);
    write(RegisterLayout.GCMD, Integer.BYTES, RegisterLayout.TRANSLATION_ENABLE);
    cpu.mmioRead(RegisterLayout.BASE_ADDRESS + RegisterLayout.GSTS, Integer.BYTES);
  }

  private long below(long entry) {
    long value = cpu.load(entry, Long.BYTES);
    if (value == 0) {
      value = newTable() | RIGHTS;
      store(entry, value);
    }
    return value & SecondLevelLayout.ADDRESS_MASK;
  }

  private static long entry(long table, long iova, int level) {
    int shift = SecondLevelLayout.PAGE_SHIFT + (level - 1) * SecondLevelLayout.LEVEL_BITS;
    long index = iova >>> shift & SecondLevelLayout.ENTRIES - 1;
    return table + index * SecondLevelLayout.ENTRY_BYTES;
  }

  private long newTable() {
    long pa = pages.allocate(TABLE_BYTES);
    byte[] zeros = new byte[TABLE_BYTES];
    cpu.store(pa, zeros, 0, TABLE_BYTES);
    clean(pa, TABLE_BYTES);
    return pa;
  }

  private void store(long pa, long value) {
    cpu.store(pa, Long.BYTES, value);
    clean(pa, Long.BYTES);
  }

  private void clean(long pa, int lengthBytes) {
    if (!isCoherent) {
      cpu.maintainCache(CacheOperation.CLEAN, pa, lengthBytes);
    }
  }

  private void write(int register, int sizeBytes, long value) {
    cpu.mmioWrite(RegisterLayout.BASE_ADDRESS + register, sizeBytes, value);
  }
}
