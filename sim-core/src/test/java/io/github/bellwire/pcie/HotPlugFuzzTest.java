package io.github.bellwire.pcie;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.bellwire.cache.FixedCaches;
import io.github.bellwire.kernel.Simulation;
import io.github.bellwire.memory.CommitQueue;
import io.github.bellwire.memory.PhysicalMemory;
import io.github.bellwire.pcie.PcieLinkConfig.DllpCharge;
import io.github.bellwire.pcie.RootComplexConfig.PeerToPeer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.zip.CRC32;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * Short lives of a device on a bad link that is pulled out, put in and reset while its DMA is under
 * way: nothing throws, every operation ends once and with a status, memory outside the mapped
 * buffer stays as it was, and the same seed gives the same outcome.
 */
class HotPlugFuzzTest {
  private static final int RUNS = 10_000;
  private static final int REPEATED_EVERY = 50;
  private static final long LIFE_PS = 20_000_000;
  private static final int MEMORY_BYTES = 2 << 20;
  private static final int BUFFER = 0x1_0000;
  private static final int BUFFER_BYTES = 0x2000;
  private static final int GUARD_BYTES = 0x2000;

  // Shared by all runs, so that pages need not be made 10 000 times.
  private final PhysicalMemory memory = new PhysicalMemory(MEMORY_BYTES, 0);
  private final byte[] guarded = new byte[BUFFER_BYTES + 2 * GUARD_BYTES];
  private final byte[] pattern = new byte[BUFFER_BYTES + 2 * GUARD_BYTES];

  HotPlugFuzzTest() {
    Arrays.fill(pattern, (byte) 0xA5);
  }

  @Test
  void shouldSurviveRandomRemovalsResetsAndFaults() {
    int[] endings = new int[DmaStatus.values().length];
    long removals = 0;
    long resets = 0;
    for (int seed = 1; seed <= RUNS; seed++) {
      Life life = live(seed);
      for (Operation operation : life.operations) {
        endings[operation.status().ordinal()]++;
      }
      removals += life.removals;
      resets += life.resets;
      if (seed % REPEATED_EVERY == 0) {
        assertThat(live(seed).outcome).as("seed %d", seed).isEqualTo(life.outcome);
      }
    }
    assertRestOfMemoryIsUntouched();

    // What the test is about does happen.
    assertThat(removals).isGreaterThan(RUNS / 4);
    assertThat(resets).isGreaterThan(RUNS / 10);
    for (DmaStatus status : DmaStatus.values()) {
      assertThat(endings[status.ordinal()]).as("%s", status).isPositive();
    }
  }

  private Life live(long seed) {
    memory.copyIn(BUFFER - GUARD_BYTES, pattern, 0, pattern.length);
    Life life = new Life(seed, memory);
    try {
      life.run();
    } catch (RuntimeException | AssertionError e) {
      throw new AssertionError("seed " + seed, e);
    }
    for (Operation operation : life.operations) {
      assertThat(operation.endings).as("seed %d, endings", seed).isEqualTo(1);
    }
    memory.copyOut(BUFFER - GUARD_BYTES, guarded, 0, guarded.length);
    int last = GUARD_BYTES + BUFFER_BYTES;
    assertThat(Arrays.mismatch(guarded, 0, GUARD_BYTES, pattern, 0, GUARD_BYTES))
        .as("seed %d, before the buffer", seed)
        .isEqualTo(-1);
    assertThat(Arrays.mismatch(guarded, last, guarded.length, pattern, last, pattern.length))
        .as("seed %d, behind the buffer", seed)
        .isEqualTo(-1);
    CRC32 crc = new CRC32();
    crc.update(guarded);
    life.outcome = 31 * life.outcome + crc.getValue();
    return life;
  }

  private void assertRestOfMemoryIsUntouched() {
    byte[] all = new byte[MEMORY_BYTES];
    memory.copyOut(0, all, 0, MEMORY_BYTES);
    Arrays.fill(all, BUFFER - GUARD_BYTES, BUFFER + BUFFER_BYTES + GUARD_BYTES, (byte) 0);
    assertThat(Arrays.mismatch(all, new byte[MEMORY_BYTES])).isEqualTo(-1);
  }

