package io.github.bellwire.device.nic.driver;

import io.github.bellwire.cache.CacheHierarchy;
import io.github.bellwire.cpu.CpuPort;
import io.github.bellwire.cpu.Routine;
import io.github.bellwire.device.nic.RxDescriptorLayout;
import io.github.bellwire.dma.CoherentBuffer;
import io.github.bellwire.dma.DescriptorRing;
import io.github.bellwire.dma.DmaDevice;
import io.github.bellwire.dma.DmaDirection;
import io.github.bellwire.dma.Doorbell;
import io.github.bellwire.memory.LittleEndian;
import io.github.bellwire.trace.TraceSink;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * One receive queue as software sees it.
 *
 * <pre>{@code
 * index   0   1   2   3   4   5   6   7
 *       +---+---+---+---+---+---+---+---+
 *       | d | D | D |   |   |   | f |   |    D: done, d: done, but its frame goes on
 *       +---+---+---+---+---+---+---+---+    f: has a buffer, not handed over yet
 *         ^ head                  ^   ^ the slot never used
 *                                 '--- tail, RDT
 * }</pre>
 *
 * <p>The ring is kept full: a slot gets a buffer as soon as its frame has been handled. Descriptors
 * are written and handed over, by a write of RDT, once for each batch, so receiving a frame costs
 * 1/batch of a posted write. A frame in several descriptors is delivered whole, once its last one
 * is done.
 *
 * <p>Descriptors are loaded and stored by cache lines, as vector receive functions of kernel-bypass
 * drivers do: of the four in a line, those that are not done when the first is looked at are looked
 * at again in the next call.
 *
 * <p>Allocates nothing after construction. Confined to the simulation thread.
 */
public final class RxRing {
  private final int queueIndex;
  private final CoherentBuffer memory;
  private final DescriptorRing ring;
  private final Doorbell doorbell;
  private final BufferPool pool;
  private final BufferMapping mapping;
  private final @Nullable RingTrace trace;
  // Whether buffers stay mapped for ever, at no cost, and nobody listens.
  private final boolean isPlain;
  private final long pa;
  private final int tailThreshold;
  private final int segmentsMax;
  private final int cyclesPerFrame;
  private final int[] buffers;
  // The ring as the driver writes it: addresses, no header buffers; the zeros also take back the
  // done bits.
  private final byte[] image;
  private final ReceivedFrame frame;
  // The line of descriptors that was loaded last, as it was then, from the one looked at next on.
  private final byte[] loaded = new byte[CacheHierarchy.LINE_BYTES];
  private int loadedAt;
  private int loadedEnd;

  private boolean isDropped;
  private int lookIndex;
  // Slots behind the tail that have buffers.
  private int filledCount;
  // Handled frames at the head whose buffers stay as they are: they go there together, as that
  // costs less.
  private int keptCount;
  private long framesTotal;
  private long bytesTotal;
  // Beyond one for each frame.
  private long furtherDescriptorsTotal;
  private long shortagesTotal;

  RxRing(
      int queueIndex,
      NicDriverConfig config,
      CoherentBuffer memory,
      long tailRegister,
      BufferPool pool,
      BufferMapping mapping,
      int portIndex,
      @Nullable TraceSink sink) {
    this.queueIndex = queueIndex;
    this.memory = memory;
    this.pool = pool;
    this.mapping = mapping;
    ring = mapping.newRing(memory, RxDescriptorLayout.SIZE_BYTES, config.ringSize());
    doorbell = new Doorbell(tailRegister, Integer.BYTES);
    trace = RingTrace.receive(sink, portIndex, queueIndex);
    isPlain = trace == null && !mapping.needsUnmap();
    pa = ring.pa();
    tailThreshold = config.tailThreshold();
    segmentsMax = config.segmentsMax();
    cyclesPerFrame = config.profile().perPacketRx() + config.profile().perPacketStack();
    buffers = new int[config.ringSize()];
    image = new byte[ring.sizeBytes()];
    Arrays.fill(buffers, BufferPool.NO_BUFFER);
    frame = new ReceivedFrame(pool, queueIndex, config.ringSize());
  }

