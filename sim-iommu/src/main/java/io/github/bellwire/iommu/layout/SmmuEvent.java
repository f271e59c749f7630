package io.github.bellwire.iommu.layout;

/** Why SMMUv3 has blocked a request (Arm IHI 0070, section 7.3). */
public enum SmmuEvent implements FaultCode {
  /** C_BAD_STREAMID: the stream table has no such entry. */
  BAD_STREAM_ID(0x02, false),

  /** F_STE_FETCH: the stream table is not in memory. */
  STREAM_FETCH(0x03, false),

  /** C_BAD_STE: the stream table entry is illegal. */
  BAD_STREAM_ENTRY(0x04, false),

  /** F_BAD_ATS_TREQ: the device may not ask for translations. */
  BAD_TRANSLATION_REQUEST(0x05, false),

  /** F_STREAM_DISABLED: the stream does nothing without a SubstreamID. */
  STREAM_DISABLED(0x06, false),

  /** C_BAD_SUBSTREAMID: there is no such context. */
  BAD_SUBSTREAM_ID(0x08, false),

  /** F_CD_FETCH: the context descriptor is not in memory. */
  CONTEXT_FETCH(0x09, false),

  /** C_BAD_CD: the context descriptor is illegal. */
  BAD_CONTEXT(0x0A, false),

  /** F_WALK_EABT: a table is not in memory. */
  WALK_ABORT(0x0B, false),

  /** F_TRANSLATION: there is no page. */
  TRANSLATION(0x10, true),

  /** F_ADDR_SIZE: an address is too large. */
  ADDRESS_SIZE(0x11, true),

  /** F_ACCESS: the access flag is not set. */
  ACCESS(0x12, true),

  /** F_PERMISSION: there is no right. */
  PERMISSION(0x13, true);

  private final int code;
  private final boolean isQualified;

  SmmuEvent(int code, boolean isQualified) {
    this.code = code;
    this.isQualified = isQualified;
  }

  @Override
  public int code() {
    return code;
  }

  @Override
  public boolean isQualified() {
    return isQualified;
  }

  @Override
  public boolean isAnswer() {
    return isQualified;
  }
}
