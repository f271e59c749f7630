package io.github.bellwire.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import com.sun.management.ThreadMXBean;
import io.github.bellwire.kernel.Event;
import io.github.bellwire.kernel.Simulation;
import io.github.bellwire.memory.CommitQueue;
import io.github.bellwire.memory.PhysicalMemory;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.function.LongConsumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** 256 sets of 2 ways; load 2 ns, store 1 ns, devices 30 ns away, DRAM 50 and 30 ns. */
class EmbeddedCacheHierarchyTest {
  private static final long HIT = 2_000;
  private static final long STORE = 1_000;
  private static final long DEVICE = 30_000;
  private static final long DRAM = LineMemory.READ;
  private static final long DRAM_WRITE = LineMemory.WRITE;
  private static final long AT = 1_000_000;
  private static final int SIZE = 256 * 64;

  private final Simulation simulation = new Simulation(3);
  private final PhysicalMemory memory = new PhysicalMemory(1 << 24, 0);
  private final CommitQueue commits = new CommitQueue(simulation, memory);
  private final LineMemory dram = new LineMemory("");
  private EmbeddedCacheHierarchy caches = hierarchy(false, false);

  private EmbeddedCacheHierarchy hierarchy(boolean prefetches, boolean snoops) {
    return new EmbeddedCacheHierarchy(
        new EmbeddedCacheConfig(
            256, 2, HIT, STORE, DEVICE, new MaintenanceConfig(10_000, 100_000), prefetches, snoops),
        commits,
        dram,
        simulation.randomStream("caches"));
  }

  private void store(long pa, int sizeBytes, long value) {
    caches.coreStore(0, pa, sizeBytes, AT);
    caches.put(pa, sizeBytes, value);
  }

  private long load(long pa, int sizeBytes) {
    caches.coreLoad(0, pa, sizeBytes, AT);
    return caches.get(pa, sizeBytes);
  }

  @Test
  void shouldChargeHitsAndMisses() {
    assertThat(caches.coreLoad(0, 0x1000, 8, AT)).isEqualTo(AT + HIT + DRAM);
    assertThat(caches.coreLoad(1, 0x1030, 8, AT)).isEqualTo(AT + HIT);
    assertThat(caches.coreStore(0, 0x103c, 8, AT)).isEqualTo(AT + 2 * STORE);
    assertThat(dram.accesses).containsExactly("read 64 at 1002000", "read 65 at 1000000");
  }

  @Test
  void shouldPrefetchTheNextLine() {
    caches = hierarchy(true, false);

    caches.coreLoad(0, 0x1000, 8, AT);
    assertThat(caches.coreLoad(0, 0x1040, 8, AT)).isEqualTo(AT + HIT);
    // Nothing beyond the end of memory, nothing uncached.
    caches.coreLoad(0, (1 << 24) - 64, 8, AT);
    caches.setCacheable(0x2040, 64, false);
    caches.coreLoad(0, 0x2000, 8, AT);

    assertThat(dram.accesses)
        .containsExactly(
            "read 64 at 1002000",
            "read 65 at 1002000",
            "read 262143 at 1002000",
            "read 128 at 1002000");
  }

  @Test
  void shouldLetDevicesPastTheCache() {
    DeviceCachePort device = caches.devicePort(DevicePortConfig.DEFAULT);
    store(0x1000, 8, 5);

    assertThat(device.read(0x1000, 64, false, AT)).isEqualTo(AT + DEVICE + DRAM);
    assertThat(device.write(0x1000, 64, false, AT)).isEqualTo(AT + DEVICE + DRAM_WRITE);
    assertThat(device.isArrivalObservable()).isTrue();
    device.read(0x103f, 66, false, AT);
    device.write(0x103f, 66, false, AT);
    // One to fetch for the store, then 1 + 3 and 1 + 3.
    assertThat(caches.statistics().dramReadsTotal()).isEqualTo(5);
    assertThat(caches.statistics().dramWritesTotal()).isEqualTo(4);
    assertThat(memory.getLong(0x1000)).isZero();
    assertThat(caches.get(0x1000, 8)).isEqualTo(5);
  }

