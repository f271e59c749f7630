package io.github.bellwire.examples.attack;

import io.github.bellwire.examples.cli.CommandLineTool;
import io.github.bellwire.examples.cli.RunContext;
import io.github.bellwire.examples.cli.Scenario;
import io.github.bellwire.examples.host.HostKeys;
import io.github.bellwire.examples.host.IommuKeys;
import io.github.bellwire.examples.report.Report;
import io.github.bellwire.examples.report.Table;
import io.github.bellwire.examples.settings.Key;
import io.github.bellwire.examples.settings.Settings;
import io.github.bellwire.examples.settings.ValueTypes;
import io.github.bellwire.host.HostConfig;
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
          "which attack: one row, such as a06a, or a group of rows, such as a06");
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
            .filter(mode -> modeWord.equals(ALL) || mode.word().equals(modeWord))
            .toList();
    List<AttackRow> rows =
        AttackMatrix.rows().stream()
            .filter(row -> rowWord.equals(ALL) || row.id().startsWith(rowWord))
            .toList();
    Machines machines =
        new Machines(
            hostConfig(settings.value(HOST)),
            IommuKeys.resolve(settings, settings.value(HOST)),
            settings.value(CommandLineTool.SEED),
            context.trace());
    Results results = new Results(modes);
    for (AttackRow row : rows) {
      for (Mode mode : modes) {
        AttackMachine machine = new AttackMachine(machines, mode, row.options());
        results.add(row, mode, row.run(machine));
        results.eventsTotal += machine.host().simulation().eventsTotal();
      }
    }
    boolean isEvidenceShown = !rowWord.equals(ALL) || !modeWord.equals(ALL);
    return results.toReport(rows, isEvidenceShown);
  }

  /** Cells in the order in which they were found out. */
  private static final class Results {
    private final List<Mode> modes;
    private final List<String> names = new ArrayList<>();
    private final List<String> words = new ArrayList<>();
    private final List<String> wrong = new ArrayList<>();
    private final Table evidence = new Table("Evidence", "row", "mode", "what was seen");
    private long eventsTotal;

    Results(List<Mode> modes) {
      this.modes = modes;
    }

    void add(AttackRow row, Mode mode, Verdict verdict) {
      String name = row.id() + "." + mode.word();
      names.add(name);
      words.add(verdict.word().text());
      evidence.row(row.id(), mode.word(), verdict.evidence());
      if (verdict.word() != row.expected(mode)) {
        wrong.add(name + " is " + verdict.word().text() + ": " + verdict.evidence());
      }
    }

    Report toReport(List<AttackRow> rows, boolean isEvidenceShown) {
      Report report = new Report();
      Table titles = new Table("Attacks", "row", "what is tried");
      Table matrix = new Table("What came of them", columns(modes));
      for (int i = 0; i < rows.size(); i++) {
        titles.row(rows.get(i).id(), rows.get(i).title());
        List<String> cells = new ArrayList<>(List.of(rows.get(i).id()));
        cells.addAll(words.subList(i * modes.size(), (i + 1) * modes.size()));
        matrix.row(cells.toArray(new String[0]));
      }
      for (int i = 0; i < names.size(); i++) {
        report.outcome(names.get(i), words.get(i));
      }
      report.table(titles).table(matrix, names);
      if (isEvidenceShown) {
        report.table(evidence);
      }
      report.check("cells as documented", wrong.isEmpty(), detail());
      report.notModelled(
          "what an attacker does with the memory that it reaches; devices that break the rules of"
              + " the link itself");
      return report.events(eventsTotal);
    }

    private String detail() {
      return wrong.isEmpty() ? names.size() + " of " + names.size() : String.join("; ", wrong);
    }
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

  private static String[] columns(List<Mode> modes) {
    List<String> columns = new ArrayList<>(List.of("row"));
    modes.forEach(mode -> columns.add(mode.word()));
    return columns.toArray(new String[0]);
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
    words.addAll(Mode.words());
    return words;
  }
}
