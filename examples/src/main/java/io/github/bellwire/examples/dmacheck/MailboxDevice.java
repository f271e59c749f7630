package io.github.bellwire.examples.dmacheck;

import static java.util.Objects.requireNonNull;

import io.github.bellwire.kernel.Event;
import io.github.bellwire.kernel.Simulation;
import io.github.bellwire.pcie.Bar;
import io.github.bellwire.pcie.ConfigSpace;
import io.github.bellwire.pcie.ConfigSpaceBuilder;
import io.github.bellwire.pcie.DmaPort;
import io.github.bellwire.pcie.Endpoint;
import io.github.bellwire.pcie.PcieLinkConfig;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The simplest device with a ring: it fetches a descriptor, reads or writes the memory that it
 * names, and says in the descriptor that it is done. It does what it is told, whatever that is.
 */
final class MailboxDevice implements Endpoint {
  private static final int VENDOR_ID = 0x1AF4;
  private static final int DEVICE_ID = 0x10FE;
  private static final int BAR_BYTES = 4096;
  private static final int PCIE_CAPABILITY = 0x60;
  private static final int LENGTH_MAX = 1 << 16;

  /** Between two fetches of a descriptor. */
  static final long CHECK_PS = 2_000_000;

  private static final byte PATTERN = 0x5A;

  private final Simulation simulation;
  private final ConfigSpace configSpace;
  private final Event engine;
  private final byte[] descriptor = new byte[MailboxLayout.DESCRIPTOR_BYTES];
  private final byte[] payload = new byte[LENGTH_MAX];
  private @Nullable DmaPort dma;
  private long ringBase;
  private int ringSize = 1;
  private int control;
  private int head;
  private int tail;
  private boolean isChecked;

  MailboxDevice(Simulation simulation, PcieLinkConfig slot) {
    this.simulation = simulation;
    configSpace =
        new ConfigSpaceBuilder(VENDOR_ID, DEVICE_ID)
            .bar(Bar.memory64(0, BAR_BYTES))
            .pcie(
                PCIE_CAPABILITY,
                slot.generation().number(),
                slot.lanes(),
                slot.maxPayloadBytes(),
                true)
            .build();
    Arrays.fill(payload, PATTERN);
    engine =
        new Event() {
          @Override
          protected void onEvent(long nowPs) {
            work(nowPs);
          }
        };
  }

  @Override
  public ConfigSpace configSpace() {
    return configSpace;
  }

  @Override
  public void connect(DmaPort newDma) {
    dma = newDma;
  }

  @Override
  public long mmioRead(int bar, long offset, int sizeBytes, long nowPs) {
    return offset == MailboxLayout.TAIL ? tail : 0;
  }

  @Override
  public void mmioWrite(int bar, long offset, int sizeBytes, long value, long nowPs) {
    switch ((int) offset) {
      case MailboxLayout.RING_BASE -> ringBase = value;
      case MailboxLayout.RING_SIZE -> ringSize = (int) value;
      case MailboxLayout.CONTROL -> control = (int) value;
      case MailboxLayout.TAIL -> {
        tail = (int) value;
        if (!engine.isScheduled()) {
          simulation.schedule(engine, nowPs);
        }
      }
      default -> {
        // No such register.
      }
    }
  }

  @Override
  public void reset(long nowPs) {
    simulation.cancel(engine);
    configSpace.reset();
    head = 0;
    tail = 0;
    isChecked = false;
  }

  /** Does the next descriptor, or looks at it first. */
  private void work(long nowPs) {
    if (head == tail) {
      return;
    }
    DmaPort port = requireNonNull(dma, "dma");
    long iova = ringBase + (long) head * descriptor.length;
    long fetchedPs = port.read(iova, descriptor, 0, descriptor.length, nowPs);
    boolean mustCheck = (control & MailboxLayout.CONTROL_FETCH_TWICE) != 0;
    if (mustCheck && !isChecked) {
      isChecked = true;
      simulation.schedule(engine, fetchedPs + CHECK_PS);
      return;
    }
    isChecked = false;
    long donePs = move(port, fetchedPs);
    head = head + 1 == ringSize ? 0 : head + 1;
    report(port, iova, donePs);
    simulation.schedule(engine, donePs);
  }

  private long move(DmaPort port, long atPs) {
    ByteBuffer fields = ByteBuffer.wrap(descriptor).order(ByteOrder.LITTLE_ENDIAN);
    long iova = fields.getLong(MailboxLayout.IOVA_OFFSET);
    int lengthBytes = Math.min(LENGTH_MAX, fields.getInt(MailboxLayout.LENGTH_OFFSET));
    boolean isToHost =
        (fields.getInt(MailboxLayout.FLAGS_OFFSET) & MailboxLayout.FLAG_TO_HOST) != 0;
    if (lengthBytes < 1) {
      return atPs;
    }
    return isToHost
        ? port.write(iova, payload, 0, lengthBytes, atPs)
        : port.read(iova, new byte[lengthBytes], 0, lengthBytes, atPs);
  }

  private void report(DmaPort port, long iova, long atPs) {
    byte[] flags = new byte[Integer.BYTES];
    ByteBuffer.wrap(flags).order(ByteOrder.LITTLE_ENDIAN).putInt(MailboxLayout.FLAG_DONE);
    port.writeStatus(iova + MailboxLayout.FLAGS_OFFSET, flags, 0, flags.length, atPs);
  }
}
