package io.github.bellwire.examples.pcie;

import io.github.bellwire.device.probe.Probe;
import io.github.bellwire.device.probe.ProbeMeter;
import io.github.bellwire.device.probe.ProbeRun;
import io.github.bellwire.examples.cli.RunContext;
import io.github.bellwire.examples.cli.Scenario;
import io.github.bellwire.examples.host.HostChecker;
import io.github.bellwire.examples.host.HostKeys;
import io.github.bellwire.examples.host.IommuKeys;
import io.github.bellwire.examples.host.IommuPage;
import io.github.bellwire.examples.report.Report;
import io.github.bellwire.examples.report.Table;
import io.github.bellwire.examples.settings.Key;
import io.github.bellwire.examples.settings.Settings;
import io.github.bellwire.examples.settings.UserErrorException;
import io.github.bellwire.stats.LatencyHistogram;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Measures DMA bandwidth and latency with a probe endpoint, as "Understanding PCIe performance for
 * end host networking" (SIGCOMM 2018) did.
 */
public final class PcieBench implements Scenario {
  private static final double PS_PER_NS = 1_000;
  private static final int BAR_COLUMNS = 40;

  /** Below this share of the time that they were worked on, DMAs ended too close together. */
  private static final double ELAPSED_RATIO_MIN = 0.99;

  private static final double[] PERCENTILES = {5, 25, 50, 75, 95, 99, 99.9};

  /** Creates the scenario. */
  public PcieBench() {}

  @Override
  public String name() {
    return "pcie-bench";
  }

  @Override
  public String description() {
    return "measure DMA bandwidth and latency of a host with a probe endpoint";
  }

  @Override
  public List<Key<?>> keys() {
    List<Key<?>> keys = new ArrayList<>(PcieBenchKeys.ALL);
    keys.addAll(HostKeys.WITH_IOMMU);
    return keys;
  }

  @Override
  public Report run(Settings settings, RunContext context) {
    ProbeMachine machine = new ProbeMachine(settings, context);
    double startedSeconds = context.wallSeconds();
    machine.run(context);
    double wallSeconds = context.wallSeconds() - startedSeconds;
    if (machine.probe().meter().latency().count() == 0) {
      throw nothingMeasured(settings, machine.probeRun().warmupCount());
    }
    Report report = new Report();
    InterruptionReport.addTo(report, settings, machine);
    addMetrics(report, machine, wallSeconds);
    if (settings.value(IommuKeys.IOMMU).equals(IommuPage.OFF.word())) {
      report.unmeasured("iotlb_miss_ratio");
    }
    if (machine.probeRun().operation().isSingle()) {
      report.table(latencies(machine.probe().meter().latency()));
    } else {
      report.table(usage(machine));
    }
    if (machine.hasFaults()) {
      FaultReport.addTo(report, machine);
    }
    check(report, machine);
    PcieBenchKeys.addWithoutEffect(report, settings);
    report.notModelled(
        "what the device of the pcie-bench study (SIGCOMM 2018) shows without a known mechanism; see"
            + " ProbeConfig");
    HostChecker.addTo(report, machine.host());
    return report.events(machine.eventsTotal());
  }

  private static void addMetrics(Report report, ProbeMachine machine, double wallSeconds) {
    ProbeMeter meter = machine.probe().meter();
    ProbeMachine.LinkTotals link = machine.linkTotals();
    boolean isSingle = machine.probeRun().operation().isSingle();
    long tookPs = machine.measuredPs();
    addShortness(report, meter.elapsedPs(), tookPs);
    report
        .headline(
            isSingle
                ? new String[] {"latency_ns_p50", "latency_ns_p95", "latency_ns_p999"}
                : new String[] {"goodput_gbit_per_s", "transactions_per_s", "latency_ns_p50"})
        .metric("goodput_gbit_per_s", meter.goodputGbps(tookPs))
        .metric("transactions_per_s", meter.operationsPerSecond(tookPs));
    report.latency(meter.latency()).latencySection("Latency as the firmware sees it");
    report
        .metric("iotlb_miss_ratio", machine.iotlbMissRatio())
        .metric("tags_in_use_count_mean", tagsInUse(machine))
        .metric("pcie_up_bytes", link.upBytes())
        .metric("pcie_down_bytes", link.downBytes())
        .metric("tlp_mwr_count", link.writes())
        .metric("tlp_mrd_count", link.reads())
        .metric("tlp_cpld_count", link.completions())
        .metric("simulated_ns", machine.elapsedPs() / PS_PER_NS)
        .metric("dma_per_wall_second", meter.doneTotal() / Math.max(1e-9, wallSeconds));
  }

  private static void addShortness(Report report, long elapsedPs, long tookPs) {
    if (elapsedPs < ELAPSED_RATIO_MIN * tookPs) {
      report.remark(
          String.format(
              Locale.ROOT,
              "The DMAs measured ended within %.1f ns of the warm-up, but some part was busy with"
                  + " them for %.1f ns. Rates are what it can do; a larger count measures them.",
              elapsedPs / PS_PER_NS,
              tookPs / PS_PER_NS));
    }
  }

