package io.github.bellwire.examples.attack;

/**
 * What came of one attack on one machine.
 *
 * @param word in one word
 * @param evidence what was seen
 */
record Verdict(Word word, String evidence) {
  /** {@return the verdict on an attack that is tried once} */
  static Verdict of(boolean isReached, String evidence) {
    return new Verdict(isReached ? Word.SUCCEEDS : Word.BLOCKED, evidence);
  }

  /**
   * {@return the verdict on an attack that is tried before and after something happens}
   *
   * @param isReachedBefore whether the goal was reached before
   * @param isReachedAfter whether it was reached again after
   */
  static Verdict around(boolean isReachedBefore, boolean isReachedAfter, String evidence) {
    return isReachedBefore && !isReachedAfter
        ? new Verdict(Word.WINDOW, evidence)
        : of(isReachedAfter, evidence);
  }

  static Verdict notApplicable(String evidence) {
    return new Verdict(Word.NOT_APPLICABLE, evidence);
  }

  /** {@return the same word with what else was seen} */
  Verdict with(String more) {
    return more.isEmpty() ? this : new Verdict(word, evidence + "; " + more);
  }
}
