package io.github.bellwire.cpu;

import io.github.bellwire.kernel.Simulation;
import io.github.bellwire.memory.MemoryWatch;

/**
 * A routine that polls memory for ever, as kernel-bypass drivers do. While polls find nothing and
 * take equal times, none is simulated: the loop watches the lines that it would look at and goes on
 * with the first poll that would see the device's write. Polls lie on the grid that the last empty
 * poll began, so results and times are those of a loop that spins. (The first empty poll may miss
 * the cache, so it is the next one that tells how long they take.) The grid stays where it is while
 * other routines use the core, which would move the polls of a loop that spins by part of a poll.
 *
 * <p>A poll during which the clock has run, as it does for an MMIO read, is followed by another one
 * in any case: a device may have written behind the poll's look.
 */
public abstract class PollLoop extends Routine {
  /** A bound on what one event does, should a poll never come back empty. */
  private static final int POLLS_PER_EVENT = 64;

  private final MemoryWatch[] watches;
  private long emptyEndPs;
  private long emptyDurationPs;
  private long steadyDurationPs;
  private boolean isSpinning;

  /**
   * Creates a loop that has not started.
   *
   * @param core where it runs
   * @param watchesCount how many addresses it looks at in an empty poll, at least 1
   */
  protected PollLoop(Core core, int watchesCount) {
    super(core);
    watches = new MemoryWatch[watchesCount];
    for (int i = 0; i < watchesCount; i++) {
      watches[i] =
          new MemoryWatch() {
            @Override
            protected void onWrite(long atPs) {
              wakeOnGrid(atPs);
            }
          };
    }
  }

  /**
   * Polls once.
   *
   * @param port the core
   * @return whether anything was found, so that the next poll follows at once
   */
  protected abstract boolean poll(CpuPort port);

  /**
   * {@return an address that the next poll looks at first, asked after an empty poll}
   *
   * @param index 0 to below the number of watches
   */
  protected abstract long watchedPa(int index);

  @Override
  protected final void run(CpuPort port) {
    long startPs = port.nowPs();
    stopSpinning();
    Simulation simulation = core().machine().simulation();
    for (int polls = 1; ; polls++) {
      long lookPs = simulation.nowPs();
      if (pollOrWake(port)) {
        emptyDurationPs = 0;
      } else if (isSteady(port, startPs) && simulation.nowPs() == lookPs) {
        spin();
        return;
      }
      startPs = port.nowPs();
      if (polls == POLLS_PER_EVENT || canAnythingHappenUntil(startPs)) {
        wakeAt(startPs);
        return;
      }
    }
  }

  /** Polls; a loop goes on for ever, if need be behind a poll that has thrown. */
  private boolean pollOrWake(CpuPort port) {
    try {
      return poll(port);
    } catch (Throwable thrown) {
      wakeAt(port.nowPs());
      throw thrown;
    }
  }

  private boolean canAnythingHappenUntil(long ps) {
    MachinePorts machine = core().machine();
    return machine.simulation().nextEventPs() <= ps || machine.commits().nextCommitPs() <= ps;
  }

  /** Returns whether an empty poll has taken as long as the next one will. */
  private boolean isSteady(CpuPort port, long startPs) {
    // A loop takes time even if the host's software is configured to cost nothing.
    port.delay(Math.max(0, startPs + 1 - port.nowPs()));
    long durationPs = port.nowPs() - startPs;
    boolean isSteady = durationPs == emptyDurationPs || durationPs == steadyDurationPs;
    emptyDurationPs = durationPs;
    emptyEndPs = port.nowPs();
    if (isSteady) {
      steadyDurationPs = durationPs;
    }
    return isSteady;
  }

  private void spin() {
    isSpinning = true;
    core().beginSpin();
    for (int i = 0; i < watches.length; i++) {
      watches[i].aim(watchedPa(i));
      core().machine().commits().watch(watches[i]);
    }
  }

  private void wakeOnGrid(long atPs) {
    long elapsedPs = Math.max(0, atPs - emptyEndPs);
    long polls = (elapsedPs + emptyDurationPs - 1) / emptyDurationPs; // ceiling: the next one
    wakeAt(emptyEndPs + polls * emptyDurationPs);
  }

  private void stopSpinning() {
    if (!isSpinning) {
      return;
    }
    isSpinning = false;
    core().endSpin();
    for (MemoryWatch watch : watches) {
      core().machine().commits().unwatch(watch);
    }
  }
}
