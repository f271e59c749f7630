package io.github.bellwire.examples;

import java.util.Locale;

/**
 * One published figure and what the simulation makes of it.
 *
 * @param group what it is about, such as {@code DRAM}
 * @param name which figure, with its unit
 * @param published the figure
 * @param simulated ours
 * @param band how far apart they may be
 * @param source who published it, or why it has no band
 */
record ValidationRow(
    String group, String name, double published, double simulated, Band band, String source) {

  ValidationRow(
      String group,
      String name,
      double published,
      double simulated,
      double bandPercent,
      String source) {
    this(group, name, published, simulated, Band.percent(bandPercent), source);
  }

  /** {@return in percent of the published figure, or in points if both are percentages} */
  double error() {
    return band.error(published, simulated);
  }

  boolean isInBand() {
    return band.holds(published, simulated);
  }

  boolean hasBand() {
    return band.kind() != Band.Kind.NONE;
  }

  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "%s | %s | %.4g | %.4g | %+.1f | %s | %s",
        group,
        name,
        published,
        simulated,
        error(),
        band.text(),
        source);
  }
}
