package io.github.bellwire.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.sun.management.ThreadMXBean;
import io.github.bellwire.memory.MemoryController;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Last-level cache 20 ns, DRAM 50 ns, private cache 1 ns, store 2 ns. */
class SimpleCacheHierarchyTest {
  private static final long LLC = 20_000;
  private static final long DRAM = 50_000;
  private static final long CORE = 1_000;
  private static final long STORE = 2_000;
  private static final long AT = 1_000_000;

  private final RecordingDram dram = new RecordingDram();
  private final SimpleCacheHierarchy caches = hierarchy(4, 2, 8);
  private final DeviceCachePort device = caches.devicePort(DevicePortConfig.DEFAULT);

  private SimpleCacheHierarchy hierarchy(int sets, int ways, int coreLines) {
    return new SimpleCacheHierarchy(
        new SimpleCacheConfig(sets, ways, LLC, coreLines, CORE, STORE), 2, dram);
  }

  // Devices.

  @Test
  void shouldServeADeviceReadFromDramWithoutAllocating() {
    assertThat(device.read(0, 64, false, AT)).isEqualTo(AT + LLC + DRAM);
    assertThat(device.read(0, 64, false, AT)).isEqualTo(AT + LLC + DRAM);

    assertThat(caches.statistics().deviceReadMissesTotal()).isEqualTo(2);
    assertThat(caches.statistics().deviceReadHitsTotal()).isZero();
    assertThat(dram.accesses).containsExactly("read 0 at 1020000", "read 0 at 1020000");
  }

  @Test
  void shouldAllocateAFullLineWithoutFetchingIt() {
    assertThat(device.write(64, 64, false, AT)).isEqualTo(AT + LLC);
    assertThat(device.read(64, 64, false, AT)).isEqualTo(AT + LLC);

    assertThat(dram.accesses).isEmpty();
    assertThat(caches.statistics().deviceWriteMissesTotal()).isEqualTo(1);
    assertThat(caches.statistics().deviceReadHitsTotal()).isEqualTo(1);
  }

  @Test
  void shouldFetchALineThatIsWrittenInPart() {
    // 0x30..0xCF: the first and the last line in part, the ones between in full.
    assertThat(device.write(0x30, 160, false, AT)).isEqualTo(AT + LLC + DRAM);

    assertThat(dram.accesses).containsExactly("read 0 at 1020000", "read 3 at 1020000");
    assertThat(caches.statistics().deviceWriteMissesTotal()).isEqualTo(4);
  }

  @Test
  void shouldUpdateALineThatIsThere() {
    device.write(0, 64, false, AT);

    assertThat(device.write(8, 8, false, AT)).isEqualTo(AT + LLC);

    assertThat(dram.accesses).isEmpty();
    assertThat(caches.statistics().deviceWriteHitsTotal()).isEqualTo(1);
    assertThat(caches.statistics().deviceFullWriteHitsTotal()).isZero();
    device.write(0, 64, false, AT);
    assertThat(caches.statistics().deviceFullWriteHitsTotal()).isEqualTo(1);
    device.read(64, 64, false, AT);
    assertThat(caches.statistics().dramReadsTotal()).isEqualTo(1);
  }

  @Test
  void shouldWaitForTheSlowestLine() {
    device.write(64, 64, false, AT);

    assertThat(device.read(0, 128, false, AT)).isEqualTo(AT + LLC + DRAM);
    assertThat(caches.statistics().deviceReadHitsTotal()).isEqualTo(1);
    assertThat(caches.statistics().deviceReadMissesTotal()).isEqualTo(1);
  }

