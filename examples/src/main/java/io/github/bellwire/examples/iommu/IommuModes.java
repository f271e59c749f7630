package io.github.bellwire.examples.iommu;

import io.github.bellwire.device.drive.DriveConfig;
import io.github.bellwire.device.striding.driver.RxPages;
import io.github.bellwire.dma.DmaMapper;
import io.github.bellwire.examples.cli.CommandLineTool;
import io.github.bellwire.examples.cli.RunContext;
import io.github.bellwire.examples.cli.Scenario;
import io.github.bellwire.examples.host.HostChecker;
import io.github.bellwire.examples.report.Report;
import io.github.bellwire.examples.report.Table;
import io.github.bellwire.examples.settings.Key;
import io.github.bellwire.examples.settings.Settings;
import io.github.bellwire.examples.settings.ValueTypes;
import io.github.bellwire.host.Host;
import io.github.bellwire.iommu.Iommu;
import io.github.bellwire.iommu.driver.IommuDriver;
import io.github.bellwire.iommu.driver.IommuDriverConfig;
import io.github.bellwire.iommu.driver.IommuMapper;
import io.github.bellwire.iommu.driver.MappingPolicy;
import io.github.bellwire.stats.LatencyHistogram;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** One workload under every mode of the IOMMU, on fresh machines. */
public final class IommuModes implements Scenario {
  private static final long PS_PER_US = 1_000_000;
  private static final long PS_PER_S = 1_000_000_000_000L;
  private static final double PS_PER_NS = 1_000;
  private static final long WARM_UP_PS = 1000 * PS_PER_US;
  private static final int FLOWS = 16;
  private static final int CHANNELS = 4;
  private static final int RING_FRAMES = 1024;
  private static final int FCS_BYTES = 4;
  private static final int ETHERNET_BYTES = 14;
  private static final int NVME_BYTES = 4096;
  private static final long NVME_LATENCY_PS = 60 * PS_PER_US;

  /** What is measured with. */
  enum Workload {
    /** Frames that are received. */
    NIC_RX,
    /** Reads of 4 KiB from a drive, through four queues. */
    NVME,
    /** Reads of any size from a device without latency, through one queue. */
    PROBE
  }

  private static final Key<Workload> WORKLOAD =
      Key.of("workload", ValueTypes.words(Workload.class), "nic-rx", "what devices do");
  private static final Key<Long> RATE =
      Key.of(
          "rate", ValueTypes.bitsPerSecond(1_000_000, 400_000_000_000L), "40Gb/s", "what comes in");
  private static final Key<Long> FRAME_BYTES =
      Key.of(
          "frame-bytes",
          ValueTypes.bytes(128, 9018),
          "1518",
          "of a frame with FCS, or of a read of the probe");
  private static final Key<String> PAGE =
      Key.of("page", ValueTypes.words(List.of("4k", "2m")), "4k", "pages of buffers");
  private static final Key<Long> DURATION =
      Key.of("duration", ValueTypes.timePs(PS_PER_US, PS_PER_S), "2ms", "counted time per mode");

  /** What a mode makes of the workload. */
  private record Outcome(
      double goodputGbps,
      double cpuNsPerOperation,
      double missesPerMib,
      long invalidations,
      LatencyHistogram latency,
      double exposureUs,
      boolean isBalanced,
      String balance,
      Host host) {}

  /** Creates the scenario. */
  public IommuModes() {}

  @Override
  public String name() {
    return "iommu-modes";
  }

  @Override
  public String description() {
    return "run one workload with the IOMMU off, passing through, lazy, strict and bouncing";
  }

  @Override
  public List<Key<?>> keys() {
    return List.of(WORKLOAD, RATE, FRAME_BYTES, PAGE, DURATION, HostChecker.CHECKER);
  }

  @Override
  public Report run(Settings settings, RunContext context) {
    Report report = new Report();
    Table table =
        new Table(
            "Modes",
            "mode",
            ">Gb/s",
            ">CPU ns/op",
            ">misses/MiB",
            ">invalidations",
            ">p99 us",
            ">exposed us");
    long events = 0;
    List<Host> hosts = new ArrayList<>();
    for (MappingPolicy policy : MappingPolicy.values()) {
      Outcome outcome = run(settings, policy);
      addMode(report, table, policy.name().toLowerCase(Locale.ROOT), outcome);
      hosts.add(outcome.host());
      events += outcome.host().simulation().eventsTotal();
    }
    report.table(table);
    HostChecker.addTo(report, hosts);
    report.notModelled(
        settings.value(WORKLOAD) == Workload.NIC_RX
            ? "protocol headers, the bandwidth of DRAM"
            : "NVMe: a device of a fixed rate stands in for the drive");
    return report.events(events);
  }

  private static void addMode(Report report, Table table, String mode, Outcome outcome) {
    double p99Ns = outcome.latency().percentilePs(99) / PS_PER_NS;
    report
        .metric(mode + "_goodput_gbit_per_s", outcome.goodputGbps())
        .metric(mode + "_cpu_ns_per_op", outcome.cpuNsPerOperation())
        .metric(mode + "_iotlb_misses_per_mib", outcome.missesPerMib())
        .metric(mode + "_invalidations_count", outcome.invalidations())
        .metric(mode + "_latency_ns_p99", p99Ns)
        .metric(mode + "_exposure_us_max", outcome.exposureUs());
    table.row(
        mode,
        number("%.2f", outcome.goodputGbps()),
        number("%.0f", outcome.cpuNsPerOperation()),
        number("%.1f", outcome.missesPerMib()),
        String.valueOf(outcome.invalidations()),
        number("%.2f", p99Ns / 1_000),
        mode.equals("off") || mode.equals("passthrough")
            ? "always"
            : number("%.2f", outcome.exposureUs()));
    report.check("bytes in = bytes out, " + mode, outcome.isBalanced(), outcome.balance());
  }

