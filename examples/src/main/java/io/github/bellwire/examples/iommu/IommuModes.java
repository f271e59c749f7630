package io.github.bellwire.examples.iommu;

import io.github.bellwire.device.drive.DriveConfig;
import io.github.bellwire.device.nic.EthernetLayout;
import io.github.bellwire.device.nic.EthernetWire;
import io.github.bellwire.device.striding.driver.RxPages;
import io.github.bellwire.dma.DmaMapper;
import io.github.bellwire.examples.cli.CommandLineTool;
import io.github.bellwire.examples.cli.RunContext;
import io.github.bellwire.examples.cli.Scenario;
import io.github.bellwire.examples.host.HostChecker;
import io.github.bellwire.examples.report.Report;
import io.github.bellwire.examples.report.SelfCheck;
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
  private static final int NVME_BYTES = 4096;
  private static final long NVME_LATENCY_PS = 60 * PS_PER_US;
  private static final double ROUNDING = 1 + 1e-9;

  /** What is told of every mode, behind its name. */
  private static final List<String> FIGURES =
      List.of(
          "_goodput_gbit_per_s",
          "_cpu_ns_per_op",
          "_iotlb_misses_per_mib",
          "_invalidations_count",
          "_latency_ns_p99",
          "_exposure_us_max");

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
      Key.of(
          "workload",
          ValueTypes.words(Workload.class),
          "nic-rx",
          "what devices do: receive frames, read 4 KiB from a drive, or read any size");
  private static final Key<Long> RATE =
      Key.of(
          "rate",
          ValueTypes.bitsPerSecond(1_000_000, 400_000_000_000L),
          "40Gb/s",
          "what comes in: frames on the wire, or answers of the device");
  private static final Key<Long> FRAME_BYTES =
      Key.of(
          "frame-bytes",
          ValueTypes.bytes(128, 9018),
          "1518",
          "size of a frame, FCS included; the probe reads 4 bytes less at once");
  private static final Key<String> PAGE =
      Key.of(
          "page",
          ValueTypes.words(List.of("4k", "2m")),
          "4k",
          "pages that buffers are mapped by; 2m stay mapped");
  private static final Key<Long> DURATION =
      Key.of(
          "duration",
          ValueTypes.timePs(PS_PER_US, PS_PER_S),
          "2ms",
          "simulated time that is counted, per mode");

  /** What a mode makes of the workload. */
  private record Outcome(
      double goodputGbps,
      double cpuNsPerOperation,
      double missesPerMib,
      long invalidations,
      LatencyHistogram latency,
      Exposure exposure,
      long faults,
      List<SelfCheck> checks,
      Host host) {}

  /**
   * For how long ranges were reachable that drivers had unmapped.
   *
   * @param longestUs of the longest
   * @param text the same as people read it
   */
  private record Exposure(double longestUs, String text) {}

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
            ">IOTLB misses/MiB",
            ">invalidations",
            ">p99 us",
            ">longest exposure us");
    checkWorkload(settings);
    List<String> names = new ArrayList<>();
    long events = 0;
    long faults = 0;
    List<Host> hosts = new ArrayList<>();
    for (MappingPolicy policy : MappingPolicy.values()) {
      Outcome outcome = run(settings, context, policy);
      addMode(report, table, names, policy.name().toLowerCase(Locale.ROOT), outcome);
      hosts.add(outcome.host());
      faults += outcome.faults();
      events += outcome.host().simulation().eventsTotal();
    }
    report.table(table, names).explain("Columns", columns(settings.value(WORKLOAD)));
    report.check("the IOMMU refused nothing in any mode", faults == 0, faults + " faults");
    HostChecker.addTo(report, hosts);
    report.notModelled(
        settings.value(WORKLOAD) == Workload.NIC_RX
            ? "protocol headers, the bandwidth of DRAM"
            : "queues and commands of a drive: a device that answers at a fixed rate stands in for"
                + " it; the bandwidth of DRAM");
    return report.events(events);
  }

  private static void checkWorkload(Settings settings) {
    if (settings.value(WORKLOAD) == Workload.NVME && settings.isGiven(FRAME_BYTES)) {
      throw settings.refuse(
          FRAME_BYTES, "must not be given with workload=nvme, which reads " + NVME_BYTES + "B");
    }
  }

  private static String[] columns(Workload workload) {
    String operation = workload == Workload.NIC_RX ? "frame" : "read";
    return new String[] {
      "op: a " + operation + "; p99: of its latency",
      "longest exposure: how long a device could still reach a buffer after its driver had"
          + " unmapped it; \"always\" where nothing keeps devices out, in JSON the counted time;"
          + " - if none was unmapped"
    };
  }

  private static void addMode(
      Report report, Table table, List<String> names, String mode, Outcome outcome) {
    double p99Ns = outcome.latency().percentilePs(99) / PS_PER_NS;
    for (String figure : FIGURES) {
      names.add(mode + figure);
    }
    report
        .metric(mode + "_goodput_gbit_per_s", outcome.goodputGbps())
        .metric(mode + "_cpu_ns_per_op", outcome.cpuNsPerOperation())
        .metric(mode + "_iotlb_misses_per_mib", outcome.missesPerMib())
        .metric(mode + "_invalidations_count", outcome.invalidations())
        .metric(mode + "_latency_ns_p99", p99Ns)
        .metric(mode + "_exposure_us_max", outcome.exposure().longestUs());
    table.row(
        mode,
        number("%.2f", outcome.goodputGbps()),
        number("%.0f", outcome.cpuNsPerOperation()),
        number("%.1f", outcome.missesPerMib()),
        String.valueOf(outcome.invalidations()),
        number("%.2f", p99Ns / 1_000),
        outcome.exposure().text());
    outcome
        .checks()
        .forEach(check -> report.check(mode + ": " + check.name(), check.isOk(), check.detail()));
  }

  private static String number(String format, double value) {
    return String.format(Locale.ROOT, format, value);
  }

  private static Outcome run(Settings settings, RunContext context, MappingPolicy policy) {
    return settings.value(WORKLOAD) == Workload.NIC_RX
        ? receive(settings, context, policy)
        : read(settings, context, policy);
  }

  private static Outcome receive(Settings settings, RunContext context, MappingPolicy policy) {
    CongestionPreset lake = CongestionPresets.ICE_LAKE_LAZY_200G;
    int mtu = settings.intValue(FRAME_BYTES) - EthernetWire.FCS_BYTES - EthernetLayout.HEADER_BYTES;
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
                settings.value(HostChecker.CHECKER))
            .traceTo(context.trace());
    CongestionMachine.Counts counts = machine.measure(WARM_UP_PS, settings.value(DURATION));
    return new Outcome(
        machine.goodputGbps(counts),
        each(counts.busyPs() / PS_PER_NS, counts.deliveredFrames()),
        counts.perMib(counts.iotlbMisses()),
        counts.pageInvalidations() + counts.domainInvalidations(),
        machine.openLoop().latency(),
        exposure(policy, List.of(machine.mapper()), counts.timePs(), machine.host()),
        faults(machine.iommu()),
        frameChecks(machine),
        machine.host());
  }

  /** Counted by the senders, by the adapter and by the receiver, each for itself. */
  private static List<SelfCheck> frameChecks(CongestionMachine machine) {
    var nic = machine.nic();
    var receiver = machine.receiver();
    long sent = machine.openLoop().sentTotal();
    long dropped = nic.overflowsTotal() + nic.noEntryTotal();
    long handled = receiver.deliveredFrames() + receiver.heldFrames() + receiver.duplicateFrames();
    return List.of(
        new SelfCheck(
            "frames sent = stored + dropped + waiting in the adapter",
            sent == nic.storedTotal() + dropped + nic.waitingCount(),
            sent + " = " + nic.storedTotal() + " + " + dropped + " + " + nic.waitingCount()),
        new SelfCheck(
            "frames handled by software <= frames stored",
            handled <= nic.storedTotal(),
            handled + " <= " + nic.storedTotal()));
  }

  private static Outcome read(Settings settings, RunContext context, MappingPolicy policy) {
    boolean isNvme = settings.value(WORKLOAD) == Workload.NVME;
    int bytes = isNvme ? NVME_BYTES : settings.intValue(FRAME_BYTES) - EthernetWire.FCS_BYTES;
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
                settings.value(HostChecker.CHECKER))
            .traceTo(context.trace());
    long durationPs = settings.value(DURATION);
    long startPs = machine.host().simulation().nowPs();
    machine.warmUp(WARM_UP_PS / 4);
    long busyPs = machine.busyPs();
    long misses = misses(machine.iommu());
    long invalidations = invalidations(machine.system());
    long reads = machine.run(durationPs);
    double mib = (double) reads * bytes / (1 << 20);
    return new Outcome(
        reads * bytes * 8_000.0 / machine.tookPs(reads, durationPs),
        each((machine.busyPs() - busyPs) / PS_PER_NS, reads),
        each(misses(machine.iommu()) - misses, mib),
        invalidations(machine.system()) - invalidations,
        machine.latency(),
        exposure(policy, machine.mappers(), durationPs, machine.host()),
        faults(machine.iommu()),
        readChecks(machine, machine.host().simulation().nowPs() - startPs),
        machine.host());
  }

  /** Returns 0 where there was no operation. */
  private static double each(double sum, double operations) {
    return operations == 0 ? 0 : sum / operations;
  }

  private static List<SelfCheck> readChecks(DriveMachine machine, long elapsedPs) {
    double inFlight = machine.latency().meanPs() * machine.reaped() / elapsedPs;
    return List.of(
        new SelfCheck(
            "reads reaped <= answered <= submitted, none refused",
            machine.reaped() <= machine.answered()
                && machine.answered() <= machine.submitted()
                && machine.refused() == 0,
            String.format(
                Locale.ROOT,
                "%d <= %d <= %d, %d refused",
                machine.reaped(),
                machine.answered(),
                machine.submitted(),
                machine.refused())),
        new SelfCheck(
            "Little's law: reads in flight fit into the queues",
            inFlight <= machine.depth() * ROUNDING,
            String.format(Locale.ROOT, "%.1f of at most %d", inFlight, machine.depth())));
  }

  /** For how long a range was reachable that was not mapped any more; without modes, all along. */
  private static Exposure exposure(
      MappingPolicy policy, List<DmaMapper> mappers, long durationPs, Host host) {
    if (policy == MappingPolicy.OFF || policy == MappingPolicy.PASSTHROUGH) {
      return new Exposure((double) durationPs / PS_PER_US, "always");
    }
    long nowPs = host.simulation().nowPs();
    long longestPs = 0;
    for (DmaMapper mapper : mappers) {
      longestPs = Math.max(longestPs, ((IommuMapper) mapper).exposurePsMax(nowPs));
    }
    double longestUs = (double) longestPs / PS_PER_US;
    return new Exposure(longestUs, longestPs == 0 ? "-" : number("%.2f", longestUs));
  }

  private static long misses(@Nullable Iommu iommu) {
    return iommu == null ? 0 : iommu.statistics().iotlbMissesTotal();
  }

  private static long invalidations(@Nullable IommuDriver system) {
    return system == null ? 0 : system.commandsCount();
  }

  private static long faults(@Nullable Iommu iommu) {
    return iommu == null ? 0 : iommu.statistics().faultsTotal();
  }
}
