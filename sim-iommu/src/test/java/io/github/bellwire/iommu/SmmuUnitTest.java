package io.github.bellwire.iommu;

import static io.github.bellwire.iommu.VendorMachine.COMMANDS;
import static io.github.bellwire.iommu.VendorMachine.CONTEXT;
import static io.github.bellwire.iommu.VendorMachine.DATA;
import static io.github.bellwire.iommu.VendorMachine.DEVICES;
import static io.github.bellwire.iommu.VendorMachine.EVENTS;
import static io.github.bellwire.iommu.VendorMachine.ROOT;
import static io.github.bellwire.iommu.VendorMachine.STATUS;
import static io.github.bellwire.iommu.layout.SmmuLayout.*;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.bellwire.iommu.layout.SmmuTableLayout;
import io.github.bellwire.iommu.queue.CommandConfig;
import io.github.bellwire.pcie.DmaStatus;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Registers, command queue and event queue of SMMUv3, driven by hand. */
class SmmuUnitTest {
  private static final long CONTEXT_WORD =
      16
          | SmmuTableLayout.CONTEXT_VALID
          | SmmuTableLayout.CONTEXT_AARCH64
          | SmmuTableLayout.CONTEXT_RECORDS
          | SmmuTableLayout.CONTEXT_ABORTS
          | 5L << 32
          | 5L << 48;
  private static final long PAGE =
      SmmuTableLayout.VALID
          | SmmuTableLayout.TABLE
          | SmmuTableLayout.ACCESSED
          | SmmuTableLayout.UNPRIVILEGED;
  private static final int ASID = 5;
  private static final int EVENT_BITS = 3;
  private static final int COMMAND_BITS = 8;

  private final VendorMachine machine = new VendorMachine(IommuPresets.SMMUV3_GRACE);
  private int producer;

  @BeforeEach
  void setUp() {
    long ste = DEVICES + machine.deviceId * 64L;
    machine.memory.putLong(ste, SmmuTableLayout.STREAM_VALID | 5 << 1 | CONTEXT);
    machine.memory.putLongs(CONTEXT, CONTEXT_WORD, ROOT);
    for (int level = 0; level < 3; level++) {
      machine.memory.putLong(ROOT + level * 0x1000L, ROOT + (level + 1) * 0x1000L | 3);
    }
    for (int page = 1; page < 5; page++) {
      map(page, DATA + page * 0x1000L | PAGE);
    }
    machine.write(STRTAB_BASE, 8, DEVICES);
    machine.write(STRTAB_BASE_CFG, 4, 16);
    machine.write(CMDQ_BASE, 8, COMMANDS | COMMAND_BITS);
    machine.write(EVTQ_BASE, 8, EVENTS | EVENT_BITS);
    machine.write(CR0, 4, CR0_ENABLE | CR0_EVENTS | CR0_COMMANDS);
  }

  private void map(int page, long entry) {
    machine.memory.putLong(ROOT + 0x3000 + page * 8L, entry);
  }

  private void command(long word0, long word1) {
    long pa = COMMANDS + (producer & (1 << COMMAND_BITS) - 1) * 16L;
    machine.core.store(pa, 8, word0);
    machine.core.store(pa + 8, 8, word1);
    producer = producer + 1 & (2 << COMMAND_BITS) - 1;
  }

  /** Adds a CMD_SYNC that writes 7 to the status word. */
  private void sync() {
    machine.core.store(STATUS, 4, 0);
    command(SYNC | SYNC_SIGNAL_MESSAGE << SYNC_SIGNAL_SHIFT | 7L << SYNC_DATA_SHIFT, STATUS);
  }

  private void kick() {
    machine.write(CMDQ_PROD, 4, producer);
  }

  private boolean awaitSync() {
    return machine.core.spinUntil(STATUS, 4, 7, 100_000_000) >= 0;
  }

  private long busyPs() {
    return machine.iommu.smmu().commands().busyPsTotal();
  }

  @Test
  void shouldShowWhatIsInEffect() {
    assertThat(machine.read(CR0ACK, 4)).isEqualTo(CR0_ENABLE | CR0_EVENTS | CR0_COMMANDS);
    assertThat(machine.read(IDR0, 4) & IDR0_STAGE_1).isNotZero();
    assertThat(machine.read(IDR5, 4)).isEqualTo(IDR5_GRANULES | IDR5_OUTPUT_48);
    assertThat(machine.read(IDR1, 4) & 0x3F).isEqualTo(16);
    assertThat(machine.deviceRead(0x1000)).isEqualTo(DmaStatus.OK);
  }

