package io.github.bellwire.device.probe;

import io.github.bellwire.host.Host;
import io.github.bellwire.host.HostConfig;
import io.github.bellwire.pcie.ConfigLayout;
import io.github.bellwire.pcie.RootPort;
import io.github.bellwire.trace.TraceSink;
import org.jspecify.annotations.Nullable;

/** A host with a probe and a window of memory at or above 4 GiB. */
final class ProbeBench {
  private static final int WINDOW_BYTES = 1 << 20;

  private final Host host;
  private final Probe probe;
  private final RootPort port;
  private final long windowPa;

  ProbeBench(HostConfig config, ProbeConfig probeConfig) {
    this(config, probeConfig, null);
  }

  ProbeBench(HostConfig config, ProbeConfig probeConfig, @Nullable TraceSink trace) {
    host = new Host(config, 1);
    probe = new Probe(probeConfig, config.link(), host.simulation(), trace);
    port = host.attach(probe);
    host.enumerate();
    setBusMaster(true);
    windowPa = host.pages().allocate(WINDOW_BYTES);
  }

  void setBusMaster(boolean isMaster) {
    int command = isMaster ? ConfigLayout.COMMAND_BUS_MASTER_ENABLE : 0;
    probe.configSpace().write(ConfigLayout.COMMAND, Short.BYTES, command);
  }

  Host host() {
    return host;
  }

  Probe probe() {
    return probe;
  }

  RootPort port() {
    return port;
  }

  /** Slots of the next power of two, taken in order. */
  ProbeWindow window(int sizeBytes) {
    int slotBytes = Math.max(64, Integer.highestOneBit(2 * sizeBytes - 1));
    return new ProbeWindow(windowPa, WINDOW_BYTES, slotBytes, 0, sizeBytes, false);
  }

  /** Measures and waits for the end. */
  ProbeMeter measure(ProbeOperation operation, ProbeWindow window, long warmupCount, long count) {
    probe.start(new ProbeRun(operation, window, warmupCount, count));
    host.simulation().run();
    return probe.meter();
  }
}
