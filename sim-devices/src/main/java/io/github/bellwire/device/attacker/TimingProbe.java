package io.github.bellwire.device.attacker;

import static java.util.Objects.requireNonNull;

import io.github.bellwire.kernel.Simulation;
import java.util.Arrays;

/**
 * Measures how long reads of its own pages take, to see what somebody else has pushed out of a
 * shared cache of translations (prime and probe). Reads one at a time and waits for each, so that
 * nothing but the way there is measured.
 */
public final class TimingProbe {
  private static final int READ_BYTES = 64;

  private final Simulation simulation;
  private final AttackPort port;

  TimingProbe(Simulation simulation, AttackPort port) {
    this.simulation = requireNonNull(simulation, "simulation");
    this.port = requireNonNull(port, "port");
  }

  /**
   * Reads the first line of each page, in order; lets simulated time run.
   *
   * @param iovas of the pages, each readable for the device
   * @return how long each read took, in picoseconds
   */
  public long[] measure(long[] iovas) {
    long[] durationsPs = new long[iovas.length];
    for (int i = 0; i < iovas.length; i++) {
      Access access = port.read(iovas[i], READ_BYTES);
      simulation.runUntil(access.donePs());
      durationsPs[i] = access.durationPs();
    }
    return durationsPs;
  }

  /**
   * {@return the middle of some durations, the upper one of two, in picoseconds}
   *
   * @param durationsPs at least one
   */
  public static long median(long[] durationsPs) {
    long[] sorted = durationsPs.clone();
    Arrays.sort(sorted);
    return sorted[sorted.length / 2];
  }
}
