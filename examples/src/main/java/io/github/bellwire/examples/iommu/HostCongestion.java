package io.github.bellwire.examples.iommu;

import io.github.bellwire.device.striding.driver.RxPages;
import io.github.bellwire.examples.cli.CommandLineTool;
import io.github.bellwire.examples.cli.RunContext;
import io.github.bellwire.examples.cli.Scenario;
import io.github.bellwire.examples.report.Report;
import io.github.bellwire.examples.report.Table;
import io.github.bellwire.examples.settings.Key;
import io.github.bellwire.examples.settings.Settings;
import io.github.bellwire.examples.settings.ValueTypes;
import io.github.bellwire.iommu.driver.IommuDriver;
import io.github.bellwire.iommu.driver.MappingPolicy;
import java.util.List;
import java.util.Locale;

/** A host that cannot take what devices bring, because their addresses have to be translated. */
public final class HostCongestion implements Scenario {
  private static final long PS_PER_US = 1_000_000;
  private static final double PS_PER_NS = 1_000;
  private static final double PS_PER_S = 1e12;
  private static final long WARM_UP_PS = 4_000 * PS_PER_US;
  private static final long DURATION_PS = 4_000 * PS_PER_US;

  /** The first timeouts, 200 ms after the first losses, come in step. */
  private static final long TIMEOUTS_WARM_UP_PS = 250_000 * PS_PER_US;

  /** A flow's rare losses change what all others see for hundreds of milliseconds. */
  private static final long TIMEOUTS_DURATION_PS = 1_000_000 * PS_PER_US;

  /** In which the windows of hundreds of flows settle. */
  private static final long MANY_WARM_UP_PS = 10_000 * PS_PER_US;

  private static final long MANY_DURATION_PS = 10_000 * PS_PER_US;
  private static final long DRIVE_WARM_UP_PS = 500 * PS_PER_US;
  private static final long DRIVE_DURATION_PS = 1_000 * PS_PER_US;
  private static final long MTU_MIN = 1280;
  private static final long MTU_MAX = 9000;

  private static final String CASCADE_LAKE = "cascade-lake-strict-100g";
  private static final String ICE_LAKE = "ice-lake-lazy-200g";
  private static final String GRACE = "grace-nvme";

  private static final Key<String> PRESET =
      Key.of(
          "preset",
          ValueTypes.words(List.of(CASCADE_LAKE, ICE_LAKE, GRACE)),
          CASCADE_LAKE,
          "published experiment");
  private static final Key<Long> FLOWS =
      Key.optional("flows", ValueTypes.count(1, 1024), "preset", "flows that come in at once");
  private static final Key<Long> MTU =
      Key.optional(
          "mtu", ValueTypes.bytes(MTU_MIN, MTU_MAX), "preset", "largest IP packet of the network");
  private static final Key<String> PAGE =
      Key.of(
          "page",
          ValueTypes.words(List.of("4k", "2m")),
          "4k",
          "pages that receive buffers are mapped by; 2m stay mapped");
  private static final Key<Long> RING_SIZE =
      Key.optional(
          "ring.size", ValueTypes.count(64, 8192), "preset", "frames that a receive ring holds");
  private static final Key<String> IOMMU =
      Key.optional(
          "iommu",
          ValueTypes.words(List.of("off", "passthrough", "lazy", "strict")),
          "preset",
          "how mappings are made and forgotten");
  private static final Key<String> REUSE =
      Key.of(
          "pages",
          ValueTypes.words(List.of("recycled", "fresh", "contiguous")),
          "recycled",
          "reuse of mapped pages, none, or none and one range per entry");
  private static final Key<Boolean> HINT =
      Key.optional(
          "iommu.hint", ValueTypes.onOff(), "preset", "invalidations keep paging-structure caches");
  private static final Key<Long> WARM_UP =
      Key.optional(
          "warm-up",
          ValueTypes.timePs(0, 1_000_000 * PS_PER_US),
          "4ms; more flows than channels 250ms; 200 Gb/s 10ms; drives 500us",
          "simulated time before counting begins");
  private static final Key<Long> DURATION =
      Key.optional(
          "duration",
          ValueTypes.timePs(PS_PER_US, 1_000_000 * PS_PER_US),
          "4ms; more flows than channels 1s; 200 Gb/s 10ms; drives 1ms",
          "simulated time that is counted; the 1s of 20 flows takes 10 s or more to run");

  /** Creates the scenario. */
  public HostCongestion() {}

  @Override
  public String name() {
    return "host-congestion";
  }

  @Override
  public String description() {
    return "receive more than address translation lets through, as published experiments did";
  }

  @Override
  public List<Key<?>> keys() {
    return List.of(PRESET, FLOWS, MTU, PAGE, RING_SIZE, IOMMU, REUSE, HINT, WARM_UP, DURATION);
  }

