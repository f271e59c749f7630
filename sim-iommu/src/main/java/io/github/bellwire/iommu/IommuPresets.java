package io.github.bellwire.iommu;

import io.github.bellwire.iommu.interrupt.InterruptConfig;
import io.github.bellwire.iommu.queue.InvalidationConfig;
import io.github.bellwire.iommu.queue.RegisterConfig;
import io.github.bellwire.iommu.walk.TranslationConfig;
import io.github.bellwire.iommu.walk.TranslationPresets;
import java.util.List;

/** IOMMUs of real machines, by the names of the machines. */
public final class IommuPresets {
  /** All of them. */
  public static final List<IommuConfig> ALL =
      List.of(
          xeonE5("snb", TranslationPresets.SNB),
          xeonE5("ib", TranslationPresets.IB),
          xeonE5("hsw", TranslationPresets.HSW),
          xeonE5("hsw-sm", TranslationPresets.HSW_SM),
          xeonE5("bdw", TranslationPresets.BDW),
          xeonE5("e3", TranslationPresets.E3),
          xeonE5("cascade-lake", TranslationPresets.CASCADE_LAKE),
          xeonE5("ice-lake", TranslationPresets.ICE_LAKE),
          xeonE5("smmuv3-grace", TranslationPresets.SMMUV3_GRACE)
              .withInvalidation(InvalidationConfig.SMMUV3_GRACE));

  private IommuPresets() {}

  private static IommuConfig xeonE5(String name, TranslationConfig translation) {
    return new IommuConfig(
        name,
        RegisterConfig.XEON_E5,
        translation,
        InvalidationConfig.XEON,
        InterruptConfig.XEON,
        List.of());
  }

  /**
   * {@return the IOMMU with a name}
   *
   * @param name one of those of {@link #ALL}
   * @throws IllegalArgumentException if there is none
   */
  public static IommuConfig of(String name) {
    return ALL.stream()
        .filter(config -> config.name().equals(name))
        .findFirst()
        .orElseThrow(
            () -> new IllegalArgumentException("name must be that of a preset: name=" + name));
  }
}
