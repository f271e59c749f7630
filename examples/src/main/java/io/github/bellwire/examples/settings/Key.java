package io.github.bellwire.examples.settings;

import static java.util.Objects.requireNonNull;

import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Something that a user can set, with all that {@code describe} prints about it.
 *
 * @param <T> the value's type
 */
public final class Key<T> {
  private static final Pattern NAME = Pattern.compile("[a-z][a-z0-9]*([.-][a-z0-9]+)*");

  private final String name;
  private final ValueType<T> type;
  private final @Nullable T defaultValue;
  private final String defaultText;
  private final String meaning;

  private Key(
      String name,
      ValueType<T> type,
      @Nullable T defaultValue,
      String defaultText,
      String meaning) {
    if (!NAME.matcher(name).matches()) {
      throw new IllegalArgumentException(
          "name must be lower-case words with dots or hyphens between: name=" + name);
    }
    this.name = name;
    this.type = requireNonNull(type, "type");
    this.defaultValue = defaultValue;
    this.defaultText = requireNonNull(defaultText, "defaultText");
    this.meaning = requireNonNull(meaning, "meaning");
  }

  /**
   * {@return a key with a default}
   *
   * @param name lower-case words with dots or hyphens between
   * @param type which values are allowed
   * @param defaultText the default as a user would type it
   * @param meaning what it does, in one phrase
   * @param <T> the value's type
   * @throws UserErrorException if the default is not allowed
   */
  public static <T> Key<T> of(String name, ValueType<T> type, String defaultText, String meaning) {
    T value = type.parse(defaultText);
    return new Key<>(name, type, value, type.format(value), meaning);
  }

  /**
   * {@return a key without a default of its own: when the user does not set it, its value comes
   * from elsewhere or it has none}
   *
   * @param name as in {@link #of}
   * @param type which values are allowed
   * @param origin where the value comes from, in a word or two, such as {@code host}
   * @param meaning what it does, in one phrase
   * @param <T> the value's type
   */
  public static <T> Key<T> optional(String name, ValueType<T> type, String origin, String meaning) {
    return new Key<>(name, type, null, "(" + origin + ")", meaning);
  }

  /**
   * {@return this key with another default}
   *
   * @param newDefaultText as in {@link #of}
   */
  public Key<T> withDefault(String newDefaultText) {
    return of(name, type, newDefaultText, meaning);
  }

  /**
   * {@return this key with another meaning, in one phrase}
   *
   * @param newMeaning what it does
   */
  public Key<T> withMeaning(String newMeaning) {
    return new Key<>(name, type, defaultValue, defaultText, newMeaning);
  }

  /**
   * {@return the value}
   *
   * @param text what the user typed
   * @throws UserErrorException if it is not allowed; the message begins with {@code name=text}
   */
  public T parse(String text) {
    try {
      return type.parse(text);
    } catch (UserErrorException e) {
      throw e.about(name + "=" + text);
    }
  }

  /** {@return what users type before the equals sign} */
  public String name() {
    return name;
  }

  /** {@return which values are allowed} */
  public ValueType<T> type() {
    return type;
  }

  /** {@return the value that holds when the user sets none, null if there is none} */
  public @Nullable T defaultValue() {
    return defaultValue;
  }

  /** {@return the default, or in parentheses where it comes from} */
  public String defaultText() {
    return defaultText;
  }

  /** {@return what it does, in one phrase} */
  public String meaning() {
    return meaning;
  }

  @Override
  public String toString() {
    return name;
  }
}
