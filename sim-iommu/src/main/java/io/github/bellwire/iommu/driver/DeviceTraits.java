package io.github.bellwire.iommu.driver;

import io.github.bellwire.iommu.ReservedRegion;
import io.github.bellwire.pcie.Bdf;
import java.util.ArrayList;
import java.util.List;

/**
 * What firmware and configuration space tell about a device.
 *
 * @param isUntrusted whether it can be reached from outside (ExternalFacingPort of firmware): it is
 *     always strict and bounced, and must not remember translations
 * @param hasDeviceTlb whether it asks for translations and remembers them (ATS)
 * @param identityRanges memory that it may use at any time, at the same bus address (RMRR)
 */
public record DeviceTraits(
    boolean isUntrusted, boolean hasDeviceTlb, List<IovaRange> identityRanges) {
  /** Trusted, without a device TLB and reserved memory. */
  public static final DeviceTraits INTERNAL = new DeviceTraits(false, false, List.of());

  /** The same behind an external port. */
  public static final DeviceTraits EXTERNAL = new DeviceTraits(true, false, List.of());

  // A list of its own.
  public DeviceTraits {
    identityRanges = List.copyOf(identityRanges);
  }

  /**
   * {@return the same with memory that firmware announces for the device}
   *
   * @param device where it is
   * @param announced for all devices, see {@link io.github.bellwire.iommu.IommuConfig}
   */
  public DeviceTraits withReservedRegions(Bdf device, List<ReservedRegion> announced) {
    List<IovaRange> ranges = new ArrayList<>(identityRanges);
    for (ReservedRegion region : announced) {
      if (region.device() == null || region.device().equals(device)) {
        ranges.add(new IovaRange(region.pa(), region.pa() + region.lengthBytes() - 1));
      }
    }
    return new DeviceTraits(isUntrusted, hasDeviceTlb, ranges);
  }

  /** {@return the policy that such a device gets when another one is asked for} */
  MappingPolicy effective(MappingPolicy policy) {
    return isUntrusted && policy != MappingPolicy.OFF ? MappingPolicy.STRICT_BOUNCE : policy;
  }
}
