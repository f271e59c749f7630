package io.github.bellwire.dma.check;

import java.util.Optional;

/**
 * What a driver, a device or an IOMMU driver can do wrong, each under an identifier that stays for
 * ever. Line numbers are those of kernel/dma/debug.c of Linux 6.12, whose checks are all here.
 */
public enum DmaViolation {
  /** Two live mappings into which devices write share a line. */
  OVERLAPPING_CACHE_LINES(
      "overlapping-cache-lines",
      "two live mappings that a device writes share a cache line",
      "debug.c:601"),
  /** More than seven. */
  TOO_MANY_OVERLAPS(
      "too-many-overlaps",
      "more than 7 live mappings share a cache line, which suggests a leak",
      "debug.c, active_cacheline_inc_overlap"),
  /** A leak of mappings. */
  DEVICE_UNBOUND_WITH_MAPPINGS(
      "device-unbound-with-mappings",
      "the driver let go of its device while memory was mapped",
      "debug.c:862"),
  /** The address that stands for a failure. */
  UNMAP_ERROR_ADDRESS(
      "unmap-error-address", "the address that stands for a failure was unmapped", "debug.c:973"),
  /** Twice, at a wrong address or for a wrong device. */
  UNMAP_NOT_MAPPED(
      "unmap-not-mapped",
      "memory was unmapped that is not mapped: twice, at a wrong address, for a wrong device",
      "debug.c:977"),
  /** Another length. */
  UNMAP_WRONG_SIZE(
      "unmap-wrong-size", "memory was unmapped with another length than mapped", "debug.c:987"),
  /** Single, list, coherent or shared. */
  UNMAP_WRONG_FUNCTION(
      "unmap-wrong-function",
      "memory was unmapped by the function for another kind of mapping",
      "debug.c:995"),
  /** Host and bus address do not belong together. */
  FREE_WRONG_CPU_ADDRESS(
      "free-wrong-cpu-address",
      "coherent memory was freed with another host address than allocated",
      "debug.c:1004"),
  /** Mapped segments instead of those added, mostly. */
  UNMAP_WRONG_SEGMENT_COUNT(
      "unmap-wrong-segment-count",
      "a list was unmapped with another number of segments than it was mapped with",
      "debug.c:1016"),
  /** Another direction. */
  UNMAP_WRONG_DIRECTION(
      "unmap-wrong-direction",
      "memory was unmapped with another direction than mapped",
      "debug.c:1027"),
  /** Nobody asked. */
  MAPPING_ERROR_UNCHECKED(
      "mapping-error-unchecked",
      "the driver never asked whether mapping had failed",
      "debug.c:1042"),
  /** Memory of a stack. */
  MAP_STACK_MEMORY("map-stack-memory", "memory of a stack was mapped", "debug.c:1072, 1082"),
  /** Memory of the kernel's image. */
  MAP_KERNEL_TEXT("map-kernel-text", "code or constants of the kernel were mapped", "debug.c:1092"),
  /** Nothing there. */
  SYNC_NOT_MAPPED("sync-not-mapped", "memory was synced that is not mapped", "debug.c:1108"),
  /** More than there is. */
  SYNC_OUTSIDE_MAPPING(
      "sync-outside-mapping", "a sync reached beyond the mapped range", "debug.c:1115"),
  /** Another direction. */
  SYNC_WRONG_DIRECTION(
      "sync-wrong-direction",
      "memory was synced with another direction than mapped",
      "debug.c:1129"),
  /** The device wrote nothing. */
  SYNC_FOR_CPU_OF_TO_DEVICE(
      "sync-for-cpu-of-to-device",
      "memory that the device only reads was synced for the host as if it had been written",
      "debug.c:1140"),
  /** The device reads nothing. */
  SYNC_FOR_DEVICE_OF_FROM_DEVICE(
      "sync-for-device-of-from-device",
      "memory that the device only writes was synced for the device as if it were read",
      "debug.c:1150"),
  /** Another number of segments. */
  SYNC_WRONG_SEGMENT_COUNT(
      "sync-wrong-segment-count",
      "a list was synced with another number of segments than it was mapped with",
      "debug.c:1160"),
  /** Longer than the device can. */
  SEGMENT_TOO_LONG(
      "segment-too-long", "a segment is longer than the device can handle", "debug.c:1181"),
  /** Across a boundary. */
  SEGMENT_CROSSES_BOUNDARY(
      "segment-crosses-boundary",
      "a segment crosses a boundary that the device cannot cross",
      "debug.c:1191"),
  /** No struct page. */
  MAP_NOT_LINEAR_MEMORY(
      "map-not-linear-memory",
      "memory outside the linear mapping of the kernel was mapped",
      "debug.c:1203"),
  /** Contiguous for the kernel only. */
  MAP_VMALLOC_MEMORY(
      "map-vmalloc-memory",
      "memory was mapped that is contiguous in the kernel's view only",
      "debug.c:1207; dma-mapping.h:381"),
  /** No streaming mask. */
  MAP_WITHOUT_MASK(
      "map-without-mask",
      "memory was mapped before the driver had said how wide the device's addresses are",
      "dma/mapping.c, missing DMA mask"),
  /** No coherent mask. */
  ALLOCATE_WITHOUT_MASK(
      "allocate-without-mask",
      "coherent memory was allocated before the driver had chosen a mask for it",
      "dma/mapping.c, missing coherent mask"),
  /** Out of reach and nothing to bounce with. */
  MAP_OVER_MASK(
      "map-over-mask",
      "memory was to be mapped that the device cannot reach, and could not be bounced",
      "direct.h:103"),
  /** No bounce slots. */
  SWIOTLB_EXHAUSTED(
      "swiotlb-exhausted",
      "there were no bounce slots left for a mapping",
      "swiotlb.c, buffer full"),
  /** Too large for bounce slots. */
  SWIOTLB_MAPPING_TOO_LARGE(
      "swiotlb-mapping-too-large",
      "a mapping to be bounced was larger than bounce slots in a row can hold",
      "swiotlb.c, IO_TLB_SEGSIZE"),
  /** The host does not own it. */
  CPU_ACCESS_DEVICE_OWNED(
      "cpu-access-device-owned",
      "a core touched a buffer that the device owns",
      DmaViolation.SIMULATOR),
  /** The device is done, and the driver knows, but the buffer has not changed hands. */
  SYNC_FOR_CPU_MISSING(
      "sync-for-cpu-missing",
      "a core read what the device has written without unmapping or a sync for the host",
      DmaViolation.SIMULATOR),
  /** The device does not own it. */
  SYNC_FOR_DEVICE_MISSING(
      "sync-for-device-missing",
      "the device used a buffer that the host had got by a sync and not given back",
      DmaViolation.SIMULATOR),
  /** Bytes beside a buffer. */
  CPU_WRITE_SHARED_LINE(
      "cpu-write-shared-line",
      "a core stored beside a buffer of a non-coherent device, into the same cache line",
      DmaViolation.SIMULATOR),
  /** The data may not be there yet. */
  READ_BEFORE_COMPLETION(
      "read-before-completion",
      "a core read what a device has written before anything had told it that it is there",
      DmaViolation.SIMULATOR),
  /** An address that means nothing. */
  DEVICE_ACCESS_UNMAPPED(
      "device-access-unmapped",
      "a device used an address at which it has never had anything mapped",
      DmaViolation.SIMULATOR),
  /** Too late. */
  DEVICE_ACCESS_AFTER_UNMAP(
      "device-access-after-unmap",
      "a device used memory after it had been unmapped",
      DmaViolation.SIMULATOR),
  /** Too late, and the IOMMU let it pass. */
  DEVICE_ACCESS_AFTER_UNMAP_CACHED(
      "device-access-after-unmap-cached",
      "a device used unmapped memory, which works only because the translation is still cached",
      DmaViolation.SIMULATOR),
  /** A translation protects whole pages only. */
  DEVICE_ACCESS_BEYOND_MAPPING(
      "device-access-beyond-mapping",
      "a device used bytes beside a mapping, in a page that is mapped",
      DmaViolation.SIMULATOR),
  /** Against the direction. */
  DEVICE_ACCESS_WRONG_DIRECTION(
      "device-access-wrong-direction",
      "a device wrote memory mapped to be read, or read memory mapped to be written",
      DmaViolation.SIMULATOR),
  /** Somebody else's by now, or soon. */
  DEVICE_ACCESS_FREED_MEMORY(
      "device-access-freed-memory",
      "a device used memory that had been given back to the page allocator",
      DmaViolation.SIMULATOR),
  /** Given back too early. */
  MEMORY_FREED_WHILE_MAPPED(
      "memory-freed-while-mapped",
      "memory was given back to the page allocator while it was mapped",
      DmaViolation.SIMULATOR),
  /** Nobody has put anything there. */
  DEVICE_READ_UNWRITTEN(
      "device-read-unwritten",
      "a device read bytes that nobody had written since they were allocated",
      DmaViolation.SIMULATOR),
  /** Or a barrier is missing. */
  DOORBELL_BEFORE_DESCRIPTOR(
      "doorbell-before-descriptor",
      "a descriptor was written after the device had been told of it",
      DmaViolation.SIMULATOR),
  /** Time of check, time of use. */
  DESCRIPTOR_FETCHED_TWICE(
      "descriptor-fetched-twice",
      "a device fetched a descriptor twice and found it changed",
      DmaViolation.SIMULATOR),
  /** The cache knows better. */
  PTE_CHANGED_WITHOUT_INVALIDATION(
      "pte-changed-without-invalidation",
      "a translation was changed and what may be cached of it not invalidated",
      DmaViolation.SIMULATOR),
  /** Nothing to flush. */
  NEEDLESS_GLOBAL_FLUSH(
      "needless-global-flush",
      "a whole translation cache was flushed though nothing had changed",
      DmaViolation.SIMULATOR),
  /** Bus addresses nobody gives back. */
  IOVA_LEAK(
      "iova-leak",
      "bus addresses stay allocated although nothing is mapped there",
      DmaViolation.SIMULATOR);

  private static final String SIMULATOR = "simulator only";

  private final String identifier;
  private final String sentence;
  private final String source;

  DmaViolation(String identifier, String sentence, String source) {
    this.identifier = identifier;
    this.sentence = sentence;
    this.source = source;
  }

  /**
   * {@return the violation with an identifier, if there is one}
   *
   * @param identifier as {@link #identifier()} gives it
   */
  public static Optional<DmaViolation> of(String identifier) {
    for (DmaViolation violation : values()) {
      if (violation.identifier.equals(identifier)) {
        return Optional.of(violation);
      }
    }
    return Optional.empty();
  }

  /** {@return the name that stays for ever: lower-case words with hyphens between} */
  public String identifier() {
    return identifier;
  }

  /** {@return what happened, in words} */
  public String sentence() {
    return sentence;
  }

  /** {@return where Linux makes this check; {@code simulator only} if it cannot} */
  public String source() {
    return source;
  }

  /** {@return whether Linux makes this check too} */
  public boolean isKnownToLinux() {
    return !source.equals(SIMULATOR);
  }
}
