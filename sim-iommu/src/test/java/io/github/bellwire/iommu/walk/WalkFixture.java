package io.github.bellwire.iommu.walk;

import io.github.bellwire.cache.DeviceCachePort;
import io.github.bellwire.iommu.layout.ContextEntryLayout;
import io.github.bellwire.iommu.layout.FaultCode;
import io.github.bellwire.iommu.layout.PasidLayout;
import io.github.bellwire.iommu.layout.ScalableContextLayout;
import io.github.bellwire.kernel.Simulation;
import io.github.bellwire.memory.CommitQueue;
import io.github.bellwire.memory.PhysicalMemory;
import io.github.bellwire.pcie.AddressType;
import io.github.bellwire.pcie.DmaStatus;
import io.github.bellwire.pcie.TranslationRequest;
import io.github.bellwire.pcie.TranslationResult;
import java.util.ArrayList;
import java.util.List;

/** A unit with memory in which tests put tables; every read of it takes 20 ns. */
final class WalkFixture implements DeviceCachePort {
  static final long READ_PS = 20_000;
  static final int SOURCE = 0x0308;
  static final int DOMAIN = 7;
  static final int PASID = 5;
  static final long LOW_BYTES = 256L << 20;

  static final TranslationConfig.Capabilities EVERYTHING =
      new TranslationConfig.Capabilities(
          46,
          TranslationConfig.WIDTH_39 | TranslationConfig.WIDTH_48 | TranslationConfig.WIDTH_57,
          TranslationConfig.PAGES_2_MIB | TranslationConfig.PAGES_1_GIB,
          true,
          true,
          true,
          true);

  /** 8 pages fully associative, no time but that of the reads, 2 walkers. */
  static final TranslationConfig SMALL =
      new TranslationConfig(
          EVERYTHING,
          new TranslationConfig.Iotlb(1, 8, 1, 1),
          new TranslationConfig.PagingCaches(4, 4, 4),
          4,
          4,
          new TranslationConfig.Walkers(2, 0, 0, 0, false),
          true);

  record Fault(FaultCode reason, int sourceId, int pasid, long address, boolean isWrite) {}

  final Simulation simulation = new Simulation(1);
  final PhysicalMemory memory = new PhysicalMemory(LOW_BYTES, 0);
  final CommitQueue commits = new CommitQueue(simulation, memory);
  final List<Fault> faults = new ArrayList<>();
  final TranslationUnit unit;
  final TranslationRequest request = new TranslationRequest();
  final TranslationResult result = new TranslationResult();
  final long root;
  int readsCount;
  private long nextTable = 0x10_0000;

  WalkFixture(TranslationConfig config) {
    unit =
        new TranslationUnit(
            config,
            commits,
            this,
            (reason, sourceId, pasid, address, isWrite, atPs) ->
                faults.add(new Fault(reason, sourceId, pasid, address, isWrite)));
    root = table();
    unit.setRootTable(root, 0);
    unit.setEnabled(true);
  }

  @Override
  public long read(long pa, int lengthBytes, boolean noSnoop, long atPs) {
    readsCount++;
    return atPs + READ_PS;
  }

  @Override
  public long write(long pa, int lengthBytes, boolean noSnoop, long atPs) {
    return atPs + READ_PS;
  }

  long table() {
    long pa = nextTable;
    nextTable += 0x1000;
    return pa;
  }

  /** {@return the address of the legacy context entry of a function} */
  long context(int sourceId) {
    long rootEntry = root + (sourceId >>> 8) * 16L;
    if (memory.getLong(rootEntry) == 0) {
      memory.putLong(rootEntry, table() | 1);
    }
    return (memory.getLong(rootEntry) & ~0xFFFL) + (sourceId & 0xFF) * 16L;
  }

  /** Gives a function a domain; returns the root of its tables. */
  long legacy(int sourceId, int domainId, int levels, int type) {
    long table = table();
    memory.putLong(context(sourceId) + 8, (long) domainId << 8 | levels - 2);
    memory.putLong(context(sourceId), table | (long) type << 2 | ContextEntryLayout.PRESENT);
    return table;
  }

  long legacy() {
    return legacy(SOURCE, DOMAIN, 4, ContextEntryLayout.TRANSLATE);
  }

  /** {@return the address of an entry, with all tables above it} */
  long entry(long tables, int levels, long address, int level) {
    return entry(tables, levels, address, level, 3);
  }

  long entry(long tables, int levels, long address, int level, long bits) {
    long table = tables;
    for (int at = levels; ; at--) {
      long pa = table + (address >>> 12 + 9 * (at - 1) & 511) * 8;
      if (at == level) {
        return pa;
      }
      if (memory.getLong(pa) == 0) {
        memory.putLong(pa, table() | bits);
      }
      table = memory.getLong(pa) & 0xF_FFFF_FFFF_F000L;
    }
  }

  /** Maps a page by the second level. */
  void map(long tables, int levels, long iova, long pa, int level, long rights) {
    long large = level > 1 ? 1 << 7 : 0;
    memory.putLong(entry(tables, levels, iova, level), pa | rights | large);
  }

  /** Sets a function up in scalable mode; returns the address of its PASID entry. */
  long scalable(int type, long firstRoot, long secondRoot) {
    unit.setRootTable(root, 1);
    memory.putLong(root + (SOURCE >>> 8) * 16L, table() | 1);
    long context = scalableContext();
    memory.putLong(context + 8, PASID);
    memory.putLong(
        context,
        table()
            | ScalableContextLayout.PASID_ENABLE
            | ScalableContextLayout.DEVICE_TLB_ENABLE
            | ScalableContextLayout.PRESENT);
    memory.putLong(directory(), table() | PasidLayout.DIRECTORY_PRESENT);
    long entry = pasidEntry();
    memory.putLong(entry + PasidLayout.DOMAIN, DOMAIN);
    memory.putLong(entry + PasidLayout.FIRST_LEVEL, firstRoot);
    memory.putLong(
        entry, secondRoot | 2L << 2 | (long) type << 6 | PasidLayout.PRESENT); // 48 bits.
    return entry;
  }

  long scalableContext() {
    return (memory.getLong(root + (SOURCE >>> 8) * 16L) & ~0xFFFL) + (SOURCE & 0xFF) * 32L;
  }

  long directory() {
    return (memory.getLong(scalableContext()) & ~0xFFFL) + (PASID >>> 6) * 8L;
  }

  long pasidEntry() {
    return (memory.getLong(directory()) & ~0xFFFL) + (PASID & 63) * 64L;
  }

  /** Maps a page by the first level. */
  void mapFirst(long tables, long iova, long pa, int level, long bits) {
    long large = level > 1 ? 1 << 7 : 0;
    memory.putLong(entry(tables, 4, iova, level, 7), pa | bits | large | 1);
  }

  DmaStatus ask(long iova, boolean isWrite, long atPs) {
    return ask(SOURCE, TranslationRequest.NO_PASID, AddressType.UNTRANSLATED, iova, isWrite, atPs);
  }

  DmaStatus ask(int sourceId, int pasid, AddressType type, long iova, boolean isWrite, long atPs) {
    request.from(sourceId, pasid, type);
    request.access(iova, 64, isWrite, atPs);
    unit.translate(request, result);
    return result.status();
  }

  void set(long pa, long bits) {
    memory.putLong(pa, memory.getLong(pa) | bits);
  }
}
