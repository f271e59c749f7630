package io.github.bellwire.iommu.walk;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.github.bellwire.pcie.AddressType;
import io.github.bellwire.pcie.TranslationRequest;
import io.github.bellwire.pcie.TranslationResult;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Test;

class TranslationAllocationTest {
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
  private static final long IOVA = 0x4000_0000L;
  private static final int REQUESTS = 20_000;
  private static final int PAGES = 64;

  private final WalkFixture fixture = new WalkFixture(WalkFixture.SMALL);
  private final TranslationRequest request = new TranslationRequest();
  private final TranslationResult result = new TranslationResult();
  private long atPs;
  private int faultsCount;

  @Test
  void shouldAllocateNothingOnHitsMissesInvalidationsAndFaults() {
    TranslationUnit unit =
        new TranslationUnit(
            WalkFixture.SMALL,
            fixture.commits,
            fixture,
            (reason, sourceId, pasid, address, isWrite, faultPs) -> faultsCount++);
    unit.setRootTable(fixture.root, 0);
    unit.setEnabled(true);
    long tables = fixture.legacy();
    for (int i = 0; i < PAGES; i++) {
      fixture.map(tables, 4, IOVA + i * 0x1000L, 0x200_0000L, 1, 1);
    }
    run(unit);
    THREADS.getCurrentThreadAllocatedBytes();

    // The least of three: the virtual machine itself may allocate once for code it links late.
    long least = Long.MAX_VALUE;
    for (int round = 0; round < 3; round++) {
      long before = THREADS.getCurrentThreadAllocatedBytes();
      run(unit);
      least = Math.min(least, THREADS.getCurrentThreadAllocatedBytes() - before);
    }

    assertThat(least).isZero();
    assertThat(unit.statistics().iotlbHitsTotal()).isGreaterThan(REQUESTS);
    assertThat(unit.statistics().walksTotal()).isGreaterThan(REQUESTS / 4);
    assertThat(faultsCount).isGreaterThan(REQUESTS / 10);
  }

  private void run(TranslationUnit unit) {
    request.from(WalkFixture.SOURCE, TranslationRequest.NO_PASID, AddressType.UNTRANSLATED);
    for (int i = 0; i < REQUESTS; i++) {
      atPs += 10_000;
      int page = i / 4 * 7 & PAGES - 1;
      request.access(IOVA + page * 0x1000L, 64, i % 16 == 0, atPs);
      unit.translate(request, result);
      if (i % 64 == 0) {
        unit.caches().invalidateIotlbPages(WalkFixture.DOMAIN, IOVA, 3, true, atPs + 500_000);
        unit.caches().invalidateContextsOfDomain(WalkFixture.DOMAIN, atPs + 500_000);
      }
    }
  }
}
