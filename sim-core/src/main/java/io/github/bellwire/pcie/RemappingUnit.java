package io.github.bellwire.pcie;

/**
 * What stands between the root complex and the rest of the host: translates the addresses of device
 * requests, checks their interrupt messages, and is told what to do through registers.
 */
public interface RemappingUnit extends Translation, InterruptSink {
  /** {@return the registers by which software controls it} */
  IntegratedRegisters registers();

  /**
   * The unit has become part of a root complex, through which it reaches devices.
   *
   * @param rootComplex which has no ports yet
   */
  default void onAttached(RootComplex rootComplex) {}

  /**
   * A device asks software for a page that is not there (page request message of PRI). Not answered
   * unless the unit says otherwise; the answer goes by {@link RootComplex#respondToPageRequest}.
   *
   * @param requesterId who asks, or claims to, see {@link Bdf#requesterId()}
   * @param pasid the process address space, or {@link TranslationRequest#NO_PASID}
   * @param iova first byte of a page of 4096 bytes
   * @param isRead whether the device wants to read it
   * @param isWrite whether the device wants to write it
   * @param isLast whether this is the last request of its group, which is answered as a whole
   * @param groupIndex 0..511
   * @param atPs when it arrives, in picoseconds; it may be ahead of the clock
   */
  default void onPageRequest(
      int requesterId,
      int pasid,
      long iova,
      boolean isRead,
      boolean isWrite,
      boolean isLast,
      int groupIndex,
      long atPs) {}
}
