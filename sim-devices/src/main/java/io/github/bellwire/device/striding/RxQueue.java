package io.github.bellwire.device.striding;

import io.github.bellwire.memory.LittleEndian;
import io.github.bellwire.pcie.DmaPort;

/**
 * A receive queue: fills the pages of an entry with frames, and has the addresses of the next entry
 * read meanwhile.
 */
final class RxQueue {
  private static final int PAGE_BYTES = StridingLayout.PAGE_BYTES;
  private static final int PAGES_MAX = 64;

  private long ringIova;
  private int entries;
  private int pages = 1;
  private int strideBytes = 1;
  private int frameMaxBytes;
  private long tail;

  // Entries read, entries finished; what has been read lies in two places in turn.
  private long fetched;
  private long finished;
  private final byte[] bytes = new byte[PAGES_MAX * StridingLayout.ADDRESS_BYTES];
  private final long[][] addresses = new long[2][PAGES_MAX];
  private final long[] fetchedPs = new long[2];
  private int offset;

  private int lastEntry;
  private int lastOffset;
  private boolean isDone;

  void set(int register, long value) {
    switch (register) {
      case StridingLayout.RX_RING -> ringIova = value;
      case StridingLayout.RX_ENTRIES -> {
        reset();
        entries = (int) value;
      }
      case StridingLayout.RX_TAIL -> tail = value;
      case StridingLayout.RX_PAGES -> pages = (int) Math.max(1, Math.min(PAGES_MAX, value));
      case StridingLayout.RX_STRIDE -> strideBytes = (int) Math.max(1, value);
      case StridingLayout.RX_FRAME_MAX -> frameMaxBytes = (int) value;
      default -> {
        // Belongs to others.
      }
    }
  }

  void reset() {
    entries = 0;
    tail = 0;
    fetched = 0;
    finished = 0;
    offset = 0;
  }

  /** {@return whether there is room for a frame}; reads the next entries if need be. */
  boolean hasEntry(DmaPort dma, long nowPs) {
    if (entries == 0) {
      return false;
    }
    while (fetched < tail && fetched < finished + 2) {
      int entryBytes = pages * StridingLayout.ADDRESS_BYTES;
      int place = (int) fetched & 1;
      long iova = ringIova + (fetched & entries - 1) * entryBytes;
      fetchedPs[place] = dma.read(iova, bytes, 0, entryBytes, nowPs);
      for (int i = 0; i < pages; i++) {
        addresses[place][i] = LittleEndian.get(bytes, i * StridingLayout.ADDRESS_BYTES, Long.BYTES);
      }
      fetched++;
    }
    return finished < fetched;
  }

  /** {@return when the addresses of the entry in use are known} */
  long readyPs() {
    return fetchedPs[(int) finished & 1];
  }

  /** Writes a frame; returns when its last byte has left. */
  long write(DmaPort dma, byte[] frame, int lengthBytes, long atPs) {
    long[] pageIovas = addresses[(int) finished & 1];
    lastEntry = (int) finished & entries - 1;
    lastOffset = offset;
    long sentPs = atPs;
    int room = pages * PAGE_BYTES - offset;
    int stored = Math.min(lengthBytes, room);
    for (int done = 0; done < stored; ) {
      int place = offset + done;
      int inPage = place & PAGE_BYTES - 1;
      int piece = Math.min(stored - done, PAGE_BYTES - inPage);
      dma.write(pageIovas[place / PAGE_BYTES] + inPage, frame, done, piece, sentPs);
      sentPs = dma.sentPs();
      done += piece;
    }
    offset = offset + stored + strideBytes - 1 & -strideBytes;
    isDone = pages * PAGE_BYTES - offset < frameMaxBytes;
    if (isDone) {
      finished++;
      offset = 0;
    }
    return sentPs;
  }

  int lastEntry() {
    return lastEntry;
  }

  int lastOffset() {
    return lastOffset;
  }

  /** {@return whether the frame written last was the last one of its entry} */
  boolean isDone() {
    return isDone;
  }
}
