package io.github.bellwire.cpu;

import org.jspecify.annotations.Nullable;

/**
 * One interrupt vector of one core: what a driver writes into a device's MSI-X table, and what runs
 * when the message arrives.
 */
public final class InterruptVector {
  private final long address;
  private final int data;
  private final @Nullable Routine handler;
  private final long latencyPs;
  private long raisedTotal;
  private long consumedTotal;

  InterruptVector(long address, int data, @Nullable Routine handler, long latencyPs) {
    this.address = address;
    this.data = data;
    this.handler = handler;
    this.latencyPs = latencyPs;
  }

  /** {@return the message address} */
  public long address() {
    return address;
  }

  /** {@return the message data} */
  public int data() {
    return data;
  }

  /** {@return messages that have arrived} */
  public long raisedTotal() {
    return raisedTotal;
  }

  /** Takes notice of the messages so far, all at once as an interrupt controller merges them. */
  boolean tryConsume() {
    boolean isPending = consumedTotal < raisedTotal;
    consumedTotal = raisedTotal;
    return isPending;
  }

  void raise(long nowPs) {
    raisedTotal++;
    if (handler != null) {
      handler.wakeAt(nowPs + latencyPs);
    }
  }
}
