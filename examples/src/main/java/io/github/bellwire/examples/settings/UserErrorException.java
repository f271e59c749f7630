package io.github.bellwire.examples.settings;

/**
 * A request that cannot be served because of what the user asked for: a wrong key, a bad value, an
 * unreadable file. Its message is one line that says what is wrong and what is allowed; the command
 * line prints it and exits with code 2.
 */
public class UserErrorException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /**
   * Creates the exception.
   *
   * @param message what is wrong and what is allowed; control characters are replaced by {@code ?},
   *     so that what the user typed cannot break the line
   */
  public UserErrorException(String message) {
    super(oneLine(message));
  }

  /**
   * {@return this error under the name of what caused it}
   *
   * @param subject printed before the message, such as {@code ring.size=0}
   */
  public UserErrorException about(String subject) {
    return new UserErrorException(subject + ": " + getMessage());
  }

  private static String oneLine(String text) {
    StringBuilder line = new StringBuilder(text.length());
    text.codePoints()
        .forEach(c -> line.appendCodePoint(Character.isISOControl(c) || isBreak(c) ? '?' : c));
    return line.toString();
  }

  /** Unicode's line and paragraph separators. */
  private static boolean isBreak(int codePoint) {
    return codePoint == 0x2028 || codePoint == 0x2029;
  }
}
