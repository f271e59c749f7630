package io.github.bellwire.examples.dmacheck;

import io.github.bellwire.cpu.CpuPort;
import io.github.bellwire.dma.DmaDirection;
import io.github.bellwire.dma.DmaMapper;
import io.github.bellwire.dma.PageAllocator;
import io.github.bellwire.iommu.driver.IommuDriver;
import io.github.bellwire.iommu.driver.IommuMapper;
import io.github.bellwire.iommu.driver.TableList;

/** The mapper of an IOMMU driver, with a bug that can be switched on. */
final class ForgetfulMapper implements DmaMapper {
  private static final long PAGE_BYTES = PageAllocator.PAGE_BYTES;

  private final IommuDriver driver;
  private final IommuMapper careful;

  /** A bug: unmapping invalidates, but does not give the bus addresses back. */
  boolean forgetsAddresses;

  ForgetfulMapper(IommuDriver driver, IommuMapper careful) {
    this.driver = driver;
    this.careful = careful;
  }

  @Override
  public boolean reaches(long pa, int lengthBytes, long mask) {
    return careful.reaches(pa, lengthBytes, mask);
  }

  @Override
  public long map(CpuPort port, long pa, int lengthBytes, DmaDirection direction, long mask) {
    return careful.map(port, pa, lengthBytes, direction, mask);
  }

  @Override
  public void unmap(CpuPort port, long iova, int lengthBytes, DmaDirection direction) {
    if (!forgetsAddresses) {
      careful.unmap(port, iova, lengthBytes, direction);
      return;
    }
    long first = iova & -PAGE_BYTES;
    long end = iova + lengthBytes + PAGE_BYTES - 1 & -PAGE_BYTES;
    TableList freed = new TableList();
    careful.domain().tables().unmap(port, first, end - first, freed);
    driver.flush(port, careful.domain());
    careful.domain().tables().free(freed);
  }
}
