package io.github.bellwire.kernel;

import static java.util.Objects.requireNonNull;

import java.util.Arrays;

/**
 * Something that serves one at a time, in the order of arrival, asked by callers that run ahead of
 * the clock: who calls later may arrive earlier.
 *
 * <pre>{@code
 * called 1st    a1 |====| . . . . a2 |====|
 * called 2nd          b1 . |====|              served behind a1; a2 would have had to wait if it
 *                                              overlapped, and whoever arrives after it will
 * }</pre>
 *
 * <p>Each is served when those that arrived before it are done (Lindley's recursion: start = latest
 * of arrival and end of the one before). Whom an earlier arrival pushes back has been told its
 * times already; the delay reaches those that arrive behind it. So work is conserved: the server is
 * never faster than it is, and never idles while somebody waits.
 *
 * <p>For servers that find out while they serve how long it takes, such as the holder of a lock or
 * a unit that works through a ring: {@link #enter} tells the start, {@link #leave} the end. What
 * has been told is never asked for again. {@link TurnQueue} serves by the same rule where the
 * duration is known beforehand; there, whoever was pushed back can ask for the new time by a
 * ticket. That costs links between slots, told times and fractions, a line of the host's cache
 * each, and a bound on how many are remembered; here neither is needed, and nobody is forgotten
 * before being done.
 *
 * <p>Those that are done by the clock's time are forgotten, as nobody can arrive earlier. Times are
 * picoseconds. Grows to the most that are remembered at one time and allocates nothing beyond.
 * Confined to the simulation thread.
 */
public final class FifoServer {
  /** Returned by {@link #predecessor()} when there was nobody. */
  public static final int NOBODY = -1;

  private static final int INITIAL_CAPACITY = 16;

  private final Simulation simulation;

  // In the order of arrival, from the first that is remembered to below the end.
  private long[] arrivals = new long[INITIAL_CAPACITY];
  private long[] services = new long[INITIAL_CAPACITY];
  private long[] ends = new long[INITIAL_CAPACITY];
  private int[] callers = new int[INITIAL_CAPACITY];
  private int first;
  private int end;
  private int served;
  private boolean isServing;
  private long startPs;
  private int lastForgotten = NOBODY;

  /**
   * Creates a server that has served nobody.
   *
   * @param simulation the clock
   */
  public FifoServer(Simulation simulation) {
    this.simulation = requireNonNull(simulation, "simulation");
  }

  /**
   * Somebody arrives. Nobody else may before it {@linkplain #leave leaves}.
   *
   * @param arrivalPs when, in picoseconds
   * @param caller who, at least 0
   * @return when it is served, not before the arrival
   * @throws IllegalStateException if somebody is being served
   */
  public long enter(long arrivalPs, int caller) {
    if (isServing) {
      throw new IllegalStateException("who is served must leave first: startPs=" + startPs);
    }
    isServing = true;
    forget(simulation.nowPs());
    if (end == arrivals.length) {
      makeRoom();
    }
    int place = end;
    while (place > first && arrivals[place - 1] > arrivalPs) {
      place--;
    }
    move(place, place + 1, end - place);
    end++;
    arrivals[place] = arrivalPs;
    services[place] = 0;
    ends[place] = arrivalPs;
    callers[place] = caller;
    served = place;
    startPs = place == first ? arrivalPs : Math.max(arrivalPs, ends[place - 1]);
    return startPs;
  }

  private void forget(long nowPs) {
    while (first < end && ends[first] <= nowPs) {
      lastForgotten = callers[first];
      first++;
    }
  }

  /** Moves what is remembered to the front, where there is room for as much again. */
  private void makeRoom() {
    int count = end - first;
    if (2 * count > arrivals.length) {
      arrivals = Arrays.copyOf(arrivals, 2 * end);
      services = Arrays.copyOf(services, 2 * end);
      ends = Arrays.copyOf(ends, 2 * end);
      callers = Arrays.copyOf(callers, 2 * end);
    }
    move(first, 0, count);
    first = 0;
    end = count;
  }

  private void move(int from, int to, int length) {
    System.arraycopy(arrivals, from, arrivals, to, length);
    System.arraycopy(services, from, services, to, length);
    System.arraycopy(ends, from, ends, to, length);
    System.arraycopy(callers, from, callers, to, length);
  }

  /**
   * The one that entered is done.
   *
   * @param endPs when, in picoseconds, not before it was served
   * @throws IllegalStateException if nobody is being served
   */
  public void leave(long endPs) {
    if (!isServing) {
      throw new IllegalStateException("nobody is served: endPs=" + endPs);
    }
    isServing = false;
    services[served] = Math.max(0, endPs - startPs);
    ends[served] = Math.max(startPs, endPs);
    for (int i = served + 1; i < end; i++) {
      long newEndPs = Math.max(arrivals[i], ends[i - 1]) + services[i];
      if (newEndPs == ends[i]) {
        return;
      }
      ends[i] = newEndPs;
    }
  }

  /** {@return who was served before the one that entered last, or {@link #NOBODY}} */
  public int predecessor() {
    return served == first ? lastForgotten : callers[served - 1];
  }

  /** {@return when all that were served are done, in picoseconds; now if they are} */
  public long idlePs() {
    return first == end ? simulation.nowPs() : Math.max(simulation.nowPs(), ends[end - 1]);
  }
}
