package io.github.bellwire.examples.pcie;

import io.github.bellwire.pcie.CompletionCut;
import io.github.bellwire.pcie.PcieLinkConfig;

/**
 * What DMA operations put on a link, counted by formulas instead of by sending anything: TLPs of 8
 * bytes of framing, none in FLIT mode, headers of 12 or 16 bytes, whole double words and the digest
 * (PCI Express Base Specification, sections 2.2 and 2.3.1.1). Completions are as long as MPS allows
 * or end at every RCB; cut at random, they are of a number in between.
 */
final class TlpArithmetic {
  private static final int SHORT_HEADER_BYTES = 12;
  private static final int LONG_HEADER_BYTES = 16;
  private static final int PAGE_BYTES = 4096;

  private final int mpsBytes;
  private final int mrrsBytes;
  private final int rcbBytes;
  private final CompletionCut cut;
  private final boolean isFlitMode;
  private final int aroundBytes;
  private long upBytes;
  private long downDataBytes;
  private long writesCount;
  private long requestsCount;
  private long fewestCompletionsCount;
  private long mostCompletionsCount;

  TlpArithmetic(PcieLinkConfig link) {
    mpsBytes = link.maxPayloadBytes();
    mrrsBytes = link.maxReadRequestBytes();
    rcbBytes = link.readCompletionBoundaryBytes();
    cut = link.completionCut();
    isFlitMode = link.generation().isFlitMode();
    aroundBytes = (isFlitMode ? 0 : 8) + (link.ecrc() ? 4 : 0);
  }

  /** Adds a write in TLPs that end at multiples of MPS. */
  void addWrite(long address, int sizeBytes) {
    long end = address + sizeBytes;
    long next;
    for (long from = address; from < end; from = next) {
      next = Math.min(end, (from / mpsBytes + 1) * mpsBytes);
      writesCount++;
      upBytes += requestBytes(from, next) + dataBytes(from, (int) (next - from));
    }
  }

  /** Adds a read in requests as long as MRRS allows, none across 4 KiB. */
  void addRead(long address, int sizeBytes) {
    addRead(address, sizeBytes, PAGE_BYTES);
  }

  /** Adds a read in requests that end at multiples of MRRS. */
  void addReadCutAtMultiples(long address, int sizeBytes) {
    addRead(address, sizeBytes, mrrsBytes);
  }

  private void addRead(long address, int sizeBytes, int boundaryBytes) {
    long end = address + sizeBytes;
    long next;
    for (long block = address; block < end; block = next) {
      next = Math.min(end, (block / boundaryBytes + 1) * boundaryBytes);
      long requestEnd;
      for (long from = block; from < next; from = requestEnd) {
        requestEnd = Math.min(next, from / 4 * 4 + mrrsBytes);
        addRequest(from, (int) (requestEnd - from));
      }
    }
  }

  private void addRequest(long address, int lengthBytes) {
    long end = address + lengthBytes;
    long longest = 1;
    if (dataBytes(address, lengthBytes) > mpsBytes) {
      long firstCut = (address + mpsBytes) / rcbBytes * rcbBytes;
      longest += ceilDiv(end - firstCut, mpsBytes);
    }
    long everyRcb = (end - 1) / rcbBytes - address / rcbBytes + 1;
    requestsCount++;
    fewestCompletionsCount += cut == CompletionCut.EVERY_RCB ? everyRcb : longest;
    mostCompletionsCount += cut == CompletionCut.LONGEST ? longest : everyRcb;
    upBytes += requestBytes(address, end);
    downDataBytes += dataBytes(address, lengthBytes) + (isFlitMode && address % 4 != 0 ? 4 : 0);
  }

  long upBytes() {
    return upBytes;
  }

  /** {@return bytes in the other direction if it took so many completions} */
  long downBytes(long completionsCount) {
    return downDataBytes + completionsCount * (SHORT_HEADER_BYTES + aroundBytes);
  }

  long writesCount() {
    return writesCount;
  }

  long requestsCount() {
    return requestsCount;
  }

  long fewestCompletionsCount() {
    return fewestCompletionsCount;
  }

  long mostCompletionsCount() {
    return mostCompletionsCount;
  }

  /** A request without its data; in FLIT mode partial double words cost one more. */
  private int requestBytes(long address, long end) {
    boolean hasByteEnables = isFlitMode && (address % 4 != 0 || end % 4 != 0);
    return (address < 1L << 32 ? SHORT_HEADER_BYTES : LONG_HEADER_BYTES)
        + aroundBytes
        + (hasByteEnables ? 4 : 0);
  }

  /** The double words that a range touches; cuts inside fall between double words. */
  private static long dataBytes(long address, int lengthBytes) {
    return (ceilDiv(address + lengthBytes, 4) - address / 4) * 4;
  }

  private static long ceilDiv(long dividend, int divisor) {
    return (dividend + divisor - 1) / divisor;
  }
}
