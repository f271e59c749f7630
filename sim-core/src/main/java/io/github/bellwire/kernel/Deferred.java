package io.github.bellwire.kernel;

/**
 * Work that is due at known times but needs no events, as nobody can tell whether it has been done
 * until somebody looks at its result, and whoever looks calls {@link #settle} first. {@link
 * Simulation#defer} makes a simulation do so for those who look between its runs.
 *
 * <p>Confined to the thread that runs the simulation.
 */
public interface Deferred {
  /**
   * {@return when the last of the work is due, in picoseconds; any time that has passed if none is
   * outstanding}
   */
  long lastPs();

  /**
   * Does the work that is due. Schedules nothing and lets no time pass.
   *
   * @param nowPs the current time in picoseconds
   */
  void settle(long nowPs);
}