  @Test
  void shouldLetCoherentDevicesThroughTheCache() {
    caches = hierarchy(false, true);
    DeviceCachePort device = caches.devicePort(DevicePortConfig.DEFAULT);
    DeviceCachePort plain = caches.devicePort(DevicePortConfig.DEFAULT.withAllocatesOnWrite(false));

    assertThat(device.read(0x1000, 128, false, AT)).isEqualTo(AT + DEVICE + DRAM);
    assertThat(device.write(0x1000, 64, false, AT)).isEqualTo(AT + DEVICE);
    assertThat(device.write(0x1040, 8, false, AT)).isEqualTo(AT + DEVICE + DRAM);
    assertThat(device.write(0x1040, 8, false, AT)).isEqualTo(AT + DEVICE);
    assertThat(device.read(0x1000, 128, false, AT)).isEqualTo(AT + DEVICE);
    assertThat(plain.write(0x1080, 64, false, AT)).isEqualTo(AT + DEVICE + DRAM_WRITE);
    assertThat(device.isArrivalObservable()).isFalse();

    CacheStatistics statistics = caches.statistics();
    assertThat(statistics.deviceReadMissesTotal()).isEqualTo(2);
    assertThat(statistics.deviceReadHitsTotal()).isEqualTo(2);
    assertThat(statistics.deviceWriteMissesTotal()).isEqualTo(3);
    assertThat(statistics.deviceWriteHitsTotal()).isEqualTo(1);
    assertThat(statistics.deviceFullWriteMissesTotal()).isEqualTo(2);
    assertThat(statistics.deviceFullWriteHitsTotal()).isZero();
    assertThat(statistics.dramReadsTotal()).isEqualTo(3);
    assertThat(statistics.dramWritesTotal()).isEqualTo(1);
    device.write(0x1000, 64, false, AT);
    assertThat(statistics.deviceFullWriteHitsTotal()).isEqualTo(1);
  }

  @Test
  void shouldCleanAndInvalidateLineByLine() {
    store(0x1000, 8, 5);
    store(0x1040, 8, 6);
    dram.accesses.clear();

    // Three lines; the first is written back at 10 ns, the second at 20 ns: done at 50 ns.
    assertThat(caches.maintain(CacheOperation.CLEAN, 0x1000, 129, AT))
        .isEqualTo(AT + 20_000 + DRAM_WRITE + 100_000);
    assertThat(dram.accesses).containsExactly("write 64 at 1010000", "write 65 at 1020000");
    assertThat(memory.getLong(0x1000)).isEqualTo(5);
    assertThat(caches.coreLoad(0, 0x1000, 8, AT)).isEqualTo(AT + HIT);

    // Clean now: no writes.
    assertThat(caches.maintain(CacheOperation.CLEAN_AND_INVALIDATE, 0x1000, 128, AT))
        .isEqualTo(AT + 120_000);
    assertThat(caches.coreLoad(0, 0x1000, 8, AT)).isEqualTo(AT + HIT + DRAM);
    assertThat(caches.statistics().writeBacksTotal()).isEqualTo(2);
  }

  @Test
  void shouldWriteBackLinesThatARangeCoversInPart() {
    for (int i = 0; i < 3; i++) {
      store(0x1000 + i * 64, 8, 5 + i);
    }

    caches.maintain(CacheOperation.INVALIDATE, 0x1008, 0x80, AT);

    assertThat(load(0x1000, 8)).isEqualTo(5);
    assertThat(load(0x1040, 8)).isZero();
    assertThat(load(0x1080, 8)).isEqualTo(7);
  }

  @Test
  void shouldBringOldBytesBackWhenACoherentLineIsInvalidated() {
    caches = hierarchy(false, true);
    DeviceCachePort device = caches.devicePort(DevicePortConfig.DEFAULT);
    memory.putLong(0x1000, 1);
    device.write(0x1000, 64, false, AT);
    memory.putLong(0x1000, 2);
    device.write(0x1000, 64, false, AT);
    memory.putLong(0x1000, 3);

    caches.maintain(CacheOperation.INVALIDATE, 0x1000, 64, AT);

    assertThat(memory.getLong(0x1000)).isEqualTo(1);
  }

