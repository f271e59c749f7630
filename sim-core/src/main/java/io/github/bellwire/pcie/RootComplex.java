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
 * Confined to the simulation thread.
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

  private static final int PORTS_MAX = 32;

  private final RootComplexConfig config;
  private final Simulation simulation;
  private final PhysicalMemory memory;
  private final CommitQueue commits;
  private final CacheHierarchy caches;
  private final Translation translation;
  private final InterruptSink interrupts;
  private final @Nullable IdleStates idleStates;
  private @Nullable IntegratedRegisters integrated;
  private final List<RootPort> ports = new ArrayList<>();
  private final List<DownstreamPort> occupiedPorts = new ArrayList<>();
  private final Changes changes = new Changes();
  private final Ecam ecam = new Ecam(this);
  private final ErrorReporter errorReporter;
  private int reservedBusesCount;
  private long unclaimedAccessesTotal;
  private @Nullable DmaAccessListener accessListener;

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
    errorReporter = new ErrorReporter(simulation);
    this.memory = requireNonNull(memory, "memory");
    this.commits = requireNonNull(commits, "commits");
    this.caches = requireNonNull(caches, "caches");
    this.translation = requireNonNull(translation, "translation");
    this.interrupts = requireNonNull(interrupts, "interrupts");
    IdleStatesConfig idle = config.idleStates();
    idleStates =
        idle.states().isEmpty()
            ? null
            : new IdleStates(idle, simulation.randomStream("rootComplex.idleStates"));
  }

  /** {@return what a request may wait for when it arrives; null if nothing ever sleeps} */
  @Nullable IdleStates idleStates() {
    return idleStates;
  }

  /**
   * Plugs an endpoint into a new root port. Until software numbers the buses, the port's secondary
   * bus is the next that is free, so that the endpoint is function 0 of device 0 there.
   *
   * @param endpoint the device
   * @param link the link to it
   * @return the port
   * @throws IllegalStateException if there are 32 ports already
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
   * @throws IllegalStateException if there are 32 ports already
   */
  public RootPort attach(Endpoint endpoint, PcieLinkConfig link, DevicePortConfig caching) {
    RootPort port = newPort(link, caching, null);
    port.plug(endpoint);
    return port;
  }

  /**
   * Plugs a switch into a new root port.
   *
   * @param switchConfig the switch and the link to it
   * @return the switch
   * @throws IllegalStateException if there are 32 ports already
   */
  public Switch attach(SwitchConfig switchConfig) {
    return attach(switchConfig, DevicePortConfig.DEFAULT);
  }

  /**
   * Plugs a switch into a new root port, as above.
   *
   * @param switchConfig the switch and the link to it
   * @param caching how the caches treat the requests of all devices behind it
   * @return the switch
   * @throws IllegalStateException if there are 32 ports already
   */
  public Switch attach(SwitchConfig switchConfig, DevicePortConfig caching) {
    RootPort port = newPort(switchConfig.upstreamLink().withCompletionTurnBytes(0), caching, null);
    Switch newSwitch = new Switch(this, switchConfig, port);
    port.plug(newSwitch);
    return newSwitch;
  }

  /**
   * Makes a new root port a slot, which is empty.
   *
   * @param slot what the slot can do
   * @param link the link to what will be in it
   * @return the port
   * @throws IllegalStateException if there are 32 ports already
   */
  public RootPort addSlot(SlotConfig slot, PcieLinkConfig link) {
    return newPort(link, DevicePortConfig.DEFAULT, requireNonNull(slot, "slot"));
  }

  private RootPort newPort(
      PcieLinkConfig link, DevicePortConfig caching, @Nullable SlotConfig slot) {
    if (ports.size() == PORTS_MAX) {
      throw new IllegalStateException("all ports are taken: ports=" + PORTS_MAX);
    }
    RootPort port = new RootPort(this, ports.size(), link, caches.devicePort(caching), slot);
    ports.add(port);
    return port;
  }

  /**
   * Gives the root complex registers of its own.
   *
   * @param registers that no BAR overlaps
   * @throws IllegalStateException if it has some already
   */
  public void setIntegratedRegisters(IntegratedRegisters registers) {
    if (integrated != null) {
      throw new IllegalStateException("there are integrated registers already");
    }
    integrated = requireNonNull(registers, "registers");
  }

  /** {@return the integrated registers that an access hits, or null} */
  private @Nullable IntegratedRegisters integratedAt(long address, int sizeBytes) {
    IntegratedRegisters registers = integrated;
    if (registers == null) {
      return null;
    }
    long offset = address - registers.baseAddress();
    return offset >= 0 && offset <= registers.sizeBytes() - sizeBytes ? registers : null;
  }

  /** {@return all ports, in the order of attachment} */
  public List<RootPort> ports() {
    return Collections.unmodifiableList(ports);
  }

  /** {@return software's way to all configuration spaces} */
  public Ecam ecam() {
    return ecam;
  }

  /** {@return the port above the function that an address is routed to, or null} */
  private @Nullable DownstreamPort portAt(long address) {
    for (int i = 0; i < ports.size(); i++) {
      DownstreamPort port = ports.get(i).portAt(address);
      if (port != null) {
        return port;
      }
    }
    return null;
  }

  /** {@return the port above the peer that a request is forwarded to; null if it is not} */
  @Nullable DownstreamPort peerAt(long pa) {
    return config.peerToPeer() == RootComplexConfig.PeerToPeer.FORWARDED ? portAt(pa) : null;
  }

  /** {@return the function with an ID, or null} */
  @Nullable ConfigSpace functionAt(int bus, int device, int function) {
    if (bus == 0) {
      return device < ports.size() && function == 0 ? ports.get(device).configSpace() : null;
    }
    for (RootPort port : ports) {
      if (port.configSpace().bridge().hasBus(bus)) {
        return port.functionAt(bus, device, function);
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
    DownstreamPort port = portAt(address);
    if (port == null) {
      writeIntegrated(address, sizeBytes, value, atPs);
      return 0;
    }
    tellRegisterWrite(port, atPs);
    return port.requests().mmioWrite(address, sizeBytes, value, atPs + config.downstreamPs());
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
    DownstreamPort port = portAt(address);
    if (port == null) {
      unclaimedAccessesTotal++;
      return 0;
    }
    tellRegisterWrite(port, atPs);
    return port.requests()
        .mmioWrite(address, source, offset, lengthBytes, atPs + config.downstreamPs());
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
    DownstreamPort port = portAt(address);
    if (port == null) {
      readIntegrated(address, sizeBytes, atPs, result);
      return;
    }
    port.requests().mmioRead(address, sizeBytes, atPs + config.downstreamPs(), result);
    tellRegisterRead(port, result.donePs());
  }

  private void tellRegisterWrite(DownstreamPort port, long atPs) {
    if (accessListener != null) {
      accessListener.onRegisterWrite(port.requesterId(), atPs);
    }
  }

  private void tellRegisterRead(DownstreamPort port, long atPs) {
    if (accessListener != null) {
      accessListener.onRegisterRead(port.requesterId(), atPs);
    }
  }

  private void writeIntegrated(long address, int sizeBytes, long value, long atPs) {
    IntegratedRegisters registers = integratedAt(address, sizeBytes);
    if (registers == null) {
      unclaimedAccessesTotal++;
    } else {
      int offset = (int) (address - registers.baseAddress());
      registers.write(offset, sizeBytes, value, atPs + config.downstreamPs());
    }
  }

  private void readIntegrated(long address, int sizeBytes, long atPs, MmioResult result) {
    IntegratedRegisters registers = integratedAt(address, sizeBytes);
    long arrivalPs = atPs + config.downstreamPs();
    long value = allOnes(sizeBytes);
    if (registers == null) {
      unclaimedAccessesTotal++;
    } else {
      int offset = (int) (address - registers.baseAddress());
      value = registers.read(offset, sizeBytes, arrivalPs);
    }
    result.answer(value, arrivalPs + config.upstreamPs());
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
    DownstreamPort port = portAt(address);
    long readyPs = atPs + config.downstreamPs();
    return port == null ? readyPs : port.requests().sendRead(null, address, readyPs);
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
    DownstreamPort port = portAt(address);
    if (port == null) {
      unclaimedAccessesTotal++;
      Arrays.fill(destination, offset, offset + lengthBytes, (byte) 0xff);
      return arrivalPs + config.upstreamPs();
    }
    long donePs = port.requests().answerRead(address, destination, offset, lengthBytes, arrivalPs);
    tellRegisterRead(port, donePs);
    return donePs;
  }

  /**
   * Tells somebody of every request of a device that arrives here, from now on.
   *
   * @param newListener replaces who was told before
   */
  public void listen(DmaAccessListener newListener) {
    accessListener = requireNonNull(newListener, "newListener");
    changes.add();
  }

  /** {@return whether anybody is told of requests} */
  boolean isHeard() {
    return accessListener != null;
  }

  /** {@return who is told of requests, or null} */
  @Nullable DmaAccessListener accessListener() {
    return accessListener;
  }

  /** {@return accesses that were routed to no BAR, of cores and peers} */
  public long unclaimedAccessesTotal() {
    return unclaimedAccessesTotal;
  }

  /** {@return whether several requesters are active} */
  boolean isShared() {
    return horizonPs() != HORIZON_ALONE_PS;
  }

  /** {@return how far a requester may run ahead of the clock now} */
  long horizonPs() {
    if (occupiedPorts.size() <= 1) {
      return HORIZON_ALONE_PS;
    }
    int requesters = 0;
    for (int i = 0; i < occupiedPorts.size(); i++) {
      requesters += occupiedPorts.get(i).endpoint().configSpace().isBusMasterEnabled() ? 1 : 0;
    }
    return requesters <= 1 ? HORIZON_ALONE_PS : HORIZON_SHARED_PS;
  }

  void addOccupied(DownstreamPort port) {
    occupiedPorts.add(port);
  }

  /** Takes a port out whose device has gone, with everything of it that had not left. */
  void removeOccupied(DownstreamPort port, DmaPort device, long nowPs) {
    occupiedPorts.remove(port);
    commits.drop(device, nowPs);
    for (DownstreamPort other : occupiedPorts) {
      other.dropRequestsOf(device, nowPs);
    }
  }

  ErrorReporter errorReporter() {
    return errorReporter;
  }

  /**
   * {@return the port whose link leads to an endpoint}
   *
   * @param bdf the endpoint's address in configuration space
   * @throws IllegalArgumentException if there is no such endpoint
   */
  public DownstreamPort portOf(Bdf bdf) {
    for (DownstreamPort port : occupiedPorts) {
      if (port.bdf().equals(bdf)) {
        return port;
      }
    }
    throw new IllegalArgumentException("bdf must be that of an endpoint: bdf=" + bdf);
  }

  /**
   * Makes translations invalid that a function keeps: an ATS invalidate request down to it, its
   * completion back, which pushes the function's writes ahead of it. At most 32 are outstanding per
   * function; more wait.
   *
   * @param requesterId of the function, see {@link Bdf#requesterId()}
   * @param pasid the process address space, or {@link TranslationRequest#NO_PASID}
   * @param iova first byte, a multiple of {@code sizeBytes}
   * @param sizeBytes a power of two, at least 4096
   * @param atPs when the unit issues the request, not before the current time
   * @return when the completion has arrived; -1 if there never will be one: there is no such
   *     function, or it does not answer
   */
  public long invalidateDeviceTlb(
      int requesterId, int pasid, long iova, long sizeBytes, long atPs) {
    if (sizeBytes < 4096 || Long.bitCount(sizeBytes) != 1 || (iova & sizeBytes - 1) != 0) {
      throw new IllegalArgumentException(
          "sizeBytes must be a power of two from 4096 on that divides iova: sizeBytes="
              + sizeBytes
              + ", iova=0x"
              + Long.toHexString(iova));
    }
    AtsMessages messages = atsMessages(requesterId);
    return messages == null
        ? -1
        : messages.invalidate(pasid, iova, sizeBytes, atPs + config.downstreamPs());
  }

  /**
   * Answers a group of page requests of a function (PRG response).
   *
   * @param requesterId of the function, see {@link Bdf#requesterId()}
   * @param pasid as in the requests
   * @param groupIndex as in the requests
   * @param response 0 success, 1 invalid request, 15 failure
   * @param atPs when the unit issues the response, not before the current time
   * @return when it is at the function; -1 if there is no such function
   */
  public long respondToPageRequest(
      int requesterId, int pasid, int groupIndex, int response, long atPs) {
    AtsMessages messages = atsMessages(requesterId);
    return messages == null
        ? -1
        : messages.respond(pasid, groupIndex, response, atPs + config.downstreamPs());
  }

  /** A page request message has arrived; without a unit that listens nobody answers. */
  void receivePageRequest(
      int requesterId,
      int pasid,
      long iova,
      boolean isRead,
      boolean isWrite,
      boolean isLast,
      int groupIndex,
      long atPs) {
    if (translation instanceof RemappingUnit unit) {
      unit.onPageRequest(requesterId, pasid, iova, isRead, isWrite, isLast, groupIndex, atPs);
    }
  }

  /** {@return the way of messages to a function; null if there is no such function} */
  private @Nullable AtsMessages atsMessages(int requesterId) {
    for (int i = 0; i < occupiedPorts.size(); i++) {
      DownstreamPort port = occupiedPorts.get(i);
      if (port.requesterId() == requesterId) {
        return port.atsMessages();
      }
    }
    return null;
  }

  void countUnclaimed() {
    unclaimedAccessesTotal++;
  }

  /** {@return the next bus number that nobody has, for use until software numbers the buses} */
  int reserveBus() {
    return ++reservedBusesCount;
  }

  /** {@return what happens to the fabric} */
  Changes changes() {
    return changes;
  }

  Simulation simulation() {
    return simulation;
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
