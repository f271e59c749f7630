package io.github.bellwire.pcie;

import static io.github.bellwire.kernel.Requirements.require;

/**
 * A slot from which a device may be pulled and into which one may be put while the machine runs.
 * Construction throws {@link IllegalArgumentException} naming the property, the bound it breaks and
 * its value.
 *
 * @param number physical slot number, 0..8191
 * @param surpriseExpected the Hot-Plug Surprise bit: a link that goes down is then an event of the
 *     slot and no error; otherwise it is a Surprise Down error as well
 * @param linkUpPs from putting a device in to its link being up, 0..1 s
 */
public record SlotConfig(int number, boolean surpriseExpected, long linkUpPs) {
  private static final int NUMBER_MAX = 8191;
  private static final long LINK_UP_MAX_PS = 1_000_000_000_000L;

  /**
   * Slot 1, surprise removal expected. The link is up 100 ms after a device has been put in:
   * assumption, the time that software waits at most for it (PCI Express Base Specification 5.0,
   * section 6.6.1).
   */
  public static final SlotConfig SURPRISE = new SlotConfig(1, true, 100_000_000_000L);

  // Checked here and nowhere else: a configuration that exists is a valid one.
  public SlotConfig {
    require(number >= 0 && number <= NUMBER_MAX, "number", number, "0.." + NUMBER_MAX);
    require(
        linkUpPs >= 0 && linkUpPs <= LINK_UP_MAX_PS, "linkUpPs", linkUpPs, "0.." + LINK_UP_MAX_PS);
  }

  /**
   * {@return this slot with another number}
   *
   * @param newNumber 0..8191
   */
  public SlotConfig withNumber(int newNumber) {
    return new SlotConfig(newNumber, surpriseExpected, linkUpPs);
  }

  /**
   * {@return this slot with or without the Hot-Plug Surprise bit}
   *
   * @param newSurpriseExpected the bit
   */
  public SlotConfig withSurpriseExpected(boolean newSurpriseExpected) {
    return new SlotConfig(number, newSurpriseExpected, linkUpPs);
  }

  /**
   * {@return this slot with another time until the link is up}
   *
   * @param newLinkUpPs 0..1 s
   */
  public SlotConfig withLinkUpPs(long newLinkUpPs) {
    return new SlotConfig(number, surpriseExpected, newLinkUpPs);
  }
}
