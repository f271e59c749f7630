package io.github.bellwire.examples.settings;

import java.util.List;

/** Enumerations in prose. */
final class Words {
  private Words() {}

  /**
   * {@return {@code a, b or c}}
   *
   * @param words at least one
   */
  static String or(List<String> words) {
    int last = words.size() - 1;
    return last == 0
        ? words.get(0)
        : String.join(", ", words.subList(0, last)) + " or " + words.get(last);
  }
}
