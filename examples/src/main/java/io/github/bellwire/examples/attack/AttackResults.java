package io.github.bellwire.examples.attack;

import io.github.bellwire.examples.report.Report;
import io.github.bellwire.examples.report.Table;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** What came of the attacks of a run, beside what is documented. */
final class AttackResults {
  private final List<Mode> modes;
  private final List<String> names = new ArrayList<>();
  private final List<String> words = new ArrayList<>();
  private final List<String> wrong = new ArrayList<>();
  private final Table evidence = new Table("Evidence", "row", "mode", "what was seen");
  private long eventsTotal;

  AttackResults(List<Mode> modes) {
    this.modes = modes;
  }

  void countEvents(long count) {
    eventsTotal += count;
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
    report.explain("Words", legend());
    report.explain(
        "Modes", modes.stream().map(m -> m.word() + ": " + m.meaning()).toArray(String[]::new));
    if (isEvidenceShown) {
      report.table(evidence);
    }
    report.check("cells as documented", wrong.isEmpty(), detail());
    report.notModelled(
        "what an attacker does with the memory that it reaches; devices that break the rules of"
            + " the link itself");
    return report.events(eventsTotal);
  }

  /** Those words that have come up. */
  private String[] legend() {
    return Arrays.stream(Word.values())
        .filter(word -> words.contains(word.text()))
        .map(word -> word.text() + ": " + word.meaning())
        .toArray(String[]::new);
  }

  private String detail() {
    return wrong.isEmpty() ? names.size() + " of " + names.size() : String.join("; ", wrong);
  }

  private static String[] columns(List<Mode> modes) {
    List<String> columns = new ArrayList<>(List.of("row"));
    modes.forEach(mode -> columns.add(mode.word()));
    return columns.toArray(new String[0]);
  }
}
