package io.github.bellwire.dma;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.ArrayDeque;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DescriptorRingTest {
  private static final CoherentBuffer MEMORY = new CoherentBuffer(0x1_0000, 0xf000_0000L, 4096);

  @Test
  void shouldLayDescriptorsInARow() {
    DescriptorRing ring = new DescriptorRing(MEMORY, 16, 256);

    assertThat(ring.descriptorPa(0)).isEqualTo(0x1_0000);
    assertThat(ring.descriptorPa(255)).isEqualTo(0x1_0ff0);
    assertThat(ring.descriptorIova(255)).isEqualTo(0xf000_0ff0L);
    assertThat(ring.pa()).isEqualTo(0x1_0000);
    assertThat(ring.iova()).isEqualTo(0xf000_0000L);
    assertThat(ring.sizeBytes()).isEqualTo(4096);
    assertThat(ring.descriptorBytes()).isEqualTo(16);
    assertThat(ring.descriptorCount()).isEqualTo(256);
    assertThatExceptionOfType(IndexOutOfBoundsException.class)
        .isThrownBy(() -> ring.descriptorPa(256));
    assertThatExceptionOfType(IndexOutOfBoundsException.class)
        .isThrownBy(() -> ring.descriptorIova(-1));
  }

  @Test
  void shouldKeepOneDescriptorEmpty() {
    DescriptorRing ring = new DescriptorRing(MEMORY, 16, 4);
    assertThat(ring.isEmpty()).isTrue();
    assertThat(ring.freeCount()).isEqualTo(3);

    ring.advanceTail(3);

    assertThat(ring.isFull()).isTrue();
    assertThat(ring.isEmpty()).isFalse();
    assertThat(ring.freeCount()).isZero();
    assertThat(ring.usedCount()).isEqualTo(3);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ring.advanceTail(1))
        .withMessage("count must be 0..0: count=1");
  }

  @Test
  void shouldTakeBackUpToAnIndexAcrossTheEnd() {
    DescriptorRing ring = new DescriptorRing(MEMORY, 16, 8);
    ring.advanceTail(6);
    assertThat(ring.advanceHeadTo(6)).isEqualTo(6);
    ring.advanceTail(5);

    assertThat(ring.advanceHeadTo(6)).isZero();
    assertThat(ring.advanceHeadTo(1)).isEqualTo(3);
    assertThat(ring.head()).isEqualTo(1);
    assertThat(ring.usedCount()).isEqualTo(2);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ring.advanceHeadTo(4))
        .withMessage("count must be 0..2: count=3");
    assertThatExceptionOfType(IndexOutOfBoundsException.class)
        .isThrownBy(() -> ring.advanceHeadTo(8));
  }

  @Test
  void shouldRefuseToAdvanceWhatIsNotThere() {
    DescriptorRing ring = new DescriptorRing(MEMORY, 16, 8);
    ring.advanceTail(2);

    assertThatIllegalArgumentException()
        .isThrownBy(() -> ring.advanceHead(3))
        .withMessage("count must be 0..2: count=3");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ring.advanceHead(-1))
        .withMessage("count must be 0..2: count=-1");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ring.advanceTail(-1))
        .withMessage("count must be 0..5: count=-1");
  }

  @Test
  void shouldStartAnewAfterReset() {
    DescriptorRing ring = new DescriptorRing(MEMORY, 16, 8);
    ring.advanceTail(5);
    ring.advanceHead(2);

    ring.reset();

    assertThat(ring.head()).isZero();
    assertThat(ring.tail()).isZero();
    assertThat(ring.headSequence()).isZero();
    assertThat(ring.tailSequence()).isZero();
    assertThat(ring.freeCount()).isEqualTo(7);
  }

  /** Against a queue of sequence numbers; sizes that are no powers of two among them. */
  @ParameterizedTest
  @CsvSource({"2, 1", "3, 2", "8, 3", "65, 4", "1000, 5"})
  void shouldAgreeWithAQueue(int descriptorCount, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    DescriptorRing ring = new DescriptorRing(MEMORY, 4, descriptorCount);
    ArrayDeque<Long> model = new ArrayDeque<>();
    long produced = 0;

    for (int i = 0; i < 20_000; i++) {
      String place = "seed " + seed + ", operation " + i;
      if (random.nextBoolean()) {
        int count = random.nextInt(ring.freeCount() + 1);
        for (int k = 0; k < count; k++) {
          model.add(produced++);
        }
        ring.advanceTail(count);
      } else {
        int count = random.nextInt(ring.usedCount() + 1);
        for (int k = 0; k < count; k++) {
          model.remove();
        }
        ring.advanceHead(count);
      }
      assertThat(ring.usedCount()).as(place).isEqualTo(model.size());
      assertThat(ring.freeCount()).as(place).isEqualTo(descriptorCount - 1 - model.size());
      assertThat(ring.tailSequence()).as(place).isEqualTo(produced);
      assertThat(ring.headSequence()).as(place).isEqualTo(produced - model.size());
      assertThat(ring.tail()).as(place).isEqualTo((int) (produced % descriptorCount));
      assertThat(ring.head())
          .as(place)
          .isEqualTo((int) ((produced - model.size()) % descriptorCount));
      assertThat(ring.isEmpty()).as(place).isEqualTo(model.isEmpty());
      assertThat(ring.isFull()).as(place).isEqualTo(model.size() == descriptorCount - 1);
      assertThat(ring.next(ring.tail()))
          .as(place)
          .isEqualTo((int) ((produced + 1) % descriptorCount));
    }
  }

  @Test
  void shouldTakeDescriptorsFrom4To4096Bytes() {
    CoherentBuffer large = new CoherentBuffer(0x1_0000, 0x1_0000, 8192);

    assertThat(new DescriptorRing(large, 4096, 2).descriptorPa(1)).isEqualTo(0x1_1000);
    assertThat(new DescriptorRing(large, 4, 2048).descriptorPa(1)).isEqualTo(0x1_0004);
  }

  @Test
  void shouldRejectAnIllegalLayout() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new DescriptorRing(MEMORY, 24, 8))
        .withMessage("descriptorBytes must be 2^k, 4..4096: descriptorBytes=24");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new DescriptorRing(MEMORY, 2, 8))
        .withMessage("descriptorBytes must be 2^k, 4..4096: descriptorBytes=2");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new DescriptorRing(MEMORY, 8192, 8))
        .withMessage("descriptorBytes must be 2^k, 4..4096: descriptorBytes=8192");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new DescriptorRing(MEMORY, 16, 1))
        .withMessage("descriptorCount must be >= 2: descriptorCount=1");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new DescriptorRing(MEMORY, 16, 257))
        .withMessage("descriptorCount must be <= 256: descriptorCount=257");
  }
}
