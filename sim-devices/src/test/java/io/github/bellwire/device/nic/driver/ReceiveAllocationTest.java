package io.github.bellwire.device.nic.driver;

import static io.github.bellwire.device.nic.driver.DriverBench.MS_PS;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ReceiveAllocationTest {
  private static final int FRAMES = 60_000;

  private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  @ParameterizedTest
  @CsvSource({"POLL, 40000", "INTERRUPT, 160000", "NAPI, 160000"})
  void shouldForwardWithoutAllocating(DriverMode mode, int warmUpFrames) {
    // The kernel modes get few of the frames, so they need more of them until all is compiled.
    DriverBench bench = new DriverBench(NicDriverConfig.forMode(mode));
    bench.driver.start(bench.port);
    Forwarder forwarder = new Forwarder(bench.driver.txRing(0), true);
    bench.startReceivers(forwarder);
    DriverBench.Feed warmUp = bench.feed(DriverBench.equalFrames(warmUpFrames, 60));
    bench.runFor(12 * MS_PS);
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
