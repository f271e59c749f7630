package io.github.bellwire.iommu;

import static java.util.Objects.requireNonNull;

import io.github.bellwire.host.RemappingFactory;
import io.github.bellwire.host.RemappingPorts;
import org.jspecify.annotations.Nullable;

/** Makes the IOMMU of one {@link io.github.bellwire.host.Host}, and hands it out afterwards. */
public final class IommuFactory implements RemappingFactory {
  private final IommuConfig config;
  private @Nullable Iommu iommu;

  /**
   * Creates a factory for one host.
   *
   * @param config the IOMMU
   */
  public IommuFactory(IommuConfig config) {
    this.config = requireNonNull(config, "config");
  }

  @Override
  public Iommu create(RemappingPorts ports) {
    if (iommu != null) {
      throw new IllegalStateException("there is an IOMMU already: name=" + config.name());
    }
    iommu = new Iommu(config, ports);
    return iommu;
  }

  /**
   * {@return the IOMMU of the host}
   *
   * @throws IllegalStateException if no host has been built yet
   */
  public Iommu iommu() {
    if (iommu == null) {
      throw new IllegalStateException("there is no IOMMU yet: name=" + config.name());
    }
    return iommu;
  }
}
