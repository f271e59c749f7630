package io.github.bellwire.pcie;

/** The attributes of a function's access in progress: what the device asks for and may have. */
final class RequestAttributes {
  private final ConfigSpace configSpace;
  private int value;

  RequestAttributes(ConfigSpace configSpace) {
    this.configSpace = configSpace;
  }

  /**
   * Begins an access.
   *
   * @param requested see {@link TlpAttributes}
   */
  void begin(int requested) {
    value = requested == TlpAttributes.NONE ? TlpAttributes.NONE : permitted(requested);
  }

  /** {@return what the headers carry} */
  int value() {
    return value;
  }

  boolean isRelaxed() {
    return (value & TlpAttributes.RELAXED_ORDERING) != 0;
  }

  boolean isNoSnoop() {
    return (value & TlpAttributes.NO_SNOOP) != 0;
  }

  /** Returns the attributes that software lets the device set. */
  private int permitted(int requested) {
    TlpAttributes.require(requested);
    int enabled =
        (configSpace.isNoSnoopEnabled() ? TlpAttributes.NO_SNOOP : 0)
            | (configSpace.isRelaxedOrderingEnabled() ? TlpAttributes.RELAXED_ORDERING : 0)
            | (configSpace.isIdOrderingEnabled() ? TlpAttributes.ID_BASED_ORDERING : 0);
    return requested & enabled;
  }
}
