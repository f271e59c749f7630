package io.github.bellwire.pcie;

/** Hears of configuration writes that change what a function may send. */
@FunctionalInterface
interface ConfigListener {
  /** The MSI-X message control register has been written. */
  void onMsiXControlWritten();
}
