package io.github.bellwire.examples.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.bellwire.examples.report.Report;
import io.github.bellwire.examples.report.Table;
import io.github.bellwire.examples.settings.Key;
import io.github.bellwire.examples.settings.Settings;
import io.github.bellwire.examples.settings.UserErrorException;
import io.github.bellwire.examples.settings.ValueTypes;
import io.github.bellwire.trace.LifecycleStep;
import io.github.bellwire.trace.OperationId;
import io.github.bellwire.trace.TraceCause;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class CommandLineToolTest {
  private static final long STEP_NS = 250_000_000;

  private final ByteArrayOutputStream stdout = new ByteArrayOutputStream();
  private final ByteArrayOutputStream stderr = new ByteArrayOutputStream();
  private boolean isTerminal;
  private long nowNs;

  @Test
  void shouldListScenariosWithOneLineEach() {
    assertThat(run("list")).isZero();

    assertThat(out().lines())
        .containsExactly("scenario  what it does", "sample    counts things for tests");
    assertThat(err()).isEmpty();
  }

  @Test
  void shouldDescribeEveryKey() {
    assertThat(run("describe", "sample")).isZero();

    assertThat(out()).startsWith("sample: counts things for tests\n\nkey ");
    assertThat(out().lines().filter(line -> line.startsWith("ring.size")))
        .containsExactly(
            "ring.size   512      count  8 to 4096 in steps of 8  descriptors in a ring");
    assertThat(out()).contains("seed").contains("1KiB");
    assertThat(out().lines()).allMatch(line -> line.length() <= 100);
  }

  @Test
  void shouldPrintTheFiguresThatMatterFirst() {
    assertThat(run("sample", "--set", "rate=25.6GB/s", "--set=ring.size=64")).isZero();

    assertThat(out())
        .startsWith("sample: counts things for tests\n\n  goodput  204.8 Gb/s\n  things   64\n\n");
    assertThat(out())
        .contains("\nLatency\n  latency p50  1.5 ns\n  latency max  12.35 us\n")
        .contains("\nPer step\n  step   bytes\n  first     64\n")
        .contains("\nOther figures\n  hit       25 %\n  exchange  blocked\n")
        .contains("\nSelf-check\n  ok      bytes in = bytes out: 64 = 64\n")
        .contains("\nNot modelled\n  the weather\n")
        .contains("\nSettings\n  ring.size=64 rate=204.8Gb/s turbo=off link.lanes=8 seed=1\n");
    assertThat(err()).isEmpty();
  }

  @Test
  void shouldPrintOneJsonObjectAndNothingElse() {
    assertThat(run("sample", "--json", "--set", "turbo=on", "--seed", "7")).isZero();

    JsonNode root = JsonMapper.shared().readTree(out());
    assertThat(root.propertyNames())
        .containsExactly(
            "schema_version", "scenario", "config", "metrics", "provenance", "self_check");
    assertThat(root.get("schema_version").asInt()).isEqualTo(1);
    assertThat(root.get("scenario").asString()).isEqualTo("sample");
    assertThat(root.get("config").toString())
        .isEqualTo(
            "{\"ring.size\":512,\"window\":null,\"rate\":\"10Gb/s\",\"turbo\":\"on\","
                + "\"link.lanes\":8,\"out\":null,\"seed\":7}");
    assertThat(root.get("metrics").toString())
        .isEqualTo(
            "{\"latency_ns_p50\":1.5,\"latency_ns_max\":12345.678,\"things_count\":512,"
                + "\"hit_ratio\":0.25,\"exchange\":\"blocked\",\"goodput_gbit_per_s\":10}");
    assertThat(root.get("self_check").toString())
        .isEqualTo(
            "{\"ok\":true,\"checks\":[{\"name\":\"bytes in = bytes out\",\"ok\":true,"
                + "\"detail\":\"64 = 64\"}]}");
    JsonNode provenance = root.get("provenance");
    assertThat(provenance.propertyNames())
        .containsExactly("version", "seed", "jdk", "events", "wall_seconds", "trace_hash");
    assertThat(provenance.get("version").asString()).matches("[0-9]+\\.[0-9]+\\.[0-9]+.*");
    assertThat(provenance.get("seed").isIntegralNumber()).isTrue();
    assertThat(provenance.get("jdk").asString()).isEqualTo(Runtime.version().toString());
    assertThat(provenance.get("events").asLong()).isEqualTo(99);
    assertThat(provenance.get("wall_seconds").asDouble()).isPositive();
    assertThat(provenance.get("trace_hash").asString()).matches("[0-9a-f]{16}");
    assertThat(err()).isEmpty();
  }

  @Test
  void shouldPrintOperationsStepByStep() {
    assertThat(run("sample", "--trace", "1")).isZero();

    assertThat(out())
        .contains(
            "\nOperation port 0 rx queue 0 #0\n"
                + "  step          time ns  after ns  cause                              address"
                + "  bytes\n"
                + "  2 map           1.000     0.000  buffer mapped for the device   0x100000000"
                + "   2048\n"
                + "  5 device DMA    3.000     2.000  payload written by the device  0x100000000"
                + "     60\n")
        .doesNotContain("queue 0 #1");
  }

  @Test
  void shouldPrintOperationsOnStandardErrorBesideJson() {
    assertThat(run("sample", "--trace", "2", "--json")).isZero();

    assertThat(JsonMapper.shared().readTree(out()).isObject()).isTrue();
    assertThat(err()).startsWith("Operation port 0 rx queue 0 #0\n").contains("queue 0 #1\n");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "sample --set rng.size=64 | rng.size=64: unknown key rng.size; did you mean ring.size?"
            + " Keys of sample: ring.size, window, rate, turbo, link.lanes, out, seed",
        "sample --set ring.size=0 | ring.size=0: must be 8 to 4096 in steps of 8",
        "sample --set ring.size=12 | ring.size=12: must be 8 to 4096 in steps of 8",
        "sample --set ring.size=many | ring.size=many: must be a whole number without a unit,"
            + " 8 to 4096 in steps of 8",
        "sample --set rate=10 | rate=10: needs a unit, for example 10Gb/s; must be 1Mb/s to"
            + " 800Gb/s in b/s, kb/s, Mb/s, Gb/s, Tb/s, B/s, kB/s, MB/s, GB/s or TB/s",
        "sample --set link.lanes=3 | link.lanes=3: must be 1, 2, 4, 8, 16 or 32",
        "sample --set turbo=yes | turbo=yes: must be on or off",
        "xyz | unknown scenario xyz; allowed: list, describe, sample",
        "sample --set turbo | --set turbo: must be key=value; did you mean turbo?",
        "sample --set turbo=on --set turbo=off | turbo=off: turbo is already set to on",
        "sample --set seed=1 --seed 2 | seed=2: seed is already set to 1",
        "sample --set out= | out=: must be the name of a file",
        "sample --set window=1KiB | window=1KiB: only with turbo=on",
        "sample --trace 0 | --trace 0: must be 1 to 10000",
        "sample --jsn | unknown option --jsn; did you mean --json? Allowed: --set, --json, --seed,"
            + " --trace, -h, --help, -V, --version",
        "sample --set | an option lacks its value, must be --set key=value or --trace N",
        "sample ring.size=64 | unexpected ring.size=64 after sample; did you mean --set"
            + " ring.size=64?",
        "sampel | unknown scenario sampel; did you mean sample? Allowed: list, describe, sample",
        "describe smple | unknown scenario smple; did you mean sample? Allowed: list, describe,"
            + " sample",
        "describe | describe needs a scenario; 'list' shows all",
        "'' | nothing to do, must be list, describe SCENARIO or SCENARIO [--set key=value]...",
      })
  void shouldRefuseAWrongRequestInOneLine(String args, String message) {
    assertThat(run(args.isEmpty() ? new String[0] : args.split(" "))).isEqualTo(2);

    assertThat(err()).isEqualTo("bellwire: " + message + System.lineSeparator());
    assertThat(out()).isEmpty();
  }

  @Test
  void shouldKeepTheLineWholeWhateverTheUserTyped() {
    assertThat(run("sample", "--set", "ring.size=1\n2\u2028\u001b[31m")).isEqualTo(2);

    assertThat(err()).hasLineCount(1).startsWith("bellwire: ring.size=1?2??[31m: must be");
  }

  @Test
  void shouldReportADefectWithItsStackTrace() {
    assertThat(run("sample", "--set", "ring.size=8")).isEqualTo(1);

    assertThat(err())
        .startsWith("bellwire: defect, please report it with the arguments: java.lang.Illegal")
        .contains("at io.github.bellwire");
    assertThat(out()).isEmpty();
  }

  @Test
  void shouldExitWithADefectWhenASelfCheckFails() {
    assertThat(run("sample", "--set", "ring.size=16")).isEqualTo(1);

    assertThat(out()).contains("\n  FAILED  bytes in = bytes out: 16 = 64\n");
    assertThat(err().lines())
        .containsExactly("bellwire: self-check failed: bytes in = bytes out: 16 = 64");
  }

  @Test
  void shouldPrintTheReportBeforeALateInputError() {
    assertThat(run("sample", "--json", "--set", "ring.size=24")).isEqualTo(2);

    assertThat(JsonMapper.shared().readTree(out()).get("metrics").isObject()).isTrue();
    assertThat(err().lines()).containsExactly("bellwire: file ends early");
  }

  @ParameterizedTest
  @ValueSource(strings = {"--help", "sample --help", "list -h", "describe --help"})
  void shouldExplainItself(String args) {
    assertThat(run(args.split(" "))).isZero();

    assertThat(out()).contains("Usage:");
    assertThat(err()).isEmpty();
  }

  @Test
  void shouldPrintItsVersion() {
    assertThat(run("--version")).isZero();

    assertThat(out()).matches("bellwire [0-9]+\\.[0-9]+\\.[0-9]+.*\n");
  }

  @Test
  void shouldShowProgressOnATerminalAfterASecond() {
    isTerminal = true;

    assertThat(run("sample", "--set", "ring.size=32")).isZero();

    assertThat(err()).contains("counting").contains("32/32");
    assertThat(out()).startsWith("sample:");
  }

  @Test
  void shouldShowNoProgressWithoutATerminal() {
    assertThat(run("sample", "--set", "ring.size=32")).isZero();

    assertThat(err()).isEmpty();
  }

  @Test
  void shouldShowNoProgressWithinASecond() {
    isTerminal = true;

    assertThat(run("sample", "--set", "ring.size=40")).isZero();

    assertThat(err()).isEmpty();
  }

  @Test
  void shouldGiveTheSameTraceHashTwice() {
    run("sample", "--json");
    String first = JsonMapper.shared().readTree(out()).at("/provenance/trace_hash").asString();
    stdout.reset();
    run("sample", "--json", "--trace", "1");
    String second = JsonMapper.shared().readTree(out()).at("/provenance/trace_hash").asString();

    assertThat(second).isEqualTo(first);
  }

  private int run(String... args) {
    CommandLineTool tool =
        new CommandLineTool(
            List.of(new SampleScenario()), print(stdout), print(stderr), isTerminal, this::tick);
    return tool.run(args);
  }

  /** A clock on which a little time passes between any two looks. */
  private long tick() {
    nowNs += 1_000;
    return nowNs;
  }

  private static PrintStream print(ByteArrayOutputStream bytes) {
    return new PrintStream(bytes, true, StandardCharsets.UTF_8);
  }

  private String out() {
    return stdout.toString(StandardCharsets.UTF_8);
  }

  private String err() {
    return stderr.toString(StandardCharsets.UTF_8);
  }

  /** Does what the ring size tells it, so that each way through the command line can be taken. */
  private final class SampleScenario implements Scenario {
    private static final Key<Long> RING_SIZE =
        Key.of("ring.size", ValueTypes.count(8, 4096, 8), "512", "descriptors in a ring");
    private static final Key<Long> WINDOW =
        Key.optional("window", ValueTypes.bytes(64, 1024), "none", "part of memory in use");
    private static final Key<Long> RATE =
        Key.of("rate", ValueTypes.bitsPerSecond(1_000_000, 800_000_000_000L), "10Gb/s", "speed");
    private static final Key<Boolean> TURBO = Key.of("turbo", ValueTypes.onOff(), "off", "faster");
    private static final Key<Long> LANES =
        Key.optional("link.lanes", ValueTypes.oneOf(1, 2, 4, 8, 16, 32), "host", "link width");
    private static final Key<Path> OUT =
        Key.optional("out", ValueTypes.file(), "none", "where results go");

    @Override
    public String name() {
      return "sample";
    }

    @Override
    public String description() {
      return "counts things for tests";
    }

    @Override
    public List<Key<?>> keys() {
      return List.of(RING_SIZE, WINDOW, RATE, TURBO, LANES, OUT);
    }

    @Override
    public Report run(Settings settings, RunContext context) {
      long size = settings.value(RING_SIZE);
      if (size == 8) {
        throw new IllegalArgumentException("defect on demand");
      }
      if (settings.isGiven(WINDOW) && !settings.value(TURBO)) {
        throw settings.refuse(WINDOW, "only with turbo=on");
      }
      settings.supply(LANES, 8L);
      count(size, context);
      trace(context);
      Report report = new Report().headline("goodput_gbit_per_s", "things_count");
      report.metric("latency_ns_p50", 1.5).metric("latency_ns_max", 12_345.678);
      report.metric("things_count", size).metric("hit_ratio", 0.25);
      report.outcome("exchange", "blocked");
      report.metric("goodput_gbit_per_s", settings.value(RATE) / 1e9);
      report.section("Latency", "latency_ns_p50", "latency_ns_max");
      report.table(new Table("Per step", "step", ">bytes").row("first", "64"));
      long bytes = size == 16 ? 16 : 64;
      report.check("bytes in = bytes out", bytes == 64, bytes + " = 64");
      report.notModelled("the weather").events(99);
      if (size == 24) {
        report.inputError(new UserErrorException("file ends early"));
      }
      return report;
    }

    /** Takes more than a second for 32 things, less for all others. */
    private void count(long size, RunContext context) {
      context.progress().begin("counting", size);
      for (long i = 1; i <= size; i++) {
        nowNs += size == 32 ? STEP_NS : 1_000;
        context.progress().advanceTo(i);
      }
    }

    private void trace(RunContext context) {
      for (int i = 0; i < 3; i++) {
        long id = OperationId.receive(0, 0, i);
        long address = 0x1_0000_0000L;
        context
            .trace()
            .onStep(id, LifecycleStep.MAP, TraceCause.BUFFER_MAPPED, 1_000, address, 2048);
        context
            .trace()
            .onStep(id, LifecycleStep.DEVICE_DMA, TraceCause.PAYLOAD_WRITTEN, 3_000, address, 60);
      }
    }
  }
}
