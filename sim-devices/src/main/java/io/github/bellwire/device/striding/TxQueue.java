package io.github.bellwire.device.striding;

import io.github.bellwire.kernel.Event;
import io.github.bellwire.kernel.Simulation;
import io.github.bellwire.memory.LittleEndian;
import io.github.bellwire.pcie.DmaPort;
import org.jspecify.annotations.Nullable;

/** A send queue: reads entries, a few at a time, then their frames, then reports them together. */
final class TxQueue extends Event {
  private static final int BATCH = 8;
  private static final int FRAME_MAX_BYTES = StridingLayout.PAGE_BYTES;

  private enum Step {
    ENTRIES,
    FRAMES,
    REPORT
  }

  private final Simulation simulation;
  private final FrameListener wire;
  private final CompletionQueue completions;
  private final byte[] bytes = new byte[BATCH * StridingLayout.TX_ENTRY_BYTES];
  private final byte[] frame = new byte[FRAME_MAX_BYTES];
  private @Nullable DmaPort dma;
  private long ringIova;
  private int entries;
  private long tail;
  private long head;
  private int batch;
  private Step step = Step.ENTRIES;

  TxQueue(Simulation simulation, FrameListener wire, CompletionQueue completions) {
    this.simulation = simulation;
    this.wire = wire;
    this.completions = completions;
  }

  void set(DmaPort port, int register, long value, long nowPs) {
    dma = port;
    switch (register) {
      case StridingLayout.TX_RING -> ringIova = value;
      case StridingLayout.TX_ENTRIES -> {
        reset();
        entries = (int) value;
      }
      case StridingLayout.TX_TAIL -> {
        tail = value;
        if (!isScheduled() && entries > 0) {
          simulation.schedule(this, nowPs);
        }
      }
      default -> {
        // Belongs to others.
      }
    }
  }

  void reset() {
    simulation.cancel(this);
    entries = 0;
    tail = 0;
    head = 0;
    step = Step.ENTRIES;
  }

  long sentTotal() {
    return head;
  }

  @Override
  protected void onEvent(long nowPs) {
    DmaPort port = dma;
    if (port == null) {
      return;
    }
    switch (step) {
      case ENTRIES -> readEntries(port, nowPs);
      case FRAMES -> readFrames(port, nowPs);
      default -> report(port, nowPs);
    }
  }

  private void readEntries(DmaPort port, long nowPs) {
    int place = (int) head & entries - 1;
    batch = (int) Math.min(Math.min(BATCH, tail - head), entries - place);
    if (batch == 0) {
      return;
    }
    long iova = ringIova + (long) place * StridingLayout.TX_ENTRY_BYTES;
    long readyPs = port.read(iova, bytes, 0, batch * StridingLayout.TX_ENTRY_BYTES, nowPs);
    step = Step.FRAMES;
    simulation.schedule(this, readyPs);
  }

  private void readFrames(DmaPort port, long nowPs) {
    long lastPs = nowPs;
    for (int i = 0; i < batch; i++) {
      int entry = i * StridingLayout.TX_ENTRY_BYTES;
      long iova = LittleEndian.get(bytes, entry + StridingLayout.TX_ADDRESS, Long.BYTES);
      long length = LittleEndian.get(bytes, entry + StridingLayout.TX_LENGTH, Integer.BYTES);
      int lengthBytes = (int) Math.min(FRAME_MAX_BYTES, length);
      long readPs = port.read(iova, frame, 0, lengthBytes, nowPs);
      wire.onFrame(frame, lengthBytes, readPs);
      lastPs = Math.max(lastPs, readPs);
    }
    step = Step.REPORT;
    simulation.schedule(this, lastPs);
  }

  private void report(DmaPort port, long nowPs) {
    head += batch;
    completions.sent(batch);
    completions.write(port, nowPs);
    step = Step.ENTRIES;
    if (head < tail) {
      simulation.schedule(this, nowPs);
    }
  }
}
