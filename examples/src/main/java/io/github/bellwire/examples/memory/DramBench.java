package io.github.bellwire.examples.memory;

import io.github.bellwire.examples.cli.CommandLineTool;
import io.github.bellwire.examples.cli.RunContext;
import io.github.bellwire.examples.cli.Scenario;
import io.github.bellwire.examples.memory.DramKeys.Pattern;
import io.github.bellwire.examples.report.Report;
import io.github.bellwire.examples.report.Table;
import io.github.bellwire.examples.settings.Key;
import io.github.bellwire.examples.settings.Settings;
import io.github.bellwire.memory.DramConfig;
import io.github.bellwire.memory.DramStatistics;
import io.github.bellwire.memory.DramTiming;
import java.util.List;
import java.util.Locale;

/** Loads DRAM alone, and shows what it can do and why not more. */
public final class DramBench implements Scenario {
  private static final double PS_PER_NS = 1_000;
  private static final double BYTES_PER_PS_TO_GB = 1_000; // bytes per ps to 1e9 bytes per s
  private static final int CHUNK = 65_536;
  private static final int BAR_COLUMNS = 40;

  /** Creates the scenario. */
  public DramBench() {}

  @Override
  public String name() {
    return "dram";
  }

  @Override
  public String description() {
    return "load DRAM channels with reads and writes and measure bandwidth and latency";
  }

  @Override
  public List<Key<?>> keys() {
    return DramKeys.ALL;
  }

  @Override
  public Report run(Settings settings, RunContext context) {
    DramConfig config = DramKeys.resolve(settings);
    DramTraffic traffic =
        new DramTraffic(
            config,
            settings.value(DramKeys.PATTERN),
            settings.value(DramKeys.OFFERED),
            settings.value(CommandLineTool.SEED),
            context.trace());
    long count = settings.value(DramKeys.COUNT);
    double startedSeconds = context.wallSeconds();
    context.progress().begin("requests", count);
    while (traffic.submittedTotal() < count) {
      traffic.offer(Math.min(CHUNK, count - traffic.submittedTotal()));
      context.progress().advanceTo(traffic.submittedTotal());
    }
    traffic.finish();
    double wallSeconds = context.wallSeconds() - startedSeconds;

    Report report = new Report();
    addMetrics(report, config, traffic, wallSeconds);
    report.table(limits(config, bandwidth(config, traffic)));
    check(report, settings, config, traffic);
    return report.notModelled(
        "power states, refresh per bank or postponed for traffic, ECC; the data bus is shared by"
            + " the ranks of a channel");
  }

  private static double bandwidth(DramConfig config, DramTraffic traffic) {
    return traffic.bytesTotal() * BYTES_PER_PS_TO_GB / tookPs(config, traffic);
  }

  /** Writes are done when they are accepted; the data bus may not have moved them by then. */
  private static double tookPs(DramConfig config, DramTraffic traffic) {
    long moved = traffic.statistics().bytesRead() + traffic.statistics().bytesWritten();
    return Math.max(traffic.lastDonePs(), moved * BYTES_PER_PS_TO_GB / peak(config));
  }

  /** What the data buses move if nothing else limits, in GB/s. */
  private static double peak(DramConfig config) {
    DramTiming timing = config.timing();
    double bursts = buses(config) / (timing.column().burst() * timing.clockPs());
    return bursts * timing.organization().burstBytes() * BYTES_PER_PS_TO_GB;
  }

  private static double buses(DramConfig config) {
    boolean isBusPerRank = config.timing().organization().isBusPerRank();
    return config.channels() * (isBusPerRank ? config.ranks() : 1);
  }

