package io.github.bellwire.dma.check;

import io.github.bellwire.dma.DescriptorRing;
import java.util.Arrays;
import java.util.BitSet;
import org.jspecify.annotations.Nullable;

/**
 * When the words of a ring were stored, and what the device has fetched of them.
 *
 * <p>The driver's own indices tell which descriptors it has handed over; each write to a register
 * of the device tells it of those handed over by then.
 *
 * <p>To fetch a descriptor is no mistake, whoever owns it: devices that poll a ring or fetch ahead
 * find an ownership bit clear and look again later. It is one to use what was fetched too early,
 * which shows when the device writes to the descriptor that it is done.
 */
final class RingShadow {
  private static final int WORD_SHIFT = 2;
  private static final long NONE = -1;

  private final CheckerState state;
  private final DeviceShadow device;
  private final DescriptorRing ring;
  private final long[] storedPs;
  private final byte[] content;
  private final BitSet isKnown;
  private final long[] fetchedSequence;
  private final long[] fetchedPs; // the last look at a descriptor since it was used
  private final long[] completedSequence;
  private long toldSequence;
  private long toldPs = NONE;

  RingShadow(CheckerState state, DeviceShadow device, DescriptorRing ring) {
    this.state = state;
    this.device = device;
    this.ring = ring;
    storedPs = new long[ring.sizeBytes() >> WORD_SHIFT];
    content = new byte[ring.sizeBytes()];
    isKnown = new BitSet(ring.sizeBytes());
    fetchedSequence = new long[ring.descriptorCount()];
    fetchedPs = new long[ring.descriptorCount()];
    completedSequence = new long[ring.descriptorCount()];
    clear();
  }

  private void clear() {
    Arrays.fill(fetchedSequence, NONE);
    Arrays.fill(fetchedPs, NONE);
    Arrays.fill(completedSequence, NONE);
    isKnown.clear();
    toldSequence = 0;
  }

  boolean isIn(ShadowMapping mapping) {
    return mapping.pa <= ring.pa() && ring.pa() < mapping.pa + mapping.lengthBytes;
  }

  /** A register of the device has been written. */
  void onDoorbell(long atPs) {
    noticeReset();
    toldSequence = ring.tailSequence();
    toldPs = Math.max(toldPs, atPs);
  }

  /** A core has stored to coherent memory. */
  void onStore(long pa, long bytes, int coreIndex, long atPs) {
    int from = begin(pa);
    int to = end(pa, bytes);
    if (from >= to) {
      return;
    }
    noticeReset();
    for (int word = from >> WORD_SHIFT; word <= to - 1 >> WORD_SHIFT; word++) {
      storedPs[word] = atPs;
    }
    for (int index = from / ring.descriptorBytes();
        index <= (to - 1) / ring.descriptorBytes();
        index++) {
      long sequence = sequence(index);
      if (sequence != NONE && sequence < toldSequence && completedSequence[index] != sequence) {
        report(
            "descriptor " + index + " was stored after the device had been told of it",
            index,
            device.access(coreIndex, atPs),
            atPs);
        return;
      }
    }
  }

  /** The device has read coherent memory. */
  void onFetch(long pa, int bytes, byte[] data, int offset, long atPs) {
    int from = begin(pa);
    int to = end(pa, bytes);
    if (from >= to) {
      return;
    }
    noticeReset();
    int dataOffset = offset - (int) (pa - ring.pa()); // of the ring's first byte in the data
    for (int at = from; at < to; ) {
      int index = at / ring.descriptorBytes();
      int next = Math.min(to, (index + 1) * ring.descriptorBytes());
      checkContent(index, at, next, data, dataOffset, atPs);
      at = next;
    }
  }

  /** The device has written coherent memory: it is done with a descriptor. */
  void onDeviceWrite(long pa, int bytes, long atPs) {
    int from = begin(pa);
    int to = end(pa, bytes);
    if (from >= to) {
      return;
    }
    noticeReset();
    for (int index = from / ring.descriptorBytes();
        index <= (to - 1) / ring.descriptorBytes();
        index++) {
      checkUse(index, atPs);
      completedSequence[index] = sequence(index);
      fetchedSequence[index] = NONE;
      fetchedPs[index] = NONE;
    }
  }

