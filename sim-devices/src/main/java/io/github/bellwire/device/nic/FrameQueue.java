package io.github.bellwire.device.nic;

import java.util.Arrays;

/**
 * A first-in first-out queue of pooled frames that counts their bytes. Grows to the most that is
 * held at once and allocates nothing beyond; the hardware's limit is the caller's to keep.
 */
final class FrameQueue {
  private Frame[] frames = filled(new Frame[64], 0);
  private int head;
  private int count;
  private int bytes;

  int count() {
    return count;
  }

  int bytes() {
    return bytes;
  }

  Frame get(int index) {
    return frames[head + index & frames.length - 1];
  }

  /**
   * Adds a frame that has room for its bytes, which the caller fills in.
   *
   * @param lengthBytes at least 1
   */
  Frame add(int lengthBytes) {
    if (count == frames.length) {
      grow();
    }
    Frame frame = get(count++);
    frame.own(lengthBytes);
    bytes += lengthBytes;
    return frame;
  }

  /** Takes back what the last frame does not need of its room. */
  void shortenLast(int lengthBytes) {
    Frame last = get(count - 1);
    bytes -= last.lengthBytes - lengthBytes;
    last.lengthBytes = lengthBytes;
  }

  void removeFirst() {
    bytes -= get(0).lengthBytes;
    head = head + 1 & frames.length - 1;
    count--;
  }

  void clear() {
    head = 0;
    count = 0;
    bytes = 0;
  }

  private void grow() {
    Frame[] newFrames = new Frame[frames.length * 2];
    for (int i = 0; i < count; i++) {
      newFrames[i] = get(i);
    }
    frames = filled(newFrames, count);
    head = 0;
  }

  private static Frame[] filled(Frame[] frames, int from) {
    Arrays.setAll(frames, i -> i < from ? frames[i] : new Frame());
    return frames;
  }
}
