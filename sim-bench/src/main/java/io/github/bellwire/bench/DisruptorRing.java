package io.github.bellwire.bench;

import com.lmax.disruptor.BusySpinWaitStrategy;
import com.lmax.disruptor.EventPoller;
import com.lmax.disruptor.RingBuffer;

/** The LMAX Disruptor with one producer and a poller. */
final class DisruptorRing extends RingTransfer implements EventPoller.Handler<long[]> {
  private final RingBuffer<long[]> ring;
  private final EventPoller<long[]> poller;
  private long sum;

  DisruptorRing(int words) {
    ring =
        RingBuffer.createSingleProducer(() -> new long[words], SLOTS, new BusySpinWaitStrategy());
    poller = ring.newPoller();
    ring.addGatingSequences(poller.getSequence());
  }

  @Override
  long produceAndConsume(long value) {
    long sequence = ring.next();
    long[] produced = ring.get(sequence);
    for (int i = 0; i < produced.length; i++) {
      produced[i] = value + i * Long.BYTES;
    }
    ring.publish(sequence);
    sum = 0;
    try {
      poller.poll(this);
    } catch (Exception e) {
      throw new IllegalStateException("polling must not fail", e);
    }
    return sum;
  }

  @Override
  public boolean onEvent(long[] descriptor, long sequence, boolean isEndOfBatch) {
    for (long word : descriptor) {
      sum += word;
    }
    return false;
  }
}
