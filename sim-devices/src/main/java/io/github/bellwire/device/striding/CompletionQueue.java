package io.github.bellwire.device.striding;

import io.github.bellwire.kernel.Event;
import io.github.bellwire.kernel.Simulation;
import io.github.bellwire.memory.LittleEndian;
import io.github.bellwire.pcie.DmaPort;
import org.jspecify.annotations.Nullable;

/** Reports what is done, and after a while tells software to look. */
final class CompletionQueue {
  private static final int EVENTS_IN_PAGE =
      StridingLayout.PAGE_BYTES / StridingLayout.COMPLETION_BYTES;
  private static final long PS_PER_NS = 1_000;

  private final Simulation simulation;
  private final byte[] completion = new byte[StridingLayout.COMPLETION_BYTES];
  private final byte[] event = new byte[StridingLayout.COMPLETION_BYTES];
  private final Event timer;
  private @Nullable DmaPort dma;
  private long ringIova;
  private int entries;
  private long eventsIova;
  private long messageAddress;
  private int messageData;
  private long moderationPs;
  private long written;
  private long raised;
  private boolean isArmed;

  CompletionQueue(Simulation simulation) {
    this.simulation = simulation;
    timer =
        new Event() {
          @Override
          protected void onEvent(long nowPs) {
            raise(nowPs);
          }
        };
  }

  void set(DmaPort port, int register, long value, long nowPs) {
    dma = port;
    switch (register) {
      case StridingLayout.CQ_RING -> ringIova = value;
      case StridingLayout.CQ_ENTRIES -> {
        reset();
        entries = (int) value;
      }
      case StridingLayout.EVENTS -> eventsIova = value;
      case StridingLayout.MESSAGE_ADDRESS -> messageAddress = value;
      case StridingLayout.MESSAGE_DATA -> messageData = (int) value;
      case StridingLayout.MODERATION_NS -> moderationPs = value * PS_PER_NS;
      case StridingLayout.CQ_ARM -> {
        isArmed = true;
        if (written > value) {
          startTimer(nowPs);
        }
      }
      default -> {
        // Belongs to others.
      }
    }
  }

  void reset() {
    simulation.cancel(timer);
    entries = 0;
    written = 0;
    isArmed = false;
  }

  /** Fills in a completion for a frame that has arrived. */
  void received(
      int flow, int sequence, int lengthBytes, int entry, int offset, boolean isEntryDone) {
    LittleEndian.putInt(completion, StridingLayout.KIND, StridingLayout.KIND_RECEIVED);
    LittleEndian.putInt(completion, StridingLayout.FLOW, flow);
    LittleEndian.putInt(completion, StridingLayout.SEQUENCE, sequence);
    LittleEndian.putInt(completion, StridingLayout.LENGTH, lengthBytes);
    LittleEndian.putInt(completion, StridingLayout.ENTRY, entry);
    LittleEndian.putInt(completion, StridingLayout.OFFSET, offset);
    LittleEndian.putInt(completion, StridingLayout.ENTRY_DONE, isEntryDone ? 1 : 0);
  }

  /** Fills in a completion for frames that have been sent. */
  void sent(int count) {
    LittleEndian.putInt(completion, StridingLayout.KIND, StridingLayout.KIND_SENT);
    LittleEndian.putInt(completion, StridingLayout.LENGTH, count);
    LittleEndian.putInt(completion, StridingLayout.ENTRY_DONE, 0);
  }

  /** Writes the completion that has been filled in; returns when it has left. */
  long write(DmaPort port, long atPs) {
    if (entries == 0) {
      return atPs;
    }
    int generation = (int) (written / entries) + 1;
    LittleEndian.putInt(completion, StridingLayout.GENERATION, generation);
    long iova = ringIova + (written & entries - 1) * StridingLayout.COMPLETION_BYTES;
    long visiblePs = port.writeStatus(iova, completion, 0, StridingLayout.COMPLETION_BYTES, atPs);
    long sentPs = port.sentPs();
    written++;
    if (isArmed) {
      startTimer(visiblePs);
    }
    return sentPs;
  }

  private void startTimer(long fromPs) {
    if (!timer.isScheduled()) {
      isArmed = false;
      simulation.schedule(timer, fromPs + moderationPs);
    }
  }

  private void raise(long nowPs) {
    DmaPort port = dma;
    if (port == null) {
      return;
    }
    long iova = eventsIova + (raised % EVENTS_IN_PAGE) * StridingLayout.COMPLETION_BYTES;
    raised++;
    LittleEndian.putInt(event, StridingLayout.GENERATION, (int) (raised / EVENTS_IN_PAGE) + 1);
    port.writeStatus(iova, event, 0, StridingLayout.COMPLETION_BYTES, nowPs);
    port.sendMessage(messageAddress, messageData, port.sentPs());
  }
}
