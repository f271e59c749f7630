package io.github.bellwire.examples.dmacheck;

import static io.github.bellwire.dma.DmaDirection.FROM_DEVICE;
import static io.github.bellwire.examples.dmacheck.BugMachine.PAGE_BYTES;

import io.github.bellwire.dma.check.DmaViolation;
import java.util.List;
import java.util.function.Consumer;

/** Bugs of the driver of an IOMMU, and those that an IOMMU hides. */
final class TranslationBugs {
  /** More than a flush queue keeps addresses. */
  private static final long LONG_PS = 50_000_000_000L;

  private TranslationBugs() {}

  static List<DriverBug> all() {
    return List.of(
        bug(
            DmaViolation.DEVICE_ACCESS_AFTER_UNMAP_CACHED,
            m -> receiveAfterUnmap(m, true),
            m -> receiveAfterUnmap(m, false)),
        bug(
            DmaViolation.PTE_CHANGED_WITHOUT_INVALIDATION,
            m -> changePage(m, false),
            m -> changePage(m, true)),
        bug(DmaViolation.NEEDLESS_GLOBAL_FLUSH, m -> flush(m, false), m -> flush(m, true)),
        bug(DmaViolation.IOVA_LEAK, m -> mapAndUnmap(m, true), m -> mapAndUnmap(m, false)));
  }

  private static DriverBug bug(
      DmaViolation violation, Consumer<BugMachine> faulty, Consumer<BugMachine> repaired) {
    return new DriverBug(violation, BugMachine::translated, faulty, repaired);
  }

  /** The device has used the page before, so its translation is cached. */
  private static void receiveAfterUnmap(BugMachine m, boolean unmapsEarly) {
    long iova = m.map(m.allocate(PAGE_BYTES), PAGE_BYTES, FROM_DEVICE);
    m.postReceive(iova, 64);
    m.await();
    m.translation().forgetsInvalidation = unmapsEarly;
    m.postReceive(iova, 64);
    if (unmapsEarly) {
      m.unmap(iova, PAGE_BYTES, FROM_DEVICE);
    }
    m.await();
    if (!unmapsEarly) {
      m.unmap(iova, PAGE_BYTES, FROM_DEVICE);
    }
    m.translation().forgetsInvalidation = false;
  }

  private static void changePage(BugMachine m, boolean invalidates) {
    long iova = m.map(m.allocate(PAGE_BYTES), PAGE_BYTES, FROM_DEVICE);
    m.postReceive(iova, 64);
    m.await();
    m.translation().change(iova, m.allocate(PAGE_BYTES));
    if (invalidates) {
      m.translation().flush(m.cpu.nowPs());
    }
    m.postReceive(iova, 64);
    m.await();
    m.unmap(iova, PAGE_BYTES, FROM_DEVICE);
  }

  private static void flush(BugMachine m, boolean isNeeded) {
    m.translation().forgetsInvalidation = isNeeded;
    m.unmap(m.map(m.allocate(PAGE_BYTES), PAGE_BYTES, FROM_DEVICE), PAGE_BYTES, FROM_DEVICE);
    m.translation().flush(m.cpu.nowPs());
  }

  private static void mapAndUnmap(BugMachine m, boolean forgetsIova) {
    m.translation().forgetsIova = forgetsIova;
    m.unmap(m.map(m.allocate(PAGE_BYTES), PAGE_BYTES, FROM_DEVICE), PAGE_BYTES, FROM_DEVICE);
    m.translation().forgetsIova = false;
    m.cpu.delay(LONG_PS);
  }
}
