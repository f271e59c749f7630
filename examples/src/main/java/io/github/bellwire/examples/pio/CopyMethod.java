package io.github.bellwire.examples.pio;

import java.util.Locale;

/** How bytes get to the device, or from it. */
enum CopyMethod {
  /** Uncached stores of 8 bytes. */
  UC_WRITE(false),
  /** Stores that combine in line buffers, and a fence. */
  WC_WRITE(false),
  /** Stores of a line each, and a fence. */
  MOVDIR64B(false),
  /** Loads from a write-combining mapping. */
  MMIO_READ(true),
  /** The device reads host memory. */
  DMA(false),
  /** The device writes host memory. */
  DMA_READ(true);

  private final boolean isToHost;

  CopyMethod(boolean isToHost) {
    this.isToHost = isToHost;
  }

  /** {@return whether bytes come from the device} */
  boolean isToHost() {
    return isToHost;
  }

  /** {@return whether the device moves the bytes} */
  boolean isDma() {
    return this == DMA || this == DMA_READ;
  }

  /** {@return the name in keys and metrics} */
  String word() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
