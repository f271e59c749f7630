package io.github.bellwire.examples.attack;

import io.github.bellwire.iommu.driver.MappingPolicy;
import java.util.Arrays;
import java.util.List;

/** A column of the matrix: how the operating system protects itself. */
enum Mode {
  OFF("off", MappingPolicy.OFF),
  PASSTHROUGH("passthrough", MappingPolicy.PASSTHROUGH),
  LAZY("lazy", MappingPolicy.LAZY),
  STRICT("strict", MappingPolicy.STRICT),
  STRICT_BOUNCE("strict_bounce", MappingPolicy.STRICT_BOUNCE);

  private final String word;
  private final MappingPolicy policy;

  Mode(String word, MappingPolicy policy) {
    this.word = word;
    this.policy = policy;
  }

  /** {@return as on the command line} */
  String word() {
    return word;
  }

  MappingPolicy policy() {
    return policy;
  }

  static List<String> words() {
    return Arrays.stream(values()).map(Mode::word).toList();
  }
}
