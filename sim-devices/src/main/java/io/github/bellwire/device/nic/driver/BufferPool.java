package io.github.bellwire.device.nic.driver;

import io.github.bellwire.cpu.Routine;
import io.github.bellwire.cpu.WaitQueue;
import io.github.bellwire.dma.PageAllocator;
import io.github.bellwire.kernel.Requirements;
import java.util.Objects;

/**
 * Packet buffers of one size, taken from the machine's memory once and for good. Buffers are named
 * by an index; a free one is handed out last in, first out, so that the one most recently in the
 * caches is used first.
 *
 * <pre>{@code
 * block of 2 MiB: | buffer 0 | buffer 1 | ...      each aligned to its size, 2^k, or to 4 KiB,
 * }</pre>
 *
 * unless another distance is asked for
 *
 * <p>One pool may serve several drivers, as forwarding needs. Taking and giving back costs no
 * simulated time of its own; it is part of the driver's cost per packet. Allocates nothing after
 * construction, but for the first shortages. Confined to the simulation thread.
 */
public final class BufferPool {
  /** Returned instead of an index when all buffers are in use. */
  public static final int NO_BUFFER = -1;

  private static final int BLOCK_BYTES = 2 << 20;
  private static final int ALIGNMENT_MAX_BYTES = 4096;
  private static final int BUFFER_BYTES_MIN = 1024;
  private static final int BUFFER_BYTES_MAX = 16 << 10;
  private static final int STRIDE_BYTES_MAX = 32 << 10;

  private final int bufferBytes;
  private final long[] pas;
  private final int[] free;
  private final boolean[] isTaken;
  private final WaitQueue waiting = new WaitQueue(WaitQueue.LOOK_AGAIN_PS);
  private int freeCount;
  private int freeCountMin;

  /**
   * Takes the memory.
   *
   * @param allocator where it comes from
   * @param bufferBytes a multiple of 1 KiB, 1..16 KiB
   * @param buffersCount at least 1
   * @throws IllegalArgumentException if an argument is out of range
   * @throws IllegalStateException if the machine has not enough memory
   */
  public BufferPool(PageAllocator allocator, int bufferBytes, int buffersCount) {
    this(allocator, bufferBytes, buffersCount, strideBytes(bufferBytes));
  }

  /**
   * Takes the memory, with buffers at a distance of one's own.
   *
   * @param allocator where it comes from
   * @param bufferBytes a multiple of 1 KiB, 1..16 KiB
   * @param buffersCount at least 1
   * @param strideBytes from one buffer to the next, a multiple of 64, at least {@code bufferBytes},
   *     at most 32 KiB
   * @throws IllegalArgumentException if an argument is out of range
   * @throws IllegalStateException if the machine has not enough memory
   */
  public BufferPool(PageAllocator allocator, int bufferBytes, int buffersCount, int strideBytes) {
    Requirements.require(
        bufferBytes >= BUFFER_BYTES_MIN
            && bufferBytes <= BUFFER_BYTES_MAX
            && bufferBytes % BUFFER_BYTES_MIN == 0,
        "bufferBytes",
        bufferBytes,
        "a multiple of 1024 in 1024..16384");
    Requirements.require(buffersCount >= 1, "buffersCount", buffersCount, ">= 1");
    Requirements.require(
        strideBytes >= bufferBytes && strideBytes <= STRIDE_BYTES_MAX && strideBytes % 64 == 0,
        "strideBytes",
        strideBytes,
        "a multiple of 64 in " + bufferBytes + ".." + STRIDE_BYTES_MAX);
    this.bufferBytes = bufferBytes;
    pas = new long[buffersCount];
    free = new int[buffersCount];
    isTaken = new boolean[buffersCount];
    placeBuffers(allocator, strideBytes);
    for (int i = 0; i < buffersCount; i++) {
      free[i] = buffersCount - 1 - i; // The lowest address leaves first.
    }
    freeCount = buffersCount;
    freeCountMin = buffersCount;
  }

  /**
   * Takes a buffer.
   *
   * @return its index, or {@link #NO_BUFFER}
   */
  public int take() {
    if (freeCount == 0) {
      return NO_BUFFER;
    }
    int buffer = free[--freeCount];
    freeCountMin = Math.min(freeCountMin, freeCount);
    isTaken[buffer] = true;
    return buffer;
  }

  /**
   * Gives a buffer back.
   *
   * @param buffer as returned by {@link #take}
   * @throws IllegalArgumentException if it is not in use
   */
  public void give(int buffer) {
    putBack(buffer);
    waiting.wakeAll();
  }

  /** Undoes {@link #take}: as if the buffer had never left, so nobody need look. */
  void putBack(int buffer) {
    if (!isTaken[Objects.checkIndex(buffer, pas.length)]) {
      throw new IllegalArgumentException("buffer must be in use: buffer=" + buffer);
    }
    isTaken[buffer] = false;
    free[freeCount++] = buffer;
  }

  /**
   * Wakes a routine once a buffer has come back.
   *
   * @param routine to be woken once
   */
  void awaitBuffer(Routine routine) {
    waiting.add(routine);
  }

  /**
   * {@return the host physical address of a buffer}
   *
   * @param buffer 0 to below {@link #buffersCount()}
   */
  public long pa(int buffer) {
    return pas[buffer];
  }

  /** {@return the size of a buffer in bytes} */
  public int bufferBytes() {
    return bufferBytes;
  }

  /** {@return how many buffers there are} */
  public int buffersCount() {
    return pas.length;
  }

  /** {@return how many buffers are free} */
  public int freeCount() {
    return freeCount;
  }

  /** {@return the fewest buffers that have been free at any time} */
  public int freeCountMin() {
    return freeCountMin;
  }

  private void placeBuffers(PageAllocator allocator, int strideBytes) {
    int perBlock = BLOCK_BYTES / strideBytes; // rounds down: no buffer crosses a block
    for (int first = 0; first < pas.length; first += perBlock) {
      int count = Math.min(perBlock, pas.length - first);
      long blockPa = allocator.allocate((long) count * strideBytes);
      if (blockPa == PageAllocator.NO_MEMORY) {
        throw new IllegalStateException(
            "memory must hold the buffers: buffersCount="
                + pas.length
                + ", bufferBytes="
                + bufferBytes);
      }
      for (int i = 0; i < count; i++) {
        pas[first + i] = blockPa + (long) i * strideBytes;
      }
    }
  }

  /** Returns the distance of two buffers: the next power of two, or a multiple of 4 KiB. */
  private static int strideBytes(int bufferBytes) {
    if (bufferBytes > ALIGNMENT_MAX_BYTES) {
      return bufferBytes + ALIGNMENT_MAX_BYTES - 1 & -ALIGNMENT_MAX_BYTES;
    }
    return Integer.highestOneBit(2 * bufferBytes - 1);
  }
}
