package io.github.bellwire.examples.pcie;

import io.github.bellwire.cpu.SynchronousPort;
import io.github.bellwire.device.aperture.Aperture;
import io.github.bellwire.device.aperture.ApertureConfig;
import io.github.bellwire.device.aperture.ApertureLayout;
import io.github.bellwire.device.probe.Probe;
import io.github.bellwire.device.probe.ProbeConfig;
import io.github.bellwire.device.probe.ProbeMeter;
import io.github.bellwire.device.probe.ProbeOperation;
import io.github.bellwire.device.probe.ProbeRun;
import io.github.bellwire.device.probe.ProbeWindow;
import io.github.bellwire.dma.PageAllocator;
import io.github.bellwire.examples.cli.CommandLineTool;
import io.github.bellwire.examples.cli.RunContext;
import io.github.bellwire.examples.host.HostChecker;
import io.github.bellwire.examples.host.HostKeys;
import io.github.bellwire.examples.host.IommuKeys;
import io.github.bellwire.examples.host.IommuPage;
import io.github.bellwire.examples.host.RemappedHost;
import io.github.bellwire.examples.host.Slots;
import io.github.bellwire.examples.pcie.PcieBenchKeys.Cache;
import io.github.bellwire.examples.pcie.PcieBenchKeys.Numa;
import io.github.bellwire.examples.pcie.PcieBenchKeys.Pattern;
import io.github.bellwire.examples.pcie.PcieBenchKeys.Target;
import io.github.bellwire.examples.settings.Settings;
import io.github.bellwire.host.Host;
import io.github.bellwire.host.HostConfig;
import io.github.bellwire.kernel.Simulation;
import io.github.bellwire.pcie.CompletionCut;
import io.github.bellwire.pcie.ConfigLayout;
import io.github.bellwire.pcie.DownstreamPort;
import io.github.bellwire.pcie.LinkDirection;
import io.github.bellwire.pcie.PcieError;
import io.github.bellwire.pcie.PcieLinkConfig;
import io.github.bellwire.pcie.RootComplexConfig.PeerToPeer;

/** A host with a probe and the memory that it visits, as the settings describe them. */
final class ProbeMachine {
  private static final int EVENTS_PER_LOOK = 1 << 14;
  private static final int LINE_BYTES = 64;
  private static final int PEER_RCB_BYTES = 128;
  private static final long WARMUP_COUNT = 1_000;

  /** Until an IOTLB holds what it will. */
  private static final long IOTLB_WARMUP_COUNT = 2_000;

  /**
   * Large DMAs fill tags, link and IOTLB sooner: so many bytes are twice the pages of {@link
   * #IOTLB_WARMUP_COUNT} and five times what 768 tags of 4 KiB ask for.
   */
  private static final long WARMUP_BYTES_MAX = 1L << 24;

  private final RemappedHost remapped;
  private final Host host;
  private final Probe probe;
  private final DownstreamPort port;
  private final ProbeRun run;
  private final LinkTotals before;
  private final long startPs;
  private final boolean hasFaults;
  private final boolean isPeer;
  private final Interruption interruption;
  private Usage atStart = Usage.NONE;
  private Usage atWarmUpEnd = Usage.NONE;

  /** What has gone over a link. */
  record LinkTotals(long upBytes, long downBytes, long writes, long reads, long completions) {

    static LinkTotals of(DownstreamPort port) {
      LinkDirection up = port.upstream();
      LinkDirection down = port.downstream();
      return new LinkTotals(
          up.bytesTotal(),
          down.bytesTotal(),
          up.memoryWritesTotal(),
          up.memoryReadsTotal(),
          down.completionsWithDataTotal());
    }

    LinkTotals minus(LinkTotals other) {
      return new LinkTotals(
          upBytes - other.upBytes,
          downBytes - other.downBytes,
          writes - other.writes,
          reads - other.reads,
          completions - other.completions);
    }
  }

  /** How long parts have been in use; of the tags, all of them at once. */
  record Usage(long upPs, long downPs, long readEnginePs, long writeEnginePs, long tagsPs) {
    static final Usage NONE = new Usage(0, 0, 0, 0, 0);

    static Usage of(DownstreamPort port, Probe probe) {
      return new Usage(
          port.upstream().busyPsTotal(),
          port.downstream().busyPsTotal(),
          probe.readBusyPsTotal(),
          probe.writeBusyPsTotal(),
          probe.tagsHeldPsTotal() / probe.config().tags()); // rounds down
    }

