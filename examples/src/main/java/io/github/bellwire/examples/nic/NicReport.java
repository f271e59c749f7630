package io.github.bellwire.examples.nic;

import io.github.bellwire.device.nic.Nic;
import io.github.bellwire.examples.report.Report;
import io.github.bellwire.examples.report.Table;
import io.github.bellwire.host.HostConfig;
import io.github.bellwire.memory.SimpleMemoryControllerConfig;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/** What the reports of the scenarios with network cards have in common. */
final class NicReport {
  /** Why a card does not send what it is given. */
  static final String REFUSED =
      String.format(
          Locale.ROOT,
          "longer than the card sends (%,d B without FCS), or faulty",
          Nic.SENT_FRAME_MAX_BYTES);

  /** Hosts of the pcie-bench study that are worth naming: the calibrated E3 falls asleep. */
  private static final List<String> RECOMMENDED =
      Stream.of(HostConfig.SNB, HostConfig.IB, HostConfig.HSW, HostConfig.HSW_SM, HostConfig.BDW)
          .map(HostConfig::name)
          .toList();

  private NicReport() {}

  static void addSections(Report report, FrameMeter meter) {
    if (!meter.hasRate()) {
      report.unmeasured("goodput_gbit_per_s", "frames_per_s");
    }
    if (meter.framesTotal() > 1) {
      report.latencySection("Latency");
    } else {
      silenceDistribution(report);
    }
    report.section(
        "PCIe, both directions",
        "pcie_up_bytes",
        "pcie_down_bytes",
        "tlp_mwr_count",
        "tlp_mrd_count",
        "tlp_cpld_count",
        "doorbells_count",
        "interrupts_count");
    report.section(
        "Caches and DRAM",
        "device_write_hit_ratio",
        "device_read_hit_ratio",
        "dram_read_bytes",
        "dram_write_bytes");
  }

  /** The latency of one frame has no distribution. */
  private static void silenceDistribution(Report report) {
    report.unmeasured(
        "latency_ns_min",
        "latency_ns_p95",
        "latency_ns_p99",
        "latency_ns_p999",
        "latency_ns_max",
        "latency_ns_mean");
  }

  /** The rate of what a card sends is measured at the far end of the wire. */
  static void addWire(Report report, double gbps) {
    report.metric("wire_gbit_per_s", gbps);
    if (gbps == 0) { // of one frame
      report.unmeasured("wire_gbit_per_s");
    }
  }

  /** Says where frames were lost, if any were. */
  static void addDrops(Report report, NicPort port) {
    if (port.lostTotal() == 0) {
      return;
    }
    Table table = new Table("Dropped frames", "reason", ">frames");
    addDrop(table, "no descriptor in the ring (QPRDC)", port.counter("rx_no_descriptor_count"));
    addDrop(table, "receive FIFO full (MPC)", port.counter("rx_missed_count"));
    addDrop(table, "too long or too short (ROC, RUC)", port.counter("rx_bad_count"));
    addDrop(table, "not for this station, or no queue", port.counter("rx_filtered_count"));
    addDrop(table, "descriptor not readable", port.counter("rx_lost_to_fault_count"));
    report.table(table);
  }

  /** Adds why frames that were received have not been sent. */
  static void addUnsent(Report report, long unqueued, long refused) {
    if (unqueued + refused == 0) {
      return;
    }
    Table table = new Table("Frames not sent", "reason", ">frames");
    addDrop(table, "no room in the transmit ring", unqueued);
    addDrop(table, REFUSED, refused);
    report.table(table);
  }

  static void addNotModelled(Report report, HostConfig host) {
    StringBuilder text = new StringBuilder("relaxed ordering per queue");
    if (host.memory() instanceof SimpleMemoryControllerConfig) {
      text.append("; DRAM banks and refresh");
    }
    if (!RECOMMENDED.contains(host.name()) && !host.name().equals(HostConfig.E3.name())) {
      text.append("; latencies of this host are assumptions, those of ");
      text.append(String.join(", ", RECOMMENDED)).append(" are calibrated");
    }
    report.notModelled(text.toString());
  }

  static void addDrop(Table table, String reason, long frames) {
    if (frames > 0) {
      table.row(reason, Long.toString(frames));
    }
  }
}
