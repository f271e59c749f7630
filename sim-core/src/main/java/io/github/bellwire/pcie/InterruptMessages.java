package io.github.bellwire.pcie;

import io.github.bellwire.kernel.Event;
import io.github.bellwire.kernel.Simulation;
import java.util.Arrays;

/**
 * Interrupt messages of a device that may be pulled out, handed on when they arrive and not before:
 * those that have not left when the link goes down never do. Grows to the most that are under way
 * at once and allocates nothing beyond.
 */
final class InterruptMessages extends Event {
  private static final int INITIAL_DEPTH = 16;

  private final Simulation simulation;
  private final InterruptSink sink;
  // In the order of arrival, as all are posted.
  private Message[] ring = new Message[INITIAL_DEPTH];
  private int head;
  private int count;

  private static final class Message {
    int requesterId;
    long address;
    int data;
    long leavesPs;
    long arrivalPs;
  }

  InterruptMessages(Simulation simulation, InterruptSink sink) {
    this.simulation = simulation;
    this.sink = sink;
    Arrays.setAll(ring, i -> new Message());
  }

  /**
   * Adds a message, behind those added before.
   *
   * @param leavesPs when its last bit leaves the device
   * @param atPs when it arrives
   */
  void add(int requesterId, long address, int data, long leavesPs, long atPs) {
    if (count == ring.length) {
      grow();
    }
    Message message = ring[slot(count++)];
    message.requesterId = requesterId;
    message.address = address;
    message.data = data;
    message.leavesPs = leavesPs;
    message.arrivalPs = atPs;
    if (!isScheduled()) {
      simulation.schedule(this, ring[head].arrivalPs);
    }
  }

  /** Forgets the messages that leave after a time. */
  void drop(long afterPs) {
    while (count > 0 && ring[slot(count - 1)].leavesPs > afterPs) {
      count--;
    }
    if (count == 0) {
      simulation.cancel(this);
    }
  }

  @Override
  protected void onEvent(long nowPs) {
    Message message = ring[head];
    head = slot(1);
    count--;
    if (count > 0) {
      simulation.schedule(this, Math.max(nowPs, ring[head].arrivalPs));
    }
    sink.onMessage(message.requesterId, message.address, message.data, nowPs);
  }

  private void grow() {
    int length = ring.length;
    Message[] larger = new Message[length * 2];
    for (int i = 0; i < length; i++) {
      larger[i] = ring[slot(i)];
      larger[length + i] = new Message();
    }
    ring = larger;
    head = 0;
  }

  private int slot(int index) {
    return head + index & ring.length - 1;
  }
}
