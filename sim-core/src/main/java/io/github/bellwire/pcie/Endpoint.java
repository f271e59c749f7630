package io.github.bellwire.pcie;

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
   * Called once, when the function is plugged into a port.
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
   * A memory read request of any length has arrived, from a peer. Unless overridden it becomes
   * naturally aligned accesses of up to 8 bytes in the order of their addresses.
   *
   * @param bar index of the BAR that the address hit, 0..5
   * @param offset byte offset in that BAR; the whole range lies in it
   * @param destination receives the bytes
   * @param destinationOffset first index in {@code destination}
   * @param lengthBytes 1..4096
   * @param nowPs the current time in picoseconds
   */
  default void mmioRead(
      int bar,
      long offset,
      byte[] destination,
      int destinationOffset,
      int lengthBytes,
      long nowPs) {
    int done = 0;
    while (done < lengthBytes) {
      int size = TlpLayout.naturalPieceBytes(offset + done, lengthBytes - done);
      long value = mmioRead(bar, offset + done, size, nowPs);
      for (int i = 0; i < size; i++) {
        destination[destinationOffset + done + i] = (byte) (value >>> i * Byte.SIZE);
      }
      done += size;
    }
  }

  /**
   * A memory write request of any length has arrived, from a peer. Unless overridden it becomes
   * naturally aligned accesses of up to 8 bytes in the order of their addresses.
   *
   * @param bar index of the BAR that the address hit, 0..5
   * @param offset byte offset in that BAR; the whole range lies in it
   * @param source the bytes; not to be kept
   * @param sourceOffset first index in {@code source}
   * @param lengthBytes 1..4096
   * @param nowPs the current time in picoseconds
   */
  default void mmioWrite(
      int bar, long offset, byte[] source, int sourceOffset, int lengthBytes, long nowPs) {
    int done = 0;
    while (done < lengthBytes) {
      int size = TlpLayout.naturalPieceBytes(offset + done, lengthBytes - done);
      long value = 0;
      for (int i = 0; i < size; i++) {
        value |= (source[sourceOffset + done + i] & 0xffL) << i * Byte.SIZE;
      }
      mmioWrite(bar, offset + done, size, value, nowPs);
      done += size;
    }
  }

  /**
   * Fundamental reset: everything returns to its reset value, configuration space included.
   *
   * @param nowPs the current time in picoseconds
   */
  void reset(long nowPs);
}
