package io.github.bellwire.device.nic;

import io.github.bellwire.cpu.CpuPort;
import io.github.bellwire.host.Host;
import io.github.bellwire.host.HostConfig;
import io.github.bellwire.kernel.Event;
import io.github.bellwire.kernel.Simulation;
import io.github.bellwire.memory.PhysicalMemory;
import io.github.bellwire.pcie.ConfigLayout;
import io.github.bellwire.pcie.RootPort;
import io.github.bellwire.stats.StatsRegistry;
import io.github.bellwire.trace.TraceSink;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * A card in a host, with rings in memory that a test fills and reads without taking time, and a far
 * end that keeps what was sent. Registers are reached directly; where the way to them matters, a
 * test uses a core.
 */
final class NicBench {
  static final NicConfig CONFIG = NicConfig.NIC_82599.withLinkUpPs(0);

  /** Small enough to be compared byte by byte. */
  static final HostConfig SMALL_HOST =
      new HostConfig(
          "small",
          16 << 20,
          16 << 20,
          1,
          HostConfig.GEN4_SERVER.core(),
          HostConfig.GEN4_SERVER.cache(),
          HostConfig.GEN4_SERVER.memory(),
          HostConfig.GEN4_SERVER.rootComplex(),
          HostConfig.GEN4_SERVER.link());

  static final long STATION = 0x020000000001L;
  private static final int PCIE_CAPABILITY = 0xA0;

  final Host host;
  final Nic nic;
  final RootPort port;
  final Simulation simulation;
  final StatsRegistry counters = new StatsRegistry();
  final List<byte[]> sent = new ArrayList<>();
  final List<Long> sentPs = new ArrayList<>();

  NicBench() {
    this(CONFIG);
  }

  NicBench(NicConfig config) {
    this(new Host(HostConfig.GEN4_SERVER, 1), config, null);
    host.enumerate();
    start();
  }

  /** Plugs a card in; the host has to be enumerated and the card started. */
  NicBench(Host host, NicConfig config, @Nullable TraceSink trace) {
    this.host = host;
    simulation = host.simulation();
    nic = new Nic(config, simulation, host.config().link(), trace);
    port = host.attach(nic);
    nic.registerCounters(counters, "nic");
    nic.connectWire(
        (frame, offset, lengthBytes, nowPs) -> {
          sent.add(Arrays.copyOfRange(frame, offset, offset + lengthBytes));
          sentPs.add(nowPs);
        });
  }

  /** A started card next to another requester, so that nothing is computed far ahead. */
  static NicBench withNeighbour() {
    Host host = new Host(HostConfig.GEN4_SERVER, 1);
    NicBench bench = new NicBench(host, CONFIG, null);
    NicBench neighbour = new NicBench(host, CONFIG.withPortIndex(1), null);
    host.enumerate();
    bench.start();
    neighbour.start();
    return bench;
  }

  /** Bus master, link, both directions on, promiscuous. */
  void start() {
    setBusMaster(true);
    write(NicRegisters.AUTOC, NicRegisters.AUTOC_LMS_10G_SERIAL | NicRegisters.AUTOC_AN_RESTART);
    simulation.runUntil(simulation.nowPs());
    write(NicRegisters.FCTRL, NicRegisters.FCTRL_UPE | NicRegisters.FCTRL_MPE);
    write(NicRegisters.RXCTRL, NicRegisters.RXCTRL_RXEN);
    write(NicRegisters.DMATXCTL, NicRegisters.DMATXCTL_TE | 0x8100 << 16);
  }

  void setBusMaster(boolean on) {
    int command = nic.configSpace().read(ConfigLayout.COMMAND, 2);
    int bit = ConfigLayout.COMMAND_BUS_MASTER_ENABLE;
    nic.configSpace().write(ConfigLayout.COMMAND, 2, on ? command | bit : command & ~bit);
  }

  void write(int offset, int value) {
    nic.mmioWrite(0, offset, 4, value, simulation.nowPs());
  }

  int read(int offset) {
    return (int) nic.mmioRead(0, offset, 4, simulation.nowPs());
  }

  /** RSS sends what has IPv4 headers to one queue; the rest goes to queue 0. */
  void steerIpTo(int queue) {
    write(NicRegisters.MRQC, 1 | ReceiveSideScaling.FIELD_IPV4);
    for (int i = 0; i < 32; i++) {
      write(NicRegisters.reta(i), queue * 0x01010101);
    }
  }

  boolean isTransactionPending() {
    int status = nic.configSpace().read(PCIE_CAPABILITY + ConfigLayout.DEVICE_STATUS, 2);
    return (status & ConfigLayout.DEVICE_STATUS_TRANSACTIONS_PENDING) != 0;
  }

  long counter(String name) {
    return counters.value("nic." + name);
  }

