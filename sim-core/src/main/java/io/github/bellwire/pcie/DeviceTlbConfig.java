package io.github.bellwire.pcie;

/**
 * Size of a {@link DeviceTlb}. Construction throws {@link IllegalArgumentException} naming the
 * property, the bound it breaks and its value.
 *
 * @param setsCount a power of two, 1..65536; 1 is fully associative
 * @param waysCount entries per set, 1..4096
 */
public record DeviceTlbConfig(int setsCount, int waysCount) {
  private static final int SETS_MAX = 1 << 16;
  private static final int WAYS_MAX = 4096;

  /** 64 entries, fully associative. Assumption: no vendor says how many its devices have. */
  public static final DeviceTlbConfig FULLY_ASSOCIATIVE_64 = new DeviceTlbConfig(1, 64);

  // Checked here and nowhere else.
  public DeviceTlbConfig {
    if (setsCount < 1 || setsCount > SETS_MAX || Integer.bitCount(setsCount) != 1) {
      throw new IllegalArgumentException(
          "setsCount must be a power of two in 1..65536: setsCount=" + setsCount);
    }
    if (waysCount < 1 || waysCount > WAYS_MAX) {
      throw new IllegalArgumentException("waysCount must be 1..4096: waysCount=" + waysCount);
    }
  }
}
