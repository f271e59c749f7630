package io.github.bellwire.examples;

/** The command line. */
public final class Main {
  private Main() {}

  /**
   * Runs the command line.
   *
   * @param args scenario and options
   */
  public static void main(String[] args) {
    System.out.println("bellwire");
  }
}
