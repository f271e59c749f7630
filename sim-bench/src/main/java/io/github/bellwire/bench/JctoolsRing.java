package io.github.bellwire.bench;

import org.jctools.queues.SpscArrayQueue;

/** JCTools' single-producer single-consumer queue of references to pooled descriptors. */
final class JctoolsRing extends RingTransfer {
  private final SpscArrayQueue<long[]> queue = new SpscArrayQueue<>(SLOTS);
  private final long[][] pool;
  private int next;

  JctoolsRing(int words) {
    pool = new long[SLOTS][words];
  }

  @Override
  long produceAndConsume(long value) {
    long[] produced = pool[next];
    next = next + 1 & SLOTS - 1;
    for (int i = 0; i < produced.length; i++) {
      produced[i] = value + i * Long.BYTES;
    }
    if (!queue.offer(produced)) {
      throw new IllegalStateException("queue must have room");
    }
    long sum = 0;
    for (long word : queue.poll()) {
      sum += word;
    }
    return sum;
  }
}
