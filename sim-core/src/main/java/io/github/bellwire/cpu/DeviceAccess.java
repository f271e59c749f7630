package io.github.bellwire.cpu;

import io.github.bellwire.pcie.RootComplex;

/**
 * How a port of a core reaches devices: uncached stores at a distance, loads that wait for each
 * other or stream, and the core's write-combining buffers. Takes a local time and returns when the
 * core goes on.
 *
 * <p>Uncached accesses evict the write-combining buffers first (Intel SDM volume 3, section
 * 11.3.1). Allocates nothing after construction.
 */
final class DeviceAccess {
  private static final int LINE_SHIFT = 6;
  private static final int LINE_MASK = (1 << LINE_SHIFT) - 1;
  private static final int REGISTER_BYTES = 8;

  /** What may wait before the link until stores hold up the core; an assumption. */
  private static final long STORE_BACKLOG_PS = 1_000_000;

  private final RootComplex rootComplex;
  private final WriteCombiner combiner;
  private final long storePs;
  private final long storeGapPs;
  private final int vectorBytes;
  private final long fencePs;
  // Streaming loads under way: a ring of requests with the times at which they arrive at the
  // device.
  private final long[] arrivalPs;
  private long nextStorePs;

  DeviceAccess(CoreConfig core, WriteCombiner combiner, RootComplex rootComplex) {
    DeviceAccessConfig config = core.deviceAccess();
    this.rootComplex = rootComplex;
    this.combiner = combiner;
    storePs = core.mmioWritePs();
    storeGapPs = config.storeGapPs();
    vectorBytes = config.vectorBytes();
    fencePs = config.fencePs();
    arrivalPs = new long[config.streamingLoadsCount()];
  }

  /** Returns when a store that is issued now leaves the core, which then goes on. */
  long storeLeavesPs(long atPs) {
    combiner.evictAll(atPs);
    return Math.max(atPs + storePs, nextStorePs);
  }

  /** Sends a register store that leaves at a time. */
  void sendStore(long address, int sizeBytes, long value, long leavesPs) {
    followStore(leavesPs, rootComplex.mmioWrite(address, sizeBytes, value, leavesPs));
  }

  /** Stores a block by uncached stores of up to 8 bytes, each a request of its own. */
  long store(long address, byte[] source, int offset, int lengthBytes, long atPs) {
    long localPs = atPs;
    for (int done = 0; done < lengthBytes; ) {
      int piece = pieceBytes(address + done, lengthBytes - done, REGISTER_BYTES);
      localPs = storeLeavesPs(localPs);
      long portPs = rootComplex.mmioWrite(address + done, source, offset + done, piece, localPs);
      followStore(localPs, portPs);
      done += piece;
    }
    return localPs;
  }

  /** Loads a block by loads as wide as a register, each after the one before. */
  long load(long address, byte[] destination, int offset, int lengthBytes, long atPs) {
    combiner.evictAll(atPs);
    long localPs = atPs;
    for (int done = 0; done < lengthBytes; ) {
      int piece = pieceBytes(address + done, lengthBytes - done, vectorBytes);
      long atDevicePs = rootComplex.sendRead(address + done, localPs);
      localPs =
          rootComplex.answerRead(address + done, destination, offset + done, piece, atDevicePs);
      done += piece;
    }
    return localPs;
  }

  /** Loads a block line by line, as many lines at once as may be under way. */
  long streamingLoad(long address, byte[] destination, int offset, int lengthBytes, long atPs) {
    combiner.evictAll(atPs);
    long end = address + lengthBytes;
    int lines = (int) ((end - 1 >>> LINE_SHIFT) - (address >>> LINE_SHIFT)) + 1;
    int underWay = arrivalPs.length;
    long localPs = atPs;
    int slot = 0;
    for (int i = 0; i < lines + underWay; i++) {
      int answered = i - underWay; // has had the slot that the next request needs
      if (answered >= 0 && answered < lines) {
        long from = lineStart(address, answered);
        int bytes = (int) (Math.min(end, (from | LINE_MASK) + 1) - from);
        int at = offset + (int) (from - address);
        localPs = rootComplex.answerRead(from, destination, at, bytes, arrivalPs[slot]);
      }
      if (i < lines) {
        arrivalPs[slot] = rootComplex.sendRead(lineStart(address, i), localPs);
      }
      slot = slot + 1 == underWay ? 0 : slot + 1;
    }
    return localPs;
  }

  long wcStore(long address, byte[] source, int offset, int lengthBytes, long atPs) {
    return combiner.store(address, source, offset, lengthBytes, atPs);
  }

  long storeLine(long address, byte[] source, int offset, long atPs) {
    if ((address & LINE_MASK) != 0) {
      throw new IllegalArgumentException(
          "address must be a multiple of 64: address=0x" + Long.toHexString(address));
    }
    return combiner.storeLine(address, source, offset, atPs);
  }

  /** Lets earlier stores be handed over; uncached ones have been when the core went on. */
  long fence(long atPs) {
    return combiner.drain(atPs) + fencePs;
  }

  /** What evicts the buffers beside a fence: an uncached load. */
  void evictAll(long atPs) {
    combiner.evictAll(atPs);
  }

  /** Uncached stores queue up before a busy link, but not without end. */
  private void followStore(long leavesPs, long portPs) {
    nextStorePs = leavesPs + Math.max(storeGapPs, portPs - STORE_BACKLOG_PS);
  }

  /** Returns where the part of a block begins that lies in its n-th line. */
  private static long lineStart(long address, int line) {
    return line == 0 ? address : (address | LINE_MASK) + 1 + ((long) line - 1 << LINE_SHIFT);
  }

  private static int pieceBytes(long address, int leftBytes, int maxBytes) {
    int aligned = (int) Long.lowestOneBit(address | maxBytes);
    return Math.min(aligned, Integer.highestOneBit(leftBytes));
  }
}
