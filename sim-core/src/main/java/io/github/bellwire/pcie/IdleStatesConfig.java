package io.github.bellwire.pcie;

import java.util.List;

/**
 * How a root complex sleeps when nothing goes through it, and wakes up for the next request. How
 * deep it sleeps is the choice of firmware that nobody outside can predict, so it is drawn.
 *
 * @param idlePs how long nothing must have come in, 1 ps..1 s
 * @param states how it may sleep; none means that it never does
 */
public record IdleStatesConfig(long idlePs, List<State> states) {
  private static final long TIME_MAX_PS = 1_000_000_000_000L;
  private static final int MILLION = 1_000_000;

  /** Never sleeps. */
  public static final IdleStatesConfig NONE = new IdleStatesConfig(TIME_MAX_PS, List.of());

  /**
   * A Xeon E3-1226 v3 in a server of which the study says that it is not fit for PCIe measurements:
   * the steps of the distribution of latencies of 64-byte reads, 8 KiB window, warm
   * (lat_dma_details of pcie-bench/data at b2abf2f), less 530 ns awake. The share of the last one,
   * 2 ms, lies between 0.9 and 3 per mille in different runs. After which time it sleeps is an
   * assumption.
   */
  public static final IdleStatesConfig E3_1226_V3 =
      new IdleStatesConfig(
          300_000,
          List.of(
              new State(0, 6_500),
              new State(680_000, 627_000),
              new State(1_310_000, 100_000),
              new State(1_500_000, 120_000),
              new State(1_680_000, 85_000),
              new State(2_950_000, 25_500),
              new State(4_150_000, 22_000),
              new State(5_200_000, 6_000),
              new State(6_300_000, 4_000),
              new State(11_500_000, 2_500),
              new State(2_009_000_000, 1_500)));

  /**
   * One way to sleep.
   *
   * @param exitPs from the request that wakes it up until that goes on, 0..1 s
   * @param perMillion how often this state is chosen, at least 1
   */
  public record State(long exitPs, int perMillion) {
    // Checked here and nowhere else.
    public State {
      if (exitPs < 0 || exitPs > TIME_MAX_PS) {
        throw new IllegalArgumentException(
            "exitPs must be 0.." + TIME_MAX_PS + ": exitPs=" + exitPs);
      }
      if (perMillion < 1) {
        throw new IllegalArgumentException("perMillion must be >= 1: perMillion=" + perMillion);
      }
    }
  }

  // Checked here and nowhere else: a configuration that exists is a valid one.
  public IdleStatesConfig {
    states = List.copyOf(states);
    if (idlePs < 1 || idlePs > TIME_MAX_PS) {
      throw new IllegalArgumentException("idlePs must be 1.." + TIME_MAX_PS + ": idlePs=" + idlePs);
    }
    int sum = states.stream().mapToInt(State::perMillion).sum();
    if (!states.isEmpty() && sum != MILLION) {
      throw new IllegalArgumentException("states must be chosen in 1000000 parts: sum=" + sum);
    }
  }
}
