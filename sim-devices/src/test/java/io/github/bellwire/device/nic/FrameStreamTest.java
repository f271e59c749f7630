package io.github.bellwire.device.nic;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.bellwire.cache.CacheStatistics;
import io.github.bellwire.host.Host;
import io.github.bellwire.host.HostConfig;
import io.github.bellwire.kernel.Event;
import io.github.bellwire.pcie.PcieLinkConfig;
import io.github.bellwire.trace.TraceSink;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Frames taken in a row have the effects of the same frames taken one by one. */
class FrameStreamTest {
  private static final int FRAMES = 600;
  private static final int RING = 64;

  static LongStream seeds() {
    return LongStream.range(0, 120);
  }

  @ParameterizedTest
  @MethodSource("seeds")
  void shouldDoTheSameInARowAndOneByOne(long seed) {
    List<String> inARow = run(seed, true);
    List<String> oneByOne = run(seed, false);

    assertThat(inARow).as("seed %d", seed).isEqualTo(oneByOne);
  }

  @Test
  void shouldHandOverFramesOneByOneUnlessTheReceiverKnowsBetter() {
    List<String> received = new ArrayList<>();
    FrameReceiver receiver =
        (frame, offset, lengthBytes, nowPs) ->
            received.add(offset + "+" + lengthBytes + " of " + frame.length + " at " + nowPs);

    receiver.onFrames(
        new FrameStream() {
          private int index;

          @Override
          public byte[] frame() {
            return new byte[100];
          }

          @Override
          public int offset() {
            return index;
          }

          @Override
          public int lengthBytes() {
            return 60 + index;
          }

          @Override
          public long nowPs() {
            return 1000L * index;
          }

          @Override
          public boolean tryNext() {
            return ++index < 3;
          }
        });

    assertThat(received)
        .containsExactly("0+60 of 100 at 0", "1+61 of 100 at 1000", "2+62 of 100 at 2000");
  }

  /** Returns everything that software and instruments can see of a run. */
  private static List<String> run(long seed, boolean inARow) {
    SplittableRandom random = new SplittableRandom(seed);
    HostConfig config = NicBench.SMALL_HOST.withLink(link(random));
    RefusingUnit unit = new RefusingUnit();
    Host host = random.nextInt(4) == 0 ? new Host(config, 1, unit) : new Host(config, 1);
    List<String> seen = new ArrayList<>();
    NicBench bench = new NicBench(host, nicConfig(random), trace(random, seen));
    host.enumerate();
    bench.start();
    if (random.nextInt(4) == 0) {
      bench.write(NicRegisters.ivar(0), NicRegisters.IVAR_ALLOC_VAL);
    }
    int shortBytes = 60;
    if (random.nextInt(4) == 0) {
      // Room for two thirds of a long frame, or for two short ones.
      bench.write(NicRegisters.rxpbsize(0), 1 << 10);
      shortBytes = 400;
    }
    NicBench.RxRing ring = bench.rxRing(0, RING, random.nextInt(4) == 0 ? 1024 : 2048);
    if (random.nextInt(8) == 0) {
      bench.write(NicRegisters.rxdctl(0), 0);
      ring.enable(NicRegisters.SRRCTL_DESCTYPE_LEGACY, 0);
    }
    Driver driver = new Driver(bench, ring, random.nextLong(), seen);
    if (random.nextInt(4) == 0) {
      bench.steerIpTo(1);
      new Driver(bench, bench.rxRing(1, RING, 2048), random.nextLong(), seen);
    }
    Sender sender = new Sender(bench, random.nextLong(), shortBytes, inARow);
    bench.at(20_000_000, () -> unit.refuse(ring.buffer(RING / 2)));
    bench.simulation.runUntil(FRAMES * 500_000L);

    seen.add("sent " + sender.sent + ", taken " + driver.taken);
    addFigures(bench, ring, seen);
    assertThat(driver.taken).as("seed %d", seed).isPositive();
    return seen;
  }

  private static void addFigures(NicBench bench, NicBench.RxRing ring, List<String> seen) {
    for (int register : List.of(NicRegisters.GPRC, NicRegisters.GORCL, NicRegisters.qprc(0))) {
      seen.add("register " + register + " " + bench.read(register));
    }
    seen.add("causes " + bench.read(NicRegisters.EICR));
    seen.add("events " + bench.simulation.eventsTotal());
    for (String name : bench.counters.names()) {
      seen.add(name + " " + bench.counters.value(name));
    }
    seen.add("link " + bench.port.upstream().bytesTotal());
    seen.add("busy " + bench.port.upstream().busyPsTotal());
    seen.add("ring " + Arrays.hashCode(bench.bytes(ring.base, 16 * RING)));
    seen.add("buffers " + Arrays.hashCode(bench.bytes(ring.buffers, RING * ring.bufferBytes)));
    CacheStatistics caches = bench.host.caches().statistics();
    seen.add("hits " + caches.deviceWriteHitsTotal() + " of " + caches.deviceReadHitsTotal());
  }

  private static @Nullable TraceSink trace(SplittableRandom random, List<String> seen) {
    return random.nextInt(4) != 0
        ? null
        : (operationId, step, cause, timePs, address, lengthBytes) ->
            seen.add(operationId + " " + cause + " " + timePs + " " + address + " " + lengthBytes);
  }

