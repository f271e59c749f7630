package io.github.bellwire.examples.attack;

import io.github.bellwire.iommu.driver.MappingPolicy;
import java.util.Arrays;
import java.util.List;

/** A column of the matrix: how the operating system protects itself. */
enum Mode {
  OFF("off", MappingPolicy.OFF, "There is no IOMMU."),
  PASSTHROUGH(
      "passthrough",
      MappingPolicy.PASSTHROUGH,
      "There is one, and it lets the devices' requests through as they are."),
  LAZY(
      "lazy",
      MappingPolicy.LAZY,
      "Unmapped ranges are invalidated together, after 255 of them or 10 ms: Linux's default on"
          + " x86."),
  STRICT(
      "strict", MappingPolicy.STRICT, "Each unmap waits until the IOMMU has forgotten the range."),
  STRICT_BOUNCE(
      "strict_bounce",
      MappingPolicy.STRICT_BOUNCE,
      "The device is not trusted: strict, no ATS, ACS translation blocking, and what does not fill"
          + " whole pages is copied.");

  private final String word;
  private final MappingPolicy policy;
  private final String meaning;

  Mode(String word, MappingPolicy policy, String meaning) {
    this.word = word;
    this.policy = policy;
    this.meaning = meaning;
  }

  /** {@return as in the names of results} */
  String word() {
    return word;
  }

  /** {@return as a value on the command line, where words have hyphens between} */
  String value() {
    return word.replace('_', '-');
  }

  /** {@return what the operating system does, in a sentence} */
  String meaning() {
    return meaning;
  }

  MappingPolicy policy() {
    return policy;
  }

  static List<String> allValues() {
    return Arrays.stream(values()).map(Mode::value).toList();
  }
}
