package io.github.bellwire.cpu;

import io.github.bellwire.pcie.RootComplex;
import java.util.Arrays;

/**
 * The write-combining buffers of a core: one line each (Intel SDM volume 3, section 11.3.1).
 *
 * <pre>{@code
 * store --> [ open: line, bytes written ] --full, fence, room for another--> evicted: TLPs
 *                                                                            |
 *                         [ free ] <--handover + time at the port------------+
 * }</pre>
 *
 * <p>A full buffer leaves as one memory write of 64 bytes. One that is not full leaves in parts,
 * which lie inside aligned 8 bytes: one memory write with byte enables for each run of bytes. A
 * buffer is occupied until the root complex has acknowledged it, which it does later while the link
 * is busy: so a stream of stores goes at the rate of the link, or of one round of all buffers per
 * handover.
 *
 * <p>A buffer that is not full stays in the core until something evicts it, however long that
 * takes. Allocates nothing after construction.
 */
final class WriteCombiner {
  private static final int LINE_BYTES = 64;
  private static final int LINE_MASK = LINE_BYTES - 1;
  private static final int CHUNK_BYTES = 8;
  private static final long FULL = -1L;
  private static final long CLOSED = -1L; // no line has this address

  private final RootComplex rootComplex;
  private final long handoverPs;
  private final long vectorStorePs;
  private final int vectorShift;
  private final int buffersCount;
  private final long[] lines;
  private final long[] written;
  private final long[] openedOrder;
  private final long[] freePs;
  private final byte[] data;
  private long opensTotal;
  private int openCount;

  WriteCombiner(DeviceAccessConfig config, RootComplex rootComplex) {
    this.rootComplex = rootComplex;
    handoverPs = config.handoverPs();
    vectorStorePs = config.vectorStorePs();
    vectorShift = Integer.numberOfTrailingZeros(config.vectorBytes());
    buffersCount = config.buffersCount();
    lines = new long[buffersCount];
    written = new long[buffersCount];
    openedOrder = new long[buffersCount];
    freePs = new long[buffersCount];
    data = new byte[buffersCount * LINE_BYTES];
    Arrays.fill(lines, CLOSED);
  }

  /** Stores bytes of any length; returns when the core goes on. */
  long store(long address, byte[] source, int offset, int lengthBytes, long atPs) {
    long localPs = atPs;
    for (int done = 0; done < lengthBytes; ) {
      long at = address + done;
      int inLine = (int) at & LINE_MASK;
      int piece = Math.min(lengthBytes - done, LINE_BYTES - inLine);
      int buffer = find(at - inLine);
      if (buffer < 0) {
        buffer = take(localPs);
        localPs = Math.max(localPs, freePs[buffer]);
        open(buffer, at - inLine);
      }
      localPs += fillPs(piece);
      System.arraycopy(source, offset + done, data, buffer * LINE_BYTES + inLine, piece);
      written[buffer] |= FULL >>> LINE_BYTES - piece << inLine;
      if (written[buffer] == FULL) {
        evict(buffer, localPs);
      }
      done += piece;
    }
    return localPs;
  }

  /** Stores a whole line that leaves at once; returns when the core goes on. */
  long storeLine(long address, byte[] source, int offset, long atPs) {
    int older = find(address);
    if (older >= 0) {
      evict(older, atPs); // Stores to one address stay in order.
    }
    return store(address, source, offset, LINE_BYTES, atPs);
  }

  /** Evicts what is open, the oldest first; the core need not wait. */
  void evictAll(long atPs) {
    while (openCount > 0) {
      evict(oldestOpen(), atPs);
    }
  }

  /** Evicts what is open; returns when the root complex has everything. */
  long drain(long atPs) {
    evictAll(atPs);
    long donePs = atPs;
    for (int i = 0; i < buffersCount; i++) {
      donePs = Math.max(donePs, freePs[i]);
    }
    return donePs;
  }

  private int find(long line) {
    for (int i = 0; i < buffersCount && openCount > 0; i++) {
      if (lines[i] == line) {
        return i;
      }
    }
    return -1;
  }

  /** Returns the buffer that is free first; if all are open, the oldest is evicted. */
  private int take(long atPs) {
    if (openCount == buffersCount) {
      evict(oldestOpen(), atPs);
    }
    int first = -1;
    for (int i = 0; i < buffersCount; i++) {
      if (lines[i] == CLOSED && (first < 0 || freePs[i] < freePs[first])) {
        first = i;
      }
    }
    return first;
  }

  private void open(int buffer, long line) {
    lines[buffer] = line;
    written[buffer] = 0;
    openedOrder[buffer] = opensTotal++;
    openCount++;
  }

  private int oldestOpen() {
    int oldest = -1;
    for (int i = 0; i < buffersCount; i++) {
      if (lines[i] != CLOSED && (oldest < 0 || openedOrder[i] < openedOrder[oldest])) {
        oldest = i;
      }
    }
    return oldest;
  }

  private void evict(int buffer, long atPs) {
    long portPs;
    if (written[buffer] == FULL) {
      portPs = rootComplex.mmioWrite(lines[buffer], data, buffer * LINE_BYTES, LINE_BYTES, atPs);
    } else {
      portPs = evictParts(buffer, atPs);
    }
    freePs[buffer] = atPs + handoverPs + portPs;
    lines[buffer] = CLOSED;
    openCount--;
  }

  private long evictParts(int buffer, long atPs) {
    long portPs = 0;
    for (int chunk = 0; chunk < LINE_BYTES; chunk += CHUNK_BYTES) {
      int bytes = (int) (written[buffer] >>> chunk) & 0xff;
      for (int first = 0; first < CHUNK_BYTES; ) {
        int length = Integer.numberOfTrailingZeros(~(bytes >>> first));
        if (length > 0) {
          int at = chunk + first;
          portPs =
              rootComplex.mmioWrite(
                  lines[buffer] + at, data, buffer * LINE_BYTES + at, length, atPs);
        }
        first += length + 1;
      }
    }
    return portPs;
  }

  private long fillPs(int bytes) {
    int stores = bytes + (1 << vectorShift) - 1 >> vectorShift; // rounds up
    return stores * vectorStorePs;
  }
}
