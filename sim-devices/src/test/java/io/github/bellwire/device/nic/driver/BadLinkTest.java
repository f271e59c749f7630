package io.github.bellwire.device.nic.driver;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.bellwire.cpu.CpuPort;
import io.github.bellwire.cpu.SynchronousPort;
import io.github.bellwire.device.nic.EthernetWire;
import io.github.bellwire.device.nic.Nic;
import io.github.bellwire.device.nic.NicConfig;
import io.github.bellwire.dma.CoherentBuffer;
import io.github.bellwire.dma.check.DmaReport;
import io.github.bellwire.dma.check.DmaViolation;
import io.github.bellwire.host.Host;
import io.github.bellwire.host.HostConfig;
import io.github.bellwire.kernel.Event;
import io.github.bellwire.memory.PhysicalMemory;
import io.github.bellwire.pcie.LinkFaultConfig;
import io.github.bellwire.pcie.PcieLinkConfig;
import io.github.bellwire.pcie.RequesterConfig;
import io.github.bellwire.pcie.RootPort;
import io.github.bellwire.pcie.SlotConfig;
import io.github.bellwire.stats.StatsRegistry;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;

/**
 * A card and its driver on a link where everything goes wrong: bit errors with replay, poisoned,
 * broken, malformed and lost TLPs in descriptor fetches, payload and write-backs, and the card
 * pulled out while it receives and sends. Nothing throws, every frame is accounted for, memory that
 * is not mapped for DMA stays as it was, and the same seed gives the same outcome.
 *
 * <p>The link has ECRC: without, a wrong bit in a descriptor is an address like any other.
 */
class BadLinkTest {
  private static final int RUNS = 200;
  private static final int REPEATED_EVERY = 20;
  private static final int FRAMES = 150;
  private static final int HALF_BYTES = 16 << 20;
  private static final long SETTLE_PS = 400_000_000;

  // Shared by all runs.
  private final byte[] before = new byte[2 * HALF_BYTES];
  private final byte[] after = new byte[2 * HALF_BYTES];

  @Test
  void shouldSurviveFaultsAndRemoval() {
    long received = 0;
    long faults = 0;
    long removed = 0;
    long undisturbed = 0;
    for (int seed = 1; seed <= RUNS; seed++) {
      Life life = live(seed, false);
      if (seed % REPEATED_EVERY == 0) {
        // Being watched changes nothing either.
        Life again = live(seed, true);
        assertThat(again.outcome).as("seed %d", seed).isEqualTo(life.outcome);
        assertThat(again.mistakes()).as("seed %d", seed).isEmpty();
      }
      received += life.handledTotal;
      faults += life.counters.value("nic.rx_fault_count");
      removed += life.removes ? 1 : 0;
      undisturbed += life.handledTotal == FRAMES ? 1 : 0;
    }

    // What the test is about does happen, and does not happen to everybody.
    assertThat(received).isBetween(RUNS * FRAMES / 10L, RUNS * FRAMES * 9L / 10);
    assertThat(faults).isGreaterThan(RUNS / 2);
    assertThat(removed).isBetween(RUNS / 4L, RUNS * 3L / 4);
    assertThat(undisturbed).isPositive();
  }

  private Life live(long seed, boolean isChecked) {
    Life life = new Life(seed);
    if (isChecked) {
      life.host.attachChecker();
    }
    try {
      life.start();
      copy(life.host.memory(), before);
      life.run();
      copy(life.host.memory(), after);
    } catch (RuntimeException | AssertionError e) {
      throw new AssertionError("seed " + seed, e);
    }
    life.forgetMapped(before);
    CRC32 crc = new CRC32();
    crc.update(after);
    life.outcome = 31 * life.outcome + crc.getValue();
    life.forgetMapped(after);
    assertThat(Arrays.mismatch(before, after)).as("seed %d, other memory", seed).isEqualTo(-1);
    assertThat(life.accountedTotal()).as("seed %d, frames", seed).isEqualTo(FRAMES);
    return life;
  }

  private static void copy(PhysicalMemory memory, byte[] destination) {
    memory.copyOut(0, destination, 0, HALF_BYTES);
    memory.copyOut(PhysicalMemory.HIGH_BASE, destination, HALF_BYTES, HALF_BYTES);
  }

  /** One machine. */
  private static final class Life {
    final StatsRegistry counters = new StatsRegistry();
    final Host host;
    final boolean removes;
    long handledTotal;
    long outcome;

    private final SplittableRandom random;
    private final Nic nic;
    private final RootPort slot;
    private final NicDriverConfig config;
    private final BufferPool pool;
    private final NicDriver driver;
    private final SynchronousPort core;

