package io.github.bellwire.examples;

import java.util.Locale;

/**
 * How far a simulated figure may be from the published one.
 *
 * @param kind how the distance is measured
 * @param width at most so much; of no meaning for {@link Kind#NONE}
 */
record Band(Kind kind, double width) {
  /** Reported, whatever it is. */
  static final Band NONE = new Band(Kind.NONE, 0);

  enum Kind {
    /** Of the published figure. */
    PERCENT,
    /** Difference of two figures that are percentages. */
    POINTS,
    /** Quotient of the larger and the smaller. */
    FACTOR,
    /** Not limited. */
    NONE
  }

  static Band percent(double width) {
    return new Band(Kind.PERCENT, width);
  }

  static Band points(double width) {
    return new Band(Kind.POINTS, width);
  }

  static Band factor(double width) {
    return new Band(Kind.FACTOR, width);
  }

  boolean holds(double published, double simulated) {
    return switch (kind) {
      case PERCENT, POINTS -> Math.abs(error(published, simulated)) <= width;
      case FACTOR -> Math.max(published / simulated, simulated / published) <= width;
      case NONE -> true;
    };
  }

  /** {@return the error in percent, or in points} */
  double error(double published, double simulated) {
    return kind == Kind.POINTS ? simulated - published : (simulated / published - 1) * 100;
  }

  /** {@return the limit in words; empty if there is none} */
  String text() {
    return switch (kind) {
      case PERCENT -> String.format(Locale.ROOT, "%.3g %%", width);
      case POINTS -> String.format(Locale.ROOT, "%.3g points", width);
      case FACTOR -> String.format(Locale.ROOT, "factor %.3g", width);
      case NONE -> "";
    };
  }
}
