package io.github.bellwire.dma;

import static io.github.bellwire.kernel.Requirements.require;

/**
 * What a device demands of DMA mappings. Construction throws {@link IllegalArgumentException}
 * naming the property, the bound it breaks and its value.
 *
 * @param maxSegmentBytes longest segment of a scatter list, at least 512
 * @param minAlignMask low address bits that a bounce buffer must share with the original: 0 or 2^k
 *     - 1 up to 65535; 4095 for NVMe, whose PRP entries imply the offset in the page
 * @param expectedMappings mappings that live at one time; more are possible at the price of one
 *     reallocation each time the number doubles, 1..2^22
 * @param isCoherent whether the device sees what cores have written and the other way round (on
 *     arm64 the property dma-coherent of the device tree); if not, mapping and syncing cleans and
 *     invalidates cached lines, and coherent memory is mapped uncached
 */
public record DmaConfig(
    int maxSegmentBytes, int minAlignMask, int expectedMappings, boolean isCoherent) {
  /**
   * The defaults of Linux 6.12: segments of 64 KiB (dma_get_max_seg_size), no alignment to preserve
   * (dma_get_min_align_mask), coherent. The number of mappings, 1024, is an assumption.
   */
  public static final DmaConfig LINUX_DEFAULT = new DmaConfig(65_536, 0, 1024, true);

  // Checked here and nowhere else: a configuration that exists is a valid one.
  public DmaConfig {
    require(maxSegmentBytes >= 512, "maxSegmentBytes", maxSegmentBytes, ">= 512");
    require(
        minAlignMask >= 0 && minAlignMask <= 65_535 && (minAlignMask & minAlignMask + 1) == 0,
        "minAlignMask",
        minAlignMask,
        "0 or 2^k - 1 up to 65535");
    require(
        expectedMappings >= 1 && expectedMappings <= 1 << 22,
        "expectedMappings",
        expectedMappings,
        "1..2^22");
  }

  /**
   * {@return this configuration with another segment length}
   *
   * @param newMaxSegmentBytes as in the constructor
   */
  public DmaConfig withMaxSegmentBytes(int newMaxSegmentBytes) {
    return new DmaConfig(newMaxSegmentBytes, minAlignMask, expectedMappings, isCoherent);
  }

  /**
   * {@return this configuration with another alignment mask}
   *
   * @param newMinAlignMask as in the constructor
   */
  public DmaConfig withMinAlignMask(int newMinAlignMask) {
    return new DmaConfig(maxSegmentBytes, newMinAlignMask, expectedMappings, isCoherent);
  }

  /**
   * {@return this configuration with another number of mappings}
   *
   * @param newExpectedMappings as in the constructor
   */
  public DmaConfig withExpectedMappings(int newExpectedMappings) {
    return new DmaConfig(maxSegmentBytes, minAlignMask, newExpectedMappings, isCoherent);
  }

  /**
   * {@return this configuration for a device that is coherent or not}
   *
   * @param newIsCoherent as in the constructor
   */
  public DmaConfig withCoherent(boolean newIsCoherent) {
    return new DmaConfig(maxSegmentBytes, minAlignMask, expectedMappings, newIsCoherent);
  }
}