  private static double tagsInUse(ProbeMachine machine) {
    return (double) machine.probe().tagsHeldPsTotal() / machine.elapsedPs();
  }

  private static Table latencies(LatencyHistogram latency) {
    Table table = new Table("Distribution", ">percentile", ">ns", "");
    double longestPs = latency.percentilePs(PERCENTILES[PERCENTILES.length - 1]);
    for (double percentile : PERCENTILES) {
      long ps = latency.percentilePs(percentile);
      table.row(
          String.format(Locale.ROOT, "%s", percentile),
          String.format(Locale.ROOT, "%.1f", ps / PS_PER_NS),
          bar(ps / longestPs));
    }
    return table;
  }

  /** What is full is what limits. */
  private static Table usage(ProbeMachine machine) {
    ProbeMachine.Usage usage = machine.usage();
    double elapsedPs = machine.elapsedPs();
    Table table = new Table("In use", "part", ">%", "");
    addUsage(table, "link, device to host", usage.upPs() / elapsedPs);
    addUsage(table, "link, host to device", usage.downPs() / elapsedPs);
    addUsage(table, "read engine", usage.readEnginePs() / elapsedPs);
    addUsage(table, "write engine", usage.writeEnginePs() / elapsedPs);
    addUsage(table, "tags", usage.tagsPs() / elapsedPs);
    return table;
  }

  private static void addUsage(Table table, String part, double ratio) {
    table.row(part, String.format(Locale.ROOT, "%.1f", 100 * ratio), bar(ratio));
  }

  private static String bar(double ratio) {
    return "#".repeat((int) Math.round(Math.min(1, ratio) * BAR_COLUMNS));
  }

  /** Only a run that was cut short ends within the warm-up. */
  private static UserErrorException nothingMeasured(Settings settings, long warmupCount) {
    Key<?> key =
        settings.isGiven(PcieBenchKeys.RESET_AT) ? PcieBenchKeys.RESET_AT : PcieBenchKeys.REMOVE_AT;
    return settings.refuse(key, "must leave time for " + warmupCount + " DMAs of warm-up and more");
  }

  private static void check(Report report, ProbeMachine machine) {
    ProbeMachine.LinkTotals link = machine.linkTotals();
    TlpArithmetic expected = machine.expected();
    if (machine.isCutShort()) {
      report.check(
          "bytes sent >= TLP arithmetic over all DMAs that were issued",
          link.upBytes() >= expected.upBytes(),
          link.upBytes() + " >= " + expected.upBytes());
      return; // What was under way got no answer.
    }
    report.check(
        machine.hasFaults()
            ? "bytes on the link <= TLP arithmetic over all DMAs, as what fails has no answer"
            : "bytes on the link = TLP arithmetic over all DMAs",
        link.upBytes() == expected.upBytes()
            && link.writes() == expected.writesCount()
            && link.reads() == expected.requestsCount()
            && areAnswersExpected(link, expected, machine.hasFaults()),
        String.format(
            Locale.ROOT,
            machine.hasFaults() ? "%d + %d <= %d + %d" : "%d + %d = %d + %d",
            link.upBytes(),
            link.downBytes(),
            expected.upBytes(),
            expected.downBytes(link.completions())));
    if (machine.hasFaults()) {
      return; // Requests fail, and those that time out hold tags for very long.
    }
    report.check(
        "the host refused nothing",
        machine.probe().refusedTotal() == 0,
        machine.probe().refusedTotal() + " refused");
    if (machine.probeRun().operation().hasReads()) {
      checkLittle(report, machine);
    }
  }

  /** A request that gets lost has no answer. */
  private static boolean areAnswersExpected(
      ProbeMachine.LinkTotals link, TlpArithmetic expected, boolean hasFaults) {
    long bytes = expected.downBytes(link.completions());
    return link.completions() <= expected.mostCompletionsCount()
        && (hasFaults
            ? link.downBytes() <= bytes
            : link.downBytes() == bytes && link.completions() >= expected.fewestCompletionsCount());
  }

  /** No more payload than tags times bytes per request over the time that a tag is held. */
  private static void checkLittle(Report report, ProbeMachine machine) {
    ProbeRun run = machine.probeRun();
    Probe probe = machine.probe();
    double heldPs = (double) probe.tagsHeldPsTotal() / run.totalCount();
    double bound = probe.config().tags() * 8_000.0 * run.window().sizeBytes() / heldPs;
    // Of the whole run, as tags are counted over warm-up and measurement together.
    double goodput = 8_000.0 * run.totalCount() * run.window().sizeBytes() / machine.elapsedPs();
    report.check(
        "goodput <= tags x bytes / time a tag is held (Little's law)",
        goodput <= bound * 1.02, // The last tags are held beyond the end.
        String.format(Locale.ROOT, "%.2f <= %.2f Gb/s", goodput, bound));
  }
}