  private static String number(String format, double value) {
    return String.format(Locale.ROOT, format, value);
  }

  private static Outcome run(Settings settings, MappingPolicy policy) {
    return settings.value(WORKLOAD) == Workload.NIC_RX
        ? receive(settings, policy)
        : read(settings, policy);
  }

  private static Outcome receive(Settings settings, MappingPolicy policy) {
    CongestionPreset lake = CongestionPresets.ICE_LAKE_LAZY_200G;
    int mtu = settings.intValue(FRAME_BYTES) - FCS_BYTES - ETHERNET_BYTES;
    CongestionPreset preset =
        new CongestionPreset(
            lake.host(),
            lake.iommu(),
            IommuDriverConfig.LINUX_6_12,
            policy,
            settings.value(RATE),
            mtu,
            RING_FRAMES,
            CHANNELS,
            CHANNELS,
            FLOWS,
            lake.moderationNs(),
            lake.senderModerationNs(),
            lake.bufferBytes(),
            lake.control(),
            0,
            false);
    RxPages.Policy pages =
        settings.value(PAGE).equals("2m") ? RxPages.Policy.BLOCKS : RxPages.Policy.FRESH;
    CongestionMachine machine =
        new CongestionMachine(
            preset,
            pages,
            settings.value(RATE),
            settings.value(CommandLineTool.SEED),
            settings.value(HostChecker.CHECKER));
    CongestionMachine.Counts counts = machine.measure(WARM_UP_PS, settings.value(DURATION));
    var nic = machine.nic();
    long known = nic.overflowsTotal() + nic.noEntryTotal() + nic.storedTotal() + nic.waitingCount();
    return new Outcome(
        counts.goodputGbps(),
        counts.busyPs() / PS_PER_NS / Math.max(1, counts.deliveredFrames()),
        counts.perMib(counts.iotlbMisses()),
        counts.pageInvalidations() + counts.domainInvalidations(),
        machine.openLoop().latency(),
        exposureUs(policy, List.of(machine.mapper()), counts.timePs()),
        nic.offeredTotal() == known && areFaultless(machine.iommu()),
        nic.offeredTotal() + " frames = " + known,
        machine.host());
  }

  private static Outcome read(Settings settings, MappingPolicy policy) {
    boolean isNvme = settings.value(WORKLOAD) == Workload.NVME;
    int bytes = isNvme ? NVME_BYTES : settings.intValue(FRAME_BYTES) - FCS_BYTES;
    CongestionPreset lake = CongestionPresets.ICE_LAKE_LAZY_200G;
    DriveMachine.Setup setup =
        new DriveMachine.Setup(
            lake.host(),
            lake.iommu(),
            IommuDriverConfig.LINUX_6_12,
            1,
            isNvme ? CHANNELS : 1,
            new DriveConfig(
                bytes,
                isNvme ? NVME_LATENCY_PS : 0,
                Math.max(1, bytes * 8 * PS_PER_S / settings.value(RATE))),
            isNvme ? DriveMachine.GRACE.cyclesPerRead() : 0,
            DriveMachine.GRACE.depth(),
            settings.value(PAGE).equals("2m"));
    DriveMachine machine =
        new DriveMachine(
            setup,
            policy,
            settings.value(CommandLineTool.SEED),
            settings.value(HostChecker.CHECKER));
    long durationPs = settings.value(DURATION);
    machine.warmUp(WARM_UP_PS / 4);
    long busyPs = machine.busyPs();
    long misses = misses(machine.iommu());
    long invalidations = invalidations(machine.system());
    long reads = machine.run(durationPs);
    double mib = (double) reads * bytes / (1 << 20);
    return new Outcome(
        reads * bytes * 8_000.0 / durationPs,
        (machine.busyPs() - busyPs) / PS_PER_NS / Math.max(1, reads),
        (misses(machine.iommu()) - misses) / Math.max(1e-9, mib),
        invalidations(machine.system()) - invalidations,
        machine.latency(),
        exposureUs(policy, machine.mappers(), durationPs),
        machine.reaped() <= machine.answered()
            && machine.answered() - machine.reaped() <= (long) setup.depth() * CHANNELS
            && machine.refused() == 0
            && areFaultless(machine.iommu()),
        machine.reaped() + " reads of " + machine.answered() + " answered",
        machine.host());
  }

  /** For how long a range was reachable that was not mapped any more; without modes, all along. */
  private static double exposureUs(MappingPolicy policy, List<DmaMapper> mappers, long durationPs) {
    if (policy == MappingPolicy.OFF || policy == MappingPolicy.PASSTHROUGH) {
      return (double) durationPs / PS_PER_US;
    }
    double longestUs = 0;
    for (DmaMapper mapper : mappers) {
      LatencyHistogram exposure = ((IommuMapper) mapper).statistics().exposure();
      longestUs = Math.max(longestUs, (double) exposure.maxPs() / PS_PER_US);
    }
    return longestUs;
  }

  private static long misses(@Nullable Iommu iommu) {
    return iommu == null ? 0 : iommu.statistics().iotlbMissesTotal();
  }

  private static long invalidations(@Nullable IommuDriver system) {
    return system == null ? 0 : system.commandsCount();
  }

  private static boolean areFaultless(@Nullable Iommu iommu) {
    return iommu == null || iommu.statistics().faultsTotal() == 0;
  }
}
