package io.github.bellwire.device.aperture;

import static java.util.Objects.requireNonNull;

import io.github.bellwire.kernel.Event;
import io.github.bellwire.kernel.Simulation;
import io.github.bellwire.memory.LittleEndian;
import io.github.bellwire.pcie.DmaPort;
import io.github.bellwire.pcie.DmaStatus;
import org.jspecify.annotations.Nullable;

/**
 * Works through a ring of descriptors, one at a time.
 *
 * <pre>{@code
 * doorbell --> fetch --descriptor--> copy, chunk by chunk --last byte--> report --> next, or idle
 * }</pre>
 *
 * <p>A chunk starts when the one before it has left room: a tag for reads, the link for writes. A
 * copy that cannot be done is reported as an error; one whose descriptor cannot be read stops the
 * engine until the next doorbell, as there is nowhere to report to. Bytes for the device move when
 * they are asked for; software may rely on them from the report on.
 */
final class CopyEngine extends Event {
  private static final int CHUNK_BYTES = 4096;

  private enum State {
    IDLE,
    COPYING,
    REPORTING
  }

  private final Simulation simulation;
  private final ApertureConfig config;
  private final DeviceMemory memory;
  private final byte[] descriptor = new byte[ApertureLayout.DESCRIPTOR_BYTES];
  private final byte[] chunk = new byte[CHUNK_BYTES];
  private final byte[] status = new byte[Long.BYTES];
  private @Nullable DmaPort dma;

  private long ringBase;
  private int ringSize;
  private int head;
  private int tail;

  private State state = State.IDLE;
  private long hostIova;
  private long deviceOffset;
  private long lengthBytes;
  private long statusIova;
  private boolean isToHost;
  private boolean isFailed;
  private long doneBytes;
  private int chunkBytes;
  private int doneCount;
  // What the state waits for to arrive, and how long after that it begins.
  private long awaitedTicket;
  private long afterArrivalPs;

  CopyEngine(Simulation simulation, ApertureConfig config, DeviceMemory memory) {
    this.simulation = simulation;
    this.config = config;
    this.memory = memory;
  }

  void connect(DmaPort port) {
    dma = port;
  }

  void reset() {
    simulation.cancel(this);
    state = State.IDLE;
    ringBase = 0;
    ringSize = 0;
    head = 0;
    tail = 0;
    doneCount = 0;
    awaitNothing();
  }

  long readRegister(int offset) {
    return switch (offset) {
      case ApertureLayout.RING_BASE -> ringBase;
      case ApertureLayout.RING_SIZE -> ringSize;
      case ApertureLayout.TAIL -> tail;
      case ApertureLayout.HEAD -> head;
      default -> 0;
    };
  }

  void writeRegister(int offset, long value, long nowPs) {
    switch (offset) {
      case ApertureLayout.RING_BASE -> ringBase = value;
      case ApertureLayout.RING_SIZE -> setRingSize(value);
      case ApertureLayout.TAIL -> setTail(value, nowPs);
      default -> {} // read only or nothing there
    }
  }

  @Override
  protected void onEvent(long nowPs) {
    long readyPs = dma().arrivalPs(awaitedTicket) + afterArrivalPs;
    if (readyPs > nowPs) {
      simulation.schedule(this, readyPs); // Others were served first.
      return;
    }
    switch (state) {
      case COPYING -> copyChunk(nowPs);
      case REPORTING -> report(nowPs);
      default -> throw new IllegalStateException("engine is idle");
    }
  }

  private void setRingSize(long value) {
    if (head == tail && value >= 2 && value <= ApertureLayout.RING_SIZE_MAX) {
      ringSize = (int) value;
      head = 0;
      tail = 0;
    }
  }

  private void setTail(long value, long nowPs) {
    if (value < 0 || value >= ringSize) {
      return;
    }
    tail = (int) value;
    if (state == State.IDLE) {
      fetch(nowPs);
    }
  }

  /** Reads the next descriptor, if there is one. */
  private void fetch(long nowPs) {
    state = State.IDLE;
    if (head == tail) {
      return;
    }
    long iova = ringBase + (long) head * ApertureLayout.DESCRIPTOR_BYTES;
    long arrivalPs = dma().read(iova, descriptor, 0, ApertureLayout.DESCRIPTOR_BYTES, nowPs);
    if (dma().status() != DmaStatus.OK) {
      return;
    }
    hostIova = LittleEndian.getLong(descriptor, ApertureLayout.HOST_OFFSET);
    deviceOffset = LittleEndian.getLong(descriptor, ApertureLayout.DEVICE_OFFSET);
    long control = LittleEndian.getLong(descriptor, ApertureLayout.CONTROL_OFFSET);
    lengthBytes = ApertureLayout.lengthBytes(control);
    isToHost = ApertureLayout.isToHost(control);
    statusIova = LittleEndian.getLong(descriptor, ApertureLayout.STATUS_OFFSET);
    doneBytes = 0;
    boolean isPastTheEnd = hostIova < 0 && hostIova > -lengthBytes;
    isFailed = lengthBytes == 0 || isPastTheEnd || !memory.contains(deviceOffset, lengthBytes);
    long preparePs = config.engineStartPs();
    preparePs += isToHost && !isFailed ? config.engineMemoryPs() : 0;
    awaitRead(preparePs);
    continueAt(isFailed ? State.REPORTING : State.COPYING, arrivalPs + preparePs);
  }

  private void copyChunk(long nowPs) {
    awaitNothing();
    long iova = hostIova + doneBytes;
    chunkBytes = (int) Math.min(lengthBytes - doneBytes, CHUNK_BYTES - (iova & CHUNK_BYTES - 1));
    if (isToHost) {
      memory.read(deviceOffset + doneBytes, chunk, 0, chunkBytes);
      dma().write(iova, chunk, 0, chunkBytes, nowPs);
      finishChunk(dma().sentPs(), dma().sentPs());
    } else {
      long arrivedPs = dma().read(iova, chunk, 0, chunkBytes, nowPs);
      if (dma().status() == DmaStatus.OK) {
        memory.write(deviceOffset + doneBytes, chunk, 0, chunkBytes);
      }
      finishChunk(dma().tagFreePs(), arrivedPs + config.engineMemoryPs());
      if (state == State.REPORTING) {
        awaitRead(config.engineMemoryPs());
      }
    }
  }

  private void awaitRead(long newAfterArrivalPs) {
    awaitedTicket = dma().readTicket();
    afterArrivalPs = newAfterArrivalPs;
  }

  private void awaitNothing() {
    awaitedTicket = 0;
    afterArrivalPs = 0;
  }

  private void finishChunk(long nextPs, long donePs) {
    isFailed |= dma().status() != DmaStatus.OK;
    doneBytes += chunkBytes;
    if (isFailed || doneBytes == lengthBytes) {
      continueAt(State.REPORTING, donePs);
    } else {
      continueAt(State.COPYING, Math.max(nextPs, simulation.nowPs()));
    }
  }

  private void report(long nowPs) {
    awaitNothing();
    head = head + 1 == ringSize ? 0 : head + 1;
    doneCount++;
    long word = Integer.toUnsignedLong(doneCount) | (isFailed ? ApertureLayout.STATUS_ERROR : 0);
    LittleEndian.put(status, 0, status.length, word);
    dma().writeStatus(statusIova, status, 0, status.length, nowPs);
    fetch(nowPs);
  }

  private void continueAt(State next, long atPs) {
    state = next;
    simulation.schedule(this, atPs);
  }

  private DmaPort dma() {
    return requireNonNull(dma, "the device is not plugged in");
  }
}
