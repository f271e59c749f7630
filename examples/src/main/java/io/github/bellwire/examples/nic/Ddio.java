package io.github.bellwire.examples.nic;

import io.github.bellwire.cache.CacheHierarchy;
import io.github.bellwire.cache.CacheStatistics;
import io.github.bellwire.examples.cli.CommandLineTool;
import io.github.bellwire.examples.cli.RunContext;
import io.github.bellwire.examples.cli.Scenario;
import io.github.bellwire.examples.report.Report;
import io.github.bellwire.examples.settings.Key;
import io.github.bellwire.examples.settings.Settings;
import io.github.bellwire.examples.settings.ValueTypes;
import io.github.bellwire.kernel.Simulation;
import java.util.List;

/**
 * Forwards frames through the ways of the last-level cache that devices may write to: how many of
 * them are still there when the card writes the next frame into the same buffer, or reads it.
 */
public final class Ddio implements Scenario {
  static final Key<Long> RING_SIZE =
      Key.of("ring.size", ValueTypes.count(64, 4096, 8), "4096", "receive descriptors per core");
  static final Key<Long> FRAME_BYTES =
      Key.of("frame-bytes", ValueTypes.bytes(64, 1518), "1500", "size of frames, FCS included");
  static final Key<Long> WAYS =
      Key.of("ways", ValueTypes.count(1, 11), "2", "ways that devices may write to, of 11");
  static final Key<Long> CORES =
      Key.of("cores", ValueTypes.count(1, 16), "1", "cores that forward, each with a queue");
  static final Key<Long> COUNT =
      Key.of("count", ValueTypes.count(1, 1_000_000_000L), "50000", "frames to measure");

  /**
   * As many frames as there are buffers, and half as many again, pass before the measurement
   * begins: writes hit only buffers that have been written before, and from a fifth above one round
   * on as many of them as in all later ones (seen with 2 and 16 cores), ...
   */
  private static final int WARM_HALF_ROUNDS = 3;

  /** ... and at least so many: until then queues grow to lengths that they had not had before. */
  private static final long WARM_FRAMES_MIN = 16_384;

  private static final int EVENTS_PER_LOOK = 1_000;

  /** Creates the scenario. */
  public Ddio() {}

  @Override
  public String name() {
    return "ddio";
  }

  @Override
  public String description() {
    return "forward frames through the cache ways that devices may write to";
  }

  @Override
  public List<Key<?>> keys() {
    return List.of(RING_SIZE, FRAME_BYTES, WAYS, CORES, COUNT);
  }

  @Override
  public Report run(Settings settings, RunContext context) {
    OverloadedForwarder forwarder =
        new OverloadedForwarder(
            new OverloadedForwarder.Load(
                settings.intValue(RING_SIZE),
                settings.intValue(FRAME_BYTES),
                settings.intValue(WAYS),
                settings.intValue(CORES)),
            context.trace(),
            settings.value(CommandLineTool.SEED));
    long warmFrames = Math.max(WARM_FRAMES_MIN, WARM_HALF_ROUNDS * forwarder.buffersInUseMax() / 2);
    long count = settings.value(COUNT);
    context.progress().begin("frames", warmFrames + count);
    forwarder.start();
    run(forwarder, context, warmFrames);
    Snapshot before = Snapshot.of(forwarder);
    run(forwarder, context, warmFrames + count);
    return report(forwarder, before, Snapshot.of(forwarder));
  }

  /** Runs until the event in which the last of so many frames leaves: no event sends two. */
  private static void run(OverloadedForwarder forwarder, RunContext context, long untilFrames) {
    Simulation simulation = forwarder.host().simulation();
    WireSink sink = forwarder.sink();
    while (sink.framesTotal() < untilFrames) {
      for (int i = 0; i < EVENTS_PER_LOOK && sink.framesTotal() < untilFrames; i++) {
        simulation.step();
      }
      context.progress().advanceTo(sink.framesTotal());
    }
  }

  private static Report report(OverloadedForwarder forwarder, Snapshot before, Snapshot after) {
    long writeHits = after.writeHits - before.writeHits;
    long writeMisses = after.writeMisses - before.writeMisses;
    long readHits = after.readHits - before.readHits;
    long readMisses = after.readMisses - before.readMisses;
    double seconds = (after.lastSentPs - before.lastSentPs) / 1e12;
    Report report = new Report();
    report
        .headline(
            "write_hit_ratio",
            "read_hit_ratio",
            "dram_read_bytes",
            "dram_write_bytes",
            "goodput_gbit_per_s")
        .metric("write_hit_ratio", ratio(writeHits, writeMisses))
        .metric("read_hit_ratio", ratio(readHits, readMisses))
        .metric("dram_read_bytes", (after.dramReads - before.dramReads) * CacheHierarchy.LINE_BYTES)
        .metric(
            "dram_write_bytes", (after.dramWrites - before.dramWrites) * CacheHierarchy.LINE_BYTES)
        .metric("goodput_gbit_per_s", (after.sentBytes - before.sentBytes) * 8 / seconds / 1e9)
        .metric("frames_sent_count", after.sentFrames - before.sentFrames)
        .metric("frames_per_s", (after.sentFrames - before.sentFrames) / seconds)
        .metric("lines_written_count", writeHits + writeMisses)
        .metric("lines_read_count", readHits + readMisses)
        .events(forwarder.host().simulation().eventsTotal());
    addChecks(report, forwarder);
    report.notModelled(
        "compressed completions of the card, mbuf headers; a forwarder that is slower than the wire"
            + " at every frame size, so that goodput below 1500-byte frames is less than published;"
            + " the hash that chooses cache slices and the choice of victims are assumptions");
    return report;
  }

  private static void addChecks(Report report, OverloadedForwarder forwarder) {
    long offered = forwarder.traffic().framesTotal();
    long lost = forwarder.port().lostTotal() + forwarder.droppedTotal();
    long sent = forwarder.sink().framesTotal();
    long held = offered - lost - sent;
    report.check(
        "frames offered = sent + lost + in rings and card",
        held >= 0 && held <= forwarder.framesHeldMax(),
        offered + " = " + sent + " + " + lost + " + " + held);
    CacheStatistics statistics = forwarder.host().caches().statistics();
    report.check(
        "a line is written to DRAM only if a cache gives it up",
        statistics.dramWritesTotal() == statistics.writeBacksTotal(),
        statistics.dramWritesTotal() + " = " + statistics.writeBacksTotal());
  }

  private static double ratio(long hits, long misses) {
    return hits + misses == 0 ? 0 : (double) hits / (hits + misses);
  }

  /** What runs up over time. */
  private record Snapshot(
      long lastSentPs,
      long writeHits,
      long writeMisses,
      long readHits,
      long readMisses,
      long dramReads,
      long dramWrites,
      long sentBytes,
      long sentFrames) {
    static Snapshot of(OverloadedForwarder forwarder) {
      CacheStatistics statistics = forwarder.host().caches().statistics();
      return new Snapshot(
          forwarder.sink().lastPs(),
          statistics.deviceFullWriteHitsTotal(),
          statistics.deviceFullWriteMissesTotal(),
          statistics.deviceReadHitsTotal(),
          statistics.deviceReadMissesTotal(),
          statistics.dramReadsTotal(),
          statistics.dramWritesTotal(),
          forwarder.sink().bytesTotal(),
          forwarder.sink().framesTotal());
    }
  }
}