    Life(long seed) {
      random = new SplittableRandom(seed);
      removes = random.nextBoolean();
      host = new Host(machine(), seed);
      nic =
          new Nic(
              NicConfig.NIC_82599.withLinkUpPs(0), host.simulation(), host.config().link(), null);
      nic.registerCounters(counters, "nic");
      nic.connectWire((frame, offset, lengthBytes, nowPs) -> outcome = 31 * outcome + nowPs);
      slot = host.addSlot(SlotConfig.SURPRISE.withLinkUpPs(0));
      slot.insert(nic);
      host.simulation().runUntil(1);
      DriverMode mode = DriverMode.values()[random.nextInt(DriverMode.values().length)];
      config =
          NicDriverConfig.forMode(mode).toBuilder()
              .ringSize(64)
              .txRingSize(64)
              .batch(16)
              .itrPs(0)
              .profile(DriverProfile.IDEAL)
              .build();
      long bar0 = host.enumerate().get(0).barAddress(0);
      pool = new BufferPool(host.pages(), config.bufferBytes(), config.buffersCount());
      driver =
          new NicDriver(
              config, DriverBench.configAccess(nic), bar0, host.newDmaDevice(), pool, null);
      core = host.synchronousPort(0);
    }

    /** Returns what the driver has done wrong. */
    List<DmaReport> mistakes() {
      // Of a frame whose writes the link has lost, bytes are forwarded that nobody has written.
      return host.attachChecker().reports().stream()
          .filter(report -> report.violation() != DmaViolation.DEVICE_READ_UNWRITTEN)
          .toList();
    }

    private HostConfig machine() {
      int badness = random.nextInt(4); // 0 to 3 per cent each
      LinkFaultConfig faults =
          LinkFaultConfig.NONE
              .withBitErrorRatio(random.nextInt(3) * 1e-5)
              .withPoisonedRatio(badness * 0.01)
              .withCorruptedRatio(badness * 0.01)
              .withMalformedRatio(badness * 0.01)
              .withLostRatio(badness * 0.01);
      PcieLinkConfig link =
          PcieLinkConfig.GEN3_X8
              .withEcrc(true)
              .withFaults(faults)
              .withRequester(RequesterConfig.DEFAULT.withCompletionTimeoutPs(50_000_000));
      HostConfig server = HostConfig.GEN4_SERVER;
      return new HostConfig(
          "small",
          HALF_BYTES,
          HALF_BYTES,
          2,
          server.core(),
          server.cache(),
          server.memory(),
          server.rootComplex(),
          link);
    }

    void start() {
      driver.start(core);
      Forwarder forwarder = new Forwarder(driver.txRing(0), false);
      FrameHandler handler =
          new FrameHandler() {
            @Override
            public void onFrame(CpuPort port, ReceivedFrame frame) {
              handledTotal++;
              forwarder.onFrame(port, frame);
            }

            @Override
            public void onBatchEnd(CpuPort port) {
              forwarder.onBatchEnd(port);
            }
          };
      switch (config.mode()) {
        case POLL ->
            new PollingReceiver(host.core(1), config, List.of(driver.rxRing(0)), handler)
                .wakeAt(host.simulation().nowPs());
        case INTERRUPT ->
            new InterruptReceiver(host.core(1), driver, 0, handler).start(core, host.interrupts());
        case NAPI ->
            new NapiReceiver(host.core(1), driver, 0, handler).start(core, host.interrupts());
      }
    }

    /** Frames arrive back to back; the card may be gone before the last one has. */
    void run() {
      EthernetWire wire = new EthernetWire(nic.config().lineBitsPerSecond());
      List<byte[]> frames = DriverBench.randomFrames(random.nextLong(), FRAMES, 60, 1514);
      long nowPs = host.simulation().nowPs();
      long lastPs = nowPs;
      for (byte[] frame : frames) {
        long atPs = wire.transmit(frame.length, lastPs);
        at(atPs, () -> nic.onFrame(frame, 0, frame.length, atPs));
        lastPs = atPs;
      }
      if (removes) {
        at(nowPs + (long) (random.nextDouble() * 1.2 * (lastPs - nowPs)), slot::remove);
      }
      host.simulation().runUntil(lastPs + SETTLE_PS);
      for (String name : counters.names()) {
        outcome = 31 * outcome + counters.value(name);
      }
      outcome = 31 * outcome + handledTotal;
    }

    private void at(long atPs, Runnable action) {
      Event event =
          new Event() {
            @Override
            protected void onEvent(long nowPs) {
              action.run();
            }
          };
      host.simulation().schedule(event, atPs);
    }

    long accountedTotal() {
      long total = nic.framesInFifoCount();
      for (String what :
          List.of(
              "delivered",
              "missed",
              "no_descriptor",
              "bad",
              "filtered",
              "lost_to_fault",
              "lost_to_reset")) {
        total += counters.value("nic.rx_" + what + "_count");
      }
      return total;
    }

    /** Erases from a copy of memory what the device may write. */
    void forgetMapped(byte[] memory) {
      forget(memory, driver.rxRing(0).memory());
      forget(memory, driver.txRing(0).memory());
      for (int buffer = 0; buffer < pool.buffersCount(); buffer++) {
        forget(memory, pool.pa(buffer), pool.bufferBytes());
      }
    }

    private static void forget(byte[] memory, CoherentBuffer ring) {
      forget(memory, ring.pa(), ring.sizeBytes());
    }

    private static void forget(byte[] memory, long pa, int lengthBytes) {
      long index = pa < PhysicalMemory.HIGH_BASE ? pa : pa - PhysicalMemory.HIGH_BASE + HALF_BYTES;
      Arrays.fill(memory, (int) index, (int) index + lengthBytes, (byte) 0);
    }
  }
}
