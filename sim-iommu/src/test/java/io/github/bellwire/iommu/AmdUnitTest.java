package io.github.bellwire.iommu;

import static io.github.bellwire.iommu.VendorMachine.COMMANDS;
import static io.github.bellwire.iommu.VendorMachine.DATA;
import static io.github.bellwire.iommu.VendorMachine.DEVICES;
import static io.github.bellwire.iommu.VendorMachine.EVENTS;
import static io.github.bellwire.iommu.VendorMachine.ROOT;
import static io.github.bellwire.iommu.VendorMachine.STATUS;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.bellwire.iommu.layout.AmdLayout;
import io.github.bellwire.iommu.queue.CommandConfig;
import io.github.bellwire.kernel.Event;
import io.github.bellwire.kernel.Simulation;
import io.github.bellwire.memory.LittleEndian;
import io.github.bellwire.pcie.DmaStatus;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Registers, command buffer and event log of AMD-Vi, driven by hand. */
class AmdUnitTest {
  private static final long RIGHTS = AmdLayout.READ | AmdLayout.WRITE;
  private static final long PAGE = AmdLayout.PAGE_PRESENT | RIGHTS;
  private static final long LENGTH_256 = 8L << AmdLayout.RING_LENGTH_SHIFT;
  private static final int DOMAIN = 5;
  private static final long RUNNING =
      AmdLayout.CONTROL_ENABLE | AmdLayout.CONTROL_EVENT_LOG | AmdLayout.CONTROL_COMMANDS;

  private final VendorMachine machine = new VendorMachine(IommuPresets.AMD_MILAN);
  private final long entryPa = DEVICES + machine.deviceId * 32L;
  private int tail;

  @BeforeEach
  void setUp() {
    machine.memory.putLongs(entryPa, ROOT | 4 << 9 | 3 | RIGHTS, DOMAIN);
    for (int level = 4; level > 1; level--) {
      long next = ROOT + (5 - level) * 0x1000L;
      machine.memory.putLong(ROOT + (4 - level) * 0x1000L, next | (level - 1) << 9 | PAGE);
    }
    for (int page = 1; page < 5; page++) {
      map(page, DATA + page * 0x1000L | PAGE);
    }
    machine.write(AmdLayout.DEVICE_TABLE_BASE, 8, DEVICES | 0x1FF);
    machine.write(AmdLayout.COMMAND_BASE, 8, COMMANDS | LENGTH_256);
    machine.write(AmdLayout.EVENT_BASE, 8, EVENTS | LENGTH_256);
    machine.write(AmdLayout.CONTROL, 8, RUNNING);
  }

  private void map(int page, long entry) {
    machine.memory.putLong(ROOT + 0x3000 + page * 8L, entry);
  }

  private void command(int code, long word0, long word1) {
    machine.core.store(COMMANDS + tail * 16L, 8, word0 | (long) code << AmdLayout.CODE_SHIFT);
    machine.core.store(COMMANDS + tail * 16L + 8, 8, word1);
    tail = tail + 1 & 0xFF;
  }

  private boolean submit() {
    machine.core.store(STATUS, 8, 0);
    command(AmdLayout.COMPLETION_WAIT, STATUS | AmdLayout.WAIT_STORE, 7);
    machine.write(AmdLayout.COMMAND_TAIL, 8, tail * 16L);
    return machine.core.spinUntil(STATUS, 8, 7, 100_000_000) >= 0;
  }

  private static long domain() {
    return (long) DOMAIN << AmdLayout.DOMAIN_SHIFT;
  }

  /**
   * Three directory entries are read for the first page. With the PDE flag they are forgotten with
   * it, and the next page walks four levels; without it one read is enough.
   */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldKeepDirectoriesUnlessTheyAreToBeDropped(boolean dropsDirectories) {
    machine.deviceRead(0x1000);
    long flags = dropsDirectories ? AmdLayout.PAGES_DIRECTORIES : 0;
    command(AmdLayout.INVALIDATE_PAGES, domain(), 0x1000 | flags);
    assertThat(submit()).isTrue();
    long before = machine.iommu.statistics().memoryAccessesTotal();

    assertThat(machine.deviceRead(0x1000)).isEqualTo(DmaStatus.OK);

    long reads = machine.iommu.statistics().memoryAccessesTotal() - before;
    assertThat(reads).isEqualTo(dropsDirectories ? 4 : 1);
  }

