package io.github.bellwire.pcie;

/**
 * The only way of a device to memory: memory reads and writes as bus master. One port belongs to
 * one function; every access is cut into TLPs, crosses the link, is translated and goes through
 * cache and DRAM. Calls schedule nothing; they return when the access completes.
 *
 * <p>A call is made when the access can start: {@code atPs} may run ahead of the clock by at most
 * {@link #horizonPs()}.
 *
 * <p>Bus addresses ({@code iova}) are byte addresses, times picoseconds, lengths bytes.
 */
public interface DmaPort {
  /** As {@link #read(long, byte[], int, int, long, int)} without attributes. */
  default long read(long iova, byte[] destination, int offset, int lengthBytes, long atPs) {
    return read(iova, destination, offset, lengthBytes, atPs, TlpAttributes.NONE);
  }

  /**
   * Reads memory: MRd TLPs cut at MRRS and 4 KiB, answered by completions cut at RCB and MPS.
   * Earlier posted writes of this function are pushed ahead. Where a part fails the destination is
   * filled with all ones and {@link #status()} tells.
   *
   * @param iova first byte
   * @param destination receives the bytes at once, or, out of a peer's window, when the request
   *     arrives there; they are to be used from the returned time on
   * @param offset first index in {@code destination}
   * @param lengthBytes at least 0; a read of nothing pushes the writes and returns no byte
   * @param atPs when the device issues the read, not before the current time
   * @param attributes see {@link TlpAttributes}
   * @return when the last completion has arrived, or the device has given up waiting for it; an
   *     estimate, see {@link #arrivalPs}
   */
  long read(long iova, byte[] destination, int offset, int lengthBytes, long atPs, int attributes);

  /** As {@link #write(long, byte[], int, int, long, int)} without attributes. */
  default long write(long iova, byte[] source, int offset, int lengthBytes, long atPs) {
    return write(iova, source, offset, lengthBytes, atPs, TlpAttributes.NONE);
  }

  /**
   * Writes payload: MWr TLPs cut at MPS and 4 KiB. The bytes move at once, so the caller owns the
   * target until it announces it. On a refusal that part is dropped and {@link #status()} tells; a
   * write refused altogether is done when its last TLP has left.
   *
   * @param iova first byte
   * @param source bytes to write, copied before the call returns
   * @param offset first index in {@code source}
   * @param lengthBytes at least 1
   * @param atPs when the device issues the write, not before the current time
   * @param attributes see {@link TlpAttributes}
   * @return when the last byte is globally visible; unless relaxed, never earlier than a previous
   *     write of this port
   */
  long write(long iova, byte[] source, int offset, int lengthBytes, long atPs, int attributes);

  /**
   * Writes something that software polls (descriptor status, head pointer): as {@link #write(long,
   * byte[], int, int, long)}, strictly ordered, but the bytes become visible exactly when they are
   * committed, never earlier: those of the last TLP at the returned time, those of the TLPs before
   * it in order before that.
   *
   * @param iova first byte
   * @param source bytes to write, copied before the call returns
   * @param offset first index in {@code source}
   * @param lengthBytes at least 1
   * @param atPs when the device issues the write, not before the current time
   * @return when the last byte is globally visible; never earlier than a previous write of this
   *     port
   */
  long writeStatus(long iova, byte[] source, int offset, int lengthBytes, long atPs);

  /**
   * Sends an interrupt message: a posted 4-byte MWr behind all earlier writes of this port.
   *
   * @param address message address, from the MSI-X table
   * @param data message data, from the MSI-X table
   * @param atPs when the device issues the write, not before the current time
   * @return when the message reaches the interrupt controller
   */
  long sendMessage(long address, int data, long atPs);

  /**
   * Makes later requests carry another requester ID than the function's own, as a malicious device
   * may. Completions of such reads would go to somebody else; here they come back all the same.
   *
   * @param requesterId 0..FFFFh, or -1 for the function's own again
   */
  default void claimRequesterId(int requesterId) {}

  /**
   * Makes later requests say that their addresses are translated already (AT field 10b).
   *
   * @param isTranslated false to begin with
   */
  default void claimTranslated(boolean isTranslated) {}

  /**
   * Makes later requests belong to a process address space (PASID TLP prefix).
   *
   * @param pasid 0..{@link TranslationRequest#PASID_MAX}, or {@link TranslationRequest#NO_PASID},
   *     as to begin with
   */
  default void usePasid(int pasid) {}

  /**
   * Asks the host for translations, to be kept and used later (ATS): a read request with AT field
   * 01b, behind earlier posted writes, answered by a completion with one entry per page. The port
   * does not look whether software has allowed it; a device that keeps to the rules does.
   *
   * @param iova first byte of the first page, a multiple of 4096
   * @param pagesCount pages of the {@linkplain ConfigSpace#smallestTranslationUnitBytes() smallest
   *     translation unit}, 1..{@link AtsTranslation#ENTRIES_MAX}
   * @param wantsWrite false for the flag NW: the device does not mean to write
   * @param atPs when the device issues the request, not before the current time
   * @param answer receives the entries, to be used from the returned time on; owned by the caller
   * @return when the completion has arrived, or the device has given up waiting for it
   */
  default long requestTranslation(
      long iova, int pagesCount, boolean wantsWrite, long atPs, AtsTranslation answer) {
    answer.refused(DmaStatus.UNSUPPORTED_REQUEST);
    return atPs;
  }

  /**
   * Asks software for a page that is not there (page request message of PRI), behind earlier posted
   * writes. The answer comes as {@link Endpoint#onPageGroupResponse}.
   *
   * @param iova first byte of the page, a multiple of 4096
   * @param isRead whether the device wants to read it
   * @param isWrite whether the device wants to write it
   * @param isLast whether this is the last request of its group
   * @param groupIndex 0..511
   * @param atPs when the device issues the request, not before the current time
   * @return when the message has arrived at the root complex
   */
  default long requestPage(
      long iova, boolean isRead, boolean isWrite, boolean isLast, int groupIndex, long atPs) {
    return atPs;
  }

  /** {@return how the last read, write or message ended; the first failure if it had parts} */
  DmaStatus status();

  /** {@return when the last TLP of the last write or message had left the device} */
  long sentPs();

  /** {@return a ticket for the last read, to ask {@link #arrivalPs} with} */
  long readTicket();

  /**
   * {@return when the last completion of a read arrives, as known now; 0 if that was long ago}
   *
   * <p>What a read returns is an estimate: requests of others that start later may still come in
   * between. A device with an event at that time asks again in the event. If the answer is not in
   * the future, it is certain, otherwise the device waits until then and asks again. A device that
   * does not ask again takes what it was told.
   *
   * @param ticket of the read
   */
  long arrivalPs(long ticket);

  /**
   * {@return when the next non-posted request finds a free tag, as known now; whoever waits for it
   * asks again when that time has come}
   */
  long tagFreePs();

  /** {@return how far a call may run ahead of the clock} */
  long horizonPs();
}
