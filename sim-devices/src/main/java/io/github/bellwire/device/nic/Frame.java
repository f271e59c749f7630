package io.github.bellwire.device.nic;

/**
 * A frame inside the device and what is known of it. Pooled by {@link FrameQueue}; its bytes are
 * its own, or for a frame that only passes through those of the caller.
 */
final class Frame {
  private byte[] storage = new byte[128];

  byte[] bytes = storage;
  int offset;
  int lengthBytes;

  /** When the next stage may have it, in picoseconds. */
  long readyPs;

  /** Receive: when its last bit arrived, in picoseconds. */
  long arrivedPs;

  // Receive: what the write-back will say, and the descriptors claimed.
  int queueIndex;
  long writeBackLow;

  /** Receive: status, errors and VLAN tag, but not what tells one descriptor from another. */
  long writeBackHigh;

  int fragmentChecksum;
  int wireBytes;
  int firstDescriptor;
  long bufferAddress;
  int descriptorsCount;
  long sequence;
  int epoch;
  boolean isDropped;
  boolean hasLackedDescriptor;

  /** Receive: of the read of its descriptors if they were on their way; otherwise 0. */
  long fetchTicket;

  // Transmit: the operation that the frame ends.
  long operationId;

  /** Lends the bytes of a caller that have arrived and of which nothing is known yet. */
  void arrive(byte[] newBytes, int newOffset, int newLengthBytes) {
    lend(newBytes, newOffset, newLengthBytes);
    wireBytes = newLengthBytes + EthernetWire.FCS_BYTES;
    queueIndex = 0;
    writeBackLow = 0;
    writeBackHigh = 0;
    fragmentChecksum = 0;
  }

  /** Lends the bytes of a caller; valid until the call ends. */
  void lend(byte[] newBytes, int newOffset, int newLengthBytes) {
    if (bytes != newBytes) { // Storing a reference costs more than looking.
      bytes = newBytes;
    }
    offset = newOffset;
    lengthBytes = newLengthBytes;
  }

  /** Makes room for bytes of its own. */
  void own(int newLengthBytes) {
    if (storage.length < newLengthBytes) {
      storage = new byte[Integer.highestOneBit(newLengthBytes - 1) * 2];
    }
    if (bytes != storage) {
      bytes = storage;
    }
    offset = 0;
    lengthBytes = newLengthBytes;
  }

  /** Copies a frame, bytes included. */
  void copyOf(Frame other) {
    own(other.lengthBytes);
    System.arraycopy(other.bytes, other.offset, bytes, 0, lengthBytes);
    readyPs = other.readyPs;
    arrivedPs = other.arrivedPs;
    queueIndex = other.queueIndex;
    writeBackLow = other.writeBackLow;
    writeBackHigh = other.writeBackHigh;
    fragmentChecksum = other.fragmentChecksum;
    wireBytes = other.wireBytes;
    firstDescriptor = other.firstDescriptor;
    bufferAddress = other.bufferAddress;
    descriptorsCount = other.descriptorsCount;
    sequence = other.sequence;
    epoch = other.epoch;
    isDropped = other.isDropped;
    hasLackedDescriptor = other.hasLackedDescriptor;
    fetchTicket = other.fetchTicket;
    operationId = other.operationId;
  }
}
