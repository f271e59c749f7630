package io.github.bellwire.examples.report;

import io.github.bellwire.examples.report.Report.Section;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** Writes a report for people: the figures that matter first, at most 100 columns. */
public final class TextReport {
  /** The widest line. */
  public static final int MAX_COLUMNS = 100;

  private static final String INDENT = "  ";

  private final Report report;
  private final StringBuilder text = new StringBuilder();
  private final Set<String> unprinted;

  private TextReport(Report report) {
    this.report = report;
    this.unprinted = new LinkedHashSet<>(report.metrics().keySet());
    unprinted.removeIf(name -> !report.isMeasured(name));
  }

  /**
   * {@return the text, which ends with a line break}
   *
   * @param report what was found out
   * @param run which run it is about
   * @param trace lines about single operations, printed behind the first figures; may be empty
   */
  public static String render(Report report, RunInfo run, List<String> trace) {
    return new TextReport(report).all(run, trace);
  }

  private String all(RunInfo run, List<String> trace) {
    Wrap.lines(run.scenario() + ": " + run.description(), MAX_COLUMNS).forEach(this::line);
    if (!report.remarks().isEmpty()) {
      heading("");
      report.remarks().forEach(this::wrapped);
    }
    if (!report.headline().isEmpty()) {
      heading("");
      metrics(report.headline());
    }
    if (!trace.isEmpty()) {
      text.append('\n');
      trace.forEach(this::line);
    }
    report.sections().forEach(this::section);
    if (!unprinted.isEmpty()) {
      boolean isAll = report.headline().isEmpty() && report.sections().isEmpty();
      String others = isAll ? "Figures" : "Other figures";
      section(new Section(others, List.copyOf(unprinted), null, List.of()));
    }
    checks();
    notes();
    settings(run);
    withoutEffect();
    provenance(run.provenance());
    return text.toString();
  }

  private void heading(String title) {
    text.append('\n');
    if (!title.isEmpty()) {
      line(title);
    }
  }

  private void section(Section section) {
    boolean isEmpty = section.table() == null && section.lines().isEmpty();
    if (isEmpty && section.metricNames().stream().noneMatch(report::isMeasured)) {
      return;
    }
    heading(section.title());
    Table table = section.table();
    section.lines().forEach(this::wrapped);
    if (table == null) {
      metrics(section.metricNames());
    } else {
      section.metricNames().forEach(unprinted::remove);
      table.lines(MAX_COLUMNS - INDENT.length()).forEach(line -> line(INDENT + line));
    }
  }

  /** Labels to the left, values in one column to their right. */
  private void metrics(List<String> all) {
    List<String> names = all.stream().filter(report::isMeasured).toList();
    int width = 0;
    for (String name : names) {
      width = Math.max(width, label(name).length());
    }
    for (String name : names) {
      String label = label(name);
      line(INDENT + label + " ".repeat(width - label.length()) + INDENT + value(name));
      unprinted.remove(name);
    }
  }

  private String label(String name) {
    return isOutcome(name) ? name : MetricName.parse(name).label();
  }

  private String value(String name) {
    Object value = report.metrics().get(name);
    if (value == null) {
      throw new IllegalStateException("metric must be one of the report: name=" + name);
    }
    return value instanceof Number number && !isOutcome(name)
        ? MetricName.parse(name).format(number)
        : value.toString();
  }

  private boolean isOutcome(String name) {
    return report.outcomeNames().contains(name);
  }

  private void checks() {
    if (report.checks().isEmpty()) {
      return;
    }
    heading("Self-check");
    for (SelfCheck check : report.checks()) {
      wrapped((check.isOk() ? "ok      " : "FAILED  ") + check.name() + ": " + check.detail());
    }
  }

  private void notes() {
    if (!report.notModelled().isEmpty()) {
      heading("Not modelled");
      report.notModelled().forEach(this::wrapped);
    }
  }

  private void settings(RunInfo run) {
    List<String> assignments = run.settings().assignments();
    if (!assignments.isEmpty()) {
      heading("Settings");
      wrapped(String.join(" ", assignments));
    }
  }

  private void withoutEffect() {
    if (!report.withoutEffect().isEmpty()) {
      heading("Without effect");
      report.withoutEffect().forEach(this::wrapped);
    }
  }

  private void provenance(RunInfo.Provenance provenance) {
    text.append('\n');
    List<String> parts = new ArrayList<>();
    parts.add("Bellwire " + provenance.version());
    parts.add("JDK " + provenance.jdk());
    parts.add("seed " + provenance.seed());
    parts.add(MetricName.parse("events_count").format(report.eventsCount()) + " events");
    parts.add(MetricName.parse("wall_ns").format(provenance.wallSeconds() * 1e9) + " real time");
    parts.add("trace " + provenance.traceHash());
    Wrap.lines(String.join(", ", parts), MAX_COLUMNS).forEach(this::line);
  }

  private void wrapped(String content) {
    List<String> lines = Wrap.lines(content, MAX_COLUMNS - INDENT.length() * 2);
    for (int i = 0; i < lines.size(); i++) {
      line((i == 0 ? INDENT : INDENT + INDENT) + lines.get(i));
    }
  }

  private void line(String content) {
    text.append(content).append('\n');
  }
}
