package io.github.bellwire.examples.attack;

import io.github.bellwire.host.Host;
import io.github.bellwire.host.HostConfig;
import io.github.bellwire.iommu.Iommu;
import io.github.bellwire.iommu.IommuConfig;
import io.github.bellwire.iommu.IommuFactory;
import io.github.bellwire.iommu.IommuPresets;
import io.github.bellwire.iommu.driver.MappingPolicy;
import org.jspecify.annotations.Nullable;

/** Builds a host, with an IOMMU unless the mode has none. */
final class Machines {
  // One with device TLBs and interrupt remapping; a miss takes 291 ns.
  private static final IommuConfig IOMMU = IommuPresets.of("bdw");

  private final @Nullable IommuFactory factory;

  Machines(Mode mode) {
    factory = mode.policy() == MappingPolicy.OFF ? null : new IommuFactory(IOMMU);
  }

  Host newHost(HostConfig config, long seed) {
    IommuFactory current = factory;
    return current == null ? new Host(config, seed) : new Host(config, seed, current);
  }

  /** {@return the IOMMU of the host that has been built; null if it has none} */
  @Nullable Iommu iommu() {
    IommuFactory current = factory;
    return current == null ? null : current.iommu();
  }
}
