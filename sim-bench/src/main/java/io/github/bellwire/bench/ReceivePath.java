package io.github.bellwire.bench;

import io.github.bellwire.cpu.Core;
import io.github.bellwire.cpu.CpuPort;
import io.github.bellwire.cpu.Routine;
import io.github.bellwire.device.nic.EthernetLayout;
import io.github.bellwire.device.nic.EthernetWire;
import io.github.bellwire.device.nic.FrameStream;
import io.github.bellwire.device.nic.Nic;
import io.github.bellwire.device.nic.NicConfig;
import io.github.bellwire.device.nic.driver.BufferPool;
import io.github.bellwire.device.nic.driver.ConfigAccess;
import io.github.bellwire.device.nic.driver.DriverMode;
import io.github.bellwire.device.nic.driver.FrameHandler;
import io.github.bellwire.device.nic.driver.NicDriver;
import io.github.bellwire.device.nic.driver.NicDriverConfig;
import io.github.bellwire.device.nic.driver.PollingReceiver;
import io.github.bellwire.device.nic.driver.ReceivedFrame;
import io.github.bellwire.device.nic.driver.RxRing;
import io.github.bellwire.host.Host;
import io.github.bellwire.host.HostConfig;
import io.github.bellwire.kernel.Event;
import io.github.bellwire.kernel.Simulation;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A machine that receives frames of one size back to back for ever: wire, card, descriptor rings,
 * PCIe, caches, memory, polling driver. Every frame's first bytes are loaded and summed.
 */
final class ReceivePath {
  /** How card and driver handle descriptors. */
  enum Variant {
    /** As the 82599: each fetched and written back by itself, under a driver that never stops. */
    SINGLE,
    /**
     * Fetched by 32, written back by 4, a cache line, under a driver that looks once in the time of
     * 32 frames: the work per frame that event-driven prototypes of such a path are measured by.
     */
    BATCHED
  }

  /** What the card finds in a frame. */
  enum Content {
    /** An EtherType that no parser goes into: lengths and addresses are all that matters. */
    OPAQUE,
    /** IPv4 and UDP: parsed, and its header checksum verified. */
    UDP
  }

  private static final long BITS_PER_SECOND = 10_000_000_000L;
  private static final long PS_PER_BYTE = 800;
  private static final int BATCH_FRAMES = 32;
  private static final int EVENTS_PER_LOOK = 64;
  private static final int IPV4_BYTES = 20;

  // 8 frames of 64 bytes last 538 ns, longer than a read of descriptors takes.
  private static final NicConfig BATCHING_NIC = NicConfig.NIC_82599.withRxBatches(32, 8, 4);

  private final Simulation simulation;
  private final Nic nic;
  private final EthernetWire wire = new EthernetWire(BITS_PER_SECOND);
  private final byte[] frame;
  private final Sender sender;
  private long receivedTotal;
  private long sum;

  /**
   * Brings the machine up.
   *
   * @param frameBytes without FCS, 60..1514
   * @param variant how descriptors are handled
   * @param content what the frame is
   */
  ReceivePath(int frameBytes, Variant variant, Content content) {
    frame = content == Content.UDP ? udpFrame(frameBytes) : opaqueFrame(frameBytes);
    Host host = new Host(HostConfig.GEN4_SERVER, 1);
    simulation = host.simulation();
    NicConfig nicConfig = variant == Variant.SINGLE ? NicConfig.NIC_82599 : BATCHING_NIC;
    nic = new Nic(nicConfig, simulation, host.config().link(), null);
    host.attach(nic);
    long bar0 = host.enumerate().get(0).barAddress(0);
    NicDriverConfig config = NicDriverConfig.forMode(DriverMode.POLL);
    BufferPool pool = new BufferPool(host.pages(), config.bufferBytes(), config.buffersCount());
    NicDriver driver = new NicDriver(config, configAccess(), bar0, host.newDmaDevice(), pool, null);
    driver.start(host.synchronousPort(0));
    RxRing ring = driver.rxRing(0);
    Routine receiver =
        variant == Variant.SINGLE
            ? new PollingReceiver(host.core(0), config, List.of(ring), this::onFrame)
            : lookingReceiver(host.core(0), ring);
    receiver.wakeAt(simulation.nowPs());
    sender = new Sender();
    sender.start();
  }

  /** Runs until at least so many more frames have reached the driver. */
  long receive(int frames) {
    long target = receivedTotal + frames;
    while (receivedTotal < target) {
      simulation.run(EVENTS_PER_LOOK);
    }
    return sum;
  }

  private static byte[] opaqueFrame(int frameBytes) {
    return ByteBuffer.allocate(frameBytes)
        .putShort(EthernetLayout.ETHER_TYPE_OFFSET, (short) 0x88b5)
        .array();
  }

  /** From 10.0.0.1 port 4096 to 10.0.0.2 port 8192, without a UDP checksum (RFC 768). */
  private static byte[] udpFrame(int frameBytes) {
    int ipBytes = frameBytes - EthernetLayout.HEADER_BYTES;
    ByteBuffer frame = ByteBuffer.allocate(frameBytes).position(EthernetLayout.ETHER_TYPE_OFFSET);
    frame.putShort((short) 0x0800).putShort((short) 0x4500).putShort((short) ipBytes);
    frame.putInt(0x4000).putShort((short) 0x4011); // not to be fragmented; 64 hops, UDP
    frame.putShort((short) ~onesComplementSum(0x4500, ipBytes, 0x4000, 0x4011, 0xa00, 1, 0xa00, 2));
    frame.putInt(0x0a000001).putInt(0x0a000002);
    frame.putShort((short) 4096).putShort((short) 8192).putShort((short) (ipBytes - IPV4_BYTES));
    return frame.array();
  }

  private static int onesComplementSum(int... words) {
    int sum = IntStream.of(words).sum();
    return (sum & 0xffff) + (sum >>> 16);
  }

  private void onFrame(CpuPort port, ReceivedFrame received) {
    receivedTotal++;
    sum += port.load(received.pa(0), Long.BYTES);
  }

  private Routine lookingReceiver(Core core, RxRing ring) {
    long periodPs = BATCH_FRAMES * EthernetWire.wireBytes(frame.length) * PS_PER_BYTE;
    FrameHandler handler = this::onFrame;
    return new Routine(core) {
      @Override
      protected void run(CpuPort port) {
        wakeAt(port.nowPs() + periodPs);
        ring.receive(port, 2 * BATCH_FRAMES, handler);
      }
    };
  }

  private ConfigAccess configAccess() {
    return new ConfigAccess() {
      @Override
      public int read(int offset, int sizeBytes) {
        return nic.configSpace().read(offset, sizeBytes);
      }

      @Override
      public void write(int offset, int sizeBytes, int value) {
        nic.configSpace().write(offset, sizeBytes, value);
      }
    };
  }

  /** Sends the same frame back to back for ever. */
  private final class Sender extends Event implements FrameStream {
    private long nextPs;

    void start() {
      nextPs = wire.transmit(frame.length, simulation.nowPs());
      simulation.schedule(this, nextPs);
    }

    @Override
    protected void onEvent(long nowPs) {
      nic.onFrames(this);
      simulation.schedule(this, nextPs);
    }

    @Override
    public byte[] frame() {
      return frame;
    }

    @Override
    public int lengthBytes() {
      return frame.length;
    }

    @Override
    public long nowPs() {
      return nextPs;
    }

    @Override
    public boolean tryNext() {
      nextPs = wire.transmit(frame.length, nextPs);
      return simulation.tryRepeatAt(this, nextPs);
    }
  }
}
