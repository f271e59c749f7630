package io.github.bellwire.examples.attack;

/** What comes of an attack, in the words of reports. */
enum Word {
  /** The attacker reaches its goal. */
  SUCCEEDS(
      "succeeds",
      "The attacker reaches its goal: it reads the secret, changes what is not its own, raises"
          + " another's interrupt, denies others their share, or leaves no trace of what was"
          + " refused."),
  /** It does not. */
  BLOCKED("blocked", "It does not."),
  /** It does until something happens that the evidence names. */
  WINDOW("window", "It does until something happens that the evidence names."),
  /** It gets something, but less than its goal. */
  PARTIAL("partial", "It gets an old copy, and nothing new."),
  /** What the attack needs does not exist on such a machine. */
  NOT_APPLICABLE("not-applicable", "What the attack needs does not exist on such a machine.");

  private final String text;
  private final String meaning;

  Word(String text, String meaning) {
    this.text = text;
    this.meaning = meaning;
  }

  /** {@return what it stands for, in a sentence} */
  String meaning() {
    return meaning;
  }

  String text() {
    return text;
  }
}
