package io.github.bellwire.bench;

/** A ring that one thread fills and empties, one descriptor at a time. */
abstract class RingTransfer {
  /** Slots of every ring. */
  static final int SLOTS = 1024;

  private static final int MAX_WORDS = 8;

  /**
   * Produces a descriptor whose words are made from a number, then consumes one.
   *
   * @param value makes the words: value, value + 1, ...
   * @return the sum of the words consumed
   */
  abstract long produceAndConsume(long value);

  static RingTransfer create(String implementation, int descriptorBytes) {
    int words = descriptorBytes / Long.BYTES;
    if (words < 1 || words > MAX_WORDS) {
      throw new IllegalArgumentException(
          "descriptorBytes must be 8..64: descriptorBytes=" + descriptorBytes);
    }
    switch (implementation) {
      case "bellwire":
        return new SimulatedMemoryRing(descriptorBytes);
      case "agrona":
        return new AgronaRing(descriptorBytes);
      case "jctools":
        return new JctoolsRing(words);
      case "disruptor":
        return new DisruptorRing(words);
      default:
        throw new IllegalArgumentException(
            "implementation must be bellwire, agrona, jctools or disruptor: implementation="
                + implementation);
    }
  }
}
