package io.github.bellwire.iommu.queue;

import static io.github.bellwire.kernel.Requirements.require;

import io.github.bellwire.iommu.layout.RegisterLayout;

/**
 * The register block, and what it says of the unit beside what the other parts can do.
 *
 * @param baseAddress host physical address, a multiple of 4 KiB
 * @param version major 7:4, minor 3:0, 0..255
 * @param faultRecordsCount fault recording registers, 1..128
 * @param domainIdBits 4, 6, 8, 10, 12, 14 or 16
 * @param hasProtectedMemory whether there are protected memory regions
 * @param hasPageRequests whether devices may ask for pages
 */
public record RegisterConfig(
    long baseAddress,
    int version,
    int faultRecordsCount,
    int domainIdBits,
    boolean hasProtectedMemory,
    boolean hasPageRequests) {
  private static final int PAGE_MASK = 0xFFF;
  private static final int RECORDS_MAX = 128;
  private static final int DOMAIN_BITS_MIN = 4;
  private static final int DOMAIN_BITS_MAX = 16;

  /**
   * A server of the Xeon E5 family: version 1.0, eight fault records, 65,536 domains and both
   * protected regions, as CAP d2078c106f0466h says that Linux prints on these hosts.
   */
  public static final RegisterConfig XEON_E5 =
      new RegisterConfig(RegisterLayout.BASE_ADDRESS, 0x10, 8, 16, true, false);

  // Checked here and nowhere else.
  public RegisterConfig {
    require(
        (baseAddress & PAGE_MASK) == 0 && baseAddress >= 0,
        "baseAddress",
        baseAddress,
        "a multiple of 4 KiB");
    require(version >= 0 && version <= 0xFF, "version", version, "0..255");
    require(
        faultRecordsCount >= 1 && faultRecordsCount <= RECORDS_MAX,
        "faultRecordsCount",
        faultRecordsCount,
        "1.." + RECORDS_MAX);
    require(
        domainIdBits >= DOMAIN_BITS_MIN && domainIdBits <= DOMAIN_BITS_MAX && domainIdBits % 2 == 0,
        "domainIdBits",
        domainIdBits,
        "even and 4..16");
  }

  /**
   * {@return this configuration with another number of fault recording registers}
   *
   * @param newFaultRecordsCount as in the constructor
   */
  public RegisterConfig withFaultRecordsCount(int newFaultRecordsCount) {
    return new RegisterConfig(
        baseAddress,
        version,
        newFaultRecordsCount,
        domainIdBits,
        hasProtectedMemory,
        hasPageRequests);
  }

  /**
   * {@return this configuration at another place}
   *
   * @param newBaseAddress as in the constructor
   */
  public RegisterConfig withBaseAddress(long newBaseAddress) {
    return new RegisterConfig(
        newBaseAddress,
        version,
        faultRecordsCount,
        domainIdBits,
        hasProtectedMemory,
        hasPageRequests);
  }

  /**
   * {@return this configuration with or without page requests}
   *
   * @param newHasPageRequests as in the constructor
   */
  public RegisterConfig withPageRequests(boolean newHasPageRequests) {
    return new RegisterConfig(
        baseAddress,
        version,
        faultRecordsCount,
        domainIdBits,
        hasProtectedMemory,
        newHasPageRequests);
  }
}
