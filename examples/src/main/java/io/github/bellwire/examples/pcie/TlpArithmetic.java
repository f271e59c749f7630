package io.github.bellwire.examples.pcie;

/**
 * What DMA operations put on a link, counted by formulas instead of by sending anything: TLPs of 8
 * bytes of framing, headers of 12 or 16 bytes and whole double words (PCI Express Base
 * Specification, sections 2.2 and 2.3.1.1). Completions are as long as MPS allows.
 */
final class TlpArithmetic {
  private static final int COMPLETION_BYTES = 20;
  private static final int SHORT_REQUEST_BYTES = 20;
  private static final int LONG_REQUEST_BYTES = 24;
  private static final int PAGE_BYTES = 4096;

  private final int mpsBytes;
  private final int mrrsBytes;
  private final int rcbBytes;
  private long upBytes;
  private long downBytes;
  private long writesCount;
  private long requestsCount;
  private long completionsCount;

  TlpArithmetic(int mpsBytes, int mrrsBytes, int rcbBytes) {
    this.mpsBytes = mpsBytes;
    this.mrrsBytes = mrrsBytes;
    this.rcbBytes = rcbBytes;
  }

  /** Adds a write in TLPs that end at multiples of MPS. */
  void addWrite(long address, int sizeBytes) {
    long count = (address + sizeBytes - 1) / mpsBytes - address / mpsBytes + 1;
    writesCount += count;
    upBytes += count * requestBytes(address) + dataBytes(address, sizeBytes);
  }

  /** Adds a read in requests as long as MRRS allows, none across 4 KiB. */
  void addRead(long address, int sizeBytes) {
    long end = address + sizeBytes;
    for (long page = address; page < end; page = (page / PAGE_BYTES + 1) * PAGE_BYTES) {
      long pageEnd = Math.min(end, (page / PAGE_BYTES + 1) * PAGE_BYTES);
      long requestEnd;
      for (long from = page; from < pageEnd; from = requestEnd) {
        requestEnd = Math.min(pageEnd, from / 4 * 4 + mrrsBytes);
        addRequest(from, (int) (requestEnd - from));
      }
    }
  }

  private void addRequest(long address, int lengthBytes) {
    long count = 1;
    if (dataBytes(address, lengthBytes) > mpsBytes) {
      long firstCut = (address + mpsBytes) / rcbBytes * rcbBytes;
      count += ceilDiv(address + lengthBytes - firstCut, mpsBytes);
    }
    requestsCount++;
    completionsCount += count;
    upBytes += requestBytes(address);
    downBytes += count * COMPLETION_BYTES + dataBytes(address, lengthBytes);
  }

  long upBytes() {
    return upBytes;
  }

  long downBytes() {
    return downBytes;
  }

  long writesCount() {
    return writesCount;
  }

  long requestsCount() {
    return requestsCount;
  }

  long completionsCount() {
    return completionsCount;
  }

  private static int requestBytes(long address) {
    return address < 1L << 32 ? SHORT_REQUEST_BYTES : LONG_REQUEST_BYTES;
  }

  /** The double words that a range touches; cuts inside fall between double words. */
  private static long dataBytes(long address, int lengthBytes) {
    return (ceilDiv(address + lengthBytes, 4) - address / 4) * 4;
  }

  private static long ceilDiv(long dividend, int divisor) {
    return (dividend + divisor - 1) / divisor;
  }
}
