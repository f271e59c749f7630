package io.github.bellwire.iommu.queue;

import static java.util.Objects.requireNonNull;

import io.github.bellwire.host.RemappingPorts;
import io.github.bellwire.kernel.FifoServer;
import io.github.bellwire.memory.LittleEndian;
import io.github.bellwire.memory.PhysicalMemory;

/**
 * A ring of commands of 16 bytes in memory that software fills behind the tail and a unit works off
 * at the head, as AMD-Vi and SMMUv3 have it.
 *
 * <pre>{@code
 * tail written --> line fetched --> command decoded, sent off --> next
 *                   (caches)             |
 *                                        '--> acknowledged later --> completion command waits
 * }</pre>
 *
 * <p>Passive: a tail write finds out at once when each command will be done. Positions count
 * entries, modulo a power of two that the kind of unit chooses.
 */
public abstract class CommandRing {
  /** Bytes of a command. */
  protected static final int COMMAND_BYTES = 16;

  private static final int LINE_SHIFT = 6;
  private static final int LINE_BYTES = 1 << LINE_SHIFT;
  private static final long NO_LINE = -1;

  private final RemappingPorts ports;
  private final CommandConfig config;
  private final DeviceTlbs deviceTlbs;
  private final FifoServer worker;
  private final TimedRing consumed = new TimedRing();
  private final byte[] bytes = new byte[Long.BYTES];

  private boolean isEnabled;
  private boolean isStopped;
  private long basePa;
  private int slotsMask;
  private int positionsMask;
  private int head;
  private int visibleHead;
  private int tail;
  private long fetchedLine = NO_LINE;
  private long acknowledgedPs;

  private long commandsTotal;
  private long errorsTotal;
  private long timeoutsTotal;
  private long busyPsTotal;

  /**
   * Creates a ring that is off.
   *
   * @param config what it takes
   * @param ports the machine
   * @param deviceTlbs caches of devices
   */
  protected CommandRing(CommandConfig config, RemappingPorts ports, DeviceTlbs deviceTlbs) {
    this.config = requireNonNull(config, "config");
    this.ports = requireNonNull(ports, "ports");
    this.deviceTlbs = requireNonNull(deviceTlbs, "deviceTlbs");
    worker = new FifoServer(ports.simulation());
  }

  /**
   * Does what a command says, or {@link #stop}s.
   *
   * @param word0 of the command
   * @param word1 of the command
   * @param pa where it is
   * @param atPs when it has been decoded, in picoseconds
   * @return when the next one may be looked at
   */
  protected abstract long execute(long word0, long word1, long pa, long atPs);

  /**
   * The commands are not in memory.
   *
   * @param pa where they should be
   * @param atPs when that is found out, in picoseconds
   */
  protected abstract void onUnreadable(long pa, long atPs);

  /**
   * Sets where the ring is.
   *
   * @param newBasePa first byte
   * @param slotsCount entries, a power of two
   * @param positionsCount of head and tail, a power of two, at least as many
   */
  public final void setUp(long newBasePa, int slotsCount, int positionsCount) {
    basePa = newBasePa;
    slotsMask = slotsCount - 1;
    positionsMask = positionsCount - 1;
  }

  /**
   * Switches it on or off.
   *
   * @param newIsEnabled false to begin with
   * @param atPs when, in picoseconds
   */
  public final void setEnabled(boolean newIsEnabled, long atPs) {
    isEnabled = newIsEnabled;
    isStopped = false;
    work(atPs);
  }

  /** {@return whether it works on commands} */
  public final boolean isRunning() {
    return isEnabled && !isStopped;
  }

  /**
   * Sets where the unit reads next; software does so while the ring is off.
   *
   * @param position any
   */
  public final void setHead(int position) {
    head = position & positionsMask;
    visibleHead = head;
    consumed.clear();
  }

  /**
   * {@return the position of the first command that has not been taken}
   *
   * @param atPs when somebody looks, in picoseconds
   */
  public final int head(long atPs) {
    while (consumed.nextPs() <= atPs) {
      consumed.remove();
      visibleHead = visibleHead + 1 & positionsMask;
    }
    return visibleHead;
  }

  /** {@return the position behind the last command} */
  public final int tail() {
    return tail;
  }

  /**
   * Software has written commands.
   *
   * @param position behind the last one
   * @param atPs when, in picoseconds
   */
  public final void writeTail(int position, long atPs) {
    head(atPs); // So that what is done is not kept until somebody asks for it.
    tail = position & positionsMask;
    work(atPs);
  }

