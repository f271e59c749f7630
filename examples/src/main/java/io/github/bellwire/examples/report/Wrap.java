package io.github.bellwire.examples.report;

import java.util.ArrayList;
import java.util.List;

/** Breaks text between words. */
final class Wrap {
  private Wrap() {}

  /**
   * {@return the text in lines, at least one}
   *
   * @param text words with single blanks between
   * @param maxColumns the longest line, unless a single word is longer
   */
  static List<String> lines(String text, int maxColumns) {
    List<String> lines = new ArrayList<>();
    StringBuilder line = new StringBuilder();
    for (String word : text.split(" ")) {
      if (!line.isEmpty() && line.length() + 1 + word.length() > maxColumns) {
        lines.add(line.toString());
        line.setLength(0);
      }
      line.append(line.isEmpty() ? "" : " ").append(word);
    }
    lines.add(line.toString());
    return lines;
  }
}
