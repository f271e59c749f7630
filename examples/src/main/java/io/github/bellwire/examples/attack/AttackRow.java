package io.github.bellwire.examples.attack;

import java.util.List;
import java.util.function.Function;

/**
 * A row of the matrix.
 *
 * @param id as in the documentation, {@code a01} to {@code a22}, with a letter where a condition
 *     splits it
 * @param title what is tried, and the condition
 * @param options what the machine is like
 * @param expected what the documentation says, one word per mode
 * @param attack plays it
 */
record AttackRow(
    String id,
    String title,
    MachineOptions options,
    List<Word> expected,
    Function<AttackMachine, Verdict> attack) {
  Word expected(Mode mode) {
    return expected.get(mode.ordinal());
  }

  /** Plays the attack on a machine made for it. */
  Verdict run(AttackMachine machine) {
    return attack.apply(machine).with(machine.faultText());
  }
}
