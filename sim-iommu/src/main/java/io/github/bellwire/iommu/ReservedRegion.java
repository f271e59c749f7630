package io.github.bellwire.iommu;

import io.github.bellwire.pcie.Bdf;
import org.jspecify.annotations.Nullable;

/**
 * Memory that a device uses without its driver's doing, a frame buffer or what firmware keeps for
 * USB keyboards: firmware announces it (RMRR of the DMAR table, VT-d specification 4.1, section
 * 8.4), and software maps it one to one for the device before it switches translation on. The unit
 * itself knows nothing of it.
 *
 * @param device that uses it; null for all devices
 * @param pa first byte, a multiple of 4 KiB
 * @param lengthBytes a multiple of 4 KiB, at least 4 KiB
 */
public record ReservedRegion(@Nullable Bdf device, long pa, long lengthBytes) {
  private static final long PAGE_MASK = 0xFFF;

  // Checked here and nowhere else.
  public ReservedRegion {
    require(pa >= 0 && (pa & PAGE_MASK) == 0, "pa", pa);
    require(lengthBytes > 0 && (lengthBytes & PAGE_MASK) == 0, "lengthBytes", lengthBytes);
  }

  private static void require(boolean ok, String name, long value) {
    if (!ok) {
      throw new IllegalArgumentException(
          name + " must be a multiple of 4 KiB: " + name + "=" + value);
    }
  }
}
