package io.github.bellwire.examples.iommu;

import io.github.bellwire.cpu.SynchronousPort;
import io.github.bellwire.device.nic.EthernetLayout;
import io.github.bellwire.device.striding.StridingLayout;
import io.github.bellwire.device.striding.StridingNic;
import io.github.bellwire.device.striding.StridingNicConfig;
import io.github.bellwire.device.striding.driver.RxPages;
import io.github.bellwire.device.striding.driver.StridingChannel;
import io.github.bellwire.device.striding.driver.StridingChannelConfig;
import io.github.bellwire.device.striding.driver.StridingCosts;
import io.github.bellwire.dma.DmaDevice;
import io.github.bellwire.dma.DmaMapper;
import io.github.bellwire.examples.host.Slots;
import io.github.bellwire.host.Host;
import io.github.bellwire.iommu.Iommu;
import io.github.bellwire.iommu.IommuFactory;
import io.github.bellwire.iommu.driver.IommuDriver;
import io.github.bellwire.iommu.driver.IommuMapper;
import io.github.bellwire.iommu.driver.MappingPolicy;
import io.github.bellwire.iommu.layout.RegisterLayout;
import io.github.bellwire.iommu.walk.TranslationStatistics;
import io.github.bellwire.kernel.Simulation;
import io.github.bellwire.pcie.ConfigLayout;
import io.github.bellwire.pcie.EnumeratedFunction;
import io.github.bellwire.pcie.RootPort;
import io.github.bellwire.trace.LifecycleStep;
import io.github.bellwire.trace.OperationId;
import io.github.bellwire.trace.TraceCause;
import io.github.bellwire.trace.TraceSink;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Senders, a wire, an adapter and the host that receives. */
final class CongestionMachine {
  private static final int DEFAULT_RING_FRAMES = 1024;
  private static final int PAGE_BYTES = StridingLayout.PAGE_BYTES;
  // Headroom, header, shared info.
  private static final int LINEAR_OVERHEAD_BYTES = 64 + EthernetLayout.HEADER_BYTES + 320;
  private static final int TX_ENTRIES = 1024;
  private static final int BUDGET = 64;
  private static final int TRACED_QUEUES = 128;
  private static final long PS_PER_SECOND = 1_000_000_000_000L;

  private final CongestionPreset preset;
  private final Host host;
  private final @Nullable Iommu iommu;
  private final @Nullable IommuDriver system;
  private final DmaMapper mapper;
  private final StridingNic nic;
  private final RootPort slot;
  private final Senders senders;
  private final OpenLoop openLoop;
  private final long intervalPs;
  private final boolean isOpen;
  private final StreamReceiver receiver;
  private final List<StridingChannel> channels = new ArrayList<>();
  private TraceSink trace = (id, step, cause, timePs, address, lengthBytes) -> {};
  private int leafTables;

  /** What has been counted at a moment. */
  record Counts(
      long timePs,
      long deliveredBytes,
      long deliveredFrames,
      long offered,
      long overflows,
      long noEntry,
      long stored,
      long lookups,
      long iotlbMisses,
      long l1Misses,
      long l2Misses,
      long l3Misses,
      long pageInvalidations,
      long domainInvalidations,
      long acks,
      long segments,
      long recycled,
      long mapped,
      long unmapped,
      long turns,
      long busyPs) {

    Counts minus(Counts other) {
      return new Counts(
          timePs - other.timePs,
          deliveredBytes - other.deliveredBytes,
          deliveredFrames - other.deliveredFrames,
          offered - other.offered,
          overflows - other.overflows,
          noEntry - other.noEntry,
          stored - other.stored,
          lookups - other.lookups,
          iotlbMisses - other.iotlbMisses,
          l1Misses - other.l1Misses,
          l2Misses - other.l2Misses,
          l3Misses - other.l3Misses,
          pageInvalidations - other.pageInvalidations,
          domainInvalidations - other.domainInvalidations,
          acks - other.acks,
          segments - other.segments,
          recycled - other.recycled,
          mapped - other.mapped,
          unmapped - other.unmapped,
          turns - other.turns,
          busyPs - other.busyPs);
    }

    /** {@return something per 4 KiB of payload; 0 if none was delivered} */
    double perPage(long count) {
      return per(PAGE_BYTES, count);
    }

    /** {@return something per MiB of payload; 0 if none was delivered} */
    double perMib(long count) {
      return per(1 << 20, count);
    }

    private double per(int payloadBytes, long count) {
      return deliveredBytes == 0 ? 0 : count * (double) payloadBytes / deliveredBytes;
    }

    /** {@return of the pages that have been put into entries, those that were not recycled} */
    double freshRatio() {
      return mapped / (double) Math.max(1, mapped + recycled);
    }

    double dropRatio() {
      return (overflows + noEntry) / (double) Math.max(1, offered);
    }
  }