  /**
   * Takes received frames and refills the ring.
   *
   * <p>A frame whose handler throws counts as taken, and its buffers go where those of others go;
   * the next call begins behind it. {@link FrameHandler#onBatchEnd} is not called then.
   *
   * @param port the core that receives
   * @param budget frames to take at most, at least 1
   * @param handler gets them in order
   * @return how many there were, 0..budget
   */
  public int receive(CpuPort port, int budget, FrameHandler handler) {
    if (isDropped) {
      return 0; // Its memory is somebody else's.
    }
    loadedEnd = loadedAt; // What was loaded for the last call may have changed.
    int count = receivePlain(port, budget, handler);
    while (count < budget && gather(port)) {
      deliver(port, handler);
      count++;
      count += receivePlain(port, budget - count, handler);
    }
    if (emptyCount() > 0) {
      moveKept();
      refill(port); // The pool was empty when these were due.
      announceIfDue(port);
    }
    if (count > 0) {
      handler.onBatchEnd(port);
    }
    return count;
  }

  /** {@return the address of the status that the next poll looks at first} */
  public long nextStatusPa() {
    return descriptorPa(lookIndex) + RxDescriptorLayout.HIGH_OFFSET;
  }

  /** {@return whether descriptors lie idle because there were no buffers for them} */
  public boolean isStarved() {
    return !isDropped && emptyCount() > 0;
  }

  /**
   * Lets the receiver of a starved ring wait for buffers, and for bounce memory to map them: the
   * device may have no descriptors and be silent. What has come back since the last look is taken
   * at once.
   */
  void awaitBuffers(CpuPort port, Routine receiver) {
    pool.awaitBuffer(receiver);
    mapping.awaitRoom(receiver);
    moveKept();
    fillEmpty(port);
    announceIfDue(port);
  }

  /** {@return the queue's number} */
  public int queueIndex() {
    return queueIndex;
  }

  /** {@return the frames delivered} */
  public long framesTotal() {
    return framesTotal;
  }

  /** {@return the bytes of the frames delivered} */
  public long bytesTotal() {
    return bytesTotal;
  }

  /** {@return the descriptors of the frames delivered} */
  public long descriptorsTotal() {
    return framesTotal + furtherDescriptorsTotal;
  }

  /** {@return how often a descriptor could not be refilled for want of a buffer or a mapping} */
  public long shortagesTotal() {
    return shortagesTotal;
  }

  /** {@return how often RDT was written} */
  public long tailWritesTotal() {
    return doorbell.ringsCount();
  }

  /** {@return the descriptors' memory} */
  CoherentBuffer memory() {
    return memory;
  }

  /** Gives every usable slot a buffer; the device is told by {@link #announceAll}. */
  void fill(CpuPort port) {
    isDropped = false;
    fillEmpty(port);
  }

  /** Writes the descriptors of slots that have buffers, and RDT. */
  void announceAll(CpuPort port) {
    int count = filledCount;
    if (count > 0) {
      build(port);
      handOver();
      doorbell.ring(port, ring.tail());
      if (trace != null) {
        trace.announced(ring, count, port.nowPs(), doorbell.address());
      }
    }
  }

  /**
   * Takes all buffers back; the device must have stopped. A receiver that is woken later finds
   * nothing here.
   */
  void drop(CpuPort port) {
    isDropped = true;
    moveKept();
    handOver();
    while (!ring.isEmpty()) {
      int index = ring.head();
      mapping.unmap(
          port, buffers[index], iova(index), pool.bufferBytes(), DmaDirection.FROM_DEVICE);
      pool.give(buffers[index]);
      buffers[index] = BufferPool.NO_BUFFER;
      ring.advanceHead(1);
    }
    frame.clear();
    lookIndex = ring.head();
  }

  private long descriptorPa(int index) {
    return pa + (long) index * RxDescriptorLayout.SIZE_BYTES;
  }

  private long iova(int index) {
    return LittleEndian.getLong(image, index * RxDescriptorLayout.SIZE_BYTES);
  }

  /**
   * Takes the frames in one buffer each that stays mapped, which need nothing but a look, up to the
   * first that is not like that.
   */
  private int receivePlain(CpuPort port, int budget, FrameHandler handler) {
    int count = 0;
    if (isPlain && frame.segmentCount() == 0) {
      int dueAt = untilDueCount();
      while (count < budget && look(port) && receiveOne(port, handler)) {
        count++;
        // Slots may get more buffers at once than frames have had them, if some were missing.
        if (count >= dueAt || frame.isDetached()) {
          announceIfDue(port);
          dueAt = count + untilDueCount();
        }
      }
    }
    return count;
  }

