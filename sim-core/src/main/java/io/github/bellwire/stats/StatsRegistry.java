package io.github.bellwire.stats;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;

/**
 * Names the counters of a simulation. Components keep plain {@code long} fields and register a way
 * to read them; nothing is counted twice and reading costs nothing until somebody asks.
 */
public final class StatsRegistry {
  private final Map<String, LongSupplier> counters = new LinkedHashMap<>();

  /** Creates an empty registry. */
  public StatsRegistry() {}

  /**
   * Adds a counter.
   *
   * @param name unique, dotted, ends in its unit, such as {@code nic0.rx_dropped_count}
   * @param counter reads the current value
   * @throws IllegalArgumentException if the name is taken
   */
  public void register(String name, LongSupplier counter) {
    if (counters.putIfAbsent(name, counter) != null) {
      throw new IllegalArgumentException("name must be unique: name=" + name);
    }
  }

  /**
   * {@return the current value of a counter}
   *
   * @param name a registered name
   * @throws IllegalArgumentException if there is no such counter
   */
  public long value(String name) {
    LongSupplier counter = counters.get(name);
    if (counter == null) {
      throw new IllegalArgumentException("name must be registered: name=" + name);
    }
    return counter.getAsLong();
  }

  /** {@return all names in the order of registration} */
  public List<String> names() {
    return new ArrayList<>(counters.keySet());
  }
}
