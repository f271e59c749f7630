package io.github.bellwire.iommu.queue;

import static io.github.bellwire.iommu.layout.RegisterLayout.FECTL;
import static io.github.bellwire.iommu.layout.RegisterLayout.FRCD;
import static io.github.bellwire.iommu.layout.RegisterLayout.FSTS;
import static io.github.bellwire.iommu.layout.RegisterLayout.IQT;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.github.bellwire.iommu.layout.FaultReason;
import io.github.bellwire.iommu.layout.InvalidationDescriptorLayout;
import io.github.bellwire.pcie.TranslationRequest;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Test;

class QueueAllocationTest {
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private final QueueFixture unit = new QueueFixture();
  private int tail;

  /** Invalidations and waits as a driver submits them that never looks at the head, and faults. */
  private void exercise(int times) {
    for (int i = 0; i < times; i++) {
      unit.descriptor(tail, InvalidationDescriptorLayout.IOTLB | 2 << 4, 0);
      long wait =
          InvalidationDescriptorLayout.WAIT | InvalidationDescriptorLayout.WAIT_STATUS_WRITE;
      unit.descriptor(tail + 1, wait, QueueFixture.STATUS);
      tail = tail + 2 & 255;
      unit.write4(IQT, tail * 16);
      unit.faults.onFault(
          FaultReason.READ_DENIED,
          i & 0xFFFF,
          TranslationRequest.NO_PASID,
          i * 4096L,
          false,
          unit.simulation.nowPs() + 100_000);
      unit.simulation.runUntil(unit.simulation.nowPs() + 1_000_000);
      if (i % 16 == 0) { // After four records and twelve that are lost.
        for (int record = 0; record < QueueFixture.RECORDS; record++) {
          unit.write4(FRCD + record * 16 + 12, 1 << 31);
        }
        unit.write4(FSTS, 1);
      }
    }
  }

  @Test
  void shouldAllocateNothingOnceThePeakIsReached() {
    unit.enableQueue(false);
    unit.unmask(FECTL);
    unit.quiet();
    exercise(5_000);
    THREADS.getCurrentThreadAllocatedBytes();

    // The least of three: the virtual machine itself may allocate once for code it links late.
    long least = Long.MAX_VALUE;
    for (int round = 0; round < 3; round++) {
      long before = THREADS.getCurrentThreadAllocatedBytes();
      exercise(10_000);
      least = Math.min(least, THREADS.getCurrentThreadAllocatedBytes() - before);
    }

    assertThat(least).isLessThan(1024);
    assertThat(unit.registers.invalidationQueue().descriptorsTotal()).isEqualTo(70_000);
    assertThat(unit.faults.droppedTotal()).isPositive();
    assertThat(unit.faults.messagesTotal()).isGreaterThan(1_000);
  }
}