    Usage minus(Usage other) {
      return new Usage(
          upPs - other.upPs,
          downPs - other.downPs,
          readEnginePs - other.readEnginePs,
          writeEnginePs - other.writeEnginePs,
          tagsPs - other.tagsPs);
    }

    /** {@return how long the part has been in use that has been longest} */
    long longestPs() {
      long linkPs = Math.max(upPs, downPs);
      return Math.max(Math.max(linkPs, tagsPs), Math.max(readEnginePs, writeEnginePs));
    }
  }

  /** Builds the machine and brings the caches into the state asked for. */
  ProbeMachine(Settings settings, RunContext context) {
    PcieBenchKeys.checkTarget(settings);
    HostConfig config = PcieBenchKeys.withTags(settings, HostKeys.resolve(settings));
    config = PcieBenchKeys.withFaults(settings, config);
    isPeer = settings.value(PcieBenchKeys.TARGET) == Target.PEER;
    hasFaults = settings.isGiven(PcieBenchKeys.FAULTS) || isPeer && HostKeys.forbidsPeers(settings);
    if (isPeer) {
      config = config.withRootComplex(config.rootComplex().withPeerToPeer(PeerToPeer.FORWARDED));
    }
    int socket = settings.value(PcieBenchKeys.NUMA) == Numa.LOCAL ? 0 : 1;
    if (socket >= config.cache().sockets()) {
      String name = settings.assignment(HostKeys.HOST);
      throw settings.refuse(PcieBenchKeys.NUMA, "must be local, " + name + " has one socket");
    }
    if (isPeer && settings.value(HostChecker.CHECKER)) {
      throw settings.refuse(HostChecker.CHECKER, "must be off, memory of a peer is not watched");
    }
    if (isPeer && IommuKeys.page(settings).bytes() > IommuPage.PAGE_4K.bytes()) {
      throw settings.refuse(IommuKeys.IOMMU, "must be off or 4k for the memory of a peer");
    }
    ProbeConfig probeConfig = PcieBenchKeys.probe(settings, config);
    int slotBytes = PcieBenchKeys.slotBytes(settings, config);
    remapped = new RemappedHost(settings, config, settings.value(CommandLineTool.SEED));
    host = remapped.host();
    probe = new Probe(probeConfig, config.link(), host.simulation(), context.trace());
    HostChecker.attach(settings, host);
    Slots slots = new Slots(settings, host);
    port = settings.isGiven(PcieBenchKeys.REMOVE_AT) ? slots.insert(probe) : slots.attach(probe);
    long windowBytes = settings.value(PcieBenchKeys.WINDOW);
    Aperture peer = isPeer ? newPeer(windowBytes) : null;
    if (peer != null) {
      slots.attach(peer);
    }
    host.enumerate();
    probe
        .configSpace()
        .write(ConfigLayout.COMMAND, Short.BYTES, ConfigLayout.COMMAND_BUS_MASTER_ENABLE);
    long mappedBytes = remapped.wholePages(windowBytes);
    long pa =
        peer == null
            ? host.pages(socket).allocate(mappedBytes)
            : peer.configSpace().barAddress(ApertureLayout.APERTURE_BAR);
    if (pa == PageAllocator.NO_MEMORY) {
      throw settings.refuse(
          remapped.isRemapped() ? IommuKeys.IOMMU : PcieBenchKeys.WINDOW,
          "must leave the window in memory, " + mappedBytes + "B in one piece");
    }
    ProbeWindow window =
        new ProbeWindow(
            remapped.iova(pa),
            windowBytes,
            slotBytes,
            settings.intValue(PcieBenchKeys.OFFSET),
            settings.intValue(PcieBenchKeys.SIZE),
            settings.value(PcieBenchKeys.PATTERN) == Pattern.RAND);
    if (!isPeer && settings.value(PcieBenchKeys.CACHE) == Cache.WARM) {
      // The first core of a socket; cores are dealt out in blocks.
      warm(
          pa,
          windowBytes,
          host.synchronousPort(socket * config.coresCount() / config.cache().sockets()));
    }
    remapped.map(port.bdf(), pa, mappedBytes);
    if (!isPeer) {
      remapped.declareShared(port.bdf(), pa, (int) windowBytes);
    }
    run =
        new ProbeRun(
            settings.value(PcieBenchKeys.OP),
            window,
            warmupCount(probeConfig.tags(), window.sizeBytes()),
            settings.value(PcieBenchKeys.COUNT));
    before = LinkTotals.of(port);
    startPs = host.simulation().nowPs();
    interruption =
        new Interruption(
            host.simulation(),
            port,
            settings.find(PcieBenchKeys.RESET_AT).orElse(Simulation.NEVER_PS),
            settings.find(PcieBenchKeys.REMOVE_AT).orElse(Simulation.NEVER_PS));
  }

