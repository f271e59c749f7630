package io.github.bellwire.dma;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SlotMapTest {
  private static final int GROUPS = 3;

  @Test
  void shouldNotCrossGroups() {
    SlotMap slots = new SlotMap(2);

    assertThat(slots.allocate(100, 1, 0)).isZero();
    assertThat(slots.allocate(29, 1, 0)).isEqualTo(128);
    assertThat(slots.allocate(28, 1, 0)).isEqualTo(157);
    assertThat(slots.allocate(100, 1, 0)).isEqualTo(-1);
    slots.free(0, 100);
    assertThat(slots.allocate(128, 1, 0)).isZero();
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4})
  void shouldAgreeWithACountOneByOne(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    SlotMap slots = new SlotMap(GROUPS);
    boolean[] used = new boolean[GROUPS * 128];
    List<int[]> rows = new ArrayList<>();
    int lastGroup = 0;

    for (int i = 0; i < 20_000; i++) {
      String place = "seed " + seed + ", operation " + i;
      if (random.nextInt(100) < 55) {
        int count = random.nextInt(4) == 0 ? 1 + random.nextInt(128) : 1 + random.nextInt(8);
        int alignment = 1 << random.nextInt(6);
        int residue = random.nextInt(alignment);
        int expected = findRow(used, lastGroup, count, alignment, residue);
        int slot =
            slots.allocate(count, random.nextBoolean() && alignment == 1 ? 0 : alignment, residue);
        assertThat(slot).as(place).isEqualTo(expected);
        if (slot >= 0) {
          lastGroup = slot / 128;
          rows.add(new int[] {slot, count});
          set(used, slot, count, true);
        }
      } else if (!rows.isEmpty()) {
        int[] row = rows.remove(random.nextInt(rows.size()));
        slots.free(row[0], row[1]);
        set(used, row[0], row[1], false);
      }
    }
  }

  private static int findRow(boolean[] used, int fromGroup, int count, int alignment, int residue) {
    for (int tried = 0; tried < GROUPS; tried++) {
      int group = (fromGroup + tried) % GROUPS;
      for (int first = residue; first + count <= 128; first += alignment) {
        int length = 0;
        while (length < count && !used[group * 128 + first + length]) {
          length++;
        }
        if (length == count) {
          return group * 128 + first;
        }
      }
    }
    return -1;
  }

  private static void set(boolean[] used, int slot, int count, boolean value) {
    for (int i = slot; i < slot + count; i++) {
      used[i] = value;
    }
  }
}