  /**
   * Builds a machine.
   *
   * @param openRateBitsPerSecond 0 for senders that adapt, or a fixed rate of frames on the wire
   */
  CongestionMachine(
      CongestionPreset preset, RxPages.Policy pages, long openRateBitsPerSecond, long seed) {
    this(preset, pages, openRateBitsPerSecond, seed, false);
  }

  /** Builds a machine whose driver is watched, if asked for. */
  CongestionMachine(
      CongestionPreset preset,
      RxPages.Policy pages,
      long openRateBitsPerSecond,
      long seed,
      boolean isWatched) {
    this.preset = preset;
    if (preset.policy() == MappingPolicy.OFF) {
      host = new Host(preset.host(), seed);
      iommu = null;
    } else {
      IommuFactory factory = new IommuFactory(preset.iommu());
      host = new Host(preset.host(), seed, factory);
      iommu = factory.iommu();
    }
    if (isWatched) {
      host.attachChecker();
    }
    SenderConfig wire = wire(preset);
    senders = new Senders(host.simulation(), wire, preset.flows(), this::arrive);
    intervalPs =
        openRateBitsPerSecond == 0
            ? wire.framePs()
            : Math.max(1, wire.frameBytes() * 8 * PS_PER_SECOND / openRateBitsPerSecond);
    openLoop =
        new OpenLoop(
            host.simulation(), this::arrive, preset.flows(), wire.frameBytes(), intervalPs);
    isOpen = openRateBitsPerSecond != 0;
    nic =
        new StridingNic(
            new StridingNicConfig(preset.activeChannels(), preset.bufferBytes()),
            preset.host().link(),
            host.simulation(),
            isOpen ? openLoop : senders);
    receiver =
        new StreamReceiver(preset.flows(), wire.payloadBytes(), StreamCosts.LINUX, this::deliver);
    slot = host.attach(nic);
    EnumeratedFunction function = host.enumerate().get(0);
    nic.configSpace()
        .write(
            ConfigLayout.COMMAND,
            Short.BYTES,
            ConfigLayout.COMMAND_BUS_MASTER_ENABLE | ConfigLayout.COMMAND_MEMORY_ENABLE);
    SynchronousPort port = host.synchronousPort(0);
    if (iommu == null) {
      system = null;
      mapper = DmaMapper.IDENTITY;
    } else {
      system = new IommuDriver(host, RegisterLayout.BASE_ADDRESS, preset.system(), List.of());
      system.start(port, false);
      mapper = system.attach(port, function.bdf().requesterId(), preset.policy());
    }
    DmaDevice dma = host.newDmaDevice(mapper, function.bdf());
    dma.trySetMask(64);
    dma.trySetCoherentMask(64);
    StridingChannelConfig config = channel(preset, pages);
    AddressHistory history = null;
    if (mapper instanceof IommuMapper translated && pages != RxPages.Policy.BLOCKS) {
      history = new AddressHistory(host, translated.domain().iovas(), preset.channels());
      history.open(rxEntries(DEFAULT_RING_FRAMES, preset.mtuBytes()) * config.pagesPerEntry());
      history.close();
      history.open(config.rxEntries() * config.pagesPerEntry() + config.recycledMax());
      history.age(preset.activeChannels(), config.pagesPerEntry());
      leafTables = history.leafTables(preset.activeChannels());
    }
    openChannels(port, dma, function.barAddress(0), config, history);
  }

