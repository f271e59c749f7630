package io.github.bellwire.examples.report;

import io.github.bellwire.examples.settings.Settings;

/**
 * Which run a report is about.
 *
 * @param scenario its name
 * @param description it in one line
 * @param settings the resolved values of its keys
 * @param provenance what is needed to repeat it
 */
public record RunInfo(
    String scenario, String description, Settings settings, Provenance provenance) {

  /**
   * What is needed to repeat a run and to compare with it.
   *
   * @param version of Bellwire
   * @param seed of all random numbers
   * @param jdk version of the Java runtime
   * @param wallSeconds how long it took in real time
   * @param traceHash 16 hexadecimal digits over all lifecycle records and their times
   */
  public record Provenance(
      String version, long seed, String jdk, double wallSeconds, String traceHash) {}
}
