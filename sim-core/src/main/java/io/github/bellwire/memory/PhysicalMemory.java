package io.github.bellwire.memory;

import static io.github.bellwire.kernel.Requirements.require;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Objects;

/**
 * The bytes of simulated RAM, little endian. As on a PC there are two ranges: low memory from 0,
 * and high memory from 4 GiB; what lies between belongs to devices.
 *
 * <pre>{@code
 * 0          lowBytes            4 GiB             4 GiB + highBytes
 * +------------+ - - - - - - - - - +-----------------------+
 * |  low RAM   |  MMIO, not here   |       high RAM        |
 * +------------+ - - - - - - - - - +-----------------------+
 * }</pre>
 *
 * <p>Sparse: a page of 2 MiB takes host memory from the first write to it on; before that it reads
 * as zero. An access that leaves RAM is a caller's mistake: it throws {@link
 * IllegalArgumentException} and changes nothing; who does not know asks {@link #contains} first.
 * Has no notion of time. Not thread-safe.
 */
public final class PhysicalMemory {
  /** Where high memory begins: 4 GiB. */
  public static final long HIGH_BASE = 1L << 32;

  private static final int PAGE_SHIFT = 21;
  private static final int PAGE_BYTES = 1 << PAGE_SHIFT;
  private static final int PAGE_MASK = PAGE_BYTES - 1;
  private static final byte[] ZERO_PAGE = new byte[PAGE_BYTES];
  private static final byte[] NO_PAGE = {};