  @Override
  public Report run(Settings settings, RunContext context) {
    String preset = settings.value(PRESET);
    if (preset.equals(GRACE)) {
      return runDrives(settings, context);
    }
    boolean isCascadeLake = preset.equals(CASCADE_LAKE);
    CongestionPreset published =
        isCascadeLake
            ? CongestionPresets.CASCADE_LAKE_STRICT_100G
            : CongestionPresets.ICE_LAKE_LAZY_200G;
    return runNetwork(settings, context, resolve(settings, published));
  }

  /** What is reused or hinted at must be there. */
  private static void checkUse(Settings settings, String policy) {
    if (settings.isGiven(REUSE) && settings.value(PAGE).equals("2m")) {
      throw settings.refuse(REUSE, "must not be given with page=2m, whose blocks stay mapped");
    }
    boolean isByPages = List.of("lazy", "strict").contains(policy);
    if (settings.isChanged(PAGE) && !isByPages) {
      throw settings.refuse(
          PAGE, "must not be given with iommu=" + policy + ", which maps nothing by pages");
    }
    if (settings.isGiven(HINT)) {
      if (!isByPages) {
        throw settings.refuse(
            HINT, "must not be given with iommu=" + policy + ", which invalidates nothing");
      }
      if (settings.value(PAGE).equals("2m")) {
        throw settings.refuse(HINT, "must not be given with page=2m, whose blocks stay mapped");
      }
    }
  }

  private static CongestionPreset resolve(Settings settings, CongestionPreset preset) {
    int flows = Math.toIntExact(settings.supply(FLOWS, (long) preset.flows()));
    int mtu = Math.toIntExact(settings.supply(MTU, (long) preset.mtuBytes()));
    int ring = Math.toIntExact(settings.supply(RING_SIZE, (long) preset.ringFrames()));
    String policy = settings.supply(IOMMU, preset.policy().name().toLowerCase(Locale.ROOT));
    checkUse(settings, policy);
    boolean hint = settings.supply(HINT, preset.system().keepsInvalidationHint());
    return preset.with(
        flows,
        mtu,
        ring,
        MappingPolicy.valueOf(policy.toUpperCase(Locale.ROOT)),
        preset.system().withKeepsInvalidationHint(hint));
  }

  private static CongestionMachine.Counts measure(
      CongestionMachine machine, Settings settings, CongestionPreset preset) {
    long warmUpPs = WARM_UP_PS;
    long durationPs = DURATION_PS;
    if (!settings.value(PRESET).equals(CASCADE_LAKE)) {
      warmUpPs = MANY_WARM_UP_PS;
      durationPs = MANY_DURATION_PS;
    } else if (preset.flows() > preset.activeChannels()) {
      warmUpPs = TIMEOUTS_WARM_UP_PS;
      durationPs = TIMEOUTS_DURATION_PS;
    }
    return machine.measure(
        settings.supply(WARM_UP, warmUpPs), settings.supply(DURATION, durationPs));
  }

  private static Report runNetwork(Settings settings, RunContext context, CongestionPreset preset) {
    boolean isLarge = settings.value(PAGE).equals("2m");
    RxPages.Policy pages =
        isLarge
            ? RxPages.Policy.BLOCKS
            : RxPages.Policy.valueOf(settings.value(REUSE).toUpperCase(Locale.ROOT));
    long seed = settings.value(CommandLineTool.SEED);
    CongestionMachine machine =
        new CongestionMachine(preset, pages, 0, seed).traceTo(context.trace());
    CongestionMachine.Counts counts = measure(machine, settings, preset);
    Report report = new Report();
    report
        .headline("goodput_gbit_per_s", "iotlb_misses_per_page", "drop_ratio")
        .metric("goodput_gbit_per_s", machine.goodputGbps(counts))
        .metric("iotlb_misses_per_page", counts.perPage(counts.iotlbMisses()))
        .metric("pt_l1_misses_per_page", counts.perPage(counts.l1Misses()))
        .metric("pt_l2_misses_per_page", counts.perPage(counts.l2Misses()))
        .metric("pt_l3_misses_per_page", counts.perPage(counts.l3Misses()))
        .metric("iotlb_misses_per_mib", counts.perMib(counts.iotlbMisses()))
        .metric("iotlb_misses_per_s", counts.iotlbMisses() * PS_PER_S / counts.timePs())
        .metric("drop_ratio", counts.dropRatio())
        .metric("nic_buffer_bytes_max", machine.nic().bufferedBytesMax())
        .metric("unmaps_per_page", counts.perPage(counts.unmapped()))
        .metric("acks_per_page", counts.perPage(counts.acks()))
        .metric("page_invalidations_per_page", counts.perPage(counts.pageInvalidations()))
        .metric("domain_invalidations_count", counts.domainInvalidations())
        .metric("leaf_tables_count", machine.leafTables())
        .metric(
            "cpu_busy_ratio",
            // Cores run ahead of the clock.
            Math.min(1, counts.busyPs() / (double) counts.timePs() / preset.activeChannels()))
        .metric("frames_offered_count", counts.offered())
        .metric("frames_dropped_count", counts.overflows() + counts.noEntry())
        .metric("fresh_pages_ratio", counts.freshRatio())
        .metric("tail_probes_count", machine.senders().probesTotal())
        .metric("late_losses_count", machine.senders().lateLossesTotal())
        .metric("timeouts_count", machine.senders().timeoutsTotal())
        .metric("simulated_ns", counts.timePs() / PS_PER_NS);
    if (machine.iommu() == null) {
      report.unmeasured(
          "iotlb_misses_per_page",
          "pt_l1_misses_per_page",
          "pt_l2_misses_per_page",
          "pt_l3_misses_per_page",
          "iotlb_misses_per_mib",
          "iotlb_misses_per_s",
          "unmaps_per_page",
          "page_invalidations_per_page",
          "domain_invalidations_count",
          "leaf_tables_count");
    } else {
      report.table(
          reads(counts),
          List.of("pt_l1_misses_per_page", "pt_l2_misses_per_page", "pt_l3_misses_per_page"));
    }
    check(report, machine);
    report.notModelled(
        "switches and their marks, slow start of new connections; adapters that merge frames; the"
            + " bandwidth of DRAM; protocol headers");
    return report.events(machine.host().simulation().eventsTotal());
  }

