package io.github.bellwire.iommu.queue;

import static io.github.bellwire.iommu.layout.RegisterLayout.CCMD_ACTUAL_SHIFT;
import static io.github.bellwire.iommu.layout.RegisterLayout.CCMD_FUNCTION_MASK_SHIFT;
import static io.github.bellwire.iommu.layout.RegisterLayout.CCMD_GRANULARITY_SHIFT;
import static io.github.bellwire.iommu.layout.RegisterLayout.CCMD_INVALIDATE;
import static io.github.bellwire.iommu.layout.RegisterLayout.CCMD_SOURCE_ID_SHIFT;
import static io.github.bellwire.iommu.layout.RegisterLayout.IOTLB_ACTUAL_SHIFT;
import static io.github.bellwire.iommu.layout.RegisterLayout.IOTLB_DOMAIN_SHIFT;
import static io.github.bellwire.iommu.layout.RegisterLayout.IOTLB_GRANULARITY_SHIFT;
import static io.github.bellwire.iommu.layout.RegisterLayout.IOTLB_INVALIDATE;
import static io.github.bellwire.iommu.layout.RegisterLayout.IVA_ADDRESS_MASK;

import io.github.bellwire.iommu.layout.InvalidationDescriptorLayout;

/**
 * Invalidation by registers, one command at a time: context command and IOTLB registers (VT-d
 * specification 4.1, section 6.5.1). The write of the upper half starts it. While there is a queue,
 * these registers do nothing and say so: the granularity of what was done is 0.
 */
final class InvalidationRegisters {
  private static final int TWO_BITS = 3;
  private static final int ID_MASK = 0xFFFF;
  private static final long LOW_MASK = 0xFFFF_FFFFL;

  private final InvalidationConfig config;
  private final CacheInvalidations commands;
  private long contextCommand;
  private long contextDonePs;
  private long iotlbCommand;
  private long iotlbDonePs;
  private long address;

  InvalidationRegisters(InvalidationConfig config, CacheInvalidations commands) {
    this.config = config;
    this.commands = commands;
  }

  long contextCommand(long atPs) {
    return atPs < contextDonePs ? contextCommand | CCMD_INVALIDATE : contextCommand;
  }

  long iotlbCommand(long atPs) {
    return atPs < iotlbDonePs ? iotlbCommand | IOTLB_INVALIDATE : iotlbCommand;
  }

  void writeAddress(boolean isHigh, int value) {
    address = half(address, isHigh, value);
  }

  void writeContextCommand(boolean isHigh, int value, boolean isQueued, long atPs) {
    long written = half(contextCommand, isHigh, value);
    contextCommand = written & ~CCMD_INVALIDATE & ~((long) TWO_BITS << CCMD_ACTUAL_SHIFT);
    int granularity = field(written, CCMD_GRANULARITY_SHIFT, TWO_BITS);
    if ((written & CCMD_INVALIDATE) == 0 || isQueued || granularity == 0) {
      return;
    }
    contextDonePs = Math.max(atPs, contextDonePs) + config.contextPs();
    commands.contexts(
        granularity,
        (int) written & ID_MASK,
        field(written, CCMD_SOURCE_ID_SHIFT, ID_MASK),
        field(written, CCMD_FUNCTION_MASK_SHIFT, TWO_BITS),
        contextDonePs);
    contextCommand |= (long) granularity << CCMD_ACTUAL_SHIFT;
  }

  void writeIotlbCommand(boolean isHigh, int value, boolean isQueued, long atPs) {
    long written = half(iotlbCommand, isHigh, value);
    iotlbCommand = written & ~IOTLB_INVALIDATE & ~((long) TWO_BITS << IOTLB_ACTUAL_SHIFT);
    int granularity = field(written, IOTLB_GRANULARITY_SHIFT, TWO_BITS);
    if ((written & IOTLB_INVALIDATE) == 0 || isQueued || granularity == 0) {
      return;
    }
    boolean isTooWide = (address & IVA_ADDRESS_MASK) > config.addressMaskMax();
    int actual =
        granularity == InvalidationDescriptorLayout.IOTLB_PAGE && isTooWide
            ? InvalidationDescriptorLayout.DOMAIN
            : granularity;
    iotlbDonePs = Math.max(atPs, iotlbDonePs) + config.iotlbPs();
    int domainId = field(written, IOTLB_DOMAIN_SHIFT, ID_MASK);
    commands.iotlb(actual, domainId, address, iotlbDonePs);
    iotlbCommand |= (long) actual << IOTLB_ACTUAL_SHIFT;
  }

  private static long half(long whole, boolean isHigh, int value) {
    return isHigh
        ? whole & LOW_MASK | (long) value << Integer.SIZE
        : whole & ~LOW_MASK | value & LOW_MASK;
  }

  private static int field(long word, int shift, int mask) {
    return (int) (word >>> shift) & mask;
  }
}