  private static SenderConfig wire(CongestionPreset preset) {
    SenderConfig wire =
        SenderConfig.of(
                preset.bitsPerSecond(),
                preset.mtuBytes(),
                preset.activeChannels(),
                preset.senderModerationNs())
            .withControl(preset.control());
    return preset.flowBitsPerSecond() == 0
        ? wire
        : wire.withWrites(CongestionPreset.WRITE_BYTES, preset.flowBitsPerSecond());
  }

  private void openChannels(
      SynchronousPort port,
      DmaDevice dma,
      long registers,
      StridingChannelConfig config,
      @Nullable AddressHistory history) {
    for (int i = 0; i < preset.activeChannels(); i++) {
      channels.add(
          new StridingChannel(
              host.core(i),
              port,
              dma,
              host.pages(),
              host.interrupts(),
              registers + (long) i * StridingLayout.QUEUE_BYTES,
              config,
              receiver));
      receiver.serve(channels.get(i));
    }
    for (int entry = 0; entry < config.rxEntries(); entry++) {
      for (int i = 0; i < channels.size(); i++) {
        if (history != null) {
          history.handOver(i, config.pagesPerEntry());
        }
        channels.get(i).refill(host.synchronousPort(i), 1);
      }
    }
  }

  /** Entries of 64 pages for a ring of frames: each frame counts as the next power of two. */
  private static int rxEntries(int ringFrames, int mtuBytes) {
    int frameBytes = Integer.highestOneBit(2 * frameBytes(mtuBytes) - 1);
    int entryBytes = StridingChannelConfig.MLX5_PAGES_PER_ENTRY * PAGE_BYTES;
    long entries = ((long) ringFrames * frameBytes + entryBytes - 1) / entryBytes;
    return (int) Math.max(2, Long.highestOneBit(2 * entries - 1));
  }

  private static int frameBytes(int mtuBytes) {
    int linearBytes = mtuBytes + LINEAR_OVERHEAD_BYTES;
    return linearBytes <= PAGE_BYTES ? linearBytes : mtuBytes + EthernetLayout.HEADER_BYTES;
  }

  private static StridingChannelConfig channel(CongestionPreset preset, RxPages.Policy pages) {
    int linearBytes = preset.mtuBytes() + LINEAR_OVERHEAD_BYTES;
    boolean isLinear = linearBytes <= PAGE_BYTES && !preset.isPacked();
    return new StridingChannelConfig(
        rxEntries(preset.ringFrames(), preset.mtuBytes()),
        StridingChannelConfig.MLX5_PAGES_PER_ENTRY,
        isLinear ? Integer.highestOneBit(2 * linearBytes - 1) : 64,
        preset.mtuBytes() + EthernetLayout.HEADER_BYTES,
        TX_ENTRIES,
        BUDGET,
        preset.moderationNs(),
        pages,
        StridingChannelConfig.MLX5_RECYCLED_MAX,
        StridingCosts.KERNEL);
  }

  private boolean arrive(int flow, int sequence, int lengthBytes) {
    boolean isTaken = nic.receive(flow, sequence, lengthBytes);
    trace.onStep(
        operation(flow, sequence),
        LifecycleStep.DEVICE_DMA,
        isTaken ? TraceCause.FRAME_ARRIVED : TraceCause.ACCESS_REFUSED,
        host.simulation().nowPs(),
        0,
        lengthBytes);
    return isTaken;
  }

