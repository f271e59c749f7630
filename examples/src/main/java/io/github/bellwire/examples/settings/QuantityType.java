package io.github.bellwire.examples.settings;

import java.math.BigDecimal;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A number with a unit, kept as a whole number of the smallest unit. Parsing is decimal and exact.
 */
final class QuantityType implements ValueType<Long> {
  /**
   * What is measured and in which units.
   *
   * @param name such as {@code time}
   * @param quantum the smallest unit in words, such as {@code picoseconds}
   * @param example a unit to show to users who left it out
   * @param isBareAllowed whether a number without unit means the smallest unit
   * @param units all that may be typed
   * @param printed those used for printing, ascending
   */
  record Dimension(
      String name,
      String quantum,
      String example,
      boolean isBareAllowed,
      List<Unit> units,
      List<Unit> printed) {
    List<String> symbols() {
      return units.stream().map(Unit::symbol).toList();
    }
  }

  /** A unit and how many smallest units it is. */
  record Unit(String symbol, BigDecimal scale) {
    static Unit of(String symbol, long scale) {
      return new Unit(symbol, BigDecimal.valueOf(scale));
    }
  }

  // Longer numbers are never meant, and unlimited ones would cost unlimited time.
  private static final Pattern QUANTITY =
      Pattern.compile("([0-9]{1,20}(?:\\.[0-9]{1,20})?)([A-Za-z/]{0,8})");

  private final Dimension dimension;
  private final long min;
  private final long max;

  /** Both bounds belong to the range. */
  QuantityType(Dimension dimension, long min, long max) {
    if (min < 0 || min > max) {
      throw new IllegalArgumentException("min must be 0.." + max + ": min=" + min);
    }
    this.dimension = dimension;
    this.min = min;
    this.max = max;
  }

  @Override
  public Long parse(String text) {
    Matcher matcher = QUANTITY.matcher(text);
    if (!matcher.matches()) {
      throw new UserErrorException(
          "must be a number with a unit such as " + format(max) + ", " + range());
    }
    BigDecimal number = new BigDecimal(matcher.group(1));
    BigDecimal value = number.multiply(scale(matcher.group(1), matcher.group(2)));
    if (value.compareTo(BigDecimal.valueOf(min)) < 0
        || value.compareTo(BigDecimal.valueOf(max)) > 0) {
      throw new UserErrorException("must be " + range());
    }
    if (value.stripTrailingZeros().scale() > 0) {
      throw new UserErrorException("must be a whole number of " + dimension.quantum());
    }
    return value.longValueExact();
  }

  private BigDecimal scale(String number, String symbol) {
    if (symbol.isEmpty() && dimension.isBareAllowed()) {
      return BigDecimal.ONE;
    }
    for (Unit unit : dimension.units()) {
      if (unit.symbol().equals(symbol)) {
        return unit.scale();
      }
    }
    List<String> symbols = dimension.symbols();
    if (symbol.isEmpty()) {
      throw new UserErrorException(
          "needs a unit, for example "
              + (number + dimension.example())
              + "; must be "
              + range()
              + " in "
              + Words.or(symbols));
    }
    throw new UserErrorException(
        "unknown unit "
            + symbol
            + ", must be "
            + Words.or(symbols)
            + NearestName.of(symbol, symbols)
                .map(near -> "; did you mean " + number + near + "?")
                .orElse(""));
  }

  @Override
  public String format(Long value) {
    Unit chosen = dimension.printed().get(0);
    BigDecimal exact = BigDecimal.valueOf(value);
    for (Unit unit : dimension.printed()) {
      if (unit.scale().compareTo(exact) <= 0 && isShort(exact, unit)) {
        chosen = unit;
      }
    }
    return exact.divide(chosen.scale()).stripTrailingZeros().toPlainString() + chosen.symbol();
  }

  /** Units that are powers of two are used only where they divide, decimal ones always do. */
  private boolean isShort(BigDecimal value, Unit unit) {
    return !dimension.isBareAllowed() || value.remainder(unit.scale()).signum() == 0;
  }

  @Override
  public Object toJson(Long value) {
    return dimension.isBareAllowed() ? value : format(value);
  }

  @Override
  public String unit() {
    return dimension.name();
  }

  @Override
  public String range() {
    return format(min) + " to " + format(max);
  }
}
