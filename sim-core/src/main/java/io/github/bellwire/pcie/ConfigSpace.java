package io.github.bellwire.pcie;

/** The 4 KiB configuration space of a function. */
public final class ConfigSpace {
  /** Creates an empty configuration space. */
  public ConfigSpace() {}
}
