package io.github.bellwire.examples.attack;

import java.util.ArrayList;
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
          "",
          "| Mode | What the operating system does |",
          "|---|---|",
          "| `off` | There is no IOMMU. |",
          "| `passthrough` | There is one, and it lets the devices' requests through as they are. |",
          "| `lazy` | Unmapped ranges are invalidated together, after 255 of them or 10 ms: Linux's"
              + " default on x86. |",
          "| `strict` | Each unmap waits until the IOMMU has forgotten the range. |",
          "| `strict_bounce` | The device is not trusted: strict, no ATS, ACS translation blocking,"
              + " and what does not fill whole pages is copied. |",
          "",
          "| Word | Meaning |",
          "|---|---|",
          "| succeeds | The attacker reaches its goal: it reads the secret, changes what is not"
              + " its own, raises another's interrupt, denies others their share, or leaves no trace of what was"
              + " refused. |",
          "| blocked | It does not. |",
          "| window | It does until something happens that the evidence names. |",
          "| partial | It gets an old copy, and nothing new. |",
          "| not-applicable | What the attack needs does not exist on such a machine. |",
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
    lines.add("## Matrix");
    lines.add("");
    lines.add("| Row | Attack | " + String.join(" | ", Mode.words()) + " |");
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
