package io.github.bellwire.device.nic.driver;

import static io.github.bellwire.device.nic.driver.DriverBench.MS_PS;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.github.bellwire.device.nic.NicConfig;
import io.github.bellwire.host.HostConfig;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ReceiveAllocationTest {
  private static final int FRAMES = 60_000;

  private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  @ParameterizedTest
  @CsvSource({
    "POLL, 40000, 1, 0, 1",
    "POLL, 40000, 32, 8, 4",
    "INTERRUPT, 160000, 1, 0, 1",
    "NAPI, 160000, 1, 0, 1"
  })
  void shouldForwardWithoutAllocating(
      DriverMode mode, int warmUpFrames, int fetched, int threshold, int writtenBack) {
    // The kernel modes get few of the frames, so they need more of them until all is compiled.
    NicConfig nic = NicConfig.NIC_82599.withRxBatches(fetched, threshold, writtenBack);
    DriverBench bench =
        new DriverBench(HostConfig.GEN4_SERVER, nic, NicDriverConfig.forMode(mode), null, false);
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