  private void deliver(int flow, int sequence, long atPs) {
    trace.onStep(
        operation(flow, sequence), LifecycleStep.COMPLETION, TraceCause.DONE_BIT_SEEN, atPs, 0, 0);
    openLoop.onDelivered(flow, sequence, atPs);
  }

  /** More flows than an adapter has queues go on with the next adapter. */
  private static long operation(int flow, int sequence) {
    return OperationId.receive(flow / TRACED_QUEUES, flow % TRACED_QUEUES, sequence);
  }

  /**
   * Lets somebody hear of the frames that arrive and of those that applications get.
   *
   * @param sink hears of them from now on
   * @return this machine
   */
  CongestionMachine traceTo(TraceSink sink) {
    trace = sink;
    return this;
  }

  /** Runs, and returns what happened in the second part. */
  Counts measure(long warmUpPs, long durationPs) {
    Simulation simulation = host.simulation();
    if (isOpen) {
      openLoop.start();
    } else {
      senders.start();
    }
    long startPs = simulation.nowPs() + warmUpPs;
    simulation.runUntil(startPs);
    nic.resetBufferedBytesMax();
    Counts before = counts();
    simulation.runUntil(startPs + durationPs);
    return counts().minus(before);
  }

  /**
   * {@return payload delivered, in units of 1e9 bits per second} Software delivers in lots what has
   * come before: in a short time more than wire and link carry, which does not count.
   */
  double goodputGbps(Counts counts) {
    long linkPs = Slots.busyPs(slot);
    double framePs = Math.max(intervalPs, (double) linkPs / Math.max(1, nic.storedTotal()));
    double tookPs = Math.max(counts.timePs(), counts.deliveredFrames() * framePs);
    return counts.deliveredBytes() * 8_000.0 / tookPs;
  }

  Counts counts() {
    TranslationStatistics walks = iommu == null ? null : iommu.statistics();
    long recycled = 0;
    long mapped = 0;
    long unmapped = 0;
    long turns = 0;
    long busyPs = 0;
    for (StridingChannel channel : channels) {
      recycled += channel.pages().recycledTotal();
      mapped += channel.pages().mappedTotal();
      unmapped += channel.pages().unmappedTotal();
      turns += channel.turnsTotal();
      busyPs += channel.core().busyPsTotal();
    }
    return new Counts(
        host.simulation().nowPs(),
        receiver.deliveredBytes(),
        receiver.deliveredFrames(),
        nic.offeredTotal(),
        nic.overflowsTotal(),
        nic.noEntryTotal(),
        nic.storedTotal(),
        walks == null ? 0 : walks.lookupsTotal(),
        walks == null ? 0 : walks.iotlbMissesTotal(),
        walks == null ? 0 : walks.pagingMissesL1Total(),
        walks == null ? 0 : walks.pagingMissesL2Total(),
        walks == null ? 0 : walks.pagingMissesL3Total(),
        walks == null ? 0 : walks.pageInvalidationsTotal(),
        walks == null ? 0 : walks.domainInvalidationsTotal(),
        receiver.acksTotal(),
        receiver.segmentsTotal(),
        recycled,
        mapped,
        unmapped,
        turns,
        busyPs);
  }

  /** {@return tables of last-level entries that receive pages' addresses lie in} */
  int leafTables() {
    return leafTables;
  }

  CongestionPreset preset() {
    return preset;
  }

  StridingNic nic() {
    return nic;
  }

  OpenLoop openLoop() {
    return openLoop;
  }

  DmaMapper mapper() {
    return mapper;
  }

  Senders senders() {
    return senders;
  }

  StreamReceiver receiver() {
    return receiver;
  }

  @Nullable IommuDriver system() {
    return system;
  }

  @Nullable Iommu iommu() {
    return iommu;
  }

  Host host() {
    return host;
  }
}
