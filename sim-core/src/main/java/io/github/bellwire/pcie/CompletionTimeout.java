package io.github.bellwire.pcie;

/**
 * Ranges of the completion timeout with their codes in device control 2 (PCI Express Base
 * Specification 5.0, section 7.5.3.16).
 */
enum CompletionTimeout {
  /** 50 us to 50 ms. */
  DEFAULT(0, 50_000_000L, 50_000_000_000L),
  /** Range A, 50 us to 100 us. */
  A_SHORT(1, 50_000_000L, 100_000_000L),
  /** Range A, 1 ms to 10 ms. */
  A_LONG(2, 1_000_000_000L, 10_000_000_000L),
  /** Range B, 16 ms to 55 ms. */
  B_SHORT(5, 16_000_000_000L, 55_000_000_000L),
  /** Range B, 65 ms to 210 ms: what Linux finds on the hosts of pcie-bench. */
  B_LONG(6, 65_000_000_000L, 210_000_000_000L),
  /** Range C, 260 ms to 900 ms. */
  C_SHORT(9, 260_000_000_000L, 900_000_000_000L),
  /** Range C, 1 s to 3.5 s. */
  C_LONG(10, 1_000_000_000_000L, 3_500_000_000_000L),
  /** Range D, 4 s to 13 s. */
  D_SHORT(13, 4_000_000_000_000L, 13_000_000_000_000L),
  /** Range D, 17 s to 64 s. */
  D_LONG(14, 17_000_000_000_000L, 64_000_000_000_000L);

  /** No range begins earlier. */
  static final long SHORTEST_PS = 50_000_000L;

  private static final CompletionTimeout[] BY_CODE = new CompletionTimeout[16];

  static {
    for (CompletionTimeout range : values()) {
      BY_CODE[range.code] = range;
    }
    for (int code = 0; code < BY_CODE.length; code++) {
      if (BY_CODE[code] == null) {
        BY_CODE[code] = DEFAULT; // Reserved codes.
      }
    }
  }

  private final int code;
  private final long shortestPs;
  private final long longestPs;

  CompletionTimeout(int code, long shortestPs, long longestPs) {
    this.code = code;
    this.shortestPs = shortestPs;
    this.longestPs = longestPs;
  }

  /**
   * {@return the range of a code; reserved codes are the default range}
   *
   * @param code 0..15
   */
  public static CompletionTimeout ofCode(int code) {
    return BY_CODE[code];
  }

  /** {@return the code in device control 2, bits 3:0} */
  public int code() {
    return code;
  }

  /** {@return where the range begins, in picoseconds} */
  public long shortestPs() {
    return shortestPs;
  }

  /** {@return where the range ends, in picoseconds; a device of this simulator waits that long} */
  public long longestPs() {
    return longestPs;
  }
}
