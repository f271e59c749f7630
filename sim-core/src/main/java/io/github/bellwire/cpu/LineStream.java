package io.github.bellwire.cpu;

import io.github.bellwire.cache.CacheHierarchy;

/**
 * Loads and copies of many lines: a core issues them one after the other and waits for several at
 * once. So a stream of lines that miss goes at lines outstanding per latency, and one of lines that
 * hit at one line per issue. A single load that nothing depends on holds the core up only for what
 * it takes beyond the core's look-ahead.
 *
 * <p>Allocates nothing after construction.
 */
final class LineStream {
  private static final int LINE_MASK = CacheHierarchy.LINE_BYTES - 1;

  private final int coreIndex;
  private final MachinePorts machine;
  private final CacheHierarchy caches;
  private final long issuePs;
  private final long cyclePs;
  private final long lookAheadPs;
  // When the lines under way are there, in the order of issue.
  private final long[] readyPs;
  private final byte[] staging = new byte[4096];
  private int slot;

  LineStream(int coreIndex, CoreConfig config, MachinePorts machine) {
    this.coreIndex = coreIndex;
    this.machine = machine;
    caches = machine.caches();
    int loads = CacheHierarchy.LINE_BYTES / config.deviceAccess().vectorBytes(); // exact
    CycleTime cycles = new CycleTime(config.frequencyHz());
    issuePs = cycles.toPs(loads);
    cyclePs = cycles.toPs(1);
    lookAheadPs = cycles.toPs(config.lookAheadCycles());
    readyPs = new long[config.linesOutstanding()];
  }

  /** Returns when the last byte is in a register. */
  long load(long pa, int lengthBytes, long atPs) {
    long localPs = atPs;
    long donePs = atPs;
    for (int done = 0; done < lengthBytes; ) {
      int piece = pieceBytes(pa + done, lengthBytes - done);
      localPs = Math.max(localPs, readyPs[slot]);
      donePs = Math.max(donePs, issue(pa + done, piece, localPs));
      localPs += issuePs;
      done += piece;
    }
    return donePs;
  }

  /** Loads a line that nothing waits for; returns when the core goes on. */
  long touch(long pa, int sizeBytes, long atPs) {
    long localPs = Math.max(atPs, readyPs[slot]);
    long loadedPs = issue(pa, sizeBytes, localPs);
    return Math.max(localPs + cyclePs, loadedPs - lookAheadPs);
  }

  /** Moves bytes; returns when the core goes on. */
  long copy(long fromPa, long toPa, int lengthBytes, long atPs) {
    long localPs = atPs;
    long donePs = atPs;
    for (int done = 0; done < lengthBytes; ) {
      int piece =
          Math.min(
              pieceBytes(fromPa + done, lengthBytes - done),
              pieceBytes(toPa + done, lengthBytes - done));
      localPs = Math.max(localPs, readyPs[slot]);
      long loadedPs = issue(fromPa + done, piece, localPs);
      localPs = caches.coreStore(coreIndex, toPa + done, piece, localPs + issuePs);
      donePs = Math.max(donePs, Math.max(loadedPs, localPs));
      done += piece;
    }
    moveBytes(fromPa, toPa, lengthBytes);
    return donePs;
  }

  private long issue(long pa, int lengthBytes, long atPs) {
    long loadedPs = caches.coreLoad(coreIndex, pa, lengthBytes, atPs);
    readyPs[slot] = loadedPs;
    slot = slot + 1 == readyPs.length ? 0 : slot + 1;
    return loadedPs;
  }

  private void moveBytes(long fromPa, long toPa, int lengthBytes) {
    for (int done = 0; done < lengthBytes; ) {
      int piece = Math.min(staging.length, lengthBytes - done);
      machine.memory().copyOut(fromPa + done, staging, 0, piece);
      machine.memory().copyIn(toPa + done, staging, 0, piece);
      done += piece;
    }
  }

  private static int pieceBytes(long pa, int leftBytes) {
    return Math.min(leftBytes, CacheHierarchy.LINE_BYTES - (int) (pa & LINE_MASK));
  }
}
