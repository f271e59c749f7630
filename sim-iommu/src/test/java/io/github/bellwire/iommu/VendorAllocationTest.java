package io.github.bellwire.iommu;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.github.bellwire.iommu.driver.DeviceTraits;
import io.github.bellwire.iommu.driver.DmaDomain;
import io.github.bellwire.iommu.driver.IommuDriver;
import io.github.bellwire.iommu.driver.IommuDriverConfig;
import io.github.bellwire.iommu.driver.MappingPolicy;
import io.github.bellwire.iommu.driver.TableList;
import io.github.bellwire.pcie.AddressType;
import io.github.bellwire.pcie.TranslationRequest;
import io.github.bellwire.pcie.TranslationResult;
import java.lang.management.ManagementFactory;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Translation by the tables of other architectures, with hits, misses and faults. */
class VendorAllocationTest {
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
  private static final int REQUESTS = 20_000;
  private static final int PAGES = 4096;
  private static final long IOVA = 1L << 30;

  private final TranslationRequest request = new TranslationRequest();
  private final TranslationResult result = new TranslationResult();
  private long atPs;

  @Test
  void shouldAllocateNothingOnAmd() {
    check(IommuPresets.AMD_MILAN, IommuDriverConfig.AMD_VI);
  }

  @Test
  void shouldAllocateNothingOnSmmu() {
    check(IommuPresets.SMMUV3_GRACE, IommuDriverConfig.ARM64_SMMU);
  }

  private void check(IommuConfig config, IommuDriverConfig kernel) {
    VendorMachine machine = new VendorMachine(config);
    IommuDriver driver =
        new IommuDriver(machine.host, config, kernel.withLargestPageLevel(1), List.of());
    driver.start(machine.core, false);
    DmaDomain domain = driver.newDomain(machine.core, MappingPolicy.STRICT);
    domain.tables().tryMap(machine.core, IOVA, 1L << 32, PAGES * 4096L - 4096, 3, new TableList());
    driver.attach(machine.core, machine.deviceId, domain, DeviceTraits.INTERNAL);
    atPs = machine.host.simulation().nowPs();
    run(machine);
    THREADS.getCurrentThreadAllocatedBytes();

    long least = Long.MAX_VALUE;
    for (int round = 0; round < 3; round++) {
      long before = THREADS.getCurrentThreadAllocatedBytes();
      run(machine);
      least = Math.min(least, THREADS.getCurrentThreadAllocatedBytes() - before);
    }

    assertThat(least).isZero();
    assertThat(machine.iommu.statistics().walksTotal()).isGreaterThan(REQUESTS);
    assertThat(machine.iommu.faultsTotal()).isPositive();
  }

  private void run(VendorMachine machine) {
    request.from(machine.deviceId, TranslationRequest.NO_PASID, AddressType.UNTRANSLATED);
    for (int i = 0; i < REQUESTS; i++) {
      atPs += 10_000;
      boolean faults = i % 1024 == 0;
      long iova = IOVA + (faults ? PAGES - 1 : (i / 2 * 7) % 4000) * 4096L;
      request.access(iova, 64, i % 4 == 0, atPs);
      machine.iommu.translate(request, result);
      if (i % 1024 == 512) {
        machine.host.simulation().runUntil(atPs);
      }
    }
  }
}
