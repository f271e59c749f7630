package io.github.bellwire.examples.dmacheck;

import static io.github.bellwire.dma.DmaDirection.FROM_DEVICE;
import static io.github.bellwire.examples.dmacheck.BugMachine.PAGE_BYTES;

import io.github.bellwire.dma.check.DmaViolation;
import io.github.bellwire.iommu.driver.TableList;
import io.github.bellwire.iommu.layout.SecondLevelLayout;
import java.util.List;
import java.util.function.Consumer;

/** Bugs of the driver of an IOMMU, and those that an IOMMU hides. */
final class TranslationBugs {
  /** More than a flush queue keeps addresses. */
  private static final long LONG_PS = 50_000_000_000L;

  private TranslationBugs() {}

  static List<DriverBug> all() {
    return List.of(
        new DriverBug(
            DmaViolation.DEVICE_ACCESS_AFTER_UNMAP_CACHED,
            BugMachine::lazy,
            m -> receiveTwice(m, true),
            m -> receiveTwice(m, false)),
        bug(
            DmaViolation.PTE_CHANGED_WITHOUT_INVALIDATION,
            m -> receiveElsewhere(m, false),
            m -> receiveElsewhere(m, true)),
        bug(DmaViolation.NEEDLESS_GLOBAL_FLUSH, m -> flush(m, false), m -> flush(m, true)),
        bug(DmaViolation.IOVA_LEAK, m -> mapAndUnmap(m, true), m -> mapAndUnmap(m, false)));
  }

  private static DriverBug bug(
      DmaViolation violation, Consumer<BugMachine> faulty, Consumer<BugMachine> repaired) {
    return new DriverBug(violation, BugMachine::strict, faulty, repaired);
  }

  /** The device has used the page before, so its translation is cached until a flush. */
  private static void receiveTwice(BugMachine m, boolean unmapsEarly) {
    long iova = m.map(m.allocate(PAGE_BYTES), PAGE_BYTES, FROM_DEVICE);
    m.postReceive(iova, 64);
    m.await();
    if (unmapsEarly) {
      m.unmap(iova, PAGE_BYTES, FROM_DEVICE);
    }
    m.postReceive(iova, 64);
    m.await();
    if (!unmapsEarly) {
      m.unmap(iova, PAGE_BYTES, FROM_DEVICE);
    }
  }

  private static void receiveElsewhere(BugMachine m, boolean invalidates) {
    long iova = m.map(m.allocate(PAGE_BYTES), PAGE_BYTES, FROM_DEVICE);
    m.postReceive(iova, 64);
    m.await();
    moveTo(m, iova, m.allocate(PAGE_BYTES));
    if (invalidates) {
      m.flush();
    }
    m.postReceive(iova, 64);
    m.await();
    m.unmap(iova, PAGE_BYTES, FROM_DEVICE);
  }

  private static void flush(BugMachine m, boolean isNeeded) {
    long iova = m.map(m.allocate(PAGE_BYTES), PAGE_BYTES, FROM_DEVICE);
    if (isNeeded) {
      moveTo(m, iova, m.allocate(PAGE_BYTES));
    }
    m.flush();
    m.unmap(iova, PAGE_BYTES, FROM_DEVICE);
  }

  /** Lets a page that is mapped lead elsewhere; caches may hold where it has led. */
  private static void moveTo(BugMachine m, long iova, long pa) {
    TableList replaced = new TableList();
    m.domain().tables().tryMap(m.cpu, iova, pa, PAGE_BYTES, SecondLevelLayout.WRITE, replaced);
  }

  private static void mapAndUnmap(BugMachine m, boolean forgetsAddresses) {
    long iova = m.map(m.allocate(PAGE_BYTES), PAGE_BYTES, FROM_DEVICE);
    m.mapper().forgetsAddresses = forgetsAddresses;
    m.unmap(iova, PAGE_BYTES, FROM_DEVICE);
    m.mapper().forgetsAddresses = false;
    m.cpu.delay(LONG_PS);
  }
}
