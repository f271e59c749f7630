package io.github.bellwire.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class RandomStreamTest {
  @Test
  void shouldRepeatForTheSameSeedAndName() {
    RandomStream first = new Simulation(7).randomStream("nic0.traffic");
    RandomStream second = new Simulation(7).randomStream("nic0.traffic");

    for (int i = 0; i < 100; i++) {
      assertThat(first.nextLong()).isEqualTo(second.nextLong());
    }
  }

  @Test
  void shouldDifferBetweenSeedsAndBetweenNames() {
    long first = new Simulation(7).randomStream("a").nextLong();

    assertThat(new Simulation(8).randomStream("a").nextLong()).isNotEqualTo(first);
    assertThat(new Simulation(7).randomStream("b").nextLong()).isNotEqualTo(first);
  }

  @Test
  void shouldNotBeShiftedByAnotherStream() {
    Simulation simulation = new Simulation(7);
    RandomStream disturbed = simulation.randomStream("a");
    RandomStream other = simulation.randomStream("b");
    other.nextLong();

    assertThat(disturbed.nextLong()).isEqualTo(new Simulation(7).randomStream("a").nextLong());
  }

  @Test
  void shouldDrawTheseNumbersOnEveryJdk() {
    RandomStream random = new Simulation(42).randomStream("golden");
    byte[] bytes = new byte[3];

    // Derived by a separate program: FNV-1a of the name XOR the seed, then SplitMix64.
    assertThat(random.nextLong()).isEqualTo(8134469790158313673L);
    assertThat(random.nextInt(1000)).isEqualTo(585);
    assertThat(random.nextDouble()).isEqualTo(0.5841793934874582);
    random.nextBytes(bytes);
    assertThat(bytes).containsExactly(102, -68, -51);
  }

  @Test
  void shouldStayBelowTheBound() {
    RandomStream random = new Simulation(1).randomStream("bound");
    for (int i = 0; i < 1000; i++) {
      assertThat(random.nextInt(3)).isBetween(0, 2);
      assertThat(random.nextDouble()).isBetween(0.0, Math.nextDown(1.0));
    }
  }
}
