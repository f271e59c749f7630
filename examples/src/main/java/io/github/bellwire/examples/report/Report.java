package io.github.bellwire.examples.report;

import io.github.bellwire.examples.settings.UserErrorException;
import io.github.bellwire.stats.LatencyHistogram;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a run found out: figures, tables, checks of itself, and what was not modelled. Metrics keep
 * the order in which they are added; those in no section are printed in a section of their own, so
 * that text and JSON tell the same but for {@linkplain #unmeasured what was not measured}.
 *
 * <p>Confined to one thread.
 */
public final class Report {
  private static final double PS_PER_NS = 1e3;

  /** From the smallest to the largest. */
  private static final String[] LATENCY_NAMES = {
    "latency_ns_min",
    "latency_ns_p50",
    "latency_ns_p95",
    "latency_ns_p99",
    "latency_ns_p999",
    "latency_ns_max",
    "latency_ns_mean"
  };

  private final Map<String, Object> metrics = new LinkedHashMap<>();
  private final Set<String> outcomeNames = new LinkedHashSet<>();
  private final List<String> headline = new ArrayList<>();
  private final List<Section> sections = new ArrayList<>();
  private final List<SelfCheck> checks = new ArrayList<>();
  private final List<String> notes = new ArrayList<>();
  private final List<String> remarks = new ArrayList<>();
  private final List<String> withoutEffect = new ArrayList<>();
  private final Set<String> unmeasured = new LinkedHashSet<>();
  private long eventsCount;
  private @Nullable UserErrorException inputError;

  /** A part of the text: some metrics, a table that may stand for some, or what words mean. */
  record Section(
      String title, List<String> metricNames, @Nullable Table table, List<String> lines) {}

  /** Creates a report of nothing. */
  public Report() {}

  /**
   * Adds a whole number.
   *
   * @param name ends in the unit
   * @param value the number
   * @return this report
   * @throws IllegalArgumentException if the name has no unit or is there already
   */
  public Report metric(String name, long value) {
    MetricName.parse(name);
    return put(name, value);
  }

  /**
   * Adds a number.
   *
   * @param name ends in the unit
   * @param value finite
   * @return this report
   * @throws IllegalArgumentException if the name has no unit or is there already, or the value is
   *     not finite
   */
  public Report metric(String name, double value) {
    MetricName.parse(name);
    if (!Double.isFinite(value)) {
      throw new IllegalArgumentException("metric must be finite: " + name + "=" + value);
    }
    return put(name, value);
  }

  /**
   * Adds a result in words, such as {@code blocked}.
   *
   * @param name of a case, without unit
   * @param word what came out
   * @return this report
   * @throws IllegalArgumentException if the name is there already
   */
  public Report outcome(String name, String word) {
    outcomeNames.add(name);
    return put(name, word);
  }

  /**
   * Adds a number of reports for a case that is known by an identifier.
   *
   * @param name of a case, without unit
   * @param count how many
   * @return this report
   * @throws IllegalArgumentException if the name is there already
   */
  public Report outcome(String name, long count) {
    outcomeNames.add(name);
    return put(name, count);
  }

  /**
   * Adds the percentiles of a latency and its extremes, as {@code latency_ns_p50} and so on; they
   * are {@linkplain #unmeasured not measured} if there is no sample.
   *
   * @param latency in picoseconds
   * @return this report
   * @throws IllegalArgumentException if the report has a latency already
   */
  public Report latency(LatencyHistogram latency) {
    if (latency.count() == 0) {
      unmeasured(LATENCY_NAMES);
    }
    return metric("latency_ns_p50", latency.percentilePs(50) / PS_PER_NS)
        .metric("latency_ns_p95", latency.percentilePs(95) / PS_PER_NS)
        .metric("latency_ns_p99", latency.percentilePs(99) / PS_PER_NS)
        .metric("latency_ns_p999", latency.percentilePs(99.9) / PS_PER_NS)
        .metric("latency_ns_min", latency.minPs() / PS_PER_NS)
        .metric("latency_ns_max", latency.maxPs() / PS_PER_NS)
        .metric("latency_ns_mean", latency.meanPs() / PS_PER_NS);
  }

  /**
   * Adds a section with what {@link #latency} adds, from the smallest to the largest.
   *
   * @param title stands above it
   * @return this report
   */
  public Report latencySection(String title) {
    return section(title, LATENCY_NAMES);
  }

  private Report put(String name, Object value) {
    if (metrics.putIfAbsent(name, value) != null) {
      throw new IllegalArgumentException("metric must be new: name=" + name);
    }
    return this;
  }

  /**
   * Says which figures matter most; they are printed first.
   *
   * @param names of metrics, those of this report and those still to be added
   * @return this report
   */
  public Report headline(String... names) {
    headline.addAll(List.of(names));
    return this;
  }

  /**
   * Adds a section of metrics to the text.
   *
   * @param title stands above it
   * @param names of metrics, those of this report and those still to be added
   * @return this report
   */
  public Report section(String title, String... names) {
    sections.add(new Section(title, List.of(names), null, List.of()));
    return this;
  }

  /**
   * Adds a table to the text.
   *
   * @param table with its title
   * @return this report
   */
  public Report table(Table table) {
    return table(table, List.of());
  }

  /**
   * Adds a table to the text that shows metrics, which are then not printed one by one.
   *
   * @param table with its title
   * @param metricNames what it shows: metrics of this report
   * @return this report
   */
  public Report table(Table table, List<String> metricNames) {
    sections.add(new Section(table.title(), List.copyOf(metricNames), table, List.of()));
    return this;
  }

  /**
   * Adds an explanation to the text.
   *
   * @param title stands above it
   * @param lines a phrase or sentence each
   * @return this report
   */
  public Report explain(String title, String... lines) {
    sections.add(new Section(title, List.of(), null, List.of(lines)));
    return this;
  }

  /**
   * Adds a law that the figures must obey.
   *
   * @param name the law in a phrase
   * @param isOk whether it holds
   * @param detail the figures
   * @return this report
   */
  public Report check(String name, boolean isOk, String detail) {
    checks.add(new SelfCheck(name, isOk, detail));
    return this;
  }

  /**
   * Says what happened to this run that its figures must be read with; printed above them.
   *
   * @param sentence one or more
   * @return this report
   */
  public Report remark(String sentence) {
    remarks.add(sentence);
    return this;
  }

  /**
   * Keeps figures out of the text that stand for nothing measured, such as the rate of one frame.
   * In JSON, where names are fixed, they keep the values they were added with: 0 where there was
   * nothing to compute one from, and that of a single sample in each figure of its distribution.
   *
   * @param names of metrics, those of this report and those still to be added
   * @return this report
   */
  public Report unmeasured(String... names) {
    unmeasured.addAll(List.of(names));
    return this;
  }

  /**
   * Says that something the user has set takes no part in this run.
   *
   * @param setting key and value, and why
   * @return this report
   */
  public Report withoutEffect(String setting) {
    withoutEffect.add(setting);
    return this;
  }

  /**
   * Says what this run left out.
   *
   * @param text a phrase or sentence
   * @return this report
   */
  public Report notModelled(String text) {
    notes.add(text);
    return this;
  }

  /**
   * Says how many events the simulation has executed.
   *
   * @param count at least 0
   * @return this report
   */
  public Report events(long count) {
    eventsCount = count;
    return this;
  }

  /**
   * Says that the input turned out to be wrong on the way: everything before it is in this report,
   * and the run exits with code 2 after printing.
   *
   * @param error what is wrong
   * @return this report
   */
  public Report inputError(UserErrorException error) {
    inputError = error;
    return this;
  }

  /** {@return names and values ({@code Long}, {@code Double} or {@code String}) in order} */
  public Map<String, Object> metrics() {
    return Collections.unmodifiableMap(metrics);
  }

  /** {@return the laws and whether they hold} */
  public List<SelfCheck> checks() {
    return List.copyOf(checks);
  }

  /** {@return whether every law holds} */
  public boolean isOk() {
    return checks.stream().allMatch(SelfCheck::isOk);
  }

  /** {@return what the run left out} */
  public List<String> notModelled() {
    return List.copyOf(notes);
  }

  /** {@return what happened to the run} */
  public List<String> remarks() {
    return List.copyOf(remarks);
  }

  /** {@return what the user has set in vain, with reasons} */
  public List<String> withoutEffect() {
    return List.copyOf(withoutEffect);
  }

  /** {@return the events that the simulation has executed} */
  public long eventsCount() {
    return eventsCount;
  }

  /** {@return what turned out to be wrong with the input, if anything} */
  public Optional<UserErrorException> inputError() {
    return Optional.ofNullable(inputError);
  }

  Set<String> outcomeNames() {
    return Collections.unmodifiableSet(outcomeNames);
  }

  boolean isMeasured(String name) {
    return !unmeasured.contains(name);
  }

  List<String> headline() {
    return List.copyOf(headline);
  }

  List<Section> sections() {
    return List.copyOf(sections);
  }
}
