package io.github.bellwire.examples.host;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.bellwire.cpu.SynchronousPort;
import io.github.bellwire.dma.BounceBufferPool;
import io.github.bellwire.dma.DmaDevice;
import io.github.bellwire.dma.DmaDirection;
import io.github.bellwire.dma.DmaMapper;
import io.github.bellwire.dma.check.DmaViolation;
import io.github.bellwire.examples.report.Report;
import io.github.bellwire.host.Host;
import io.github.bellwire.host.HostConfig;
import io.github.bellwire.pcie.Bdf;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class HostCheckerTest {
  private static final int BYTES = BounceBufferPool.MAPPING_BYTES_MAX;

  private final Host host = new Host(HostConfig.GEN4_SERVER, 1);
  private final SynchronousPort cpu = host.synchronousPort(0);
  private DmaDevice device;

  @BeforeEach
  void setUp() {
    host.attachChecker();
    device = host.newDmaDevice(DmaMapper.IDENTITY, new Bdf(1, 0, 0));
    device.trySetMask(32);
  }

  @Test
  void shouldExcuseNothingButWhatItIsTold() {
    exhaustBounceMemory();

    assertThat(report(DmaViolation.UNMAP_NOT_MAPPED).isOk()).isFalse();
    Report excused = report(DmaViolation.SWIOTLB_EXHAUSTED);
    assertThat(excused.isOk()).isTrue();
    assertThat(excused.metrics()).containsEntry("dma_mistakes_count", 0L);
  }

  @Test
  void shouldReportAMistakeBesideWhatIsExcused() {
    exhaustBounceMemory();
    device.unmapSingle(cpu, 0, BYTES, DmaDirection.TO_DEVICE);

    Report report = report(DmaViolation.SWIOTLB_EXHAUSTED);

    assertThat(report.isOk()).isFalse();
    assertThat(report.metrics()).containsEntry("dma_mistakes_count", 1L);
    assertThat(report.checks().get(0).detail())
        .startsWith("1 reports; the first: unmap-not-mapped: ");
  }

  /** Out of the device's reach, the largest mappings take all of the pool, and one more fails. */
  private void exhaustBounceMemory() {
    int count = BounceBufferPool.SIZE_BYTES_DEFAULT / BYTES + 1;
    for (int i = 0; i < count; i++) {
      long pa = host.pages().allocate(BYTES);
      device.mapSingle(cpu, pa, BYTES, DmaDirection.TO_DEVICE);
    }
    assertThat(host.bounceBuffers().exhaustedCount()).isEqualTo(1);
  }

  private Report report(DmaViolation excused) {
    Report report = new Report();
    HostChecker.addTo(report, host, excused);
    return report;
  }
}
