package io.github.bellwire.examples.cli;

import io.github.bellwire.examples.report.JsonReport;
import io.github.bellwire.examples.report.Report;
import io.github.bellwire.examples.report.RunInfo;
import io.github.bellwire.examples.report.SelfCheck;
import io.github.bellwire.examples.report.Table;
import io.github.bellwire.examples.report.TextReport;
import io.github.bellwire.examples.settings.Key;
import io.github.bellwire.examples.settings.NearestName;
import io.github.bellwire.examples.settings.Settings;
import io.github.bellwire.examples.settings.UserErrorException;
import io.github.bellwire.examples.settings.ValueTypes;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;

/**
 * Takes the arguments of one call, runs what they ask for and prints the result. Holds no global
 * state and never ends the process.
 *
 * <p>Exit codes: {@link #DONE}, {@link #DEFECT}, {@link #WRONG_REQUEST}. A wrong request prints
 * exactly one line on standard error.
 */
public final class CommandLineTool {
  /** The request has been served. */
  public static final int DONE = 0;

  /** Something is wrong with Bellwire: an unexpected exception, or a self-check that failed. */
  public static final int DEFECT = 1;

  /** Something is wrong with the request. */
  public static final int WRONG_REQUEST = 2;

  /** The key that every scenario has. */
  public static final Key<Long> SEED =
      Key.of(
          "seed",
          ValueTypes.count(0, 999_999_999_999_999_999L),
          "1",
          "where random numbers begin; the same seed gives the same run, another one another run"
              + " where anything is random");

  private static final Key<Long> TRACE =
      Key.of("trace", ValueTypes.count(1, 10_000), "1", "operations printed step by step");

  private final List<Scenario> scenarios;
  private final PrintStream stdout;
  private final PrintStream stderr;
  private final boolean isTerminal;
  private final LongSupplier clockNs;

  /**
   * Creates the tool.
   *
   * @param scenarios what it can run, in the order in which {@code list} shows them
   * @param stdout for reports
   * @param stderr for errors and progress
   * @param isTerminal whether somebody watches the progress
   * @param clockNs wall time in nanoseconds
   */
  public CommandLineTool(
      List<Scenario> scenarios,
      PrintStream stdout,
      PrintStream stderr,
      boolean isTerminal,
      LongSupplier clockNs) {
    this.scenarios = List.copyOf(scenarios);
    this.stdout = stdout;
    this.stderr = stderr;
    this.isTerminal = isTerminal;
    this.clockNs = clockNs;
  }

  /**
   * Serves one request.
   *
   * @param args the arguments
   * @return the exit code
   */
  public int run(String... args) {
    try {
      int code = new Arguments(this).serve(args);
      stdout.flush();
      return code;
    } catch (UserErrorException e) {
      return wrongRequest(e);
    } catch (RuntimeException | Error e) {
      // The one place where everything is caught: whatever gets here is a defect, to be reported.
      stderr.println("bellwire: defect, please report it with the arguments: " + e);
      e.printStackTrace(stderr);
      return DEFECT;
    }
  }

  private int wrongRequest(UserErrorException error) {
    stdout.flush();
    stderr.println("bellwire: " + error.getMessage());
    return WRONG_REQUEST;
  }

  int list() {
    Table table = new Table("", "scenario", "what it does");
    scenarios.forEach(scenario -> table.row(scenario.name(), scenario.description()));
    print(table);
    return DONE;
  }

  int describe(String scenarioName) {
    Scenario scenario = scenario(scenarioName);
    Table table = new Table("", "key", "default", "unit", "allowed", "meaning");
    for (Key<?> key : keys(scenario)) {
      String allowed = key.type().range();
      table.row(key.name(), key.defaultText(), key.type().unit(), allowed, key.meaning());
    }
    println(scenario.name() + ": " + scenario.description());
    println("");
    print(table);
    return DONE;
  }

  int run(Scenario scenario, List<String> assignments, boolean isJson, @Nullable String traced) {
    Settings settings = Settings.of(scenario.name(), keys(scenario), assignments);
    int tracedOperations = traced == null ? scenario.tracedOperations() : traceCount(traced);
    Report report;
    RunContext context;
    try (Progress progress = new Progress(stderr, isTerminal, clockNs)) {
      context = new RunContext(tracedOperations, progress, clockNs);
      report = scenario.run(settings, context);
    }
    RunInfo info = info(scenario, settings, context);
    if (isJson) {
      println(JsonReport.render(report, info));
      context.traceLines().forEach(line -> stderr.print(line + "\n"));
    } else {
      stdout.print(TextReport.render(report, info, context.traceLines()));
    }
    return exitCode(report);
  }

  private static int traceCount(String text) {
    try {
      return Math.toIntExact(TRACE.type().parse(text));
    } catch (UserErrorException e) {
      throw e.about("--trace " + text);
    }
  }

  private static RunInfo info(Scenario scenario, Settings settings, RunContext context) {
    RunInfo.Provenance provenance =
        new RunInfo.Provenance(
            Version.current(),
            settings.value(SEED),
            Runtime.version().toString(),
            context.wallSeconds(),
            context.traceHash());
    return new RunInfo(scenario.name(), scenario.description(), settings, provenance);
  }

  /** A failed check outweighs a wrong input: the figures of the report cannot be trusted. */
  private int exitCode(Report report) {
    for (SelfCheck check : report.checks()) {
      if (!check.isOk()) {
        stdout.flush();
        stderr.println("bellwire: self-check failed: " + check.name() + ": " + check.detail());
        return DEFECT;
      }
    }
    return report.inputError().map(this::wrongRequest).orElse(DONE);
  }

  List<Scenario> scenarios() {
    return scenarios;
  }

  /** {@return an error that names the nearest of all things that may stand first} */
  UserErrorException unknownName(String name) {
    List<String> known = new ArrayList<>(List.of("list", "describe"));
    scenarios.forEach(scenario -> known.add(scenario.name()));
    String question = NearestName.question(name, known);
    String allowed = (question.isEmpty() ? "; allowed: " : " Allowed: ") + String.join(", ", known);
    return new UserErrorException("unknown scenario " + name + question + allowed);
  }

  void printVersion() {
    println("bellwire " + Version.current());
  }

  void printUsage(CommandLine commandLine) {
    stdout.print(commandLine.getUsageMessage(CommandLine.Help.Ansi.OFF));
  }

  private Scenario scenario(String name) {
    return scenarios.stream()
        .filter(scenario -> scenario.name().equals(name))
        .findFirst()
        .orElseThrow(() -> unknownName(name));
  }

  private static List<Key<?>> keys(Scenario scenario) {
    List<Key<?>> keys = new ArrayList<>(scenario.keys());
    keys.add(SEED);
    return keys;
  }

  private void print(Table table) {
    table.lines(TextReport.MAX_COLUMNS).forEach(this::println);
  }

  /** Lines end alike on every system. */
  private void println(String line) {
    stdout.print(line + "\n");
  }
}
