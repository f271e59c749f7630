package io.github.bellwire.bench;

import io.github.bellwire.device.nic.EthernetWire;
import java.io.PrintStream;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.results.BenchmarkResult;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/**
 * Runs the benchmarks that the project's speed is held to and prints the figures as they are to be
 * quoted: thread CPU time per operation, the minimum over all forks, and ratios within this run.
 */
public final class BenchmarkReport {
  private static final int FORKS_DEFAULT = 5;
  private static final int ITERATIONS = 4;
  private static final double WIRE_NS_PER_BYTE = 0.8; // 10 Gb/s
  private static final String[] PENDING_EVENTS = {"256", "4096"};
  private static final String[] FRAME_BYTES = {"60", "1514"}; // without FCS
  private static final TimeValue ITERATION = TimeValue.milliseconds(300);

  private final int forks;
  private final Map<String, Double> minimaNs = new LinkedHashMap<>();
  private double allocatedBytesPerOperationMax;

  private BenchmarkReport(int forks) {
    this.forks = forks;
  }

  /**
   * Measures and prints.
   *
   * @param args the number of forks, 5 if absent
   * @throws RunnerException if a benchmark fails
   */
  public static void main(String[] args) throws RunnerException {
    BenchmarkReport report =
        new BenchmarkReport(args.length == 0 ? FORKS_DEFAULT : Integer.parseInt(args[0]));
    report.measure();
    report.print(System.out);
  }

  private void measure() throws RunnerException {
    run(
        hold("bellwire", "priorityQueue", "priorityQueueComparable", "henriksen")
            .param("pendingEvents", PENDING_EVENTS)
            .param("law", "exp"));
    run(hold("bellwire").param("pendingEvents", "16").param("law", "mix"));
    run(
        options(RingBenchmark.class)
            .param("implementation", "bellwire", "agrona")
            .param("descriptorBytes", "16"));
    run(
        options(NicReceiveBenchmark.class)
            .param("frameBytes", FRAME_BYTES)
            .param("content", "opaque"));
    run(
        options(NicReceiveBenchmark.class)
            .param("frameBytes", FRAME_BYTES)
            .param("variant", "batched")
            .param("content", "udp"));
    run(options(DramBenchmark.class).param("pattern", "rand"));
  }

  private ChainedOptionsBuilder hold(String... implementations) {
    return options(EventQueueBenchmark.class)
        .param("implementation", implementations)
        .param("handlerTypes", "4");
  }

  private ChainedOptionsBuilder options(Class<?> benchmark) {
    return new OptionsBuilder()
        .include(benchmark.getName())
        .forks(forks)
        .warmupIterations(ITERATIONS)
        .warmupTime(ITERATION)
        .measurementIterations(ITERATIONS)
        .measurementTime(ITERATION)
        .shouldFailOnError(true)
        .verbosity(VerboseMode.SILENT);
  }

  private void run(ChainedOptionsBuilder options) throws RunnerException {
    for (RunResult result : new Runner(options.build()).run()) {
      String name = name(result.getParams());
      for (BenchmarkResult fork : result.getBenchmarkResults()) {
        for (IterationResult iteration : fork.getIterationResults()) {
          add(name, iteration);
        }
      }
    }
  }

  private void add(String name, IterationResult iteration) {
    double operations = score(iteration, "operations");
    minimaNs.merge(name, score(iteration, "cpuNs") / operations, Math::min);
    if (name.contains("bellwire") || name.contains("Receive") || name.contains("Dram")) {
      double perOperation = score(iteration, "allocatedBytes") / operations;
      allocatedBytesPerOperationMax = Math.max(allocatedBytesPerOperationMax, perOperation);
    }
  }

  private static double score(IterationResult iteration, String counter) {
    return iteration.getSecondaryResults().get(counter).getScore();
  }

  /** The benchmark's class without its suffix, and its parameters in the order of their names. */
  private static String name(BenchmarkParams params) {
    StringBuilder name =
        new StringBuilder(params.getBenchmark().replaceAll(".*\\.(\\w+)Benchmark\\.\\w+", "$1"));
    for (String key : params.getParamsKeys()) {
      name.append(' ').append(params.getParam(key));
    }
    return name.toString();
  }

  private void print(PrintStream out) {
    out.printf("Thread CPU time per operation, minimum over %d forks%n", forks);
    minimaNs.forEach((name, ns) -> out.printf(Locale.ROOT, "  %-45s %7.1f ns%n", name, ns));
    out.printf(
        Locale.ROOT,
        "  bytes allocated per operation, ours, at most: %.3f%n%nRatios within this run%n",
        allocatedBytesPerOperationMax);
    String kernel = "EventQueue 4 bellwire exp ";
    String priorityQueue = "EventQueue 4 priorityQueue exp ";
    String henriksen = "EventQueue 4 henriksen exp ";
    String comparable = "EventQueue 4 priorityQueueComparable exp ";
    for (String pendingEvents : PENDING_EVENTS) {
      ratio(out, priorityQueue + pendingEvents, kernel + pendingEvents, "at least 2.5");
      ratio(out, comparable + pendingEvents, kernel + pendingEvents, "at least 2.5");
      ratio(out, henriksen + pendingEvents, kernel + pendingEvents, "at least 2");
    }
    ratio(out, "EventQueue 4 bellwire mix 16", priorityQueue + "256", "at most 0.25");
    ratio(out, "EventQueue 4 bellwire mix 16", comparable + "256", "at most 0.25");
    ratio(out, "Ring 16 bellwire", "Ring 16 agrona", "at most 0.5");
    out.printf("%nA received frame and its slot on a 10 Gb/s wire, frames back to back%n");
    for (String frameBytes : FRAME_BYTES) {
      slot(out, "opaque", frameBytes, "batched");
      slot(out, "udp", frameBytes, "batched");
      slot(out, "opaque", frameBytes, "single");
    }
  }

  /** Below 1 the simulation is faster than the wire that it simulates. */
  private void slot(PrintStream out, String content, String frameBytes, String variant) {
    double costNs = minimaNs.get("NicReceive " + content + " " + frameBytes + " " + variant);
    double slotNs = EthernetWire.wireBytes(Integer.parseInt(frameBytes)) * WIRE_NS_PER_BYTE;
    out.printf(
        Locale.ROOT,
        "  %4s B %-6s %-8s %7.1f ns / %6.1f ns %6.2f%n",
        frameBytes,
        content,
        variant,
        costNs,
        slotNs,
        costNs / slotNs);
  }

  private void ratio(PrintStream out, String dividend, String divisor, String promise) {
    double ratio = minimaNs.get(dividend) / minimaNs.get(divisor);
    out.printf(Locale.ROOT, "  %-45s / %-30s %5.2f  (%s)%n", dividend, divisor, ratio, promise);
  }
}
