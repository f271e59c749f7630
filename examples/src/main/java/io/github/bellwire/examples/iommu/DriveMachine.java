package io.github.bellwire.examples.iommu;

import io.github.bellwire.cache.SimpleCacheConfig;
import io.github.bellwire.cpu.CoreConfig;
import io.github.bellwire.cpu.SynchronousPort;
import io.github.bellwire.device.drive.DriveConfig;
import io.github.bellwire.device.drive.DriveLayout;
import io.github.bellwire.device.drive.FixedRateDrive;
import io.github.bellwire.dma.DmaDevice;
import io.github.bellwire.dma.DmaMapper;
import io.github.bellwire.host.Host;
import io.github.bellwire.host.HostConfig;
import io.github.bellwire.iommu.Iommu;
import io.github.bellwire.iommu.IommuConfig;
import io.github.bellwire.iommu.IommuFactory;
import io.github.bellwire.iommu.IommuPresets;
import io.github.bellwire.iommu.driver.IommuDriver;
import io.github.bellwire.iommu.driver.IommuDriverConfig;
import io.github.bellwire.iommu.driver.MappingPolicy;
import io.github.bellwire.iommu.layout.RegisterLayout;
import io.github.bellwire.memory.SimpleMemoryControllerConfig;
import io.github.bellwire.pcie.ConfigLayout;
import io.github.bellwire.pcie.EnumeratedFunction;
import io.github.bellwire.pcie.PcieLinkConfig;
import io.github.bellwire.stats.LatencyHistogram;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Eight drives and the cores that read from them: NVIDIA's measurement of NVMe under Grace
 * (NV-Kernels, pull requests 182 and 184), 4 KiB random reads.
 */
final class DriveMachine {
  private static final int DRIVES = 8;
  private static final int BLOCK_BYTES = 4096;
  private static final int CORES = 64;
  private static final int DEPTH = 64;

  /**
   * What each of the eight drives answers in a second, of 16.5 million reads together without
   * translation; the latency is that of flash, 60 us, an assumption.
   */
  private static final DriveConfig DRIVE =
      new DriveConfig(BLOCK_BYTES, 60_000_000, 1_000_000_000_000L * DRIVES / 16_500_000);

  /** Block layer, submission and completion of a read in user space and kernel: an assumption. */
  private static final int CYCLES_PER_READ = 5000;

  private final Host host;
  private final @Nullable Iommu iommu;
  private final @Nullable IommuDriver system;
  private final List<DriveLoad> loads = new ArrayList<>();
  private final List<FixedRateDrive> drives = new ArrayList<>();
  private final LatencyHistogram latency = new LatencyHistogram();

  DriveMachine(MappingPolicy policy, long seed) {
    IommuConfig hardware = IommuPresets.of("smmuv3-grace");
    HostConfig config =
        new HostConfig(
            "grace",
            1L << 31,
            1L << 36,
            CORES,
            CoreConfig.SERVER.withFrequencyHz(3_400_000_000L),
            SimpleCacheConfig.SERVER,
            new SimpleMemoryControllerConfig(50_000, 20_000, 0),
            HostConfig.GEN4_SERVER.rootComplex(),
            PcieLinkConfig.GEN5_X16.withLanes(4));
    if (policy == MappingPolicy.OFF) {
      host = new Host(config, seed);
      iommu = null;
    } else {
      IommuFactory factory = new IommuFactory(hardware);
      host = new Host(config, seed, factory);
      iommu = factory.iommu();
    }
    for (int i = 0; i < DRIVES; i++) {
      drives.add(new FixedRateDrive(DRIVE, config.link(), host.simulation()));
      host.attach(drives.get(i));
    }
    List<EnumeratedFunction> functions = host.enumerate();
    SynchronousPort port = host.synchronousPort(0);
    system = iommu == null ? null : newDriver(port);
    for (int i = 0; i < DRIVES; i++) {
      drives
          .get(i)
          .configSpace()
          .write(
              ConfigLayout.COMMAND,
              Short.BYTES,
              ConfigLayout.COMMAND_BUS_MASTER_ENABLE | ConfigLayout.COMMAND_MEMORY_ENABLE);
      EnumeratedFunction function = functions.get(i);
      DmaMapper mapper =
          system == null
              ? DmaMapper.IDENTITY
              : system.attach(port, function.bdf().requesterId(), policy);
      DmaDevice dma = host.newDmaDevice(mapper);
      dma.trySetMask(64);
      dma.trySetCoherentMask(64);
      for (int queue = 0; queue < CORES / DRIVES; queue++) {
        long registers = function.barAddress(0) + (long) queue * DriveLayout.QUEUE_BYTES;
        int core = i * CORES / DRIVES + queue;
        loads.add(
            new DriveLoad(
                host,
                host.core(core),
                port,
                dma,
                registers,
                BLOCK_BYTES,
                CYCLES_PER_READ,
                DEPTH,
                latency));
      }
    }
  }

  private IommuDriver newDriver(SynchronousPort port) {
    IommuDriver driver =
        new IommuDriver(
            host, RegisterLayout.BASE_ADDRESS, IommuDriverConfig.ARM64_SMMU, List.of());
    driver.start(port, false);
    return driver;
  }

  /** Runs, and returns the reads per second of the second part. */
  double measure(long warmUpPs, long durationPs) {
    long startPs = host.simulation().nowPs();
    for (DriveLoad load : loads) {
      load.wakeAt(startPs);
    }
    host.simulation().runUntil(startPs + warmUpPs);
    long before = reaped();
    host.simulation().runUntil(startPs + warmUpPs + durationPs);
    return (reaped() - before) * 1e12 / durationPs;
  }

  long reaped() {
    return loads.stream().mapToLong(DriveLoad::reaped).sum();
  }

  long answered() {
    return drives.stream().mapToLong(FixedRateDrive::answeredTotal).sum();
  }

  long refused() {
    return drives.stream().mapToLong(FixedRateDrive::refusedTotal).sum();
  }

  double busyRatio() {
    double busyPs = 0;
    for (int i = 0; i < CORES; i++) {
      busyPs += host.core(i).busyPsTotal();
    }
    return busyPs / CORES / Math.max(1, host.simulation().nowPs());
  }

  LatencyHistogram latency() {
    return latency;
  }

  @Nullable Iommu iommu() {
    return iommu;
  }

  @Nullable IommuDriver system() {
    return system;
  }

  Host host() {
    return host;
  }
}
