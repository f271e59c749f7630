package io.github.bellwire.device.nic.driver;

import io.github.bellwire.cpu.CpuPort;
import io.github.bellwire.device.nic.NicRegisters;
import io.github.bellwire.device.nic.TxDescriptorLayout;
import io.github.bellwire.dma.CoherentBuffer;
import io.github.bellwire.dma.DescriptorRing;
import io.github.bellwire.dma.DmaDevice;
import io.github.bellwire.dma.DmaDirection;
import io.github.bellwire.dma.Doorbell;
import io.github.bellwire.dma.ScatterList;
import io.github.bellwire.kernel.Requirements;
import io.github.bellwire.trace.TraceSink;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * One transmit queue as software sees it.
 *
 * <pre>{@code
 * trySend --> descriptors of a frame, RS in the last one --> flush: TDT once per batch
 * clean   <-- looks at the last descriptor of a group, gives the group's buffers back
 * }</pre>
 *
 * <p>What is in the ring belongs to it. A pool buffer goes back to the pool when it is cleaned; a
 * {@link ScatterList} is unmapped then, which its owner sees by {@link ScatterList#mappedCount()}
 * being 0 again. The device reports in groups of WTHRESH, so the last few frames may stay in the
 * ring until more follow; {@link #finish} asks for them.
 *
 * <p>Allocates nothing after construction. Confined to the simulation thread.
 */
public final class TxRing {
  /** The longest piece of memory that one descriptor points to (Linux, IXGBE_MAX_DATA_PER_TXD). */
  public static final int PIECE_BYTES_MAX = 1 << 14;

  private static final int PIECE_SHIFT = 14;

  /**
   * Descriptors per packet while WTHRESH is 0; each of WTHRESH takes one away (82599 data sheet
   * 7.2.1.1).
   */
  public static final int FRAME_DESCRIPTORS_MAX = 38;

  private static final int LAST_BITS =
      TxDescriptorLayout.COMMAND_EOP | TxDescriptorLayout.COMMAND_RS;

  private final int queueIndex;
  private final CoherentBuffer memory;
  private final DescriptorRing ring;
  private final Doorbell doorbell;
  private final long controlRegister;
  private final int control;
  private final DmaDevice dma;
  private final BufferPool pool;
  private final BufferMapping mapping;
  private final @Nullable RingTrace trace;
  private final int frameDescriptorsMax;
  private final int cleanGroup;
  private final int cyclesPerFrame;

  // By descriptor index.
  private final int[] buffers;
  private final long[] iovas;
  private final int[] lengths;
  private final int[] frameEnds;
  private final @Nullable ScatterList[] lists;

  private int frameEnd;
  private int unannouncedCount;
  private long contextLow;
  private long contextHigh;
  private long framesTotal;
  private long bytesTotal;
  private long descriptorsTotal;
  private long refusedTotal;

  TxRing(
      int queueIndex,
      NicDriverConfig config,
      CoherentBuffer memory,
      long bar0,
      DmaDevice dma,
      BufferPool pool,
      BufferMapping mapping,
      int portIndex,
      @Nullable TraceSink sink) {
    this.queueIndex = queueIndex;
    this.memory = memory;
    this.dma = dma;
    this.pool = pool;
    this.mapping = mapping;
    ring = mapping.newRing(memory, TxDescriptorLayout.SIZE_BYTES, config.txRingSize());
    doorbell = new Doorbell(bar0 + NicRegisters.tdt(queueIndex), Integer.BYTES);
    controlRegister = bar0 + NicRegisters.txdctl(queueIndex);
    control = config.txdctl() | NicRegisters.TXDCTL_ENABLE;
    trace = RingTrace.transmit(sink, portIndex, queueIndex);
    frameDescriptorsMax =
        Math.max(1, Math.min(FRAME_DESCRIPTORS_MAX - config.wthresh(), config.txRingSize() - 1));
    cleanGroup = config.cleanGroup();
    cyclesPerFrame = config.profile().perPacketTx();
    buffers = new int[config.txRingSize()];
    iovas = new long[config.txRingSize()];
    lengths = new int[config.txRingSize()];
    frameEnds = new int[config.txRingSize()];
    lists = new ScatterList[config.txRingSize()];
    Arrays.fill(buffers, BufferPool.NO_BUFFER);
  }

  /**
   * Sends a frame that lies in one buffer of the pool. The device learns of it at the next {@link
   * #flush}.
   *
   * @param port the core that sends
   * @param buffer taken from the pool; belongs to the ring if accepted
   * @param lengthBytes 1 to the size of the buffer, without FCS
   * @return {@code false} if the ring is full or mapping was refused; nothing changed then
   * @throws IllegalArgumentException if the length is out of range
   */
  public boolean trySend(CpuPort port, int buffer, int lengthBytes) {
    return trySend(port, buffer, lengthBytes, TxOffload.NONE);
  }

  /**
   * Sends a frame that lies in one buffer of the pool, with offload.
   *
   * @param port the core that sends
   * @param buffer taken from the pool; belongs to the ring if accepted
   * @param lengthBytes 1 to the size of the buffer, without FCS
   * @param offload what the device computes
   * @return {@code false} if the ring is full or mapping was refused; nothing changed then
   * @throws IllegalArgumentException if the length is out of range
   */
  public boolean trySend(CpuPort port, int buffer, int lengthBytes, TxOffload offload) {
    Requirements.requireRange("lengthBytes", lengthBytes, 1, pool.bufferBytes());
    int contexts = contextsNeeded(offload);
    if (ring.freeCount() < 1 + contexts) {
      refusedTotal++;
      return false;
    }
    long startPs = port.nowPs();
    long iova = mapping.map(port, buffer, lengthBytes, DmaDirection.TO_DEVICE);
    if (iova == DmaDevice.MAPPING_ERROR) {
      refusedTotal++;
      return false;
    }
    begin(port, 1, contexts, offload);
    putBuffer(port, buffer, iova, lengthBytes, startPs, lengthBytes, true, offload);
    end(lengthBytes);
    return true;
  }

  /**
   * Sends a received frame on without copying it. If accepted, its buffers are detached from the
   * receive ring and belong to this one.
   *
   * @param port the core that forwards
   * @param frame not detached, of the pool of this driver
   * @return {@code false} if the ring is full or mapping was refused; nothing changed then
   * @throws IllegalArgumentException if the frame lies in another pool or too many buffers
   */
  public boolean tryForward(CpuPort port, ReceivedFrame frame) {
    if (frame.pool() != pool) {
      throw new IllegalArgumentException("frame must lie in the pool of queue " + queueIndex);
    }
    int segments = frame.segmentCount();
    requireDescriptors(segments);
    if (ring.freeCount() < segments || !tryMap(port, frame, segments)) {
      refusedTotal++;
      return false;
    }
    begin(port, segments, 0, TxOffload.NONE);
    int index = ring.tail();
    for (int i = 0; i < segments; i++) {
      putBuffer(
          port,
          frame.buffer(i),
          iovas[index],
          frame.lengthBytes(i),
          port.nowPs(),
          frame.totalBytes(),
          i == segments - 1,
          TxOffload.NONE);
      index = ring.next(index);
    }
    end(frame.totalBytes());
    frame.detach();
    return true;
  }

  /**
   * Sends a frame that lies in several pieces of memory outside the pool. They are mapped now and
   * unmapped when the frame is cleaned; the list must not change in between.
   *
   * @param port the core that sends
   * @param list at least one segment, not mapped
   * @param offload what the device computes
   * @return {@code false} if the ring is full or mapping was refused; nothing changed then
   * @throws IllegalArgumentException if the frame takes more descriptors than the device allows
   */
  public boolean trySend(CpuPort port, ScatterList list, TxOffload offload) {
    int pieces = 0;
    for (int i = 0; i < list.segmentCount(); i++) {
      pieces += piecesOf(list.lengthBytes(i));
    }
    int contexts = contextsNeeded(offload);
    requireDescriptors(pieces + contexts);
    if (ring.freeCount() < pieces + contexts
        || dma.mapScatterList(port, list, DmaDirection.TO_DEVICE) == 0) {
      refusedTotal++;
      return false;
    }
    pieces = 0; // Mapping may have joined some.
    for (int i = 0; i < list.mappedCount(); i++) {
      pieces += piecesOf(list.mappedLengthBytes(i));
    }
    begin(port, pieces, contexts, offload);
    putList(port, list, offload);
    lists[frameEnd] = list;
    end((int) list.totalBytes());
    return true;
  }

  /**
   * Tells the device about all frames sent since the last call; does nothing if there are none.
   *
   * @param port the core that writes TDT
   */
  public void flush(CpuPort port) {
    if (unannouncedCount > 0) {
      doorbell.ring(port, ring.tail());
      if (trace != null) {
        trace.announced(ring, unannouncedCount, port.nowPs(), doorbell.address());
      }
      unannouncedCount = 0;
    }
  }

  /**
   * Takes back what the device is done with, a group at a time as far as groups are full: one load
   * per group.
   *
   * @param port the core that cleans
   * @param budget stop once so many descriptors are cleaned, at least 1
   * @return how many were cleaned
   */
  public int clean(CpuPort port, int budget) {
    return cleanGroups(port, cleanGroup, budget);
  }

  /**
   * Asks the device to report whatever is done (TXDCTL.SWFLSH) and takes it back frame by frame. To
   * be called until {@link #isIdle()} when nothing more is to be sent.
   *
   * @param port the core that cleans
   * @return how many descriptors were cleaned
   */
  public int finish(CpuPort port) {
    flush(port);
    int cleaned = cleanGroups(port, 1, Integer.MAX_VALUE);
    if (!ring.isEmpty()) {
      port.mmioWrite(controlRegister, Integer.BYTES, control | NicRegisters.TXDCTL_SWFLSH);
    }
    return cleaned;
  }

  /** {@return whether nothing is in the ring} */
  public boolean isIdle() {
    return ring.isEmpty();
  }

  /** {@return how many descriptors are free} */
  public int freeCount() {
    return ring.freeCount();
  }

  /** {@return the queue's number} */
  public int queueIndex() {
    return queueIndex;
  }

  /** {@return the frames accepted; a segmented one counts once} */
  public long framesTotal() {
    return framesTotal;
  }

  /** {@return the bytes of the frames accepted, without FCS} */
  public long bytesTotal() {
    return bytesTotal;
  }

  /** {@return the descriptors written, contexts included} */
  public long descriptorsTotal() {
    return descriptorsTotal;
  }

  /** {@return how often a frame was refused} */
  public long refusedTotal() {
    return refusedTotal;
  }

  /** {@return how often TDT was written} */
  public long tailWritesTotal() {
    return doorbell.ringsCount();
  }

  /** {@return the address of the status that tells that the oldest group is done} */
  public long nextStatusPa() {
    int look = Math.max(1, Math.min(cleanGroup, ring.usedCount())) - 1;
    return statusWordPa(frameEnds[wrap(ring.head() + look)]);
  }

  /** {@return the descriptors' memory} */
  CoherentBuffer memory() {
    return memory;
  }

  /** Takes everything back, done or not; the device must have stopped. */
  void drop(CpuPort port) {
    while (!ring.isEmpty()) {
      release(port, frameEnds[ring.head()], false);
    }
    unannouncedCount = 0;
  }

  private int contextsNeeded(TxOffload offload) {
    return offload.needsContext()
            && (offload.contextLow() != contextLow || offload.contextHigh() != contextHigh)
        ? 1
        : 0;
  }

  private void requireDescriptors(int count) {
    Requirements.requireRange("descriptors of a frame", count, 1, frameDescriptorsMax);
  }

  /** Maps a frame's buffers into the slots that they will take, or none of them. */
  private boolean tryMap(CpuPort port, ReceivedFrame frame, int segments) {
    int index = ring.tail();
    for (int i = 0; i < segments; i++) {
      int buffer = frame.buffer(i);
      long iova = mapping.map(port, buffer, frame.lengthBytes(i), DmaDirection.TO_DEVICE);
      if (iova == DmaDevice.MAPPING_ERROR) {
        unmapFirst(port, frame, i);
        return false;
      }
      iovas[index] = iova;
      index = ring.next(index);
    }
    return true;
  }

  private void unmapFirst(CpuPort port, ReceivedFrame frame, int segments) {
    int index = ring.tail();
    for (int i = 0; i < segments; i++) {
      mapping.unmap(
          port, frame.buffer(i), iovas[index], frame.lengthBytes(i), DmaDirection.TO_DEVICE);
      index = ring.next(index);
    }
  }

  private void begin(CpuPort port, int pieces, int contexts, TxOffload offload) {
    port.compute(cyclesPerFrame);
    frameEnd = wrap(ring.tail() + pieces + contexts - 1);
    if (contexts > 0) {
      contextLow = offload.contextLow();
      contextHigh = offload.contextHigh();
      putDescriptor(port, contextLow, contextHigh, BufferPool.NO_BUFFER, 0);
    }
  }

  private void end(int lengthBytes) {
    framesTotal++;
    bytesTotal += lengthBytes;
  }

  private void putBuffer(
      CpuPort port,
      int buffer,
      long iova,
      int lengthBytes,
      long allocatedPs,
      int totalBytes,
      boolean isLast,
      TxOffload offload) {
    if (trace != null) {
      long sequence = ring.tailSequence();
      trace.allocated(sequence, allocatedPs, pool.pa(buffer), lengthBytes);
      trace.mapped(sequence, mapping.isPreMapped(), port.nowPs(), iova, lengthBytes);
    }
    long high = dataHigh(lengthBytes, totalBytes, isLast, offload);
    putDescriptor(port, iova, high, buffer, lengthBytes);
  }

  private void putList(CpuPort port, ScatterList list, TxOffload offload) {
    int totalBytes = (int) list.totalBytes();
    for (int i = 0; i < list.mappedCount(); i++) {
      int mappedBytes = list.mappedLengthBytes(i);
      for (int offset = 0; offset < mappedBytes; offset += PIECE_BYTES_MAX) {
        int lengthBytes = Math.min(PIECE_BYTES_MAX, mappedBytes - offset);
        long iova = list.iova(i) + offset;
        if (trace != null) {
          trace.mapped(ring.tailSequence(), false, port.nowPs(), iova, lengthBytes);
        }
        boolean isLast = i == list.mappedCount() - 1 && offset + lengthBytes == mappedBytes;
        long high = dataHigh(lengthBytes, totalBytes, isLast, offload);
        putDescriptor(port, iova, high, BufferPool.NO_BUFFER, lengthBytes);
      }
    }
  }

  private static long dataHigh(int lengthBytes, int totalBytes, boolean isLast, TxOffload offload) {
    int payloadBytes = offload.isSegmented() ? totalBytes - offload.headersBytes() : totalBytes;
    return TxDescriptorLayout.dataHigh(
        lengthBytes,
        TxDescriptorLayout.COMMAND_IFCS | offload.commandBits() | (isLast ? LAST_BITS : 0),
        offload.optionBits(),
        0,
        payloadBytes);
  }

  private void putDescriptor(CpuPort port, long low, long high, int buffer, int lengthBytes) {
    int index = ring.tail();
    buffers[index] = buffer;
    iovas[index] = low;
    lengths[index] = lengthBytes;
    frameEnds[index] = frameEnd;
    long descriptorPa = ring.descriptorPa(index);
    port.storeLongs(descriptorPa, low, high);
    if (trace != null) {
      trace.built(ring.tailSequence(), port.nowPs(), descriptorPa, TxDescriptorLayout.SIZE_BYTES);
    }
    ring.advanceTail(1);
    unannouncedCount++;
    descriptorsTotal++;
  }

  private int cleanGroups(CpuPort port, int group, int budget) {
    int cleaned = 0;
    while (cleaned < budget && ring.usedCount() >= group) {
      int end = frameEnds[wrap(ring.head() + group - 1)];
      if (!TxDescriptorLayout.isDone(port.load(statusWordPa(end), Long.BYTES))) {
        break;
      }
      cleaned += release(port, end, true);
    }
    return cleaned;
  }

  /** Takes back the descriptors from the head to the last one of a frame. */
  private int release(CpuPort port, int end, boolean isCompleted) {
    int count = 0;
    boolean isLast;
    do {
      int index = ring.head();
      if (trace != null && isCompleted) {
        trace.completed(
            ring.headSequence(),
            port.nowPs(),
            ring.descriptorPa(index),
            TxDescriptorLayout.SIZE_BYTES);
      }
      releaseOne(port, index);
      isLast = index == end;
      ring.advanceHead(1);
      count++;
    } while (!isLast);
    return count;
  }

  private void releaseOne(CpuPort port, int index) {
    int buffer = buffers[index];
    if (buffer != BufferPool.NO_BUFFER) {
      mapping.unmap(port, buffer, iovas[index], lengths[index], DmaDirection.TO_DEVICE);
      traceRelease(port, index, mapping.isPreMapped(), pool.pa(buffer));
      pool.give(buffer);
      buffers[index] = BufferPool.NO_BUFFER;
      return;
    }
    ScatterList list = lists[index];
    if (list != null) {
      dma.unmapScatterList(port, list, DmaDirection.TO_DEVICE);
      lists[index] = null;
    }
    if (lengths[index] > 0) {
      traceRelease(port, index, false, 0);
    }
  }

  private void traceRelease(CpuPort port, int index, boolean isReturned, long pa) {
    if (trace == null) {
      return;
    }
    if (isReturned) {
      trace.returned(ring.headSequence(), port.nowPs(), pa, lengths[index]);
    } else {
      trace.unmapped(ring.headSequence(), port.nowPs(), iovas[index], lengths[index]);
    }
  }

  private long statusWordPa(int index) {
    return ring.descriptorPa(index) + TxDescriptorLayout.HIGH_OFFSET;
  }

  private int wrap(int index) {
    return index >= ring.descriptorCount() ? index - ring.descriptorCount() : index;
  }

  private static int piecesOf(int lengthBytes) {
    return lengthBytes + PIECE_BYTES_MAX - 1 >>> PIECE_SHIFT; // rounds up
  }
}