  /** Bit 12 is 1 and bit 13 is 0: 2^(13 + 1) bytes, pages 0 to 3. */
  @Test
  void shouldForgetARangeOfAnyPowerOfTwo() {
    for (int page = 1; page < 5; page++) {
      machine.deviceRead(page * 0x1000L);
      map(page, 0);
    }
    command(AmdLayout.INVALIDATE_PAGES, domain(), 0x1000 | AmdLayout.PAGES_SIZE);
    assertThat(submit()).isTrue();
    for (int page = 1; page < 4; page++) {
      assertThat(machine.deviceRead(page * 0x1000L)).isNotEqualTo(DmaStatus.OK);
    }
    assertThat(machine.deviceRead(0x4000)).isEqualTo(DmaStatus.OK);
    long all = Long.MAX_VALUE & -0x1000L | AmdLayout.PAGES_SIZE;
    command(AmdLayout.INVALIDATE_PAGES, domain() + (1L << 32), all); // Another domain's.
    assertThat(submit()).isTrue();
    assertThat(machine.deviceRead(0x4000)).isEqualTo(DmaStatus.OK);
    command(AmdLayout.INVALIDATE_PAGES, domain(), all | AmdLayout.PAGES_DIRECTORIES);
    assertThat(submit()).isTrue();
    assertThat(machine.deviceRead(0x4000)).isNotEqualTo(DmaStatus.OK);
  }

  @Test
  void shouldForgetDevicesByCommand() {
    machine.deviceRead(0x1000);
    machine.memory.putLong(entryPa, 3);
    command(AmdLayout.INVALIDATE_DEVICE, machine.deviceId ^ 1, 0);
    assertThat(submit()).isTrue();
    assertThat(machine.deviceRead(0x1000)).isEqualTo(DmaStatus.OK);
    command(AmdLayout.INVALIDATE_DEVICE, machine.deviceId, 0);
    command(AmdLayout.INVALIDATE_INTERRUPTS, machine.deviceId, 0);
    assertThat(submit()).isTrue();
    assertThat(machine.deviceRead(0x1000)).isNotEqualTo(DmaStatus.OK);
    machine.memory.putLong(entryPa, ROOT | 4 << 9 | 3 | RIGHTS);
    command(AmdLayout.INVALIDATE_ALL, 0, 0);
    assertThat(submit()).isTrue();
    assertThat(machine.deviceRead(0x1000)).isEqualTo(DmaStatus.OK);
  }

  @Test
  void shouldSeeACommandThatADeviceHasWritten() {
    map(5, COMMANDS | PAGE);
    byte[] wait = new byte[16];
    long code = (long) AmdLayout.COMPLETION_WAIT << AmdLayout.CODE_SHIFT;
    LittleEndian.putLong(wait, 0, STATUS | AmdLayout.WAIT_STORE | code);
    LittleEndian.putLong(wait, 8, 7);
    Simulation simulation = machine.host.simulation();
    long commitPs = machine.device.dma().writeStatus(0x5000, wait, 0, 16, simulation.nowPs());
    Event doorbell =
        new Event() {
          @Override
          protected void onEvent(long nowPs) {
            machine.iommu.registers().write(AmdLayout.COMMAND_TAIL, 8, 16, nowPs);
          }
        };
    simulation.schedule(doorbell, commitPs);
    simulation.run();
    assertThat(machine.memory.getLong(STATUS)).isEqualTo(7);
  }

