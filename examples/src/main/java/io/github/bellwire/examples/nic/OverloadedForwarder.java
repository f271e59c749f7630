package io.github.bellwire.examples.nic;

import io.github.bellwire.cache.CoherentCacheConfig;
import io.github.bellwire.cache.LlcConfig;
import io.github.bellwire.cpu.SynchronousPort;
import io.github.bellwire.device.nic.Nic;
import io.github.bellwire.device.nic.NicConfig;
import io.github.bellwire.device.nic.driver.BufferPool;
import io.github.bellwire.device.nic.driver.DriverProfile;
import io.github.bellwire.device.nic.driver.Forwarder;
import io.github.bellwire.device.nic.driver.NicDriverConfig;
import io.github.bellwire.device.nic.driver.PollingReceiver;
import io.github.bellwire.host.Host;
import io.github.bellwire.host.HostConfig;
import io.github.bellwire.pcie.RootPort;
import io.github.bellwire.trace.TraceSink;
import java.util.ArrayList;
import java.util.List;

/**
 * The machine of the DDIO measurements by Farshin et al. (ATC 2020; repository aliireza/ddio-bench,
 * TESTBED.md and the scripts of its experiments): a Xeon Gold 6140 with a 100 Gb/s card that
 * receives more frames than one core forwards, so that its receive ring stays full.
 *
 * <pre>{@code
 * wire, 100 Gb/s --> card --> RX ring, full --> core: swap MAC addresses --> TX ring, 1024 --+
 *                      <---------------------------------------------------------------------+
 * }</pre>
 */
final class OverloadedForwarder {
  /** Buffers lie as those of a DPDK pool: 64 B of header, 128 B of mbuf, 128 + 2048 B of data. */
  private static final int STRIDE_BYTES = 2368;

  private static final int BUFFER_BYTES = 2048;
  private static final int BURST = 32;
  private static final int TX_QUEUE = 1024;
  private static final int SPARE_BUFFERS = 512;
  private static final long LINE_RATE = 100_000_000_000L;
  private static final int RX_FIFO_BYTES = 256 << 10;
  private static final int TX_FIFO_BYTES = 512 << 10;
  private static final int FRAME_MIN_BYTES = 64;

  /**
   * What forwarding costs beside memory accesses. Assumption: 255 cycles per frame and burst
   * overhead, so that one core is overloaded at every frame size: it forwards at most 6.5 million
   * frames per second, and the wire carries 8.2 million of 1500 bytes. Measured are 7.3 to 7.6
   * million of these, and more of smaller ones.
   */
  private static final DriverProfile FORWARDING = new DriverProfile(230, 25, 54, 0, 0, 0);

  /**
   * A ConnectX-5-class port: the card of the other scenarios at 100 Gb/s with room for what is
   * under way at that rate, 512 KiB and 128 descriptors each way, receive descriptors fetched 32 at
   * a time (assumptions).
   */
  private static final NicConfig CARD =
      NicConfig.NIC_82599.toBuilder()
          .lineBitsPerSecond(LINE_RATE)
          .rxFifoBytes(RX_FIFO_BYTES)
          .txFifoBytes(TX_FIFO_BYTES)
          .onChipTxDescriptors(128)
          .rxPrefetchDescriptors(BURST)
          .build();

  /**
   * What is varied.
   *
   * @param ringSize receive descriptors per core
   * @param frameBytes size of frames, FCS included
   * @param ways of the last-level cache that devices may write to
   * @param cores that forward
   */
  record Load(int ringSize, int frameBytes, int ways, int cores) {}

  private final Load load;
  private final Host host;
  private final Nic card;
  private final NicPort port;
  private final NicDriverConfig software;
  private final WireSink sink = new WireSink(null);
  private final List<Forwarder> forwarders = new ArrayList<>();
  private final TrafficGenerator traffic;

  OverloadedForwarder(Load load, TraceSink trace, long seed) {
    this.load = load;
    host = new Host(config(load.ways()), seed);
    software = software(load);
    card = new Nic(CARD, host.simulation(), host.config().link(), trace);
    RootPort rootPort = host.attach(card);
    long bar0 = host.enumerate().get(0).barAddress(0);
    BufferPool pool =
        new BufferPool(
            host.pages(),
            BUFFER_BYTES,
            load.cores() * (load.ringSize() + TX_QUEUE + SPARE_BUFFERS),
            STRIDE_BYTES);
    port = NicPort.of(card, rootPort, bar0, host.newDmaDevice(), software, pool, trace);
    GeneratedFrames frames =
        new GeneratedFrames(
            Long.MAX_VALUE, load.frameBytes(), host.simulation().randomStream("traffic"));
    traffic = new TrafficGenerator(host.simulation(), frames, LINE_RATE, card, false, 0);
  }

  private static HostConfig config(int ways) {
    CoherentCacheConfig caches = CoherentCacheConfig.XEON_GOLD_6140;
    LlcConfig llc = caches.llc();
    return HostConfig.SKX.withCache(caches.withLlc(llc.withIoWays(llc.highestWays(ways))));
  }

  private static NicDriverConfig software(Load load) {
    return NicDriverConfig.POLLING.toBuilder()
        .rxQueues(load.cores())
        .txQueues(load.cores())
        .ringSize(load.ringSize())
        .txRingSize(TX_QUEUE)
        .bufferBytes(BUFFER_BYTES)
        .batch(BURST)
        .profile(FORWARDING)
        .build();
  }

  /** Starts driver, cores and traffic. */
  void start() {
    SynchronousPort cpu = host.synchronousPort(0);
    port.driver().start(cpu);
    card.connectWire(sink);
    for (int queue = 0; queue < load.cores(); queue++) {
      Forwarder forwarder = new Forwarder(port.driver().txRing(queue), false);
      forwarders.add(forwarder);
      new PollingReceiver(
              host.core(queue),
              software,
              List.of(port.driver().rxRing(queue)),
              new MacSwap(forwarder))
          .wakeAt(host.simulation().nowPs());
    }
    traffic.start(host.simulation().nowPs());
  }

  Host host() {
    return host;
  }

  NicPort port() {
    return port;
  }

  WireSink sink() {
    return sink;
  }

  TrafficGenerator traffic() {
    return traffic;
  }

  /** {@return frames that the forwarders could not hand to the card} */
  long droppedTotal() {
    return forwarders.stream().mapToLong(Forwarder::droppedTotal).sum();
  }

  /** {@return the buffers of all rings} */
  long buffersInUseMax() {
    return (long) load.cores() * (load.ringSize() + TX_QUEUE);
  }

  /** {@return how many frames may be under way at most} */
  long framesHeldMax() {
    return buffersInUseMax() + (RX_FIFO_BYTES + TX_FIFO_BYTES) / FRAME_MIN_BYTES;
  }
}
