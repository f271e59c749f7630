package io.github.bellwire.pcie;

/** What one TLP tells the host that is to translate its address; reused for every access. */
public final class TranslationRequest {
  /** The request carries no process address space ID. */
  public static final int NO_PASID = -1;

  /** Process address space IDs have 20 bits. */
  public static final int PASID_MAX = (1 << 20) - 1;

  private int requesterId;
  private int pasid = NO_PASID;
  private AddressType addressType = AddressType.UNTRANSLATED;
  private long iova;
  private int lengthBytes;
  private boolean isWrite;
  private long atPs;

  /** Creates a request that says nothing yet. */
  public TranslationRequest() {}

  /**
   * Says who asks.
   *
   * @param newRequesterId see {@link Bdf#requesterId()}
   * @param newPasid 0..{@link #PASID_MAX}, or {@link #NO_PASID}
   * @param newAddressType what the address is said to be
   */
  public void from(int newRequesterId, int newPasid, AddressType newAddressType) {
    requesterId = newRequesterId;
    pasid = newPasid;
    if (addressType != newAddressType) { // Storing a reference costs more than looking.
      addressType = newAddressType;
    }
  }

  /**
   * Says what is asked for.
   *
   * @param newIova first byte
   * @param newLengthBytes 1..4096, not across a multiple of 4 KiB
   * @param newIsWrite whether the device writes
   * @param newAtPs when the TLP arrives, in picoseconds
   */
  public void access(long newIova, int newLengthBytes, boolean newIsWrite, long newAtPs) {
    iova = newIova;
    lengthBytes = newLengthBytes;
    isWrite = newIsWrite;
    atPs = newAtPs;
  }

  /** {@return who sent the TLP, or claims to have, see {@link Bdf#requesterId()}} */
  public int requesterId() {
    return requesterId;
  }

  /** {@return the process address space, or {@link #NO_PASID}} */
  public int pasid() {
    return pasid;
  }

  /** {@return what the address is said to be} */
  public AddressType addressType() {
    return addressType;
  }

  /** {@return first byte} */
  public long iova() {
    return iova;
  }

  /** {@return 1..4096; the range does not cross a multiple of 4 KiB} */
  public int lengthBytes() {
    return lengthBytes;
  }

  /** {@return whether the device writes} */
  public boolean isWrite() {
    return isWrite;
  }

  /** {@return when the TLP arrives, in picoseconds} */
  public long atPs() {
    return atPs;
  }
}
