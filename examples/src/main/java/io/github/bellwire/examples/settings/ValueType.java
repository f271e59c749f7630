package io.github.bellwire.examples.settings;

/**
 * A kind of value: how users write it, which values are allowed, how it is printed. {@link
 * ValueTypes} has all of them.
 *
 * @param <T> what the program gets
 */
public interface ValueType<T> {
  /**
   * {@return the value}
   *
   * @param text what the user typed
   * @throws UserErrorException if it is not allowed; the message says what is and leaves out the
   *     key
   */
  T parse(String text);

  /**
   * {@return text that {@link #parse} turns into the same value}
   *
   * @param value an allowed value
   */
  String format(T value);

  /**
   * {@return the value for JSON: a {@code Long} where users may write a bare number, otherwise text
   * that {@link #parse} accepts}
   *
   * @param value an allowed value
   */
  default Object toJson(T value) {
    return format(value);
  }

  /** {@return the kind or unit in a word or two, such as {@code count} or {@code time}} */
  String unit();

  /** {@return the allowed values, so worded that it continues "must be"} */
  String range();
}