  @Test
  void shouldAbortWhileOffIfTold() {
    machine.write(CR0, 4, 0);
    assertThat(machine.deviceRead(0x9000)).isEqualTo(DmaStatus.OK); // Passes.
    machine.write(GBPA, 4, (GBPA_UPDATE | GBPA_ABORT) & 0xFFFF_FFFFL);
    assertThat(machine.read(GBPA, 4)).isEqualTo(GBPA_ABORT);
    assertThat(machine.deviceRead(0x9000)).isNotEqualTo(DmaStatus.OK);
    assertThat(machine.iommu.faultsTotal()).isZero();
  }

  /**
   * n invalidations and a CMD_SYNC: lines of four commands are fetched one after the other (the
   * first from a core's cache, all alike), each command takes 10 ns, and the synchronization begins
   * when the last one's 160 ns are over. From one to nine commands in all is from one line to
   * three.
   */
  @Test
  void shouldCompleteASyncOnlyBehindAllInvalidationsBeforeIt() {
    CommandConfig parts = CommandConfig.GRACE;
    long afterLast = parts.translationPs() + parts.syncPs();
    long[] fetchPs = new long[2];
    int[] counts = {1, 7}; // With the sync 2 commands in one line, 8 in two.
    for (int i = 0; i < counts.length; i++) {
      producer = 0;
      machine.write(CR0, 4, CR0_ENABLE | CR0_EVENTS);
      machine.write(CMDQ_CONS, 4, 0);
      machine.write(CMDQ_PROD, 4, 0);
      machine.write(CR0, 4, CR0_ENABLE | CR0_EVENTS | CR0_COMMANDS);
      for (int c = 0; c < counts[i]; c++) {
        command(TLBI_NH_VA | (long) ASID << ASID_SHIFT, (c + 1) * 0x1000L | TLBI_LEAF);
      }
      sync();
      long before = busyPs();
      kick();
      assertThat(awaitSync()).isTrue();
      fetchPs[i] = busyPs() - before - counts[i] * parts.commandPs() - afterLast;
    }
    assertThat(fetchPs[0]).isBetween(10_000L, 60_000L);
    assertThat(fetchPs[1]).isEqualTo(2 * fetchPs[0]);
    assertThat(machine.read(CMDQ_CONS, 4)).isEqualTo(8);
  }

  /** A batch of 64 costs one synchronization: 640 ns and 16 more lines, not 64 times 357 ns. */
  @Test
  void shouldOverlapTheCommandsOfABatch() {
    for (int i = 0; i < 64; i++) {
      command(TLBI_NH_VA | (long) ASID << ASID_SHIFT, i * 0x1000L | TLBI_LEAF);
    }
    sync();
    long before = busyPs();
    kick();
    assertThat(awaitSync()).isTrue();

    long perLine = (busyPs() - before - 64 * 10_000 - 320_000) / 17; // 65 commands are 17 lines.
    assertThat(perLine).isBetween(10_000L, 60_000L);
  }

  /** What is cached serves until the invalidation is acknowledged, and not behind the sync. */
  @Test
  void shouldForgetWhatCommandsName() {
    for (long iova = 0x1000; iova < 0x5000; iova += 0x1000) {
      machine.deviceRead(iova);
    }
    for (int page = 1; page < 5; page++) {
      map(page, 0);
      assertThat(machine.deviceRead(page * 0x1000L)).isEqualTo(DmaStatus.OK);
    }
    // Pages 2 and 3: NUM 1, that is 2 granules, SCALE 0.
    command(
        TLBI_NH_VA | (long) ASID << ASID_SHIFT | 1L << RANGE_NUMBER_SHIFT,
        0x2000 | 1 << GRANULE_SHIFT | TLBI_LEAF);
    sync();
    kick();
    assertThat(awaitSync()).isTrue();
    assertThat(machine.deviceRead(0x1000)).isEqualTo(DmaStatus.OK);
    assertThat(machine.deviceRead(0x2000)).isNotEqualTo(DmaStatus.OK);
    assertThat(machine.deviceRead(0x3000)).isNotEqualTo(DmaStatus.OK);
    assertThat(machine.deviceRead(0x4000)).isEqualTo(DmaStatus.OK);
    command(TLBI_NH_ASID | (long) (ASID + 1) << ASID_SHIFT, 0); // Another's.
    sync();
    kick();
    assertThat(awaitSync()).isTrue();
    assertThat(machine.deviceRead(0x1000)).isEqualTo(DmaStatus.OK);
    command(TLBI_NH_ASID | (long) ASID << ASID_SHIFT, 0);
    sync();
    kick();
    assertThat(awaitSync()).isTrue();
    assertThat(machine.deviceRead(0x1000)).isNotEqualTo(DmaStatus.OK);
  }

