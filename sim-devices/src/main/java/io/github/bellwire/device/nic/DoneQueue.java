package io.github.bellwire.device.nic;

import java.util.Arrays;

/** Descriptors whose data is on its way, as queue numbers and times, in the order of the times. */
final class DoneQueue {
  /** What {@link #firstQueue} returns for a descriptor that has been forgotten. */
  static final int NO_QUEUE = -1;

  private long[] donePs = new long[64];
  private int[] queues = new int[64];
  private int head;
  private int count;

  boolean isEmpty() {
    return count == 0;
  }

  long firstPs() {
    return donePs[head];
  }

  int firstQueue() {
    return queues[head];
  }

  void add(int queueIndex, long atPs) {
    if (count == donePs.length) {
      grow();
    }
    int slot = head + count++ & donePs.length - 1;
    donePs[slot] = atPs;
    queues[slot] = queueIndex;
  }

  void removeFirst() {
    head = head + 1 & donePs.length - 1;
    count--;
  }

  /** Forgets the descriptors of a queue; their times stay, so that others keep their order. */
  void forget(int queueIndex) {
    for (int i = 0; i < count; i++) {
      int slot = head + i & queues.length - 1;
      queues[slot] = queues[slot] == queueIndex ? NO_QUEUE : queues[slot];
    }
  }

  void clear() {
    count = 0;
  }

  private void grow() {
    int length = donePs.length;
    long[] newDonePs = Arrays.copyOf(donePs, length * 2);
    int[] newQueues = Arrays.copyOf(queues, length * 2);
    for (int i = 0; i < length; i++) {
      newDonePs[i] = donePs[head + i & length - 1];
      newQueues[i] = queues[head + i & length - 1];
    }
    donePs = newDonePs;
    queues = newQueues;
    head = 0;
  }
}
