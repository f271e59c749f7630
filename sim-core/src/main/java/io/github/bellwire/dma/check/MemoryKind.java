package io.github.bellwire.dma.check;

/** Memory that must not be mapped for a device, as an operating system knows it. */
public enum MemoryKind {
  /** The stack of a task. */
  STACK(DmaViolation.MAP_STACK_MEMORY),
  /** Code or constants of the kernel. */
  KERNEL_TEXT(DmaViolation.MAP_KERNEL_TEXT),
  /** Pages that are contiguous in the kernel's view only. */
  VMALLOC(DmaViolation.MAP_VMALLOC_MEMORY),
  /** Memory without a place in the linear mapping. */
  NOT_LINEAR(DmaViolation.MAP_NOT_LINEAR_MEMORY);

  private final DmaViolation violation;

  MemoryKind(DmaViolation violation) {
    this.violation = violation;
  }

  DmaViolation violation() {
    return violation;
  }
}
