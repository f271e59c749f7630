package io.github.bellwire.dma;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.SplittableRandom;
import java.util.TreeSet;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class IndexSetTest {
  @ParameterizedTest
  @ValueSource(ints = {1, 64, 65, 4097, IndexSet.SIZE_MAX})
  void shouldAgreeWithASortedSet(int size) {
    long seed = 20_260_101L + size;
    SplittableRandom random = new SplittableRandom(seed);
    IndexSet set = new IndexSet(size);
    TreeSet<Integer> model = new TreeSet<>();

    for (int i = 0; i < 20_000; i++) {
      // Clearing out now and then makes words and groups become empty.
      int index = random.nextInt(8) == 0 && !model.isEmpty() ? model.first() : random.nextInt(size);
      if (random.nextInt(100) < 40) {
        set.add(index);
        model.add(index);
      } else {
        set.remove(index);
        model.remove(index);
      }
      int least = model.isEmpty() ? -1 : model.first();
      if (set.least() != least || set.contains(index) != model.contains(index)) {
        assertThat(set.least()).as("seed %d, operation %d", seed, i).isEqualTo(least);
        assertThat(set.contains(index)).as("seed %d, operation %d", seed, i).isFalse();
      }
    }
    while (!model.isEmpty()) {
      assertThat(set.least()).as("seed %d", seed).isEqualTo(model.first());
      set.remove(model.pollFirst());
    }
    assertThat(set.least()).as("seed %d", seed).isEqualTo(-1);
  }
}