  /** An access of the device, from its call to the time at which it ends. */
  private static final class Operation {
    final long donePs;
    final long sentPs;
    final boolean isPosted;
    private @Nullable DmaStatus status;
    private final DmaStatus answered;
    int endings;

    Operation(DmaPort dma, long donePs, boolean isPosted) {
      this.donePs = donePs;
      this.isPosted = isPosted;
      sentPs = isPosted ? dma.sentPs() : Long.MAX_VALUE;
      answered = dma.status();
    }

    void end(long nowPs) {
      if (status == null && donePs <= nowPs) {
        status = answered;
        endings++;
      }
    }

    /** The device has lost its link or its state. */
    void cut(long nowPs) {
      end(nowPs);
      if (status == null) {
        boolean hasLeft = isPosted && sentPs <= nowPs;
        status = hasLeft ? answered : DmaStatus.LINK_DOWN;
        endings++;
      }
    }

    DmaStatus status() {
      return status == null ? DmaStatus.OK : status;
    }
  }

  /** One machine from power-on to the end. */
  private static final class Life implements Endpoint {
    final List<Operation> operations = new ArrayList<>();
    long removals;
    long resets;
    long outcome;

    private final SplittableRandom random;
    private final Simulation simulation;
    private final RootComplex rootComplex;
    private final DownstreamPort slot;
    private final MemoryEndpoint neighbour = new MemoryEndpoint();
    private final BusEnumerator firmware = new BusEnumerator(EnumerationConfig.XEON);
    private final MmioResult answer = new MmioResult();
    private final byte[] data = new byte[2048];
    private final byte[] received = new byte[2048];
    private long register;
    private @Nullable DmaPort dma;
    private final ConfigSpace config =
        new ConfigSpaceBuilder(0x1AF4, 0x1002)
            .bar(Bar.memory64(0, 4096))
            .pcie(0x40, 5, 16, 512, true)
            .functionLevelReset()
            .advancedErrorReporting(0x100)
            .build();

    Life(long seed, PhysicalMemory memory) {
      random = new SplittableRandom(seed);
      simulation = new Simulation(seed);
      rootComplex =
          new RootComplex(
              new RootComplexConfig(100_000, 50_000).withPeerToPeer(PeerToPeer.FORWARDED),
              simulation,
              memory,
              new CommitQueue(simulation, memory),
              new FixedCaches(),
              Life::translate,
              (requesterId, address, value, atPs) -> outcome = 31 * outcome + atPs + value);
      PcieLinkConfig link = link();
      SlotConfig slotConfig =
          SlotConfig.SURPRISE.withLinkUpPs(500_000).withSurpriseExpected(random.nextBoolean());
      if (random.nextBoolean()) {
        Switch packetSwitch = rootComplex.attach(SwitchConfig.PEX89048);
        slot = packetSwitch.addSlot(slotConfig, link);
        packetSwitch.attach(neighbour, link);
      } else {
        slot = rootComplex.addSlot(slotConfig, link);
        rootComplex.attach(neighbour, link);
      }
      slot.insert(this);
      simulation.runUntil(500_000);
      firmware.enumerate(rootComplex);
      start();
      random.nextBytes(data);
    }

    /** Only the buffer is mapped. */
    private static void translate(TranslationRequest request, TranslationResult result) {
      long iova = request.iova();
      boolean isMapped = iova >= BUFFER && iova + request.lengthBytes() <= BUFFER + BUFFER_BYTES;
      if (isMapped || iova >= 1L << 32) {
        result.translated(iova, request.atPs());
      } else {
        result.refused(DmaStatus.COMPLETER_ABORT, request.atPs());
      }
    }

    private PcieLinkConfig link() {
      LinkFaultConfig faults = LinkFaultConfig.NONE;
      if (random.nextInt(2) == 0) {
        faults =
            faults
                .withBitErrorRatio(random.nextInt(3) * 1e-5)
                .withPoisonedRatio(random.nextInt(3) * 0.02)
                .withCorruptedRatio(random.nextInt(3) * 0.02)
                .withMalformedRatio(random.nextInt(3) * 0.02)
                .withLostRatio(random.nextInt(3) * 0.02);
      }
      return PcieLinkConfig.GEN3_X8
          .withDllpCharge(DllpCharge.NONE)
          .withEcrc(random.nextBoolean())
          .withFaults(faults);
    }

