package io.github.bellwire.pcie;

import io.github.bellwire.kernel.Event;
import io.github.bellwire.kernel.Simulation;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Requests on their way to a device, delivered in the order of their arrival by one event: register
 * writes of cores, and writes and reads of peers. Requesters run ahead of the clock by different
 * times, so a request may be added that arrives before others. Grows to the most that are under way
 * at once and allocates nothing beyond.
 */
final class RequestQueue extends Event {
  private static final int INITIAL_DEPTH = 16;

  private final Simulation simulation;
  private final Endpoint endpoint;
  // A ring in the order of arrival; the slots are reused.
  private Request[] ring = new Request[INITIAL_DEPTH];
  private int head;
  private int count;
  private @Nullable Request lastRead;
  private final byte[] abandoned = new byte[TlpLayout.REQUEST_BOUNDARY_BYTES];

  /** A request and, until it is reused, its data. */
  private static final class Request {
    long readyPs;
    long arrivalPs;
    boolean isWrite;
    int bar;
    long offset;
    int lengthBytes;
    // Of a write to a register.
    boolean isValue;
    long value;
    // Of a write of any length.
    byte[] data = {};
    @Nullable DmaPort source;
    long leavesPs;
    // Of a peer's read.
    byte @Nullable [] destination;
    int destinationOffset;
  }

  RequestQueue(Simulation simulation, Endpoint endpoint) {
    this.simulation = simulation;
    this.endpoint = endpoint;
    fill(0);
  }

  /**
   * Adds a core's write to a register.
   *
   * @param readyPs when the port got it
   * @param atPs when it arrives
   */
  void add(int bar, long offset, int sizeBytes, long value, long readyPs, long atPs) {
    Request request = insert(bar, offset, sizeBytes, atPs);
    request.isWrite = true;
    request.isValue = true;
    request.value = value;
    request.source = null;
    request.readyPs = readyPs;
    wakeUp();
  }

  /**
   * Adds a write of any length.
   *
   * @param source the bytes, copied before the call returns
   * @param readyPs when the port got it
   * @param atPs when it arrives
   * @param peer who writes; null for a core
   * @param leavesPs when it leaves the peer
   */
  void addWrite(
      int bar,
      long offset,
      byte[] source,
      int sourceOffset,
      int lengthBytes,
      long readyPs,
      long atPs,
      @Nullable DmaPort peer,
      long leavesPs) {
    Request request = insert(bar, offset, lengthBytes, atPs);
    request.isWrite = true;
    request.isValue = false;
    request.source = peer;
    request.leavesPs = leavesPs;
    request.readyPs = readyPs;
    if (request.data.length < lengthBytes) {
      request.data = new byte[lengthBytes];
    }
    System.arraycopy(source, sourceOffset, request.data, 0, lengthBytes);
    wakeUp();
  }

  /**
   * Adds a peer's read.
   *
   * @param destination receives the bytes at the time of arrival
   * @param atPs when it arrives
   */
  void addRead(
      int bar, long offset, byte[] destination, int destinationOffset, int lengthBytes, long atPs) {
    Request request = insert(bar, offset, lengthBytes, atPs);
    request.isWrite = false;
    request.source = null;
    request.destination = destination;
    request.destinationOffset = destinationOffset;
    lastRead = request;
    wakeUp();
  }

  /** Makes the read that was added last go nowhere: its requester has given it up. */
  void abandonRead() {
    Request read = lastRead;
    if (read != null && read.destination != null) {
      read.destination = abandoned;
      read.destinationOffset = 0;
    }
  }

  /**
   * {@return when the last of the writes arrives that the port got up to a time; 0 if none of them
   * is under way}
   */
  long lastArrivalPs(long upToReadyPs) {
    for (int i = count - 1; i >= 0; i--) {
      Request request = ring[slot(i)];
      if (request.isWrite && request.readyPs <= upToReadyPs) {
        return request.arrivalPs;
      }
    }
    return 0;
  }

  /** Forgets everything under way, as when the link goes down; reads get all ones. */
  void drop() {
    for (int i = 0; i < count; i++) {
      Request request = ring[slot(i)];
      byte[] destination = request.destination;
      if (destination != null) {
        int from = request.destinationOffset;
        Arrays.fill(destination, from, from + request.lengthBytes, (byte) 0xff);
        request.destination = null;
      }
    }
    count = 0;
    simulation.cancel(this);
  }

  /** Forgets the writes of a peer that leave it after a time, because its link has gone down. */
  void drop(DmaPort peer, long afterPs) {
    int kept = 0;
    for (int i = 0; i < count; i++) {
      Request request = ring[slot(i)];
      if (request.source != peer || request.leavesPs <= afterPs) {
        ring[slot(i)] = ring[slot(kept)];
        ring[slot(kept++)] = request;
      }
    }
    count = kept;
    if (count == 0) {
      simulation.cancel(this);
    } else {
      simulation.reschedule(this, Math.max(simulation.nowPs(), ring[head].arrivalPs));
    }
  }

  @Override
  protected void onEvent(long nowPs) {
    Request request = ring[head];
    head = slot(1);
    count--;
    if (count > 0) {
      simulation.schedule(this, ring[head].arrivalPs);
    }
    deliver(request, nowPs);
  }

  private void deliver(Request request, long nowPs) {
    byte[] destination = request.destination;
    if (destination != null) {
      request.destination = null;
      endpoint.mmioRead(
          request.bar,
          request.offset,
          destination,
          request.destinationOffset,
          request.lengthBytes,
          nowPs);
    } else if (request.isValue) {
      endpoint.mmioWrite(request.bar, request.offset, request.lengthBytes, request.value, nowPs);
    } else {
      endpoint.mmioWrite(request.bar, request.offset, request.data, 0, request.lengthBytes, nowPs);
    }
  }

  private void wakeUp() {
    if (!isScheduled() || ring[head].arrivalPs < timePs()) {
      simulation.reschedule(this, ring[head].arrivalPs);
    }
  }

  /** Makes room at the place in the order of arrival; almost always the end. */
  private Request insert(int bar, long offset, int lengthBytes, long atPs) {
    if (count == ring.length) {
      grow();
    }
    int index = count++;
    Request request = ring[slot(index)];
    for (; index > 0 && ring[slot(index - 1)].arrivalPs > atPs; index--) {
      ring[slot(index)] = ring[slot(index - 1)];
    }
    ring[slot(index)] = request;
    request.bar = bar;
    request.offset = offset;
    request.lengthBytes = lengthBytes;
    request.arrivalPs = atPs;
    return request;
  }

  private void grow() {
    int length = ring.length;
    Request[] larger = Arrays.copyOf(ring, length * 2);
    for (int i = 0; i < length; i++) {
      larger[i] = ring[slot(i)];
    }
    ring = larger;
    head = 0;
    fill(length);
  }

  private void fill(int from) {
    for (int i = from; i < ring.length; i++) {
      ring[i] = new Request();
    }
  }

  private int slot(int index) {
    return head + index & ring.length - 1;
  }
}
