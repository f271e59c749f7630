package io.github.bellwire.examples.nic;

import io.github.bellwire.cpu.Core;
import io.github.bellwire.cpu.SynchronousPort;
import io.github.bellwire.device.nic.Nic;
import io.github.bellwire.device.nic.NicConfig;
import io.github.bellwire.device.nic.driver.BufferPool;
import io.github.bellwire.device.nic.driver.DriverMode;
import io.github.bellwire.device.nic.driver.FrameHandler;
import io.github.bellwire.device.nic.driver.InterruptReceiver;
import io.github.bellwire.device.nic.driver.NapiReceiver;
import io.github.bellwire.device.nic.driver.NicDriverConfig;
import io.github.bellwire.device.nic.driver.PollingReceiver;
import io.github.bellwire.device.nic.driver.RxRing;
import io.github.bellwire.device.nic.driver.TxRing;
import io.github.bellwire.dma.check.DmaViolation;
import io.github.bellwire.examples.cli.CommandLineTool;
import io.github.bellwire.examples.cli.RunContext;
import io.github.bellwire.examples.host.HostChecker;
import io.github.bellwire.examples.host.HostKeys;
import io.github.bellwire.examples.host.PolicyKeys;
import io.github.bellwire.examples.host.Protection;
import io.github.bellwire.examples.host.Slots;
import io.github.bellwire.examples.report.Report;
import io.github.bellwire.examples.settings.Settings;
import io.github.bellwire.examples.settings.UserErrorException;
import io.github.bellwire.host.Host;
import io.github.bellwire.host.HostConfig;
import io.github.bellwire.iommu.driver.MappingPolicy;
import io.github.bellwire.kernel.RandomStream;
import io.github.bellwire.kernel.Simulation;
import io.github.bellwire.pcie.DownstreamPort;
import io.github.bellwire.pcie.EnumeratedFunction;
import io.github.bellwire.pcie.LinkDirection;
import io.github.bellwire.pcie.PcieLinkConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * A host with cards and drivers as the settings describe them, and what its counters say of a run.
 */
final class NicMachine {
  private static final double PS_PER_NS = 1_000;

  private final Settings settings;
  private final RunContext context;
  private final Protection protection;
  private final Host host;
  private final FrameTimes times;
  private final NicDriverConfig software;
  private final List<NicPort> ports = new ArrayList<>();
  private final BufferPool pool;
  private final int coresCount;
  private double beforeWallSeconds;
  private Totals before = new Totals(0, 0, 0, 0, 0, 0, 0, 0, 0);
  private MemoryTotals memoryBefore = MemoryTotals.NONE;
  private long[] linkBusyBeforePs = {};

  /** What runs up over time, to be subtracted. */
  private record Totals(
      long nowPs,
      long upBytes,
      long downBytes,
      long memoryWrites,
      long memoryReads,
      long completions,
      long doorbells,
      long interrupts,
      double busyPs) {}

  /**
   * Builds the machine; nothing has happened on it yet.
   *
   * @param portsCount cards
   */
  NicMachine(Settings settings, RunContext context, int portsCount) {
    this.settings = settings;
    this.context = context;
    HostConfig machine = HostKeys.resolve(settings);
    PcieLinkConfig slot = NicKeys.slot(settings, machine.link());
    checkPolicy(settings);
    long seed = settings.value(CommandLineTool.SEED);
    protection = Protection.build(settings, machine.withLink(slot), seed);
    host = protection.host();
    HostChecker.attach(settings, host);
    times =
        new FrameTimes(
            context.trace(),
            settings.value(NicKeys.RATE),
            settings.value(NicKeys.ENGINE_RATE).orElse(NicConfig.UNLIMITED));
    software = NicKeys.driverConfig(settings);
    coresCount = cores(settings, machine.coresCount());
    pool =
        new BufferPool(host.pages(), software.bufferBytes(), portsCount * software.buffersCount());
    Slots slots = new Slots(settings, host);
    List<Nic> cards = new ArrayList<>();
    List<DownstreamPort> slotPorts = new ArrayList<>();
    for (int i = 0; i < portsCount; i++) {
      cards.add(new Nic(NicKeys.nicConfig(settings, i), host.simulation(), slot, times));
      slotPorts.add(slots.attach(cards.get(i)));
    }
    List<EnumeratedFunction> functions = host.enumerate();
    for (int i = 0; i < portsCount; i++) {
      ports.add(
          NicPort.of(
              cards.get(i),
              slotPorts.get(i),
              functions.get(i).barAddress(0),
              protection.newDmaDevice(functions.get(i)),
              software,
              pool,
              times));
    }
  }

