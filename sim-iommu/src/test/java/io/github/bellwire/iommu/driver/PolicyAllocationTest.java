package io.github.bellwire.iommu.driver;

import static io.github.bellwire.dma.DmaDirection.FROM_DEVICE;
import static io.github.bellwire.dma.DmaDirection.TO_DEVICE;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.github.bellwire.cpu.CpuPort;
import io.github.bellwire.cpu.Routine;
import io.github.bellwire.dma.ScatterList;
import java.lang.management.ManagementFactory;
import java.util.function.Consumer;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Mapping and unmapping allocate nothing on the heap of the host, in routines and outside. */
class PolicyAllocationTest {
  private static final int CALLS = 32;
  private static final int RUNS = 40;

  @ParameterizedTest
  @EnumSource(
      value = MappingPolicy.class,
      names = {"PASSTHROUGH", "LAZY", "STRICT", "STRICT_BOUNCE"})
  void shouldAllocateNothingPerMapping(MappingPolicy policy) {
    PolicyMachine machine = new PolicyMachine(policy);
    long pa = machine.host.pages().allocate(16_384);
    ScatterList list = new ScatterList(3);
    list.add(pa + 100, 500);
    list.add(pa + 4096, 4096);
    list.add(pa + 12_288, 1000);
    Consumer<CpuPort> work =
        port -> {
          for (int i = 0; i < CALLS; i++) {
            long iova = machine.dma.mapSingle(port, pa + 64, 1500, FROM_DEVICE);
            machine.dma.mapScatterList(port, list, TO_DEVICE);
            machine.dma.unmapScatterList(port, list, TO_DEVICE);
            machine.dma.unmapSingle(port, iova, 1500, FROM_DEVICE);
          }
        };

    Routine routine =
        new Routine(machine.host.core(1)) {
          @Override
          protected void run(CpuPort port) {
            work.accept(port);
          }
        };
    assertAllocatesNothing(
        () -> {
          routine.wakeAt(machine.nowPs());
          machine.port.delay(1_000_000_000);
        });
    assertAllocatesNothing(() -> work.accept(machine.port));
    assertThat(machine.dma.mapsCount()).isGreaterThan(8L * RUNS * CALLS);
    assertThat(machine.dma.mappingErrorsCount()).isZero();
  }

  private static void assertAllocatesNothing(Runnable work) {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long bytes = Long.MAX_VALUE;
    // Pools grow and the compiler may allocate in the first rounds.
    for (int round = 0; round < 4; round++) {
      long before = threads.getCurrentThreadAllocatedBytes();
      for (int run = 0; run < RUNS; run++) {
        work.run();
      }
      bytes = Math.min(bytes, threads.getCurrentThreadAllocatedBytes() - before);
    }
    assertThat(bytes / (RUNS * CALLS)).isZero();
  }
}
