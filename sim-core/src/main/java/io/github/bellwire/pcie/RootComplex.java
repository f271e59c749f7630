package io.github.bellwire.pcie;

import static java.util.Objects.requireNonNull;

import io.github.bellwire.cache.CacheHierarchy;
import io.github.bellwire.cache.DevicePortConfig;
import io.github.bellwire.kernel.Simulation;
import io.github.bellwire.memory.CommitQueue;
import io.github.bellwire.memory.PhysicalMemory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Joins the fabric to memory and cores: takes device requests through translation to the caches or
 * the interrupt controller, and core accesses to the port whose BAR they hit.
 *
 * <p>A request that nobody answers is data: reads return all ones, writes vanish, a counter tells.
 * Not modelled: peer-to-peer between ports. Confined to the simulation thread.
 */
public final class RootComplex {
  /** Memory writes to this range, 1 MiB from here, are interrupt messages (as on x86 hosts). */
  public static final long INTERRUPT_BASE = 0xFEE0_0000L;

  private static final int INTERRUPT_RANGE_SHIFT = 20;

  /**
   * How far one of several requesters may run ahead: a neighbour's mean latency stays within 2 %.
   */
  private static final long HORIZON_SHARED_PS = 50_000;

  private static final long HORIZON_ALONE_PS = Long.MAX_VALUE;

  private final RootComplexConfig config;
  private final Simulation simulation;
  private final PhysicalMemory memory;
  private final CommitQueue commits;
  private final CacheHierarchy caches;
  private final Translation translation;
  private final InterruptSink interrupts;
  private final List<RootPort> ports = new ArrayList<>();
  private long unclaimedAccessesTotal;

  /**
   * Creates a root complex without ports.
   *
   * @param config delays
   * @param simulation the clock
   * @param memory the bytes
   * @param commits device writes on their way
   * @param caches the time that memory takes
   * @param translation what device addresses mean
   * @param interrupts where interrupt messages go
   */
  public RootComplex(
      RootComplexConfig config,
      Simulation simulation,
      PhysicalMemory memory,
      CommitQueue commits,
      CacheHierarchy caches,
      Translation translation,
      InterruptSink interrupts) {
    this.config = requireNonNull(config, "config");
    this.simulation = requireNonNull(simulation, "simulation");
    this.memory = requireNonNull(memory, "memory");
    this.commits = requireNonNull(commits, "commits");
    this.caches = requireNonNull(caches, "caches");
    this.translation = requireNonNull(translation, "translation");
    this.interrupts = requireNonNull(interrupts, "interrupts");
  }

  /**
   * Plugs an endpoint into a new root port. The port's secondary bus is the number of ports so far
   * plus one, so the endpoint is function 0 of device 0 on that bus.
   *
   * @param endpoint the device
   * @param link the link to it
   * @return the port
   */
  public RootPort attach(Endpoint endpoint, PcieLinkConfig link) {
    return attach(endpoint, link, DevicePortConfig.DEFAULT);
  }

  /**
   * Plugs an endpoint into a new root port, as above.
   *
   * @param endpoint the device
   * @param link the link to it
   * @param caching how the caches treat its requests
   * @return the port
   */
  public RootPort attach(Endpoint endpoint, PcieLinkConfig link, DevicePortConfig caching) {
    Bdf bdf = new Bdf(ports.size() + 1, 0, 0);
    RootPort port = new RootPort(this, simulation, endpoint, link, caches.devicePort(caching), bdf);
    ports.add(port);
    return port;
  }

  /** {@return all ports, in the order of attachment} */
  public List<RootPort> ports() {
    return Collections.unmodifiableList(ports);
  }

  /** {@return the port whose endpoint claims an address, or null} */
  private @Nullable RootPort portAt(long address) {
    for (int i = 0; i < ports.size(); i++) {
      RootPort port = ports.get(i);
      if (port.endpoint().configSpace().barIndexAt(address) >= 0) {
        return port;
      }
    }
    return null;
  }

  /**
   * A core writes to a device: posted.
   *
   * @param address host physical address
   * @param sizeBytes 1, 2, 4 or 8
   * @param value little endian in the low bytes
   * @param atPs when the store leaves the core, not before the current time
   * @return how long the port took to send it: waiting for the link and sending, in picoseconds; 0
   *     when nobody answers
   */
  public long mmioWrite(long address, int sizeBytes, long value, long atPs) {
    RootPort port = portAt(address);
    if (port == null) {
      unclaimedAccessesTotal++;
      return 0;
    }
    return port.mmioWrite(address, sizeBytes, value, atPs + config.downstreamPs());
  }

