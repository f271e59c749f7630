package io.github.bellwire.examples.pcie;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.bellwire.device.probe.ProbeOperation;
import io.github.bellwire.device.probe.ProbeRun;
import io.github.bellwire.device.probe.ProbeWindow;
import io.github.bellwire.dma.check.DmaChecker;
import io.github.bellwire.dma.check.DmaReport;
import io.github.bellwire.dma.check.DmaViolation;
import io.github.bellwire.examples.cli.CommandLineTool;
import io.github.bellwire.examples.cli.Progress;
import io.github.bellwire.examples.cli.RunContext;
import io.github.bellwire.examples.settings.Key;
import io.github.bellwire.examples.settings.Settings;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A probe that is watched: what it does right is silent, what it does wrong is found. */
class ProbeMachineTest {
  private static final int WINDOW_BYTES = 8160;

  private final RunContext context =
      new RunContext(
          0,
          new Progress(
              new PrintStream(OutputStream.nullOutputStream(), true, StandardCharsets.UTF_8),
              false,
              () -> 0),
          () -> 0);

  private static Settings settings(String... assignments) {
    List<Key<?>> keys = new ArrayList<>(new PcieBench().keys());
    keys.add(CommandLineTool.SEED);
    return Settings.of("pcie-bench", keys, List.of(assignments));
  }

  /** Lets the probe visit one more window, which lies as far behind the one that it has. */
  private static void runBehind(ProbeMachine machine, long offsetBytes) {
    ProbeWindow own = machine.probeRun().window();
    ProbeWindow other =
        new ProbeWindow(own.iova() + offsetBytes, own.windowBytes(), own.slotBytes(), 0, 64, false);
    machine.probe().start(new ProbeRun(ProbeOperation.READ, other, 1, 1));
    while (!machine.probe().isDone()) {
      machine.host().simulation().step();
    }
  }

  @ParameterizedTest
  @CsvSource({
    "off, 8192, DEVICE_ACCESS_UNMAPPED",
    "off, 8128, DEVICE_ACCESS_BEYOND_MAPPING", // 32 of 64 bytes lie outside
    "4k, 8192, DEVICE_ACCESS_UNMAPPED",
    "2m, 8128, DEVICE_ACCESS_BEYOND_MAPPING"
  })
  void shouldFindAProbeThatLeavesItsWindow(String iommu, int offsetBytes, DmaViolation violation) {
    ProbeMachine machine =
        new ProbeMachine(
            settings("checker=on", "count=50", "window=" + WINDOW_BYTES, "iommu=" + iommu),
            context);
    DmaChecker checker = Objects.requireNonNull(machine.host().checker());
    machine.run(context);
    assertThat(checker.reports()).isEmpty();
    assertThat(checker.liveMappings())
        .singleElement()
        .satisfies(window -> assertThat(window.lengthBytes()).isEqualTo(WINDOW_BYTES));

    runBehind(machine, offsetBytes);

    assertThat(checker.reports()).extracting(DmaReport::violation).contains(violation);
    assertThat(checker.total()).isPositive();
  }

  @ParameterizedTest
  @CsvSource({"9, 1, 1, 1, 1", "1, 9, 1, 1, 1", "1, 1, 9, 1, 1", "1, 1, 1, 9, 1", "1, 1, 1, 1, 9"})
  void shouldTellThePartThatIsInUseLongest(
      long upPs, long downPs, long readEnginePs, long writeEnginePs, long tagsPs) {
    ProbeMachine.Usage usage =
        new ProbeMachine.Usage(upPs, downPs, readEnginePs, writeEnginePs, tagsPs);

    assertThat(usage.longestPs()).isEqualTo(9);
  }
}
