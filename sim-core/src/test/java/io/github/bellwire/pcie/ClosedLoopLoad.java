package io.github.bellwire.pcie;

import io.github.bellwire.kernel.RandomStream;
import java.util.Arrays;

/**
 * What a requester of {@link OrderErrorTest} does, and what it has measured: accesses of one size
 * to random places, as many at a time as it has tags.
 */
final class ClosedLoopLoad {
  private static final int LINE_BYTES = 64;

  final boolean isWrite;
  final int sizeBytes;
  final int tags;
  private final double hotRatio;
  private final long hotPa;
  private final int hotBytes;
  private final long coldPa;
  private final int coldBytes;
  private final RandomStream random;
  private final long fromPs;
  private final long toPs;
  private long[] latenciesPs = new long[1024];
  private int count;

  /**
   * A load.
   *
   * @param hotRatio how many of the accesses go to the hot region
   * @param region number of the requester: regions are 64 MiB apart
   * @param fromPs accesses that are done later count
   * @param toPs but not after this
   */
  ClosedLoopLoad(
      boolean isWrite,
      int sizeBytes,
      int tags,
      double hotRatio,
      int region,
      RandomStream random,
      long fromPs,
      long toPs) {
    this.isWrite = isWrite;
    this.sizeBytes = sizeBytes;
    this.tags = tags;
    this.hotRatio = hotRatio;
    hotPa = (1L + region) << 26;
    hotBytes = 64 << 10;
    coldPa = hotPa + (32 << 20);
    coldBytes = 32 << 20;
    this.random = random;
    this.fromPs = fromPs;
    this.toPs = toPs;
  }

  long hotPa() {
    return hotPa;
  }

  int hotBytes() {
    return hotBytes;
  }

  /** {@return where the next access goes} */
  long nextAddress() {
    boolean isHot = random.nextDouble() < hotRatio;
    int bytes = isHot ? hotBytes : coldBytes;
    int places = bytes / Math.max(sizeBytes, LINE_BYTES);
    return (isHot ? hotPa : coldPa) + (long) random.nextInt(places) * (bytes / places);
  }

  void done(long startPs, long donePs) {
    if (donePs < fromPs || donePs > toPs) {
      return;
    }
    if (count == latenciesPs.length) {
      latenciesPs = Arrays.copyOf(latenciesPs, 2 * count);
    }
    latenciesPs[count++] = donePs - startPs;
  }

  int count() {
    return count;
  }

  double bytesPerSecond() {
    return count * (double) sizeBytes * 1e12 / (toPs - fromPs);
  }

  double meanPs() {
    return Arrays.stream(latenciesPs, 0, count).average().orElseThrow();
  }

  /** {@return the latency that all but one in a hundred accesses keep} */
  double p99Ps() {
    long[] sorted = Arrays.copyOf(latenciesPs, count);
    Arrays.sort(sorted);
    return sorted[(int) (count * 0.99)];
  }
}
