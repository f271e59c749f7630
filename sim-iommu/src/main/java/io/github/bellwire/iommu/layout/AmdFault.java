package io.github.bellwire.iommu.layout;

/** Why AMD-Vi has blocked a request (publication 48882, section 2.5). */
public enum AmdFault implements FaultCode {
  /** The device table entry is illegal, or beyond the table. */
  ILLEGAL_DEVICE_ENTRY(AmdLayout.ILLEGAL_DEVICE_ENTRY, 0, false),

  /** There is no page. */
  PAGE_NOT_PRESENT(AmdLayout.PAGE_FAULT, 0, true),

  /** There is a page without the right. */
  ACCESS_DENIED(AmdLayout.PAGE_FAULT, AmdLayout.EVENT_PRESENT | AmdLayout.EVENT_DENIED, true),

  /** Reserved bits are set in a table, or a level is illegal. */
  PAGE_ENTRY_RESERVED(
      AmdLayout.PAGE_FAULT, AmdLayout.EVENT_PRESENT | AmdLayout.EVENT_RESERVED, true),

  /** The device table cannot be accessed. */
  DEVICE_TABLE_ERROR(AmdLayout.DEVICE_TABLE_ERROR, 0, false),

  /** A page table cannot be accessed. */
  PAGE_TABLE_ERROR(AmdLayout.PAGE_TABLE_ERROR, 0, false),

  /** The device may not send such a request. */
  INVALID_DEVICE_REQUEST(AmdLayout.INVALID_DEVICE_REQUEST, 0, false);

  private final int code;
  private final long flags;
  private final boolean isPageFault;

  AmdFault(int code, long flags, boolean isPageFault) {
    this.code = code;
    this.flags = flags;
    this.isPageFault = isPageFault;
  }

  @Override
  public int code() {
    return code;
  }

  /** {@return what it adds to word 0 of an event} */
  public long flags() {
    return flags;
  }

  @Override
  public boolean isQualified() {
    return isPageFault;
  }

  @Override
  public boolean isAnswer() {
    return this == PAGE_NOT_PRESENT || this == ACCESS_DENIED;
  }
}