  private static void addMetrics(
      Report report, DramConfig config, DramTraffic traffic, double wallSeconds) {
    DramStatistics statistics = traffic.statistics();
    report
        .headline("bandwidth_gbyte_per_s", "latency_ns_mean", "latency_ns_p99", "row_hit_ratio")
        .metric("bandwidth_gbyte_per_s", bandwidth(config, traffic))
        .latency(traffic.latency())
        .metric("row_hit_ratio", statistics.rowHitRatio())
        .metric("reads_in_flight_count_mean", traffic.readsInFlight(tookPs(config, traffic)))
        .metric("read_bytes", statistics.bytesRead())
        .metric("written_bytes", statistics.bytesWritten())
        .metric("row_hits_count", statistics.rowHitsTotal())
        .metric("row_closed_count", statistics.rowClosedTotal())
        .metric("row_conflicts_count", statistics.rowConflictsTotal())
        .metric("activates_count", statistics.activatesTotal())
        .metric("turnarounds_count", statistics.turnaroundsTotal())
        .metric("refreshes_count", statistics.refreshesTotal())
        .metric("refresh_stall_ns", statistics.refreshStallPs() / PS_PER_NS)
        .metric("forwarded_reads_count", statistics.forwardedReadsTotal())
        .metric("merged_writes_count", statistics.mergedWritesTotal())
        .metric("simulated_ns", traffic.lastDonePs() / PS_PER_NS)
        .metric("requests_per_wall_second", traffic.doneTotal() / Math.max(1e-9, wallSeconds))
        .latencySection("Latency of reads, from acceptance to data")
        .section(
            "Rows and banks",
            "row_hits_count",
            "row_closed_count",
            "row_conflicts_count",
            "activates_count",
            "turnarounds_count",
            "refreshes_count",
            "refresh_stall_ns");
  }

  /** What the part allows, beside what was reached. */
  private static Table limits(DramConfig config, double reached) {
    DramTiming timing = config.timing();
    DramTiming.Refresh refresh = timing.refresh();
    double burst = timing.organization().burstBytes() * BYTES_PER_PS_TO_GB;
    double channels = config.channels();
    double peak = peak(config);
    double up = 1 - (double) refresh.cyclePs() / refresh.intervalPs();
    double group = buses(config) * burst / (timing.column().spacingLong() * timing.clockPs());
    double activates =
        channels * config.ranks() * 4 * burst / (timing.row().fourActivates() * timing.clockPs());
    Table table = new Table("Limits", "what", ">GB/s", "");
    addLimit(table, "data bus", peak, peak);
    addLimit(table, "data bus between refreshes", peak * up, peak);
    addLimit(table, "four activates per window, a row each", activates * up, peak);
    addLimit(table, "one bank group per rank", group * up, peak);
    addLimit(table, "reached", reached, peak);
    return table;
  }

  private static void addLimit(Table table, String what, double value, double peak) {
    int columns = (int) Math.round(Math.min(1, value / peak) * BAR_COLUMNS);
    table.row(what, String.format(Locale.ROOT, "%.2f", value), "#".repeat(columns));
  }

  private static void check(
      Report report, Settings settings, DramConfig config, DramTraffic traffic) {
    DramStatistics statistics = traffic.statistics();
    long count = settings.value(DramKeys.COUNT);
    report.check(
        "every request completed",
        traffic.doneTotal() == count,
        traffic.doneTotal() + " of " + count);
    long expected = count * config.timing().organization().burstBytes();
    long elsewhere = statistics.forwardedReadsTotal() + statistics.mergedWritesTotal();
    long moved =
        statistics.bytesRead()
            + statistics.bytesWritten()
            + elsewhere * config.timing().organization().burstBytes();
    report.check(
        "bytes moved + forwarded or merged = bytes requested",
        moved == expected,
        moved + " = " + expected);
    double most = mostReads(settings, config);
    double inFlight = traffic.readsInFlight(tookPs(config, traffic));
    report.check(
        "Little's law: reads in flight fit into the queues",
        inFlight <= most,
        String.format(Locale.ROOT, "%.1f of at most %.0f", inFlight, most));
    report.check(
        "row hits + activates = bursts",
        statistics.rowHitsTotal() + statistics.activatesTotal()
            == statistics.readsTotal() + statistics.writesTotal(),
        statistics.rowHitsTotal() + " + " + statistics.activatesTotal());
  }

  /** What waits, what has its row open, and what is between the read command and its data. */
  private static double mostReads(Settings settings, DramConfig config) {
    if (settings.value(DramKeys.PATTERN) == Pattern.IDLE) {
      return 1;
    }
    DramTiming timing = config.timing();
    int banks = config.ranks() * timing.organization().banksCount();
    int perBank = 1 + config.queues().readsPerBankCount();
    double onTheirWay =
        (double) (timing.column().readLatency() + timing.column().burst())
            / timing.column().burst()
            * (timing.organization().isBusPerRank() ? config.ranks() : 1);
    double inFront = (double) config.frontPs() / timing.clockPs();
    double each = config.queues().readsCount() + banks * perBank + onTheirWay + inFront + 1;
    return config.channels() * each;
  }
}
