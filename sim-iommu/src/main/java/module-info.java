/** Address translation for devices: will hold page tables, IOTLB, walkers and invalidation. */
module io.github.bellwire.iommu {
  requires transitive io.github.bellwire.core;
  requires static transitive org.jspecify;
}
