package io.github.bellwire.examples.host;

import io.github.bellwire.cpu.SynchronousPort;
import io.github.bellwire.dma.DmaConfig;
import io.github.bellwire.dma.DmaDevice;
import io.github.bellwire.dma.DmaMapper;
import io.github.bellwire.dma.check.DmaChecker;
import io.github.bellwire.examples.settings.Settings;
import io.github.bellwire.host.Host;
import io.github.bellwire.host.HostConfig;
import io.github.bellwire.iommu.Iommu;
import io.github.bellwire.iommu.IommuConfig;
import io.github.bellwire.iommu.IommuFactory;
import io.github.bellwire.iommu.driver.DeviceTraits;
import io.github.bellwire.iommu.driver.DmaDomain;
import io.github.bellwire.iommu.driver.IommuDriver;
import io.github.bellwire.iommu.driver.IommuDriverConfig;
import io.github.bellwire.iommu.driver.MappingPolicy;
import io.github.bellwire.iommu.driver.TableList;
import io.github.bellwire.iommu.layout.SecondLevelLayout;
import io.github.bellwire.iommu.walk.TranslationStatistics;
import io.github.bellwire.pcie.Bdf;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A machine with an IOMMU before its devices, if the settings ask for one. */
public final class RemappedHost {
  /** Where the range begins for the device: a multiple of every page. */
  private static final long IOVA = 1L << 30;

  private final IommuPage page;
  private final @Nullable Iommu iommu;
  private final Host host;

  /**
   * Builds the machine.
   *
   * @param settings of a scenario with {@link IommuKeys#ALL} keys
   * @param config what the machine is made of
   * @param seed of its random streams
   */
  public RemappedHost(Settings settings, HostConfig config, long seed) {
    page = IommuKeys.page(settings);
    if (page == IommuPage.OFF) {
      if (settings.isGiven(IommuKeys.PRESET)) {
        throw settings.refuse(IommuKeys.PRESET, "needs iommu=4k, 2m or 1g");
      }
      iommu = null;
      host = new Host(config, seed);
    } else {
      IommuFactory factory = new IommuFactory(IommuKeys.resolve(settings));
      host = new Host(config, seed, factory);
      iommu = factory.iommu();
    }
  }

  /** {@return the machine} */
  public Host host() {
    return host;
  }

  /** {@return whether addresses of devices are translated} */
  public boolean isRemapped() {
    return iommu != null;
  }

  /**
   * {@return a size in whole pages of the mapping}
   *
   * @param sizeBytes at least 1
   */
  public long wholePages(long sizeBytes) {
    return iommu == null ? sizeBytes : sizeBytes + page.bytes() - 1 & -page.bytes();
  }

  /**
   * {@return where a device finds a range that begins at an address}
   *
   * @param pa host physical address
   */
  public long iova(long pa) {
    return iommu == null ? pa : IOVA;
  }

  /**
   * Maps the one range that a device may reach, for as long as the machine runs; the operating
   * system's driver does so on the first core.
   *
   * @param device who may reach it
   * @param pa host physical address, a multiple of the pages
   * @param sizeBytes in {@linkplain #wholePages whole pages}
   */
  public void map(Bdf device, long pa, long sizeBytes) {
    if (iommu != null) {
      mapPages(iommu, device, pa, sizeBytes);
    }
  }

  /**
   * Says to the checker, if there is one, which memory a device shares with the host for good, as
   * it does by VFIO with a driver in user space. Such a driver gets cleared pages, so that there is
   * something to be read everywhere, and maintains caches itself. Takes no time.
   *
   * @param device who shares it
   * @param pa host physical address of the first byte, where the mapped range begins
   * @param lengthBytes at least 1
   */
  public void declareShared(Bdf device, long pa, int lengthBytes) {
    DmaChecker checker = host.checker();
    if (checker == null) {
      return;
    }
    DmaMapper mapper = new OneRangeMapper(pa, iova(pa), lengthBytes);
    DmaDevice dma = new DmaDevice(DmaConfig.LINUX_DEFAULT, host.pages(), mapper, null);
    checker.watch(dma, device.toString(), device.requesterId());
    checker.declareWritten(pa, lengthBytes);
    dma.trySetMask(Long.SIZE);
    long iova = dma.mapShared(host.synchronousPort(0), pa, lengthBytes);
    if (dma.isMappingError(iova)) {
      throw new IllegalStateException("memory at 0x" + Long.toHexString(pa) + " is out of reach");
    }
  }

  private void mapPages(Iommu unit, Bdf device, long pa, long sizeBytes) {
    SynchronousPort port = host.synchronousPort(0);
    IommuConfig firmware = unit.config();
    IommuDriverConfig kernel = PolicyKeys.usualKernel(firmware.kind());
    IommuDriver driver =
        new IommuDriver(host, firmware, kernel.withLargestPageLevel(page.level()), List.of());
    driver.start(port, false);
    DmaDomain domain = driver.newDomain(port, MappingPolicy.STRICT);
    long rights = SecondLevelLayout.READ | SecondLevelLayout.WRITE;
    domain.tables().tryMap(port, IOVA, pa, sizeBytes, rights, new TableList());
    driver.attach(port, device.requesterId(), domain, DeviceTraits.INTERNAL);
  }

  /** {@return the share of requests whose page was not remembered; 0 without an IOMMU} */
  public double iotlbMissRatio() {
    if (iommu == null) {
      return 0;
    }
    TranslationStatistics statistics = iommu.statistics();
    return (double) statistics.iotlbMissesTotal() / Math.max(1, statistics.lookupsTotal());
  }
}