  @Test
  void shouldForgetConfigurationsByCommand() {
    machine.deviceRead(0x1000);
    machine.memory.putLong(DEVICES + machine.deviceId * 64L, 0);
    assertThat(machine.deviceRead(0x1000)).isEqualTo(DmaStatus.OK);
    command(CFGI_STE | (long) (machine.deviceId ^ 1) << STREAM_SHIFT, 1);
    sync();
    kick();
    assertThat(awaitSync()).isTrue();
    assertThat(machine.deviceRead(0x1000)).isEqualTo(DmaStatus.OK);
    command(CFGI_STE_RANGE | (long) (machine.deviceId & ~7) << STREAM_SHIFT, 2); // 2^3 streams.
    sync();
    kick();
    assertThat(awaitSync()).isTrue();
    assertThat(machine.deviceRead(0x1000)).isNotEqualTo(DmaStatus.OK);
  }

  @Test
  void shouldStopAtAnIllegalCommandAndGoOnWhenThatIsAcknowledged() {
    command(TLBI_NSNH_ALL, 0);
    command(0x7F, 0);
    sync();
    kick();
    assertThat(awaitSync()).isFalse();
    assertThat(machine.read(GERROR, 4) ^ machine.read(GERRORN, 4)).isEqualTo(GERROR_COMMAND);
    assertThat(machine.read(CMDQ_CONS, 4)).isEqualTo(1 | ERROR_ILLEGAL << CONS_ERROR_SHIFT);

    machine.core.store(COMMANDS + 16, 8, SYNC);
    machine.write(GERRORN, 4, machine.read(GERROR, 4));

    assertThat(awaitSync()).isTrue();
    assertThat(machine.read(CMDQ_CONS, 4) & 0xFF_FFFF).isEqualTo(3);
  }

  @Test
  void shouldReportATimeoutOfADeviceBehindTheSync() {
    machine.device.answersInvalidations = false;
    command(ATC_INV | (long) machine.deviceId << STREAM_SHIFT, 52);
    sync();
    kick();
    machine.core.delay(20_000_000_000L);
    assertThat(machine.read(CMDQ_CONS, 4)).isEqualTo(1 | ERROR_DEVICE_TIMEOUT << CONS_ERROR_SHIFT);
    machine.write(GERRORN, 4, machine.read(GERROR, 4));
    assertThat(awaitSync()).isTrue();
  }

  /** Records in memory: number, stream, direction, address. */
  @Test
  void shouldRecordEvents() {
    map(2, DATA | PAGE | SmmuTableLayout.READ_ONLY);
    map(3, DATA | PAGE & ~SmmuTableLayout.ACCESSED);
    machine.deviceRead(0x7008);
    machine.deviceWrite(0x2010);
    machine.deviceRead(0x3000);
    machine.memory.putLong(CONTEXT, 0);
    machine.iommu.smmu().translation().caches().invalidateContexts(0);
    machine.deviceRead(0x1000);

    assertThat(machine.read(EVTQ_PROD, 4)).isEqualTo(4);
    long stream = (long) machine.deviceId << STREAM_SHIFT;
    assertThat(machine.memory.getLong(EVENTS)).isEqualTo(stream | 0x10);
    assertThat(machine.memory.getLong(EVENTS + 8)).isEqualTo(EVENT_READ | EVENT_CLASS_INPUT);
    assertThat(machine.memory.getLong(EVENTS + 16)).isEqualTo(0x7008);
    assertThat(machine.memory.getLong(EVENTS + 32)).isEqualTo(stream | 0x13);
    assertThat(machine.memory.getLong(EVENTS + 40)).isEqualTo(EVENT_CLASS_INPUT);
    assertThat(machine.memory.getLong(EVENTS + 48)).isEqualTo(0x2010);
    assertThat(machine.memory.getLong(EVENTS + 64)).isEqualTo(stream | 0x12);
    assertThat(machine.memory.getLong(EVENTS + 96)).isEqualTo(stream | 0x0A);
    assertThat(machine.memory.getLong(EVENTS + 104) & 3L << 40).isZero();
  }

