package io.github.bellwire.examples.attack;

import io.github.bellwire.examples.cli.CommandLineTool;
import io.github.bellwire.examples.cli.RunContext;
import io.github.bellwire.examples.cli.Scenario;
import io.github.bellwire.examples.host.HostKeys;
import io.github.bellwire.examples.host.IommuKeys;
import io.github.bellwire.examples.report.Report;
import io.github.bellwire.examples.settings.Key;
import io.github.bellwire.examples.settings.Settings;
import io.github.bellwire.examples.settings.ValueTypes;
import io.github.bellwire.host.HostConfig;
import io.github.bellwire.iommu.IommuConfig;
import io.github.bellwire.iommu.walk.TableKind;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Plays DMA attacks against each way in which an operating system protects itself. */
public final class Attack implements Scenario {
  private static final String ALL = "all";

  private static final Key<String> ROW =
      Key.of(
          "row",
          ValueTypes.words(rowWords()),
          ALL,
          "which attack: a row, such as a01 or a06a; or rows of which none is called so, as a06");
  private static final Key<String> MODE =
      Key.of(
          "mode", ValueTypes.words(modeWords()), ALL, "how the operating system protects itself");

  /** What cores see of a device's writes where nothing is coherent is another matter. */
  private static final Key<String> HOST =
      Key.of(
          HostKeys.HOST.name(),
          ValueTypes.words(coherentHosts().stream().map(HostConfig::name).toList()),
          Machines.DEFAULT.host().name(),
          "machine preset");

  /** Creates the scenario. */
  public Attack() {}

  @Override
  public String name() {
    return "attack";
  }

  @Override
  public String description() {
    return "play DMA attacks against each mode of protection, and tell what came of them";
  }

  @Override
  public List<Key<?>> keys() {
    return List.of(ROW, MODE, HOST, IommuKeys.PRESET);
  }

  @Override
  public Report run(Settings settings, RunContext context) {
    String rowWord = settings.value(ROW);
    String modeWord = settings.value(MODE);
    List<Mode> modes =
        Arrays.stream(Mode.values())
            .filter(mode -> modeWord.equals(ALL) || mode.value().equals(modeWord))
            .toList();
    List<AttackRow> rows =
        AttackMatrix.rows().stream().filter(row -> isChosen(row, rowWord)).toList();
    if (modeWord.equals(Mode.OFF.value()) && settings.isGiven(IommuKeys.PRESET)) {
      throw settings.refuse(
          IommuKeys.PRESET, "must not be given with mode=off, which has no IOMMU");
    }
    IommuConfig iommu = IommuKeys.resolve(settings, settings.value(HOST));
    if (iommu.kind() != TableKind.VT_D) {
      throw settings.refuse(IommuKeys.PRESET, "must be of the VT-d class");
    }
    HostConfig host = hostConfig(settings.value(HOST));
    long seed = settings.value(CommandLineTool.SEED);
    List<Cell> cells =
        rows.stream().flatMap(row -> modes.stream().map(mode -> new Cell(row, mode))).toList();
    // Machines share nothing; results are taken in the order of the cells, whoever is first.
    List<Outcome> outcomes =
        cells.parallelStream().map(cell -> play(cell, host, iommu, seed)).toList();
    AttackResults results = new AttackResults(modes);
    for (Outcome outcome : outcomes) {
      outcome.trace().replay(context.trace());
      results.add(outcome.cell().row(), outcome.cell().mode(), outcome.verdict());
      results.countEvents(outcome.events());
    }
    boolean isEvidenceShown = !rowWord.equals(ALL) || !modeWord.equals(ALL);
    return results.toReport(rows, isEvidenceShown);
  }

  private static Outcome play(Cell cell, HostConfig host, IommuConfig iommu, long seed) {
    TraceBuffer trace = new TraceBuffer();
    Machines machines = new Machines(host, iommu, seed, trace);
    AttackMachine machine = new AttackMachine(machines, cell.mode(), cell.row().options());
    Verdict verdict = cell.row().run(machine);
    return new Outcome(cell, verdict, machine.host().simulation().eventsTotal(), trace);
  }

  /** An attack in a mode. */
  private record Cell(AttackRow row, Mode mode) {}

  /** What has come of it. */
  private record Outcome(Cell cell, Verdict verdict, long events, TraceBuffer trace) {}

  /** A word that is the name of a row means that row, any other all rows that begin so. */
  private static boolean isChosen(AttackRow row, String word) {
    boolean isName = AttackMatrix.rows().stream().anyMatch(other -> other.id().equals(word));
    return word.equals(ALL) || (isName ? row.id().equals(word) : row.id().startsWith(word));
  }

  private static List<HostConfig> coherentHosts() {
    return HostConfig.PRESETS.stream().filter(host -> host.cache().isCoherent()).toList();
  }

  private static HostConfig hostConfig(String name) {
    return coherentHosts().stream()
        .filter(host -> host.name().equals(name))
        .findFirst()
        .orElseThrow();
  }

  private static List<String> rowWords() {
    List<String> words = new ArrayList<>(List.of(ALL));
    for (AttackRow row : AttackMatrix.rows()) {
      String group = row.id().substring(0, 3);
      if (!words.contains(group)) {
        words.add(group);
      }
      if (!row.id().equals(group)) {
        words.add(row.id());
      }
    }
    return words;
  }

  private static List<String> modeWords() {
    List<String> words = new ArrayList<>(List.of(ALL));
    words.addAll(Mode.allValues());
    return words;
  }
}
