package io.github.bellwire.examples.attack;

import io.github.bellwire.examples.cli.CommandLineTool;
import io.github.bellwire.examples.cli.RunContext;
import io.github.bellwire.examples.cli.Scenario;
import io.github.bellwire.examples.report.Report;
import io.github.bellwire.examples.report.Table;
import io.github.bellwire.examples.settings.Key;
import io.github.bellwire.examples.settings.Settings;
import io.github.bellwire.examples.settings.ValueTypes;
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
    return List.of(ROW, MODE);
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
    Report report = new Report();
    List<String> names = new ArrayList<>();
    Table table = new Table("Attacks", columns(modes));
    Table evidence = new Table("Evidence", "row", "mode", "what was seen");
    List<String> wrong = new ArrayList<>();
    long events = 0;
    for (AttackRow row : rows) {
      List<String> cells = new ArrayList<>(List.of(row.id(), row.title()));
      for (Mode mode : modes) {
        AttackMachine machine =
            new AttackMachine(
                mode, row.options(), settings.value(CommandLineTool.SEED), context.trace());
        Verdict verdict = row.run(machine);
        events += machine.host().simulation().eventsTotal();
        String name = row.id() + "." + mode.word();
        names.add(name);
        report.outcome(name, verdict.word().text());
        cells.add(verdict.word().text());
        evidence.row(row.id(), mode.word(), verdict.evidence());
        if (verdict.word() != row.expected(mode)) {
          wrong.add(name + " is " + verdict.word().text() + ": " + verdict.evidence());
        }
      }
      table.row(cells.toArray(new String[0]));
    }
    report.table(table, names);
    report.table(evidence);
    report.check(
        "cells as documented",
        wrong.isEmpty(),
        wrong.isEmpty() ? names.size() + " of " + names.size() : String.join("; ", wrong));
    report.events(events);
    report.notModelled(
        "what an attacker does with the memory that it reaches; devices that break the rules of the"
            + " link itself");
    return report;
  }

  private static String[] columns(List<Mode> modes) {
    List<String> columns = new ArrayList<>(List.of("row", "attack"));
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
