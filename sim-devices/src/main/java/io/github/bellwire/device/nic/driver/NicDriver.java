package io.github.bellwire.device.nic.driver;

import static java.util.Objects.requireNonNull;

import io.github.bellwire.cpu.CpuPort;
import io.github.bellwire.device.nic.NicRegisters;
import io.github.bellwire.device.nic.RxDescriptorLayout;
import io.github.bellwire.device.nic.TxDescriptorLayout;
import io.github.bellwire.dma.CoherentBuffer;
import io.github.bellwire.dma.DmaDevice;
import io.github.bellwire.kernel.Requirements;
import io.github.bellwire.trace.TraceSink;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The driver of one port: brings the device up, owns its rings and takes it down again. Runs as
 * straight-line code on any {@link CpuPort}, a {@link io.github.bellwire.cpu.SynchronousPort} as a
 * rule; receiving is the business of {@link PollingReceiver}, {@link InterruptReceiver} and {@link
 * NapiReceiver}, or of anyone who calls {@link RxRing#receive}.
 *
 * <p>Confined to the simulation thread.
 */
public final class NicDriver {
  private static final Logger LOG = LoggerFactory.getLogger(NicDriver.class);
  private static final int MASK_BITS = 64;
  private static final int MASK_BITS_FALLBACK = 32;
  private static final int PACKET_BUFFERS = 8;

  private final NicDriverConfig config;
  private final RegisterAccess registers;
  private final PciFunction function;
  private final NicInterrupts interrupts;
  private final NicInitializer initializer;
  private final DmaDevice dma;
  private final BufferPool pool;
  private final @Nullable TraceSink trace;

  private @Nullable BufferMapping mapping;
  private RxRing[] rxRings = {};
  private TxRing[] txRings = {};

  /**
   * Creates the driver of a device that it does not touch before {@link #start}.
   *
   * @param config how it works
   * @param configAccess the device's configuration space
   * @param bar0 host physical address of BAR0
   * @param dma the device's DMA API
   * @param pool buffers of at least {@link NicDriverConfig#bufferBytes()}; may serve other drivers
   *     too
   * @param trace listens to the steps of operations, {@code null} for nobody
   * @throws IllegalArgumentException if the pool's buffers are too small
   */
  public NicDriver(
      NicDriverConfig config,
      ConfigAccess configAccess,
      long bar0,
      DmaDevice dma,
      BufferPool pool,
      @Nullable TraceSink trace) {
    this.config = requireNonNull(config, "config");
    this.dma = requireNonNull(dma, "dma");
    this.pool = requireNonNull(pool, "pool");
    this.trace = trace;
    Requirements.require(
        pool.bufferBytes() >= config.bufferBytes(),
        "bufferBytes",
        config.bufferBytes(),
        "<= " + pool.bufferBytes() + ", the pool's");
    registers = new RegisterAccess(bar0);
    function = new PciFunction(requireNonNull(configAccess, "configAccess"));
    interrupts = new NicInterrupts(registers, function);
    initializer = new NicInitializer(config, registers, interrupts);
  }

  /**
   * Brings the device up: reset, rings, buffers, queues, link. Everything that a polling driver
   * needs; interrupts stay masked.
   *
   * @param port the core that runs it
   * @throws IllegalStateException if the device does not do what it should in time, with the
   *     register's name and value, if there is no memory for the rings, or if it is started already
   */
  public void start(CpuPort port) {
    if (mapping != null) {
      throw new IllegalStateException("driver must not be started: bar0=0x" + bar0InHex());
    }
    function.enableBusMaster();
    chooseMasks();
    initializer.reset(port);
    initializer.startLink(port);
    readStatistics(port);
    int portIndex = initializer.portIndex(port);
    BufferMapping newMapping =
        new BufferMapping(
            port, dma, pool, config.mode().isPreMapped(), config.profile().perMapping());
    mapping = newMapping;
    createReceiveRings(port, newMapping, portIndex);
    createTransmitRings(port, newMapping, portIndex);
    enableQueues(port);
    initializer.setPromiscuous(port);
    initializer.awaitLink(port);
    LOG.debug("NIC port {} is up: {}", portIndex, config);
  }

  /**
   * Takes the device down and gives rings and mappings back. Frames in the rings are dropped.
   *
   * @param port the core that runs it
   * @throws IllegalStateException if the device does not stop in time or the driver is not started
   */
  public void stop(CpuPort port) {
    BufferMapping oldMapping = mapping;
    if (oldMapping == null) {
      throw new IllegalStateException("driver must be started: bar0=0x" + bar0InHex());
    }
    initializer.shutDown(port);
    function.disableBusMaster();
    for (RxRing ring : rxRings) {
      ring.drop(port);
      dma.freeCoherent(port, ring.memory());
    }
    for (TxRing ring : txRings) {
      ring.drop(port);
      dma.freeCoherent(port, ring.memory());
    }
    rxRings = new RxRing[0];
    txRings = new TxRing[0];
    oldMapping.close(port);
    mapping = null;
    dma.unbind(port);
  }

  /**
   * Resets the device by a function-level reset, which needs no help of its registers, and brings
   * it up again. Frames in the old rings are dropped; there are new rings, so receivers and
   * transmitters start anew. Takes 100 ms and the time of {@link #start}.
   *
   * @param port the core that runs it
   * @throws IllegalStateException if the driver is not started, or as {@link #start} and {@link
   *     #stop}
   */
  public void resetFunction(CpuPort port) {
    if (mapping == null) {
      throw new IllegalStateException("driver must be started: bar0=0x" + bar0InHex());
    }
    function.reset(port);
    stop(port);
    start(port);
  }

  /**
   * Reads the device's counters, which clears them.
   *
   * @param port the core that reads
   * @return what was counted since the last call
   */
  public DriverStatistics readStatistics(CpuPort port) {
    long missed = 0;
    for (int buffer = 0; buffer < PACKET_BUFFERS; buffer++) {
      missed += registers.readUnsigned(port, NicRegisters.mpc(buffer));
    }
    long noDescriptor = 0;
    for (int set = 0; set < NicRegisters.QUEUE_STATISTICS; set++) {
      noDescriptor += registers.readUnsigned(port, NicRegisters.qprdc(set));
    }
    return new DriverStatistics(
        registers.readUnsigned(port, NicRegisters.GPRC),
        registers.readPair(port, NicRegisters.GORCL, NicRegisters.GORCH),
        registers.readUnsigned(port, NicRegisters.TPR),
        missed,
        noDescriptor,
        registers.readUnsigned(port, NicRegisters.CRCERRS),
        registers.readUnsigned(port, NicRegisters.RLEC),
        registers.readUnsigned(port, NicRegisters.RUC),
        registers.readUnsigned(port, NicRegisters.RFC),
        registers.readUnsigned(port, NicRegisters.ROC),
        registers.readUnsigned(port, NicRegisters.RJC),
        registers.readUnsigned(port, NicRegisters.GPTC),
        registers.readPair(port, NicRegisters.GOTCL, NicRegisters.GOTCH));
  }

  /** {@return how the driver works} */
  public NicDriverConfig config() {
    return config;
  }

  /** {@return the device's interrupts} */
  public NicInterrupts interrupts() {
    return interrupts;
  }

  /** {@return the buffers} */
  public BufferPool pool() {
    return pool;
  }

  /** {@return how many receive queues there are, 0 unless started} */
  public int rxQueuesCount() {
    return rxRings.length;
  }

  /** {@return how many transmit queues there are, 0 unless started} */
  public int txQueuesCount() {
    return txRings.length;
  }

  /**
   * {@return a receive queue of the started driver}
   *
   * @param queueIndex 0 to below {@link #rxQueuesCount()}
   * @throws IllegalArgumentException if there is none
   */
  public RxRing rxRing(int queueIndex) {
    Requirements.requireRange("queueIndex", queueIndex, 0, rxRings.length - 1);
    return rxRings[queueIndex];
  }

  /**
   * {@return a transmit queue of the started driver}
   *
   * @param queueIndex 0 to below {@link #txQueuesCount()}
   * @throws IllegalArgumentException if there is none
   */
  public TxRing txRing(int queueIndex) {
    Requirements.requireRange("queueIndex", queueIndex, 0, txRings.length - 1);
    return txRings[queueIndex];
  }

  private void chooseMasks() {
    boolean is64 = dma.trySetMask(MASK_BITS) && dma.trySetCoherentMask(MASK_BITS);
    if (!is64
        && !(dma.trySetMask(MASK_BITS_FALLBACK) && dma.trySetCoherentMask(MASK_BITS_FALLBACK))) {
      throw new IllegalStateException("no usable DMA mask: bits=" + MASK_BITS_FALLBACK);
    }
  }

  private void createReceiveRings(CpuPort port, BufferMapping newMapping, int portIndex) {
    initializer.setUpReceive(port);
    rxRings = new RxRing[config.rxQueues()];
    for (int queue = 0; queue < rxRings.length; queue++) {
      CoherentBuffer memory = allocate(port, config.ringSize() * RxDescriptorLayout.SIZE_BYTES);
      initializer.setUpReceiveQueue(port, queue, memory);
      long tailRegister = registers.bar0() + NicRegisters.rdt(queue);
      rxRings[queue] =
          new RxRing(queue, config, memory, tailRegister, pool, newMapping, portIndex, trace);
    }
    initializer.enableReceive(port);
  }

  private void createTransmitRings(CpuPort port, BufferMapping newMapping, int portIndex) {
    initializer.setUpTransmit(port);
    txRings = new TxRing[config.txQueues()];
    for (int queue = 0; queue < txRings.length; queue++) {
      CoherentBuffer memory = allocate(port, config.txRingSize() * TxDescriptorLayout.SIZE_BYTES);
      initializer.setUpTransmitQueue(port, queue, memory);
      long bar0 = registers.bar0();
      txRings[queue] =
          new TxRing(queue, config, memory, bar0, dma, pool, newMapping, portIndex, trace);
    }
    initializer.enableTransmit(port);
  }

  private void enableQueues(CpuPort port) {
    for (RxRing ring : rxRings) {
      ring.fill(port);
      initializer.enableReceiveQueue(port, ring.queueIndex());
      ring.announceAll(port);
    }
    for (TxRing ring : txRings) {
      initializer.enableTransmitQueue(port, ring.queueIndex());
    }
  }

  private CoherentBuffer allocate(CpuPort port, int sizeBytes) {
    CoherentBuffer memory = dma.allocateCoherent(port, sizeBytes);
    if (memory == null) {
      throw new IllegalStateException("no memory for a ring: sizeBytes=" + sizeBytes);
    }
    return memory;
  }

  private String bar0InHex() {
    return Long.toHexString(registers.bar0());
  }
}
