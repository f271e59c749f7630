package io.github.bellwire.examples.nic;

import io.github.bellwire.device.nic.driver.DriverStatistics;
import io.github.bellwire.examples.cli.RunContext;
import io.github.bellwire.examples.cli.Scenario;
import io.github.bellwire.examples.host.HostKeys;
import io.github.bellwire.examples.nic.NicKeys.Timing;
import io.github.bellwire.examples.report.Report;
import io.github.bellwire.examples.report.Table;
import io.github.bellwire.examples.settings.Key;
import io.github.bellwire.examples.settings.Settings;
import io.github.bellwire.kernel.Simulation;
import java.util.ArrayList;
import java.util.List;

/** Sends a capture, or generated frames, from a driver through memory, PCIe and card. */
public final class NicTx implements Scenario {
  /** Creates the scenario. */
  public NicTx() {}

  @Override
  public String name() {
    return "nic-tx";
  }

  @Override
  public String description() {
    return "send frames from memory through descriptor rings, DMA and PCIe";
  }

  @Override
  public List<Key<?>> keys() {
    List<Key<?>> keys = new ArrayList<>(NicKeys.TRAFFIC);
    keys.add(NicKeys.CAPTURE_OUT.withMeaning("capture file for what is sent on the wire"));
    keys.addAll(NicKeys.COMMON);
    keys.addAll(HostKeys.WITH_POLICY);
    return keys;
  }

  @Override
  public Report run(Settings settings, RunContext context) {
    NicKeys.checkFrames(settings);
    NicKeys.checkMode(settings);
    NicKeys.supplyTransmitBuffer(settings);
    NicMachine machine = new NicMachine(settings, context, 1);
    Simulation simulation = machine.simulation();
    try (FrameSource source = Traffic.source(settings, simulation.randomStream("traffic"));
        CaptureOut capture = CaptureOut.of(settings)) {
      machine.start();
      WireSink sink = new WireSink(capture.writer());
      machine.port(0).nic().connectWire(sink);
      TransmitWork work =
          new TransmitWork(
              source,
              settings.value(NicKeys.TIMING) == Timing.CAPTURE,
              settings.find(NicKeys.OFFERED).orElse(0L),
              machine.software().bufferBytes());
      machine.beginMeasurement();
      work.start(simulation.nowPs());
      machine.transmit(machine.port(0), work);
      Traffic.run(simulation, settings, context, work::framesTotal);
      Report report = report(machine, work, sink, context);
      NicKeys.addWithoutReception(report, settings);
      return report;
    }
  }

  private static Report report(
      NicMachine machine, TransmitWork work, WireSink sink, RunContext context) {
    FrameMeter sent = machine.times().sent();
    long linkBusyPs = machine.linkBusyPsMax();
    long refused = machine.port(0).refusedTotal();
    Report report = new Report();
    report
        .headline(
            "frames_offered_count",
            "frames_sent_count",
            "goodput_gbit_per_s",
            "wire_gbit_per_s",
            "latency_ns_p50",
            "latency_ns_p99")
        .metric("frames_offered_count", work.framesTotal() + work.skippedTotal())
        .metric("frames_received_count", 0)
        .metric("frames_dropped_count", work.skippedTotal() + refused)
        .metric("frames_sent_count", sink.framesTotal())
        .metric("goodput_gbit_per_s", sent.goodputGbps(linkBusyPs))
        .metric("frames_per_s", sent.framesPerSecond(linkBusyPs));
    NicReport.addWire(report, sink.wireGbps());
    sent.addLatency(report);
    machine.addCounters(report, sink.lastPs(), sink.framesTotal());
    NicReport.addSections(report, sent);
    report.unmeasured("frames_received_count");
    if (work.skippedTotal() + refused > 0) {
      Table table = new Table("Dropped frames", "reason", ">frames");
      NicReport.addDrop(table, "no Ethernet header, or longer than a buffer", work.skippedTotal());
      NicReport.addDrop(table, NicReport.REFUSED, refused);
      report.table(table);
    }
    boolean isStuck = work.hasFrame() && machine.isShortOfBounceMemory();
    if (isStuck) {
      report.inputError(machine.bounceShortage());
    }
    check(report, machine, work, sink, isStuck);
    NicReport.addNotModelled(report, machine.host().config());
    if (work.error() != null) {
      report.inputError(work.error());
    }
    return report;
  }

  /**
   * A sender is stuck if receive rings hold all memory that its frames would have to go through.
   */
  private static void check(
      Report report, NicMachine machine, TransmitWork work, WireSink sink, boolean isStuck) {
    long refused = machine.port(0).refusedTotal();
    report.check(
        "frames handed over = frames on the wire + refused by the card",
        work.hasFrame() == isStuck && work.framesTotal() == sink.framesTotal() + refused,
        work.framesTotal() + " = " + sink.framesTotal() + " + " + refused);
    DriverStatistics statistics = machine.port(0).readStatistics(machine.host());
    report.check(
        "the card's registers say the same",
        statistics.goodFramesSent() == sink.framesTotal(),
        statistics.goodFramesSent() + " good frames sent");
    if (refused == 0) {
      report.check(
          "bytes on the wire = bytes handed over and padding",
          work.wireBytesTotal() == sink.bytesTotal(),
          sink.bytesTotal() + " = " + work.wireBytesTotal());
      report.check(
          "content on the wire = content handed over",
          work.contentSum() == sink.contentSum(),
          "sum of CRC-32C over all frames");
    }
  }
}
