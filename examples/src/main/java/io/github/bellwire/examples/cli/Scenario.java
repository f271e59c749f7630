package io.github.bellwire.examples.cli;

import io.github.bellwire.examples.report.Report;
import io.github.bellwire.examples.settings.Key;
import io.github.bellwire.examples.settings.Settings;
import java.util.List;

/**
 * One simulated experiment that the command line can run. A scenario keeps no state between runs.
 */
public interface Scenario {
  /** {@return what users type: lower-case words with hyphens between} */
  String name();

  /** {@return what it does, in one line} */
  String description();

  /** {@return its keys; {@link CommandLineTool#SEED} is added to those of every scenario} */
  List<Key<?>> keys();

  /** {@return how many operations to print step by step when the user does not say} */
  default int tracedOperations() {
    return 0;
  }

  /**
   * Runs the experiment.
   *
   * @param settings the values of {@link #keys()} and the seed
   * @param context trace, progress and clock of this run
   * @return what it found out
   * @throws io.github.bellwire.examples.settings.UserErrorException if the settings contradict each
   *     other or a file cannot be read or written
   */
  Report run(Settings settings, RunContext context);
}
