package io.github.bellwire.examples.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.github.bellwire.examples.settings.Settings;
import io.github.bellwire.stats.LatencyHistogram;
import io.github.bellwire.trace.LifecycleStep;
import io.github.bellwire.trace.OperationId;
import io.github.bellwire.trace.TraceCause;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ReportTest {
  private static final RunInfo RUN =
      new RunInfo(
          "test",
          "tests",
          Settings.of("test", List.of(), List.of()),
          new RunInfo.Provenance("1.0", 1, "17", 0.25, "0123456789abcdef"));

  @ParameterizedTest
  @CsvSource({
    "goodput_gbit_per_s, goodput, 9.8696, 9.87 Gb/s",
    "bandwidth_gbyte_per_s, bandwidth, 25.6, 25.6 GB/s",
    "frames_per_s, frames, 14880952.38, '14,880,952 /s'",
    "packets_per_wall_second, packets, 2000000, '2,000,000 per wall second'",
    "iotlb_misses_per_mib, IOTLB misses, 0.5, 0.5 per MiB",
    "iotlb_misses_per_page, IOTLB misses, 1.5, 1.5 per 4 KiB",
    "iotlb_misses_count, IOTLB misses, 3, 3",
    "iotlb_miss_ratio, IOTLB misses, 0.25, 25 %",
    "pt_l2_misses_per_page, page table L2 misses, 0.5, 0.5 per 4 KiB",
    "tlp_cpld_count, TLP CplD, 3, 3",
    "strict_cpu_ns_per_op, strict CPU, 61.25, 61.25 ns per op",
    "latency_ns_p999, latency p99.9, 1234.4, '1,234 ns'",
    "latency_ns_max, latency max, 12345.678, 12.35 us",
    "simulated_ns, simulated, 25000000, 25 ms",
    "simulated_ns, simulated, 25000000000, 25 s",
    "uc_write_64_us, uc write 64, 1.5, '1,500 ns'",
    "hit_ratio, hit, 0.98764, 98.76 %",
    "drop_ratio, drop, 0, 0 %",
    "nic_buffer_bytes_max, NIC buffer max, 1536, '1,536 B'",
    "iops, iops, 1000000, '1,000,000 /s'",
  })
  void shouldReadUnitsFromNames(String name, String label, double value, String printed) {
    MetricName parsed = MetricName.parse(name);

    assertThat(parsed.label()).isEqualTo(label);
    assertThat(parsed.format(value)).isEqualTo(printed);
  }

  @Test
  void shouldPrintWholeNumbersInFull() {
    assertThat(MetricName.parse("tlp_mwr_count").format(1_234_567L)).isEqualTo("1,234,567");
    assertThat(MetricName.parse("pcie_up_bytes").format(12L)).isEqualTo("12 B");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"goodput", "latency_p50", "count", "Frames_count", "frames_count_p42", ""})
  void shouldRefuseNamesWithoutUnit(String name) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Report().metric(name, 1))
        .withMessage("metric name must end in its unit: name=" + name);
    assertThatIllegalArgumentException().isThrownBy(() -> new Report().metric(name, 1.0));
  }

  @Test
  void shouldRefuseFiguresThatAreNoneOrTwice() {
    Report report = new Report().metric("frames_count", 1);

    assertThatIllegalArgumentException()
        .isThrownBy(() -> report.metric("hit_ratio", 0.0 / 0.0))
        .withMessage("metric must be finite: hit_ratio=NaN");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> report.metric("miss_ratio", Double.NEGATIVE_INFINITY));
    assertThatIllegalArgumentException().isThrownBy(() -> report.metric("frames_count", 2));
  }

  @Test
  void shouldRefuseToPrintFiguresThatAreNotThere() {
    assertThatIllegalStateException()
        .isThrownBy(() -> TextReport.render(new Report().headline("a_count"), RUN, List.of()))
        .withMessage("metric must be one of the report: name=a_count");
  }

  @Test
  void shouldPrintEveryFigureOnce() {
    Report report = new Report().metric("a_count", 1).metric("b_count", 2).metric("c_count", 3);
    report.outcome("a01.strict", "blocked").outcome("unmap-wrong-size", 4);
    report.headline("b_count").section("Cases", "a01.strict", "unmap-wrong-size");

    String text = TextReport.render(report, RUN, List.of());

    assertThat(text)
        .isEqualTo(
            """
            test: tests

              b  2

            Cases
              a01.strict        blocked
              unmap-wrong-size  4

            Other figures
              a  1
              c  3

            Bellwire 1.0, JDK 17, seed 1, 0 events, 250 ms real time, trace 0123456789abcdef
            """);
  }

  @Test
  void shouldPrintWhatHappenedFirstAndWhatWasSetInVainLast() {
    Report report = new Report().metric("a_count", 1).headline("a_count");
    report.remark("The device was pulled.").explain("Words", "blocked: not reached");
    report.withoutEffect("itr=2us: no interrupts").withoutEffect("b=1: nothing");

    assertThat(TextReport.render(report, RUN, List.of()))
        .isEqualTo(
            """
            test: tests

              The device was pulled.

              a  1

            Words
              blocked: not reached

            Without effect
              itr=2us: no interrupts
              b=1: nothing

            Bellwire 1.0, JDK 17, seed 1, 0 events, 250 ms real time, trace 0123456789abcdef
            """);
    assertThat(JsonReport.render(report, RUN).replace(" ", "").replaceAll("\\R", ""))
        .contains("\"remarks\":[\"Thedevicewaspulled.\"]")
        .contains("\"without_effect\":[\"itr=2us:nointerrupts\",\"b=1:nothing\"]");
    assertThat(JsonReport.render(new Report(), RUN)).doesNotContain("remarks", "without_effect");
  }

  @Test
  void shouldPrintNoLatencyOfNothing() {
    LatencyHistogram latency = new LatencyHistogram();
    Report nothing = new Report().latency(latency).latencySection("Latency");
    latency.record(1_000);
    Report one = new Report().latency(latency).latencySection("Latency");

    assertThat(TextReport.render(nothing, RUN, List.of())).doesNotContain("atency");
    assertThat(TextReport.render(one, RUN, List.of())).contains("latency mean   1 ns");
    assertThat(nothing.metrics()).containsEntry("latency_ns_p50", 0.0);
  }

  @Test
  void shouldPrintOnlyWhatWasMeasured() {
    Report report = new Report().unmeasured("b_count", "c_count");
    report.metric("a_count", 1).metric("b_count", 0).metric("c_count", 0).metric("d_count", 4);
    report.headline("a_count", "b_count").section("Nothing", "c_count");

    assertThat(TextReport.render(report, RUN, List.of()))
        .startsWith("test: tests\n\n  a  1\n\nOther figures\n  d  4\n\nBellwire")
        .doesNotContain("Nothing");
    assertThat(report.metrics()).containsKeys("b_count", "c_count"); // Scripts rely on names.
  }

  @Test
  void shouldKeepColumnsInLineWhateverTheLongestWord() {
    Table table = new Table("", "key", "meaning").row("link.completion-buffer", "room for answers");
    table.row("itr", "least time between interrupts");

    assertThat(table.lines(36))
        .containsExactly(
            "key                     meaning",
            "link.completion-buffer  room for",
            "                        answers",
            "itr                     least time",
            "                        between",
            "                        interrupts");
  }

  @Test
  void shouldWriteNumbersAlikeOnEveryJdk() {
    Report report = new Report().metric("a_ratio", 2.0e-3 / 3).metric("b_ratio", 1e15);
    report.metric("c_count", Long.MAX_VALUE).metric("d_ratio", 2e-44 * 1e30).outcome("é", "ü");

    String json = JsonReport.render(report, RUN);

    assertThat(json.replace(" ", ""))
        .contains("\"a_ratio\":0.000666666666667,", "\"b_ratio\":1000000000000000,")
        .contains("\"c_count\":9223372036854775807,", "\"d_ratio\":0.00000000000002,")
        .contains("\"\\u00E9\":\"\\u00FC\"");
  }

  @Test
  void shouldWrapWideTablesAndAlignNumbers() {
    Table table = new Table("t", "name", ">count", "meaning");
    table.row("a", "1", "short").row("b", "1000", "a longer meaning in several words");

    assertThat(table.lines(36))
        .containsExactly(
            "name  count  meaning",
            "a         1  short",
            "b      1000  a longer meaning in",
            "             several words");
    assertThat(table.lines(10)).contains("b      1000  a longer");
    assertThat(table.title()).isEqualTo("t");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> table.row("a"))
        .withMessage("cells must be 3: cells=[a]");
  }

  @Test
  void shouldKeepTheFirstOperationsAndTellTheirSteps() {
    LifecyclePrinter printer = new LifecyclePrinter(2);
    long first = OperationId.receive(0, 1, 5);
    long second = OperationId.transmit(0, 1, 5);
    long address = 0x1_2345_0000L;
    printer.onStep(
        first, LifecycleStep.ALLOCATE, TraceCause.BUFFER_FROM_POOL, 1_000_500, address, 2048);
    printer.onStep(second, LifecycleStep.MAP, TraceCause.BUFFER_MAPPED, 1_200_000, 0, 0);
    printer.onStep(7, LifecycleStep.MAP, TraceCause.BUFFER_MAPPED, 1_200_000, 0, 0);
    printer.onStep(
        first, LifecycleStep.DEVICE_DMA, TraceCause.PAYLOAD_WRITTEN, 2_001_507, address, 60);
    printer.onStep(second, LifecycleStep.DEVICE_DMA, TraceCause.PAYLOAD_READ, 2_100_000, 0, 0);
    // One more than asked for; the other one, 7, waits in its ring and is no operation yet.
    printer.onStep(8, LifecycleStep.DEVICE_DMA, TraceCause.PAYLOAD_READ, 2_200_000, 0, 0);

    assertThat(printer.lines())
        .containsExactly(
            "Operation port 0 rx queue 1 #5",
            "  step           time ns  after ns  cause                              address  bytes",
            "  1 allocate    1000.500     0.000  buffer taken from the pool     0x123450000   2048",
            "  5 device DMA  2001.507  1001.007  payload written by the device  0x123450000     60",
            "",
            "Operation port 0 tx queue 1 #5",
            "  step           time ns  after ns  cause                         address  bytes",
            "  2 map         1200.000     0.000  buffer mapped for the device",
            "  5 device DMA  2100.000   900.000  payload read by the device");
    assertThatIllegalArgumentException().isThrownBy(() -> new LifecyclePrinter(0));
  }

  @Test
  void shouldKeepOperationsWithinTheColumns() {
    LifecyclePrinter printer = new LifecyclePrinter(1);
    for (LifecycleStep step : LifecycleStep.values()) {
      for (TraceCause cause : TraceCause.values()) {
        printer.onStep(1, step, cause, 999_999_999_999L, 0xf_ffff_ffff_fff0L, 262_144);
      }
    }

    assertThat(printer.lines()).allMatch(line -> line.length() <= 100);
  }
}