  // Plain access only: from JDK 22 on, byte[] views refuse ordered access modes.
  private static final VarHandle LONGS =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle INTS =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle SHORTS =
      MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);

  private final long lowBytes;
  private final long highBytes;
  private final long lowEnd;
  private final long highEnd;
  private byte[][] pages = new byte[64][0];

  /**
   * Creates empty memory.
   *
   * @param lowBytes size of low memory, 0..4 GiB
   * @param highBytes size of high memory, 0..16 TiB
   */
  public PhysicalMemory(long lowBytes, long highBytes) {
    require(lowBytes >= 0 && lowBytes <= HIGH_BASE, "lowBytes", lowBytes, "0..4 GiB");
    require(highBytes >= 0 && highBytes <= 1L << 44, "highBytes", highBytes, "0..16 TiB");
    this.lowBytes = lowBytes;
    this.highBytes = highBytes;
    highEnd = HIGH_BASE + highBytes;
    // Low memory of 4 GiB leaves no hole: a range may run on into high memory.
    lowEnd = lowBytes == HIGH_BASE ? highEnd : lowBytes;
  }

  /** {@return the size of low memory in bytes} */
  public long lowBytes() {
    return lowBytes;
  }

  /** {@return the size of high memory in bytes} */
  public long highBytes() {
    return highBytes;
  }

  /**
   * {@return whether a range lies in RAM entirely}
   *
   * @param pa first byte, any value
   * @param lengthBytes at least 0
   */
  public boolean contains(long pa, long lengthBytes) {
    return pa >= 0 && pa <= (pa >= HIGH_BASE ? highEnd : lowEnd) - lengthBytes;
  }

  /**
   * {@return the byte at an address, 0..255}
   *
   * @param pa address in RAM
   */
  public int getByte(long pa) {
    return readablePage(pa, 1)[(int) pa & PAGE_MASK] & 0xff;
  }

  /**
   * Writes a byte.
   *
   * @param pa address in RAM
   * @param value low 8 bits count
   */
  public void putByte(long pa, int value) {
    writablePage(pa, 1)[(int) pa & PAGE_MASK] = (byte) value;
  }

  /**
   * {@return the 16-bit value at an address, 0..65535}
   *
   * @param pa address in RAM, any alignment
   */
  public int getShort(long pa) {
    int offset = (int) pa & PAGE_MASK;
    if (offset > PAGE_BYTES - Short.BYTES) {
      return getByte(pa) | getByte(pa + 1) << 8;
    }
    return (short) SHORTS.get(readablePage(pa, Short.BYTES), offset) & 0xffff;
  }

  /**
   * Writes a 16-bit value.
   *
   * @param pa address in RAM, any alignment
   * @param value low 16 bits count
   */
  public void putShort(long pa, int value) {
    int offset = (int) pa & PAGE_MASK;
    if (offset > PAGE_BYTES - Short.BYTES) {
      checkContains(pa, Short.BYTES);
      putByte(pa, value);
      putByte(pa + 1, value >>> 8);
      return;
    }
    SHORTS.set(writablePage(pa, Short.BYTES), offset, (short) value);
  }

  /**
   * {@return the 32-bit value at an address}
   *
   * @param pa address in RAM, any alignment
   */
  public int getInt(long pa) {
    byte[] page = pageAt(pa);
    int offset = (int) pa & PAGE_MASK;
    if (offset <= page.length - Integer.BYTES) {
      return (int) INTS.get(page, offset);
    }
    if (offset > PAGE_BYTES - Integer.BYTES) {
      return getShort(pa) | getShort(pa + 2) << 16;
    }
    return (int) INTS.get(readablePage(pa, Integer.BYTES), offset);
  }

  /**
   * Writes a 32-bit value.
   *
   * @param pa address in RAM, any alignment
   * @param value the value
   */
  public void putInt(long pa, int value) {
    byte[] page = pageAt(pa);
    int offset = (int) pa & PAGE_MASK;
    if (offset <= page.length - Integer.BYTES) {
      INTS.set(page, offset, value);
      return;
    }
    if (offset > PAGE_BYTES - Integer.BYTES) {
      checkContains(pa, Integer.BYTES);
      putShort(pa, value);
      putShort(pa + 2, value >>> 16);
      return;
    }
    INTS.set(writablePage(pa, Integer.BYTES), offset, value);
  }

  /**
   * {@return the 64-bit value at an address}
   *
   * @param pa address in RAM, any alignment
   */
  public long getLong(long pa) {
    byte[] page = pageAt(pa);
    int offset = (int) pa & PAGE_MASK;
    if (offset <= page.length - Long.BYTES) {
      return (long) LONGS.get(page, offset);
    }
    if (offset > PAGE_BYTES - Long.BYTES) {
      return Integer.toUnsignedLong(getInt(pa)) | (long) getInt(pa + 4) << 32;
    }
    return (long) LONGS.get(readablePage(pa, Long.BYTES), offset);
  }

  /**
   * Writes a 64-bit value.
   *
   * @param pa address in RAM, any alignment
   * @param value the value
   */
  public void putLong(long pa, long value) {
    byte[] page = pageAt(pa);
    int offset = (int) pa & PAGE_MASK;
    if (offset <= page.length - Long.BYTES) {
      LONGS.set(page, offset, value);
      return;
    }
    if (offset > PAGE_BYTES - Long.BYTES) {
      checkContains(pa, Long.BYTES);
      putInt(pa, (int) value);
      putInt(pa + 4, (int) (value >>> 32));
      return;
    }
    LONGS.set(writablePage(pa, Long.BYTES), offset, value);
  }

  /**
   * Writes two 64-bit values side by side, as descriptors are written.
   *
   * @param pa address in RAM, any alignment
   * @param first the value at {@code pa}
   * @param second the value 8 bytes on
   */
  public void putLongs(long pa, long first, long second) {
    byte[] page = pageAt(pa);
    int offset = (int) pa & PAGE_MASK;
    if (offset <= page.length - 2 * Long.BYTES) {
      LONGS.set(page, offset, first);
      LONGS.set(page, offset + Long.BYTES, second);
      return;
    }
    checkContains(pa, 2 * Long.BYTES);
    putLong(pa, first);
    putLong(pa + Long.BYTES, second);
  }

  /**
   * {@return the value at an address, zero-extended}
   *
   * @param pa address in RAM, any alignment
   * @param sizeBytes 1, 2, 4 or 8
   */
  public long get(long pa, int sizeBytes) {
    switch (sizeBytes) {
      case 1:
        return getByte(pa);
      case 2:
        return getShort(pa);
      case 4:
        return Integer.toUnsignedLong(getInt(pa));
      case 8:
        return getLong(pa);
      default:
        throw badSize(sizeBytes);
    }
  }

  /**
   * Writes a value.
   *
   * @param pa address in RAM, any alignment
   * @param sizeBytes 1, 2, 4 or 8
   * @param value the low bytes count
   */
  public void put(long pa, int sizeBytes, long value) {
    switch (sizeBytes) {
      case 1:
        putByte(pa, (int) value);
        break;
      case 2:
        putShort(pa, (int) value);
        break;
      case 4:
        putInt(pa, (int) value);
        break;
      case 8:
        putLong(pa, value);
        break;
      default:
        throw badSize(sizeBytes);
    }
  }

  /**
   * Copies bytes out of memory.
   *
   * @param pa first address, the whole range in RAM
   * @param destination receives the bytes
   * @param offset first index in {@code destination}
   * @param lengthBytes at least 0
   */
  public void copyOut(long pa, byte[] destination, int offset, int lengthBytes) {
    byte[] page = pageAt(pa);
    int inPage = (int) pa & PAGE_MASK;
    if (lengthBytes <= page.length - inPage) {
      System.arraycopy(page, inPage, destination, offset, lengthBytes);
    } else {
      copyOutPieces(pa, destination, offset, lengthBytes);
    }
  }

  private void copyOutPieces(long pa, byte[] destination, int offset, int lengthBytes) {
    Objects.checkFromIndexSize(offset, lengthBytes, destination.length);
    checkContains(pa, lengthBytes);
    int done = 0;
    while (done < lengthBytes) {
      int inPage = (int) (pa + done) & PAGE_MASK;
      int piece = Math.min(lengthBytes - done, PAGE_BYTES - inPage);
      System.arraycopy(readablePage(pa + done, piece), inPage, destination, offset + done, piece);
      done += piece;
    }
  }

  /**
   * Copies bytes into memory.
   *
   * @param pa first address, the whole range in RAM
   * @param source the bytes
   * @param offset first index in {@code source}
   * @param lengthBytes at least 0
   */
  public void copyIn(long pa, byte[] source, int offset, int lengthBytes) {
    byte[] page = pageAt(pa);
    int inPage = (int) pa & PAGE_MASK;
    if (lengthBytes <= page.length - inPage) {
      System.arraycopy(source, offset, page, inPage, lengthBytes);
    } else {
      copyInPieces(pa, source, offset, lengthBytes);
    }
  }

  private void copyInPieces(long pa, byte[] source, int offset, int lengthBytes) {
    Objects.checkFromIndexSize(offset, lengthBytes, source.length);
    checkContains(pa, lengthBytes);
    int done = 0;
    while (done < lengthBytes) {
      int inPage = (int) (pa + done) & PAGE_MASK;
      int piece = Math.min(lengthBytes - done, PAGE_BYTES - inPage);
      System.arraycopy(source, offset + done, writablePage(pa + done, piece), inPage, piece);
      done += piece;
    }
  }

  /** {@return how many 2 MiB pages have been written to} */
  public int residentPagesCount() {
    int count = 0;
    for (byte[] page : pages) {
      count += page.length == 0 ? 0 : 1;
    }
    return count;
  }

  /** Returns the page of an access that does not leave it. */
  private byte[] readablePage(long pa, int sizeBytes) {
    byte[] page = pageAt(pa);
    if (((int) pa & PAGE_MASK) + sizeBytes <= page.length) {
      return page;
    }
    checkContains(pa, sizeBytes);
    return ZERO_PAGE;
  }

  private byte[] writablePage(long pa, int sizeBytes) {
    byte[] page = pageAt(pa);
    return ((int) pa & PAGE_MASK) + sizeBytes <= page.length ? page : touch(pa, sizeBytes);
  }

  /**
   * Returns the page as far as it is there: the last page of a range may be a short one, and one
   * that nobody has written to has no bytes.
   */
  private byte[] pageAt(long pa) {
    long index = pa >>> PAGE_SHIFT;
    return index < pages.length ? pages[(int) index] : NO_PAGE;
  }

  private byte[] touch(long pa, int sizeBytes) {
    checkContains(pa, sizeBytes);
    int index = (int) (pa >>> PAGE_SHIFT);
    if (index >= pages.length) {
      // The table reaches to the highest page touched, in powers of two.
      int oldLength = pages.length;
      pages = Arrays.copyOf(pages, Integer.highestOneBit(index) * 2);
      Arrays.fill(pages, oldLength, pages.length, NO_PAGE);
    }
    long basePa = (long) index << PAGE_SHIFT;
    long endPa = basePa >= HIGH_BASE ? HIGH_BASE + highBytes : lowBytes;
    byte[] page = new byte[(int) Math.min(PAGE_BYTES, endPa - basePa)];
    pages[index] = page;
    return page;
  }

  private void checkContains(long pa, int sizeBytes) {
    if (!contains(pa, sizeBytes)) {
      throw new IllegalArgumentException(
          String.format(
              "pa must be in RAM: pa=0x%x, sizeBytes=%d, lowBytes=%d, highBytes=%d",
              pa, sizeBytes, lowBytes, highBytes));
    }
  }

  private static IllegalArgumentException badSize(int sizeBytes) {
    return new IllegalArgumentException("sizeBytes must be 1, 2, 4 or 8: sizeBytes=" + sizeBytes);
  }
}
