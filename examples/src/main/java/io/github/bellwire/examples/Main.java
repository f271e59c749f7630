package io.github.bellwire.examples;

import io.github.bellwire.examples.cli.CommandLineTool;
import io.github.bellwire.examples.cli.Terminal;

/** The entry point. Nothing else here ends the process. */
public final class Main {
  private Main() {}

  /**
   * Runs the command line and ends the process with its exit code, if that is not 0: when Maven
   * runs this class inside its own process, it has work left after a success.
   *
   * @param args scenario and options
   */
  public static void main(String[] args) {
    CommandLineTool tool =
        new CommandLineTool(
            Scenarios.all(), System.out, System.err, Terminal.isInteractive(), System::nanoTime);
    int code = tool.run(args);
    if (code != CommandLineTool.DONE) {
      System.exit(code);
    }
  }
}
