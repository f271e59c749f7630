package io.github.bellwire.examples.memory;

import io.github.bellwire.examples.memory.DramKeys.Pattern;
import io.github.bellwire.memory.DramConfig;
import io.github.bellwire.memory.DramQueue;
import io.github.bellwire.memory.DramStatistics;
import io.github.bellwire.stats.LatencyHistogram;
import io.github.bellwire.trace.LifecycleStep;
import io.github.bellwire.trace.TraceCause;
import io.github.bellwire.trace.TraceSink;
import java.util.OptionalLong;

/**
 * Offers requests to a DRAM: at most one per clock of the DRAM, at a rate or as fast as they are
 * accepted. One that is refused is offered again, and the schedule is not shifted.
 *
 * <p>Random addresses come from an xorshift generator (Marsaglia, 2003) over 8 GiB. Confined to one
 * thread.
 */
final class DramTraffic {
  private static final long SPAN_BYTES = 1L << 33;
  private static final int LINE_BYTES = 64;
  private static final long PS_PER_SECOND = 1_000_000_000_000L;

  /** Start of the generator for seed 1. */
  private static final long START = 88172645463325252L;

  private static final long SEED_STEP = 0x9E3779B97F4A7C15L; // 2^64 / golden ratio

  private final DramQueue dram;
  private final TraceSink trace;
  private final LatencyHistogram latency = new LatencyHistogram();
  private final Pattern pattern;
  private final int burstBytes;
  private final long clockPs;

  // Exact schedule: so many picoseconds per burst, and what one burst leaves over.
  private final boolean isPaced;
  private final long rate;
  private long duePs;
  private long dueRest;

  private long random;
  private long freePs;
  private long lastDonePs;
  private long submittedTotal;
  private long doneTotal;
  private long readsTotal;
  private long latencyPsTotal;
  private long writeTag = -1;

  /**
   * Creates a source that has offered nothing yet.
   *
   * @param config what it is connected to
   * @param pattern how addresses and directions follow each other
   * @param bytesPerSecond rate, or empty for one request per clock
   * @param seed of the random addresses
   * @param trace told of every completion
   */
  DramTraffic(
      DramConfig config, Pattern pattern, OptionalLong bytesPerSecond, long seed, TraceSink trace) {
    this.pattern = pattern;
    this.trace = trace;
    dram = new DramQueue(config, this::onDone);
    burstBytes = config.timing().organization().burstBytes();
    clockPs = config.timing().clockPs();
    isPaced = bytesPerSecond.isPresent();
    rate = bytesPerSecond.orElse(1);
    long start = START ^ (seed - 1) * SEED_STEP;
    random = start == 0 ? START : start; // the generator never leaves 0
  }

  /**
   * Offers more requests and waits until they are accepted.
   *
   * @param count how many
   */
  void offer(long count) {
    for (long i = 0; i < count; i++) {
      long pa = nextAddress();
      boolean isWrite = pattern == Pattern.MIX && Long.remainderUnsigned(next(), 3) == 0;
      if (isWrite) {
        writeTag = submittedTotal; // told of at once
      }
      long atPs = freePs;
      if (pattern == Pattern.IDLE) {
        dram.drain();
        atPs = Math.max(atPs, lastDonePs);
      }
      if (isPaced) {
        atPs = Math.max(atPs, duePs);
        advanceSchedule();
      }
      freePs = dram.submit(pa, isWrite, submittedTotal++, atPs) + clockPs;
    }
  }

  /** Waits for the requests that are still on their way. */
  void finish() {
    dram.drain();
  }

  private long nextAddress() {
    if (pattern == Pattern.SEQ) {
      return submittedTotal * LINE_BYTES & SPAN_BYTES - 1;
    }
    return next() & SPAN_BYTES - LINE_BYTES;
  }

  private long next() {
    random ^= random << 13;
    random ^= random >>> 7;
    random ^= random << 17;
    return random;
  }

  private void advanceSchedule() {
    long product = burstBytes * PS_PER_SECOND + dueRest;
    duePs += product / rate; // rounds down, the rest is kept
    dueRest = product % rate;
  }

  private void onDone(long tag, long acceptedPs, long donePs) {
    doneTotal++;
    lastDonePs = Math.max(lastDonePs, donePs);
    trace.onStep(
        tag, LifecycleStep.COMPLETION, TraceCause.END_NOTICED, donePs, acceptedPs, burstBytes);
    if (tag == writeTag) {
      writeTag = -1;
      return;
    }
    readsTotal++;
    latencyPsTotal += donePs - acceptedPs;
    latency.record(donePs - acceptedPs);
  }

  /** {@return from acceptance to data, reads only} */
  LatencyHistogram latency() {
    return latency;
  }

  /** {@return what the DRAM has done} */
  DramStatistics statistics() {
    return dram.statistics();
  }

  /** {@return requests accepted} */
  long submittedTotal() {
    return submittedTotal;
  }

  /** {@return requests completed} */
  long doneTotal() {
    return doneTotal;
  }

  /** {@return reads completed} */
  long readsTotal() {
    return readsTotal;
  }

  /** {@return when the last completion was, in picoseconds} */
  long lastDonePs() {
    return lastDonePs;
  }

  /** {@return bytes of all completed requests} */
  long bytesTotal() {
    return doneTotal * burstBytes;
  }

  /**
   * {@return by Little's law: how many reads were in flight on average}
   *
   * @param tookPs how long all requests took
   */
  double readsInFlight(double tookPs) {
    return latencyPsTotal / tookPs;
  }
}