  @Test
  void shouldTakeForOldWhatADeviceHasWrittenBeforeAndNobodyHasLookedAt() {
    caches = hierarchy(false, true);
    DeviceCachePort device = caches.devicePort(DevicePortConfig.DEFAULT);
    at(100, nowPs -> write(device, 0x1000, 1, nowPs + 100));
    // Device writes to the same set push the line out to DRAM, behind its write.
    at(300, nowPs -> writeLinesOfSet(device, 0x1000, nowPs));
    at(400, nowPs -> write(device, 0x1000, 2, nowPs + 100));
    simulation.run();
    assertThat(memory.getByte(0x1000)).isEqualTo((byte) 2);

    caches.maintain(CacheOperation.INVALIDATE, 0x1000, 64, AT);

    assertThat(memory.getByte(0x1000)).isEqualTo((byte) 1);
  }

  private void write(DeviceCachePort device, long pa, int value, long commitPs) {
    device.write(pa, 1, false, simulation.nowPs());
    commits.add(pa, new byte[] {(byte) value}, 0, 1, commitPs);
  }

  private void writeLinesOfSet(DeviceCachePort device, long pa, long atPs) {
    for (int i = 1; i <= 64; i++) {
      device.write(pa + i * SIZE, 64, false, atPs);
    }
  }

  private void at(long atPs, LongConsumer action) {
    simulation.schedule(
        new Event() {
          @Override
          protected void onEvent(long nowPs) {
            action.accept(nowPs);
          }
        },
        atPs);
  }

  @Test
  void shouldForgetOldBytesOnceALineIsClean() {
    caches = hierarchy(false, true);
    store(0x1000, 8, 5);
    caches.maintain(CacheOperation.CLEAN, 0x1000, 64, AT);
    caches.maintain(CacheOperation.INVALIDATE, 0x1000, 64, AT);
    assertThat(load(0x1000, 8)).isEqualTo(5);
  }

  @Test
  void shouldAccessUncachedMemoryDirectly() {
    caches.setCacheable(0x1000, 65, false);

    assertThat(caches.coreLoad(0, 0x1040, 8, AT)).isEqualTo(AT + HIT + DRAM);
    assertThat(caches.coreLoad(0, 0x1040, 8, AT)).isEqualTo(AT + HIT + DRAM);
    assertThat(caches.coreStore(0, 0x1040, 8, AT)).isEqualTo(AT + STORE);
    caches.put(0x1040, 8, 5);

    assertThat(memory.getLong(0x1040)).isEqualTo(5);
    assertThat(dram.accesses).endsWith("write 65 at 1000000");
    caches.setCacheable(0x1000, 65, true);
    caches.coreLoad(0, 0x1040, 8, AT);
    assertThat(caches.coreLoad(0, 0x1040, 8, AT)).isEqualTo(AT + HIT);
  }