  Host host() {
    return host;
  }

  Simulation simulation() {
    return host.simulation();
  }

  RandomStream random(String name) {
    return host.simulation().randomStream(name);
  }

  FrameTimes times() {
    return times;
  }

  NicDriverConfig software() {
    return software;
  }

  NicPort port(int index) {
    return ports.get(index);
  }

  /** Starts all drivers, which takes simulated milliseconds. */
  void start() {
    SynchronousPort cpu = host.synchronousPort(0);
    for (NicPort port : ports) {
      port.driver().start(cpu);
    }
  }

  /**
   * Lets the cores receive; queues are dealt to cores in turn.
   *
   * @param from ports
   * @param handlers as many; each gives the handler for a queue of one port
   */
  void receive(List<NicPort> from, List<IntFunction<FrameHandler>> handlers) {
    if (software.mode() == DriverMode.POLL) {
      for (int core = 0; core < coresCount; core++) {
        poll(host.core(core), from, handlers);
      }
      return;
    }
    SynchronousPort cpu = host.synchronousPort(0);
    for (int i = 0; i < from.size(); i++) {
      for (int queue = 0; queue < software.rxQueues(); queue++) {
        awaitInterrupts(cpu, from.get(i), queue, handlers.get(i).apply(queue));
      }
    }
  }

  /** Lets the cores send from a port; queues are dealt to cores in turn. */
  void transmit(NicPort port, TransmitWork work) {
    for (int core = 0; core < coresCount; core++) {
      List<TxRing> rings = new ArrayList<>();
      for (int queue = core; queue < software.txQueues(); queue += coresCount) {
        rings.add(port.driver().txRing(queue));
      }
      new Transmitter(host.core(core), work, pool, rings, software).wakeAt(simulation().nowPs());
    }
  }

  /** From here on counts what {@link #addCounters} reports. */
  void beginMeasurement() {
    before = totals();
    memoryBefore = MemoryTotals.of(host.caches().statistics());
    linkBusyBeforePs = linkBusyPs();
    protection.beginMeasurement();
    beforeWallSeconds = context.wallSeconds();
  }

  /** {@return how long the busiest direction of a link has been in use since then} */
  long linkBusyPsMax() {
    long[] nowPs = linkBusyPs();
    return IntStream.range(0, nowPs.length)
        .mapToLong(i -> nowPs[i] - linkBusyBeforePs[i])
        .max()
        .orElse(0);
  }

  private long[] linkBusyPs() {
    return ports.stream()
        .flatMap(port -> Stream.of(port.slot().upstream(), port.slot().downstream()))
        .mapToLong(LinkDirection::busyPsTotal)
        .toArray();
  }

  /** Adds what PCIe, cores and interrupts have done since the beginning of the measurement. */
  void addCounters(Report report, long endPs, long frames) {
    double wallSeconds = context.wallSeconds() - beforeWallSeconds;
    Totals now = totals();
    long elapsedPs = Math.max(1, endPs - before.nowPs());
    double busy = (now.busyPs() - before.busyPs()) / elapsedPs / coresCount;
    report
        .metric("pcie_up_bytes", now.upBytes() - before.upBytes())
        .metric("pcie_down_bytes", now.downBytes() - before.downBytes())
        .metric("tlp_mwr_count", now.memoryWrites() - before.memoryWrites())
        .metric("tlp_mrd_count", now.memoryReads() - before.memoryReads())
        .metric("tlp_cpld_count", now.completions() - before.completions())
        .metric("doorbells_count", now.doorbells() - before.doorbells())
        .metric("interrupts_count", now.interrupts() - before.interrupts())
        .metric("cpu_busy_ratio", Math.min(1, busy))
        .metric("simulated_ns", elapsedPs / PS_PER_NS)
        .metric("packets_per_wall_second", frames / Math.max(1e-9, wallSeconds))
        .events(simulation().eventsTotal());
    MemoryTotals.of(host.caches().statistics()).minus(memoryBefore).addTo(report);
    protection.addMetrics(report, now.upBytes() - before.upBytes());
    addMistakes(report);
  }

