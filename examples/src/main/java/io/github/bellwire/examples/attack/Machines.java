package io.github.bellwire.examples.attack;

import io.github.bellwire.host.Host;
import io.github.bellwire.host.HostConfig;
import io.github.bellwire.iommu.Iommu;
import io.github.bellwire.iommu.IommuConfig;
import io.github.bellwire.iommu.IommuFactory;
import io.github.bellwire.iommu.driver.MappingPolicy;
import io.github.bellwire.iommu.interrupt.InterruptConfig;
import io.github.bellwire.iommu.queue.InvalidationConfig;
import io.github.bellwire.iommu.queue.RegisterConfig;
import io.github.bellwire.iommu.walk.TranslationConfig;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Builds a host, with an IOMMU unless the mode has none. */
final class Machines {
  private static final IommuConfig IOMMU =
      new IommuConfig(
          "attacked",
          RegisterConfig.XEON_E5,
          new TranslationConfig(
              new TranslationConfig.Capabilities(
                  46,
                  TranslationConfig.WIDTH_39 | TranslationConfig.WIDTH_48,
                  TranslationConfig.PAGES_2_MIB | TranslationConfig.PAGES_1_GIB,
                  true,
                  true,
                  false,
                  true),
              new TranslationConfig.Iotlb(1, 128, 1, 1),
              new TranslationConfig.PagingCaches(32, 32, 64),
              64,
              64,
              new TranslationConfig.Walkers(6, 150_000, 20_000, false),
              true),
          InvalidationConfig.XEON,
          InterruptConfig.XEON,
          List.of());

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
