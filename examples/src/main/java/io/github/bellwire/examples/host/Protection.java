package io.github.bellwire.examples.host;

import io.github.bellwire.dma.DmaDevice;
import io.github.bellwire.dma.DmaMapper;
import io.github.bellwire.examples.report.Report;
import io.github.bellwire.examples.settings.Settings;
import io.github.bellwire.host.Host;
import io.github.bellwire.host.HostConfig;
import io.github.bellwire.iommu.Iommu;
import io.github.bellwire.iommu.IommuConfig;
import io.github.bellwire.iommu.IommuFactory;
import io.github.bellwire.iommu.driver.IommuDriver;
import io.github.bellwire.iommu.driver.IommuDriverConfig;
import io.github.bellwire.iommu.driver.IommuMapper;
import io.github.bellwire.iommu.driver.IovaRange;
import io.github.bellwire.iommu.driver.MappingPolicy;
import io.github.bellwire.pcie.EnumeratedFunction;
import io.github.bellwire.pcie.EnumerationConfig;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A host with or without an IOMMU, and what that has done to the devices on it. */
public final class Protection {
  private static final double PS_PER_US = 1e6;
  private static final double BYTES_PER_MIB = 1 << 20;

  private final MappingPolicy policy;
  private final Host host;
  private final @Nullable Iommu iommu;
  private final @Nullable IommuDriver driver;
  private final List<IommuMapper> mappers = new ArrayList<>();
  private long missesBefore;
  private long faultsBefore;
  private long commandsBefore;
  private long waitPsBefore;

  private Protection(
      MappingPolicy policy, Host host, @Nullable Iommu iommu, @Nullable IommuDriver driver) {
    this.policy = policy;
    this.host = host;
    this.iommu = iommu;
    this.driver = driver;
  }

  /**
   * Builds a host and, if there is an IOMMU, switches translation on.
   *
   * @param settings of a scenario with {@link PolicyKeys#ALL} keys
   * @param config the machine
   * @param seed of its random streams
   * @return the machine
   */
  public static Protection build(Settings settings, HostConfig config, long seed) {
    MappingPolicy policy = settings.value(PolicyKeys.IOMMU);
    if (policy == MappingPolicy.OFF) {
      PolicyKeys.refuseWithout(settings);
      return new Protection(policy, new Host(config, seed), null, null);
    }
    IommuFactory factory = new IommuFactory(IommuKeys.resolve(settings));
    Host host = new Host(config, seed, factory);
    IommuConfig firmware = factory.iommu().config();
    IommuDriverConfig kernel = PolicyKeys.kernel(settings, firmware.kind());
    IommuDriver driver = new IommuDriver(host, firmware, kernel, barWindows());
    driver.start(host.synchronousPort(0), false);
    return new Protection(policy, host, factory.iommu(), driver);
  }

  /** Bus addresses that lead to BARs of others are not handed out. */
  private static List<IovaRange> barWindows() {
    EnumerationConfig windows = EnumerationConfig.XEON;
    return List.of(
        range(windows.window32Base(), windows.window32Bytes()),
        range(windows.window64Base(), windows.window64Bytes()));
  }

  private static IovaRange range(long base, long bytes) {
    return new IovaRange(base, base + bytes - 1);
  }

  /** {@return the machine} */
  public Host host() {
    return host;
  }

  /**
   * {@return the DMA state of a device, which may do DMA from here on}
   *
   * @param function the device
   */
  public DmaDevice newDmaDevice(EnumeratedFunction function) {
    if (driver == null) {
      return host.newDmaDevice(DmaMapper.IDENTITY, function.bdf());
    }
    var mapper = driver.attach(host.synchronousPort(0), function.bdf().requesterId(), policy);
    if (mapper instanceof IommuMapper translated) {
      mappers.add(translated);
    }
    return host.newDmaDevice(mapper, function.bdf());
  }

  /** From here on counts what {@link #addMetrics} reports. */
  public void beginMeasurement() {
    if (iommu != null && driver != null) {
      missesBefore = iommu.statistics().iotlbMissesTotal();
      faultsBefore = iommu.faultsTotal();
      commandsBefore = driver.commandsCount();
      waitPsBefore = driver.waitPsTotal();
    }
  }

  /**
   * Adds what the IOMMU has done since the beginning of the measurement, if there is one.
   *
   * @param report gets the metrics and a section
   * @param payloadBytes that devices have moved
   */
  public void addMetrics(Report report, long payloadBytes) {
    if (iommu == null || driver == null) {
      return;
    }
    long misses = iommu.statistics().iotlbMissesTotal() - missesBefore;
    long nowPs = host.simulation().nowPs();
    long exposurePs = 0;
    for (IommuMapper mapper : mappers) {
      exposurePs = Math.max(exposurePs, mapper.exposurePsMax(nowPs));
    }
    report
        .metric("iotlb_misses_count", misses)
        .metric("iotlb_misses_per_mib", misses * BYTES_PER_MIB / Math.max(1, payloadBytes))
        .metric("iommu_faults_count", iommu.faultsTotal() - faultsBefore)
        .metric("invalidations_count", driver.commandsCount() - commandsBefore)
        .metric("invalidation_wait_us", (driver.waitPsTotal() - waitPsBefore) / PS_PER_US)
        .metric("exposure_us_max", exposurePs / PS_PER_US)
        .section(
            "IOMMU",
            "iotlb_misses_count",
            "iotlb_misses_per_mib",
            "iommu_faults_count",
            "invalidations_count",
            "invalidation_wait_us",
            "exposure_us_max");
  }
}