  /** Returns whether the descriptor that was loaded next holds such a frame, and takes it. */
  private boolean receiveOne(CpuPort port, FrameHandler handler) {
    long high = LittleEndian.getLong(loaded, loadedAt + RxDescriptorLayout.HIGH_OFFSET);
    if (!RxDescriptorLayout.isPacketDone(high)) {
      return false;
    }
    loadedAt += RxDescriptorLayout.SIZE_BYTES;
    int index = lookIndex;
    lookIndex = ring.next(index);
    frame.set(buffers[index], high, descriptorPa(index));
    port.compute(cyclesPerFrame);
    handle(port, handler);
    if (frame.isDetached()) {
      recycle(port, 1);
    } else {
      keptCount++;
    }
    frame.clear();
    return true;
  }

  private void handle(CpuPort port, FrameHandler handler) {
    framesTotal++;
    bytesTotal += frame.totalBytes();
    try {
      handler.onFrame(port, frame);
    } catch (Throwable thrown) {
      takeBack(port); // The next call begins behind it.
      throw thrown;
    }
  }

  /** Returns whether a whole frame is there; if not, what is there waits for the next call. */
  private boolean gather(CpuPort port) {
    while (look(port)) {
      int index = lookIndex;
      long high = LittleEndian.getLong(loaded, loadedAt + RxDescriptorLayout.HIGH_OFFSET);
      if (!RxDescriptorLayout.isDone(high)) {
        return false;
      }
      loadedAt += RxDescriptorLayout.SIZE_BYTES;
      long descriptorPa = descriptorPa(index);
      if (trace != null) {
        long sequence = ring.headSequence() + frame.segmentCount();
        trace.completed(sequence, port.nowPs(), descriptorPa, RxDescriptorLayout.SIZE_BYTES);
      }
      frame.add(buffers[index], high, descriptorPa);
      lookIndex = ring.next(index);
      if (RxDescriptorLayout.isEndOfPacket(high)) {
        return true;
      }
    }
    return false;
  }

  /** Makes sure that the next descriptor is loaded; returns false if the device has none. */
  private boolean look(CpuPort port) {
    if (loadedAt == loadedEnd) {
      // Only what has been handed over: the rest may still say that it is done.
      int count = Math.min(lineCount(lookIndex), aheadCount() - frame.segmentCount());
      loadedAt = 0;
      loadedEnd = count * RxDescriptorLayout.SIZE_BYTES;
      if (count > 0) {
        port.load(descriptorPa(lookIndex), loaded, 0, loadedEnd);
      }
    }
    return loadedAt < loadedEnd;
  }

  /** Returns how many descriptors there are from one on to the end of its line; rings end there. */
  private int lineCount(int index) {
    int inLine = (int) descriptorPa(index) & CacheHierarchy.LINE_BYTES - 1;
    return (CacheHierarchy.LINE_BYTES - inLine) / RxDescriptorLayout.SIZE_BYTES;
  }

  private void deliver(CpuPort port, FrameHandler handler) {
    port.compute(cyclesPerFrame);
    int segments = frame.segmentCount();
    if (mapping.needsUnmap()) {
      unmapFrame(port, segments);
    }
    furtherDescriptorsTotal += segments - 1;
    handle(port, handler);
    takeBack(port);
  }

  /** The frame has been handled: its slots get buffers. */
  private void takeBack(CpuPort port) {
    int segments = frame.segmentCount();
    if (trace != null && !frame.isDetached()) {
      traceReturn(trace, port, segments);
    }
    recycle(port, segments);
    frame.clear();
    announceIfDue(port);
  }

  /** Gives the slots behind those of the frame its buffers, or fresh ones. */
  private void recycle(CpuPort port, int segments) {
    moveKept();
    if (frame.isDetached()) {
      ring.advanceHead(segments);
      refill(port);
    } else if (reuse(port, segments)) {
      refill(port);
    }
  }

  /** The host looks at the buffers from here on; what was bounced is copied. */
  private void unmapFrame(CpuPort port, int segments) {
    int index = ring.head();
    for (int i = 0; i < segments; i++) {
      mapping.unmap(
          port, buffers[index], iova(index), pool.bufferBytes(), DmaDirection.FROM_DEVICE);
      if (trace != null && !mapping.isPreMapped()) {
        long sequence = ring.headSequence() + i;
        trace.unmapped(sequence, port.nowPs(), iova(index), pool.bufferBytes());
      }
      index = ring.next(index);
    }
  }

  private void traceReturn(RingTrace listener, CpuPort port, int segments) {
    if (mapping.isPreMapped()) {
      for (int i = segments - 1; i >= 0; i--) {
        long sequence = ring.headSequence() + i;
        listener.returned(sequence, port.nowPs(), frame.pa(i), pool.bufferBytes());
      }
    }
  }

