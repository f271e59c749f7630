package io.github.bellwire.pcie;

import io.github.bellwire.memory.LittleEndian;

/**
 * A device function as the fabric sees it. Implementations keep to their specification's registers
 * and reach memory, interrupts and time through what {@link #connect} gives them, never around it.
 *
 * <p>An access that the device does not implement is data: reads return all ones or zero as the
 * specification says, writes are ignored; nothing throws.
 */
public interface Endpoint {
  /** {@return the function's configuration space; owned by the endpoint, fixed for its life} */
  ConfigSpace configSpace();

  /**
   * Called when the function is plugged into a port and its link is up; again, with another way,
   * after it has been pulled out and put in.
   *
   * @param dma the function's way to memory
   */
  void connect(DmaPort dma);

  /**
   * A memory read request has arrived.
   *
   * @param bar index of the BAR that the address hit, 0..5
   * @param offset byte offset in that BAR
   * @param sizeBytes 1, 2, 4 or 8
   * @param nowPs the current time in picoseconds
   * @return the value, little endian in the low bytes
   */
  long mmioRead(int bar, long offset, int sizeBytes, long nowPs);

  /**
   * A memory write request has arrived.
   *
   * @param bar index of the BAR that the address hit, 0..5
   * @param offset byte offset in that BAR
   * @param sizeBytes 1, 2, 4 or 8
   * @param value the value, little endian in the low bytes
   * @param nowPs the current time in picoseconds
   */
  void mmioWrite(int bar, long offset, int sizeBytes, long value, long nowPs);

  /**
   * A memory read request of any length has arrived: up to a cache line from a core, up to 4 KiB
   * from a peer. A device that knows registers only is asked for naturally aligned pieces of up to
   * 8 bytes.
   *
   * @param bar index of the BAR that the address hit, 0..5
   * @param offset byte offset in that BAR
   * @param destination receives the bytes
   * @param destinationOffset first index in {@code destination}
   * @param lengthBytes 1..4096, inside the BAR and not across a multiple of 4096
   * @param nowPs the current time in picoseconds
   */
  default void mmioRead(
      int bar,
      long offset,
      byte[] destination,
      int destinationOffset,
      int lengthBytes,
      long nowPs) {
    for (int done = 0; done < lengthBytes; ) {
      int piece = MmioBlock.pieceBytes(offset + done, lengthBytes - done);
      long value = mmioRead(bar, offset + done, piece, nowPs);
      LittleEndian.put(destination, destinationOffset + done, piece, value);
      done += piece;
    }
  }

  /**
   * A memory write request of any length has arrived, all of it at once: up to a cache line from a
   * core, up to 4 KiB from a peer. A device that knows registers only is given naturally aligned
   * pieces of up to 8 bytes.
   *
   * @param bar index of the BAR that the address hit, 0..5
   * @param offset byte offset in that BAR
   * @param source the bytes, to be copied before the call returns
   * @param sourceOffset first index in {@code source}
   * @param lengthBytes 1..4096, inside the BAR and not across a multiple of 4096
   * @param nowPs the current time in picoseconds
   */
  default void mmioWrite(
      int bar, long offset, byte[] source, int sourceOffset, int lengthBytes, long nowPs) {
    for (int done = 0; done < lengthBytes; ) {
      int piece = MmioBlock.pieceBytes(offset + done, lengthBytes - done);
      long value = LittleEndian.get(source, sourceOffset + done, piece);
      mmioWrite(bar, offset + done, piece, value, nowPs);
      done += piece;
    }
  }

  /**
   * {@return how long the function takes from the arrival of a read request to the completion, in
   * picoseconds, at least 0; registers answer at once}
   *
   * @param bar index of the BAR, 0..5
   */
  default long readLatencyPs(int bar) {
    return 0;
  }

  /**
   * Fundamental reset: everything returns to its reset value, configuration space included.
   *
   * @param nowPs the current time in picoseconds
   */
  void reset(long nowPs);

  /**
   * {@return how long a function-level reset takes, in picoseconds, 0..100 ms; until then the
   * function answers nothing. 100 ms, the most that the specification allows (PCI Express Base
   * Specification 5.0, section 6.6.2), unless overridden}
   */
  default long functionResetPs() {
    return 100_000_000_000L;
  }

  /**
   * The host makes translations invalid that the function may keep (ATS invalidate request). From
   * the time of arrival on they are not to be used; the completion is sent when all requests that
   * have used them have left, and reads among them are answered.
   *
   * @param pasid the process address space, or {@link TranslationRequest#NO_PASID}
   * @param iova first byte, a multiple of {@code sizeBytes}
   * @param sizeBytes a power of two, at least 4096
   * @param arrivalPs when the message is at the device, in picoseconds; it may be ahead of the
   *     clock
   * @return when the completion can leave, not before {@code arrivalPs}; -1 if the function never
   *     sends one, as those do not that keep no translations
   */
  default long onInvalidateRequest(int pasid, long iova, long sizeBytes, long arrivalPs) {
    return -1;
  }

  /**
   * Software has dealt with a group of page requests (PRG response).
   *
   * @param pasid as in the requests
   * @param groupIndex as in the requests
   * @param response 0 success, 1 invalid request, 15 failure (section 10.4.2.2)
   * @param arrivalPs when the message is at the device, in picoseconds; it may be ahead of the
   *     clock
   */
  default void onPageGroupResponse(int pasid, int groupIndex, int response, long arrivalPs) {}

  /**
   * The link has gone down, because the device was pulled out. What it had under way ends now:
   * reads whose returned time lies ahead get no data; writes and messages whose {@link
   * DmaPort#sentPs()} lies ahead have not happened. Further requests end with {@link
   * DmaStatus#LINK_DOWN}.
   *
   * @param nowPs the current time in picoseconds
   */
  default void linkDown(long nowPs) {}
}
