package io.github.bellwire.cpu;

import io.github.bellwire.kernel.Requirements;
import java.util.ArrayList;
import java.util.List;

/**
 * Routines that wait until something that others hold has come back, such as buffers. All are woken
 * together and look for themselves; whoever finds nothing waits again.
 *
 * <p>Waiting schedules nothing, so a shortage that never ends does not keep a simulation running.
 * To miss nothing, wait first and look then. Allocates nothing once as many have waited. Confined
 * to the simulation thread.
 */
public final class WaitQueue {
  /**
   * How long after buffers have come back those who wait for some look again. Assumption; software
   * would look all the time, but nothing is to be had until then.
   */
  public static final long LOOK_AGAIN_PS = 1_000_000;

  private final long delayPs;
  private final List<Routine> waiting = new ArrayList<>();

  /**
   * Creates an empty queue.
   *
   * @param delayPs from what has happened to the look, in picoseconds, at least 0
   */
  public WaitQueue(long delayPs) {
    Requirements.require(delayPs >= 0, "delayPs", delayPs, ">= 0");
    this.delayPs = delayPs;
  }

  /**
   * Adds a routine.
   *
   * @param routine to be woken once, however often it has been added
   */
  public void add(Routine routine) {
    if (!waiting.contains(routine)) {
      waiting.add(routine);
    }
  }

  /** Something has come back: wakes all, who wait no longer. */
  public void wakeAll() {
    for (int i = 0; i < waiting.size(); i++) {
      waiting.get(i).wakeAfter(delayPs);
    }
    waiting.clear();
  }
}
