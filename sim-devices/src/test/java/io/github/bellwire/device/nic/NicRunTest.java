package io.github.bellwire.device.nic;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.sun.management.ThreadMXBean;
import io.github.bellwire.host.Host;
import io.github.bellwire.host.HostConfig;
import io.github.bellwire.kernel.Event;
import io.github.bellwire.pcie.PcieLinkConfig;
import io.github.bellwire.trace.TraceCause;
import io.github.bellwire.trace.TraceHash;
import io.github.bellwire.trace.TraceSink;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whole runs: what they cost, that they repeat, and that the way of computing does not show. */
class NicRunTest {
  private static final int FRAMES = 400;

  @Test
  void shouldAllocateNothingPerReceivedFrame() {
    NicBench bench = new NicBench();
    NicBench.RxRing ring = bench.rxRing(0, 256).post(Loop.AHEAD);
    byte[] frame = NicBench.frame(60, 1);
    Loop loop = new Loop(bench, frame, ring.queue, true);

    assertThat(allocatedBytes(bench, loop)).isLessThan(1024);
    assertThat(bench.counter("rx_delivered_count")).isEqualTo(2 * Loop.ROUNDS);
  }

  @Test
  void shouldAllocateNothingPerSentFrame() {
    NicBench bench = new NicBench();
    long[] frames = new long[1];
    bench.nic.connectWire((frame, offset, lengthBytes, nowPs) -> frames[0]++);
    NicBench.TxRing ring = bench.txRing(0, 256, 36 | 8 << 8 | 4 << 16);
    for (int i = 0; i < 256; i++) {
      ring.add(NicBench.frame(60, i));
    }
    Loop loop = new Loop(bench, new byte[60], ring.queue, false);

    assertThat(allocatedBytes(bench, loop)).isLessThan(1024);
    assertThat(frames[0]).isEqualTo(2 * Loop.ROUNDS);
  }

  @Test
  void shouldRepeatARunExactly() {
    assertThat(hashOfARun(7)).isEqualTo(hashOfARun(7)).isNotEqualTo(hashOfARun(8));
  }

  // Spaced out, each frame is computed as a chain; at line rate (0) no frame may slow the next.
  @ParameterizedTest
  @ValueSource(longs = {3_000_000, 0})
  void shouldDeliverTheSameAloneAndNextToAnotherRequester(long spacingPs) {
    Outcome alone = run(spacingPs, false);
    Outcome shared = run(spacingPs, true);

    if (spacingPs != 0) {
      assertThat(alone.events).as("computed as a chain").isLessThan(shared.events);
    }
    assertThat(alone.received).hasSize(FRAMES);
    assertThat(shared.received).containsExactlyElementsOf(alone.received);
    assertThat(shared.counters).isEqualTo(alone.counters);
    assertThat(shared.upstreamBytes).isEqualTo(alone.upstreamBytes);
    assertThat(shared.latencyPs).isCloseTo(alone.latencyPs, within(0.02 * alone.latencyPs));
  }

