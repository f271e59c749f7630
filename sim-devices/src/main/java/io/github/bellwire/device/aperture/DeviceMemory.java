package io.github.bellwire.device.aperture;

/**
 * The bytes of a device: zero until written, in pages that exist once they have been written to.
 */
final class DeviceMemory {
  private static final int PAGE_SHIFT = 16;
  private static final int PAGE_BYTES = 1 << PAGE_SHIFT;
  private static final byte[] ZERO_PAGE = new byte[PAGE_BYTES];

  private final long sizeBytes;
  private final byte[][] pages;

  DeviceMemory(long sizeBytes) {
    this.sizeBytes = sizeBytes;
    pages = new byte[(int) (sizeBytes >>> PAGE_SHIFT)][];
  }

  boolean contains(long offset, long lengthBytes) {
    return offset >= 0 && lengthBytes >= 0 && offset <= sizeBytes - lengthBytes;
  }

  /** Copies bytes out; the range must be inside. */
  void read(long offset, byte[] destination, int destinationOffset, int lengthBytes) {
    for (int done = 0; done < lengthBytes; ) {
      byte[] page = pages[(int) (offset + done >>> PAGE_SHIFT)];
      int inPage = (int) (offset + done) & PAGE_BYTES - 1;
      int piece = Math.min(lengthBytes - done, PAGE_BYTES - inPage);
      byte[] source = page == null ? ZERO_PAGE : page;
      System.arraycopy(source, inPage, destination, destinationOffset + done, piece);
      done += piece;
    }
  }

  /** Copies bytes in; the range must be inside. */
  void write(long offset, byte[] source, int sourceOffset, int lengthBytes) {
    for (int done = 0; done < lengthBytes; ) {
      int index = (int) (offset + done >>> PAGE_SHIFT);
      int inPage = (int) (offset + done) & PAGE_BYTES - 1;
      int piece = Math.min(lengthBytes - done, PAGE_BYTES - inPage);
      if (pages[index] == null) {
        pages[index] = new byte[PAGE_BYTES];
      }
      System.arraycopy(source, sourceOffset + done, pages[index], inPage, piece);
      done += piece;
    }
  }
}
