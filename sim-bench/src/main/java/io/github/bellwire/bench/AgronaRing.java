package io.github.bellwire.bench;

import org.agrona.MutableDirectBuffer;
import org.agrona.concurrent.MessageHandler;
import org.agrona.concurrent.UnsafeBuffer;
import org.agrona.concurrent.ringbuffer.OneToOneRingBuffer;
import org.agrona.concurrent.ringbuffer.RingBufferDescriptor;

/** Agrona's one-to-one ring buffer, which copies the payload behind a header of its own. */
final class AgronaRing extends RingTransfer implements MessageHandler {
  private static final int MESSAGE_TYPE = 1;
  private static final int HEADER_BYTES = 8;

  private final OneToOneRingBuffer ring;
  private final UnsafeBuffer source;
  private final int descriptorBytes;
  private long sum;

  AgronaRing(int descriptorBytes) {
    this.descriptorBytes = descriptorBytes;
    int bytes = Integer.highestOneBit(SLOTS * (descriptorBytes + HEADER_BYTES) - 1) * 2;
    ring =
        new OneToOneRingBuffer(
            new UnsafeBuffer(new byte[bytes + RingBufferDescriptor.TRAILER_LENGTH]));
    source = new UnsafeBuffer(new byte[descriptorBytes]);
  }

  @Override
  long produceAndConsume(long value) {
    for (int offset = 0; offset < descriptorBytes; offset += Long.BYTES) {
      source.putLong(offset, value + offset);
    }
    if (!ring.write(MESSAGE_TYPE, source, 0, descriptorBytes)) {
      throw new IllegalStateException("ring must have room");
    }
    sum = 0;
    ring.read(this); // without a limit, which padding at the end of the ring would use up
    return sum;
  }

  @Override
  public void onMessage(int messageType, MutableDirectBuffer buffer, int index, int length) {
    for (int offset = 0; offset < length; offset += Long.BYTES) {
      sum += buffer.getLong(index + offset);
    }
  }
}
