package io.github.bellwire.examples.settings;

import io.github.bellwire.examples.settings.QuantityType.Dimension;
import io.github.bellwire.examples.settings.QuantityType.Unit;
import java.math.BigDecimal;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.function.Function;
import java.util.function.LongPredicate;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** All kinds of values. Bounds belong to the range. */
public final class ValueTypes {
  private static final List<Unit> TIME_UNITS =
      List.of(
          Unit.of("ps", 1),
          Unit.of("ns", 1_000),
          Unit.of("us", 1_000_000),
          Unit.of("ms", 1_000_000_000),
          Unit.of("s", 1_000_000_000_000L));
  // Zero is printed in the first unit, and nanoseconds are what people write.
  private static final Dimension TIME =
      new Dimension(
          "time", "picoseconds", "ns", false, TIME_UNITS, TIME_UNITS.subList(1, TIME_UNITS.size()));

  private static final List<Unit> BYTE_UNITS =
      List.of(
          Unit.of("B", 1),
          Unit.of("KiB", 1L << 10),
          Unit.of("MiB", 1L << 20),
          Unit.of("GiB", 1L << 30),
          Unit.of("TiB", 1L << 40));
  private static final Dimension BYTES =
      new Dimension("bytes", "bytes", "B", true, BYTE_UNITS, BYTE_UNITS);

  private static final List<Unit> BITS_PER_SECOND =
      decimalUnits("b/s", "kb/s", "Mb/s", "Gb/s", "Tb/s");
  private static final List<Unit> BYTES_PER_SECOND =
      decimalUnits("B/s", "kB/s", "MB/s", "GB/s", "TB/s");
  private static final Dimension BIT_RATE =
      new Dimension(
          "rate",
          "bits per second",
          "Gb/s",
          false,
          concat(BITS_PER_SECOND, scaled(BYTES_PER_SECOND, "8")),
          BITS_PER_SECOND);
  private static final Dimension BYTE_RATE =
      new Dimension(
          "rate",
          "bytes per second",
          "GB/s",
          false,
          concat(BYTES_PER_SECOND, scaled(BITS_PER_SECOND, "0.125")),
          BYTES_PER_SECOND);

  private static final List<Unit> PER_SECOND = decimalUnits("/s", "k/s", "M/s", "G/s");
  private static final Dimension EVENT_RATE =
      new Dimension("per second", "events per second", "M/s", false, PER_SECOND, PER_SECOND);

  private static final List<Unit> HERTZ = decimalUnits("Hz", "kHz", "MHz", "GHz");
  private static final Dimension FREQUENCY =
      new Dimension("frequency", "Hz", "GHz", false, HERTZ, HERTZ);

  private static final Pattern DIGITS = Pattern.compile("[0-9]{1,18}");

  private ValueTypes() {}

  /**
   * {@return whole numbers of things}
   *
   * @param min at least 0
   * @param max at most 10^18 - 1
   */
  public static ValueType<Long> count(long min, long max) {
    return count(min, max, 1);
  }

  /**
   * {@return whole numbers of things in steps}
   *
   * @param min at least 0, a multiple of the step
   * @param max at most 10^18 - 1, a multiple of the step
   * @param step allowed are its multiples, at least 1
   */
  public static ValueType<Long> count(long min, long max, long step) {
    String range = min + " to " + max + (step == 1 ? "" : " in steps of " + step);
    return new CountType(range, value -> value >= min && value <= max && value % step == 0);
  }

  /**
   * {@return a choice of whole numbers}
   *
   * @param allowed in the order in which users see them
   */
  public static ValueType<Long> oneOf(long... allowed) {
    List<Long> values = Arrays.stream(allowed).boxed().toList();
    return new CountType(Words.or(values.stream().map(String::valueOf).toList()), values::contains);
  }

  /**
   * {@return sizes in bytes: {@code 64}, {@code 64B}, {@code 64KiB}}
   *
   * @param minBytes at least 0
   * @param maxBytes the largest
   */
  public static ValueType<Long> bytes(long minBytes, long maxBytes) {
    return new QuantityType(BYTES, minBytes, maxBytes);
  }

  /**
   * {@return times in picoseconds: {@code 70ns}, {@code 13.3ns}, {@code 2us}}
   *
   * @param minPs at least 0
   * @param maxPs the largest
   */
  public static ValueType<Long> timePs(long minPs, long maxPs) {
    return new QuantityType(TIME, minPs, maxPs);
  }

  /**
   * {@return rates in bits per second, printed in bits: {@code 100Gb/s}; {@code 12.5GB/s} is the
   * same}
   *
   * @param min at least 0
   * @param max the largest
   */
  public static ValueType<Long> bitsPerSecond(long min, long max) {
    return new QuantityType(BIT_RATE, min, max);
  }

  /**
   * {@return rates in bytes per second, printed in bytes: {@code 25.6GB/s}; {@code 204.8Gb/s} is
   * the same}
   *
   * @param min at least 0
   * @param max the largest
   */
  public static ValueType<Long> bytesPerSecond(long min, long max) {
    return new QuantityType(BYTE_RATE, min, max);
  }

  /**
   * {@return how often something happens, per second: {@code 14.88M/s}}
   *
   * @param min at least 0
   * @param max the largest
   */
  public static ValueType<Long> perSecond(long min, long max) {
    return new QuantityType(EVENT_RATE, min, max);
  }

  /**
   * {@return frequencies in Hz: {@code 3.3GHz}}
   *
   * @param minHz at least 0
   * @param maxHz the largest
   */
  public static ValueType<Long> frequencyHz(long minHz, long maxHz) {
    return new QuantityType(FREQUENCY, minHz, maxHz);
  }

