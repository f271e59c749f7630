package io.github.bellwire.examples;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What the validation tests of this run have compared, for the page that shows it. */
final class Validation {
  private static final Map<String, List<ValidationRow>> GROUPS = new LinkedHashMap<>();

  private Validation() {}

  /**
   * Keeps a row for the page.
   *
   * @return the row
   */
  static ValidationRow record(ValidationRow row) {
    GROUPS.computeIfAbsent(row.group(), group -> new ArrayList<>()).add(row);
    return row;
  }

  /** {@return the rows of each group, in the order of recording} */
  static Map<String, List<ValidationRow>> groups() {
    return new LinkedHashMap<>(GROUPS);
  }
}
