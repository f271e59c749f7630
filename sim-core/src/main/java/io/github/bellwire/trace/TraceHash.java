package io.github.bellwire.trace;

/**
 * Hashes every record, in order, into 64 bits, so that two runs can be compared by one number: the
 * same records with the same times give the same hash, on every JDK.
 *
 * <p>Every field of a record enters through an invertible mix of the state, so that exchanging
 * fields, records or operations changes the result. It is no defence against forgery. The hash uses
 * ordinals, so that reordering {@link LifecycleStep} or {@link TraceCause} changes it too.
 *
 * <p>Allocates nothing after construction. Confined to the simulation thread.
 */
public final class TraceHash implements TraceSink {
  // 2^64 divided by the golden ratio, made odd: an arbitrary start that is not zero.
  private static final long START = 0x9e3779b97f4a7c15L;
  // Multiplier of SplitMix64's finalizer (Steele, Lea, Flood: "Fast splittable pseudorandom number
  // generators", OOPSLA 2014). Odd, hence invertible.
  private static final long MULTIPLIER = 0xbf58476d1ce4e5b9L;

  private long state = START;
  private long recordsCount;

  /** Creates the hash of no record. */
  public TraceHash() {}

  @Override
  public void onStep(
      long operationId,
      LifecycleStep step,
      TraceCause cause,
      long timePs,
      long address,
      long lengthBytes) {
    long hash = mix(state, operationId);
    hash = mix(hash, (long) step.ordinal() << 32 | cause.ordinal());
    hash = mix(hash, timePs);
    hash = mix(hash, address);
    state = mix(hash, lengthBytes);
    recordsCount++;
  }

  /** {@return the hash of all records so far} */
  public long value() {
    return state;
  }

  /** {@return the hash of all records so far as 16 hexadecimal digits} */
  public String hex() {
    StringBuilder digits = new StringBuilder(16);
    for (int shift = 60; shift >= 0; shift -= 4) {
      digits.append(Character.forDigit((int) (state >>> shift) & 0xf, 16));
    }
    return digits.toString();
  }

  /** {@return the records so far} */
  public long recordsCount() {
    return recordsCount;
  }

  private static long mix(long hash, long word) {
    long mixed = (hash ^ word) * MULTIPLIER;
    // The product moves information upwards only; this brings it down again.
    return mixed ^ mixed >>> 32;
  }
}
