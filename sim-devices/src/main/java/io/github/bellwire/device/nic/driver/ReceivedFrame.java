package io.github.bellwire.device.nic.driver;

import io.github.bellwire.cpu.CpuPort;
import io.github.bellwire.device.nic.RxDescriptorLayout;
import java.util.Objects;

/**
 * A received frame, as long as its handler looks at it: where its bytes lie and what the device
 * reported. The ring reuses the object for the next frame.
 */
public final class ReceivedFrame {
  private final BufferPool pool;
  private final int queueIndex;
  // Of all segments but the first, and of all but the last: most frames are one segment.
  private final int[] laterBuffers;
  private final long[] earlierHighs;

  private int segmentCount;
  private int firstBuffer;
  private long lastHigh;
  private int totalBytes;
  private long lastDescriptorPa;
  private boolean isDetached;

  ReceivedFrame(BufferPool pool, int queueIndex, int segmentCountMax) {
    this.pool = pool;
    this.queueIndex = queueIndex;
    laterBuffers = new int[segmentCountMax];
    earlierHighs = new long[segmentCountMax];
  }

  /** Makes this a frame of which nothing is there. What it was stays until the next begins. */
  void clear() {
    segmentCount = 0;
  }

  /** Makes this a frame in one buffer. */
  void set(int buffer, long high, long descriptorPa) {
    isDetached = false;
    segmentCount = 1;
    firstBuffer = buffer;
    lastHigh = high;
    totalBytes = RxDescriptorLayout.lengthBytes(high);
    lastDescriptorPa = descriptorPa;
  }

  void add(int buffer, long high, long descriptorPa) {
    if (segmentCount == 0) {
      set(buffer, high, descriptorPa);
      return;
    }
    earlierHighs[segmentCount - 1] = lastHigh;
    laterBuffers[segmentCount] = buffer;
    segmentCount++;
    lastHigh = high;
    totalBytes += RxDescriptorLayout.lengthBytes(high);
    lastDescriptorPa = descriptorPa;
  }

  /** As {@link #buffer}, of a segment that is there. */
  int bufferAt(int segmentIndex) {
    return segmentIndex == 0 ? firstBuffer : laterBuffers[segmentIndex];
  }

  private int lengthAt(int segmentIndex) {
    return RxDescriptorLayout.lengthBytes(
        segmentIndex == segmentCount - 1 ? lastHigh : earlierHighs[segmentIndex]);
  }

  /** {@return the receive queue} */
  public int queueIndex() {
    return queueIndex;
  }

  /** {@return the bytes of the frame, without FCS if the device strips it} */
  public int totalBytes() {
    return totalBytes;
  }

  /** {@return how many buffers the frame lies in, at least 1} */
  public int segmentCount() {
    return segmentCount;
  }

  /**
   * {@return the pool's index of a segment's buffer}
   *
   * @param segmentIndex 0 to below {@link #segmentCount()}
   */
  public int buffer(int segmentIndex) {
    return bufferAt(Objects.checkIndex(segmentIndex, segmentCount));
  }

  /**
   * {@return the host physical address of a segment}
   *
   * @param segmentIndex 0 to below {@link #segmentCount()}
   */
  public long pa(int segmentIndex) {
    return pool.pa(buffer(segmentIndex));
  }

  /**
   * {@return the bytes of a segment}
   *
   * @param segmentIndex 0 to below {@link #segmentCount()}
   */
  public int lengthBytes(int segmentIndex) {
    return lengthAt(Objects.checkIndex(segmentIndex, segmentCount));
  }

  /** {@return the pool that the buffers belong to} */
  public BufferPool pool() {
    return pool;
  }

  /** {@return the {@code STATUS_} bits of {@link RxDescriptorLayout}} */
  public int status() {
    return RxDescriptorLayout.status(lastHigh);
  }

  /** {@return the {@code ERROR_} bits of {@link RxDescriptorLayout}} */
  public int errors() {
    return RxDescriptorLayout.errors(lastHigh);
  }

  /** {@return the VLAN tag, valid with {@link RxDescriptorLayout#STATUS_VP}} */
  public int vlanTag() {
    return RxDescriptorLayout.vlanTag(lastHigh);
  }

  /**
   * Loads the half of the descriptor that receiving alone does not need: RSS hash, RSS type and
   * packet type.
   *
   * @param port the core that loads
   * @return the low long word of the write-back, see {@link RxDescriptorLayout}
   */
  public long loadDescriptorLow(CpuPort port) {
    return port.load(lastDescriptorPa + RxDescriptorLayout.LOW_OFFSET, Long.BYTES);
  }

  /**
   * Loads the frame's bytes through the caches, as software that looks at them does.
   *
   * @param port the core that loads
   * @param destination receives the bytes
   * @param offset first index in {@code destination}
   * @return how many bytes, {@link #totalBytes()}
   */
  public int load(CpuPort port, byte[] destination, int offset) {
    int at = offset;
    for (int i = 0; i < segmentCount; i++) {
      int lengthBytes = lengthAt(i);
      if (lengthBytes > 0) {
        port.load(pool.pa(bufferAt(i)), destination, at, lengthBytes);
      }
      at += lengthBytes;
    }
    return totalBytes;
  }

  /** Looks at memory without taking simulated time. */
  @FunctionalInterface
  public interface MemoryReader {
    /**
     * Copies bytes out.
     *
     * @param pa host physical address of the first byte
     * @param destination receives the bytes
     * @param offset first index in {@code destination}
     * @param lengthBytes at least 0
     */
    void copyOut(long pa, byte[] destination, int offset, int lengthBytes);
  }

  /**
   * Copies the frame's bytes without any core touching them: for tools that record or compare, not
   * for simulated software. Takes no simulated time.
   *
   * @param memory copies bytes of the machine's memory, as cores see them
   * @param destination receives the bytes
   * @param offset first index in {@code destination}
   * @return how many bytes, {@link #totalBytes()}
   */
  public int copyTo(MemoryReader memory, byte[] destination, int offset) {
    int at = offset;
    for (int i = 0; i < segmentCount; i++) {
      memory.copyOut(pool.pa(bufferAt(i)), destination, at, lengthAt(i));
      at += lengthAt(i);
    }
    return totalBytes;
  }

  /**
   * Leaves the buffers to the caller, who passes them on or gives them back to the pool later. The
   * ring fetches fresh ones.
   *
   * @throws IllegalStateException if they are detached already
   */
  public void detach() {
    if (isDetached) {
      throw new IllegalStateException("frame is detached: queueIndex=" + queueIndex);
    }
    isDetached = true;
  }

  /** {@return whether the buffers belong to somebody else by now} */
  public boolean isDetached() {
    return isDetached;
  }
}
