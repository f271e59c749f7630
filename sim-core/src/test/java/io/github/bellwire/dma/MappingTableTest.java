package io.github.bellwire.dma;

import static io.github.bellwire.dma.MappingTable.NOT_BOUNCED;
import static io.github.bellwire.dma.MappingTable.NOT_FOUND;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MappingTableTest {
  private record Mapping(long iova, long pa, long bouncePa, long key) {}

  @Test
  void shouldTellMappingsOfOneAddressApart() {
    MappingTable table = new MappingTable(8);
    long shorter = MappingTable.key(64, DmaDirection.TO_DEVICE, MappingKind.SINGLE);
    long longer = MappingTable.key(65, DmaDirection.TO_DEVICE, MappingKind.SINGLE);
    table.add(0x1000, 1, NOT_BOUNCED, shorter);
    table.add(0x1000, 2, 3, longer);

    assertThat(table.pa(table.find(0x1000, shorter))).isEqualTo(1);
    assertThat(table.pa(table.find(0x1000, longer))).isEqualTo(2);
    assertThat(table.bouncePa(table.find(0x1000, longer))).isEqualTo(3);
    assertThat(find(table, 0x1000, 64, DmaDirection.FROM_DEVICE, MappingKind.SINGLE)).isFalse();
    assertThat(find(table, 0x1000, 64, DmaDirection.TO_DEVICE, MappingKind.SCATTER)).isFalse();
    assertThat(find(table, 0x2000, 64, DmaDirection.TO_DEVICE, MappingKind.SINGLE)).isFalse();
    assertThat(table.describe(0x1000))
        .isEqualTo("SINGLE TO_DEVICE of 64 B, SINGLE TO_DEVICE of 65 B");
    assertThat(table.describe(0x2000)).isEqualTo("nothing");
  }

  @Test
  void shouldFindTheMappingThatHoldsAPart() {
    MappingTable table = new MappingTable(8);
    table.add(
        0x1000, 1, NOT_BOUNCED, MappingTable.key(64, DmaDirection.TO_DEVICE, MappingKind.SINGLE));
    table.add(
        0x1000,
        2,
        NOT_BOUNCED,
        MappingTable.key(32, DmaDirection.BIDIRECTIONAL, MappingKind.SINGLE));

    assertThat(holding(table, 0, 64, DmaDirection.TO_DEVICE)).isEqualTo(1);
    assertThat(holding(table, 63, 1, DmaDirection.TO_DEVICE)).isEqualTo(1);
    assertThat(holding(table, 63, 2, DmaDirection.TO_DEVICE)).isZero();
    assertThat(holding(table, 0, 32, DmaDirection.FROM_DEVICE)).isEqualTo(2);
    assertThat(holding(table, 31, 1, DmaDirection.BIDIRECTIONAL)).isEqualTo(2);
    assertThat(holding(table, 0, 33, DmaDirection.FROM_DEVICE)).isZero();
    assertThat(holding(table, Integer.MAX_VALUE, 2, DmaDirection.TO_DEVICE)).isZero();
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4})
  void shouldAgreeWithAList(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    MappingTable table = new MappingTable(1);
    List<Mapping> model = new ArrayList<>();

    for (int i = 0; i < 20_000; i++) {
      String place = "seed " + seed + ", operation " + i;
      // Few addresses: many mappings share one.
      long iova = random.nextInt(100) * 2048L;
      long key =
          MappingTable.key(
              1 + random.nextInt(3),
              DmaDirection.values()[random.nextInt(3)],
              MappingKind.values()[random.nextInt(3)]);
      if (random.nextInt(100) < 50 && model.size() < 200) {
        Mapping mapping = new Mapping(iova, i, -i, key);
        table.add(iova, mapping.pa(), mapping.bouncePa(), key);
        model.add(mapping);
      } else {
        int entry = table.find(iova, key);
        boolean known =
            model.stream().anyMatch(mapping -> mapping.iova() == iova && mapping.key() == key);
        assertThat(entry != NOT_FOUND).as(place).isEqualTo(known);
        if (known) {
          Mapping found = new Mapping(iova, table.pa(entry), table.bouncePa(entry), key);
          assertThat(model.remove(found)).as(place).isTrue();
          table.remove(entry);
        }
      }
      assertThat(table.count()).as(place).isEqualTo(model.size());
    }
    for (Mapping mapping : model) {
      assertThat(table.find(mapping.iova(), mapping.key())).as("seed %d", seed).isNotNegative();
    }
  }

  private static boolean find(
      MappingTable table, long iova, int lengthBytes, DmaDirection direction, MappingKind kind) {
    return table.find(iova, MappingTable.key(lengthBytes, direction, kind)) != NOT_FOUND;
  }

  /** Returns the pa of the mapping at 0x1000 that holds the part, 0 if there is none. */
  private static long holding(
      MappingTable table, int offsetBytes, int lengthBytes, DmaDirection direction) {
    int entry = table.findHolding(0x1000, offsetBytes, lengthBytes, direction);
    return entry == NOT_FOUND ? 0 : table.pa(entry);
  }
}
