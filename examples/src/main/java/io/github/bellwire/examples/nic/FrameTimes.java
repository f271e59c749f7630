package io.github.bellwire.examples.nic;

import io.github.bellwire.device.nic.EthernetWire;
import io.github.bellwire.trace.LifecycleStep;
import io.github.bellwire.trace.OperationId;
import io.github.bellwire.trace.TraceCause;
import io.github.bellwire.trace.TraceSink;

/**
 * Listens to the steps of DMA operations and measures frames on their way: from the last bit on the
 * wire to the driver's hands, from the driver's call to the first bit on the wire, and for what is
 * forwarded from last bit to first bit. Hands every step on.
 *
 * <p>Allocates nothing once every queue has been seen.
 */
final class FrameTimes implements TraceSink {
  private static final long PS_BITS_PER_BYTE = 8_000_000_000_000L;

  private final TraceSink next;
  private final long bitsPerSecond;
  private final OperationTimes arrivals = new OperationTimes();
  private final OperationTimes lengths = new OperationTimes();
  private final OperationTimes calls = new OperationTimes();
  private final OperationTimes forwardedArrivals = new OperationTimes();
  private final FrameMeter received;
  private final FrameMeter sent;
  private final FrameMeter forwarded;
  private long inHandArrivalPs = OperationTimes.UNKNOWN;

  /**
   * Creates a listener.
   *
   * @param next hears everything too
   * @param bitsPerSecond speed of the wire
   * @param descriptorsPerSecond that a port handles
   */
  FrameTimes(TraceSink next, long bitsPerSecond, long descriptorsPerSecond) {
    this.next = next;
    this.bitsPerSecond = bitsPerSecond;
    received = new FrameMeter(descriptorsPerSecond);
    sent = new FrameMeter(descriptorsPerSecond);
    forwarded = new FrameMeter(descriptorsPerSecond);
  }

  @Override
  public void onStep(
      long operationId,
      LifecycleStep step,
      TraceCause cause,
      long timePs,
      long address,
      long lengthBytes) {
    next.onStep(operationId, step, cause, timePs, address, lengthBytes);
    switch (cause) {
      case FRAME_ARRIVED:
        arrivals.put(operationId, timePs);
        lengths.put(operationId, lengthBytes);
        break;
      case DONE_BIT_SEEN:
        onDone(operationId, timePs);
        break;
      case BUFFER_FROM_POOL:
        calls.put(operationId, timePs);
        break;
      case DESCRIPTOR_WRITTEN:
        onBuilt(operationId);
        break;
      case FRAME_SENT:
        onSent(operationId, timePs, (int) lengthBytes);
        break;
      default:
        break;
    }
  }

  FrameMeter received() {
    return received;
  }

  FrameMeter sent() {
    return sent;
  }

  FrameMeter forwarded() {
    return forwarded;
  }

  private void onDone(long operationId, long timePs) {
    if (OperationId.isTransmit(operationId)) {
      return;
    }
    long arrivedPs = arrivals.take(operationId);
    if (arrivedPs != OperationTimes.UNKNOWN) {
      int port = OperationId.portIndex(operationId);
      received.add(port, arrivedPs, timePs, timePs, (int) lengths.take(operationId));
      inHandArrivalPs = arrivedPs;
    }
  }

  /** What is sent next is the frame in hand, unless the driver dropped that. */
  private void onBuilt(long operationId) {
    if (OperationId.isTransmit(operationId)) {
      forwardedArrivals.put(operationId, inHandArrivalPs);
    }
  }

  private void onSent(long operationId, long lastBitPs, int lengthBytes) {
    int bytes = EthernetWire.PREAMBLE_BYTES + lengthBytes + EthernetWire.FCS_BYTES;
    long firstBitPs = lastBitPs - bytes * PS_BITS_PER_BYTE / bitsPerSecond; // to 1 ps
    int port = OperationId.portIndex(operationId);
    long calledPs = calls.take(operationId);
    if (calledPs != OperationTimes.UNKNOWN) {
      sent.add(port, calledPs, firstBitPs, lastBitPs, lengthBytes);
    }
    long arrivedPs = forwardedArrivals.take(operationId);
    if (arrivedPs != OperationTimes.UNKNOWN) {
      forwarded.add(port, arrivedPs, firstBitPs, lastBitPs, lengthBytes);
    }
  }
}
