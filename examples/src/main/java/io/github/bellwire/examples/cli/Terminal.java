package io.github.bellwire.examples.cli;

import java.io.Console;
import java.lang.reflect.InvocationTargetException;

/** Whether a person is watching. */
public final class Terminal {
  private Terminal() {}

  /** {@return whether standard input and output are connected to a terminal} */
  public static boolean isInteractive() {
    Console console = System.console();
    return console != null && isTerminal(console);
  }

  /** From JDK 22 on there may be a console without a terminal, and a method that tells. */
  private static boolean isTerminal(Console console) {
    try {
      return (boolean) Console.class.getMethod("isTerminal").invoke(console);
    } catch (NoSuchMethodException e) {
      return true;
    } catch (IllegalAccessException | InvocationTargetException e) {
      throw new IllegalStateException(e);
    }
  }
}
