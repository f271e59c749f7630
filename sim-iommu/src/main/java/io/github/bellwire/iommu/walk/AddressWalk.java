package io.github.bellwire.iommu.walk;

import io.github.bellwire.iommu.layout.FaultCode;
import org.jspecify.annotations.Nullable;

/** Walks a device's tables. Holds the outcome of the last walk. */
interface AddressWalk {
  /**
   * Walks.
   *
   * @param context whose tables
   * @param iova to translate
   * @param isWrite whether the page is going to be written
   * @param startPs when the walker is there
   * @return whether there is a page that may be accessed so; if not, there is a {@link #fault}
   */
  boolean walk(DeviceContext context, long iova, boolean isWrite, long startPs);

  /** {@return why there is no such page; null if there is} */
  @Nullable FaultCode fault();

  /** {@return where the page lies} */
  long pagePa();

  /** {@return bits of the page} */
  int pageShift();

  /** {@return what all levels leave of the rights, see {@link PageTableFormat}} */
  int rights();

  /** {@return whether a write would set no bit} */
  boolean isDirty();

  /** {@return when the outcome is known} */
  long endPs();
}
