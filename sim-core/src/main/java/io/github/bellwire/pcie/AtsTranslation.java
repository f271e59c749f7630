package io.github.bellwire.pcie;

/**
 * The answer to a translation request, in the hands of the device that asked; reused for every
 * request. What is unreadable and unwritable is not translated at present: the device may ask for
 * the page or give up.
 */
public final class AtsTranslation {
  /** The most entries of an answer: one completion of 64 bytes. */
  public static final int ENTRIES_MAX = 8;

  private final long[] entries = new long[ENTRIES_MAX];
  private int entriesCount;
  private DmaStatus status = DmaStatus.OK;

  /** Creates an answer that nobody has filled in yet. */
  public AtsTranslation() {}

  /** Begins an answer without entries. */
  void clear() {
    entriesCount = 0;
    status = DmaStatus.OK;
  }

  /** Adds an entry, see {@link AtsLayout#entry}. */
  void add(long entry) {
    entries[entriesCount++] = entry;
  }

  /** There is no answer, or none with entries. */
  void refused(DmaStatus why) {
    entriesCount = 0;
    status = why;
  }

  /** {@return OK, or why there are no entries} */
  public DmaStatus status() {
    return status;
  }

  /** {@return how many entries there are, up to as many as were asked for} */
  public int entriesCount() {
    return entriesCount;
  }

  /**
   * {@return an entry as it came, see {@link AtsLayout}}
   *
   * @param index 0 to below {@link #entriesCount()}; entry n is about the n-th page asked for
   */
  public long entry(int index) {
    return entries[index];
  }

  /**
   * {@return the translated address of the first byte of an entry's range}
   *
   * @param index as above
   */
  public long address(int index) {
    return AtsLayout.address(entries[index]);
  }

  /**
   * {@return how many bytes an entry is about: a power of two, at least 4096}
   *
   * @param index as above
   */
  public long rangeBytes(int index) {
    return AtsLayout.rangeBytes(entries[index]);
  }

  /**
   * {@return whether the device may read}
   *
   * @param index as above
   */
  public boolean isReadable(int index) {
    return (entries[index] & AtsLayout.ENTRY_READ) != 0;
  }

  /**
   * {@return whether the device may write}
   *
   * @param index as above
   */
  public boolean isWritable(int index) {
    return (entries[index] & AtsLayout.ENTRY_WRITE) != 0;
  }
}
