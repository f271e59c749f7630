package io.github.bellwire.examples.iommu;

import io.github.bellwire.cache.SimpleCacheConfig;
import io.github.bellwire.cpu.CoreConfig;
import io.github.bellwire.cpu.SynchronousPort;
import io.github.bellwire.device.drive.DriveConfig;
import io.github.bellwire.device.drive.DriveLayout;
import io.github.bellwire.device.drive.FixedRateDrive;
import io.github.bellwire.dma.DmaDevice;
import io.github.bellwire.dma.DmaMapper;
import io.github.bellwire.examples.host.Slots;
import io.github.bellwire.host.Host;
import io.github.bellwire.host.HostConfig;
import io.github.bellwire.iommu.Iommu;
import io.github.bellwire.iommu.IommuConfig;
import io.github.bellwire.iommu.IommuFactory;
import io.github.bellwire.iommu.IommuPresets;
import io.github.bellwire.iommu.driver.IommuDriver;
import io.github.bellwire.iommu.driver.IommuDriverConfig;
import io.github.bellwire.iommu.driver.MappingPolicy;
import io.github.bellwire.memory.SimpleMemoryControllerConfig;
import io.github.bellwire.pcie.ConfigLayout;
import io.github.bellwire.pcie.EnumeratedFunction;
import io.github.bellwire.pcie.PcieLinkConfig;
import io.github.bellwire.pcie.RootPort;
import io.github.bellwire.stats.LatencyHistogram;
import io.github.bellwire.trace.TraceSink;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Drives and the cores that read from them, each through a queue of its own. */
final class DriveMachine {
  private static final long PS_PER_SECOND = 1_000_000_000_000L;

  /**
   * What is built.
   *
   * @param host the machine
   * @param iommu its IOMMU
   * @param system how the operating system drives it
   * @param drives how many
   * @param queuesPerDrive cores that read from each
   * @param drive what each can do
   * @param cyclesPerRead that software above the driver takes
   * @param depth reads that a core keeps outstanding
   * @param staysMapped whether buffers are mapped once for all
   */
  record Setup(
      HostConfig host,
      IommuConfig iommu,
      IommuDriverConfig system,
      int drives,
      int queuesPerDrive,
      DriveConfig drive,
      int cyclesPerRead,
      int depth,
      boolean staysMapped) {
    Setup withStaysMapped(boolean newStaysMapped) {
      return new Setup(
          host, iommu, system, drives, queuesPerDrive, drive, cyclesPerRead, depth, newStaysMapped);
    }
  }

  /**
   * NVIDIA's measurement of NVMe under Grace, 4 KiB random reads from eight drives (NV-Kernels,
   * pull requests 182 and 184): each drive answers an eighth of the 16.5 million reads per second
   * that there are without translation. Assumptions: 64 cores; 60 us, the latency of flash; 5000
   * cycles of user space and kernel per read.
   */
  static final Setup GRACE =
      new Setup(
          new HostConfig(
              "grace",
              1L << 31,
              1L << 36,
              64,
              CoreConfig.SERVER.withFrequencyHz(3_400_000_000L),
              SimpleCacheConfig.SERVER,
              new SimpleMemoryControllerConfig(50_000, 20_000, 0),
              HostConfig.GEN4_SERVER.rootComplex(),
              PcieLinkConfig.GEN5_X16.withLanes(4)),
          IommuPresets.SMMUV3_GRACE,
          IommuDriverConfig.ARM64_SMMU,
          8,
          8,
          new DriveConfig(4096, 60_000_000, PS_PER_SECOND * 8 / 16_500_000),
          5000,
          64,
          false);

  private final Setup setup;
  private final Host host;
  private final @Nullable Iommu iommu;
  private final @Nullable IommuDriver system;
  private final List<DriveLoad> loads = new ArrayList<>();
  private final List<FixedRateDrive> drives = new ArrayList<>();
  private final List<RootPort> slots = new ArrayList<>();
  private final List<DmaMapper> mappers = new ArrayList<>();
  private final LatencyHistogram latency = new LatencyHistogram();

  DriveMachine(Setup setup, MappingPolicy policy, long seed) {
    this(setup, policy, seed, false);
  }

