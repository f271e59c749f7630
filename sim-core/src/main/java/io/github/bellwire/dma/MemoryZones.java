package io.github.bellwire.dma;

/**
 * The RAM of a machine, split as operating systems split it: what a device with 32 address bits can
 * reach, and the rest.
 *
 * <pre>{@code
 * 0    1 MiB                          4 GiB
 * +------+------------+- - - - - - - -+----------------------+
 * | firm-|   DMA32    |  devices      |       NORMAL         |
 * | ware |            |               |                      |
 * +------+------------+- - - - - - - -+----------------------+
 * }</pre>
 *
 * @param dma32 memory below 4 GiB, {@link MemoryZone#NONE} if there is none
 * @param normal memory at or above 4 GiB, {@link MemoryZone#NONE} if there is none
 */
public record MemoryZones(MemoryZone dma32, MemoryZone normal) {
  /** Where the NORMAL zone may begin at the earliest: 4 GiB. */
  public static final long NORMAL_BASE = 1L << 32;

  /** Memory below this belongs to firmware, as on a PC: 1 MiB. */
  public static final long FIRMWARE_BYTES = 1L << 20;

  // Checked here and nowhere else.
  public MemoryZones {
    require(dma32.endPa() <= NORMAL_BASE, "dma32", dma32, "below 4 GiB");
    require(
        normal.isEmpty() || normal.basePa() >= NORMAL_BASE, "normal", normal, "at or above 4 GiB");
    require(!dma32.isEmpty() || !normal.isEmpty(), "normal", normal, "non-empty without DMA32");
  }

  /**
   * {@return the zones of a machine whose RAM begins at 0 and goes on at 4 GiB}
   *
   * @param lowBytes RAM below 4 GiB, a multiple of 4 KiB, 1 MiB..4 GiB; the first MiB is left out
   * @param highBytes RAM from 4 GiB on, a multiple of 4 KiB, at least 0
   */
  public static MemoryZones ofRam(long lowBytes, long highBytes) {
    MemoryZone normal = highBytes == 0 ? MemoryZone.NONE : new MemoryZone(NORMAL_BASE, highBytes);
    return new MemoryZones(new MemoryZone(FIRMWARE_BYTES, lowBytes - FIRMWARE_BYTES), normal);
  }

  /** {@return the bytes of both zones} */
  public long totalBytes() {
    return dma32.sizeBytes() + normal.sizeBytes();
  }

  /** {@return the lowest address of RAM} */
  public long lowestPa() {
    return dma32.isEmpty() ? normal.basePa() : dma32.basePa();
  }

  private static void require(boolean ok, String name, MemoryZone value, String bound) {
    if (!ok) {
      throw new IllegalArgumentException(name + " must be " + bound + ": " + name + "=" + value);
    }
  }
}
