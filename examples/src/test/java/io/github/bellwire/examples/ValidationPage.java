package io.github.bellwire.examples;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * The page that sets published figures beside simulated ones: a summary by group, then every point;
 * of groups that are too large for a reader, those that are furthest off.
 */
final class ValidationPage {
  private static final int ROWS_MAX = 600;
  private static final int WORST = 20;

  private final Map<String, List<ValidationRow>> groups = new LinkedHashMap<>();
  private final List<ValidationRow> exceptions = new ArrayList<>();

  ValidationPage(List<ValidationRow> rows) {
    for (ValidationRow row : rows) {
      if (row.hasBand()) {
        groups.computeIfAbsent(row.group(), group -> new ArrayList<>()).add(row);
      } else {
        exceptions.add(row);
      }
    }
  }

  /** {@return the lines of the summary: a table in Markdown} */
  List<String> summary() {
    List<String> lines = new ArrayList<>();
    lines.add("| What | Points | Mean error | Worst error | Allowed |");
    lines.add("|---|--:|--:|--:|--:|");
    groups.forEach((group, rows) -> lines.add(summary(group, rows)));
    return lines;
  }

  private static String summary(String group, List<ValidationRow> rows) {
    double mean = rows.stream().mapToDouble(row -> Math.abs(row.error())).average().orElseThrow();
    ValidationRow worst = worstFirst(rows).get(0);
    List<String> bands = rows.stream().map(row -> row.band().text()).distinct().sorted().toList();
    return String.format(
        Locale.ROOT,
        "| %s | %d | %s | %s | %s |",
        group,
        rows.size(),
        error(mean, worst, ""),
        error(worst.error(), worst, "+"),
        String.join(", ", bands));
  }

  /** {@return the whole page} */
  List<String> lines() {
    List<String> lines = new ArrayList<>();
    lines.add("# Published figures and simulated ones");
    lines.add("");
    lines.add("Written by `ValidationTest`, which fails when an error leaves its band and when this");
    lines.add("page is not what the code produces. To write it anew:");
    lines.add("`" + UPDATE + "`");
    lines.add("");
    lines.add("## Summary");
    lines.add("");
    lines.addAll(summary());
    groups.forEach(
        (group, rows) -> {
          boolean isLarge = rows.size() > ROWS_MAX;
          String title = isLarge ? group + ": the " + WORST + " points furthest off" : group;
          lines.addAll(table(title, isLarge ? worstFirst(rows).subList(0, WORST) : rows, "source"));
        });
    if (!exceptions.isEmpty()) {
      lines.addAll(table("Reported only", exceptions, "why"));
    }
    return lines;
  }

  /** The command that writes the page. */
  static final String UPDATE =
      "mvn -q -pl examples -am test -Dtest=ValidationTest"
          + " -Dsurefire.failIfNoSpecifiedTests=false -Dbellwire.updateValidation=true";

  private static List<String> table(String title, List<ValidationRow> rows, String last) {
    List<String> lines = new ArrayList<>();
    lines.add("");
    lines.add("## " + title);
    lines.add("");
    lines.add("| Point | Published | Simulated | Error | Allowed | " + last + " |");
    lines.add("|---|--:|--:|--:|--:|---|");
    for (ValidationRow row : rows) {
      lines.add(
          String.format(
              Locale.ROOT,
              "| %s | %s | %s | %s | %s | %s |",
              row.name(),
              figure(row.published()),
              figure(row.simulated()),
              error(row.error(), row, "+"),
              row.band().text(),
              row.source()));
    }
    return lines;
  }

  private static List<ValidationRow> worstFirst(List<ValidationRow> rows) {
    return rows.stream()
        .sorted(Comparator.comparingDouble((ValidationRow row) -> -Math.abs(row.error())))
        .toList();
  }

  private static String error(double error, ValidationRow row, String flag) {
    boolean isPoints = row.band().kind() == Band.Kind.POINTS;
    return String.format(Locale.ROOT, "%" + flag + ".1f%s", error, isPoints ? " points" : " %");
  }

  private static String figure(double value) {
    return String.format(Locale.ROOT, Math.abs(value) >= 1_000 ? "%.0f" : "%.4g", value);
  }
}
