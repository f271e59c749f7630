package io.github.bellwire.cpu;

/**
 * Hears what software loads and stores, as a checker does. Called on the simulation thread, in
 * program order of each core. Loads that nothing waits for are not told.
 */
public interface CpuListener {
  /**
   * A core has loaded; what it got is memory as of the clock, not of the core's local time.
   *
   * @param coreIndex which core
   * @param pa first byte
   * @param lengthBytes at least 1
   * @param atPs the core's local time after the load, in picoseconds
   */
  void onLoad(int coreIndex, long pa, int lengthBytes, long atPs);

  /**
   * A core has stored.
   *
   * @param coreIndex which core
   * @param pa first byte
   * @param lengthBytes at least 1
   * @param atPs the core's local time after the store, in picoseconds
   */
  void onStore(int coreIndex, long pa, int lengthBytes, long atPs);
}
