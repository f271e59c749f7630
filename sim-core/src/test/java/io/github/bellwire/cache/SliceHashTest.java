package io.github.bellwire.cache;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SliceHashTest {
  private static final int SETS = 2048;

  @ParameterizedTest
  @ValueSource(ints = {1, 8, 10, 16, 18, 28, 64})
  void shouldShareOutEveryAlignedBlockEvenly(int slices) {
    SliceHash hash = new SliceHash(slices, SETS);
    SplittableRandom random = new SplittableRandom(1);

    for (int i = 0; i < 100; i++) {
      long block = random.nextLong(1L << 26) << 12;
      int[] lines = new int[slices];
      for (int j = 0; j < 4096; j++) {
        lines[hash.set(block + j) / SETS]++;
      }
      // 4096 over 18 is 227.6: each slice has that, rounded either way.
      for (int count : lines) {
        assertThat(count).isBetween(4096 / slices, (4096 + slices - 1) / slices);
      }
    }
  }

  @Test
  void shouldSpreadNeighboursOverAllOfSixteenSlices() {
    SliceHash hash = new SliceHash(16, SETS);

    for (long block = 0; block < 1 << 20; block += 16 * 1001) {
      Set<Integer> slices = new HashSet<>();
      for (int i = 0; i < 16; i++) {
        slices.add(hash.set(block / 16 * 16 + i) / SETS);
      }
      assertThat(slices).hasSize(16);
    }
  }

  @Test
  void shouldSpreadLinesThatShareTheirSetBits() {
    SliceHash hash = new SliceHash(18, SETS);
    int[] lines = new int[18];

    for (int i = 0; i < 18_000; i++) {
      lines[hash.set((long) i * SETS + 5) / SETS]++;
    }

    // 1000 each; a random spread stays within 5 x sqrt(1000).
    for (int count : lines) {
      assertThat(count).isBetween(840, 1160);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 18, 64})
  void shouldTellTheLineFromSetAndTag(int slices) {
    SliceHash hash = new SliceHash(slices, SETS);
    SplittableRandom random = new SplittableRandom(2);

    for (int i = 0; i < 10_000; i++) {
      long line = random.nextLong((1L << 38) + (1L << 26));
      assertThat(hash.set(line)).isBetween(0, slices * SETS - 1);
      assertThat(hash.line(hash.set(line), hash.tag(line))).isEqualTo(line);
    }
  }
}
