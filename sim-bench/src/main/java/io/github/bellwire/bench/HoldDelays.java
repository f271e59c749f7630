package io.github.bellwire.bench;

import java.util.SplittableRandom;

/** The delays of the hold model: a table drawn once, read cyclically. */
final class HoldDelays {
  private static final int LENGTH = 65_536;
  private static final long SEED = 42;

  private final long[] table = new long[LENGTH];
  private int cursor;

  /**
   * Draws a table.
   *
   * @param law {@code exp}: exponential, mean 1 us; {@code const}: 1 us +- 5 %; {@code mix}: 60 %
   *     short hops of 250 ps to 16 ns on a grid of 250 ps, 30 % memory and link latencies of 0.1 to
   *     1 us, 10 % timers of 1 to 100 us
   */
  HoldDelays(String law) {
    SplittableRandom random = new SplittableRandom(SEED);
    for (int i = 0; i < LENGTH; i++) {
      table[i] =
          switch (law) {
            case "exp" -> (long) Math.floor(-Math.log(1 - random.nextDouble()) * 1e6) + 1;
            case "const" -> (long) Math.floor(1e6 * (0.95 + 0.1 * random.nextDouble()));
            case "mix" -> mixedPs(random);
            default -> throw new IllegalArgumentException("law must be known: law=" + law);
          };
    }
  }

  long nextPs() {
    return table[cursor++ & (LENGTH - 1)];
  }

  private static long mixedPs(SplittableRandom random) {
    int kind = random.nextInt(10);
    if (kind < 6) {
      return 250L * (1 + random.nextInt(64));
    }
    return kind < 9 ? 100_000 + random.nextInt(900_000) : 1_000_000 + random.nextInt(99_000_000);
  }
}
