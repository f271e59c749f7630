/** Address translation for devices: tables, walks, what is remembered of them, and faults. */
module io.github.bellwire.iommu {
  requires transitive io.github.bellwire.core;
  requires static transitive org.jspecify;

  exports io.github.bellwire.iommu;
  exports io.github.bellwire.iommu.amd;
  exports io.github.bellwire.iommu.driver;
  exports io.github.bellwire.iommu.interrupt;
  exports io.github.bellwire.iommu.layout;
  exports io.github.bellwire.iommu.queue;
  exports io.github.bellwire.iommu.smmu;
  exports io.github.bellwire.iommu.walk;
}
