package io.github.bellwire.memory;

import io.github.bellwire.kernel.Deferred;
import io.github.bellwire.kernel.Simulation;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Device writes on their way to memory that somebody may be polling for. Each becomes visible
 * exactly at its commit time, and no event is needed for that: whoever is about to look at memory,
 * or to write to it past this queue, first applies everything that is due. The rule is:
 *
 * <ul>
 *   <li>Within an event, take memory from {@link #memory()} each time, or call {@link #settle}
 *       before. A core does so when its routine begins, a DMA read by {@link #copyOut}.
 *   <li>Between runs of the simulation, and after a nested run, it has been done: the queue is
 *       {@linkplain Simulation#defer deferred} work of the simulation.
 * </ul>
 *
 * Whoever {@linkplain #watch watches} a line is told of the commit time and comes to look by
 * itself.
 *
 * <p>Writes apply in the order of their commit times, first in first out among equals. What lies in
 * several lines is several writes of one time. Allocates only while it grows to the depth of the
 * run, which is that of the writes not yet due even if nobody ever looks. Confined to the
 * simulation thread.
 */
public final class CommitQueue implements Deferred {
  private static final int LINE_SHIFT = 6;
  private static final int LINE_BYTES = 1 << LINE_SHIFT;
  private static final int LINE_MASK = LINE_BYTES - 1;
  private static final int INITIAL_DEPTH = 64;

  // The words of a write, side by side because they are used together: when it commits, where its
  // bytes go and how many they are, and until when its writer can stop it.
  private static final int WORDS = 4;
  private static final int COMMIT = 0;
  private static final int ADDRESS = 1;
  private static final int LENGTH = 2;
  private static final int LEAVES = 3;

  private final Simulation simulation;
  private final PhysicalMemory memory;

  // A ring in the order of commit times: words, a line of bytes, and who writes if it may be taken
  // back. The arrays grow together.
  private long[] writes = new long[INITIAL_DEPTH * WORDS];
  private byte[] data = new byte[INITIAL_DEPTH * LINE_BYTES];
  private @Nullable Object[] writers = new Object[INITIAL_DEPTH];
  private int slotsMask = INITIAL_DEPTH - 1;
  private int head;
  private int count;
  // Bounds of all writes since the queue was empty: rings and buffers lie apart as a rule.
  private long lowestPa;
  private long highestPa;
  private @Nullable MemoryWatch firstWatch;

  /**
   * Creates an empty queue, which is deferred work of the simulation from then on.
   *
   * @param simulation the clock
   * @param memory where the bytes go
   */
  public CommitQueue(Simulation simulation, PhysicalMemory memory) {
    this.simulation = simulation;
    this.memory = memory;
    simulation.defer(this);
  }

  /** {@return memory as of now, to be looked at or written to before time goes on} */
  public PhysicalMemory memory() {
    settle(simulation.nowPs());
    return memory;
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
    settle(simulation.nowPs()); // Nobody else might.
    if (count == 0) {
      lowestPa = pa;
      highestPa = pa;
    }
    lowestPa = Math.min(lowestPa, pa);
    highestPa = Math.max(highestPa, pa + lengthBytes);
    int done = 0;
    do {
      int piece = Math.min(lengthBytes - done, LINE_BYTES - ((int) (pa + done) & LINE_MASK));
      int slot = insert(atPs);
      put(slot, atPs, pa + done, piece, leavesPs);
      if (writers[slot] != writer) { // Storing a reference costs more than looking.
        writers[slot] = writer;
      }
      System.arraycopy(source, offset + done, data, slot << LINE_SHIFT, piece);
      done += piece;
    } while (done < lengthBytes);
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
  @Override
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
    memory().copyOut(pa, destination, offset, lengthBytes);
    for (int i = 0; i < count; i++) {
      int slot = slot(i);
      if (word(slot, COMMIT) > atPs) {
        return;
      }
      long from = Math.max(pa, word(slot, ADDRESS));
      long to = Math.min(pa + lengthBytes, word(slot, ADDRESS) + length(slot));
      if (from < to) {
        System.arraycopy(
            data,
            (slot << LINE_SHIFT) + (int) (from - word(slot, ADDRESS)),
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
      if (word(slot, COMMIT) > sincePs && seen == value) {
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
        result = result & ~mask | (data[(slot << LINE_SHIFT) + (int) at] & 0xffL) << 8 * i;
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
    settle(simulation.nowPs());
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
   * <p>Whoever watches has looked at the present time. So what was due before is not told; what is
   * due now is, for it may have been added since the look.
   *
   * @param watch not watching yet
   */
  public void watch(MemoryWatch watch) {
    assert !watch.watching : "watch is watching already";
    long nowPs = simulation.nowPs();
    for (int i = 0; i < count; i++) {
      int slot = slot(i);
      if (word(slot, COMMIT) >= nowPs
          && word(slot, ADDRESS) >>> LINE_SHIFT == watch.pa >>> LINE_SHIFT) {
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

  /**
   * {@return when the first write on its way commits, after the present; {@link
   * Simulation#NEVER_PS} if none is}
   */
  public long nextCommitPs() {
    settle(simulation.nowPs());
    return count == 0 ? Simulation.NEVER_PS : word(head, COMMIT);
  }

  /** {@return when the last write on its way commits; 0 if none is} */
  @Override
  public long lastPs() {
    return count == 0 ? 0 : word(slot(count - 1), COMMIT);
  }

  /** {@return how many writes are on their way, or due since somebody last looked; by lines} */
  public int pendingCount() {
    return count;
  }

  private void applyFirst() {
    memory.copyIn(word(head, ADDRESS), data, head << LINE_SHIFT, length(head));
    head = head + 1 & slotsMask;
    count--;
  }

  /** Makes room at the place in the order of commit times; almost always the end. */
  private int insert(long atPs) {
    if (count > slotsMask) {
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
    System.arraycopy(data, from << LINE_SHIFT, data, to << LINE_SHIFT, LINE_BYTES);
  }

  private void grow() {
    long[] newWrites = new long[writes.length * 2];
    byte[] newData = new byte[data.length * 2];
    @Nullable Object[] newWriters = new Object[writers.length * 2];
    for (int i = 0; i < count; i++) {
      int slot = slot(i);
      System.arraycopy(writes, slot * WORDS, newWrites, i * WORDS, WORDS);
      System.arraycopy(data, slot << LINE_SHIFT, newData, i << LINE_SHIFT, LINE_BYTES);
      newWriters[i] = writers[slot];
    }
    writes = newWrites;
    data = newData;
    writers = newWriters;
    slotsMask = slotsMask * 2 + 1;
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
    return head + index & slotsMask;
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
