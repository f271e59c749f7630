package io.github.bellwire.iommu;

import io.github.bellwire.iommu.walk.TranslationUnit;
import io.github.bellwire.pcie.RemappingUnit;
import io.github.bellwire.stats.StatsRegistry;

/** An IOMMU of one architecture, and what all have in common. */
interface IommuCore extends RemappingUnit {
  /** {@return translation} */
  TranslationUnit translation();

  /** {@return faults that were to be recorded, whatever became of them} */
  long faultsTotal();

  /** {@return faults that software has been given} */
  long recordedTotal();

  /** {@return faults that are lost} */
  long droppedTotal();

  /** Names the counters that others do not have. */
  void registerCounters(StatsRegistry registry, String prefix);
}
