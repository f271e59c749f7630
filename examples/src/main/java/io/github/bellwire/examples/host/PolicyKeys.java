package io.github.bellwire.examples.host;

import io.github.bellwire.examples.settings.Key;
import io.github.bellwire.examples.settings.Settings;
import io.github.bellwire.examples.settings.ValueTypes;
import io.github.bellwire.iommu.driver.IommuDriverConfig;
import io.github.bellwire.iommu.driver.MappingPolicy;
import io.github.bellwire.iommu.walk.TableKind;
import java.util.List;

/** The keys that describe an IOMMU whose mappings drivers make and end while the machine runs. */
public final class PolicyKeys {
  /** How the operating system uses it. */
  public static final Key<MappingPolicy> IOMMU =
      Key.of(
          "iommu",
          ValueTypes.words(MappingPolicy.class),
          "off",
          "how devices' addresses are translated");

  /** Whose driver it has. */
  public static final Key<String> KERNEL =
      Key.optional(
          "iommu.kernel",
          ValueTypes.words(
              IommuDriverConfig.PRESETS.stream().map(IommuDriverConfig::name).toList()),
          "Linux 6.12 for the IOMMU",
          "operating system whose driver maps, one of the IOMMU's architecture");

  /** All of them. */
  public static final List<Key<?>> ALL = List.of(IOMMU, IommuKeys.PRESET, KERNEL);

  private PolicyKeys() {}

  /** Refuses what means nothing without an IOMMU. */
  static void refuseWithout(Settings settings) {
    for (Key<?> key : List.of(IommuKeys.PRESET, KERNEL)) {
      if (settings.isGiven(key)) {
        throw settings.refuse(key, "needs iommu=passthrough, lazy, strict or strict-bounce");
      }
    }
  }

  /**
   * {@return how the operating system drives the IOMMU}
   *
   * @param settings of a scenario with {@link #ALL} keys
   * @param kind of the IOMMU
   */
  static IommuDriverConfig kernel(Settings settings, TableKind kind) {
    String name = settings.supply(KERNEL, usualKernel(kind).name());
    List<String> those = kernels(kind).stream().map(IommuDriverConfig::name).toList();
    if (!those.contains(name)) {
      throw settings.refuse(
          KERNEL,
          "must be "
              + String.join(" or ", those)
              + " with "
              + settings.assignment(IommuKeys.PRESET));
    }
    return IommuDriverConfig.PRESETS.stream()
        .filter(config -> config.name().equals(name))
        .findFirst()
        .orElseThrow();
  }

  /** {@return the operating systems that know the IOMMUs of an architecture} */
  private static List<IommuDriverConfig> kernels(TableKind kind) {
    return kind == TableKind.VT_D
        ? List.of(IommuDriverConfig.LINUX_6_12, IommuDriverConfig.LINUX_6_0)
        : List.of(usualKernel(kind));
  }

  /** {@return Linux 6.12 on an architecture} */
  static IommuDriverConfig usualKernel(TableKind kind) {
    return switch (kind) {
      case VT_D -> IommuDriverConfig.LINUX_6_12;
      case AMD_VI -> IommuDriverConfig.AMD_VI;
      case SMMU_V3 -> IommuDriverConfig.ARM64_SMMU;
    };
  }
}
