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
    AddressWalk walker(
        TranslationConfig config,
        TableReader reader,
        TranslationCaches caches,
        TranslationStatistics statistics) {
      AmdPageFormat format = new AmdPageFormat(config.capabilities());
      TableWalk[] walks = {new TableWalk(format, reader, caches, statistics)};
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
    AddressWalk walker(
        TranslationConfig config,
        TableReader reader,
        TranslationCaches caches,
        TranslationStatistics statistics) {
      TableWalk[] walks = new TableWalk[SmmuStreamTable.GRANULE_SHIFTS.length];
      for (int i = 0; i < walks.length; i++) {
        int granuleShift = SmmuStreamTable.GRANULE_SHIFTS[i];
        SmmuStageFormat format = new SmmuStageFormat(granuleShift, config.capabilities());
        walks[i] = new TableWalk(format, reader, caches, statistics);
      }
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
}
