package io.github.bellwire.device.striding;

import static java.util.Objects.requireNonNull;

import io.github.bellwire.kernel.Event;
import io.github.bellwire.kernel.Simulation;
import io.github.bellwire.memory.LittleEndian;
import io.github.bellwire.pcie.Bar;
import io.github.bellwire.pcie.ConfigSpace;
import io.github.bellwire.pcie.ConfigSpaceBuilder;
import io.github.bellwire.pcie.DmaPort;
import io.github.bellwire.pcie.Endpoint;
import io.github.bellwire.pcie.PcieLinkConfig;
import org.jspecify.annotations.Nullable;

/**
 * The adapter. Frames wait in one buffer and are written to memory in the order of arrival, one at
 * a time, as fast as credits and link let it: one event per frame. Confined to the simulation
 * thread.
 */
public final class StridingNic implements Endpoint {
  private static final int VENDOR_MELLANOX = 0x15B3;
  private static final int DEVICE_CONNECTX_5 = 0x1017;
  private static final int CLASS_ETHERNET = 0x020000;
  private static final int PCIE_CAPABILITY = 0x40;
  private static final int MPS_SUPPORTED_BYTES = 512;
  private static final int FRAME_MAX_BYTES = 1 << 14;
  private static final int FRAMES_MIN = 64;

  private final StridingNicConfig config;
  private final Simulation simulation;
  private final ConfigSpace configSpace;
  private final FrameListener wire;
  private final RxQueue[] rxQueues;
  private final TxQueue[] txQueues;
  private final CompletionQueue[] completions;
  private final byte[] frame = new byte[FRAME_MAX_BYTES];

  // Frames in the buffer, the one that is being written included; oldest at head.
  private final int[] flows;
  private final int[] sequences;
  private final int[] lengths;
  private long head;
  private long tail;
  private int bufferedBytes;
  private int writtenBytes;
  private final Event writer;

  private @Nullable DmaPort dma;
  private int bufferedBytesMax;
  private long offeredTotal;
  private long offeredBytesTotal;
  private long overflowsTotal;
  private long noEntryTotal;
  private long storedTotal;
  private long storedBytesTotal;

  /**
   * Creates an adapter that no queue is set up for.
   *
   * @param config queues and buffer
   * @param slot the slot that it is made for
   * @param simulation the clock
   * @param wire hears of frames that are sent
   */
  public StridingNic(
      StridingNicConfig config, PcieLinkConfig slot, Simulation simulation, FrameListener wire) {
    this.config = requireNonNull(config, "config");
    this.simulation = requireNonNull(simulation, "simulation");
    this.wire = requireNonNull(wire, "wire");
    long windowBytes = Long.highestOneBit(config.queues() * 2L - 1) * StridingLayout.QUEUE_BYTES;
    configSpace =
        new ConfigSpaceBuilder(VENDOR_MELLANOX, DEVICE_CONNECTX_5)
            .classCode(CLASS_ETHERNET)
            .bar(Bar.memory64(0, Math.max(StridingLayout.PAGE_BYTES, windowBytes)))
            .pcie(
                PCIE_CAPABILITY,
                slot.generation().number(),
                slot.lanes(),
                MPS_SUPPORTED_BYTES,
                true)
            .build();
    rxQueues = new RxQueue[config.queues()];
    txQueues = new TxQueue[config.queues()];
    completions = new CompletionQueue[config.queues()];
    for (int i = 0; i < rxQueues.length; i++) {
      completions[i] = new CompletionQueue(simulation);
      rxQueues[i] = new RxQueue();
      txQueues[i] = new TxQueue(simulation, wire, completions[i]);
    }
    int frames =
        Integer.highestOneBit(config.bufferBytes() / StridingLayout.FRAME_HEADER_BYTES) * 2;
    flows = new int[Math.max(FRAMES_MIN, frames)];
    sequences = new int[flows.length];
    lengths = new int[flows.length];
    writer =
        new Event() {
          @Override
          protected void onEvent(long nowPs) {
            writeNext(nowPs);
          }
        };
    for (int i = StridingLayout.FRAME_HEADER_BYTES; i < frame.length; i++) {
      frame[i] = (byte) (i * 31);
    }
  }

