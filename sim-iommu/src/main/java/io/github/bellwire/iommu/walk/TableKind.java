package io.github.bellwire.iommu.walk;

import io.github.bellwire.iommu.layout.AmdFault;
import io.github.bellwire.iommu.layout.SmmuEvent;

/** Whose tables a translation unit reads. */
public enum TableKind {
  /** Intel VT-d. */
  VT_D {
    @Override
    ContextSource contexts(
        TranslationConfig config,
        TableReader reader,
        TranslationCaches caches,
        TranslationStatistics statistics) {
      return new ContextReader(config, reader, caches, statistics);
    }

    @Override
    PageTableFormat[] formats(TranslationConfig config) {
      return new PageTableFormat[] {new SecondLevelFormat(config.capabilities())};
    }

    @Override
    AddressWalk walker(
        TranslationConfig config,
        TableReader reader,
        TranslationCaches caches,
        TranslationStatistics statistics) {
      return new PageWalker(config, reader, caches, statistics);
    }
  },

  /** AMD-Vi. */
  AMD_VI {
    @Override
    ContextSource contexts(
        TranslationConfig config,
        TableReader reader,
        TranslationCaches caches,
        TranslationStatistics statistics) {
      return new AmdDeviceTable(config, reader, caches, statistics);
    }

    @Override
    PageTableFormat[] formats(TranslationConfig config) {
      return new PageTableFormat[] {new AmdPageFormat(config.capabilities())};
    }

    @Override
    AddressWalk walker(
        TranslationConfig config,
        TableReader reader,
        TranslationCaches caches,
        TranslationStatistics statistics) {
      TableWalk[] walks = walks(formats(config), reader, caches, statistics);
      return new StageWalker(
          WalkFaults.AMD, AmdFault.ACCESS_DENIED, walks, config.walkers().overheadPs());
    }
  },

  /** Arm SMMUv3. */
  SMMU_V3 {
    @Override
    ContextSource contexts(
        TranslationConfig config,
        TableReader reader,
        TranslationCaches caches,
        TranslationStatistics statistics) {
      return new SmmuStreamTable(config, reader, caches, statistics);
    }

    @Override
    PageTableFormat[] formats(TranslationConfig config) {
      int[] granuleShifts = SmmuStreamTable.GRANULE_SHIFTS;
      PageTableFormat[] formats = new PageTableFormat[granuleShifts.length];
      for (int i = 0; i < formats.length; i++) {
        formats[i] = new SmmuStageFormat(granuleShifts[i], config.capabilities());
      }
      return formats;
    }

    @Override
    AddressWalk walker(
        TranslationConfig config,
        TableReader reader,
        TranslationCaches caches,
        TranslationStatistics statistics) {
      TableWalk[] walks = walks(formats(config), reader, caches, statistics);
      return new StageWalker(
          WalkFaults.SMMU, SmmuEvent.PERMISSION, walks, config.walkers().overheadPs());
    }
  };

  abstract ContextSource contexts(
      TranslationConfig config,
      TableReader reader,
      TranslationCaches caches,
      TranslationStatistics statistics);

  abstract AddressWalk walker(
      TranslationConfig config,
      TableReader reader,
      TranslationCaches caches,
      TranslationStatistics statistics);

  /** {@return formats that a device's entry may choose where there is one level of tables} */
  abstract PageTableFormat[] formats(TranslationConfig config);

  private static TableWalk[] walks(
      PageTableFormat[] formats,
      TableReader reader,
      TranslationCaches caches,
      TranslationStatistics statistics) {
    TableWalk[] walks = new TableWalk[formats.length];
    for (int i = 0; i < walks.length; i++) {
      walks[i] = new TableWalk(formats[i], reader, caches, statistics);
    }
    return walks;
  }
}