  /** Invalidation 340 ns behind its 10 ns, the wait 50 ns more; the rest is the fetch of a line. */
  @Test
  void shouldCompleteAWaitOnlyBehindAllBeforeIt() {
    CommandConfig parts = CommandConfig.EPYC;
    command(AmdLayout.INVALIDATE_PAGES, domain(), 0x1000);
    long before = machine.iommu.amd().commands().busyPsTotal();
    assertThat(submit()).isTrue();
    long busyPs = machine.iommu.amd().commands().busyPsTotal() - before;
    long steps = parts.commandPs() + parts.translationPs() + parts.syncPs();
    assertThat(busyPs - steps).isBetween(10_000L, 60_000L);
    assertThat(machine.read(AmdLayout.COMMAND_HEAD, 8)).isEqualTo(32);
  }

  @Test
  void shouldLogEvents() {
    map(2, DATA | AmdLayout.PAGE_PRESENT | AmdLayout.READ);
    machine.deviceRead(0x7008);
    machine.deviceWrite(0x2010);
    machine.memory.putLong(entryPa, ROOT | 6 << 9 | 3 | RIGHTS);
    command(AmdLayout.INVALIDATE_DEVICE, machine.deviceId, 0);
    submit();
    machine.deviceRead(0x1000);

    assertThat(machine.read(AmdLayout.EVENT_TAIL, 8)).isEqualTo(3 * 16);
    long id = machine.deviceId;
    assertThat(machine.memory.getLong(EVENTS)).isEqualTo(2L << 60 | id);
    assertThat(machine.memory.getLong(EVENTS + 8)).isEqualTo(0x7008);
    long denied = AmdLayout.EVENT_PRESENT | AmdLayout.EVENT_WRITE | AmdLayout.EVENT_DENIED;
    assertThat(machine.memory.getLong(EVENTS + 16)).isEqualTo(2L << 60 | denied | id);
    assertThat(machine.memory.getLong(EVENTS + 24)).isEqualTo(0x2010);
    assertThat(machine.memory.getLong(EVENTS + 32)).isEqualTo(1L << 60 | id);
    int expected =
        AmdLayout.STATUS_EVENT_INTERRUPT
            | AmdLayout.STATUS_EVENT_RUNNING
            | AmdLayout.STATUS_COMMANDS_RUNNING;
    assertThat(machine.read(AmdLayout.STATUS, 4)).isEqualTo(expected);
  }

  /** Of 256 entries one stays free; the 256th event is lost, and all until software restarts. */
  @Test
  void shouldStopLoggingWhenTheLogIsFull() {
    for (int i = 0; i < 257; i++) {
      machine.deviceRead(0x7000);
    }
    assertThat(machine.read(AmdLayout.STATUS, 4) & AmdLayout.STATUS_EVENT_OVERFLOW).isNotZero();
    assertThat(machine.read(AmdLayout.STATUS, 4) & AmdLayout.STATUS_EVENT_RUNNING).isZero();
    assertThat(machine.iommu.faultsDroppedTotal()).isEqualTo(2);
    machine.write(AmdLayout.EVENT_HEAD, 8, 255 * 16);
    machine.deviceRead(0x7000);
    assertThat(machine.iommu.faultsDroppedTotal()).isEqualTo(3);
    machine.write(AmdLayout.CONTROL, 8, RUNNING & ~AmdLayout.CONTROL_EVENT_LOG);
    machine.write(AmdLayout.STATUS, 8, AmdLayout.STATUS_EVENT_OVERFLOW);
    machine.write(AmdLayout.CONTROL, 8, RUNNING);
    machine.deviceRead(0x7000);
    assertThat(machine.iommu.faultsDroppedTotal()).isEqualTo(3);
  }

  @Test
  void shouldStopAtAnIllegalCommandUntilItIsSwitchedOnAgain() {
    command(0xF, 0, 0);
    assertThat(submit()).isFalse();
    int running = AmdLayout.STATUS_COMMANDS_RUNNING;
    assertThat(machine.read(AmdLayout.STATUS, 4) & running).isZero();
    assertThat(machine.memory.getLong(EVENTS) >>> 60).isEqualTo(AmdLayout.ILLEGAL_COMMAND);
    assertThat(machine.memory.getLong(EVENTS + 8)).isEqualTo(COMMANDS);

    machine.core.store(COMMANDS, 8, (long) AmdLayout.COMPLETION_WAIT << 60);
    machine.write(AmdLayout.CONTROL, 8, RUNNING & ~AmdLayout.CONTROL_COMMANDS);
    machine.write(AmdLayout.CONTROL, 8, RUNNING);

    assertThat(machine.core.spinUntil(STATUS, 8, 7, 100_000_000)).isNotNegative();
  }

