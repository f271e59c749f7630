package io.github.bellwire.dma;

import io.github.bellwire.cache.CacheOperation;
import io.github.bellwire.cpu.CpuPort;
import java.util.Arrays;

/**
 * A core in front of sparse memory: 64 KiB pages that appear when they are touched. Every load,
 * store and MMIO write takes 1 ns per started 64 bytes.
 */
final class FakeCpuPort implements CpuPort {
  static final long LINE_PS = 1_000;

  private static final int PAGE_SHIFT = 16;
  private static final int PAGE_BYTES = 1 << PAGE_SHIFT;

  private final long[] pageNumbers = new long[4096];
  private final byte[][] pages = new byte[4096][];
  private int pageCount;
  private int lastPage;

  /** Runs in the middle of the next block load, as an interrupt handler would. */
  Runnable onNextLoad = () -> {};

  long nowPs;
  long loadedBytes;
  long storedBytes;
  long mmioAddress;
  int mmioSizeBytes;
  long mmioValue;

  @Override
  public long nowPs() {
    return nowPs;
  }

  @Override
  public int coreIndex() {
    return 0;
  }

  @Override
  public long load(long pa, int sizeBytes) {
    charge(sizeBytes);
    long value = 0;
    for (int i = sizeBytes - 1; i >= 0; i--) {
      value = value << 8 | peek(pa + i) & 0xff;
    }
    return value;
  }

  @Override
  public void touch(long pa, int sizeBytes) {
    load(pa, sizeBytes);
  }

  @Override
  public void store(long pa, int sizeBytes, long value) {
    charge(sizeBytes);
    for (int i = 0; i < sizeBytes; i++) {
      poke(pa + i, (byte) (value >>> 8 * i));
    }
  }

  @Override
  public void load(long pa, byte[] destination, int offset, int lengthBytes) {
    charge(lengthBytes);
    loadedBytes += lengthBytes;
    move(pa, destination, offset, lengthBytes, false);
    Runnable handler = onNextLoad;
    onNextLoad = () -> {};
    handler.run();
  }

  @Override
  public void store(long pa, byte[] source, int offset, int lengthBytes) {
    charge(lengthBytes);
    storedBytes += lengthBytes;
    move(pa, source, offset, lengthBytes, true);
  }

  @Override
  public long mmioRead(long address, int sizeBytes) {
    throw new UnsupportedOperationException("mmioRead");
  }

  @Override
  public void mmioWrite(long address, int sizeBytes, long value) {
    charge(sizeBytes);
    mmioAddress = address;
    mmioSizeBytes = sizeBytes;
    mmioValue = value;
  }

  @Override
  public void mmioRead(long address, byte[] destination, int offset, int lengthBytes) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void mmioWrite(long address, byte[] source, int offset, int lengthBytes) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void wcStore(long address, byte[] source, int offset, int lengthBytes) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void wcLoad(long address, byte[] destination, int offset, int lengthBytes) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void movdir64b(long address, byte[] source, int offset) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void fence() {
    throw new UnsupportedOperationException();
  }

  @Override
  public void copy(long fromPa, long toPa, int lengthBytes) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void maintainCache(CacheOperation operation, long pa, int lengthBytes) {}

  @Override
  public void setCacheable(long pa, int lengthBytes, boolean isCacheable) {}

  @Override
  public long spinUntil(long pa, int sizeBytes, long value, long timeoutPs) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void beginCritical() {}

  @Override
  public void endCritical() {}

  @Override
  public void delay(long durationPs) {
    nowPs += durationPs;
  }

  @Override
  public void compute(int cycles) {
    nowPs += cycles;
  }

  /** Writes without taking time, as a device does. */
  void write(long pa, byte[] bytes) {
    move(pa, bytes, 0, bytes.length, true);
  }

  /** Reads without taking time, as a device does. */
  byte[] read(long pa, int lengthBytes) {
    byte[] bytes = new byte[lengthBytes];
    move(pa, bytes, 0, lengthBytes, false);
    return bytes;
  }

  /** Fills without taking time. */
  void fill(long pa, int lengthBytes, int value) {
    byte[] bytes = new byte[lengthBytes];
    Arrays.fill(bytes, (byte) value);
    write(pa, bytes);
  }

  byte peek(long pa) {
    return page(pa)[(int) pa & PAGE_BYTES - 1];
  }

  private void poke(long pa, byte value) {
    page(pa)[(int) pa & PAGE_BYTES - 1] = value;
  }

  private void charge(int lengthBytes) {
    nowPs += (lengthBytes + 63) / 64 * LINE_PS;
  }

  private void move(long pa, byte[] bytes, int offset, int lengthBytes, boolean isStore) {
    if (lengthBytes < 1) {
      throw new IllegalArgumentException("lengthBytes must be >= 1: lengthBytes=" + lengthBytes);
    }
    int done = 0;
    while (done < lengthBytes) {
      int inPage = (int) (pa + done) & PAGE_BYTES - 1;
      int part = Math.min(PAGE_BYTES - inPage, lengthBytes - done);
      byte[] page = page(pa + done);
      if (isStore) {
        System.arraycopy(bytes, offset + done, page, inPage, part);
      } else {
        System.arraycopy(page, inPage, bytes, offset + done, part);
      }
      done += part;
    }
  }

  private byte[] page(long pa) {
    long number = pa >>> PAGE_SHIFT;
    if (lastPage < pageCount && pageNumbers[lastPage] == number) {
      return pages[lastPage];
    }
    for (lastPage = 0; lastPage < pageCount; lastPage++) {
      if (pageNumbers[lastPage] == number) {
        return pages[lastPage];
      }
    }
    pageNumbers[pageCount] = number;
    pages[pageCount] = new byte[PAGE_BYTES];
    return pages[pageCount++];
  }
}
