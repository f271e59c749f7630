package io.github.bellwire.iommu.queue;

import static io.github.bellwire.kernel.Requirements.requireRange;

/**
 * What the invalidation queue takes, besides the time in which its reads and writes of memory go
 * through the caches. Descriptors are worked on one after the other.
 *
 * @param contextPs to invalidate context entries, 0..1 ms
 * @param iotlbPs to invalidate IOTLB entries, of any granularity, 0..1 ms
 * @param pasidPs to invalidate PASID entries, 0..1 ms
 * @param interruptEntryPs to invalidate interrupt entries, 0..1 ms
 * @param issuePs to work on any other descriptor: to send a device TLB invalidation or a page group
 *     response on its way, to deal with a wait, 0..1 ms
 * @param deviceTlbTimeoutPs how long a device may take to answer, 1 us..90 s
 * @param addressMaskMax largest address mask of a page-selective invalidation, 0..52
 */
public record InvalidationConfig(
    long contextPs,
    long iotlbPs,
    long pasidPs,
    long interruptEntryPs,
    long issuePs,
    long deviceTlbTimeoutPs,
    int addressMaskMax) {
  private static final long TIME_MAX_PS = 1_000_000_000;
  private static final long TIMEOUT_MIN_PS = 1_000_000;
  private static final long TIMEOUT_MAX_PS = 90_000_000_000_000L;
  private static final int MASK_MAX = 52;

  /**
   * A server of the Xeon E3 and E5 family. What a strict unmap spends on invalidation is 2127
   * cycles of 3.1 GHz, 686 ns, from the tail write to the end of the wait (rIOMMU, ASPLOS 2015,
   * table 1). Less what the parts around it take here, the tail write (100 ns), the descriptors
   * (50), the status write (50) and seeing it (75), that leaves about 400 ns, 350 for the IOTLB and
   * 50 for the wait; how they share it is an assumption, and that other caches take as long as the
   * IOTLB. Address masks up to 18: CAP d2078c106f0466h, which Linux prints on these hosts. A
   * timeout of 10 ms is an assumption; ATS allows a device a minute and a half (PCI Express Base
   * Specification 5.0, section 10.3.1), which nobody wants to wait for.
   */
  public static final InvalidationConfig XEON =
      new InvalidationConfig(350_000, 350_000, 350_000, 350_000, 50_000, 10_000_000_000L, 18);

  // Checked here and nowhere else.
  public InvalidationConfig {
    requireRange("contextPs", contextPs, 0, TIME_MAX_PS);
    requireRange("iotlbPs", iotlbPs, 0, TIME_MAX_PS);
    requireRange("pasidPs", pasidPs, 0, TIME_MAX_PS);
    requireRange("interruptEntryPs", interruptEntryPs, 0, TIME_MAX_PS);
    requireRange("issuePs", issuePs, 0, TIME_MAX_PS);
    requireRange("deviceTlbTimeoutPs", deviceTlbTimeoutPs, TIMEOUT_MIN_PS, TIMEOUT_MAX_PS);
    requireRange("addressMaskMax", addressMaskMax, 0, MASK_MAX);
  }

  /**
   * {@return this configuration with another time to invalidate IOTLB entries}
   *
   * @param newIotlbPs as in the constructor
   */
  public InvalidationConfig withIotlbPs(long newIotlbPs) {
    return new InvalidationConfig(
        contextPs,
        newIotlbPs,
        pasidPs,
        interruptEntryPs,
        issuePs,
        deviceTlbTimeoutPs,
        addressMaskMax);
  }

  /**
   * {@return this configuration with another timeout}
   *
   * @param newDeviceTlbTimeoutPs as in the constructor
   */
  public InvalidationConfig withDeviceTlbTimeoutPs(long newDeviceTlbTimeoutPs) {
    return new InvalidationConfig(
        contextPs,
        iotlbPs,
        pasidPs,
        interruptEntryPs,
        issuePs,
        newDeviceTlbTimeoutPs,
        addressMaskMax);
  }
}