  /** Where the reads of tables come from. */
  private static Table reads(CongestionMachine.Counts counts) {
    Table table = new Table("Reads of tables per 4 KiB of payload", "entry", ">reads");
    row(table, "4 KiB (IOTLB misses)", counts.perPage(counts.iotlbMisses()));
    row(table, "2 MiB (page table L3 misses)", counts.perPage(counts.l3Misses()));
    row(table, "1 GiB (page table L2 misses)", counts.perPage(counts.l2Misses()));
    row(table, "512 GiB (page table L1 misses)", counts.perPage(counts.l1Misses()));
    return table;
  }

  private static void row(Table table, String entry, double reads) {
    table.row(entry, String.format(Locale.ROOT, "%.4f", reads));
  }

  private static void check(Report report, CongestionMachine machine) {
    var nic = machine.nic();
    long stored = nic.storedTotal();
    long dropped = nic.overflowsTotal() + nic.noEntryTotal();
    long waiting = nic.waitingCount();
    report.check(
        "frames offered = stored + dropped + waiting",
        nic.offeredTotal() == stored + dropped + waiting,
        nic.offeredTotal() + " = " + stored + " + " + dropped + " + " + waiting);
    var receiver = machine.receiver();
    long unique = nic.storedTotal() - receiver.duplicateFrames();
    long delivered = receiver.deliveredFrames() + receiver.heldFrames();
    report.check(
        "no frame is delivered that was not stored",
        delivered <= unique,
        delivered + " <= " + unique);
    var iommu = machine.iommu();
    report.check(
        "the IOMMU refused nothing",
        iommu == null || iommu.statistics().faultsTotal() == 0,
        (iommu == null ? 0 : iommu.statistics().faultsTotal()) + " faults");
  }

  private static Report runDrives(Settings settings, RunContext context) {
    for (Key<?> key : List.of(FLOWS, MTU, RING_SIZE, REUSE, HINT)) {
      if (settings.isGiven(key)) {
        throw settings.refuse(key, "must not be given with preset=" + GRACE);
      }
    }
    String policy = settings.supply(IOMMU, "strict");
    long seed = settings.value(CommandLineTool.SEED);
    DriveMachine machine =
        new DriveMachine(
                DriveMachine.GRACE.withStaysMapped(settings.value(PAGE).equals("2m")),
                MappingPolicy.valueOf(policy.toUpperCase(Locale.ROOT)),
                seed)
            .traceTo(context.trace());
    long warmUpPs = settings.supply(WARM_UP, DRIVE_WARM_UP_PS);
    long durationPs = settings.supply(DURATION, DRIVE_DURATION_PS);
    double iops = machine.measure(warmUpPs, durationPs);
    IommuDriver system = machine.system();
    Report report = new Report();
    report
        .headline("iops", "latency_ns_p50")
        .metric("iops", iops)
        .metric("invalidations_count", system == null ? 0 : system.commandsCount())
        .metric(
            "queue_wait_ns_mean",
            system == null
                ? 0
                : system.waitPsTotal() / PS_PER_NS / Math.max(1, system.submissionsCount()));
    if (system == null) {
      report.unmeasured("invalidations_count", "queue_wait_ns_mean");
    }
    report
        .latency(machine.latency())
        .latencySection("Latency of reads, mapping and handling included");
    report.metric("simulated_ns", durationPs / PS_PER_NS);
    report.check(
        "reads reaped <= answered, none refused",
        machine.reaped() <= machine.answered() && machine.refused() == 0,
        machine.reaped() + " <= " + machine.answered() + ", " + machine.refused() + " refused");
    report.notModelled(
        "queues and commands of NVMe drives: devices that answer at a fixed rate stand in for them;"
            + " the bandwidth of DRAM");
    return report.events(machine.host().simulation().eventsTotal());
  }
}
