package io.github.bellwire.examples.report;

import java.util.ArrayList;
import java.util.List;

/**
 * Rows and columns as text. Columns of numbers are aligned right; when the table is too wide, its
 * widest columns of words are wrapped.
 */
public final class Table {
  private static final String GAP = "  ";
  private static final int WORDS_MIN_COLUMNS = 12;

  private final String title;
  private final List<Column> columns;
  private final List<List<String>> rows = new ArrayList<>();

  private record Column(String name, boolean isNumeric) {}

  /**
   * Creates a table without rows.
   *
   * @param title stands above it; empty for none
   * @param columnNames one per column; a name that begins with {@code >} (not printed) makes a
   *     column of numbers
   */
  public Table(String title, String... columnNames) {
    this.title = title;
    List<Column> parsed = new ArrayList<>();
    for (String name : columnNames) {
      boolean isNumeric = name.startsWith(">");
      parsed.add(new Column(isNumeric ? name.substring(1) : name, isNumeric));
    }
    columns = List.copyOf(parsed);
  }

  /**
   * Adds a row.
   *
   * @param cells one per column
   * @return this table
   * @throws IllegalArgumentException if there are more or fewer cells than columns
   */
  public Table row(String... cells) {
    if (cells.length != columns.size()) {
      throw new IllegalArgumentException(
          "cells must be " + columns.size() + ": cells=" + List.of(cells));
    }
    rows.add(List.of(cells));
    return this;
  }

  /** {@return what stands above it; empty for nothing} */
  public String title() {
    return title;
  }

  /**
   * {@return the lines, header first, without the title}
   *
   * @param maxColumns the widest line, unless a single word or number is wider
   */
  public List<String> lines(int maxColumns) {
    int[] widths = widths(maxColumns);
    List<String> lines = new ArrayList<>();
    if (columns.stream().anyMatch(column -> !column.name().isEmpty())) {
      appendRow(lines, columns.stream().map(Column::name).toList(), widths);
    }
    rows.forEach(row -> appendRow(lines, row, widths));
    return lines;
  }

  private int[] widths(int maxColumns) {
    int[] longestWords = longestWords();
    int[] widths = new int[columns.size()];
    int total = GAP.length() * (widths.length - 1);
    for (int i = 0; i < widths.length; i++) {
      widths[i] = columns.get(i).name().length();
      for (List<String> row : rows) {
        widths[i] = Math.max(widths[i], row.get(i).length());
      }
      total += widths[i];
    }
    while (total > maxColumns) {
      int widest = widestWords(widths, longestWords);
      if (widest < 0) {
        break; // Nothing left to wrap.
      }
      widths[widest]--;
      total--;
    }
    return widths;
  }

  private int widestWords(int[] widths, int[] longestWords) {
    int widest = -1;
    for (int i = 0; i < widths.length; i++) {
      boolean isShrinkable =
          !columns.get(i).isNumeric()
              && widths[i] > WORDS_MIN_COLUMNS
              && widths[i] > longestWords[i];
      if (isShrinkable && (widest < 0 || widths[i] > widths[widest])) {
        widest = i;
      }
    }
    return widest;
  }

  /** A word that is longer than its column would push the columns behind it aside. */
  private int[] longestWords() {
    int[] longest = new int[columns.size()];
    for (int i = 0; i < longest.length; i++) {
      for (List<String> row : rows) {
        for (String word : row.get(i).split(" ")) {
          longest[i] = Math.max(longest[i], word.length());
        }
      }
    }
    return longest;
  }

  private void appendRow(List<String> lines, List<String> cells, int[] widths) {
    List<List<String>> wrapped = new ArrayList<>();
    int height = 1;
    for (int i = 0; i < widths.length; i++) {
      wrapped.add(Wrap.lines(cells.get(i), widths[i]));
      height = Math.max(height, wrapped.get(i).size());
    }
    for (int line = 0; line < height; line++) {
      StringBuilder text = new StringBuilder();
      for (int i = 0; i < widths.length; i++) {
        List<String> parts = wrapped.get(i);
        String part = line < parts.size() ? parts.get(line) : "";
        String padding = " ".repeat(Math.max(0, widths[i] - part.length()));
        text.append(i == 0 ? "" : GAP);
        text.append(columns.get(i).isNumeric() ? padding + part : part + padding);
      }
      lines.add(text.toString().stripTrailing());
    }
  }
}
