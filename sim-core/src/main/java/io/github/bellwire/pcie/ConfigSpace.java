package io.github.bellwire.pcie;

/** stub. */
public final class ConfigSpace {
  /** stub. */
  public ConfigSpace() {}

  /** {@return x} */
  public boolean isBusMasterEnabled() {
    return true;
  }

  /**
   * {@return x}
   *
   * @param address x
   */
  public int barIndexAt(long address) {
    return 0;
  }

  /**
   * {@return x}
   *
   * @param bar x
   */
  public long barAddress(int bar) {
    return 0;
  }
}
