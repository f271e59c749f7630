package io.github.bellwire.iommu.queue;

/** How the register block and the invalidation queue tell interrupt remapping what to do. */
public interface InterruptControl {
  /**
   * Sets the table. What is remembered of another one stays until it is invalidated.
   *
   * @param pa of the first entry, a multiple of 4 KiB
   * @param entriesCount 2..65536
   * @param isExtended whether destinations have 32 bits
   */
  void setTable(long pa, int entriesCount, boolean isExtended);

  /**
   * Switches remapping on or off.
   *
   * @param isEnabled false to begin with
   */
  void setEnabled(boolean isEnabled);

  /**
   * Says what becomes of compatibility format interrupts while remapping is on.
   *
   * @param isPassed whether they pass, false to begin with
   */
  void setCompatibilityPassed(boolean isPassed);

  /**
   * Forgets entries.
   *
   * @param index first of them
   * @param entriesCount at least 1
   * @param atPs when, in picoseconds; it may be ahead of the clock
   */
  void invalidateEntries(int index, int entriesCount, long atPs);

  /**
   * Forgets all entries.
   *
   * @param atPs when, in picoseconds; it may be ahead of the clock
   */
  void invalidateAllEntries(long atPs);
}
