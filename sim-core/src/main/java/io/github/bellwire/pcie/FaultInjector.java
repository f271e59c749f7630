package io.github.bellwire.pcie;

import io.github.bellwire.kernel.RandomStream;

/**
 * Decides what happens to each TLP of one direction: by chance, or what a test has asked for.
 * Allocates nothing after construction. Confined to the simulation thread.
 */
public final class FaultInjector {
  private final RandomStream random;
  // Upper ends of the intervals of a number from 0 to 1.
  private final double poisonedBelow;
  private final double corruptedBelow;
  private final double malformedBelow;
  private final double lostBelow;
  private TlpFault forced = TlpFault.NONE;
  private int forcedAfter;
  private boolean isArmed;
  private Changes changes = new Changes();

  FaultInjector(LinkFaultConfig config, RandomStream random) {
    this.random = random;
    poisonedBelow = config.poisonedRatio();
    corruptedBelow = poisonedBelow + config.corruptedRatio();
    malformedBelow = corruptedBelow + config.malformedRatio();
    lostBelow = malformedBelow + config.lostRatio();
    isArmed = lostBelow > 0;
  }

  /**
   * Lets one of the next TLPs meet a fault, whatever chance says.
   *
   * @param fault what happens; what cannot happen to that TLP does not
   * @param after how many TLPs pass before it, 0 for the next one
   */
  public void inject(TlpFault fault, int after) {
    if (after < 0) {
      throw new IllegalArgumentException("after must be >= 0: after=" + after);
    }
    forced = fault;
    forcedAfter = after;
    isArmed = true;
    changes.add();
  }

  /** Lets a fabric know from now on whenever the injector has been armed. */
  void tell(Changes fabricChanges) {
    changes = fabricChanges;
  }

  /** {@return whether {@link #next} is to be asked} */
  boolean isArmed() {
    return isArmed;
  }

  /**
   * {@return what happens to the next TLP}
   *
   * @param isWrite whether it is a posted write
   * @param hasData whether it carries data
   */
  TlpFault next(boolean isWrite, boolean hasData) {
    TlpFault fault = draw();
    if (fault == TlpFault.POISONED && !hasData || fault == TlpFault.LOST && isWrite) {
      return TlpFault.NONE;
    }
    return fault;
  }

  /** {@return a bit of a payload to go wrong, 0 to below its length in bits} */
  int nextBit(int lengthBytes) {
    return random.nextInt(lengthBytes * Byte.SIZE);
  }

  private TlpFault draw() {
    if (forced != TlpFault.NONE && forcedAfter-- == 0) {
      TlpFault fault = forced;
      forced = TlpFault.NONE;
      isArmed = lostBelow > 0;
      return fault;
    }
    if (lostBelow == 0) {
      return TlpFault.NONE;
    }
    double chance = random.nextDouble();
    if (chance >= lostBelow) {
      return TlpFault.NONE;
    }
    if (chance < poisonedBelow) {
      return TlpFault.POISONED;
    }
    if (chance < corruptedBelow) {
      return TlpFault.CORRUPTED;
    }
    return chance < malformedBelow ? TlpFault.MALFORMED : TlpFault.LOST;
  }
}
