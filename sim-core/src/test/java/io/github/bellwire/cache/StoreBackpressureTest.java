package io.github.bellwire.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Percentage.withPercentage;

import io.github.bellwire.kernel.Simulation;
import io.github.bellwire.memory.DramConfig;
import io.github.bellwire.memory.DramController;
import io.github.bellwire.memory.DramTiming;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Stores that outrun DRAM: a core that does nothing but store runs at the speed of memory. */
class StoreBackpressureTest {
  private static final int STORES = 1_000_000;
  private static final int STORE_BYTES = 8;
  private static final long STORE_PS = 250;
  private static final int BLOCK = 100_000;

  private final DramController dram = DramConfig.of(DramTiming.DDR4_3200).newController();

  @Test
  void shouldWriteAsFastAsTheDataBusWhenACoreStoresAtFullSpeed() {
    // 64 sets x 4 ways = 16 KiB, so all but 256 of the lines are written back.
    CacheHierarchy caches =
        new SimpleCacheHierarchy(
            new SimpleCacheConfig(64, 4, 26_000, 64, 1_000, STORE_PS), 1, dram);

    long donePs = storeAll(caches);

    // 25.6 GB/s x (1 - 360 / 7800): the core alone would store 8 bytes in 250 ps, 32 GB/s.
    assertThat(STORES * STORE_BYTES * 1_000.0 / donePs).isCloseTo(24.42, withPercentage(3));
  }

  @Test
  void shouldNotOutrunMemoryWhenStoresFetchTheirLinesToo() {
    CacheHierarchy caches =
        new CoherentCacheHierarchy(
            new CoherentCacheConfig(
                new CoreCacheConfig(64, 2, 1_000, 256, 2, 5_000, STORE_PS, 10_000),
                new LlcConfig(1, 256, 4, 0xC, true, 8, 20_000),
                NumaConfig.ONE_SOCKET,
                new MaintenanceConfig(3_000, 100_000)),
            1,
            List.of(dram),
            new Simulation(7).randomStream("caches"));

    long donePs = storeAll(caches);

    // Memory has done all of it by then but for what its queues hold.
    assertThat(dram.read(1L << 32, 64, donePs) - donePs).isLessThan(2_000_000);
  }

  @Test
  void shouldTakeLinesFromADeviceAsFastAsItCanWriteOthersBack() {
    long hitPs = 26_000;
    DeviceCachePort port =
        new SimpleCacheHierarchy(new SimpleCacheConfig(64, 4, hitPs, 64, 1_000, STORE_PS), 1, dram)
            .devicePort(DevicePortConfig.DEFAULT);
    long atPs = 0;
    int lines = STORES / 8;
    for (int i = 0; i < lines; i++) {
      // 64 GB/s of posted writes; the next one may come when there is room for this one.
      atPs = Math.max(atPs + 1_000, port.write(i * 64L, 64, false, atPs) - hitPs);
    }

    assertThat(lines * 64_000.0 / atPs).isCloseTo(24.42, withPercentage(3));
  }

  private long storeAll(CacheHierarchy caches) {
    long atPs = 0;
    long[] steps = new long[STORES / BLOCK + 1];
    for (int i = 0; i < STORES; i++) {
      if (i % BLOCK == 0) {
        steps[i / BLOCK] = dram.stepsTotal();
      }
      atPs = caches.coreStore(0, (long) i * STORE_BYTES, STORE_BYTES, atPs);
    }
    steps[STORES / BLOCK] = dram.stepsTotal();
    long second = steps[2] - steps[1];
    for (int block = 2; block < STORES / BLOCK; block++) {
      assertThat((double) steps[block + 1] - steps[block])
          .as("steps of block %d", block)
          .isCloseTo(second, withPercentage(20));
    }
    return atPs;
  }
}