  /**
   * The last bit of a frame arrives now.
   *
   * @param flow whose it is, at least 0
   * @param sequence its number in the flow
   * @param lengthBytes without FCS, 64..16384
   * @return whether the buffer had room
   */
  public boolean receive(int flow, int sequence, int lengthBytes) {
    offeredTotal++;
    offeredBytesTotal += lengthBytes;
    if (bufferedBytes + lengthBytes > config.bufferBytes()) {
      overflowsTotal++;
      return false;
    }
    int slot = (int) tail & flows.length - 1;
    flows[slot] = flow;
    sequences[slot] = sequence;
    lengths[slot] = lengthBytes;
    tail++;
    bufferedBytes += lengthBytes;
    bufferedBytesMax = Math.max(bufferedBytesMax, bufferedBytes);
    if (!writer.isScheduled()) {
      writeNext(simulation.nowPs());
    }
    return true;
  }

  /** The frame written last has left the buffer: writes the next one. */
  private void writeNext(long nowPs) {
    bufferedBytes -= writtenBytes;
    writtenBytes = 0;
    DmaPort port = dma;
    if (head == tail || port == null) {
      return;
    }
    int slot = (int) head & flows.length - 1;
    int flow = flows[slot];
    int lengthBytes = lengths[slot];
    int queueIndex = flow % rxQueues.length;
    RxQueue queue = rxQueues[queueIndex];
    head++;
    writtenBytes = lengthBytes;
    if (!queue.hasEntry(port, nowPs)) {
      noEntryTotal++;
      simulation.schedule(writer, nowPs);
      return;
    }
    LittleEndian.putInt(frame, 0, flow);
    LittleEndian.putInt(frame, 4, sequences[slot]);
    LittleEndian.putInt(frame, 8, lengthBytes);
    long sentPs = queue.write(port, frame, lengthBytes, Math.max(nowPs, queue.readyPs()));
    CompletionQueue reports = completions[queueIndex];
    reports.received(
        flow, sequences[slot], lengthBytes, queue.lastEntry(), queue.lastOffset(), queue.isDone());
    sentPs = reports.write(port, sentPs);
    storedTotal++;
    storedBytesTotal += lengthBytes;
    simulation.schedule(writer, sentPs);
  }

  @Override
  public void mmioWrite(int bar, long offset, int sizeBytes, long value, long nowPs) {
    int queue = (int) (offset / StridingLayout.QUEUE_BYTES);
    int register = (int) (offset % StridingLayout.QUEUE_BYTES);
    if (queue >= rxQueues.length || sizeBytes != Long.BYTES) {
      return;
    }
    rxQueues[queue].set(register, value);
    DmaPort port = dma;
    if (port != null) {
      txQueues[queue].set(port, register, value, nowPs);
      completions[queue].set(port, register, value, nowPs);
    }
  }

  @Override
  public long mmioRead(int bar, long offset, int sizeBytes, long nowPs) {
    return 0;
  }

  @Override
  public ConfigSpace configSpace() {
    return configSpace;
  }

  @Override
  public void connect(DmaPort port) {
    dma = port;
  }

  @Override
  public void reset(long nowPs) {
    simulation.cancel(writer);
    head = tail;
    bufferedBytes = 0;
    writtenBytes = 0;
    for (int i = 0; i < rxQueues.length; i++) {
      rxQueues[i].reset();
      txQueues[i].reset();
      completions[i].reset();
    }
    configSpace.reset();
  }

  /** {@return frames that have come over the wire} */
  public long offeredTotal() {
    return offeredTotal;
  }

  /** {@return their bytes} */
  public long offeredBytesTotal() {
    return offeredBytesTotal;
  }

  /** {@return frames dropped since the buffer was full} */
  public long overflowsTotal() {
    return overflowsTotal;
  }

  /** {@return frames dropped since their queue had no entry} */
  public long noEntryTotal() {
    return noEntryTotal;
  }

  /** {@return frames written to memory, or on their way there} */
  public long storedTotal() {
    return storedTotal;
  }

  /** {@return their bytes} */
  public long storedBytesTotal() {
    return storedBytesTotal;
  }

  /** {@return frames in the buffer that have not been begun to be written} */
  public long waitingCount() {
    return tail - head;
  }

  /** {@return the most bytes that the buffer has held since the last call of the reset below} */
  public int bufferedBytesMax() {
    return bufferedBytesMax;
  }

  /** Begins to look for the fullest buffer anew. */
  public void resetBufferedBytesMax() {
    bufferedBytesMax = bufferedBytes;
  }

  /** {@return frames sent} */
  public long sentTotal() {
    long total = 0;
    for (TxQueue queue : txQueues) {
      total += queue.sentTotal();
    }
    return total;
  }
}
