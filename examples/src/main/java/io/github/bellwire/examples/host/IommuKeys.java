package io.github.bellwire.examples.host;

import io.github.bellwire.examples.settings.Key;
import io.github.bellwire.examples.settings.Settings;
import io.github.bellwire.examples.settings.ValueTypes;
import io.github.bellwire.iommu.IommuConfig;
import io.github.bellwire.iommu.IommuPresets;
import java.util.Arrays;
import java.util.List;

/** The keys that describe an IOMMU with mappings that stay. */
public final class IommuKeys {
  private static final String OTHER_HOSTS = "bdw";

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
          ValueTypes.words(IommuPresets.ALL.stream().map(IommuConfig::name).toList()),
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
   * {@return the IOMMU: that of the host, or of bdw where there is none of its name}
   *
   * @param settings of a scenario with {@link #ALL} keys
   */
  public static IommuConfig resolve(Settings settings) {
    String host = settings.value(HostKeys.HOST);
    boolean isKnown = IommuPresets.ALL.stream().anyMatch(config -> config.name().equals(host));
    return IommuPresets.of(settings.supply(PRESET, isKnown ? host : OTHER_HOSTS));
  }
}