    void run() {
      int actions = 6 + random.nextInt(10);
      for (int i = 0; i < actions; i++) {
        simulation.runUntil(simulation.nowPs() + random.nextInt((int) LIFE_PS / actions));
        endAll();
        act();
      }
      simulation.run();
      for (Operation operation : operations) {
        simulation.runUntil(operation.donePs); // Not all of them schedule anything.
      }
      endAll();
      for (Operation operation : operations) {
        outcome = 31 * outcome + operation.status().ordinal();
        outcome = 31 * outcome + operation.donePs;
      }
      outcome = 31 * outcome + slot.configSpace().read(0x104, 4);
      outcome = 31 * outcome + config.read(0x104, 4);
    }

    private void act() {
      long nowPs = simulation.nowPs();
      int choice = random.nextInt(100);
      if (choice < 60) {
        for (int i = random.nextInt(4); i >= 0; i--) {
          access(nowPs);
        }
      } else if (choice < 70) {
        pullOrPut();
      } else if (choice < 78) {
        config.write(0x48, 2, config.read(0x48, 2) | 1 << 15);
        resets += config.isSilent() ? 1 : 0;
      } else if (choice < 88) {
        firmware.enumerateSlot(rootComplex, slot);
        start();
      } else {
        // A core polls and rings, whether the device is there or not.
        long bar = slot.configSpace().bridge().prefetchableBase();
        rootComplex.mmioWrite(bar + 8, 4, choice, nowPs);
        rootComplex.mmioRead(bar, 8, nowPs, answer);
        outcome = 31 * outcome + answer.value();
        neighbour.enableBusMaster();
        neighbour.dma().write(bar, data, 0, 600, simulation.nowPs());
      }
    }

    private void pullOrPut() {
      if (!slot.isEmpty()) {
        slot.remove();
        removals++;
      } else if (!slot.isOccupied()) {
        slot.insert(this);
      }
    }

    private void start() {
      if (!config.isSilent()) {
        config.write(ConfigLayout.COMMAND, 2, 0x0106);
        config.write(0x48, 2, 0x2850 | 0xF);
      }
    }

    private void access(long nowPs) {
      DmaPort port = dma;
      if (port == null) {
        return;
      }
      int length = 1 + random.nextInt(1500);
      long address = address(length);
      switch (random.nextInt(5)) {
        case 0, 1 -> {
          long donePs = port.read(address, received, 0, length, nowPs);
          operations.add(new Operation(port, donePs, false));
        }
        case 2, 3 -> {
          long donePs = port.write(address, data, 0, length, nowPs);
          operations.add(new Operation(port, donePs, true));
        }
        default -> {
          long donePs = port.sendMessage(RootComplex.INTERRUPT_BASE, 1, nowPs);
          operations.add(new Operation(port, donePs, true));
        }
      }
    }

    private long address(int length) {
      return switch (random.nextInt(8)) {
        case 0 -> BUFFER - 1 - random.nextInt(GUARD_BYTES); // not mapped, or not all of it
        case 1 -> BUFFER + BUFFER_BYTES - random.nextInt(length);
        case 2 -> neighbour.barAddress() + random.nextInt(MemoryEndpoint.BAR_BYTES);
        case 3 -> 1L << 40; // nobody's
        default -> BUFFER + random.nextInt(BUFFER_BYTES - length);
      };
    }

    private void endAll() {
      for (Operation operation : operations) {
        operation.end(simulation.nowPs());
      }
    }

    private void cutAll(long nowPs) {
      for (Operation operation : operations) {
        operation.cut(nowPs);
      }
    }

    @Override
    public ConfigSpace configSpace() {
      return config;
    }

    @Override
    public void connect(DmaPort port) {
      dma = port;
    }

    @Override
    public long mmioRead(int bar, long offset, int sizeBytes, long nowPs) {
      return register;
    }

    @Override
    public void mmioWrite(int bar, long offset, int sizeBytes, long value, long nowPs) {
      register = 31 * register + value;
      access(nowPs);
    }

    @Override
    public void reset(long nowPs) {
      cutAll(nowPs);
      register = 0;
      config.reset();
    }

    @Override
    public long functionResetPs() {
      return 1_000_000;
    }

    @Override
    public void linkDown(long nowPs) {
      cutAll(nowPs);
    }
  }
}
