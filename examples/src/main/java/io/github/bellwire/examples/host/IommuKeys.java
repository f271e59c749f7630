package io.github.bellwire.examples.host;

import io.github.bellwire.examples.settings.Key;
import io.github.bellwire.examples.settings.Settings;
import io.github.bellwire.examples.settings.ValueTypes;
import io.github.bellwire.host.HostConfig;
import io.github.bellwire.iommu.IommuConfig;
import io.github.bellwire.iommu.IommuPresets;
import io.github.bellwire.iommu.walk.TableKind;
import java.util.Arrays;
import java.util.List;

/** The keys that describe an IOMMU with mappings that stay. */
public final class IommuKeys {
  /** The pages of the mappings. */
  public static final Key<String> IOMMU =
      Key.of(
          "iommu",
          ValueTypes.words(Arrays.stream(IommuPage.values()).map(IommuPage::word).toList()),
          IommuPage.OFF.word(),
          "address translation for devices, by pages of a size");

  /** Which IOMMU. */
  public static final Key<String> PRESET =
      Key.optional(
          "iommu.preset",
          ValueTypes.words(IommuPresets.all().stream().map(IommuConfig::name).toList()),
          "that of the host",
          "IOMMU preset");

  /** All of them. */
  public static final List<Key<?>> ALL = List.of(IOMMU, PRESET);

  private IommuKeys() {}

  /**
   * {@return the pages of the mappings}
   *
   * @param settings of a scenario with {@link #ALL} keys
   */
  public static IommuPage page(Settings settings) {
    return IommuPage.of(settings.value(IOMMU));
  }

  /**
   * {@return the IOMMU: that of the host unless another is named}
   *
   * @param settings of a scenario with {@link #ALL} keys
   */
  public static IommuConfig resolve(Settings settings) {
    return resolve(settings, settings.value(HostKeys.HOST));
  }

  /**
   * {@return the IOMMU: that of a host unless another is named}
   *
   * @param settings of a scenario with the {@link #PRESET} key
   * @param host name of a host preset
   */
  public static IommuConfig resolve(Settings settings, String host) {
    String name = settings.supply(PRESET, ofHost(host).name());
    IommuConfig iommu =
        IommuPresets.all().stream()
            .filter(config -> config.name().equals(name))
            .findFirst()
            .orElseThrow();
    if (iommu.kind() == TableKind.AMD_VI && host.equals(HostConfig.EMBEDDED_NONCOHERENT.name())) {
      throw settings.refuse(PRESET, "must not be of AMD-Vi on a host without coherence");
    }
    return iommu;
  }

  /** Hosts that have never been built get the IOMMU of the study's newest one. */
  private static IommuConfig ofHost(String host) {
    switch (host) {
      case "snb":
        return IommuPresets.SNB;
      case "ib":
        return IommuPresets.IB;
      case "hsw":
        return IommuPresets.HSW;
      case "hsw-sm":
        return IommuPresets.HSW_SM;
      case "e3":
        return IommuPresets.E3;
      case "gen4-server":
      case "gen5-server":
        return IommuPresets.ICE_LAKE;
      default:
        return IommuPresets.BDW;
    }
  }
}
