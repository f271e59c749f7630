package io.github.bellwire.iommu;

import static io.github.bellwire.iommu.TestMachine.DATA;
import static io.github.bellwire.iommu.TestMachine.ROOT;
import static io.github.bellwire.iommu.TestMachine.secondPa;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.bellwire.iommu.walk.ReferenceWalk;
import io.github.bellwire.memory.PhysicalMemory;
import io.github.bellwire.pcie.DmaStatus;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * A device writes by tables into which nonsense has been written: its bytes arrive where a walk
 * that is as simple as can be says, or nowhere, and no other byte of memory changes.
 */
class CorruptWritesTest {
  private static final long SEED = 20261129;
  private static final int ROUNDS = 300;
  private static final int PAGES = 8;
  private static final int PAGE_BYTES = 4096;
  private static final int WRITE_BYTES = 64;

  /** Tables, queue and data lie from ROOT to here. */
  private static final long END = DATA + PAGES * PAGE_BYTES;

  private final TestMachine machine = new TestMachine().legacy(0);
  private final PhysicalMemory memory = machine.memory;
  private final ReferenceWalk reference =
      new ReferenceWalk(
          memory,
          machine.iommu.config().translation().capabilities().hostAddressBits(),
          machine.iommu.config().translation().capabilities().addressWidths());
  private final Random random = new Random(SEED);
  private final byte[] before = new byte[(int) (END - ROOT)];
  private final byte[] after = new byte[(int) (END - ROOT)];
  private final byte[] page = new byte[PAGE_BYTES];

  @Test
  void shouldChangeNoByteButThoseThatTheTablesSay() {
    for (int i = 0; i < PAGES; i++) {
      machine.map(i * 0x1000L, DATA + i * 0x1000L, 3);
    }
    long[] entries = entries();
    long[] good = Arrays.stream(entries).map(memory::getLong).toArray();
    int arrived = 0;
    for (int round = 0; round < ROUNDS; round++) {
      int spoilt = random.nextInt(entries.length);
      memory.putLong(entries[spoilt], nonsense(good[spoilt]));
      machine.flushAll();
      arrived += write(round) ? 1 : 0;
      for (int i = 0; i < entries.length; i++) {
        memory.putLong(entries[i], good[i]);
      }
    }
    assertThat(arrived).as("seed %d", SEED).isBetween(ROUNDS / 5, ROUNDS * 9 / 10);
  }

  private long[] entries() {
    long[] entries = new long[6 + PAGES];
    entries[0] = machine.rootPa();
    entries[1] = machine.contextPa();
    entries[2] = machine.contextPa() + 8;
    for (int level = 4; level > 1; level--) {
      entries[7 - level] = secondPa(level, 0);
    }
    for (int i = 0; i < PAGES; i++) {
      entries[6 + i] = secondPa(1, i * 0x1000L);
    }
    return entries;
  }

  private long nonsense(long good) {
    switch (random.nextInt(4)) {
      case 0:
        return random.nextLong();
      case 1: // Somewhere in memory, or just not.
        return random.nextLong() & 0x1_7FFF_F003L;
      case 2:
        return good ^ 1L << random.nextInt(Long.SIZE);
      default: // Among the tables and the data.
        return ROOT + random.nextInt((int) (END - ROOT >> 12)) * (long) PAGE_BYTES
            | random.nextInt(4);
    }
  }

  /** Returns whether the bytes have arrived. */
  private boolean write(int round) {
    long iova = random.nextInt(PAGES) * 0x1000L + random.nextInt(PAGE_BYTES / WRITE_BYTES) * 64L;
    byte[] data = new byte[WRITE_BYTES];
    random.nextBytes(data);
    long pa = reference.pa(ROOT, machine.deviceId, iova, true);
    boolean arrives = pa >= 0 && memory.contains(pa, WRITE_BYTES);
    if (arrives) {
      memory.putByte(pa, memory.getByte(pa)); // So that its page is there to be counted.
      memory.copyOut(pa & -PAGE_BYTES, page, 0, PAGE_BYTES);
      System.arraycopy(data, 0, page, (int) pa & PAGE_BYTES - 1, WRITE_BYTES);
    }
    memory.copyOut(ROOT, before, 0, before.length);
    if (arrives && pa >= ROOT && pa < END) {
      System.arraycopy(data, 0, before, (int) (pa - ROOT), WRITE_BYTES);
    }
    int pagesCount = memory.residentPagesCount();

    machine.device.dma().write(iova, data, 0, WRITE_BYTES, machine.host.simulation().nowPs());
    DmaStatus status = machine.device.dma().status();
    machine.core.delay(10_000_000);

    String where = "seed " + SEED + ", round " + round + ", pa " + Long.toHexString(pa);
    assertThat(status == DmaStatus.OK).as(where).isEqualTo(arrives);
    memory.copyOut(ROOT, after, 0, after.length);
    assertThat(Arrays.mismatch(before, after)).as(where).isEqualTo(-1);
    assertThat(memory.residentPagesCount()).as(where).isEqualTo(pagesCount);
    if (arrives) {
      byte[] now = new byte[PAGE_BYTES];
      memory.copyOut(pa & -PAGE_BYTES, now, 0, PAGE_BYTES);
      assertThat(Arrays.mismatch(page, now)).as(where).isEqualTo(-1);
    }
    return arrives;
  }
}
