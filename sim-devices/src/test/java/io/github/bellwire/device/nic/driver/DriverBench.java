package io.github.bellwire.device.nic.driver;

import io.github.bellwire.cpu.SynchronousPort;
import io.github.bellwire.device.CheckedMachines;
import io.github.bellwire.device.nic.EthernetWire;
import io.github.bellwire.device.nic.Nic;
import io.github.bellwire.device.nic.NicConfig;
import io.github.bellwire.dma.DmaDevice;
import io.github.bellwire.dma.DmaMapper;
import io.github.bellwire.host.Host;
import io.github.bellwire.host.HostConfig;
import io.github.bellwire.kernel.Event;
import io.github.bellwire.pcie.EnumeratedFunction;
import io.github.bellwire.pcie.RootPort;
import io.github.bellwire.trace.TraceSink;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/** A machine with one NIC, its driver, and a wire that sends frames to it. */
final class DriverBench {
  /** At 1 Gb/s, with which kernel modes keep up. */
  static final NicConfig GIGABIT_CARD = NicConfig.NIC_82599.withLineBitsPerSecond(1_000_000_000L);

  static final long MS_PS = 1_000_000_000L;

  final Host host;
  final Nic nic;
  final RootPort slot;
  final DmaDevice dma;
  final BufferPool pool;
  final NicDriver driver;
  final SynchronousPort port;

  DriverBench(NicDriverConfig config) {
    this(HostConfig.GEN4_SERVER, NicConfig.NIC_82599, config, null);
  }

  DriverBench(
      HostConfig hostConfig,
      NicConfig nicConfig,
      NicDriverConfig config,
      @Nullable TraceSink trace) {
    this(hostConfig, nicConfig, config, trace, true);
  }

  /**
   * Creates a machine.
   *
   * @param isChecked whether the driver is watched; the test is an ExtendWith CheckedMachines then
   */
  DriverBench(
      HostConfig hostConfig,
      NicConfig nicConfig,
      NicDriverConfig config,
      @Nullable TraceSink trace,
      boolean isChecked) {
    this(
        host(hostConfig, isChecked),
        nicConfig,
        config,
        trace,
        (host, function) -> DmaMapper.IDENTITY);
  }

  private static Host host(HostConfig hostConfig, boolean isChecked) {
    Host host = new Host(hostConfig, 1);
    if (isChecked) {
      CheckedMachines.watch(host);
    }
    return host;
  }

  /** As above on a machine that has just been built, with a mapper for the NIC. */
  DriverBench(
      Host host,
      NicConfig nicConfig,
      NicDriverConfig config,
      @Nullable TraceSink trace,
      BiFunction<Host, EnumeratedFunction, DmaMapper> mapper) {
    this.host = host;
    nic = new Nic(nicConfig, host.simulation(), host.config().link(), trace);
    slot = host.attach(nic);
    EnumeratedFunction function = host.enumerate().get(0);
    dma = host.newDmaDevice(mapper.apply(host, function));
    pool = new BufferPool(host.pages(), config.bufferBytes(), config.buffersCount());
    driver = new NicDriver(config, configAccess(nic), function.barAddress(0), dma, pool, trace);
    port = host.synchronousPort(0);
  }

  static ConfigAccess configAccess(Nic nic) {
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

  List<RxRing> rxRings() {
    List<RxRing> rings = new ArrayList<>();
    for (int queue = 0; queue < driver.rxQueuesCount(); queue++) {
      rings.add(driver.rxRing(queue));
    }
    return rings;
  }

  /** Starts a receiver of the configured mode for every queue, on core 1 + queue. */
  void startReceivers(FrameHandler handler) {
    for (int queue = 0; queue < driver.rxQueuesCount(); queue++) {
      switch (driver.config().mode()) {
        case POLL -> {
          if (queue == 0) {
            new PollingReceiver(host.core(1), driver.config(), rxRings(), handler)
                .wakeAt(host.simulation().nowPs());
          }
        }
        case INTERRUPT ->
            new InterruptReceiver(host.core(1 + queue), driver, queue, handler)
                .start(port, host.interrupts());
        case NAPI ->
            new NapiReceiver(host.core(1 + queue), driver, queue, handler)
                .start(port, host.interrupts());
      }
    }
  }

  /** Sends frames back to back at the NIC's line rate, from now on. */
  Feed feed(List<byte[]> frames) {
    Feed feed = new Feed(frames);
    feed.start();
    return feed;
  }

  void runFor(long durationPs) {
    host.simulation().runUntil(host.simulation().nowPs() + durationPs);
  }

  static List<byte[]> randomFrames(long seed, int count, int bytesMin, int bytesMax) {
    Random random = new Random(seed);
    List<byte[]> frames = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      byte[] frame = new byte[bytesMin + random.nextInt(bytesMax - bytesMin + 1)];
      random.nextBytes(frame);
      frame[12] = (byte) 0x88; // local experimental EtherType: no headers to parse
      frame[13] = (byte) 0xB5;
      frames.add(frame);
    }
    return frames;
  }

  static List<byte[]> equalFrames(int count, int lengthBytes) {
    byte[] frame = new byte[lengthBytes];
    Arrays.fill(frame, (byte) 0x5A);
    frame[0] = 2;
    frame[12] = (byte) 0x88;
    frame[13] = (byte) 0xB5;
    List<byte[]> frames = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      frames.add(frame);
    }
    return frames;
  }

  /** The far end's transmitter. */
  final class Feed extends Event {
    private final List<byte[]> frames;
    private final EthernetWire wire;
    int sent;

    Feed(List<byte[]> frames) {
      this.frames = frames;
      wire = new EthernetWire(nic.config().lineBitsPerSecond());
    }

    void start() {
      scheduleNext(host.simulation().nowPs());
    }

    boolean isDone() {
      return sent == frames.size();
    }

    @Override
    protected void onEvent(long nowPs) {
      byte[] frame = frames.get(sent++);
      nic.onFrame(frame, 0, frame.length, nowPs);
      if (!isDone()) {
        scheduleNext(nowPs);
      }
    }

    private void scheduleNext(long nowPs) {
      long atPs = wire.transmit(frames.get(sent).length, nowPs);
      host.simulation().schedule(this, atPs);
    }
  }
}
