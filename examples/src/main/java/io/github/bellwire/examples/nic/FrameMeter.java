package io.github.bellwire.examples.nic;

import io.github.bellwire.device.nic.NicConfig;
import io.github.bellwire.examples.report.Report;
import io.github.bellwire.stats.LatencyHistogram;
import java.util.Arrays;
import java.util.stream.Stream;

/**
 * Latency and rate of the frames of some ports. A rate counts every frame but the first over the
 * time from the first to the last, so that it does not depend on where the stream begins and ends.
 * It is that where latencies begin or where frames have passed whole, whichever is less, as
 * software takes a few frames at once that have come one by one; and no more than the ports' one by
 * one, and than what link and card can do.
 */
final class FrameMeter {
  private static final int PORTS_MAX = 4;

  private static final double PS_PER_SECOND = 1e12;

  private final double descriptorsPerSecond;
  private final LatencyHistogram latency = new LatencyHistogram();
  private final Port all = new Port();
  private final Port[] ports = Stream.generate(Port::new).limit(PORTS_MAX).toArray(Port[]::new);

  /** The frames of a port, or of all. */
  private static final class Port {
    final Span begins = new Span();
    final Span ends = new Span();

    void add(long startPs, long wholePs, int lengthBytes) {
      begins.add(startPs, lengthBytes);
      ends.add(wholePs, lengthBytes);
    }

    boolean hasRate() {
      return ends.framesTotal > 1;
    }

    double framesPerSecond(double leastPs) {
      double most = ends.framesTotal * PS_PER_SECOND / leastPs;
      return Math.min(most, Math.min(begins.framesPerSecond(), ends.framesPerSecond()));
    }

    double goodputGbps(double leastPs) {
      double most = ends.bytesTotal * 8_000.0 / leastPs;
      return Math.min(most, Math.min(begins.goodputGbps(), ends.goodputGbps()));
    }
  }

  /** Frames at one place on their way. A rate is infinite if all are there at once. */
  private static final class Span {
    private long framesTotal;
    private long bytesTotal;
    private long firstPs = Long.MAX_VALUE;
    private long firstBytes;
    private long lastPs;

    void add(long timePs, int lengthBytes) {
      // Cores run ahead of the clock, each by its own routine: the first told need not be first.
      if (timePs < firstPs) {
        firstPs = timePs;
        firstBytes = lengthBytes;
      }
      lastPs = Math.max(lastPs, timePs);
      framesTotal++;
      bytesTotal += lengthBytes;
    }

    double framesPerSecond() {
      return (framesTotal - 1) * PS_PER_SECOND / (lastPs - firstPs);
    }

    double goodputGbps() {
      return (bytesTotal - firstBytes) * 8_000.0 / (lastPs - firstPs);
    }
  }

  /**
   * Creates a meter that has seen no frame.
   *
   * @param descriptorsPerSecond that a port handles, {@link NicConfig#UNLIMITED} included
   */
  FrameMeter(long descriptorsPerSecond) {
    this.descriptorsPerSecond = descriptorsPerSecond;
  }

  /**
   * Adds a frame.
   *
   * @param port 0..3
   * @param startPs where its latency begins
   * @param endPs where its latency ends
   * @param wholePs when all of its bytes have passed
   * @param lengthBytes without FCS
   */
  void add(int port, long startPs, long endPs, long wholePs, int lengthBytes) {
    latency.record(endPs - startPs);
    all.add(startPs, wholePs, lengthBytes);
    ports[port].add(startPs, wholePs, lengthBytes);
  }

  long framesTotal() {
    return latency.count();
  }

  /** {@return when the last frame had passed whole} */
  long lastPs() {
    return all.ends.lastPs;
  }

  /** {@return whether any port has had two frames, between which there is a rate} */
  boolean hasRate() {
    return withRate().findAny().isPresent();
  }

  /**
   * {@return frames per second of all ports; 0 if none has a rate}
   *
   * @param linkBusyPs how long a link was in use for these frames, which took no less
   */
  double framesPerSecond(long linkBusyPs) {
    double sum =
        withRate().mapToDouble(port -> port.framesPerSecond(leastPs(port, linkBusyPs))).sum();
    return hasRate() ? Math.min(sum, all.framesPerSecond(linkBusyPs)) : 0;
  }

  /**
   * {@return bits of frames, FCS not counted, per second in units of 1e9, likewise}
   *
   * @param linkBusyPs as for {@link #framesPerSecond}
   */
  double goodputGbps(long linkBusyPs) {
    double sum = withRate().mapToDouble(port -> port.goodputGbps(leastPs(port, linkBusyPs))).sum();
    return hasRate() ? Math.min(sum, all.goodputGbps(linkBusyPs)) : 0;
  }

  private Stream<Port> withRate() {
    return Arrays.stream(ports).filter(Port::hasRate);
  }

  /** Each frame has a descriptor at least. */
  private double leastPs(Port port, long linkBusyPs) {
    return Math.max(linkBusyPs, port.ends.framesTotal * PS_PER_SECOND / descriptorsPerSecond);
  }

  /** Adds the percentiles to a report. */
  void addLatency(Report report) {
    report.latency(latency);
  }
}
