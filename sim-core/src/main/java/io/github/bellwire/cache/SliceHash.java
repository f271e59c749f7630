package io.github.bellwire.cache;

/**
 * Which set of which slice of a last-level cache a line belongs to.
 *
 * <pre>{@code
 * line number   | higher bits           | 12 low bits                        |
 *                 XOR reductions             |      | bits of the set
 *                       |                    |      '--> set in the slice
 *                       '--> permutation --(xor)--> base sequence --> slice
 * }</pre>
 *
 * <p>The structure is that found in Xeon Scalable processors: a short base sequence of slice
 * numbers, repeated with binary permutations that XOR reductions of higher address bits select
 * (McCalpin, "Mapping Addresses to L3/CHA Slices in Intel Processors", TACC TR-2021-03). As
 * reported there, the sequence is 0, 1, 2, ... where the number of slices is a power of two. The
 * sequence for other numbers (4096 entries in golden-ratio steps, so that every slice has an even
 * share of neighbouring lines) and the reductions are assumptions: the real ones are tables.
 */
final class SliceHash {
  private static final int BASE_BITS = 12;
  private static final int BASE_MASK = (1 << BASE_BITS) - 1;

  /** 4096 over the golden ratio, made odd so that multiplication permutes the sequence. */
  private static final int GOLDEN_STEP = 2531;

  private final byte[] sliceOf = new byte[1 << BASE_BITS];
  private final int setBits;
  private final int setMask;

  /**
   * Creates a hash.
   *
   * @param slices 1..64
   * @param setsPerSlice a power of two
   */
  SliceHash(int slices, int setsPerSlice) {
    setBits = Integer.numberOfTrailingZeros(setsPerSlice);
    setMask = setsPerSlice - 1;
    boolean isPowerOfTwo = Integer.bitCount(slices) == 1;
    for (int i = 0; i < sliceOf.length; i++) {
      int spread = (i * GOLDEN_STEP & BASE_MASK) * slices >>> BASE_BITS;
      sliceOf[i] = (byte) (isPowerOfTwo ? i & slices - 1 : spread);
    }
  }

  /** {@return the number of the set, slice by slice} */
  int set(long line) {
    return sliceOf[(int) (line ^ permutation(line)) & BASE_MASK] << setBits | (int) line & setMask;
  }

  /** {@return what tells a line from the others of its set} */
  int tag(long line) {
    return (int) (line >>> setBits);
  }

  /** {@return the line in a set with a tag} */
  long line(int set, int tag) {
    return (long) tag << setBits | set & setMask;
  }

  /** Shifts and XORs only, so that each bit is an XOR reduction of address bits. */
  private static long permutation(long line) {
    long bits = line >>> BASE_BITS;
    bits ^= bits << 13;
    bits ^= bits >>> 7;
    return bits ^ bits << 17 ^ bits >>> 12;
  }
}
