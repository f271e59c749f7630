package io.github.bellwire.examples.settings;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The values of a scenario's keys: what the user set, defaults for the rest, and what a preset
 * adds. Keys are looked up by name and type, so a key with another default finds the same value.
 *
 * <p>Confined to one thread.
 */
public final class Settings {
  private final Map<String, Entry<?>> entries = new LinkedHashMap<>();

  /** A key with its value and where that comes from. */
  private static final class Entry<T> {
    private final Key<T> key;
    // What holds unless the user sets it.
    private @Nullable T usual;
    private @Nullable T value;
    private @Nullable String given;

    private Entry(Key<T> key) {
      this.key = key;
      this.usual = key.defaultValue();
      this.value = usual;
    }

    private void set(String text) {
      if (given != null) {
        throw new UserErrorException(
            key.name() + "=" + text + ": " + key.name() + " is already set to " + given);
      }
      value = key.parse(text);
      given = text;
    }

    private void supply(T supplied) {
      usual = supplied;
      if (given == null) {
        value = supplied;
      }
    }

    private Optional<Object> toJson() {
      return Optional.ofNullable(value).map(key.type()::toJson);
    }

    private Optional<String> text() {
      return Optional.ofNullable(value).map(key.type()::format);
    }
  }

  private Settings(List<Key<?>> keys) {
    for (Key<?> key : keys) {
      if (entries.put(key.name(), new Entry<>(key)) != null) {
        throw new IllegalArgumentException("keys must be distinct: key=" + key.name());
      }
    }
  }

  /**
   * {@return the settings that result from what the user typed}
   *
   * @param owner whose keys these are, for messages: the scenario's name
   * @param keys all keys, with distinct names
   * @param assignments each {@code key=value}; the same key twice is refused
   * @throws UserErrorException if one of them is wrong
   */
  public static Settings of(String owner, List<Key<?>> keys, List<String> assignments) {
    Settings settings = new Settings(keys);
    for (String assignment : assignments) {
      settings.assign(owner, assignment);
    }
    return settings;
  }

  private void assign(String owner, String assignment) {
    int equals = assignment.indexOf('=');
    if (equals < 1) {
      throw new UserErrorException(
          "--set " + assignment + ": must be key=value" + nearestHint(assignment));
    }
    String name = assignment.substring(0, equals);
    Entry<?> entry = entries.get(name);
    if (entry == null) {
      String question = nearestHint(name);
      throw new UserErrorException(
          assignment
              + ": unknown key "
              + name
              + question
              + (question.isEmpty() ? "; keys of " : " Keys of ")
              + owner
              + ": "
              + String.join(", ", entries.keySet()));
    }
    entry.set(assignment.substring(equals + 1));
  }

  private String nearestHint(String name) {
    return NearestName.question(name, List.copyOf(entries.keySet()));
  }

  /**
   * {@return the value that the user set, or the default}
   *
   * @param key a key of this scenario that has a default, or whose value has been supplied
   * @param <T> the value's type
   * @throws IllegalArgumentException if it is none of these
   */
  public <T> T value(Key<T> key) {
    T value = entry(key).value;
    if (value == null) {
      throw new IllegalArgumentException("key must be one with a value: key=" + key);
    }
    return value;
  }

  /**
   * {@return the value of a count or size as an {@code int}}
   *
   * @param key as in {@link #value}, with a range that fits
   */
  public int intValue(Key<Long> key) {
    return Math.toIntExact(value(key));
  }

  /**
   * {@return the value that the user set, or the default, or nothing}
   *
   * @param key a key of this scenario
   * @param <T> the value's type
   */
  public <T> Optional<T> find(Key<T> key) {
    return Optional.ofNullable(entry(key).value);
  }

  /**
   * {@return the value that the user set; otherwise the one supplied, which from now on is the
   * key's value and appears among the resolved settings}
   *
   * @param key a key of this scenario
   * @param supplied what a preset says; overrides the key's default
   * @param <T> the value's type
   */
  public <T> T supply(Key<T> key, T supplied) {
    entry(key).supply(supplied);
    return value(key);
  }

  /**
   * {@return the value that the user set; otherwise the default, changed so that it suits other
   * settings, as {@link #supply} does}
   *
   * @param key a key of this scenario that has a default, or whose value has been supplied
   * @param change from the default to what suits
   * @param <T> the value's type
   * @throws IllegalArgumentException if it is none of these
   */
  public <T> T adapt(Key<T> key, UnaryOperator<T> change) {
    T usual = entry(key).usual;
    if (usual == null) {
      throw new IllegalArgumentException("key must be one with a default: key=" + key);
    }
    return supply(key, change.apply(usual));
  }

  /**
   * Says that a key takes no part in this run: unless the user set it, it has no value from now on,
   * and so does not appear among the resolved settings.
   *
   * @param key a key of this scenario
   */
  public void leaveOut(Key<?> key) {
    Entry<?> entry = entry(key);
    if (entry.given == null) {
      entry.value = null;
    }
  }

  /**
   * {@return whether the user set the key}
   *
   * @param key a key of this scenario
   */
  public boolean isGiven(Key<?> key) {
    return entry(key).given != null;
  }

  /**
   * {@return whether the user set the key to something else than what would hold otherwise: its
   * default, or what has been supplied}
   *
   * @param key a key of this scenario
   */
  public boolean isChanged(Key<?> key) {
    Entry<?> entry = entry(key);
    return entry.given != null && !Objects.equals(entry.value, entry.usual);
  }

  /**
   * {@return whether this is a key of the scenario at all: one that stands on another may have
   * fewer}
   *
   * @param key any key
   */
  public boolean has(Key<?> key) {
    return entries.containsKey(key.name());
  }

  /**
   * {@return the key with its value as in {@code ring.size=512}, for messages}
   *
   * @param key a key of this scenario
   */
  public String assignment(Key<?> key) {
    Entry<?> entry = entry(key);
    String text = entry.given;
    return key.name() + "=" + (text == null ? entry.text().orElse(key.defaultText()) : text);
  }

  /**
   * {@return an error about a value that is allowed by itself but not here; to be thrown}
   *
   * @param key a key of this scenario
   * @param reason what is allowed
   */
  public UserErrorException refuse(Key<?> key, String reason) {
    return new UserErrorException(reason).about(assignment(key));
  }

  /** {@return names and values for JSON in the order of the keys; null where there is no value} */
  public Map<String, @Nullable Object> toJson() {
    Map<String, @Nullable Object> resolved = new LinkedHashMap<>();
    entries.forEach((name, entry) -> resolved.put(name, entry.toJson().orElse(null)));
    return resolved;
  }

  /** {@return the assignments that reproduce these settings, in the order of the keys} */
  public List<String> assignments() {
    List<String> assignments = new ArrayList<>();
    entries.forEach(
        (name, entry) -> entry.text().ifPresent(text -> assignments.add(name + "=" + text)));
    return assignments;
  }

  // Safe because the types are compared first: a key's type belongs to its value's type.
  @SuppressWarnings("unchecked")
  private <T> Entry<T> entry(Key<T> key) {
    Entry<?> entry = entries.get(key.name());
    if (entry == null || entry.key.type() != key.type()) {
      throw new IllegalArgumentException("key must be one of the scenario: key=" + key);
    }
    return (Entry<T>) entry;
  }
}
