package io.github.bellwire.examples.attack;

/** What comes of an attack, in the words of reports. */
enum Word {
  /** The attacker reaches its goal. */
  SUCCEEDS("succeeds"),
  /** It does not. */
  BLOCKED("blocked"),
  /** It does until something happens that the evidence names. */
  WINDOW("window"),
  /** It gets something, but less than its goal. */
  PARTIAL("partial"),
  /** What the attack needs does not exist on such a machine. */
  NOT_APPLICABLE("not-applicable");

  private final String text;

  Word(String text) {
    this.text = text;
  }

  String text() {
    return text;
  }
}
