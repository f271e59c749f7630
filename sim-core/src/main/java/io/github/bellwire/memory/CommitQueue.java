package io.github.bellwire.memory;

import io.github.bellwire.kernel.Event;
import io.github.bellwire.kernel.Simulation;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Device writes on their way to memory that somebody may be polling for. Each becomes visible
 * exactly at its commit time: whoever is about to look at memory calls {@link #settle} first, which
 * applies everything due. So a write needs no event of its own; one event follows the youngest
 * write, in case nobody looks. Whoever {@linkplain #watch watches} a line is told of the commit
 * time and comes to look by itself.
 *
 * <p>Writes apply in the order of their commit times, first in first out among equals. Allocates
 * only while it grows to the depth of the run. Confined to the simulation thread.
 */
public final class CommitQueue {
  private static final int LINE_SHIFT = 6;
  private static final int INITIAL_DEPTH = 64;
  private static final int INITIAL_DATA_BYTES = 64;

  // The words of a write, side by side because they are used together: when it commits, where its
  // bytes go and how many they are, and until when its writer can stop it.
  private static final int WORDS = 4;
  private static final int COMMIT = 0;
  private static final int ADDRESS = 1;
  private static final int LENGTH = 2;
  private static final int LEAVES = 3;

  private final Simulation simulation;
  private final PhysicalMemory memory;
  private final Event settleLater;

  // A ring in the order of commit times; the arrays grow together and keep their data buffers.
  private long[] writes = new long[INITIAL_DEPTH * WORDS];
  private byte[][] data = new byte[INITIAL_DEPTH][INITIAL_DATA_BYTES];
  // Who writes, of writes that may be taken back.
  private @Nullable Object[] writers = new Object[INITIAL_DEPTH];
  private int head;
  private int count;
  // Bounds of all writes since the queue was empty: rings and buffers lie apart as a rule.
  private long lowestPa;
  private long highestPa;
  private @Nullable MemoryWatch firstWatch;

  /**
   * Creates an empty queue.
   *
   * @param simulation the clock
   * @param memory where the bytes go
   */
  public CommitQueue(Simulation simulation, PhysicalMemory memory) {
    this.simulation = simulation;
    this.memory = memory;
    settleLater =
        new Event() {
          @Override
          protected void onEvent(long nowPs) {
            onSettleLater(nowPs);
          }
        };
  }

  /**
   * Adds a write.
   *
   * @param pa first byte, the whole range in RAM
   * @param source the bytes, copied before the call returns
   * @param offset first index in {@code source}
   * @param lengthBytes at least 1
   * @param atPs commit time in picoseconds, not before the current time
   */
  public void add(long pa, byte[] source, int offset, int lengthBytes, long atPs) {
    add(pa, source, offset, lengthBytes, atPs, null, 0);
  }

  /**
   * Adds a write that {@link #drop} may take back.
   *
   * @param pa first byte, the whole range in RAM
   * @param source the bytes, copied before the call returns
   * @param offset first index in {@code source}
   * @param lengthBytes at least 1
   * @param atPs commit time in picoseconds, not before the current time
   * @param writer who writes; null for nobody in particular
   * @param leavesPs when the write has left the writer, not after {@code atPs}
   */
  public void add(
      long pa,
      byte[] source,
      int offset,
      int lengthBytes,
      long atPs,
      @Nullable Object writer,
      long leavesPs) {
    Objects.checkFromIndexSize(offset, lengthBytes, source.length);
    int slot = insert(atPs);
    put(slot, atPs, pa, lengthBytes, leavesPs);
    if (writers[slot] != writer) { // Storing a reference costs more than looking.
      writers[slot] = writer;
    }
    if (data[slot].length < lengthBytes) {
      data[slot] = new byte[Integer.highestOneBit(lengthBytes - 1) * 2];
    }
    System.arraycopy(source, offset, data[slot], 0, lengthBytes);
    if (count == 1) {
      lowestPa = pa;
      highestPa = pa + lengthBytes;
    } else {
      lowestPa = Math.min(lowestPa, pa);
      highestPa = Math.max(highestPa, pa + lengthBytes);
    }
    if (!settleLater.isScheduled()) {
      simulation.schedule(settleLater, atPs);
    }
    if (firstWatch != null) {
      tellWatches(pa, lengthBytes, atPs);
    }
  }

  /**
   * Takes back the writes of a writer that leave it after a time, as when it is pulled out of the
   * machine. A watch that was told of one of them comes to look in vain.
   *
   * @param writer as given to {@link #add}
   * @param afterPs time in picoseconds
   */
  public void drop(Object writer, long afterPs) {
    int kept = 0;
    for (int i = 0; i < count; i++) {
      int slot = slot(i);
      if (writers[slot] != writer || word(slot, LEAVES) <= afterPs) {
        move(slot, slot(kept++));
      }
    }
    count = kept;
  }

  /**
   * Applies every write whose commit time has come. To be called before anybody looks at memory.
   *
   * @param nowPs the time of the look, in picoseconds
   */
  public void settle(long nowPs) {
    while (count > 0 && word(head, COMMIT) <= nowPs) {
      applyFirst();
    }
  }

  /**
   * Reads memory as it will be at a time not before now: bytes in place, overlaid by the pending
   * writes that commit until then.
   *
   * @param pa first byte, the whole range in RAM
   * @param destination receives the bytes
   * @param offset first index in {@code destination}
   * @param lengthBytes at least 1
   * @param atPs time in picoseconds
   */
  public void copyOut(long pa, byte[] destination, int offset, int lengthBytes, long atPs) {
    memory.copyOut(pa, destination, offset, lengthBytes);
    for (int i = 0; i < count; i++) {
      int slot = slot(i);
      if (word(slot, COMMIT) > atPs) {
        return;
      }
      long from = Math.max(pa, word(slot, ADDRESS));
      long to = Math.min(pa + lengthBytes, word(slot, ADDRESS) + length(slot));
      if (from < to) {
        System.arraycopy(
            data[slot],
            (int) (from - word(slot, ADDRESS)),
            destination,
            offset + (int) (from - pa),
            (int) (to - from));
      }
    }
  }

  /**
   * {@return from when on a value can be seen in memory, as far as it is known which writes are on
   * their way; {@link Simulation#NEVER_PS} if none of them makes it appear}
   *
   * @param pa address of the value, in RAM
   * @param sizeBytes 1, 2, 4 or 8
   * @param value little endian in the low bytes
   * @param fromPs who looks begins to look now, in picoseconds, not before the current time
   */
  public long firstTimeOf(long pa, int sizeBytes, long value, long fromPs) {
    long seen = memory.get(pa, sizeBytes);
    long sincePs = fromPs;
    for (int i = 0; i < count; i++) {
      int slot = slot(i);
      if (word(slot, COMMIT) > fromPs && seen == value) {
        return sincePs;
      }
      if (word(slot, ADDRESS) < pa + sizeBytes && pa < word(slot, ADDRESS) + length(slot)) {
        seen = overlaid(seen, pa, sizeBytes, slot);
        sincePs = Math.max(fromPs, word(slot, COMMIT));
      }
    }
    return seen == value ? sincePs : Simulation.NEVER_PS;
  }

  /** Returns a value of memory as it is after one of the writes. */
  private long overlaid(long value, long pa, int sizeBytes, int slot) {
    long result = value;
    for (int i = 0; i < sizeBytes; i++) {
      long at = pa + i - word(slot, ADDRESS);
      if (at >= 0 && at < length(slot)) {
        long mask = 0xffL << 8 * i;
        result = result & ~mask | (data[slot][(int) at] & 0xffL) << 8 * i;
      }
    }
    return result;
  }

  /**
   * {@return whether a write on its way touches a range, so that a later write to it must queue
   * too}
   *
   * @param pa first byte
   * @param lengthBytes at least 1
   */
  public boolean overlaps(long pa, int lengthBytes) {
    if (count == 0 || pa >= highestPa || pa + lengthBytes <= lowestPa) {
      return false;
    }
    for (int i = 0; i < count; i++) {
      int slot = slot(i);
      if (word(slot, ADDRESS) < pa + lengthBytes && pa < word(slot, ADDRESS) + length(slot)) {
        return true;
      }
    }
    return false;
  }

  /**
   * Tells a watch of the next write to its line, as soon as it is known when that commits: at once
   * if one is on its way. The watch is then out of use until it is put here again, not from its own
   * callback.
   *
   * @param watch not watching yet
   */
  public void watch(MemoryWatch watch) {
    assert !watch.watching : "watch is watching already";
    for (int i = 0; i < count; i++) {
      int slot = slot(i);
      if (touches(watch, word(slot, ADDRESS), length(slot))) {
        watch.onWrite(word(slot, COMMIT));
        return;
      }
    }
    watch.watching = true;
    watch.next = firstWatch;
    firstWatch = watch;
  }

  /**
   * Takes a watch back.
   *
   * @param watch watching or not
   */
  public void unwatch(MemoryWatch watch) {
    if (!watch.watching) {
      return;
    }
    watch.watching = false;
    if (firstWatch == watch) {
      firstWatch = watch.next;
    } else {
      MemoryWatch before = Objects.requireNonNull(firstWatch, "firstWatch");
      while (before.next != watch) {
        before = Objects.requireNonNull(before.next, "next");
      }
      before.next = watch.next;
    }
    watch.next = null;
  }

  /** {@return when the first write on its way commits; {@link Simulation#NEVER_PS} if none is} */
  public long nextCommitPs() {
    return count == 0 ? Simulation.NEVER_PS : word(head, COMMIT);
  }

  /** {@return how many writes are on their way} */
  public int pendingCount() {
    return count;
  }

  private void onSettleLater(long nowPs) {
    settle(nowPs);
    if (count > 0) {
      simulation.schedule(settleLater, word(slot(count - 1), COMMIT));
    }
  }

  private void applyFirst() {
    int slot = head;
    long pa = word(slot, ADDRESS);
    int lengthBytes = length(slot);
    memory.copyIn(pa, data[slot], 0, lengthBytes);
    head = head + 1 & data.length - 1;
    count--;
  }

  /** Makes room at the place in the order of commit times; almost always the end. */
  private int insert(long atPs) {
    if (count == data.length) {
      grow();
    }
    int index = count++;
    while (index > 0 && word(slot(index - 1), COMMIT) > atPs) {
      move(slot(index - 1), slot(index));
      index--;
    }
    return slot(index);
  }

  private void move(int from, int to) {
    System.arraycopy(writes, from * WORDS, writes, to * WORDS, WORDS);
    writers[to] = writers[from];
    byte[] buffer = data[to];
    data[to] = data[from];
    data[from] = buffer;
  }

  private void grow() {
    int depth = data.length;
    long[] newWrites = new long[depth * 2 * WORDS];
    byte[][] newData = new byte[depth * 2][];
    @Nullable Object[] newWriters = new Object[depth * 2];
    for (int i = 0; i < depth; i++) {
      int slot = slot(i);
      System.arraycopy(writes, slot * WORDS, newWrites, i * WORDS, WORDS);
      newData[i] = data[slot];
      newWriters[i] = writers[slot];
      newData[depth + i] = new byte[INITIAL_DATA_BYTES];
    }
    writes = newWrites;
    data = newData;
    writers = newWriters;
    head = 0;
  }

  private void put(int slot, long commitPs, long pa, int lengthBytes, long leavesPs) {
    int first = slot * WORDS;
    writes[first + COMMIT] = commitPs;
    writes[first + ADDRESS] = pa;
    writes[first + LENGTH] = lengthBytes;
    writes[first + LEAVES] = leavesPs;
  }

  private long word(int slot, int word) {
    return writes[slot * WORDS + word];
  }

  private int length(int slot) {
    return (int) word(slot, LENGTH);
  }

  private int slot(int index) {
    return head + index & data.length - 1;
  }

  private void tellWatches(long pa, int lengthBytes, long atPs) {
    @Nullable MemoryWatch watch;
    while ((watch = firstWatching(pa, lengthBytes)) != null) {
      unwatch(watch);
      watch.onWrite(atPs);
    }
  }

  private @Nullable MemoryWatch firstWatching(long pa, int lengthBytes) {
    @Nullable MemoryWatch watch = firstWatch;
    while (watch != null && !touches(watch, pa, lengthBytes)) {
      watch = watch.next;
    }
    return watch;
  }

  private static boolean touches(MemoryWatch watch, long pa, int lengthBytes) {
    long line = watch.pa >>> LINE_SHIFT;
    return pa >>> LINE_SHIFT <= line && line <= pa + lengthBytes - 1 >>> LINE_SHIFT;
  }
}
