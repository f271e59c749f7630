package io.github.bellwire.dma.check;

import java.util.Locale;

/** How numbers are printed, the same everywhere. */
final class Text {
  private static final int PS_PER_NS = 1000;

  private Text() {}

  static String ns(long ps) {
    return String.format(Locale.ROOT, "%d.%03d ns", ps / PS_PER_NS, ps % PS_PER_NS);
  }

  static String hex(long address) {
    return "0x" + Long.toHexString(address);
  }

  static String bytes(long count) {
    return count + (count == 1 ? " byte" : " bytes");
  }
}
