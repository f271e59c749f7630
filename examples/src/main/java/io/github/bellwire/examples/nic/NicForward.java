package io.github.bellwire.examples.nic;

import io.github.bellwire.device.nic.driver.Forwarder;
import io.github.bellwire.device.nic.driver.FrameHandler;
import io.github.bellwire.device.nic.driver.TxRing;
import io.github.bellwire.examples.cli.RunContext;
import io.github.bellwire.examples.cli.Scenario;
import io.github.bellwire.examples.host.HostKeys;
import io.github.bellwire.examples.nic.NicKeys.Direction;
import io.github.bellwire.examples.pcap.PcapWriter;
import io.github.bellwire.examples.report.Report;
import io.github.bellwire.examples.settings.Key;
import io.github.bellwire.examples.settings.Settings;
import io.github.bellwire.kernel.Simulation;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/** Receives on one port and sends on another, without copying, one way or both ways at once. */
public final class NicForward implements Scenario {
  private static final int PORTS = 2;
  private static final String CARD_LATENCY = "720ns";

  /** Creates the scenario. */
  public NicForward() {}

  @Override
  public String name() {
    return "nic-forward";
  }

  @Override
  public String description() {
    return "receive on port 0 and send on port 1, or both ways at once";
  }

  @Override
  public List<Key<?>> keys() {
    List<Key<?>> keys = new ArrayList<>();
    keys.add(NicKeys.DIRECTION);
    keys.addAll(NicKeys.TRAFFIC);
    keys.add(NicKeys.CAPTURE_OUT.withMeaning("capture file for what leaves by port 1"));
    for (Key<?> key : NicKeys.COMMON) {
      keys.add(withCardLatency(key));
    }
    keys.addAll(HostKeys.WITH_POLICY);
    return keys;
  }

  /**
   * Lets the card take time by itself: half each way of what the least wire-to-wire latency of the
   * published runs, 3.587 us at 1 Mpps (ixy-languages, latency distribution of C), leaves beside
   * PCIe, driver and polling on the Haswell preset, rounded up. An assumption, as nothing tells
   * where the time goes.
   */
  private static Key<?> withCardLatency(Key<?> key) {
    if (key == NicKeys.RX_LATENCY) {
      return NicKeys.RX_LATENCY.withDefault(CARD_LATENCY);
    }
    return key == NicKeys.TX_LATENCY ? NicKeys.TX_LATENCY.withDefault(CARD_LATENCY) : key;
  }

  @Override
  public Report run(Settings settings, RunContext context) {
    NicKeys.checkFrames(settings);
    NicKeys.checkMode(settings);
    checkDescriptors(settings);
    NicMachine machine = new NicMachine(settings, context, PORTS);
    boolean isBoth = settings.value(NicKeys.DIRECTION) == Direction.BOTH;
    try (FrameSource there = Traffic.source(settings, machine.random("traffic0"));
        FrameSource back = isBoth ? Traffic.source(settings, machine.random("traffic1")) : null;
        CaptureOut capture = CaptureOut.of(settings)) {
      machine.start();
      List<Way> ways = new ArrayList<>();
      ways.add(new Way(settings, machine, 0, there, capture.writer()));
      if (back != null) {
        ways.add(new Way(settings, machine, 1, back, null));
      }
      Report report = run(settings, context, machine, ways);
      NicKeys.addWithoutPrefetch(report, settings);
      return report;
    }
  }

  /** A frame is sent from the buffers that it was received in, each with a descriptor. */
  private static void checkDescriptors(Settings settings) {
    int wthresh = settings.intValue(NicKeys.WTHRESH);
    int buffers = NicKeys.buffersPerFrame(settings);
    int mostBuffers = Math.max(1, TxRing.FRAME_DESCRIPTORS_MAX - wthresh);
    if (buffers > mostBuffers) {
      String frame = settings.assignment(NicKeys.MAX_FRAME);
      throw settings.refuse(
          NicKeys.WTHRESH,
          "must leave "
              + buffers
              + " descriptors for a frame of "
              + frame
              + ", not "
              + mostBuffers);
    }
  }

