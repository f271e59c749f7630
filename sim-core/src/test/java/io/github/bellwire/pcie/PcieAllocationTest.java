package io.github.bellwire.pcie;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Accesses of devices and cores allocate nothing on the heap of the host. */
class PcieAllocationTest {
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
  private static final int CALLS = 500_000;

  private final TestFabric fabric = new TestFabric();
  private final RecordingEndpoint endpoint = fabric.plug(PcieLinkConfig.GEN3_X8);
  private final DmaPort dma = endpoint.dma();
  private final byte[] buffer = new byte[512];
  private long donePs;
  private long seenPs;

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

  @ParameterizedTest
  @ValueSource(ints = {3, 6})
  void shouldAllocateNothingWithEverythingOn(int generation) {
    PcieLinkConfig link =
        PcieLinkConfig.GEN3_X8
            .withGeneration(PcieGeneration.of(generation))
            .withDllpCharge(PcieLinkConfig.DllpCharge.OPPOSITE)
            .withCompletionCut(CompletionCut.RANDOM)
            .withEcrc(true)
            .withFlowControl(
                new FlowControlConfig(
                    FlowControlCredits.XEON_C5500_X8, FlowControlCredits.P_TILE, 10_000))
            .withFaults(new LinkFaultConfig(1e-6, 0.01, 0.01, 0.01, 0.01, 1_000));
    RecordingEndpoint faulty = fabric.plug(link);
    DmaPort port = faulty.dma();
    fabric
        .port(1)
        .listen((header01, header23, sentPs, effectivePs) -> seenPs = sentPs + effectivePs);
    fabric
        .port(1)
        .errors()
        .listen((error, header01, header23, atPs) -> seenPs = header01 ^ header23 ^ atPs);

    assertAllocatesNothing(
        () -> {
          long atPs = Math.max(fabric.simulation.nowPs(), port.tagFreePs());
          fabric.simulation.runUntil(atPs);
          port.write(0x1010, buffer, 0, 300, atPs, TlpAttributes.RELAXED_ORDERING);
          port.read(0x1010, buffer, 0, 300, atPs, TlpAttributes.NO_SNOOP);
          donePs = port.writeStatus(0x2010, buffer, 0, 16, atPs);
          fabric.simulation.runUntil(donePs);
        });
    assertThat(fabric.port(1).errors().total(PcieError.BAD_TLP)).isPositive();
    assertThat(fabric.port(1).errors().total(PcieError.MALFORMED_TLP)).isPositive();
    assertThat(seenPs).isNotZero();
  }

  @Test
  void shouldAllocateNothingBehindASwitchAndBetweenPeers() {
    TestFabric other = new TestFabric();
    Switch packetSwitch = other.rootComplex.attach(SwitchConfig.PEX89048.withPortsCount(3));
    MemoryEndpoint first = new MemoryEndpoint();
    MemoryEndpoint second = new MemoryEndpoint();
    MemoryEndpoint removable = new MemoryEndpoint();
    packetSwitch.attach(first, PcieLinkConfig.GEN3_X8);
    packetSwitch.attach(second, PcieLinkConfig.GEN3_X8);
    SlotConfig slot = SlotConfig.SURPRISE.withLinkUpPs(0);
    packetSwitch.addSlot(slot, PcieLinkConfig.GEN3_X8).insert(removable);
    other.simulation.run();
    new BusEnumerator(EnumerationConfig.XEON).enumerate(other.rootComplex);
    first.enableBusMaster();
    removable.enableBusMaster();
    long peer = second.barAddress();
    InterruptSink none = (requesterId, address, data, atPs) -> seenPs = atPs;
    other.interruptsTo(none);

    assertAllocatesNothing(
        () -> {
          long nowPs = other.simulation.nowPs();
          first.dma().write(0x1010, buffer, 0, 300, nowPs);
          first.dma().write(peer, buffer, 0, 300, nowPs);
          removable.dma().write(0x2010, buffer, 0, 300, nowPs);
          removable.dma().sendMessage(RootComplex.INTERRUPT_BASE, 1, nowPs);
          first.dma().read(0x1010, buffer, 0, 300, nowPs);
          first.dma().read(1L << 31, buffer, 0, 4, nowPs);
          donePs = first.dma().read(peer, buffer, 0, 300, nowPs);
          other.simulation.runUntil(donePs);
        },
        CALLS / 10);
    assertThat(second.lastReadPs()).isPositive();
  }

  private void assertAllocatesNothing(Runnable operation) {
    assertAllocatesNothing(operation, CALLS);
  }

  private void assertAllocatesNothing(Runnable operation, int calls) {
    repeat(operation, calls / 10);
    THREADS.getCurrentThreadAllocatedBytes();

    // The second round counts too: compiling the loop anew may allocate a little in the first.
    long fewest =
        Math.min(allocatedBytes(operation, calls / 2), allocatedBytes(operation, calls / 2));

    // The bean itself may allocate a little.
    assertThat(fewest).isLessThan(1024);
  }

  private static long allocatedBytes(Runnable operation, int calls) {
    long before = THREADS.getCurrentThreadAllocatedBytes();
    repeat(operation, calls);
    return THREADS.getCurrentThreadAllocatedBytes() - before;
  }

  private static void repeat(Runnable operation, int calls) {
    for (int i = 0; i < calls; i++) {
      operation.run();
    }
  }
}