  /** Eight records fit; the ninth toggles the overflow flag once, until it is acknowledged. */
  @Test
  void shouldLoseEventsWhenTheQueueIsFullAndSaySo() {
    for (int i = 0; i < 10; i++) {
      machine.deviceRead(0x7000 + i * 64L);
    }
    assertThat(machine.read(EVTQ_PROD, 4)).isEqualTo(0x8000_0008L);
    assertThat(machine.iommu.faultsDroppedTotal()).isEqualTo(2);
    machine.write(EVTQ_CONS, 4, 0x8000_0008L);
    machine.deviceRead(0x7000);
    assertThat(machine.read(EVTQ_PROD, 4)).isEqualTo(0x8000_0009L);
    assertThat(machine.memory.getLong(EVENTS + 16)).isEqualTo(0x7000); // Wrapped round.
  }

  @Test
  void shouldInterruptACoreForEventsAndErrors() {
    int[] events = machine.countMessages(EVTQ_IRQ_CFG0, EVTQ_IRQ_CFG1);
    int[] errors = machine.countMessages(GERROR_IRQ_CFG0, GERROR_IRQ_CFG1);
    machine.deviceRead(0x7000);
    assertThat(events[0]).isZero(); // Not asked for.
    machine.write(IRQ_CTRL, 4, IRQ_EVENTS | IRQ_ERRORS);
    machine.deviceRead(0x7000);
    assertThat(events[0]).isEqualTo(1);
    command(0x7F, 0);
    kick();
    machine.core.delay(10_000_000);
    assertThat(errors[0]).isEqualTo(1);
    assertThat(events[0]).isEqualTo(1);
  }

  /**
   * Commands come mostly to the place read next, where a command in error would hold up the others.
   */
  @Test
  void shouldNotThrowWhateverIsInTheQueue() {
    long seed = 0xC0DE;
    Random random = new Random(seed);
    for (int round = 0; round < 20_000; round++) {
      long code = random.nextBoolean() ? random.nextInt(0x50) : random.nextInt(256);
      long word0 = random.nextLong() & ~0xFFL | code;
      if (random.nextBoolean()) {
        word0 = word0 & 0xFFFF_FFFFL | (long) machine.deviceId << STREAM_SHIFT;
      }
      int next = (int) machine.read(CMDQ_CONS, 4) & 0xFF;
      long pa = COMMANDS + (random.nextInt(4) > 0 ? next : random.nextInt(256)) * 16L;
      boolean isElsewhere = (code & 0xFF) == SYNC;
      machine.memory.putLong(pa, word0);
      machine.memory.putLong(pa + 8, isElsewhere ? STATUS : random.nextLong());
      long now = machine.host.simulation().nowPs();
      machine.iommu.registers().write(CMDQ_PROD, 4, random.nextInt(), now);
      machine
          .iommu
          .registers()
          .write(GERRORN, 4, machine.iommu.registers().read(GERROR, 4, now), now);
      if (random.nextInt(16) == 0) {
        machine.iommu.registers().write(random.nextInt(0xE00 / 4) * 4 & ~0x1F, 4, 0, now);
        setRegisters(now);
      }
      machine.pause(random);
    }
    machine.core.delay(1_000_000_000);
    assertThat(machine.iommu.smmu().commands().commandsTotal())
        .as("seed %x", seed)
        .isGreaterThan(1_000);
    assertThat(machine.memory.getLong(DATA)).isZero();
  }

  private void setRegisters(long now) {
    machine.iommu.registers().write(CMDQ_BASE, 8, COMMANDS | COMMAND_BITS, now);
    machine.iommu.registers().write(CR0, 4, CR0_ENABLE | CR0_EVENTS | CR0_COMMANDS, now);
  }
}
