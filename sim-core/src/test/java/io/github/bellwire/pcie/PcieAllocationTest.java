package io.github.bellwire.pcie;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Test;

/** Accesses of devices and cores allocate nothing on the heap of the host. */
class PcieAllocationTest {
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
  private static final int CALLS = 500_000;

  private final TestFabric fabric = new TestFabric();
  private final RecordingEndpoint endpoint = fabric.plug(PcieLinkConfig.GEN3_X8);
  private final DmaPort dma = endpoint.dma();
  private final byte[] buffer = new byte[512];
  private long donePs;

  @Test
  void shouldAllocateNothingPerRead() {
    assertAllocatesNothing(() -> donePs = dma.read(0x1010, buffer, 0, 300, donePs));
  }

  @Test
  void shouldAllocateNothingPerWrite() {
    assertAllocatesNothing(() -> donePs = dma.write(0x1010, buffer, 0, 300, donePs));
  }

  @Test
  void shouldAllocateNothingPerStatusWrite() {
    assertAllocatesNothing(
        () -> {
          donePs = dma.writeStatus(0x1010, buffer, 0, 300, donePs);
          fabric.simulation.runUntil(donePs - 10_000);
        });
  }

  @Test
  void shouldAllocateNothingPerRefusal() {
    assertAllocatesNothing(
        () -> {
          donePs = dma.read(1L << 31, buffer, 0, 64, donePs);
          donePs = dma.write(1L << 31, buffer, 0, 64, donePs);
        });
  }

  @Test
  void shouldAllocateNothingPerRegisterAccess() {
    endpoint.stopRecording();
    MmioResult result = new MmioResult();
    assertAllocatesNothing(
        () -> {
          long nowPs = fabric.simulation.nowPs();
          fabric.rootComplex.mmioWrite(TestFabric.BAR, 4, 1, nowPs);
          fabric.rootComplex.mmioWrite(TestFabric.BAR + 4, 4, 2, nowPs);
          fabric.rootComplex.mmioRead(TestFabric.BAR, 4, nowPs, result);
        });
    assertThat(endpoint.accessesTotal()).isEqualTo(3L * (CALLS + CALLS / 10));
  }

  private void assertAllocatesNothing(Runnable operation) {
    repeat(operation, CALLS / 10);
    THREADS.getCurrentThreadAllocatedBytes();

    long before = THREADS.getCurrentThreadAllocatedBytes();
    repeat(operation, CALLS);
    long after = THREADS.getCurrentThreadAllocatedBytes();

    // The bean itself may allocate a little.
    assertThat(after - before).isLessThan(1024);
  }

  private static void repeat(Runnable operation, int calls) {
    for (int i = 0; i < calls; i++) {
      operation.run();
    }
  }
}