  /** A frame's last bit arrives now. */
  void receive(byte[] frame) {
    nic.onFrame(frame, 0, frame.length, simulation.nowPs());
  }

  /** Frames arrive back to back at line rate, from now on. */
  void receiveAtLineRate(byte[]... frames) {
    EthernetWire wire = new EthernetWire(nic.config().lineBitsPerSecond());
    for (byte[] frame : frames) {
      at(wire.transmit(frame.length, simulation.nowPs()), () -> receive(frame));
    }
  }

  /** The same frames, those between which nothing happens in one call. */
  void receiveInARow(byte[]... frames) {
    new Row(frames).start();
  }

  void at(long atPs, Runnable action) {
    simulation.schedule(
        new Event() {
          @Override
          protected void onEvent(long nowPs) {
            action.run();
          }
        },
        atPs);
  }

  void run() {
    simulation.run();
  }

  PhysicalMemory memory() {
    return host.memory();
  }

  byte[] bytes(long pa, int lengthBytes) {
    byte[] bytes = new byte[lengthBytes];
    memory().copyOut(pa, bytes, 0, lengthBytes);
    return bytes;
  }

  RxRing rxRing(int queue, int size) {
    return rxRing(queue, size, 2048);
  }

  /** An enabled receive queue with advanced one-buffer descriptors and an empty ring. */
  RxRing rxRing(int queue, int size, int bufferBytes) {
    RxRing ring = new RxRing(queue, size, bufferBytes);
    ring.enable(NicRegisters.SRRCTL_DESCTYPE_ADV_ONEBUF, 0);
    return ring;
  }

  /** An enabled transmit queue with the given thresholds and an empty ring. */
  TxRing txRing(int queue, int size, int txdctl) {
    TxRing ring = new TxRing(queue, size);
    ring.enable(txdctl);
    return ring;
  }

  /** Random bytes; from 14 on a frame to the station, EtherType 88B5 (local experimental). */
  static byte[] frame(int lengthBytes, int seed) {
    byte[] frame = new byte[lengthBytes];
    new Random(seed).nextBytes(frame);
    if (lengthBytes >= 14) {
      setAddress(frame, STATION);
      frame[12] = (byte) 0x88;
      frame[13] = (byte) 0xB5;
    }
    return frame;
  }

  /** A UDP datagram of nothing but zeros, even its addresses. */
  static byte[] ipFrame() {
    return OffloadFrames.join(
        OffloadFrames.ethernet(0x0800),
        OffloadFrames.ipv4(new byte[4], new byte[4], OffloadFrames.UDP, 26),
        new byte[26]);
  }

  static byte[] setAddress(byte[] frame, long address) {
    for (int i = 0; i < 6; i++) {
      frame[i] = (byte) (address >>> 8 * (5 - i));
    }
    return frame;
  }

  /** Sends frames back to back. */
  private final class Row extends Event implements FrameStream {
    private final EthernetWire wire = new EthernetWire(nic.config().lineBitsPerSecond());
    private final byte[][] frames;
    private int index;
    private long nextPs;

    Row(byte[][] frames) {
      this.frames = frames;
    }

    void start() {
      nextPs = wire.transmit(frames[0].length, simulation.nowPs());
      simulation.schedule(this, nextPs);
    }

    @Override
    protected void onEvent(long nowPs) {
      nic.onFrames(this);
      if (index < frames.length) {
        simulation.schedule(this, nextPs);
      }
    }

    @Override
    public byte[] frame() {
      return frames[index];
    }

    @Override
    public int lengthBytes() {
      return frames[index].length;
    }

    @Override
    public long nowPs() {
      return nextPs;
    }

    @Override
    public boolean tryNext() {
      if (++index == frames.length) {
        return false;
      }
      nextPs = wire.transmit(frames[index].length, nextPs);
      return simulation.tryRepeatAt(this, nextPs);
    }
  }

  /** A receive ring and its buffers, one after the other. */
  final class RxRing {
    final int queue;
    final int size;
    final int bufferBytes;
    final long base;
    final long buffers;
    int tail;
    int next;

    RxRing(int queue, int size, int bufferBytes) {
      this.queue = queue;
      this.size = size;
      this.bufferBytes = bufferBytes;
      base = host.pages().allocate(size * 16L);
      buffers = host.pages().allocate((long) size * bufferBytes);
    }

    void enable(int srrctlBits, int rxdctlBits) {
      write(NicRegisters.srrctl(queue), bufferBytes >>> 10 | srrctlBits);
      write(NicRegisters.rdbal(queue), (int) base);
      write(NicRegisters.rdbah(queue), (int) (base >>> 32));
      write(NicRegisters.rdlen(queue), size * 16);
      write(NicRegisters.rdh(queue), 0);
      write(NicRegisters.rdt(queue), 0);
      tail = 0;
      next = 0;
      write(NicRegisters.rxdctl(queue), NicRegisters.RXDCTL_ENABLE | rxdctlBits);
    }

