package io.github.bellwire.pcie;

import static io.github.bellwire.kernel.Requirements.require;

/**
 * What the firmware hands out: address windows for BARs, payload and read request sizes, and the
 * right to relaxed ordering. Construction throws {@link IllegalArgumentException} naming the
 * property, the bound it breaks and its value.
 *
 * @param window32Base first bus address for 32-bit BARs, a multiple of 4 KiB above 0
 * @param window32Bytes size of that window; it ends at or below 4 GiB
 * @param window64Base first bus address for 64-bit BARs, a multiple of 4 KiB, at least 4 GiB
 * @param window64Bytes size of that window; it ends at or below 2^52
 * @param maxPayloadBytes largest payload the root ports take: a power of two, 128..4096
 * @param maxReadRequestBytes largest read request a function may send: a power of two, 128..4096
 * @param slotWindowBytes what each window of a slot gets at least, for a device that is put in
 *     later: a multiple of 1 MiB, 0..1 TiB
 * @param relaxedOrdering whether functions may set the relaxed ordering attribute, as they may
 *     after reset
 */
public record EnumerationConfig(
    long window32Base,
    long window32Bytes,
    long window64Base,
    long window64Bytes,
    int maxPayloadBytes,
    int maxReadRequestBytes,
    long slotWindowBytes,
    boolean relaxedOrdering) {
  private static final long END_32 = 1L << 32;
  private static final long END_64 = 1L << 52; // the widest physical address of x86-64

  private static final long SLOT_MAX_BYTES = 1L << 40;

  /**
   * A two-socket Xeon server: 32-bit BARs in C000_0000..FEBF_FFFF, below the interrupt controllers,
   * and 64-bit BARs in 4 TiB from 3800_0000_0000. The windows are an assumption modelled on such
   * servers; payloads of 256 B and requests of 512 B are what most of them set (host presets of
   * pcie-bench, "Understanding PCIe performance for end host networking", SIGCOMM'18); 2 MiB for a
   * slot are Linux's default (pci=hpmemsize).
   */
  public static final EnumerationConfig XEON =
      new EnumerationConfig(
          0xC000_0000L, 0x3EC0_0000L, 0x3800_0000_0000L, 1L << 42, 256, 512, 2 << 20, true);

  // Checked here and nowhere else.
  public EnumerationConfig {
    require(
        window32Base > 0 && window32Base < END_32 && window32Base % 4096 == 0,
        "window32Base",
        window32Base,
        "a multiple of 4096 in 4096..4294963200");
    require(
        window32Bytes >= 0 && window32Bytes <= END_32 - window32Base,
        "window32Bytes",
        window32Bytes,
        "0.." + (END_32 - window32Base));
    require(
        window64Base >= END_32 && window64Base < END_64 && window64Base % 4096 == 0,
        "window64Base",
        window64Base,
        "a multiple of 4096 in 4294967296..4503599627366400");
    require(
        window64Bytes >= 0 && window64Bytes <= END_64 - window64Base,
        "window64Bytes",
        window64Bytes,
        "0.." + (END_64 - window64Base));
    requireTransfer("maxPayloadBytes", maxPayloadBytes);
    requireTransfer("maxReadRequestBytes", maxReadRequestBytes);
    require(
        slotWindowBytes >= 0
            && slotWindowBytes <= SLOT_MAX_BYTES
            && slotWindowBytes % BridgeLayout.WINDOW_GRANULE_BYTES == 0,
        "slotWindowBytes",
        slotWindowBytes,
        "a multiple of 1048576 in 0.." + SLOT_MAX_BYTES);
  }

  /**
   * {@return this configuration with another window for 32-bit BARs}
   *
   * @param newBase first bus address, as in the constructor
   * @param newBytes size, as in the constructor
   */
  public EnumerationConfig withWindow32(long newBase, long newBytes) {
    return new EnumerationConfig(
        newBase,
        newBytes,
        window64Base,
        window64Bytes,
        maxPayloadBytes,
        maxReadRequestBytes,
        slotWindowBytes,
        relaxedOrdering);
  }

  /**
   * {@return this configuration with another window for 64-bit BARs}
   *
   * @param newBase first bus address, as in the constructor
   * @param newBytes size, as in the constructor
   */
  public EnumerationConfig withWindow64(long newBase, long newBytes) {
    return new EnumerationConfig(
        window32Base,
        window32Bytes,
        newBase,
        newBytes,
        maxPayloadBytes,
        maxReadRequestBytes,
        slotWindowBytes,
        relaxedOrdering);
  }

  /**
   * {@return this configuration with another payload limit}
   *
   * @param newBytes a power of two, 128..4096
   */
  public EnumerationConfig withMaxPayloadBytes(int newBytes) {
    return new EnumerationConfig(
        window32Base,
        window32Bytes,
        window64Base,
        window64Bytes,
        newBytes,
        maxReadRequestBytes,
        slotWindowBytes,
        relaxedOrdering);
  }

  /**
   * {@return this configuration with another read request limit}
   *
   * @param newBytes a power of two, 128..4096
   */
  public EnumerationConfig withMaxReadRequestBytes(int newBytes) {
    return new EnumerationConfig(
        window32Base,
        window32Bytes,
        window64Base,
        window64Bytes,
        maxPayloadBytes,
        newBytes,
        slotWindowBytes,
        relaxedOrdering);
  }

  /**
   * {@return this configuration with other windows for slots}
   *
   * @param newBytes a multiple of 1 MiB, 0..1 TiB
   */
  public EnumerationConfig withSlotWindowBytes(long newBytes) {
    return new EnumerationConfig(
        window32Base,
        window32Bytes,
        window64Base,
        window64Bytes,
        maxPayloadBytes,
        maxReadRequestBytes,
        newBytes,
        relaxedOrdering);
  }

  /**
   * {@return this configuration with or without relaxed ordering}
   *
   * @param newRelaxedOrdering whether functions may set the attribute
   */
  public EnumerationConfig withRelaxedOrdering(boolean newRelaxedOrdering) {
    return new EnumerationConfig(
        window32Base,
        window32Bytes,
        window64Base,
        window64Bytes,
        maxPayloadBytes,
        maxReadRequestBytes,
        slotWindowBytes,
        newRelaxedOrdering);
  }

  private static void requireTransfer(String name, int bytes) {
    require(
        bytes >= 128 && bytes <= 4096 && Integer.bitCount(bytes) == 1,
        name,
        bytes,
        "a power of two in 128..4096");
  }
}
