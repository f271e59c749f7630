package io.github.bellwire.iommu.driver;

import io.github.bellwire.cpu.CpuPort;

/**
 * How software makes an IOMMU forget translations: what the driver of a kind of IOMMU implements.
 * Each call returns when the hardware has forgotten, or is taken for dead.
 */
public interface Invalidator {
  /**
   * Invalidates pages of a domain, in the devices that remember translations too.
   *
   * @param port the core that asks and waits
   * @param domain whose pages
   * @param iova first byte, a multiple of 4 KiB
   * @param pages of 4 KiB, at least 1
   * @param isLeafOnly whether tables have not changed, but for last entries
   * @return whether the hardware has forgotten; if not, it may go on using what it remembers
   */
  boolean invalidatePages(
      CpuPort port, DmaDomain domain, long iova, long pages, boolean isLeafOnly);

  /**
   * Invalidates everything of a domain.
   *
   * @param port the core that asks and waits
   * @param domain whose translations
   * @return whether the hardware has forgotten
   */
  boolean invalidateDomain(CpuPort port, DmaDomain domain);
}
