package io.github.bellwire.iommu.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class IovaTreeTest {
  private static final long LIMIT_32 = 1L << 20;
  private static final long LIMIT_48 = 1L << 36;

  private final IovaTree tree = new IovaTree(1);

  @Test
  void shouldHandOutFromTheTopDownAlignedToTheSize() {
    assertThat(tree.allocate(1, LIMIT_32)).isEqualTo(0xFFFFF);
    assertThat(tree.allocate(1, LIMIT_32)).isEqualTo(0xFFFFE);
    assertThat(tree.allocate(4, LIMIT_32)).isEqualTo(0xFFFF8);
    // Three pages take the place of four; then the highest below it.
    assertThat(tree.allocate(3, LIMIT_32)).isEqualTo(0xFFFF4);
    assertThat(tree.allocate(1, LIMIT_32)).isEqualTo(0xFFFF3);
  }

  @Test
  void shouldNotLookAboveWhereItLastWasUntilNothingIsLeftBelow() {
    IovaTree small = new IovaTree(LIMIT_32 - 8);
    long first = small.allocate(2, LIMIT_32);
    long second = small.allocate(2, LIMIT_32);
    long third = small.allocate(1, LIMIT_32);
    small.allocate(1, LIMIT_32);
    assertThat(List.of(first, second, third)).containsExactly(0xFFFFEL, 0xFFFFCL, 0xFFFFBL);

    // A hole above the last one is found first, since freeing moves the start of the search up.
    small.free(first);
    assertThat(small.allocate(1, LIMIT_32)).isEqualTo(0xFFFFF);
    small.free(third);
    assertThat(small.allocate(1, LIMIT_32)).isEqualTo(0xFFFFE);
    assertThat(small.allocate(4, LIMIT_32)).isEqualTo(IovaTree.NONE);
    assertThat(small.allocate(1, LIMIT_32)).isEqualTo(0xFFFFB);
    assertThat(small.allocate(2, LIMIT_32)).isEqualTo(0xFFFF8);
    assertThat(small.allocate(1, LIMIT_32)).isEqualTo(IovaTree.NONE);
  }

  @Test
  void shouldGoAroundWhatIsReserved() {
    tree.reserve(0xFEE00, 0xFEEFF);
    tree.reserve(0xC0000, 0xFEFFF);
    tree.reserve(0xFF000, 0xFFFFF);

    assertThat(tree.allocate(1, LIMIT_32)).isEqualTo(0xBFFFF);
    assertThat(tree.count()).isEqualTo(5);
  }

  @Test
  void shouldKeepLowAndHighAddressesApart() {
    assertThat(tree.allocate(1, LIMIT_48)).isEqualTo(LIMIT_48 - 1);
    assertThat(tree.allocate(1, LIMIT_32)).isEqualTo(LIMIT_32 - 1);
    assertThat(tree.allocate(1, LIMIT_48)).isEqualTo(LIMIT_48 - 2);
    assertThat(tree.visits()).isEqualTo(1);
  }

  @Test
  void shouldRefuseToFreeWhatIsNotTaken() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> tree.free(0x77))
        .withMessage("pfn must be taken: pfn=0x77");
  }

  @Test
  void shouldHandOutWhatASortedMapWould() {
    for (long seed = 1; seed <= 4; seed++) {
      SplittableRandom random = new SplittableRandom(seed);
      long startPfn = LIMIT_32 - 600;
      IovaTree one = new IovaTree(startPfn);
      ReferenceIovaTree other = new ReferenceIovaTree(startPfn);
      List<Long> taken = new ArrayList<>();
      for (int i = 0; i < 50_000; i++) {
        if (random.nextInt(100) < 52 || taken.isEmpty()) {
          long size = 1 + random.nextInt(random.nextInt(10) == 0 ? 100 : 8);
          long limit = random.nextInt(4) == 0 ? LIMIT_48 : LIMIT_32 - 100 * random.nextInt(2);
          long pfn = one.allocate(size, limit);
          assertThat(pfn)
              .as("seed %d step %d size %d limit %d", seed, i, size, limit)
              .isEqualTo(other.allocate(size, limit));
          if (pfn != IovaTree.NONE) {
            taken.add(pfn);
          }
        } else {
          long pfn = taken.remove(random.nextInt(taken.size()));
          one.free(pfn);
          other.free(pfn);
        }
      }
      assertThat(one.count()).isEqualTo(taken.size());
    }
  }
}
