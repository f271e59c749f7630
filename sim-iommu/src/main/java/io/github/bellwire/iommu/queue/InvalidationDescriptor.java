package io.github.bellwire.iommu.queue;

import static io.github.bellwire.iommu.layout.InvalidationDescriptorLayout.*;
import static io.github.bellwire.iommu.layout.RegisterLayout.QUEUE_ERROR_RESERVED;
import static io.github.bellwire.iommu.layout.RegisterLayout.QUEUE_ERROR_TYPE;
import static io.github.bellwire.iommu.layout.RegisterLayout.QUEUE_ERROR_WIDTH;

import io.github.bellwire.memory.PhysicalMemory;
import io.github.bellwire.pcie.TranslationRequest;

/**
 * A descriptor of the invalidation queue as fetched, whatever its bits are; reused for every one.
 */
final class InvalidationDescriptor {
  static final int OK = 0;

  private static final int PAGE_SHIFT = 12;

  /** Addresses have at most 57 bits: this is all of them. */
  private static final int SIZE_SHIFT_MAX = 62;

  // Bits that are zero, by type. Bits 11:9 of word 0 belong to the type.
  private static final long[] RESERVED_0 = {
    0,
    0xFFFC_0000_0000_F1C0L,
    0xFFFF_FFFF_0000_F100L,
    0x000F_0000_FFE0_01F0L,
    0xFFFF_0000_07FF_F1E0L,
    0x0000_0000_FFFF_F100L,
    0xFFF0_0000_0000_F1C0L,
    0xFFF0_0000_0000_F1C0L,
    0,
    0xFFF0_0000_0000_01C0L
  };
  private static final long[] RESERVED_1 = {
    0, -1, 0xF80, 0xFFE, -1, 0x3, 0xF80, -1, 0x7FE, 0xFFFF_FFFF_FFFF_F003L
  };

  private long word0;
  private long word1;
  private long rest;
  private boolean isWide;

  /** Takes the bytes from memory, all of which is RAM. */
  void load(PhysicalMemory memory, long pa, boolean newIsWide) {
    isWide = newIsWide;
    word0 = memory.getLong(pa);
    word1 = memory.getLong(pa + 8);
    rest = isWide ? memory.getLong(pa + 16) | memory.getLong(pa + 24) : 0;
  }

  /**
   * {@return what is wrong, a constant {@code QUEUE_ERROR_...}, or OK}
   *
   * @param addressMaskMax largest that the unit knows
   */
  int check(int addressMaskMax) {
    int type = type();
    if (type < CONTEXT || type > PAGE_GROUP_RESPONSE || (word0 & TYPE_HIGH_MASK) != 0) {
      return QUEUE_ERROR_TYPE;
    }
    if (type > WAIT && !isWide) {
      return QUEUE_ERROR_WIDTH;
    }
    boolean isReserved =
        (word0 & RESERVED_0[type]) != 0
            || (word1 & RESERVED_1[type]) != 0
            || rest != 0 && type != PAGE_GROUP_RESPONSE
            || !isGranularityKnown()
            || hasAddressMask() && (word1 & ADDRESS_MASK) > addressMaskMax;
    return isReserved ? QUEUE_ERROR_RESERVED : OK;
  }

  private boolean isGranularityKnown() {
    return switch (type()) {
      case CONTEXT, IOTLB -> granularity() != 0;
      case PASID_IOTLB -> granularity() >= PASID_ALL;
      case PASID_CACHE -> granularity() != 2;
      default -> true;
    };
  }

  private boolean hasAddressMask() {
    return type() == IOTLB && granularity() == IOTLB_PAGE
        || type() == PASID_IOTLB && granularity() == PASID_PAGE;
  }

  int type() {
    return (int) (word0 & TYPE_MASK);
  }

  int granularity() {
    return field(word0, GRANULARITY_SHIFT, GRANULARITY_MASK);
  }

  int domainId() {
    return field(word0, DOMAIN_SHIFT, ID_MASK);
  }

  int pasid() {
    return field(word0, PASID_SHIFT, PASID_MASK);
  }

  /** {@return address, hint and mask of types 2 and 6} */
  long pages() {
    return word1;
  }

  int contextSource() {
    return field(word0, CONTEXT_SOURCE_SHIFT, ID_MASK);
  }

  int contextFunctionMask() {
    return field(word0, CONTEXT_FUNCTION_MASK_SHIFT, 3);
  }

  boolean isInterruptSelective() {
    return (word0 & INTERRUPT_SELECTIVE) != 0;
  }

  int interruptIndex() {
    return field(word0, INTERRUPT_INDEX_SHIFT, ID_MASK);
  }

  int interruptMask() {
    return field(word0, INTERRUPT_MASK_SHIFT, INTERRUPT_MASK_MASK);
  }

  int deviceSource() {
    boolean hasPasid = type() == PASID_DEVICE_TLB;
    return field(word0, hasPasid ? PASID_DEVICE_SOURCE_SHIFT : DEVICE_SOURCE_SHIFT, ID_MASK);
  }

  /** {@return whose entries in a device are meant} */
  int devicePasid() {
    boolean isOfPasid = type() == PASID_DEVICE_TLB && (word1 & PASID_DEVICE_GLOBAL) == 0;
    return isOfPasid ? pasid() : TranslationRequest.NO_PASID;
  }

  /** {@return log2 of the bytes meant in a device, 12..62} */
  int deviceSizeShift() {
    long large = type() == PASID_DEVICE_TLB ? PASID_DEVICE_SIZE : DEVICE_SIZE;
    if ((word1 & large) == 0) {
      return PAGE_SHIFT;
    }
    int shift = PAGE_SHIFT + 1 + Long.numberOfTrailingZeros(~(word1 >>> PAGE_SHIFT));
    return Math.min(shift, SIZE_SHIFT_MAX);
  }

  /** {@return the first byte meant in a device, a multiple of the size} */
  long deviceAddress() {
    int shift = deviceSizeShift();
    return shift == SIZE_SHIFT_MAX ? 0 : word1 & -1L << shift;
  }

  boolean hasStatusWrite() {
    return (word0 & WAIT_STATUS_WRITE) != 0;
  }

  boolean hasInterrupt() {
    return (word0 & WAIT_INTERRUPT) != 0;
  }

  long statusAddress() {
    return word1 & WAIT_ADDRESS;
  }

  int statusData() {
    return (int) (word0 >>> WAIT_DATA_SHIFT);
  }

  int responseRequester() {
    return field(word0, RESPONSE_REQUESTER_SHIFT, ID_MASK);
  }

  int responsePasid() {
    return (word0 & RESPONSE_PASID_PRESENT) != 0 ? pasid() : TranslationRequest.NO_PASID;
  }

  int responseGroup() {
    return field(word1, RESPONSE_GROUP_SHIFT, RESPONSE_GROUP_MASK);
  }

  int responseCode() {
    return field(word0, RESPONSE_CODE_SHIFT, RESPONSE_CODE_MASK);
  }

  private static int field(long word, int shift, int mask) {
    return (int) (word >>> shift) & mask;
  }
}
