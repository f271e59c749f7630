package io.github.bellwire.examples;

import java.util.Locale;

/**
 * One published figure and what the simulation makes of it.
 *
 * @param group what it is about, such as {@code DRAM}
 * @param name which figure, with its unit
 * @param published the figure
 * @param simulated ours
 * @param bandPercent how far apart they may be
 * @param source who published it
 */
record ValidationRow(
    String group,
    String name,
    double published,
    double simulated,
    double bandPercent,
    String source) {

  double errorPercent() {
    return (simulated / published - 1) * 100;
  }

  boolean isInBand() {
    return Math.abs(errorPercent()) <= bandPercent;
  }

  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "%s | %s | %.4g | %.4g | %+.1f %% | %.0f %% | %s",
        group,
        name,
        published,
        simulated,
        errorPercent(),
        bandPercent,
        source);
  }
}
