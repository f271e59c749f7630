package io.github.bellwire.pcie;

import io.github.bellwire.cache.FixedCaches;
import io.github.bellwire.kernel.Simulation;
import io.github.bellwire.memory.CommitQueue;
import io.github.bellwire.memory.PhysicalMemory;
import java.util.ArrayList;
import java.util.List;

/**
 * A root complex with memory behind it, for tests: 16 MiB from address 0, 16 MiB from 4 GiB, caches
 * of fixed latency, and interrupt messages in a list. Devices are plugged in ready for use.
 */
public final class TestFabric {
  /** BAR 0 of the first device; the next devices follow at distances of 1 MiB. */
  public static final long BAR = 0x40_0000_0000L;

  /** Where the upper half of memory begins. */
  public static final long HIGH = PhysicalMemory.HIGH_BASE;

  private static final long MEMORY_BYTES = 16 << 20;
  private static final long BAR_DISTANCE_BYTES = 1 << 20;

  /** Where ports take 32-bit addresses, at the same distances. */
  private static final long LOW_WINDOW = 0xE000_0000L;

  /** The clock. */
  public final Simulation simulation;

  /** The bytes. */
  public final PhysicalMemory memory = new PhysicalMemory(MEMORY_BYTES, MEMORY_BYTES);

  /** Device writes on their way. */
  public final CommitQueue commits;

  /** What memory costs; nothing at first. */
  public final FixedCaches caches = new FixedCaches();

  /** Interrupt messages in the order in which they were sent. */
  public final List<Message> messages = new ArrayList<>();

  /** What is tested. */
  public final RootComplex rootComplex;

  private InterruptSink interrupts =
      (requesterId, address, data, atPs) ->
          messages.add(new Message(requesterId, address, data, atPs));

  /**
   * An interrupt message.
   *
   * @param requesterId who sent it
   * @param address where to
   * @param data what
   * @param atPs when it arrives
   */
  public record Message(int requesterId, long address, int data, long atPs) {}

  /** Creates a fabric without delays in the root complex and without translation. */
  public TestFabric() {
    this(RootComplexConfig.IDEAL, Translation.IDENTITY);
  }

  /**
   * Creates a fabric without delays in the root complex and without translation.
   *
   * @param seed of the random streams
   */
  public TestFabric(long seed) {
    this(RootComplexConfig.IDEAL, Translation.IDENTITY, seed);
  }

  /**
   * Creates a fabric.
   *
   * @param config delays of the root complex
   * @param translation what device addresses mean
   */
  public TestFabric(RootComplexConfig config, Translation translation) {
    this(config, translation, 1);
  }

  private TestFabric(RootComplexConfig config, Translation translation, long seed) {
    simulation = new Simulation(seed);
    commits = new CommitQueue(simulation, memory);
    InterruptSink toSink =
        (requesterId, address, data, atPs) ->
            interrupts.onMessage(requesterId, address, data, atPs);
    rootComplex = new RootComplex(config, simulation, memory, commits, caches, translation, toSink);
  }

  /** Sends interrupt messages elsewhere than to the list. */
  public void interruptsTo(InterruptSink sink) {
    interrupts = sink;
  }

  /**
   * {@return a new device, plugged in and enabled with the link's MPS and MRRS}
   *
   * @param link its slot
   */
  public RecordingEndpoint plug(PcieLinkConfig link) {
    RecordingEndpoint endpoint = new RecordingEndpoint();
    long barAddress = BAR + rootComplex.ports().size() * BAR_DISTANCE_BYTES;
    long lowAddress = LOW_WINDOW + rootComplex.ports().size() * BAR_DISTANCE_BYTES;
    open(rootComplex.attach(endpoint, link).configSpace(), lowAddress, barAddress);
    endpoint.enable(barAddress, link.maxPayloadBytes(), link.maxReadRequestBytes());
    return endpoint;
  }

  /** Does what firmware does with a bridge: opens 1 MiB of each window and enables it. */
  private static void open(ConfigSpace bridge, long lowAddress, long highAddress) {
    int low = (int) (lowAddress >>> 16) & 0xFFF0;
    bridge.write(BridgeLayout.MEMORY_BASE, 4, low << 16 | low);
    int high = (int) (highAddress >>> 16) & 0xFFF0;
    bridge.write(BridgeLayout.PREFETCHABLE_BASE, 4, high << 16 | high);
    bridge.write(BridgeLayout.PREFETCHABLE_BASE_UPPER, 4, (int) (highAddress >>> 32));
    bridge.write(BridgeLayout.PREFETCHABLE_LIMIT_UPPER, 4, (int) (highAddress >>> 32));
    bridge.write(
        ConfigLayout.COMMAND,
        2,
        ConfigLayout.COMMAND_MEMORY_ENABLE | ConfigLayout.COMMAND_BUS_MASTER_ENABLE);
  }

  /** {@return the port of the n-th device} */
  public RootPort port(int index) {
    return rootComplex.ports().get(index);
  }

  /** {@return memory as of now} */
  public byte[] bytes(long pa, int lengthBytes) {
    commits.settle(simulation.nowPs());
    byte[] result = new byte[lengthBytes];
    memory.copyOut(pa, result, 0, lengthBytes);
    return result;
  }
}
