package io.github.bellwire.iommu.driver;

/** How an operating system uses the IOMMU for a device. */
public enum MappingPolicy {
  /** There is no IOMMU, or it is switched off: bus addresses are host physical, all of memory. */
  OFF,
  /** The IOMMU lets the device's requests through as they are ({@code iommu.passthrough=1}). */
  PASSTHROUGH,
  /** Unmapped ranges are invalidated together, later; the default of Linux on x86. */
  LAZY,
  /** Each unmap waits until the hardware has forgotten the range ({@code iommu.strict=1}). */
  STRICT,
  /** Strict, and what does not fill whole pages is copied: for devices behind external ports. */
  STRICT_BOUNCE
}
