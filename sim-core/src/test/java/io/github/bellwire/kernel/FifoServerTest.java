package io.github.bellwire.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class FifoServerTest {
  private final Simulation simulation = new Simulation(1);
  private final FifoServer server = new FifoServer(simulation);

  private long serve(long arrivalPs, int caller, long servicePs) {
    long startPs = server.enter(arrivalPs, caller);
    server.leave(startPs + servicePs);
    return startPs;
  }

  @Test
  void shouldServeOneAfterTheOther() {
    assertThat(serve(100, 0, 50)).isEqualTo(100);
    assertThat(server.predecessor()).isEqualTo(FifoServer.NOBODY);
    assertThat(serve(120, 1, 50)).isEqualTo(150);
    assertThat(server.predecessor()).isZero();
    assertThat(serve(300, 2, 50)).isEqualTo(300);
    assertThat(server.idlePs()).isEqualTo(350);
  }

  @Test
  void shouldServeAnEarlierArrivalEarlierAndDelayThoseBehind() {
    serve(100, 0, 50);
    serve(160, 0, 50);

    // Behind the first, until 200; the second then ends at 250, and who arrives at 170 waits.
    assertThat(serve(110, 1, 50)).isEqualTo(150);
    assertThat(server.predecessor()).isZero();
    assertThat(serve(170, 2, 10)).isEqualTo(250);
    assertThat(server.idlePs()).isEqualTo(260);
  }

  @Test
  void shouldKeepAGapThatIsLongEnough() {
    serve(100, 0, 10);
    serve(200, 0, 10);

    assertThat(serve(120, 1, 50)).isEqualTo(120);
    assertThat(serve(205, 1, 50)).isEqualTo(210);
  }

  @Test
  void shouldBeBusyAsLongAsAnOrderedServerWhateverTheOrderOfCalls() {
    long seed = 7;
    SplittableRandom random = new SplittableRandom(seed);
    long[] arrivals = new long[500];
    for (int i = 0; i < arrivals.length; i++) {
      arrivals[i] = random.nextInt(30_000);
      serve(arrivals[i], 0, 50);
    }

    Arrays.sort(arrivals);
    long freePs = 0;
    for (long arrivalPs : arrivals) {
      freePs = Math.max(freePs, arrivalPs) + 50;
    }
    assertThat(server.idlePs()).as("seed %d", seed).isEqualTo(freePs);
  }

  @Test
  void shouldForgetWhatIsDone() {
    // Each arrives when the one before it has been served for 10 of 15 ps.
    for (int i = 0; i < 100_000; i++) {
      long arrivalPs = Math.max(0, 15L * i - 5);
      simulation.runUntil(arrivalPs);
      assertThat(serve(arrivalPs, i & 1, 15)).isEqualTo(15L * i);
    }
    simulation.runUntil(2_000_000);
    assertThat(server.idlePs()).isEqualTo(2_000_000);
    serve(2_000_000, 0, 1);
    assertThat(server.predecessor()).isEqualTo(1);
  }

  @Test
  void shouldRefuseToServeTwoAtOnce() {
    server.enter(1, 0);
    assertThatIllegalStateException().isThrownBy(() -> server.enter(2, 1));
    server.leave(3);
    assertThatIllegalStateException().isThrownBy(() -> server.leave(4));
  }
}
