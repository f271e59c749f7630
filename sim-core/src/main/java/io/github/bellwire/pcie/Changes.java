package io.github.bellwire.pcie;

/**
 * Counts what happens to registers, fault injectors and listeners of a fabric, so that who derives
 * something from them for every TLP finds out by one look that it has to do so again.
 */
final class Changes {
  private int count;

  /** Something has changed. */
  void add() {
    count++;
  }

  /** {@return a number that is another one whenever something has changed} */
  int count() {
    return count;
  }
}
