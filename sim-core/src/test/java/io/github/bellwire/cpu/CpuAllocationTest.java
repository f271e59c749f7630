package io.github.bellwire.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.github.bellwire.pcie.PcieLinkConfig;
import io.github.bellwire.pcie.RecordingEndpoint;
import io.github.bellwire.pcie.TestFabric;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Test;

/** Running routines, polling and interrupts allocate nothing on the heap of the host. */
class CpuAllocationTest {
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
  private static final long ROUNDS = 200_000;
  private static final long ROUND_PS = 10_000_000;

  private final TestMachine machine = new TestMachine();
  private final byte[] status = {1};

  @Test
  void shouldAllocateNothingPerRoutine() {
    RecordingEndpoint endpoint = machine.fabric.plug(PcieLinkConfig.GEN3_X8);
    endpoint.stopRecording();
    new Routine(machine.core) {
      @Override
      protected void run(CpuPort port) {
        port.store(0x1000, 8, port.load(0x1008, 8));
        port.compute(100);
        port.mmioWrite(TestFabric.BAR, 4, 1);
        port.mmioRead(TestFabric.BAR, 4);
        wakeAt(port.nowPs() + ROUND_PS / 2);
      }
    }.wakeAt(0);
    // Due while the other one runs.
    new Routine(machine.core) {
      @Override
      protected void run(CpuPort port) {
        port.delay(1_000_000);
        wakeAt(port.nowPs() + ROUND_PS / 3);
      }
    }.wakeAt(1);

    assertAllocatesNothing();
  }

  @Test
  void shouldAllocateNothingPerPollAndInterrupt() {
    RecordingEndpoint endpoint = machine.fabric.plug(PcieLinkConfig.GEN3_X8);
    new PollLoop(machine.core, 1) {
      @Override
      protected boolean poll(CpuPort port) {
        return port.load(0x1000, 1) == 0;
      }

      @Override
      protected long watchedPa(int index) {
        return 0x1000;
      }
    }.wakeAt(0);
    machine.fabric.memory.putByte(0x1000, 1);
    Routine[] handler = new Routine[1];
    InterruptVector[] vector = new InterruptVector[1];
    handler[0] =
        new Routine(machine.otherCore) {
          @Override
          protected void run(CpuPort port) {
            port.delay(1_000);
            long atPs = port.nowPs() + ROUND_PS / 2;
            endpoint.dma().writeStatus(0x1000, status, 0, 1, atPs);
            endpoint.dma().sendMessage(vector[0].address(), vector[0].data(), atPs);
          }
        };
    vector[0] = machine.interrupts.allocate(machine.otherCore, handler[0]);
    handler[0].wakeAt(0);

    assertAllocatesNothing();
  }

  @Test
  void shouldAllocateNothingPerAccessToDeviceMemory() {
    RecordingEndpoint endpoint = machine.fabric.plug(PcieLinkConfig.GEN3_X8);
    endpoint.stopRecording();
    byte[] bytes = new byte[256];
    new Routine(machine.core) {
      @Override
      protected void run(CpuPort port) {
        port.wcStore(TestFabric.BAR + 8, bytes, 0, 200);
        port.fence();
        port.movdir64b(TestFabric.BAR, bytes, 0);
        port.mmioWrite(TestFabric.BAR, bytes, 0, 24);
        port.mmioRead(TestFabric.BAR, bytes, 0, 24);
        port.wcLoad(TestFabric.BAR, bytes, 0, 256);
        port.copy(0x1000, 0x3000, 256);
        wakeAt(port.nowPs() + ROUND_PS / 2);
      }
    }.wakeAt(0);

    assertAllocatesNothing();
  }

  private void assertAllocatesNothing() {
    machine.simulation.runUntil(ROUNDS / 10 * ROUND_PS);
    THREADS.getCurrentThreadAllocatedBytes();

    long before = THREADS.getCurrentThreadAllocatedBytes();
    machine.simulation.runUntil((ROUNDS / 10 + ROUNDS) * ROUND_PS);
    long after = THREADS.getCurrentThreadAllocatedBytes();

    assertThat(after - before).isLessThan(1024);
    assertThat(machine.simulation.eventsTotal()).isGreaterThan(ROUNDS);
  }
}
