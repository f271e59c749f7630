package io.github.bellwire.device.aperture;

/**
 * Registers and descriptors of a device with an aperture. The layout is this project's own.
 *
 * <pre>{@code
 * BAR 0                                   descriptor, 32 bytes
 * 00h RING_BASE   64 bits, iova            0  iova of host memory                  64
 * 08h RING_SIZE   descriptors               8  offset in device memory              64
 * 10h TAIL        doorbell                 16  length 32 | direction in bit 32
 * 14h HEAD        read only                24  iova of the status word              64
 *
 * status word, 64 bits, written when a copy is done:  descriptors done so far 32 | error in bit 32
 * }</pre>
 */
public final class ApertureLayout {
  /** BAR of the registers. */
  public static final int REGISTER_BAR = 0;

  /** BAR of the device's memory. */
  public static final int APERTURE_BAR = 2;

  /** Bus address of the first descriptor. */
  public static final int RING_BASE = 0x00;

  /** Descriptors in the ring, 2..65536; written while the ring is empty. */
  public static final int RING_SIZE = 0x08;

  /** Index behind the last descriptor that software has filled. */
  public static final int TAIL = 0x10;

  /** Index of the descriptor that the engine works on or waits for. */
  public static final int HEAD = 0x14;

  /** Size of a descriptor. */
  public static final int DESCRIPTOR_BYTES = 32;

  /** Offset of the bus address of host memory. */
  public static final int HOST_OFFSET = 0;

  /** Offset of the place in device memory. */
  public static final int DEVICE_OFFSET = 8;

  /** Offset of length and direction. */
  public static final int CONTROL_OFFSET = 16;

  /** Offset of the bus address of the status word. */
  public static final int STATUS_OFFSET = 24;

  /** In the control word: to host memory; otherwise to the device's. */
  public static final long TO_HOST = 1L << 32;

  /** In the status word: the copy failed and no byte may be relied on. */
  public static final long STATUS_ERROR = 1L << 32;

  /** The largest ring. */
  public static final int RING_SIZE_MAX = 1 << 16;

  private ApertureLayout() {}

  /** {@return the length that a control word holds, in bytes, unsigned} */
  public static long lengthBytes(long control) {
    return control & 0xFFFF_FFFFL;
  }

  /** {@return whether a control word asks for a copy to host memory} */
  public static boolean isToHost(long control) {
    return (control & TO_HOST) != 0;
  }

  /**
   * {@return a control word}
   *
   * @param lengthBytes at least 1
   * @param isToHost the direction
   */
  public static long control(int lengthBytes, boolean isToHost) {
    return Integer.toUnsignedLong(lengthBytes) | (isToHost ? TO_HOST : 0);
  }

  /** {@return the descriptors done so far, modulo 2^32, that a status word holds} */
  public static int doneCount(long status) {
    return (int) status;
  }
}
