package io.github.bellwire.examples.nic;

import io.github.bellwire.examples.report.Report;
import io.github.bellwire.examples.report.Table;

/** What the reports of the scenarios with network cards have in common. */
final class NicReport {
  private NicReport() {}

  static void addSections(Report report, FrameMeter meter) {
    if (meter.framesTotal() < 2) {
      report.unmeasured("goodput_gbit_per_s", "frames_per_s"); // From the first to the last one.
      report.unmeasured(
          "latency_ns_min",
          "latency_ns_p95",
          "latency_ns_p99",
          "latency_ns_p999",
          "latency_ns_max",
          "latency_ns_mean");
    }
    if (meter.framesTotal() == 0) {
      report.unmeasured("latency_ns_p50");
    }
    report
        .latencySection("Latency")
        .section(
            "PCIe, both directions",
            "pcie_up_bytes",
            "pcie_down_bytes",
            "tlp_mwr_count",
            "tlp_mrd_count",
            "tlp_cpld_count",
            "doorbells_count",
            "interrupts_count");
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

  static void addNotModelled(Report report) {
    report.notModelled(
        "relaxed ordering per queue; DRAM banks and refresh; host"
            + " latencies are assumptions until they are calibrated");
  }

  static void addDrop(Table table, String reason, long frames) {
    if (frames > 0) {
      table.row(reason, Long.toString(frames));
    }
  }
}
