package io.github.bellwire.examples.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;

/** Which Bellwire this is. The build writes the number into a resource. */
final class Version {
  private static final String RESOURCE = "version.properties";

  private Version() {}

  /** {@return the version of the project, such as {@code 0.1.0}} */
  static String current() {
    Properties properties = new Properties();
    try (InputStream resource = Version.class.getResourceAsStream(RESOURCE)) {
      if (resource == null) {
        throw new IllegalStateException("resource must be there: " + RESOURCE);
      }
      properties.load(resource);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return properties.getProperty("version");
  }
}