  @Test
  void shouldWriteADirtyVictimBackWithoutWaiting() {
    // Two ways: the third line of set 0 takes the place of the first.
    device.write(0, 64, false, AT);
    device.write(4 * 64, 64, false, AT);

    assertThat(device.write(8 * 64, 64, false, AT)).isEqualTo(AT + LLC);

    assertThat(dram.accesses).containsExactly("write 0 at 1000000");
    assertThat(caches.statistics().writeBacksTotal()).isEqualTo(1);
    assertThat(caches.statistics().dramWritesTotal()).isEqualTo(1);
    assertThat(caches.statistics().deviceFullWriteMissesTotal()).isEqualTo(3);
    assertThat(device.read(0, 64, false, AT)).isEqualTo(AT + LLC + DRAM);
    assertThat(device.read(4 * 64, 64, false, AT)).isEqualTo(AT + LLC);
  }

  @Test
  void shouldDropACleanVictim() {
    caches.coreLoad(0, 0, 8, AT);
    caches.coreLoad(0, 4 * 64, 8, AT);
    dram.accesses.clear();

    device.write(8 * 64, 64, false, AT);

    assertThat(dram.accesses).isEmpty();
  }

  @Test
  void shouldOfferOneKindOfPortOnly() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> caches.devicePort(DevicePortConfig.DEFAULT.withAllocatesOnWrite(false)))
        .withMessage(
            "config must be DevicePortConfig[allocatesOnWrite=true, socket=0]:"
                + " DevicePortConfig[allocatesOnWrite=false, socket=0]");
  }

  // Cores.

  @Test
  void shouldLoadFromTheNearestCopy() {
    // Private cache, last-level cache, DRAM: each behind the ones before.
    assertThat(caches.coreLoad(0, 0, 8, AT)).isEqualTo(AT + CORE + LLC + DRAM);
    assertThat(caches.coreLoad(0, 56, 8, AT)).isEqualTo(AT + CORE);
    assertThat(caches.coreLoad(1, 0, 8, AT)).isEqualTo(AT + CORE + LLC);
    assertThat(caches.coreLoad(1, 0, 8, AT)).isEqualTo(AT + CORE);

    assertThat(dram.accesses).containsExactly("read 0 at 1021000");
  }

  @Test
  void shouldLoadEveryLineOfABlock() {
    device.write(64, 64, false, AT);

    assertThat(caches.coreLoad(0, 64, 65, AT)).isEqualTo(AT + CORE + LLC + DRAM);
    assertThat(caches.coreLoad(0, 127, 2, AT)).isEqualTo(AT + CORE);
  }

  @Test
  void shouldStoreIntoTheStoreBuffer() {
    assertThat(caches.coreStore(0, 0, 8, AT)).isEqualTo(AT + STORE);
    assertThat(caches.coreStore(0, 56, 8, AT)).isEqualTo(AT + STORE);
    assertThat(caches.coreStore(0, 60, 8, AT)).isEqualTo(AT + 2 * STORE);

    assertThat(caches.coreLoad(0, 64, 8, AT)).isEqualTo(AT + CORE);
    assertThat(device.read(0, 128, false, AT)).isEqualTo(AT + LLC);
    assertThat(dram.accesses).isEmpty();
  }

  @Test
  void shouldInvalidateCoreCopiesWhenADeviceWrites() {
    caches.coreLoad(0, 0, 8, AT);
    caches.coreLoad(1, 0, 8, AT);

    device.write(0, 8, false, AT);

    assertThat(caches.coreLoad(0, 0, 8, AT)).isEqualTo(AT + CORE + LLC);
    assertThat(caches.coreLoad(1, 0, 8, AT)).isEqualTo(AT + CORE + LLC);
  }

  @Test
  void shouldInvalidateOtherCoresWhenACoreStores() {
    caches.coreLoad(0, 0, 8, AT);
    caches.coreLoad(1, 0, 8, AT);

    caches.coreStore(0, 0, 8, AT);

    assertThat(caches.coreLoad(0, 0, 8, AT)).isEqualTo(AT + CORE);
    assertThat(caches.coreLoad(1, 0, 8, AT)).isEqualTo(AT + CORE + LLC);
  }

  @Test
  void shouldWriteBackAndDropLinesOnDemand() {
    caches.coreStore(0, 0, 8, AT);
    caches.coreLoad(0, 64, 8, AT);
    dram.accesses.clear();

    assertThat(caches.maintain(CacheOperation.CLEAN, 0, 128, AT)).isEqualTo(AT + 2 * STORE);
    assertThat(dram.accesses).containsExactly("write 0 at 1002000");
    assertThat(caches.coreLoad(0, 0, 8, AT)).isEqualTo(AT + CORE);

    caches.maintain(CacheOperation.CLEAN_AND_INVALIDATE, 0, 256, AT);
    assertThat(dram.accesses).hasSize(1);
    assertThat(caches.coreLoad(0, 0, 8, AT)).isEqualTo(AT + CORE + LLC + DRAM);
    assertThat(caches.coreLoad(0, 64, 8, AT)).isEqualTo(AT + CORE + LLC + DRAM);
    caches.setCacheable(0, 64, false);
  }

  @Test
  void shouldKeepTheLastLevelCacheInclusive() {
    caches.coreLoad(0, 0, 8, AT);
    device.write(4 * 64, 64, false, AT);
    device.write(8 * 64, 64, false, AT);

    assertThat(caches.coreLoad(0, 0, 8, AT)).isEqualTo(AT + CORE + LLC + DRAM);
  }

  @Test
  void shouldReplaceInADirectMappedPrivateCache() {
    SimpleCacheHierarchy large = hierarchy(64, 2, 8);
    large.coreLoad(0, 0, 8, AT);
    large.coreLoad(0, 8 * 64, 8, AT);

    assertThat(large.coreLoad(0, 0, 8, AT)).isEqualTo(AT + CORE + LLC);
  }

  // Against maps and lists.

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void shouldBehaveAsANaiveModel(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    int ways = seed == 1 ? 32 : (int) seed;
    SimpleCacheHierarchy tested = hierarchy(4, ways, 8);
    DeviceCachePort device = tested.devicePort(DevicePortConfig.DEFAULT);
    NaiveModel oracle = new NaiveModel(4, ways, 8);

    for (int i = 0; i < 30_000; i++) {
      long pa = random.nextInt(ways * 6 * 64) + (random.nextBoolean() ? 1L << 36 : 0);
      int lengthBytes = 1 + random.nextInt(200);
      int core = random.nextInt(2);
      dram.accesses.clear();
      int kind = random.nextInt(5);
      long pair = pa & -16;
      long expectedPs =
          kind == 4
              ? oracle.access(3, core, pair, 8, i) + STORE // The second finds the line.
              : oracle.access(kind, core, pa, lengthBytes, i);
      long actualPs =
          switch (kind) {
            case 0 -> device.read(pa, lengthBytes, false, i);
            case 1 -> device.write(pa, lengthBytes, false, i);
            case 2 -> tested.coreLoad(core, pa, lengthBytes, i);
            case 3 -> tested.coreStore(core, pa, lengthBytes, i);
            default -> tested.coreStoreTwice(core, pair, 8, i);
          };
      assertThat(actualPs).as("seed=%d, i=%d", seed, i).isEqualTo(expectedPs);
      assertThat(dram.accesses).as("seed=%d, i=%d", seed, i).isEqualTo(oracle.dramAccesses);
    }
  }

  /** Sets as lists, private caches as sets of lines, one line at a time. */
  private static final class NaiveModel {
    private final int sets;
    private final int coreLines;
    private final List<List<Long>> waysOfSet = new ArrayList<>();
    private final int[] victimOfSet;
    private final Set<Long> dirty = new HashSet<>();
    private final List<Map<Long, Long>> cores = List.of(new HashMap<>(), new HashMap<>());
    private final List<String> dramAccesses = new ArrayList<>();
    private final int ways;

    NaiveModel(int sets, int ways, int coreLines) {
      this.sets = sets;
      this.ways = ways;
      this.coreLines = coreLines;
      victimOfSet = new int[sets];
      for (int i = 0; i < sets; i++) {
        waysOfSet.add(new ArrayList<>());
      }
    }

    long access(int kind, int core, long pa, int lengthBytes, long atPs) {
      dramAccesses.clear();
      long donePs = atPs;
      for (long line = pa / 64; line <= (pa + lengthBytes - 1) / 64; line++) {
        boolean isPartial = pa > line * 64 || pa + lengthBytes < (line + 1) * 64;
        switch (kind) {
          case 0 -> donePs = Math.max(donePs, deviceRead(line, atPs));
          case 1 -> donePs = Math.max(donePs, deviceWrite(line, isPartial, atPs));
          case 2 -> donePs = Math.max(donePs, coreLoad(core, line, atPs));
          default -> {
            donePs += STORE;
            bring(line, atPs);
            own(line);
            cores.get(core).put(line % coreLines, line);
          }
        }
      }
      return donePs;
    }

    private long deviceRead(long line, long atPs) {
      return isPresent(line) ? atPs + LLC : dramRead(line, atPs + LLC);
    }

    private long deviceWrite(long line, boolean isPartial, long atPs) {
      long donePs = atPs + LLC;
      if (!isPresent(line) && isPartial) {
        donePs = dramRead(line, atPs + LLC);
      }
      bring(line, atPs);
      own(line);
      return donePs;
    }

    private long coreLoad(int core, long line, long atPs) {
      if (Long.valueOf(line).equals(cores.get(core).get(line % coreLines))) {
        return atPs + CORE;
      }
      boolean isHit = isPresent(line);
      bring(line, atPs);
      cores.get(core).put(line % coreLines, line);
      return isHit ? atPs + CORE + LLC : dramRead(line, atPs + CORE + LLC);
    }

    private long dramRead(long line, long atPs) {
      dramAccesses.add("read " + line + " at " + atPs);
      return atPs + DRAM;
    }

    private boolean isPresent(long line) {
      return waysOfSet.get(SimpleCacheHierarchy.setIndex(line, sets - 1)).contains(line);
    }

    private void own(long line) {
      dirty.add(line);
      cores.forEach(core -> core.values().remove(line));
    }

    private void bring(long line, long atPs) {
      int set = SimpleCacheHierarchy.setIndex(line, sets - 1);
      List<Long> lines = waysOfSet.get(set);
      if (lines.contains(line)) {
        return;
      }
      int way = victimOfSet[set];
      victimOfSet[set] = (way + 1) % ways;
      if (lines.size() < ways) {
        lines.add(line);
        return;
      }
      long victim = lines.set(way, line);
      if (dirty.remove(victim)) {
        dramAccesses.add("write " + victim + " at " + atPs);
      }
      cores.forEach(core -> core.values().remove(victim));
    }
  }

  @Test
  void shouldAllocateNothing() {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    dram.isRecording = false;
    accessMany();
    threads.getCurrentThreadAllocatedBytes();

    long before = threads.getCurrentThreadAllocatedBytes();
    accessMany();
    long after = threads.getCurrentThreadAllocatedBytes();

    assertThat(after - before).isLessThan(1024);
  }

  private void accessMany() {
    for (int i = 0; i < 250_000; i++) {
      long pa = (i * 7919L & 0xff) * 24;
      device.read(pa, 100, false, i);
      device.write(pa + 64, 100, false, i);
      caches.coreLoad(0, pa, 8, i);
      caches.coreStore(1, pa, 8, i);
    }
  }

  /** DRAM of fixed latency that remembers lines and times. */
  private static final class RecordingDram implements MemoryController {
    private final List<String> accesses = new ArrayList<>();
    private boolean isRecording = true;

    @Override
    public long read(long pa, int lengthBytes, long atPs) {
      record("read ", pa, lengthBytes, atPs);
      return atPs + DRAM;
    }

    @Override
    public long write(long pa, int lengthBytes, long atPs) {
      record("write ", pa, lengthBytes, atPs);
      return atPs + DRAM;
    }

    private void record(String kind, long pa, int lengthBytes, long atPs) {
      if (isRecording) {
        assertThat(pa % 64).isZero();
        assertThat(lengthBytes).isEqualTo(64);
        accesses.add(kind + pa / 64 + " at " + atPs);
      }
    }
  }
}
