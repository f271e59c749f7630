package io.github.bellwire.examples.pcie;

import io.github.bellwire.cpu.SynchronousPort;
import io.github.bellwire.device.probe.Probe;
import io.github.bellwire.device.probe.ProbeConfig;
import io.github.bellwire.device.probe.ProbeOperation;
import io.github.bellwire.device.probe.ProbeRun;
import io.github.bellwire.device.probe.ProbeWindow;
import io.github.bellwire.examples.cli.CommandLineTool;
import io.github.bellwire.examples.cli.RunContext;
import io.github.bellwire.examples.host.HostKeys;
import io.github.bellwire.examples.host.IommuKeys;
import io.github.bellwire.examples.host.IommuPage;
import io.github.bellwire.examples.host.Slots;
import io.github.bellwire.examples.host.StaticMapping;
import io.github.bellwire.examples.pcie.PcieBenchKeys.Cache;
import io.github.bellwire.examples.pcie.PcieBenchKeys.Numa;
import io.github.bellwire.examples.pcie.PcieBenchKeys.Pattern;
import io.github.bellwire.examples.settings.Settings;
import io.github.bellwire.host.Host;
import io.github.bellwire.host.HostConfig;
import io.github.bellwire.iommu.Iommu;
import io.github.bellwire.iommu.IommuFactory;
import io.github.bellwire.iommu.walk.TranslationStatistics;
import io.github.bellwire.kernel.Simulation;
import io.github.bellwire.pcie.ConfigLayout;
import io.github.bellwire.pcie.DownstreamPort;
import io.github.bellwire.pcie.LinkDirection;
import io.github.bellwire.pcie.PcieError;
import org.jspecify.annotations.Nullable;

/** A host with a probe and the memory that it visits, as the settings describe them. */
final class ProbeMachine {
  private static final int EVENTS_PER_LOOK = 1 << 14;
  private static final int LINE_BYTES = 64;
  private static final long WARMUP_COUNT = 1_000;

  /** Until an IOTLB holds what it will. */
  private static final long IOTLB_WARMUP_COUNT = 2_000;

  private final IommuPage page;
  private final @Nullable Iommu iommu;
  private final Host host;
  private final Probe probe;
  private final DownstreamPort port;
  private final ProbeRun run;
  private final LinkTotals before;
  private final long startPs;
  private final boolean hasFaults;

  /** What has gone over a link. */
  record LinkTotals(
      long upBytes,
      long downBytes,
      long upBusyPs,
      long downBusyPs,
      long writes,
      long reads,
      long completions) {

    static LinkTotals of(DownstreamPort port) {
      LinkDirection up = port.upstream();
      LinkDirection down = port.downstream();
      return new LinkTotals(
          up.bytesTotal(),
          down.bytesTotal(),
          up.busyPsTotal(),
          down.busyPsTotal(),
          up.memoryWritesTotal(),
          up.memoryReadsTotal(),
          down.completionsWithDataTotal());
    }

    LinkTotals minus(LinkTotals other) {
      return new LinkTotals(
          upBytes - other.upBytes,
          downBytes - other.downBytes,
          upBusyPs - other.upBusyPs,
          downBusyPs - other.downBusyPs,
          writes - other.writes,
          reads - other.reads,
          completions - other.completions);
    }
  }

