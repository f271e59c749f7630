package io.github.bellwire.iommu.queue;

import static io.github.bellwire.iommu.layout.RegisterLayout.*;

import io.github.bellwire.iommu.layout.RegisterLayout;
import io.github.bellwire.iommu.walk.TranslationConfig;

/** The capability registers: what is modelled, as far as the configuration switches it on. */
final class Capabilities {
  private static final int DOMAIN_BITS_BASE = 4;
  private static final int OFFSET_UNIT_SHIFT = 4;
  private static final int PASID_BITS = 20;
  private static final long DRAIN = 3L << 54;
  private static final long HANDLE_MASK_MAX = 15;
  private static final long SNOOP_CONTROL = 1L << 7;

  private Capabilities() {}

  /** {@return register CAP} */
  static long cap(
      RegisterConfig registers, InvalidationConfig invalidation, TranslationConfig translation) {
    TranslationConfig.Capabilities can = translation.capabilities();
    boolean hasGib = (can.superPages() & TranslationConfig.PAGES_1_GIB) != 0;
    boolean hasFive = (can.addressWidths() & TranslationConfig.WIDTH_57) != 0;
    return (registers.domainIdBits() - DOMAIN_BITS_BASE) / 2 << CAP_DOMAINS_SHIFT
        | (registers.hasProtectedMemory() ? CAP_PROTECTED_LOW | CAP_PROTECTED_HIGH : 0)
        | (long) can.addressWidths() << CAP_LEVELS_SHIFT
        | can.maxAddressBits() - 1L << CAP_ADDRESS_WIDTH_SHIFT
        | CAP_ZERO_LENGTH_READ
        | (long) FRCD >>> OFFSET_UNIT_SHIFT << CAP_FAULT_OFFSET_SHIFT
        | (long) can.superPages() << Long.numberOfTrailingZeros(CAP_SECOND_LEVEL_2M)
        | CAP_PAGE_SELECTIVE
        | registers.faultRecordsCount() - 1L << CAP_FAULT_COUNT_SHIFT
        | (long) invalidation.addressMaskMax() << CAP_ADDRESS_MASK_SHIFT
        | DRAIN
        | (can.isScalable() && hasGib ? CAP_FIRST_LEVEL_1G : 0)
        | (can.isScalable() && hasFive ? CAP_FIRST_LEVEL_5 : 0);
  }

  /** {@return register ECAP} */
  static long ecap(RegisterConfig registers, TranslationConfig translation) {
    TranslationConfig.Capabilities can = translation.capabilities();
    long scalable =
        ECAP_SCALABLE_MODE
            | ECAP_FIRST_LEVEL
            | ECAP_SECOND_LEVEL
            | ECAP_NESTED
            | ECAP_PASID
            | PASID_BITS - 1L << ECAP_PASID_SIZE_SHIFT;
    return (can.isSnooped() ? ECAP_COHERENT : 0)
        | ECAP_QUEUED_INVALIDATION
        | (can.hasDeviceTlbs() ? ECAP_DEVICE_TLB : 0)
        | ECAP_INTERRUPT_REMAPPING
        | ECAP_EXTENDED_INTERRUPTS
        | (can.hasPassThrough() ? ECAP_PASS_THROUGH : 0)
        | SNOOP_CONTROL
        | (long) RegisterLayout.IVA >>> OFFSET_UNIT_SHIFT << ECAP_IOTLB_OFFSET_SHIFT
        | HANDLE_MASK_MAX << ECAP_HANDLE_MASK_SHIFT
        | (registers.hasPageRequests() ? ECAP_PAGE_REQUESTS : 0)
        | (can.isScalable() ? scalable : 0);
  }
}
