package io.github.bellwire.pcie;

/**
 * What goes wrong on a link, by chance. Chances are per bit or per TLP, from 0 to below 1, drawn
 * from the simulation's seed: the same seed gives the same faults.
 *
 * @param bitErrorRatio bits that arrive wrong, after forward error correction in FLIT mode;
 *     0..0.0001. The data link layer makes them good by replay
 * @param poisonedRatio TLPs with data whose sender marks it as bad (EP)
 * @param corruptedRatio TLPs with a bit wrong beyond the protection of the link, as in the buffer
 *     of a switch: only ECRC detects it
 * @param malformedRatio TLPs that break the rules of their format
 * @param lostRatio read requests and completions that get lost
 * @param retrainPs how long the link is down when four replays in a row have failed, 0..1 s
 */
public record LinkFaultConfig(
    double bitErrorRatio,
    double poisonedRatio,
    double corruptedRatio,
    double malformedRatio,
    double lostRatio,
    long retrainPs) {
  private static final double BIT_ERROR_MAX = 1e-4;
  private static final long RETRAIN_MAX_PS = 1_000_000_000_000L;

  /** Nothing goes wrong. Retraining would take 10 us (assumption: a short way through Recovery). */
  public static final LinkFaultConfig NONE = new LinkFaultConfig(0, 0, 0, 0, 0, 10_000_000);

  // Checked here and nowhere else: a configuration that exists is a valid one.
  public LinkFaultConfig {
    if (!(bitErrorRatio >= 0 && bitErrorRatio <= BIT_ERROR_MAX)) {
      throw new IllegalArgumentException(
          "bitErrorRatio must be 0.." + BIT_ERROR_MAX + ": bitErrorRatio=" + bitErrorRatio);
    }
    requireChance(poisonedRatio, "poisonedRatio");
    requireChance(corruptedRatio, "corruptedRatio");
    requireChance(malformedRatio, "malformedRatio");
    requireChance(lostRatio, "lostRatio");
    double sum = poisonedRatio + corruptedRatio + malformedRatio + lostRatio;
    if (sum > 1) {
      throw new IllegalArgumentException("sum of ratios must be <= 1: sum of ratios=" + sum);
    }
    if (retrainPs < 0 || retrainPs > RETRAIN_MAX_PS) {
      throw new IllegalArgumentException(
          "retrainPs must be 0.." + RETRAIN_MAX_PS + ": retrainPs=" + retrainPs);
    }
  }

  /**
   * {@return this configuration with another bit error ratio}
   *
   * @param newBitErrorRatio as in the constructor
   */
  public LinkFaultConfig withBitErrorRatio(double newBitErrorRatio) {
    return new LinkFaultConfig(
        newBitErrorRatio, poisonedRatio, corruptedRatio, malformedRatio, lostRatio, retrainPs);
  }

  /**
   * {@return this configuration with another share of poisoned TLPs}
   *
   * @param newPoisonedRatio as in the constructor
   */
  public LinkFaultConfig withPoisonedRatio(double newPoisonedRatio) {
    return new LinkFaultConfig(
        bitErrorRatio, newPoisonedRatio, corruptedRatio, malformedRatio, lostRatio, retrainPs);
  }

  /**
   * {@return this configuration with another share of corrupted TLPs}
   *
   * @param newCorruptedRatio as in the constructor
   */
  public LinkFaultConfig withCorruptedRatio(double newCorruptedRatio) {
    return new LinkFaultConfig(
        bitErrorRatio, poisonedRatio, newCorruptedRatio, malformedRatio, lostRatio, retrainPs);
  }

  /**
   * {@return this configuration with another share of malformed TLPs}
   *
   * @param newMalformedRatio as in the constructor
   */
  public LinkFaultConfig withMalformedRatio(double newMalformedRatio) {
    return new LinkFaultConfig(
        bitErrorRatio, poisonedRatio, corruptedRatio, newMalformedRatio, lostRatio, retrainPs);
  }

  /**
   * {@return this configuration with another share of lost TLPs}
   *
   * @param newLostRatio as in the constructor
   */
  public LinkFaultConfig withLostRatio(double newLostRatio) {
    return new LinkFaultConfig(
        bitErrorRatio, poisonedRatio, corruptedRatio, malformedRatio, newLostRatio, retrainPs);
  }

  /**
   * {@return this configuration with another time to retrain}
   *
   * @param newRetrainPs as in the constructor
   */
  public LinkFaultConfig withRetrainPs(long newRetrainPs) {
    return new LinkFaultConfig(
        bitErrorRatio, poisonedRatio, corruptedRatio, malformedRatio, lostRatio, newRetrainPs);
  }

  private static void requireChance(double value, String name) {
    if (!(value >= 0 && value < 1)) {
      throw new IllegalArgumentException(name + " must be 0 to below 1: " + name + "=" + value);
    }
  }
}