  private long warmupCount(int tags, int sizeBytes) {
    long count = WARMUP_COUNT + 2L * tags + (remapped.isRemapped() ? IOTLB_WARMUP_COUNT : 0);
    return Math.min(count, WARMUP_BYTES_MAX / sizeBytes); // at least 16 of 1 MiB
  }

  /** A device with as much memory as the window needs. */
  private Aperture newPeer(long windowBytes) {
    long apertureBytes = Long.highestOneBit(Math.max(1 << 16, 2 * windowBytes - 1));
    ApertureConfig config = ApertureConfig.V100.withApertureBytes(apertureBytes);
    return new Aperture(config, host.simulation(), host.config().link());
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
    context.progress().begin("DMAs", run.totalCount());
    probe.start(run);
    atStart = Usage.of(port, probe);
    interruption.schedule();
    runUntil(run.warmupCount(), context);
    atWarmUpEnd = Usage.of(port, probe);
    runUntil(Long.MAX_VALUE, context);
  }

  /** Runs until so many DMAs have been issued and the next has not, or none is left. */
  private void runUntil(long count, RunContext context) {
    Simulation simulation = host.simulation();
    ProbeMeter meter = probe.meter();
    while (!probe.isDone() && meter.doneTotal() < count) {
      for (int i = 0; i < EVENTS_PER_LOOK && !probe.isDone() && meter.doneTotal() < count; i++) {
        simulation.step();
      }
      context.progress().advanceTo(meter.doneTotal());
    }
  }

  /** {@return what the operations of the run must have put on the link} */
  TlpArithmetic expected() {
    PcieLinkConfig link =
        port.link()
            .withMaxPayloadBytes(probe.configSpace().maxPayloadBytes())
            .withMaxReadRequestBytes(probe.configSpace().maxReadRequestBytes());
    if (isPeer) { // The peer answers, not the host: Base Specification, section 2.3.1.1.
      link =
          link.withReadCompletionBoundaryBytes(PEER_RCB_BYTES)
              .withCompletionCut(CompletionCut.LONGEST);
    }
    TlpArithmetic expected = new TlpArithmetic(link);
    ProbeOperation operation = run.operation();
    ProbeWindow window = run.window();
    Simulation simulation = host.simulation();
    ProbeWindow.Addresses writes =
        window.addresses(simulation.randomStream(ProbeRun.WRITE_ADDRESSES));
    ProbeWindow.Addresses reads =
        operation == ProbeOperation.LAT_WRITE_READ
            ? window.addresses(simulation.randomStream(ProbeRun.WRITE_ADDRESSES))
            : window.addresses(simulation.randomStream(ProbeRun.READ_ADDRESSES));
    for (long i = 0; i < probe.meter().doneTotal(); i++) {
      if (operation.hasWrites()) {
        expected.addWrite(writes.next(), window.sizeBytes());
      }
      if (operation.hasReads() && probe.config().reads().cutsAtMultiples()) {
        expected.addReadCutAtMultiples(reads.next(), window.sizeBytes());
      } else if (operation.hasReads()) {
        expected.addRead(reads.next(), window.sizeBytes());
      }
    }
    return expected;
  }

  Host host() {
    return host;
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

  /** {@return for how long parts have been in use since the start} */
  Usage usage() {
    return Usage.of(port, probe).minus(atStart);
  }

  /**
   * {@return how long the DMAs measured took: from the end of the warm-up on, but no less than any
   * part was in use for them} A few may end on the heels of the warm-up, and yet have kept the link
   * busy before.
   */
  long measuredPs() {
    Usage measured = Usage.of(port, probe).minus(atWarmUpEnd);
    return Math.max(probe.meter().elapsedPs(), measured.longestPs() + 1); // those are rounded down
  }

  /** {@return from the start of the warm-up to the end of the last DMA} */
  long elapsedPs() {
    return probe.meter().lastPs() - startPs;
  }

  /** {@return whether a reset or the loss of the link has ended the run before its time} */
  boolean isCutShort() {
    return probe.meter().doneTotal() < run.totalCount();
  }

  /** {@return whether the user has asked for faults on the link, or for peers out of reach} */
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
    return remapped.iotlbMissRatio();
  }

  long eventsTotal() {
    return host.simulation().eventsTotal();
  }
}
