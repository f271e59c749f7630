package io.github.bellwire.device.nic.driver;

import static io.github.bellwire.device.nic.driver.DriverBench.MS_PS;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ReceiveAllocationTest {
  private static final int WARM_UP_FRAMES = 30_000;
  private static final int FRAMES = 60_000;

  private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  @ParameterizedTest
  @EnumSource(DriverMode.class)
  void shouldForwardWithoutAllocating(DriverMode mode) {
    DriverBench bench = new DriverBench(NicDriverConfig.forMode(mode));
    bench.driver.start(bench.port);
    Forwarder forwarder = new Forwarder(bench.driver.txRing(0), true);
    bench.startReceivers(forwarder);
    DriverBench.Feed warmUp = bench.feed(DriverBench.equalFrames(WARM_UP_FRAMES, 60));
    bench.runFor(6 * MS_PS);
    DriverBench.Feed feed = bench.feed(DriverBench.equalFrames(FRAMES, 60));
    long threadId = Thread.currentThread().getId();

    long before = threads.getThreadAllocatedBytes(threadId);
    bench.runFor(6 * MS_PS);
    long after = threads.getThreadAllocatedBytes(threadId);

    assertThat(warmUp.isDone()).isTrue();
    assertThat(feed.isDone()).isTrue();
    assertThat(after - before).isLessThan(1024);
    assertThat(bench.driver.txRing(0).framesTotal()).isPositive();
  }
}