  /**
   * A core writes up to a cache line to a device by one memory write request: posted.
   *
   * @param address host physical address of the first byte
   * @param source the bytes, copied before the call returns
   * @param offset first index in {@code source}
   * @param lengthBytes 1..64, not across a multiple of 64
   * @param atPs as in {@link #mmioWrite(long, int, long, long)}
   * @return as in {@link #mmioWrite(long, int, long, long)}
   */
  public long mmioWrite(long address, byte[] source, int offset, int lengthBytes, long atPs) {
    MmioBlock.require(address, lengthBytes);
    RootPort port = portAt(address);
    if (port == null) {
      unclaimedAccessesTotal++;
      return 0;
    }
    return port.mmioWrite(address, source, offset, lengthBytes, atPs + config.downstreamPs());
  }

  /**
   * A core reads from a device. Lets simulated time run until the request has reached the device,
   * behind all posted writes before it.
   *
   * @param address host physical address
   * @param sizeBytes 1, 2, 4 or 8
   * @param atPs when the load leaves the core, not before the current time
   * @param result receives the value, all ones when nobody answers, and when it is at the core
   */
  public void mmioRead(long address, int sizeBytes, long atPs, MmioResult result) {
    RootPort port = portAt(address);
    if (port == null) {
      unclaimedAccessesTotal++;
      result.answer(allOnes(sizeBytes), atPs + config.downstreamPs() + config.upstreamPs());
      return;
    }
    port.mmioRead(address, sizeBytes, atPs + config.downstreamPs(), result);
    result.answer(result.value(), toCore(port, result.donePs()));
  }

  /** Returns when a completion is at the core: it pushes the device's posted writes ahead. */
  private long toCore(RootPort port, long arrivalPs) {
    return Math.max(arrivalPs + config.upstreamPs(), port.committedPs(arrivalPs));
  }

  /**
   * A core asks a device for up to a cache line, and goes on: several requests may be under way.
   * The answer is had by {@link #answerRead}, in the order of the requests.
   *
   * @param address host physical address
   * @param atPs when the load leaves the core, not before the current time
   * @return when the request is at the device, or where it is found that nobody answers
   */
  public long sendRead(long address, long atPs) {
    RootPort port = portAt(address);
    long readyPs = atPs + config.downstreamPs();
    return port == null ? readyPs : port.sendRead(address, readyPs);
  }

  /**
   * Lets simulated time run until a request has reached the device, and answers it.
   *
   * @param address as in {@link #sendRead}
   * @param destination receives the bytes, all ones when nobody answers
   * @param offset first index in {@code destination}
   * @param lengthBytes 1..64, not across a multiple of 64
   * @param arrivalPs what {@link #sendRead} returned
   * @return when the bytes are at the core
   */
  public long answerRead(
      long address, byte[] destination, int offset, int lengthBytes, long arrivalPs) {
    MmioBlock.require(address, lengthBytes);
    RootPort port = portAt(address);
    if (port == null) {
      unclaimedAccessesTotal++;
      Arrays.fill(destination, offset, offset + lengthBytes, (byte) 0xff);
      return arrivalPs + config.upstreamPs();
    }
    return toCore(port, port.answerRead(address, destination, offset, lengthBytes, arrivalPs));
  }

  /** {@return core accesses that hit no BAR} */
  public long unclaimedAccessesTotal() {
    return unclaimedAccessesTotal;
  }

  /** {@return how far a requester may run ahead of the clock now} */
  long horizonPs() {
    if (ports.size() <= 1) {
      return HORIZON_ALONE_PS;
    }
    int requesters = 0;
    for (int i = 0; i < ports.size(); i++) {
      requesters += ports.get(i).endpoint().configSpace().isBusMasterEnabled() ? 1 : 0;
    }
    return requesters <= 1 ? HORIZON_ALONE_PS : HORIZON_SHARED_PS;
  }

  Translation translation() {
    return translation;
  }

  RootComplexConfig config() {
    return config;
  }

  PhysicalMemory memory() {
    return memory;
  }

  CommitQueue commits() {
    return commits;
  }

  InterruptSink interrupts() {
    return interrupts;
  }

  static boolean isInterruptAddress(long pa) {
    return pa >>> INTERRUPT_RANGE_SHIFT == INTERRUPT_BASE >>> INTERRUPT_RANGE_SHIFT;
  }

  static long allOnes(int sizeBytes) {
    return -1L >>> Long.SIZE - sizeBytes * Byte.SIZE;
  }
}