  private static Report run(
      Settings settings, RunContext context, NicMachine machine, List<Way> ways) {
    Simulation simulation = machine.simulation();
    machine.receive(
        ways.stream().map(way -> way.from).toList(),
        ways.stream()
            .map(way -> (IntFunction<FrameHandler>) queue -> way.forwarders.get(queue))
            .toList());
    machine.beginMeasurement();
    long startPs = simulation.nowPs();
    ways.forEach(way -> way.traffic.start(startPs));
    Traffic.run(simulation, settings, context, ways.get(0).traffic::framesTotal);
    return report(machine, ways, context);
  }

  private static Report report(NicMachine machine, List<Way> ways, RunContext context) {
    FrameMeter forwarded = machine.times().forwarded();
    long linkBusyPs = machine.linkBusyPsMax();
    long offered = ways.stream().mapToLong(way -> way.traffic.framesTotal()).sum();
    long lost = ways.stream().mapToLong(way -> way.from.lostTotal()).sum();
    long refused = ways.stream().mapToLong(Way::refusedTotal).sum();
    long received = machine.times().received().framesTotal();
    long sent = ways.stream().mapToLong(way -> way.sink.framesTotal()).sum();
    double wireGbps = ways.stream().mapToDouble(way -> way.sink.wireGbps()).sum();
    Report report = new Report();
    report
        .headline(
            "frames_offered_count",
            "frames_sent_count",
            "frames_dropped_count",
            "frames_per_s",
            "goodput_gbit_per_s",
            "latency_ns_p50",
            "latency_ns_p99")
        .metric("frames_offered_count", offered)
        .metric("frames_received_count", received)
        .metric("frames_dropped_count", lost + refused)
        .metric("frames_sent_count", sent)
        .metric("goodput_gbit_per_s", forwarded.goodputGbps(linkBusyPs))
        .metric("frames_per_s", forwarded.framesPerSecond(linkBusyPs));
    NicReport.addWire(report, wireGbps);
    forwarded.addLatency(report);
    machine.addCounters(report, forwarded.lastPs(), sent);
    NicReport.addSections(report, forwarded);
    ways.forEach(way -> way.addDrops(report));
    report
        .check(
            "frames offered = received + dropped by the cards",
            offered == received + lost,
            offered + " = " + received + " + " + lost)
        .check(
            "frames received = sent + dropped by driver or card",
            received == sent + refused,
            received + " = " + sent + " + " + refused);
    if (lost + refused == 0) {
      report.check(
          "content sent = content offered",
          ways.stream().allMatch(way -> way.sink.contentSum() == way.traffic.contentSum()),
          "sum of CRC-32C over all frames");
    }
    NicReport.addNotModelled(report, machine.host().config());
    ways.stream()
        .map(way -> way.traffic.error())
        .filter(error -> error != null)
        .findFirst()
        .ifPresent(report::inputError);
    return report;
  }

  /** One way: traffic into a port, a forwarder, and what leaves by the other port. */
  private static final class Way {
    private final NicPort from;
    private final NicPort to;
    private final List<Forwarder> forwarders = new ArrayList<>();
    private final WireSink sink;
    private final TrafficGenerator traffic;

    Way(
        Settings settings,
        NicMachine machine,
        int index,
        FrameSource source,
        @Nullable PcapWriter capture) {
      from = machine.port(index);
      to = machine.port(PORTS - 1 - index);
      // Each receive queue has a transmit queue of its own, so that cores need not share one.
      for (int queue = 0; queue < to.driver().txQueuesCount(); queue++) {
        forwarders.add(new Forwarder(to.driver().txRing(queue), true));
      }
      sink = new WireSink(capture);
      to.nic().connectWire(sink);
      traffic = Traffic.generator(settings, machine.simulation(), source, from.nic());
    }

    /** Returns received frames that were not sent. */
    long refusedTotal() {
      return to.refusedTotal() + unqueuedTotal();
    }

    private long unqueuedTotal() {
      return forwarders.stream().mapToLong(Forwarder::droppedTotal).sum();
    }

    void addDrops(Report report) {
      NicReport.addDrops(report, from);
      NicReport.addUnsent(report, unqueuedTotal(), to.refusedTotal());
    }
  }
}
