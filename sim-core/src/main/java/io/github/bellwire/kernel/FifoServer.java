package io.github.bellwire.kernel;

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
 * of arrival and end of the one before). Whom an earlier arrival pushes back has been told its times
 * already; the delay reaches those that arrive behind it. So work is conserved: the server is never
 * faster than it is, and never idles while somebody waits.
 *
 * <p>The youngest 512 are remembered. Times are picoseconds. Allocates nothing after construction.
 * Confined to the simulation thread.
 */
public final class FifoServer {
  /** Returned by {@link #predecessor()} when there was nobody. */
  public static final int NOBODY = -1;

  private static final int REMEMBERED = 512;

  // In the order of arrival.
  private final long[] arrivals = new long[REMEMBERED];
  private final long[] services = new long[REMEMBERED];
  private final long[] ends = new long[REMEMBERED];
  private final int[] callers = new int[REMEMBERED];
  private int count;
  private int served;
  private boolean isServing;
  private long startPs;

  /** Creates a server that has served nobody. */
  public FifoServer() {}

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
    int place = count;
    while (place > 0 && arrivals[place - 1] > arrivalPs) {
      place--;
    }
    insert(place, arrivalPs, caller);
    startPs = served == 0 ? arrivalPs : Math.max(arrivalPs, ends[served - 1]);
    return startPs;
  }

  private void insert(int at, long arrivalPs, int caller) {
    int place = at;
    if (count < REMEMBERED) {
      move(place, place + 1, count - place);
      count++;
    } else if (place > 0) {
      move(1, 0, --place); // The oldest is forgotten.
    }
    arrivals[place] = arrivalPs;
    services[place] = 0;
    ends[place] = arrivalPs;
    callers[place] = caller;
    served = place;
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
    for (int i = served + 1; i < count; i++) {
      long newEndPs = Math.max(arrivals[i], ends[i - 1]) + services[i];
      if (newEndPs == ends[i]) {
        return;
      }
      ends[i] = newEndPs;
    }
  }

  /** {@return who was served before the one that entered last, or {@link #NOBODY}} */
  public int predecessor() {
    return served == 0 ? NOBODY : callers[served - 1];
  }

  /** {@return when all that were served are done, in picoseconds} */
  public long idlePs() {
    return count == 0 ? 0 : ends[count - 1];
  }
}