  /** Does what {@link #reuse} does for frames in one buffer each that simply stays mapped. */
  private void moveKept() {
    while (keptCount > 0) {
      int from = ring.head();
      int to = nextSlot();
      int count = Math.min(keptCount, ring.descriptorCount() - Math.max(from, to));
      System.arraycopy(buffers, from, buffers, to, count);
      System.arraycopy(
          image,
          from * RxDescriptorLayout.SIZE_BYTES,
          image,
          to * RxDescriptorLayout.SIZE_BYTES,
          count * RxDescriptorLayout.SIZE_BYTES);
      ring.advanceHead(count);
      filledCount += count;
      keptCount -= count;
    }
  }

  /**
   * Refills as many descriptors as a frame has had with its buffers, in their order: what the pool
   * would hand out if they were given back first. Gives back those that cannot be mapped.
   */
  private boolean reuse(CpuPort port, int segments) {
    for (int i = 0; i < segments; i++) {
      if (!place(port, frame.bufferAt(i))) {
        giveBack(i, segments);
        return false;
      }
      ring.advanceHead(1);
      filledCount++;
    }
    return true;
  }

  private void giveBack(int from, int segments) {
    ring.advanceHead(segments - from);
    for (int i = segments - 1; i >= from; i--) {
      pool.give(frame.bufferAt(i));
    }
    shortagesTotal++;
  }

  private void refill(CpuPort port) {
    fillEmpty(port);
    if (emptyCount() > 0) {
      shortagesTotal++;
    }
  }

  private void fillEmpty(CpuPort port) {
    while (emptyCount() > 0 && refillOne(port)) {
      // Each turn fills one more.
    }
  }

  private void announceIfDue(CpuPort port) {
    if (untilDueCount() <= 0) {
      moveKept();
      announceAll(port);
    }
  }

  /** Returns how many more descriptors have to be handled until new ones are to be announced. */
  private int untilDueCount() {
    // The second case is a ring that has shrunk for want of buffers: the device must not wait for
    // descriptors that wait for a batch.
    return Math.min(tailThreshold - filledCount - keptCount, aheadCount() - segmentsMax);
  }

  /** Returns how many descriptors have been handed over and not been handled. */
  private int aheadCount() {
    return ring.usedCount() - keptCount;
  }

  private boolean refillOne(CpuPort port) {
    int buffer = pool.take();
    if (buffer == BufferPool.NO_BUFFER) {
      return false;
    }
    boolean isPlaced = place(port, buffer);
    if (isPlaced) {
      filledCount++;
    } else {
      pool.putBack(buffer);
    }
    return isPlaced;
  }

  /** Gives the next slot a buffer; false if that could not be mapped. */
  private boolean place(CpuPort port, int buffer) {
    int index = nextSlot();
    long sequence = ring.tailSequence() + filledCount;
    if (trace != null) {
      trace.allocated(sequence, port.nowPs(), pool.pa(buffer), pool.bufferBytes());
    }
    long iova = mapping.map(port, buffer, pool.bufferBytes(), DmaDirection.FROM_DEVICE);
    if (iova == DmaDevice.MAPPING_ERROR) {
      return false;
    }
    if (trace != null) {
      trace.mapped(sequence, mapping.isPreMapped(), port.nowPs(), iova, pool.bufferBytes());
    }
    buffers[index] = buffer;
    LittleEndian.putLong(image, index * RxDescriptorLayout.SIZE_BYTES, iova);
    return true;
  }

  /** Writes the descriptors of slots that have buffers, line by line. */
  private void build(CpuPort port) {
    int done = 0;
    while (done < filledCount) {
      int index = slotBehindTail(done);
      int count = Math.min(filledCount - done, lineCount(index));
      port.store(
          descriptorPa(index),
          image,
          index * RxDescriptorLayout.SIZE_BYTES,
          count * RxDescriptorLayout.SIZE_BYTES);
      if (trace != null) {
        trace.built(ring, done, count, port.nowPs(), descriptorPa(index));
      }
      done += count;
    }
  }

  private void handOver() {
    ring.advanceTail(filledCount);
    filledCount = 0;
  }

  /** Returns how many slots have no buffers. */
  private int emptyCount() {
    return ring.freeCount() - filledCount;
  }

  private int nextSlot() {
    return slotBehindTail(filledCount);
  }

  private int slotBehindTail(int distance) {
    int index = ring.tail() + distance;
    return index < ring.descriptorCount() ? index : index - ring.descriptorCount();
  }
}