  /** Builds the machine and brings the caches into the state asked for. */
  ProbeMachine(Settings settings, RunContext context) {
    HostConfig config = PcieBenchKeys.withTags(settings, HostKeys.resolve(settings));
    config = PcieBenchKeys.withFaults(settings, config);
    hasFaults = settings.isGiven(PcieBenchKeys.FAULTS);
    int socket = settings.value(PcieBenchKeys.NUMA) == Numa.LOCAL ? 0 : 1;
    if (socket >= config.cache().sockets()) {
      String name = settings.assignment(HostKeys.HOST);
      throw settings.refuse(PcieBenchKeys.NUMA, "must be local, " + name + " has one socket");
    }
    ProbeConfig probeConfig = PcieBenchKeys.probe(settings, config);
    int slotBytes = PcieBenchKeys.slotBytes(settings, config);
    page = IommuKeys.page(settings);
    long seed = settings.value(CommandLineTool.SEED);
    if (page == IommuPage.OFF) {
      iommu = null;
      host = new Host(config, seed);
    } else {
      IommuFactory factory = new IommuFactory(IommuKeys.resolve(settings));
      host = new Host(config, seed, factory);
      iommu = factory.iommu();
    }
    probe = new Probe(probeConfig, config.link(), host.simulation(), context.trace());
    port = new Slots(settings, host).attach(probe);
    host.enumerate();
    probe
        .configSpace()
        .write(ConfigLayout.COMMAND, Short.BYTES, ConfigLayout.COMMAND_BUS_MASTER_ENABLE);
    long windowBytes = settings.value(PcieBenchKeys.WINDOW);
    long mappedBytes =
        iommu == null ? windowBytes : (windowBytes + page.bytes() - 1) & -page.bytes();
    long pa = host.pages(socket).allocate(mappedBytes);
    ProbeWindow window =
        new ProbeWindow(
            iommu == null ? pa : StaticMapping.IOVA,
            windowBytes,
            slotBytes,
            settings.intValue(PcieBenchKeys.OFFSET),
            settings.intValue(PcieBenchKeys.SIZE),
            settings.value(PcieBenchKeys.PATTERN) == Pattern.RAND);
    if (settings.value(PcieBenchKeys.CACHE) == Cache.WARM) {
      // The first core of a socket; cores are dealt out in blocks.
      warm(
          pa,
          windowBytes,
          host.synchronousPort(socket * config.coresCount() / config.cache().sockets()));
    }
    if (iommu != null) {
      StaticMapping mapping = new StaticMapping(host.synchronousPort(0), host.pages());
      mapping.map(pa, mappedBytes, page);
      mapping.enable(port.bdf());
    }
    run =
        new ProbeRun(
            settings.value(PcieBenchKeys.OP),
            window,
            WARMUP_COUNT + 2L * probeConfig.tags() + (iommu == null ? 0 : IOTLB_WARMUP_COUNT),
            settings.value(PcieBenchKeys.COUNT));
    before = LinkTotals.of(port);
    startPs = host.simulation().nowPs();
  }

  /** Each line is waited for before it is written: stores alone would outrun memory. */
  private static void warm(long pa, long windowBytes, SynchronousPort cpu) {
    byte[] line = new byte[LINE_BYTES];
    for (long done = 0; done < windowBytes; done += LINE_BYTES) {
      cpu.load(pa + done, Long.BYTES);
      cpu.store(pa + done, line, 0, LINE_BYTES);
    }
  }

  /** Lets the probe measure until it is done. */
  void run(RunContext context) {
    Simulation simulation = host.simulation();
    context.progress().begin("DMAs", run.totalCount());
    probe.start(run);
    while (!probe.isDone()) {
      for (int i = 0; i < EVENTS_PER_LOOK && !probe.isDone(); i++) {
        simulation.step();
      }
      context.progress().advanceTo(probe.meter().doneTotal());
    }
  }

  /** {@return what the operations of the run must have put on the link} */
  TlpArithmetic expected() {
    TlpArithmetic expected =
        new TlpArithmetic(
            port.link()
                .withMaxPayloadBytes(probe.configSpace().maxPayloadBytes())
                .withMaxReadRequestBytes(probe.configSpace().maxReadRequestBytes()));
    ProbeOperation operation = run.operation();
    ProbeWindow window = run.window();
    Simulation simulation = host.simulation();
    ProbeWindow.Addresses writes =
        window.addresses(simulation.randomStream(ProbeRun.WRITE_ADDRESSES));
    ProbeWindow.Addresses reads =
        operation == ProbeOperation.LAT_WRITE_READ
            ? window.addresses(simulation.randomStream(ProbeRun.WRITE_ADDRESSES))
            : window.addresses(simulation.randomStream(ProbeRun.READ_ADDRESSES));
    for (long i = 0; i < run.totalCount(); i++) {
      if (operation.hasWrites()) {
        expected.addWrite(writes.next(), window.sizeBytes());
      }
      if (operation.hasReads()) {
        expected.addRead(reads.next(), window.sizeBytes());
      }
    }
    return expected;
  }

  Probe probe() {
    return probe;
  }

  ProbeRun probeRun() {
    return run;
  }

  /** {@return what has gone over the link since the start} */
  LinkTotals linkTotals() {
    return LinkTotals.of(port).minus(before);
  }

  /** {@return from the start of the warm-up to the end of the last DMA} */
  long elapsedPs() {
    return probe.meter().lastPs() - startPs;
  }

  /** {@return whether the user has asked for faults on the link} */
  boolean hasFaults() {
    return hasFaults;
  }

  /** {@return errors in what the probe sends, as the port above it has detected them} */
  long portErrors(PcieError error) {
    return port.errors().total(error);
  }

  /** {@return errors in what the host sends and in what it does not, as the probe sees them} */
  long probeErrors(PcieError error) {
    return port.deviceErrors().total(error);
  }

  /** {@return the share of requests whose page was not remembered; 0 without an IOMMU} */
  double iotlbMissRatio() {
    if (iommu == null) {
      return 0;
    }
    TranslationStatistics statistics = iommu.statistics();
    return (double) statistics.iotlbMissesTotal() / Math.max(1, statistics.lookupsTotal());
  }

  long eventsTotal() {
    return host.simulation().eventsTotal();
  }
}
