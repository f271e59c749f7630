package io.github.bellwire.iommu.interrupt;

import static io.github.bellwire.kernel.Requirements.requireRange;

/**
 * What interrupt remapping remembers and takes, besides the time of the caches.
 *
 * @param cachedEntries entries that are remembered, least recently used out first, 1..256
 * @param lookupPs to deal with a message, 0..1 ms
 */
public record InterruptConfig(int cachedEntries, long lookupPs) {
  private static final int ENTRIES_MAX = 256;
  private static final long TIME_MAX_PS = 1_000_000_000;

  /** Assumption: as many entries as the IOTLB has translations, looked up in no time. */
  public static final InterruptConfig XEON = new InterruptConfig(64, 0);

  // Checked here and nowhere else.
  public InterruptConfig {
    requireRange("cachedEntries", cachedEntries, 1, ENTRIES_MAX);
    requireRange("lookupPs", lookupPs, 0, TIME_MAX_PS);
  }
}