  /**
   * Goes on behind an error.
   *
   * @param atPs when, in picoseconds
   */
  public final void resume(long atPs) {
    isStopped = false;
    work(atPs);
  }

  private void work(long atPs) {
    if (!isRunning() || head == tail) {
      return;
    }
    long startPs = worker.enter(atPs, 0);
    long readyPs = startPs;
    fetchedLine = NO_LINE; // Software may have written to it since.
    while (head != tail && !isStopped) {
      readyPs = workOnHead(readyPs);
    }
    busyPsTotal += readyPs - startPs;
    worker.leave(readyPs);
  }

  private long workOnHead(long startPs) {
    long pa = basePa + (long) (head & slotsMask) * COMMAND_BYTES;
    PhysicalMemory memory = ports.commits().memory();
    if (!memory.contains(pa, COMMAND_BYTES)) {
      stop();
      onUnreadable(pa, startPs);
      return startPs;
    }
    long decodedPs = fetch(pa, startPs) + config.commandPs();
    long word0 = memory.getLong(pa);
    long nextPs = execute(word0, memory.getLong(pa + Long.BYTES), pa, decodedPs);
    if (!isStopped) {
      commandsTotal++;
      head = head + 1 & positionsMask;
      consumed.add(nextPs, 0, 0);
    }
    return nextPs;
  }

  private long fetch(long pa, long atPs) {
    long line = pa >>> LINE_SHIFT;
    if (line == fetchedLine) {
      return atPs;
    }
    fetchedLine = line;
    return ports.caches().read(line << LINE_SHIFT, LINE_BYTES, false, atPs);
  }

  /** The command makes no sense: the ring stops in front of it. */
  protected final void stop() {
    isStopped = true;
    errorsTotal++;
  }

  /**
   * {@return when translations are forgotten; a completion command waits for it}
   *
   * @param atPs when the command was decoded, in picoseconds
   */
  protected final long forgetTranslations(long atPs) {
    return acknowledge(atPs + config.translationPs());
  }

  /**
   * {@return when the configuration of a device is forgotten; a completion command waits for it}
   *
   * @param atPs when the command was decoded, in picoseconds
   */
  protected final long forgetConfiguration(long atPs) {
    return acknowledge(atPs + config.configurationPs());
  }

  private long acknowledge(long atPs) {
    acknowledgedPs = Math.max(acknowledgedPs, atPs);
    return atPs;
  }

  /**
   * {@return when all commands before this one have taken effect}
   *
   * @param atPs when the completion command was decoded, in picoseconds
   */
  protected final long synchronize(long atPs) {
    return Math.max(atPs, acknowledgedPs) + config.syncPs();
  }

  /**
   * Asks a device to forget translations; a completion command waits for its answer.
   *
   * @param requesterId of the device
   * @param pasid process address space, or none
   * @param iova first byte, a multiple of the size
   * @param sizeBytes a power of two from 4 KiB on
   * @param atPs when, in picoseconds
   * @return when the device is given up, or -1 if it answers in time
   */
  protected final long askDevice(int requesterId, int pasid, long iova, long sizeBytes, long atPs) {
    long answeredPs = deviceTlbs.invalidate(requesterId, pasid, iova, sizeBytes, atPs);
    long deadlinePs = atPs + config.deviceTlbTimeoutPs();
    if (answeredPs >= 0 && answeredPs <= deadlinePs) {
      acknowledge(answeredPs);
      return -1;
    }
    timeoutsTotal++;
    return acknowledge(deadlinePs);
  }

  /**
   * Writes to memory, if there is any.
   *
   * @param pa first byte
   * @param value little endian
   * @param lengthBytes 4 or 8
   * @param atPs when, in picoseconds
   * @return when it can be seen
   */
  protected final long write(long pa, long value, int lengthBytes, long atPs) {
    if (!ports.commits().memory().contains(pa, lengthBytes)) {
      return atPs;
    }
    LittleEndian.put(bytes, 0, lengthBytes, value);
    long visiblePs = ports.caches().write(pa, lengthBytes, false, atPs);
    ports.commits().add(pa, bytes, 0, lengthBytes, visiblePs);
    return visiblePs;
  }

  /** {@return commands that have been worked on} */
  public final long commandsTotal() {
    return commandsTotal;
  }

  /** {@return how often the ring has stopped} */
  public final long errorsTotal() {
    return errorsTotal;
  }

  /** {@return invalidations that a device did not answer in time} */
  public final long timeoutsTotal() {
    return timeoutsTotal;
  }

  /** {@return how long it has been at work, in picoseconds} */
  public final long busyPsTotal() {
    return busyPsTotal;
  }
}