  /** Builds a machine whose drivers are watched, if asked for. */
  DriveMachine(Setup setup, MappingPolicy policy, long seed, boolean isWatched) {
    this.setup = setup;
    if (policy == MappingPolicy.OFF) {
      host = new Host(setup.host(), seed);
      iommu = null;
    } else {
      IommuFactory factory = new IommuFactory(setup.iommu());
      host = new Host(setup.host(), seed, factory);
      iommu = factory.iommu();
    }
    if (isWatched) {
      host.attachChecker();
    }
    for (int i = 0; i < setup.drives(); i++) {
      drives.add(new FixedRateDrive(setup.drive(), setup.host().link(), host.simulation()));
      slots.add(host.attach(drives.get(i)));
    }
    List<EnumeratedFunction> functions = host.enumerate();
    SynchronousPort port = host.synchronousPort(0);
    system = iommu == null ? null : newDriver(port);
    for (int i = 0; i < setup.drives(); i++) {
      openQueues(port, policy, i, functions.get(i));
    }
  }

  private void openQueues(
      SynchronousPort port, MappingPolicy policy, int drive, EnumeratedFunction function) {
    drives
        .get(drive)
        .configSpace()
        .write(
            ConfigLayout.COMMAND,
            Short.BYTES,
            ConfigLayout.COMMAND_BUS_MASTER_ENABLE | ConfigLayout.COMMAND_MEMORY_ENABLE);
    DmaMapper mapper =
        system == null
            ? DmaMapper.IDENTITY
            : system.attach(port, function.bdf().requesterId(), policy);
    mappers.add(mapper);
    DmaDevice dma = host.newDmaDevice(mapper, function.bdf());
    dma.trySetMask(64);
    dma.trySetCoherentMask(64);
    for (int queue = 0; queue < setup.queuesPerDrive(); queue++) {
      long registers = function.barAddress(0) + (long) queue * DriveLayout.QUEUE_BYTES;
      int core = drive * setup.queuesPerDrive() + queue;
      loads.add(new DriveLoad(host, core, port, dma, registers, setup, latency));
    }
  }

  private IommuDriver newDriver(SynchronousPort port) {
    IommuDriver driver = new IommuDriver(host, setup.iommu(), setup.system(), List.of());
    driver.start(port, false);
    return driver;
  }

  /**
   * Lets somebody hear of the reads.
   *
   * @param sink hears of them from now on
   * @return this machine
   */
  DriveMachine traceTo(TraceSink sink) {
    for (int i = 0; i < loads.size(); i++) {
      loads.get(i).traceTo(sink, i / setup.queuesPerDrive(), i % setup.queuesPerDrive());
    }
    return this;
  }

  /** All cores begin. */
  void warmUp(long durationPs) {
    long startPs = host.simulation().nowPs();
    for (DriveLoad load : loads) {
      load.wakeAt(startPs);
    }
    run(durationPs);
  }

  /** Runs on, and returns how many reads came back. */
  long run(long durationPs) {
    long before = reaped();
    host.simulation().runUntil(host.simulation().nowPs() + durationPs);
    return reaped() - before;
  }

  /** Runs, and returns the reads per second of the second part. */
  double measure(long warmUpPs, long durationPs) {
    warmUp(warmUpPs);
    long reads = run(durationPs);
    return reads * (double) PS_PER_SECOND / tookPs(reads, durationPs);
  }

  /**
   * {@return how long reads took that have come back within a time} Cores take them in lots: in a
   * short time more than drives and links answer, which have begun before.
   */
  double tookPs(long reads, long durationPs) {
    double linkPs = slots.stream().mapToDouble(Slots::busyPs).sum();
    double readPs = Math.max(setup.drive().intervalPs(), linkPs / Math.max(1, answered()));
    return Math.max(durationPs, reads * readPs / setup.drives());
  }

  long submitted() {
    return loads.stream().mapToLong(DriveLoad::submitted).sum();
  }

  /** {@return reads that all cores together keep outstanding} */
  long depth() {
    return (long) loads.size() * setup.depth();
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

  /** {@return how long the cores that read have been busy} */
  long busyPs() {
    long busyPs = 0;
    for (int i = 0; i < loads.size(); i++) {
      busyPs += host.core(i).busyPsTotal();
    }
    return busyPs;
  }

  List<DmaMapper> mappers() {
    return mappers;
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