  /** {@return {@code on} or {@code off}} */
  public static ValueType<Boolean> onOff() {
    return new WordType<>(List.of("on", "off"), List.of(true, false));
  }

  /**
   * {@return a choice of words} Underscores may stand for their hyphens, as in names of results.
   *
   * @param words in the order in which users see them
   */
  public static ValueType<String> words(List<String> words) {
    return new WordType<>(words, words);
  }

  /**
   * {@return a choice of an enumeration's constants, written in lower case with hyphens}
   *
   * @param constants the enumeration
   * @param <E> the enumeration
   */
  public static <E extends Enum<E>> ValueType<E> words(Class<E> constants) {
    List<E> values = List.of(constants.getEnumConstants());
    Function<E, String> word = e -> e.name().toLowerCase(Locale.ROOT).replace('_', '-');
    return new WordType<>(values.stream().map(word).toList(), values);
  }

  /**
   * {@return any of some words, separated by commas, or {@code off} for none}
   *
   * @param words what may be typed
   */
  public static ValueType<List<String>> anyOf(List<String> words) {
    return new WordsType(words);
  }

  /** {@return names of files} Whether a file exists is seen when it is opened. */
  public static ValueType<Path> file() {
    return new FileType();
  }

  /**
   * {@return what another type allows, or one word that stands for no number, such as {@code
   * unlimited}}
   *
   * @param word becomes the empty value
   * @param numbers the other type
   */
  public static ValueType<OptionalLong> wordOr(String word, ValueType<Long> numbers) {
    return new WordOrType(word, numbers);
  }

  private static List<Unit> decimalUnits(String... symbols) {
    Unit[] units = new Unit[symbols.length];
    long scale = 1;
    for (int i = 0; i < symbols.length; i++) {
      units[i] = Unit.of(symbols[i], scale);
      scale *= 1_000;
    }
    return List.of(units);
  }

  private static List<Unit> scaled(List<Unit> units, String factor) {
    BigDecimal exact = new BigDecimal(factor);
    return units.stream().map(u -> new Unit(u.symbol(), u.scale().multiply(exact))).toList();
  }

  private static List<Unit> concat(List<Unit> left, List<Unit> right) {
    return Stream.concat(left.stream(), right.stream()).toList();
  }

  private record CountType(String range, LongPredicate isAllowed) implements ValueType<Long> {
    @Override
    public Long parse(String text) {
      if (!DIGITS.matcher(text).matches()) {
        throw new UserErrorException("must be a whole number without a unit, " + range);
      }
      long value = Long.parseLong(text);
      if (!isAllowed.test(value)) {
        throw new UserErrorException("must be " + range);
      }
      return value;
    }

    @Override
    public String format(Long value) {
      return value.toString();
    }

    @Override
    public Object toJson(Long value) {
      return value;
    }

    @Override
    public String unit() {
      return "count";
    }
  }

  /** Words and the values that they stand for, in the same order. */
  private record WordType<T>(List<String> words, List<T> values) implements ValueType<T> {
    @Override
    public T parse(String text) {
      // Results write the same words with underscores: strict_bounce.
      int index = words.indexOf(text.replace('_', '-'));
      if (index < 0) {
        throw new UserErrorException("must be " + range() + NearestName.question(text, words));
      }
      return values.get(index);
    }

    @Override
    public String format(T value) {
      return words.get(values.indexOf(value));
    }

    @Override
    public String unit() {
      return "word";
    }

    @Override
    public String range() {
      return Words.or(words);
    }
  }

  private record WordsType(List<String> words) implements ValueType<List<String>> {
    private static final String NONE = "off";

    @Override
    public List<String> parse(String text) {
      if (text.equals(NONE)) {
        return List.of();
      }
      List<String> chosen = List.of(text.split(",", -1));
      List<String> known = Stream.concat(Stream.of(NONE), words.stream()).toList();
      for (String word : chosen) {
        if (!words.contains(word)) {
          throw new UserErrorException("must be " + range() + NearestName.question(word, known));
        }
      }
      if (chosen.stream().distinct().count() < chosen.size()) {
        throw new UserErrorException("must be " + range() + ", each once");
      }
      return words.stream().filter(chosen::contains).toList();
    }

    @Override
    public String format(List<String> value) {
      return value.isEmpty() ? NONE : String.join(",", value);
    }

    @Override
    public String unit() {
      return "words";
    }

    @Override
    public String range() {
      return NONE + " or some of " + String.join(",", words);
    }
  }

  private record FileType() implements ValueType<Path> {
    @Override
    public Path parse(String text) {
      if (text.isBlank()) {
        throw new UserErrorException("must be the name of a file");
      }
      try {
        return Path.of(text);
      } catch (InvalidPathException e) {
        throw new UserErrorException("must be the name of a file: " + e.getReason());
      }
    }

    @Override
    public String format(Path value) {
      return value.toString();
    }

    @Override
    public String unit() {
      return "file";
    }

    @Override
    public String range() {
      return "the name of a file";
    }
  }

  private record WordOrType(String word, ValueType<Long> numbers)
      implements ValueType<OptionalLong> {
    @Override
    public OptionalLong parse(String text) {
      if (text.equals(word)) {
        return OptionalLong.empty();
      }
      try {
        return OptionalLong.of(numbers.parse(text));
      } catch (UserErrorException e) {
        throw new UserErrorException(e.getMessage() + ", or " + word);
      }
    }

    @Override
    public String format(OptionalLong value) {
      return value.isPresent() ? numbers.format(value.getAsLong()) : word;
    }

    @Override
    public Object toJson(OptionalLong value) {
      return value.isPresent() ? numbers.toJson(value.getAsLong()) : word;
    }

    @Override
    public String unit() {
      return numbers.unit();
    }

    @Override
    public String range() {
      return numbers.range() + ", or " + word;
    }
  }
}