  /** The device says of a descriptor that it is done: what it has used is what it had fetched. */
  private void checkUse(int index, long atPs) {
    if (fetchedPs[index] == NONE) {
      return; // It puts entries there, as into a ring of completions.
    }
    if (sequence(index) == NONE) {
      report(
          "descriptor " + index + " was used, which the driver has not handed over",
          index,
          null,
          atPs);
    } else if (lastStorePs(index) > fetchedPs[index]) {
      report(
          "descriptor "
              + index
              + " was stored at "
              + Text.ns(lastStorePs(index))
              + " and used as it had been fetched at "
              + Text.ns(fetchedPs[index])
              + told(),
          index,
          null,
          atPs);
    }
  }

  private String told() {
    return toldPs == NONE ? "" : ", the device told at " + Text.ns(toldPs);
  }

  /** Returns when a core last stored to what the device has fetched of a descriptor. */
  private long lastStorePs(int index) {
    long lastPs = NONE;
    int end = (index + 1) * ring.descriptorBytes();
    for (int at = isKnown.nextSetBit(index * ring.descriptorBytes());
        at >= 0 && at < end;
        at = isKnown.nextSetBit((at >> WORD_SHIFT) + 1 << WORD_SHIFT)) {
      lastPs = Math.max(lastPs, storedPs[at >> WORD_SHIFT]);
    }
    return lastPs;
  }

  private void checkContent(int index, int from, int to, byte[] data, int dataOffset, long atPs) {
    // What is handed over but stored later, in time, the device has looked at too early.
    long sequence = isStoredBy(from, to, atPs) ? sequence(index) : NONE;
    boolean isAgain = sequence != NONE && fetchedSequence[index] == sequence;
    if (isAgain && differs(from, to, data, dataOffset)) {
      long iova = ring.descriptorIova(index);
      state.report(
          DmaViolation.DESCRIPTOR_FETCHED_TWICE,
          device,
          atPs,
          "descriptor " + index + " was not the same when it was fetched again",
          iova,
          ring.descriptorPa(index),
          ring.descriptorBytes(),
          null,
          device.coherentAt(ring.iova()));
    }
    if (!isAgain) {
      isKnown.clear(index * ring.descriptorBytes(), (index + 1) * ring.descriptorBytes());
    }
    isKnown.set(from, to);
    System.arraycopy(data, from + dataOffset, content, from, to - from);
    fetchedSequence[index] = sequence;
    fetchedPs[index] = Math.max(fetchedPs[index], atPs);
  }

  private boolean isStoredBy(int from, int to, long atPs) {
    for (int word = from >> WORD_SHIFT; word <= to - 1 >> WORD_SHIFT; word++) {
      if (storedPs[word] > atPs) {
        return false;
      }
    }
    return true;
  }

  private boolean differs(int from, int to, byte[] data, int dataOffset) {
    for (int at = from; at < to; at++) {
      if (isKnown.get(at) && content[at] != data[at + dataOffset]) {
        return true;
      }
    }
    return false;
  }

  private void report(String detail, int index, @Nullable CallSite by, long atPs) {
    state.report(
        DmaViolation.DOORBELL_BEFORE_DESCRIPTOR,
        device,
        atPs,
        detail,
        ring.descriptorIova(index),
        ring.descriptorPa(index),
        ring.descriptorBytes(),
        by,
        device.coherentAt(ring.iova()));
  }

  /** A driver that starts again counts from 0 again. */
  private void noticeReset() {
    if (ring.tailSequence() < toldSequence) {
      clear();
    }
  }

  private long sequence(int index) {
    int distance = index - ring.head();
    int place = distance < 0 ? distance + ring.descriptorCount() : distance;
    return place < ring.usedCount() ? ring.headSequence() + place : NONE;
  }

  private int begin(long pa) {
    return (int) Math.max(0, Math.min(ring.sizeBytes(), pa - ring.pa()));
  }

  private int end(long pa, long bytes) {
    return (int) Math.max(0, Math.min(ring.sizeBytes(), pa + bytes - ring.pa()));
  }
}
