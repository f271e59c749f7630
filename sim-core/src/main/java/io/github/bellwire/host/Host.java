package io.github.bellwire.host;

import static java.util.Objects.requireNonNull;

import io.github.bellwire.cache.CacheConfig;
import io.github.bellwire.cache.CacheHierarchy;
import io.github.bellwire.cache.CoherentCacheConfig;
import io.github.bellwire.cache.CoherentCacheHierarchy;
import io.github.bellwire.cache.CoreMemory;
import io.github.bellwire.cache.DeviceCachePort;
import io.github.bellwire.cache.DevicePortConfig;
import io.github.bellwire.cache.EmbeddedCacheConfig;
import io.github.bellwire.cache.EmbeddedCacheHierarchy;
import io.github.bellwire.cache.NumaConfig;
import io.github.bellwire.cache.SimpleCacheConfig;
import io.github.bellwire.cache.SimpleCacheHierarchy;
import io.github.bellwire.cpu.Core;
import io.github.bellwire.cpu.InterruptController;
import io.github.bellwire.cpu.MachinePorts;
import io.github.bellwire.cpu.SynchronousPort;
import io.github.bellwire.dma.BounceBufferPool;
import io.github.bellwire.dma.DmaConfig;
import io.github.bellwire.dma.DmaDevice;
import io.github.bellwire.dma.DmaMapper;
import io.github.bellwire.dma.MemoryZone;
import io.github.bellwire.dma.MemoryZones;
import io.github.bellwire.dma.PageAllocator;
import io.github.bellwire.dma.TranslationSource;
import io.github.bellwire.dma.check.DmaChecker;
import io.github.bellwire.kernel.RandomStream;
import io.github.bellwire.kernel.Simulation;
import io.github.bellwire.memory.CommitQueue;
import io.github.bellwire.memory.MemoryController;
import io.github.bellwire.memory.PhysicalMemory;
import io.github.bellwire.pcie.Bdf;
import io.github.bellwire.pcie.BusEnumerator;
import io.github.bellwire.pcie.DownstreamPort;
import io.github.bellwire.pcie.Endpoint;
import io.github.bellwire.pcie.EnumeratedFunction;
import io.github.bellwire.pcie.EnumerationConfig;
import io.github.bellwire.pcie.RemappingUnit;
import io.github.bellwire.pcie.RootComplex;
import io.github.bellwire.pcie.RootPort;
import io.github.bellwire.pcie.SlotConfig;
import io.github.bellwire.pcie.Switch;
import io.github.bellwire.pcie.SwitchConfig;
import io.github.bellwire.pcie.Translation;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A machine: plug devices in, {@linkplain #enumerate() enumerate}, and let host software run on its
 * cores. Everything on it shares one simulation and belongs to the thread that runs that.
 */
public final class Host {
  /** Linux's default size of the bounce buffer pool. */
  private static final int BOUNCE_POOL_BYTES = 64 << 20;

  /** To look through a group of slots and mark them: an assumption. */
  private static final int BOUNCE_SEARCH_CYCLES = 200;

  /**
   * The DMA state of a device, and what a checker calls it.
   *
   * @param device its DMA state
   * @param name what reports call it
   * @param requesterId its ID, if it is known
   */
  private record NamedDevice(DmaDevice device, String name, int requesterId) {}

  private final HostConfig config;
  private final Simulation simulation;
  private final PhysicalMemory memory;
  private final CommitQueue commits;
  private final CacheHierarchy caches;
  private final CoreMemory coreMemory;
  private final InterruptController interrupts;
  private final RootComplex rootComplex;
  private final List<Core> cores = new ArrayList<>();
  private final List<PageAllocator> pages = new ArrayList<>();
  private final BounceBufferPool bounceBuffers;
  private final List<NamedDevice> dmaDevices = new ArrayList<>();
  private final List<TranslationSource> translationSources = new ArrayList<>();
  private @Nullable DmaChecker checker;

  /**
   * Builds a machine without an IOMMU.
   *
   * @param config what it is made of
   * @param seed of its random streams
   */
  public Host(HostConfig config, long seed) {
    this(seed, requireNonNull(config, "config"), null);
  }

  /**
   * Builds a machine with an IOMMU.
   *
   * @param config what it is made of
   * @param seed of its random streams
   * @param remapping makes the IOMMU
   */
  public Host(HostConfig config, long seed, RemappingFactory remapping) {
    this(seed, requireNonNull(config, "config"), requireNonNull(remapping, "remapping"));
  }

  private Host(long seed, HostConfig config, @Nullable RemappingFactory remapping) {
    this.config = config;
    simulation = new Simulation(seed);
    memory = new PhysicalMemory(config.lowMemoryBytes(), config.highMemoryBytes());
    commits = new CommitQueue(simulation, memory);
    caches = newCaches(config, simulation, commits);
    interrupts = new InterruptController(simulation);
    RemappingUnit unit = remapping == null ? null : newUnit(remapping);
    rootComplex =
        new RootComplex(
            config.rootComplex(),
            simulation,
            memory,
            commits,
            caches,
            unit == null ? Translation.IDENTITY : unit,
            unit == null ? interrupts : unit);
    if (unit != null) {
      rootComplex.setIntegratedRegisters(unit.registers());
      unit.onAttached(rootComplex);
      if (unit instanceof TranslationSource source) {
        translationSources.add(source);
      }
    }
    coreMemory =
        caches instanceof EmbeddedCacheHierarchy embedded ? embedded : CoreMemory.coherent(memory);
    MachinePorts machine = new MachinePorts(simulation, coreMemory, commits, caches, rootComplex);
    for (int i = 0; i < config.coresCount(); i++) {
      cores.add(new Core(i, config.core(), machine));
    }
    for (int socket = 0; socket < config.cache().sockets(); socket++) {
      pages.add(new PageAllocator(zones(config, socket)));
    }
    long poolBytes = Long.highestOneBit(Math.min(BOUNCE_POOL_BYTES, config.lowMemoryBytes() / 4));
    bounceBuffers =
        new BounceBufferPool(
            simulation, pages(), (int) poolBytes, config.coresCount(), BOUNCE_SEARCH_CYCLES);
  }

  private RemappingUnit newUnit(RemappingFactory remapping) {
    DeviceCachePort walks = caches.devicePort(DevicePortConfig.DEFAULT);
    RemappingPorts ports =
        new RemappingPorts(simulation, commits, walks, config.cache().isCoherent(), interrupts);
    return requireNonNull(remapping.create(ports), "unit");
  }

  /**
   * Plugs a device into a new root port with the machine's kind of slot.
   *
   * @param endpoint the device, plugged in nowhere else
   * @return the port
   */
  public RootPort attach(Endpoint endpoint) {
    return attach(endpoint, DevicePortConfig.DEFAULT);
  }

  /**
   * Plugs a device into a new root port with the machine's kind of slot.
   *
   * @param endpoint the device, plugged in nowhere else
   * @param caching how the caches treat the port's requests
   * @return the port
   */
  public RootPort attach(Endpoint endpoint, DevicePortConfig caching) {
    return rootComplex.attach(endpoint, config.link(), caching);
  }

  /**
   * Plugs a switch into a new root port; devices are then plugged into the switch.
   *
   * @param switchConfig the switch and the link to it
   * @return the switch
   */
  public Switch attach(SwitchConfig switchConfig) {
    return rootComplex.attach(switchConfig);
  }

  /**
   * Makes a new root port a slot with the machine's kind of link; it is empty.
   *
   * @param slot what the slot can do
   * @return the port, into which devices can be put
   */
  public RootPort addSlot(SlotConfig slot) {
    return rootComplex.addSlot(slot, config.link());
  }

  /**
   * Does what firmware does after power-on: finds the devices and gives their BARs addresses at or
   * above 4 GiB where they are 64 bits wide. Bus mastering is left to the drivers.
   *
   * @return the devices in the order of attachment, those of a switch where the switch is
   */
  public List<EnumeratedFunction> enumerate() {
    return firmware().enumerate(rootComplex);
  }

  /**
   * Sets up the device that has been put into a slot while the machine runs.
   *
   * @param port the slot; its link is up
   * @return the device; none if the slot is empty
   */
  public List<EnumeratedFunction> enumerate(DownstreamPort port) {
    return firmware().enumerateSlot(rootComplex, port);
  }

  private BusEnumerator firmware() {
    return new BusEnumerator(
        EnumerationConfig.XEON
            .withMaxPayloadBytes(config.link().maxPayloadBytes())
            .withMaxReadRequestBytes(config.link().maxReadRequestBytes())
            .withRelaxedOrdering(config.link().requester().relaxedOrdering()));
  }

  /**
   * {@return a port for straight-line code on a core}
   *
   * @param coreIndex 0 to below the number of cores
   */
  public SynchronousPort synchronousPort(int coreIndex) {
    return new SynchronousPort(core(coreIndex));
  }

  /** {@return the DMA state of one more device that no IOMMU stands before} */
  public DmaDevice newDmaDevice() {
    return newDmaDevice(DmaMapper.IDENTITY);
  }

  /**
   * {@return the DMA state of one more device, with this machine's memory and bounce buffers}
   *
   * @param mapper what makes memory reachable for the device
   */
  public DmaDevice newDmaDevice(DmaMapper mapper) {
    return newDevice(mapper, "device " + dmaDevices.size(), DmaChecker.UNKNOWN_ID);
  }

  /**
   * {@return the DMA state of a device that is known by its place, with this machine's memory and
   * bounce buffers}
   *
   * @param mapper what makes memory reachable for the device
   * @param bdf the device
   */
  public DmaDevice newDmaDevice(DmaMapper mapper, Bdf bdf) {
    return newDevice(mapper, bdf.toString(), bdf.requesterId());
  }

  private DmaDevice newDevice(DmaMapper mapper, String name, int requesterId) {
    DmaDevice device =
        new DmaDevice(
            DmaConfig.LINUX_DEFAULT.withCoherent(config.cache().isCoherent()),
            pages(),
            mapper,
            bounceBuffers);
    dmaDevices.add(new NamedDevice(device, name, requesterId));
    if (checker != null) {
      checker.watch(device, name, requesterId);
    }
    return device;
  }

  /**
   * Names somebody who knows of translations; an IOMMU itself need not be named, its driver does
   * so.
   *
   * @param source tells the checker, if there is one or once there is
   */
  public void addTranslationSource(TranslationSource source) {
    translationSources.add(requireNonNull(source, "source"));
    if (checker != null) {
      source.listen(checker.translationListener());
    }
  }

  /**
   * Watches everything that has to do with DMA on this machine from now on. Simulated bytes and
   * times stay the same; real time does not.
   *
   * @return the checker; the same if there is one already
   * @throws IllegalStateException if something is mapped already
   */
  public DmaChecker attachChecker() {
    if (checker != null) {
      return checker;
    }
    DmaChecker newChecker = new DmaChecker(simulation, memory);
    for (NamedDevice named : dmaDevices) {
      newChecker.watch(named.device(), named.name(), named.requesterId());
    }
    for (Core core : cores) {
      core.listen(newChecker.cpuListener());
    }
    for (PageAllocator allocator : pages) {
      allocator.listen(newChecker.pageListener());
    }
    rootComplex.listen(newChecker.accessListener());
    for (TranslationSource source : translationSources) {
      source.listen(newChecker.translationListener());
    }
    checker = newChecker;
    return newChecker;
  }

  /** {@return who watches this machine, null if nobody does} */
  public @Nullable DmaChecker checker() {
    return checker;
  }

  /** {@return what it is made of} */
  public HostConfig config() {
    return config;
  }

  /** {@return the clock and the events} */
  public Simulation simulation() {
    return simulation;
  }

  /** {@return memory as of now, for tools and tests that look without taking time} */
  public PhysicalMemory memory() {
    return commits.memory();
  }

  /** {@return the bytes that cores see as of now, for tools that look without taking time} */
  public CoreMemory coreMemory() {
    commits.settle(simulation.nowPs());
    return coreMemory;
  }

  /**
   * {@return a core}
   *
   * @param index 0 to below the number of cores
   */
  public Core core(int index) {
    return cores.get(index);
  }

  /** {@return the caches} */
  public CacheHierarchy caches() {
    return caches;
  }

  /** {@return where interrupt messages go} */
  public InterruptController interrupts() {
    return interrupts;
  }

  /** {@return the root complex with its ports} */
  public RootComplex rootComplex() {
    return rootComplex;
  }

  /** {@return physical pages for drivers, of the first socket} */
  public PageAllocator pages() {
    return pages(0);
  }

  /**
   * {@return physical pages of one socket}
   *
   * @param socket 0 to below the number of sockets
   */
  public PageAllocator pages(int socket) {
    return pages.get(socket);
  }

  /** {@return the bounce buffers that devices with narrow addresses share} */
  public BounceBufferPool bounceBuffers() {
    return bounceBuffers;
  }

  private static MemoryZones zones(HostConfig config, int socket) {
    NumaConfig numa = config.cache().numa();
    if (numa.sockets() == 1) {
      return MemoryZones.ofRam(config.lowMemoryBytes(), config.highMemoryBytes());
    }
    long firstBytes = numa.secondSocketPa() - MemoryZones.NORMAL_BASE;
    return socket == 0
        ? MemoryZones.ofRam(config.lowMemoryBytes(), firstBytes)
        : new MemoryZones(
            MemoryZone.NONE,
            new MemoryZone(numa.secondSocketPa(), config.highMemoryBytes() - firstBytes));
  }

  private static CacheHierarchy newCaches(
      HostConfig config, Simulation simulation, CommitQueue commits) {
    CacheConfig cache = config.cache();
    List<MemoryController> controllers = new ArrayList<>();
    for (int i = 0; i < cache.sockets(); i++) {
      controllers.add(config.memory().newController());
    }
    int cores = config.coresCount();
    RandomStream random = simulation.randomStream("caches");
    if (cache instanceof CoherentCacheConfig coherent) {
      return new CoherentCacheHierarchy(coherent, cores, controllers, random);
    }
    if (cache instanceof EmbeddedCacheConfig embedded) {
      return new EmbeddedCacheHierarchy(embedded, commits, controllers.get(0), random);
    }
    return new SimpleCacheHierarchy((SimpleCacheConfig) cache, cores, controllers.get(0));
  }
}
