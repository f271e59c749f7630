package io.github.bellwire.examples.report;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.Locale;
import java.util.Map;
import java.util.StringJoiner;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** A metric's name taken apart: what it is about, its unit, which statistic of it. */
record MetricName(String subject, String unit, String statistic) {
  private static final Pattern NAME =
      Pattern.compile(
          "([a-z0-9][a-z0-9_-]*?)"
              + "(?:_(gbit_per_s|gbyte_per_s|ns|us|count|bytes|ratio|(?:ns_)?per_[a-z_]+)|(?<=iops))"
              + "(?:_(p50|p95|p99|p999|min|max|mean))?");

  /** Printed units, where they differ from the name's. */
  private static final Map<String, String> UNITS =
      Map.of(
          "gbit_per_s", "Gb/s",
          "gbyte_per_s", "GB/s",
          "per_mib", "per MiB",
          "per_page", "per 4 KiB",
          "bytes", "B",
          "count", "",
          "per_s", "/s",
          "", "/s");

  /** Words that are not written as in names, and what is short for several. */
  private static final Map<String, String> WORDS =
      Map.ofEntries(
          Map.entry("acs", "ACS"),
          Map.entry("cpld", "CplD"),
          Map.entry("cpu", "CPU"),
          Map.entry("dma", "DMA"),
          Map.entry("dram", "DRAM"),
          Map.entry("ecrc", "ECRC"),
          Map.entry("iommu", "IOMMU"),
          Map.entry("iotlb", "IOTLB"),
          Map.entry("l1", "L1"),
          Map.entry("l2", "L2"),
          Map.entry("l3", "L3"),
          Map.entry("mmio", "MMIO"),
          Map.entry("mrd", "MRd"),
          Map.entry("mwr", "MWr"),
          Map.entry("nic", "NIC"),
          Map.entry("pcie", "PCIe"),
          Map.entry("pt", "page table"),
          Map.entry("tlp", "TLP"));

  /** The same thing has the same label, whatever it is counted per. */
  private static final Map<String, String> SUBJECTS = Map.of("iotlb_miss", "iotlb_misses");

  private static final Map<String, String> STATISTICS = Map.of("p999", "p99.9");

  /** Takes a name apart; one that does not end in a unit is a mistake of the scenario's author. */
  static MetricName parse(String name) {
    Matcher matcher = NAME.matcher(name);
    if (!matcher.matches()) {
      throw new IllegalArgumentException("metric name must end in its unit: name=" + name);
    }
    return new MetricName(matcher.group(1), text(matcher.group(2)), text(matcher.group(3)));
  }

  private static String text(@Nullable String group) {
    return group == null ? "" : group;
  }

  /** What people read in place of the name. */
  String label() {
    StringJoiner label = new StringJoiner(" ");
    for (String word : SUBJECTS.getOrDefault(subject, subject).split("_")) {
      label.add(WORDS.getOrDefault(word, word));
    }
    return label.add(STATISTICS.getOrDefault(statistic, statistic)).toString().strip();
  }

  /** The value with its unit, as people read it. */
  String format(Number value) {
    if (unit.equals("ratio")) {
      return round(value.doubleValue() * 100) + " %";
    }
    if (unit.equals("ns") || unit.equals("us")) {
      return time(value.doubleValue() * (unit.equals("ns") ? 1 : 1_000));
    }
    String printed = UNITS.getOrDefault(unit, unit.replace('_', ' '));
    return (number(value) + " " + printed).strip();
  }

  private static String number(Number value) {
    return value instanceof Long whole
        ? String.format(Locale.ROOT, "%,d", whole)
        : round(value.doubleValue());
  }

  private static String time(double ns) {
    if (ns < 10_000) {
      return round(ns) + " ns";
    }
    if (ns < 10_000_000) {
      return round(ns / 1_000) + " us";
    }
    return ns < 10_000_000_000.0 ? round(ns / 1_000_000) + " ms" : round(ns / 1e9) + " s";
  }

  /** Four significant digits, but never fewer than the digits before the point. */
  private static String round(double value) {
    if (Math.abs(value) >= 1_000) {
      return String.format(Locale.ROOT, "%,.0f", value);
    }
    BigDecimal rounded = new BigDecimal(value).round(new MathContext(4));
    return rounded.signum() == 0 ? "0" : rounded.stripTrailingZeros().toPlainString();
  }
}
