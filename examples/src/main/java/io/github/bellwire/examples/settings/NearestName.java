package io.github.bellwire.examples.settings;

import java.util.List;
import java.util.Locale;

/** Finds the known name that a user most probably meant. */
public final class NearestName {
  private NearestName() {}

  /**
   * {@return the candidate with the smallest edit distance, the first one among equals} Letter case
   * does not count, and a candidate that has the name as one of its parts ({@code ring.size} for
   * {@code size}) is as near as a single typing error.
   *
   * @param name what the user typed
   * @param candidates the known names, at least one
   * @throws IllegalArgumentException if there is no candidate
   */
  public static String of(String name, List<String> candidates) {
    if (candidates.isEmpty()) {
      throw new IllegalArgumentException("candidates must be not empty: name=" + name);
    }
    String nearest = candidates.get(0);
    int nearestDistance = Integer.MAX_VALUE;
    for (String candidate : candidates) {
      int distance = distance(name, candidate);
      if (distance < nearestDistance) {
        nearest = candidate;
        nearestDistance = distance;
      }
    }
    return nearest;
  }

  private static int distance(String name, String candidate) {
    String left = name.toLowerCase(Locale.ROOT);
    String right = candidate.toLowerCase(Locale.ROOT);
    int distance = editDistance(left, right);
    boolean isPart = List.of(right.split("[.-]")).contains(left);
    return isPart ? Math.min(distance, 1) : distance;
  }

  /**
   * {@return the insertions, deletions, replacements and exchanges of neighbours that lead from one
   * word to the other}
   *
   * @param left one word
   * @param right the other
   */
  static int editDistance(String left, String right) {
    int[] beforeLast = new int[right.length() + 1];
    int[] last = new int[right.length() + 1];
    int[] row = new int[right.length() + 1];
    for (int j = 0; j <= right.length(); j++) {
      last[j] = j;
    }
    for (int i = 1; i <= left.length(); i++) {
      row[0] = i;
      for (int j = 1; j <= right.length(); j++) {
        int replaced = left.charAt(i - 1) == right.charAt(j - 1) ? 0 : 1;
        row[j] = Math.min(last[j - 1] + replaced, Math.min(last[j], row[j - 1]) + 1);
        if (isExchange(left, i, right, j)) {
          row[j] = Math.min(row[j], beforeLast[j - 2] + 1);
        }
      }
      int[] recycled = beforeLast;
      beforeLast = last;
      last = row;
      row = recycled;
    }
    return last[right.length()];
  }

  private static boolean isExchange(String left, int i, String right, int j) {
    return i > 1
        && j > 1
        && left.charAt(i - 1) == right.charAt(j - 2)
        && left.charAt(i - 2) == right.charAt(j - 1);
  }
}