  @Test
  void shouldPaceFramesByTheEngineOfBothDirections() {
    // 500,000 descriptors per second: 2 us each, however fast frames come.
    NicConfig slow = NicBench.CONFIG.withDescriptorsPerSecond(500_000);
    List<Long> writtenPs = new ArrayList<>();
    Host host = new Host(HostConfig.GEN4_SERVER, 1);
    NicBench bench =
        new NicBench(
            host,
            slow,
            (operation, step, cause, timePs, address, lengthBytes) -> {
              if (cause == TraceCause.DESCRIPTOR_FETCHED) {
                writtenPs.add(timePs);
              }
            });
    host.enumerate();
    bench.start();
    bench.rxRing(0, 64).post(63);
    for (int i = 0; i < 20; i++) {
      bench.receive(NicBench.frame(60, i));
    }
    bench.run();

    assertThat(writtenPs).hasSize(20);
    double spacingPs = (writtenPs.get(19) - writtenPs.get(0)) / 19.0;
    assertThat(spacingPs).isCloseTo(2_000_000, within(20_000.0));
    NicBench.TxRing tx = bench.txRing(0, 64, 0);
    for (int i = 0; i < 20; i++) {
      tx.add(NicBench.frame(60, i));
    }
    tx.ring();
    bench.run();
    spacingPs = (bench.sentPs.get(19) - bench.sentPs.get(0)) / 19.0;
    assertThat(spacingPs).isCloseTo(2_000_000, within(20_000.0));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 8})
  void shouldWriteNoPayloadBeforeItsDescriptorHasCome(int prefetch) {
    List<Long> fetchedPs = new ArrayList<>();
    List<Long> writtenPs = new ArrayList<>();
    Host host = new Host(HostConfig.GEN4_SERVER, 1);
    NicBench bench =
        new NicBench(
            host,
            NicBench.CONFIG.withRxPrefetchDescriptors(prefetch),
            (operation, step, cause, timePs, address, lengthBytes) -> {
              if (cause == TraceCause.DESCRIPTOR_FETCHED) {
                fetchedPs.add(timePs);
              } else if (cause == TraceCause.PAYLOAD_WRITTEN) {
                writtenPs.add(timePs);
              }
            });
    host.enumerate();
    bench.start();
    bench.rxRing(0, 64).post(63);
    byte[][] frames = new byte[40][];
    for (int i = 0; i < frames.length; i++) {
      frames[i] = NicBench.frame(60, i);
    }
    bench.receiveAtLineRate(frames);
    bench.run();

    assertThat(writtenPs).hasSize(40);
    for (int i = 0; i < 40; i++) {
      assertThat(writtenPs.get(i)).as("frame %d", i).isGreaterThan(fetchedPs.get(i));
    }
  }

  @Test
  void shouldSendTheFirstSegmentBeforeTheLastByteHasBeenRead() {
    long[] lastReadPs = new long[1];
    Host host = new Host(HostConfig.GEN4_SERVER.withLink(PcieLinkConfig.GEN2_X8.withLanes(1)), 1);
    NicBench bench =
        new NicBench(
            host,
            NicBench.CONFIG,
            (operation, step, cause, timePs, address, lengthBytes) -> {
              if (cause == TraceCause.PAYLOAD_READ) {
                lastReadPs[0] = Math.max(lastReadPs[0], timePs);
              }
            });
    host.enumerate();
    bench.start();
    NicBench.TxRing ring = bench.txRing(0, 64, 0);
    byte[] headers =
        OffloadFrames.join(
            OffloadFrames.ethernet(0x0800),
            OffloadFrames.ipv4(new byte[4], new byte[4], OffloadFrames.TCP, 20 + 16_000),
            OffloadFrames.tcp(1, 2, 3, 0x10, 20));
    ring.add(
        TxDescriptorLayout.contextLow(14, 20, 0),
        TxDescriptorLayout.contextHigh(true, TxDescriptorLayout.L4T_TCP, 0, 20, 1000));
    int command = TxDescriptorLayout.COMMAND_TSE | TxDescriptorLayout.COMMAND_IFCS;
    ring.add(headers, command, 0, 0, 16_000);
    for (int i = 0; i < 16; i++) {
      int end = i == 15 ? TxDescriptorLayout.COMMAND_EOP : 0;
      ring.add(NicBench.frame(1000, i), command | end, 0, 0, 16_000);
    }
    ring.ring();

    bench.run();

    // Lane 1 of Gen 2 moves 16 KB in about 40 us, a frame lasts 0.9 us.
    assertThat(bench.sent).hasSize(16);
    assertThat(bench.sentPs.get(0)).isLessThan(lastReadPs[0] / 2);
    assertThat(bench.sentPs.get(15)).isGreaterThan(lastReadPs[0]);
  }

  private record Outcome(
      List<byte[]> received,
      List<Long> counters,
      long upstreamBytes,
      double latencyPs,
      long events) {}

  /** Receives frames of many sizes; the other card only has its bus mastering on. */
  private static Outcome run(long spacingPs, boolean withNeighbour) {
    long[] latencyPs = new long[2];
    TraceSink sink =
        (operation, step, cause, timePs, address, lengthBytes) -> {
          switch (cause) {
            case FRAME_ARRIVED -> latencyPs[0] -= timePs;
            case DESCRIPTOR_WRITTEN_BACK -> {
              latencyPs[0] += timePs;
              latencyPs[1]++;
            }
            default -> {}
          }
        };
    Host host = new Host(HostConfig.GEN4_SERVER, 1);
    NicBench bench = new NicBench(host, NicBench.CONFIG, sink);
    NicBench neighbour = new NicBench(host, NicBench.CONFIG.withPortIndex(1), null);
    host.enumerate();
    bench.start();
    if (withNeighbour) {
      neighbour.start();
    }
    NicBench.RxRing ring = bench.rxRing(0, 512).post(511);
    Random random = new Random(3);
    EthernetWire wire = new EthernetWire(bench.nic.config().lineBitsPerSecond());
    for (int i = 0; i < FRAMES; i++) {
      int length = spacingPs == 0 ? 60 : 60 + random.nextInt(1455);
      byte[] frame = NicBench.frame(length, i);
      bench.at(wire.transmit(length, i * spacingPs), () -> bench.receive(frame));
    }
    bench.run();
    List<Long> counters = new ArrayList<>();
    for (String name : bench.counters.names()) {
      counters.add(bench.counters.value(name));
    }
    return new Outcome(
        ring.takeAll(),
        counters,
        bench.port.upstream().bytesTotal(),
        (double) latencyPs[0] / latencyPs[1],
        bench.simulation.eventsTotal());
  }

  private static String hashOfARun(int seed) {
    TraceHash hash = new TraceHash();
    Host host = new Host(HostConfig.GEN4_SERVER, seed);
    NicBench bench = new NicBench(host, NicBench.CONFIG, hash);
    host.enumerate();
    bench.start();
    bench.write(NicRegisters.HLREG0, bench.read(NicRegisters.HLREG0) | NicRegisters.HLREG0_LPBK);
    NicBench.RxRing rx = bench.rxRing(0, 512).post(511);
    NicBench.TxRing tx = bench.txRing(0, 512, 36 | 8 << 8 | 4 << 16);
    Random random = new Random(seed);
    for (int i = 0; i < FRAMES; i++) {
      tx.add(NicBench.frame(60 + random.nextInt(1455), i));
    }
    tx.ring();
    bench.run();
    assertThat(rx.takeAll()).hasSize(FRAMES);
    assertThat(hash.recordsCount()).isGreaterThan(5 * FRAMES);
    return hash.hex();
  }

  /** Runs the loop twice and returns what the second run allocates. */
  private static long allocatedBytes(NicBench bench, Loop loop) {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    loop.start();
    bench.run();
    loop.start();
    long before = threads.getCurrentThreadAllocatedBytes();
    bench.run();
    long after = threads.getCurrentThreadAllocatedBytes();
    return after - before;
  }

  /** Frames in or doorbells for frames out, one per event, with the tail always ahead. */
  private static final class Loop extends Event {
    static final int ROUNDS = 20_000;
    static final int AHEAD = 128;
    private static final int RING = 256;

    private final NicBench bench;
    private final byte[] frame;
    private final int tailOffset;
    private final boolean isReceiving;
    private int round;
    private int tail;
    private int rounds;

    Loop(NicBench bench, byte[] frame, int queue, boolean isReceiving) {
      this.bench = bench;
      this.frame = frame;
      this.isReceiving = isReceiving;
      tailOffset = isReceiving ? NicRegisters.rdt(queue) : NicRegisters.tdt(queue);
      tail = isReceiving ? AHEAD : 0;
    }

    void start() {
      rounds += ROUNDS;
      bench.simulation.schedule(this, bench.simulation.nowPs() + 1);
    }

    @Override
    protected void onEvent(long nowPs) {
      tail = (tail + 1) % RING;
      if (isReceiving) {
        bench.nic.onFrame(frame, 0, frame.length, nowPs);
      }
      bench.nic.mmioWrite(0, tailOffset, 4, tail, nowPs);
      if (++round < rounds) {
        bench.simulation.schedule(this, nowPs + 100_000);
      }
    }
  }
}
