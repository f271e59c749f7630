package io.github.bellwire.examples.attack;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** The page with the attack matrix: what came of each attack in each mode, and what was seen. */
final class AttackPage {
  /** The command that writes the page. */
  static final String UPDATE =
      "mvn -q -pl examples -am test -Dtest=AttackMatrixTest"
          + " -Dsurefire.failIfNoSpecifiedTests=false -Dbellwire.updateAttacks=true";

  private static final List<String> INTRODUCTION =
      List.of(
          "# Attacks by a malicious device",
          "",
          "Each cell is a run of the scenario `attack`: a bus master on a machine whose operating"
              + " system protects itself in one",
          "way. The word comes from bytes in memory, data that the attacker has read, interrupts"
              + " raised, faults recorded and",
          "times measured. A test fails when a cell is not as documented, and when this page is"
              + " not what the runs produce. To",
          "write it anew:",
          "",
          "    " + UPDATE,
          "");

  private static final List<String> CONDITIONS =
      List.of(
          "",
          "A letter behind a row's number stands for a condition. An attacker that is refused under"
              + " a false name (a08, a15) tries",
          "again under its own, so these attacks succeed wherever a01 does.",
          "");

  private AttackPage() {}

  /**
   * {@return the lines of the page}
   *
   * @param verdicts of all rows, in the order of the modes
   */
  static List<String> lines(Map<AttackRow, List<Verdict>> verdicts) {
    List<String> lines = new ArrayList<>(INTRODUCTION);
    lines.add("| Mode | What the operating system does |");
    lines.add("|---|---|");
    for (Mode mode : Mode.values()) {
      lines.add("| `" + mode.word() + "` | " + mode.meaning() + " |");
    }
    lines.add("");
    lines.add("| Word | Meaning |");
    lines.add("|---|---|");
    for (Word word : Word.values()) {
      lines.add("| " + word.text() + " | " + word.meaning() + " |");
    }
    lines.addAll(CONDITIONS);
    lines.add("## Matrix");
    lines.add("");
    lines.add(
        "| Row | Attack | "
            + String.join(" | ", Arrays.stream(Mode.values()).map(Mode::word).toList())
            + " |");
    lines.add("|---|---|" + "---|".repeat(Mode.values().length));
    verdicts.forEach(
        (row, cells) ->
            lines.add(
                "| "
                    + row.id()
                    + " | "
                    + row.title()
                    + " | "
                    + String.join(" | ", cells.stream().map(cell -> cell.word().text()).toList())
                    + " |"));
    lines.add("");
    lines.add("## Evidence");
    lines.add("");
    lines.add("| Row | Mode | What was seen |");
    lines.add("|---|---|---|");
    verdicts.forEach(
        (row, cells) -> {
          for (Mode mode : Mode.values()) {
            String evidence = cells.get(mode.ordinal()).evidence();
            lines.add("| " + row.id() + " | " + mode.word() + " | " + evidence + " |");
          }
        });
    return lines;
  }
}
