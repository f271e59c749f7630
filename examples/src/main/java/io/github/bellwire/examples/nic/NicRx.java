package io.github.bellwire.examples.nic;

import io.github.bellwire.device.nic.driver.DriverStatistics;
import io.github.bellwire.examples.cli.RunContext;
import io.github.bellwire.examples.cli.Scenario;
import io.github.bellwire.examples.host.HostKeys;
import io.github.bellwire.examples.report.Report;
import io.github.bellwire.examples.settings.Key;
import io.github.bellwire.examples.settings.Settings;
import io.github.bellwire.kernel.Simulation;
import java.util.ArrayList;
import java.util.List;

/** Receives a capture, or generated frames, through card, PCIe and memory into a driver. */
public final class NicRx implements Scenario {
  /** Creates the scenario. */
  public NicRx() {}

  @Override
  public String name() {
    return "nic-rx";
  }

  @Override
  public String description() {
    return "receive a packet capture through descriptor rings, DMA and PCIe";
  }

  @Override
  public List<Key<?>> keys() {
    List<Key<?>> keys = new ArrayList<>(NicKeys.TRAFFIC);
    keys.add(NicKeys.CAPTURE_OUT);
    keys.addAll(NicKeys.COMMON);
    keys.addAll(HostKeys.WITH_POLICY);
    return keys;
  }

  @Override
  public Report run(Settings settings, RunContext context) {
    NicKeys.checkFrames(settings);
    NicKeys.checkMode(settings);
    NicMachine machine = new NicMachine(settings, context, 1);
    Simulation simulation = machine.simulation();
    NicPort port = machine.port(0);
    try (FrameSource source = Traffic.source(settings, simulation.randomStream("traffic"));
        CaptureOut capture = CaptureOut.of(settings)) {
      machine.start();
      FrameSink sink = new FrameSink(machine.host(), capture.writer());
      machine.receive(List.of(port), List.of(queue -> sink));
      TrafficGenerator traffic = Traffic.generator(settings, simulation, source, port.nic());
      machine.beginMeasurement();
      traffic.start(simulation.nowPs());
      Traffic.run(simulation, settings, context, traffic::framesTotal);
      Report report = report(machine, traffic, sink, context);
      NicKeys.addWithoutTransmission(report, settings);
      return report;
    }
  }

  private static Report report(
      NicMachine machine, TrafficGenerator traffic, FrameSink sink, RunContext context) {
    NicPort port = machine.port(0);
    FrameMeter received = machine.times().received();
    long linkBusyPs = machine.linkBusyPsMax();
    long offered = traffic.framesTotal();
    long dropped = port.lostTotal();
    double wirePs = traffic.wireFreePs() - traffic.startPs();
    Report report = new Report();
    report
        .headline(
            "frames_offered_count",
            "frames_received_count",
            "frames_dropped_count",
            "goodput_gbit_per_s",
            "latency_ns_p50",
            "latency_ns_p99")
        .metric("frames_offered_count", offered)
        .metric("frames_received_count", sink.framesTotal())
        .metric("frames_dropped_count", dropped)
        .metric("frames_sent_count", 0)
        .metric("frames_padded_count", traffic.paddedTotal())
        .metric("goodput_gbit_per_s", received.goodputGbps(linkBusyPs))
        .metric("wire_gbit_per_s", offered == 0 ? 0 : traffic.wireBytesTotal() * 8_000 / wirePs)
        .metric("frames_per_s", received.framesPerSecond(linkBusyPs));
    received.addLatency(report);
    machine.addCounters(
        report, Math.max(received.lastPs(), traffic.lastBitPs()), sink.framesTotal());
    NicReport.addSections(report, received);
    report.unmeasured("frames_sent_count");
    NicReport.addDrops(report, port);
    check(report, machine, traffic, sink);
    NicReport.addNotModelled(report, machine.host().config());
    if (traffic.error() != null) {
      report.inputError(traffic.error());
    }
    return report;
  }

  private static void check(
      Report report, NicMachine machine, TrafficGenerator traffic, FrameSink sink) {
    NicPort port = machine.port(0);
    long offered = traffic.framesTotal();
    long received = sink.framesTotal();
    long dropped = port.lostTotal();
    report.check(
        "frames offered = received + dropped",
        offered == received + dropped,
        offered + " = " + received + " + " + dropped);
    checkRegisters(report, port.readStatistics(machine.host()), offered, received);
    if (dropped == 0) {
      report.check(
          "bytes received = bytes offered",
          sink.bytesTotal() == traffic.bytesTotal(),
          sink.bytesTotal() + " = " + traffic.bytesTotal());
      report.check(
          "content received = content offered",
          sink.contentSum() == traffic.contentSum(),
          "sum of CRC-32C over all frames");
    }
  }

  /** Registers have 32 bits and wrap. */
  private static void checkRegisters(
      Report report, DriverStatistics statistics, long offered, long received) {
    long good = statistics.goodFramesReceived();
    long bad = statistics.oversizeFrames() + statistics.undersizeFrames();
    long missed = statistics.missedFrames();
    long noDescriptor = statistics.noDescriptorDrops();
    report.check(
        "the card's registers say the same",
        (int) (good + missed + bad) == (int) offered
            && (int) (good - noDescriptor) == (int) received,
        String.format(
            "%d good - %d without descriptor; %d missed, %d of a wrong length",
            good, noDescriptor, missed, bad));
  }
}
