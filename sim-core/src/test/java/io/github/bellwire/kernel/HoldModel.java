package io.github.bellwire.kernel;

import java.util.SplittableRandom;

/** Delays drawn from the laws that the event queue is measured with. */
final class HoldModel {
  private static final int DELAYS = 65_536;

  private HoldModel() {}

  static long[] delaysPs(String law, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    long[] delaysPs = new long[DELAYS];
    for (int i = 0; i < DELAYS; i++) {
      delaysPs[i] =
          switch (law) {
            case "exp" -> (long) (-Math.log(1 - random.nextDouble()) * 1e6) + 1;
            case "const" -> (long) (1e6 * (0.95 + 0.1 * random.nextDouble()));
            case "mix" -> mixed(random);
            case "equal" -> 0;
            case "steps" -> 1_000L * random.nextInt(3);
            case "wide" -> random.nextLong() >>> (2 + random.nextInt(62)); // up to 2^62
            default -> throw new IllegalArgumentException("law must be known: law=" + law);
          };
    }
    return delaysPs;
  }

  private static long mixed(SplittableRandom random) {
    int kind = random.nextInt(10);
    if (kind < 6) {
      return 250L * (1 + random.nextInt(64));
    }
    return kind < 9 ? 100_000 + random.nextInt(900_000) : 1_000_000 + random.nextInt(99_000_000);
  }
}