  /** Whoever asks for the checker is told of a shortage as of a mistake, but of the settings. */
  private void addMistakes(Report report) {
    HostChecker.addTo(report, host, DmaViolation.SWIOTLB_EXHAUSTED);
    BounceShortage.addRemark(report, host);
    if (settings.value(HostChecker.CHECKER) && isShortOfBounceMemory()) {
      report.inputError(bounceShortage());
    }
  }

  boolean isShortOfBounceMemory() {
    return BounceShortage.isIn(host);
  }

  UserErrorException bounceShortage() {
    return BounceShortage.error(settings, host);
  }

  /** A user-space driver maps its buffers for good and never syncs: they cannot be copies. */
  private static void checkPolicy(Settings settings) {
    if (settings.value(PolicyKeys.IOMMU) == MappingPolicy.STRICT_BOUNCE
        && settings.value(NicKeys.MODE) == DriverMode.POLL) {
      throw settings.refuse(PolicyKeys.IOMMU, "needs mode=interrupt or mode=napi");
    }
  }

  private void poll(Core core, List<NicPort> from, List<IntFunction<FrameHandler>> handlers) {
    List<RxRing> rings = new ArrayList<>();
    List<FrameHandler> handlerPerRing = new ArrayList<>();
    for (int i = 0; i < from.size(); i++) {
      for (int queue = core.index(); queue < software.rxQueues(); queue += coresCount) {
        rings.add(from.get(i).driver().rxRing(queue));
        handlerPerRing.add(handlers.get(i).apply(queue));
      }
    }
    new PollingReceiver(core, software, rings, handlerPerRing).wakeAt(simulation().nowPs());
  }

  private void awaitInterrupts(SynchronousPort cpu, NicPort port, int queue, FrameHandler handler) {
    Core core = host.core(queue % coresCount);
    if (software.mode() == DriverMode.NAPI) {
      new NapiReceiver(core, port.driver(), queue, handler).start(cpu, host.interrupts());
    } else {
      new InterruptReceiver(core, port.driver(), queue, handler).start(cpu, host.interrupts());
    }
  }

  private static int cores(Settings settings, int coresMax) {
    int queues = settings.intValue(NicKeys.QUEUES);
    int cores = settings.intValue(NicKeys.CORES);
    if (cores > queues) {
      throw settings.refuse(
          NicKeys.CORES, "must be at most " + settings.assignment(NicKeys.QUEUES));
    }
    if (cores > coresMax) {
      String machine = settings.assignment(HostKeys.HOST);
      throw settings.refuse(
          NicKeys.CORES, "must be at most " + coresMax + ", the cores of " + machine);
    }
    return cores;
  }

  private Totals totals() {
    long[] sums = new long[6];
    double busyPs = 0; // Sixteen cores may be busy for 100 days each, more than a long holds.
    for (NicPort port : ports) {
      LinkDirection up = port.slot().upstream();
      LinkDirection down = port.slot().downstream();
      sums[0] += up.bytesTotal();
      sums[1] += down.bytesTotal();
      sums[2] += up.memoryWritesTotal() + down.memoryWritesTotal();
      sums[3] += up.memoryReadsTotal() + down.memoryReadsTotal();
      sums[4] += up.completionsWithDataTotal() + down.completionsWithDataTotal();
      sums[5] += port.doorbellsTotal();
    }
    for (int i = 0; i < coresCount; i++) {
      busyPs += (double) host.core(i).busyPsTotal() + host.core(i).spinPsTotal();
    }
    return new Totals(
        simulation().nowPs(),
        sums[0],
        sums[1],
        sums[2],
        sums[3],
        sums[4],
        sums[5],
        host.interrupts().messagesTotal(),
        busyPs);
  }
}