  @Test
  void shouldRejectRangesThatOverlapOrDoNotExist() {
    caches.setCacheable(0x1000, 128, false);

    assertThatIllegalArgumentException()
        .isThrownBy(() -> caches.setCacheable(0x1040, 64, false))
        .withMessage("range must not overlap others: start=0x1040, end=0x1080");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> caches.setCacheable(0xfc0, 128, false))
        .withMessage("range must not overlap others: start=0xfc0, end=0x1040");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> caches.setCacheable(0x1000, 64, true))
        .withMessage("range must have been added: start=0x1000, end=0x1040");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> caches.setCacheable(0x1001, 64, false))
        .withMessage("pa must be a multiple of 64: pa=0x1001");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> caches.devicePort(DevicePortConfig.DEFAULT.withSocket(1)))
        .withMessage("socket must be 0: socket=1");
  }

  @Test
  void shouldFindManyUncachedRanges() {
    for (int i = 40; i > 0; i--) {
      caches.setCacheable(i * 0x1000, 64, false);
    }
    for (int i = 1; i <= 40; i++) {
      caches.coreLoad(0, i * 0x1000, 8, AT);
      assertThat(caches.coreLoad(0, i * 0x1000, 8, AT)).isEqualTo(AT + HIT + DRAM);
      caches.coreLoad(0, i * 0x1000 + 64, 8, AT);
      assertThat(caches.coreLoad(0, i * 0x1000 + 64, 8, AT)).isEqualTo(AT + HIT);
    }
  }

  /** Whatever is evicted when: a core alone sees memory as if there were no cache. */
  @ParameterizedTest
  @CsvSource({"1,false,false", "2,true,false", "3,false,true", "4,true,true"})
  void shouldShowACoreItsOwnStores(long seed, boolean prefetches, boolean snoops) {
    caches = hierarchy(prefetches, snoops);
    SplittableRandom random = new SplittableRandom(seed);
    byte[] expected = new byte[6 * SIZE];
    byte[] block = new byte[300];

    for (int i = 0; i < 50_000; i++) {
      // Six lines for each set that is used.
      int pa = random.nextInt(6) * SIZE + random.nextInt(1000);
      int sizeBytes = 1 << random.nextInt(4);
      int lengthBytes = 1 + random.nextInt(block.length);
      switch (random.nextInt(5)) {
        case 0 -> {
          long value = random.nextLong();
          store(pa, sizeBytes, value);
          for (int j = 0; j < sizeBytes; j++) {
            expected[pa + j] = (byte) (value >>> 8 * j);
          }
        }
        case 1 -> {
          random.nextBytes(block);
          caches.coreStore(0, pa, lengthBytes, AT);
          caches.copyIn(pa, block, 0, lengthBytes);
          System.arraycopy(block, 0, expected, pa, lengthBytes);
        }
        case 2 -> {
          CacheOperation operation =
              random.nextBoolean() ? CacheOperation.CLEAN : CacheOperation.CLEAN_AND_INVALIDATE;
          caches.maintain(operation, pa, lengthBytes, AT);
        }
        case 3 -> {
          caches.coreLoad(0, pa, lengthBytes, AT);
          caches.copyOut(pa, block, 0, lengthBytes);
          assertThat(Arrays.copyOf(block, lengthBytes))
              .as("seed=%d, i=%d", seed, i)
              .isEqualTo(Arrays.copyOfRange(expected, pa, pa + lengthBytes));
        }
        default -> {
          long value = 0;
          for (int j = sizeBytes - 1; j >= 0; j--) {
            value = value << 8 | expected[pa + j] & 0xff;
          }
          assertThat(load(pa, sizeBytes)).as("seed=%d, i=%d", seed, i).isEqualTo(value);
        }
      }
    }
    caches.maintain(CacheOperation.CLEAN, 0, expected.length, AT);
    byte[] actual = new byte[expected.length];
    memory.copyOut(0, actual, 0, actual.length);
    assertThat(actual).isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "128|1|1|1|0|sets must be a power of two, 256..16384: sets=128",
        "256|25|1|1|0|ways must be 1..24: ways=25",
        "256|1|0|1|0|hitPs must be 1..1000000: hitPs=0",
        "256|1|1|0|0|storePs must be 1..1000000: storePs=0",
        "256|1|1|1|-1|devicePs must be 0..1000000: devicePs=-1"
      })
  void shouldRejectAnIllegalConfiguration(
      int sets, int ways, long hitPs, long storePs, long devicePs, String message) {
    assertThatIllegalArgumentException()
        .isThrownBy(
            () ->
                new EmbeddedCacheConfig(
                    sets, ways, hitPs, storePs, devicePs, MaintenanceConfig.X86, true, true))
        .withMessage(message);
  }

  @Test
  @SuppressWarnings("NullAway")
  void shouldRejectIllegalCostsOfMaintenance() {
    assertThatNullPointerException()
        .isThrownBy(() -> new EmbeddedCacheConfig(256, 1, 1, 1, 0, null, true, true))
        .withMessage("maintenance");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new MaintenanceConfig(-1, 0))
        .withMessage("linePs must be 0..1000000: linePs=-1");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new MaintenanceConfig(0, 10_000_001))
        .withMessage("barrierPs must be 0..10000000: barrierPs=10000001");
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldAllocateNothing(boolean snoops) {
    caches = hierarchy(true, snoops);
    dram.isRecording = false;
    DeviceCachePort device = caches.devicePort(DevicePortConfig.DEFAULT);
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    accessMany(device);
    threads.getCurrentThreadAllocatedBytes();

    long before = threads.getCurrentThreadAllocatedBytes();
    accessMany(device);
    long after = threads.getCurrentThreadAllocatedBytes();

    assertThat(after - before).isLessThan(1024);
  }

  private void accessMany(DeviceCachePort device) {
    for (int i = 0; i < 100_000; i++) {
      long pa = (i * 7919L & 0xfff) * 1000;
      device.write(pa, 100, false, i);
      load(pa, 8);
      store(pa + 60, 8, i);
      caches.maintain(CacheOperation.CLEAN, pa, 64, i);
    }
  }
}
