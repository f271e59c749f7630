package io.github.bellwire.examples;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * The page that sets published figures beside simulated ones: a summary by group, then every point.
 * A run that has compared some groups only keeps what the page says of the others.
 */
final class ValidationPage {
  /** The command that writes the page. */
  static final String UPDATE =
      "mvn -q -pl examples -am test -Dtest='*ValidationTest,ValidationPageTest,ReadmeTest'"
          + " -Dsurefire.failIfNoSpecifiedTests=false -Dbellwire.updateValidation=true";

  private static final String SUMMARY = "## Summary";
  private static final String HEADING = "## ";
  private static final int BANDS_LISTED_MAX = 3;

  private final Map<String, List<String>> sections = new LinkedHashMap<>();
  private final Map<String, String> summaries = new LinkedHashMap<>();

  /**
   * Brings a page up to date.
   *
   * @param page its lines; empty for a new one
   * @param groups rows by group
   */
  ValidationPage(List<String> page, Map<String, List<ValidationRow>> groups) {
    parse(page);
    groups.forEach(
        (group, rows) -> {
          sections.put(group, table(rows));
          summarize(group, rows);
        });
  }

  /**
   * Errors of one kind each: percents are not added to points, nor what nothing is promised for.
   */
  private void summarize(String group, List<ValidationRow> rows) {
    Map<Band.Kind, List<ValidationRow>> kinds =
        rows.stream()
            .collect(
                Collectors.groupingBy(
                    row -> row.band().kind(),
                    () -> new EnumMap<>(Band.Kind.class),
                    Collectors.toList()));
    kinds.forEach(
        (kind, alike) -> {
          String name = kinds.size() == 1 ? group : group + suffix(kind);
          summaries.put(name, summary(name, alike));
        });
  }

  private static String suffix(Band.Kind kind) {
    return switch (kind) {
      case PERCENT -> "";
      case POINTS -> ", shares";
      case FACTOR -> ", tails";
      case NONE -> ", reported only";
    };
  }

  private void parse(List<String> page) {
    String title = "";
    for (String line : page) {
      if (line.startsWith(HEADING)) {
        title = line.substring(HEADING.length());
      } else if (HEADING.concat(title).equals(SUMMARY)) {
        if (line.startsWith("| ") && !line.startsWith("| What")) {
          summaries.put(line.split("\\|")[1].strip(), line);
        }
      } else if (!title.isEmpty() && line.startsWith("|")) {
        sections.computeIfAbsent(title, t -> new ArrayList<>()).add(line);
      }
    }
  }

  /** {@return the lines of the page} */
  List<String> lines() {
    List<String> lines = new ArrayList<>();
    lines.add("# Published figures and simulated ones");
    lines.add("");
    lines.add(
        "Written by the validation tests. One of them fails when an error leaves its band, and");
    lines.add("when this page is not what they produce. To write it anew:");
    lines.add("");
    lines.add("    " + UPDATE);
    lines.add("");
    lines.add(SUMMARY);
    lines.add("");
    lines.add("| What | Points | Mean error | Worst error | Allowed |");
    lines.add("|---|--:|--:|--:|--:|");
    lines.addAll(summaries.values());
    sections.forEach(
        (title, table) -> {
          lines.add("");
          lines.add(HEADING + title);
          lines.add("");
          lines.addAll(table);
        });
    return lines;
  }

  private static String summary(String group, List<ValidationRow> rows) {
    if (rows.stream().noneMatch(ValidationRow::hasBand)) {
      return String.format(Locale.ROOT, "| %s | %d | | | |", group, rows.size());
    }
    double mean = rows.stream().mapToDouble(row -> Math.abs(row.error())).average().orElseThrow();
    ValidationRow worst =
        rows.stream().max(Comparator.comparingDouble(row -> Math.abs(row.error()))).orElseThrow();
    List<String> bands =
        rows.stream()
            .map(ValidationRow::band)
            .sorted(Comparator.comparingDouble(Band::width))
            .map(Band::text)
            .distinct()
            .toList();
    boolean isListed = bands.size() <= BANDS_LISTED_MAX;
    return String.format(
        Locale.ROOT,
        "| %s | %d | %s | %s | %s |",
        group,
        rows.size(),
        error(mean, worst, ""),
        error(worst.error(), worst, "+"),
        isListed ? String.join(", ", bands) : bands.get(0) + " to " + bands.get(bands.size() - 1));
  }

  private static List<String> table(List<ValidationRow> rows) {
    List<String> lines = new ArrayList<>();
    lines.add("| Point | Published | Simulated | Error | Allowed | Source |");
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

  private static String error(double error, ValidationRow row, String flag) {
    boolean isPoints = row.band().kind() == Band.Kind.POINTS;
    boolean isShare = isPoints && row.band().width() < 1;
    double scale = isShare ? 1_000 : 10;
    // No minus sign before a zero.
    double rounded = Math.round(error * scale) / scale + 0.0;
    String format = "%" + flag + (isShare ? ".3f" : ".1f") + "%s";
    return String.format(Locale.ROOT, format, rounded, isPoints ? " points" : " %");
  }

  private static String figure(double value) {
    return String.format(Locale.ROOT, Math.abs(value) >= 1_000 ? "%.0f" : "%.4g", value);
  }
}