  @Test
  void shouldInterruptACoreForEventsAndCompletions() {
    int[] messages = machine.countMessages(AmdLayout.MESSAGE_ADDRESS_LOW, AmdLayout.MESSAGE_DATA);
    machine.deviceRead(0x7000);
    assertThat(messages[0]).isZero(); // Not asked for.
    machine.write(AmdLayout.STATUS, 8, AmdLayout.STATUS_EVENT_INTERRUPT);
    long asked = AmdLayout.CONTROL_EVENT_INTERRUPT | AmdLayout.CONTROL_COMPLETION_INTERRUPT;
    machine.write(AmdLayout.CONTROL, 8, RUNNING | asked);
    machine.deviceRead(0x7000);
    assertThat(messages[0]).isEqualTo(1);
    machine.deviceRead(0x7000); // The first one has not been cleared.
    assertThat(messages[0]).isEqualTo(1);
    command(AmdLayout.COMPLETION_WAIT, AmdLayout.WAIT_INTERRUPT, 0);
    submit();
    machine.core.delay(10_000_000);
    assertThat(messages[0]).isEqualTo(2);
    assertThat(machine.read(AmdLayout.STATUS, 4) & AmdLayout.STATUS_COMPLETION_INTERRUPT)
        .isNotZero();
  }

  @Test
  void shouldLogATimeoutOfADevice() {
    machine.device.answersInvalidations = false;
    command(AmdLayout.INVALIDATE_DEVICE_TLB, machine.deviceId, Long.MAX_VALUE & -0x1000L | 1);
    submit();
    machine.core.delay(20_000_000_000L);
    assertThat(machine.memory.getLong(EVENTS)).isEqualTo(7L << 60 | machine.deviceId);
    assertThat(machine.core.load(STATUS, 8)).isEqualTo(7); // Given up, not waited for for ever.
  }

  /**
   * Commands come mostly to the place read next, where a command in error would hold up the others.
   */
  @Test
  void shouldNotThrowWhateverIsInTheBuffer() {
    long seed = 0xA3D2;
    Random random = new Random(seed);
    for (int round = 0; round < 20_000; round++) {
      long code = 1 + random.nextInt(8);
      long word0 = random.nextLong() >>> 4 | code << AmdLayout.CODE_SHIFT;
      if (random.nextBoolean()) {
        word0 = word0 & ~0xFFFFL | machine.deviceId;
      }
      if (code == AmdLayout.COMPLETION_WAIT) {
        word0 = code << AmdLayout.CODE_SHIFT | STATUS | random.nextInt(8);
      }
      long next = machine.read(AmdLayout.COMMAND_HEAD, 8);
      long pa = COMMANDS + (random.nextInt(4) > 0 ? next : random.nextInt(256) * 16L);
      machine.memory.putLong(pa, word0);
      machine.memory.putLong(pa + 8, random.nextLong());
      long now = machine.host.simulation().nowPs();
      var registers = machine.iommu.registers();
      registers.write(AmdLayout.COMMAND_TAIL, 8, random.nextInt(), now);
      registers.write(AmdLayout.CONTROL, 8, RUNNING & ~AmdLayout.CONTROL_COMMANDS, now);
      registers.write(AmdLayout.CONTROL, 8, RUNNING, now);
      machine.pause(random);
    }
    machine.core.delay(1_000_000_000);
    assertThat(machine.iommu.amd().commands().commandsTotal())
        .as("seed %x", seed)
        .isGreaterThan(20_000);
    assertThat(machine.memory.getLong(DATA)).isZero();
  }
}
