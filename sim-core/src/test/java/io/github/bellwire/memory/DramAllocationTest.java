package io.github.bellwire.memory;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Test;

class DramAllocationTest {
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
  private static final int REQUESTS = 20_000;

  private long random = 88172645463325252L;
  private long sum;

  @Test
  void shouldSubmitWithoutAllocating() {
    DramQueue dram =
        new DramQueue(
            DramConfig.of(DramTiming.DDR4_3200), (tag, accepted, done) -> sum += done - accepted);
    long[] atPs = new long[1];

    assertAllocatesNothing(
        () -> {
          for (int i = 0; i < REQUESTS; i++) {
            atPs[0] = dram.submit(next(), i % 3 == 0, i, atPs[0]);
          }
        });
  }

  @Test
  void shouldAnswerWithoutAllocating() {
    DramController dram = DramConfig.of(DramTiming.DDR4_3200).withChannels(2, 2).newController();
    long[] atPs = new long[1];

    assertAllocatesNothing(
        () -> {
          for (int i = 0; i < REQUESTS; i++) {
            long pa = next();
            sum += i % 3 == 0 ? dram.write(pa, 64, atPs[0]) : dram.read(pa, 256, atPs[0] - i % 7);
            atPs[0] += 30_000;
          }
        });
  }

  private long next() {
    random ^= random << 13;
    random ^= random >>> 7;
    random ^= random << 17;
    return random & (1L << 33) - 1;
  }

  private static void assertAllocatesNothing(Runnable run) {
    run.run();
    THREADS.getCurrentThreadAllocatedBytes();

    long before = THREADS.getCurrentThreadAllocatedBytes();
    run.run();
    long after = THREADS.getCurrentThreadAllocatedBytes();

    assertThat(after - before).isLessThan(1024);
  }
}
