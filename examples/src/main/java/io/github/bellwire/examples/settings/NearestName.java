package io.github.bellwire.examples.settings;

import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** Finds the known name that a user most probably meant. */
public final class NearestName {
  /** Letters that there are at least for each typing error. */
  private static final int ERRORS_APART = 3;

  private NearestName() {}

  /**
   * {@return the candidate with the smallest edit distance, the first one among equals; nothing if
   * none is near, as a hint that is far off misleads} Letter case does not count, and a candidate
   * that has the name as one of its parts ({@code ring.size} for {@code size}) is as near as a
   * single typing error. Near is what has one error in three letters at most.
   *
   * @param name what the user typed
   * @param candidates the known names
   */
  public static Optional<String> of(String name, List<String> candidates) {
    String nearest = null;
    int nearestDistance = Integer.MAX_VALUE;
    for (String candidate : candidates) {
      int distance = distance(name, candidate);
      if (distance < nearestDistance && isNear(distance, name, candidate)) {
        nearest = candidate;
        nearestDistance = distance;
      }
    }
    return Optional.ofNullable(nearest);
  }

  /**
   * {@return the question whether the user meant the nearest name, to continue a message; empty if
   * none is near}
   *
   * @param name what the user typed
   * @param candidates the known names
   */
  public static String question(String name, List<String> candidates) {
    return of(name, candidates).map(near -> "; did you mean " + near + "?").orElse("");
  }

  private static int distance(String name, String candidate) {
    String left = name.toLowerCase(Locale.ROOT);
    String right = candidate.toLowerCase(Locale.ROOT);
    int distance = editDistance(left, right);
    boolean isPart = left.length() > 1 && List.of(right.split("[.-]")).contains(left);
    return isPart ? Math.min(distance, 1) : distance;
  }

  private static boolean isNear(int distance, String name, String candidate) {
    int shorter = Math.min(name.length(), candidate.length());
    int longer = Math.max(name.length(), candidate.length());
    return distance == 0
        || distance == 1 && longer >= 3 && shorter > 1
        || ERRORS_APART * distance <= longer;
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