  private static PcieLinkConfig link(SplittableRandom random) {
    return switch (random.nextInt(4)) {
      case 0 -> PcieLinkConfig.GEN2_X8.withLanes(1); // 0.4 GB/s: frames queue up in the card
      case 1 -> PcieLinkConfig.GEN2_X8;
      default -> PcieLinkConfig.GEN4_X16;
    };
  }

  private static NicConfig nicConfig(SplittableRandom random) {
    NicConfig.Builder builder = NicBench.CONFIG.toBuilder();
    if (random.nextBoolean()) {
      builder.rxPrefetchDescriptors(32).rxFetchThreshold(random.nextInt(17));
    }
    if (random.nextBoolean()) {
      builder.rxWriteBackDescriptors(4).rxWriteBackDelayPs(random.nextInt(3_000_000));
    }
    if (random.nextInt(4) == 0) {
      builder.descriptorsPerSecond(10_000_000); // slower than the shortest frames
    }
    if (random.nextInt(4) == 0) {
      builder.rxLatencyPs(random.nextInt(500_000));
    }
    return builder.build();
  }

  /** Sends frames of all kinds, mostly in bursts of short ones. */
  private static final class Sender extends Event implements FrameStream {
    private final NicBench bench;
    private final SplittableRandom random;
    private final int shortBytes;
    private final boolean inARow;
    private final EthernetWire wire;
    private byte[] frame = {};
    private long nowPs;
    private long nextPs;
    private int sent;

    Sender(NicBench bench, long seed, int shortBytes, boolean inARow) {
      this.bench = bench;
      this.shortBytes = shortBytes;
      this.inARow = inARow;
      random = new SplittableRandom(seed);
      wire = new EthernetWire(bench.nic.config().lineBitsPerSecond());
      prepare();
      bench.simulation.schedule(this, nextPs);
    }

    @Override
    protected void onEvent(long atPs) {
      nowPs = nextPs;
      if (inARow) {
        bench.nic.onFrames(this);
      } else {
        do {
          bench.nic.onFrame(frame, 0, frame.length, nowPs);
        } while (tryNext());
      }
      if (sent < FRAMES) {
        bench.simulation.schedule(this, nextPs);
      }
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
      return nowPs;
    }

    @Override
    public boolean tryNext() {
      if (++sent == FRAMES) {
        return false;
      }
      prepare();
      boolean isHere = bench.simulation.tryRepeatAt(this, nextPs);
      nowPs = isHere ? nextPs : nowPs;
      return isHere;
    }

    private void prepare() {
      int length =
          random.nextInt(8) == 0 ? 30 + random.nextInt(1600) : shortBytes + random.nextInt(8);
      frame = NicBench.frame(length, random.nextInt());
      switch (random.nextInt(16)) {
        case 0 -> NicBench.setAddress(frame, 0x010203040506L + random.nextInt(100));
        case 1 -> NicBench.setAddress(frame, 0x030000000000L + random.nextInt(100)); // a group
        case 2 -> frame[13] = (byte) random.nextInt();
        case 3 -> frame = NicBench.ipFrame();
        default -> {}
      }
      long pausePs = random.nextInt(20) == 0 ? random.nextInt(6_000_000) : 0;
      nextPs =
          wire.transmit(frame.length, Math.max(wire.freePs(), bench.simulation.nowPs()) + pausePs);
    }
  }

  /** Looks at the ring now and then, and meddles with the card. */
  private static final class Driver extends Event {
    private final NicBench bench;
    private final NicBench.RxRing ring;
    private final SplittableRandom random;
    private final List<String> seen;
    private int taken;

    Driver(NicBench bench, NicBench.RxRing ring, long seed, List<String> seen) {
      this.bench = bench;
      this.ring = ring;
      this.seen = seen;
      random = new SplittableRandom(seed);
      ring.post(RING - 1);
      bench.simulation.schedule(this, bench.simulation.nowPs() + 200_000);
    }

    @Override
    protected void onEvent(long nowPs) {
      int heads = ring.head();
      seen.add(
          nowPs
              + " queue "
              + ring.queue
              + " head "
              + heads
              + " ring "
              + Arrays.hashCode(bench.bytes(ring.base, 16 * RING)));
      seen.add(bench.nic.framesInFifoCount() + " waiting, pending " + bench.isTransactionPending());
      int done = (heads - ring.next + RING) % RING;
      taken += done;
      ring.next = heads;
      if (random.nextInt(4) != 0) {
        ring.post((ring.next - 1 - ring.tail + RING) % RING);
      }
      meddle();
      bench.simulation.schedule(this, nowPs + 100_000 + random.nextInt(4_000_000));
    }

    private void meddle() {
      switch (random.nextInt(40)) {
        case 0 -> bench.setBusMaster(false);
        case 1 -> bench.write(NicRegisters.FCTRL, random.nextInt(2) * NicRegisters.FCTRL_UPE);
        case 2 -> bench.write(NicRegisters.RXCTRL, 0);
        case 3 -> bench.write(NicRegisters.EIMS, 1);
        case 4 -> bench.write(NicRegisters.EIMC, 1);
        case 5 ->
            bench.write(
                NicRegisters.rxdctl(ring.queue),
                NicRegisters.RXDCTL_ENABLE | NicRegisters.RXDCTL_SWFLSH);
        default -> {
          bench.setBusMaster(true);
          bench.write(NicRegisters.RXCTRL, NicRegisters.RXCTRL_RXEN);
        }
      }
    }
  }
}