    long buffer(int descriptor) {
      return buffers + (long) descriptor * bufferBytes;
    }

    /** Writes descriptors and moves the tail behind them. */
    RxRing post(int count) {
      for (int i = 0; i < count; i++) {
        memory().putLong(base + tail * 16L, buffer(tail));
        memory().putLong(base + tail * 16L + 8, 0);
        tail = (tail + 1) % size;
      }
      write(NicRegisters.rdt(queue), tail);
      return this;
    }

    long low(int descriptor) {
      return memory().getLong(base + descriptor * 16L);
    }

    long high(int descriptor) {
      return memory().getLong(base + descriptor * 16L + 8);
    }

    int status(int descriptor) {
      return RxDescriptorLayout.status(high(descriptor));
    }

    boolean hasNext() {
      return RxDescriptorLayout.isDone(high(next));
    }

    int head() {
      return read(NicRegisters.rdh(queue));
    }

    /** Takes the next frame, from as many descriptors as it takes. */
    byte[] take() {
      byte[] frame = {};
      long high;
      do {
        high = high(next);
        if (!RxDescriptorLayout.isDone(high)) {
          throw new AssertionError("descriptor is not done: descriptor=" + next);
        }
        byte[] part = bytes(buffer(next), RxDescriptorLayout.lengthBytes(high));
        frame = OffloadFrames.join(frame, part);
        memory().putLong(base + next * 16L + 8, 0);
        next = (next + 1) % size;
      } while (!RxDescriptorLayout.isEndOfPacket(high));
      return frame;
    }

    List<byte[]> takeAll() {
      List<byte[]> frames = new ArrayList<>();
      while (hasNext()) {
        frames.add(take());
      }
      return frames;
    }
  }

  /** A transmit ring and a buffer of 2 KiB per descriptor. */
  final class TxRing {
    static final int BUFFER_BYTES = 2048;
    static final int EOP_FCS_RS =
        TxDescriptorLayout.COMMAND_EOP
            | TxDescriptorLayout.COMMAND_IFCS
            | TxDescriptorLayout.COMMAND_RS;

    final int queue;
    final int size;
    final long base;
    final long buffers;
    int tail;

    TxRing(int queue, int size) {
      this.queue = queue;
      this.size = size;
      base = host.pages().allocate(size * 16L);
      buffers = host.pages().allocate((long) size * BUFFER_BYTES);
    }

    void enable(int txdctl) {
      write(NicRegisters.tdbal(queue), (int) base);
      write(NicRegisters.tdbah(queue), (int) (base >>> 32));
      write(NicRegisters.tdlen(queue), size * 16);
      write(NicRegisters.tdh(queue), 0);
      write(NicRegisters.tdt(queue), 0);
      tail = 0;
      write(NicRegisters.txdctl(queue), NicRegisters.TXDCTL_ENABLE | txdctl);
    }

    long buffer(int descriptor) {
      return buffers + (long) descriptor * BUFFER_BYTES;
    }

    /** Adds a descriptor as it is. */
    TxRing add(long low, long high) {
      memory().putLong(base + tail * 16L, low);
      memory().putLong(base + tail * 16L + 8, high);
      tail = (tail + 1) % size;
      return this;
    }

    /** Adds bytes in a buffer with an advanced data descriptor. */
    TxRing add(byte[] data, int command, int options, int contextIndex, int payloadBytes) {
      memory().copyIn(buffer(tail), data, 0, data.length);
      return add(
          buffer(tail),
          TxDescriptorLayout.dataHigh(data.length, command, options, contextIndex, payloadBytes));
    }

    /** Adds a frame in one buffer that asks for a report. */
    TxRing add(byte[] frame) {
      return add(frame, EOP_FCS_RS, 0, 0, frame.length);
    }

    /** Moves the tail behind what has been added. */
    void ring() {
      write(NicRegisters.tdt(queue), tail);
    }

    /** Moves the tail by way of a core and the link. */
    void ring(CpuPort cpu) {
      cpu.mmioWrite(nic.configSpace().barAddress(0) + NicRegisters.tdt(queue), 4, tail);
    }

    int head() {
      return read(NicRegisters.tdh(queue));
    }

    boolean isDone(int descriptor) {
      return TxDescriptorLayout.isDone(memory().getLong(base + descriptor * 16L + 8));
    }

    /** {@return the indices of the descriptors that have been reported} */
    List<Integer> done() {
      List<Integer> done = new ArrayList<>();
      for (int i = 0; i < size; i++) {
        if (isDone(i)) {
          done.add(i);
        }
      }
      return done;
    }
  }
}
