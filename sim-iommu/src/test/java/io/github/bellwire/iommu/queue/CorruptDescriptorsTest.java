package io.github.bellwire.iommu.queue;

import static io.github.bellwire.iommu.layout.RegisterLayout.FSTS;
import static io.github.bellwire.iommu.layout.RegisterLayout.GCMD;
import static io.github.bellwire.iommu.layout.RegisterLayout.IQA;
import static io.github.bellwire.iommu.layout.RegisterLayout.IQT;
import static io.github.bellwire.iommu.queue.QueueFixture.QUEUE;
import static io.github.bellwire.iommu.queue.QueueFixture.STATUS;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.bellwire.iommu.layout.InvalidationDescriptorLayout;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CorruptDescriptorsTest {
  private static final int CORRUPTIONS = 500_000;
  private static final int QUEUE_BYTES = 4096;
  private static final int[] TYPES = {1, 2, 3, 4, 5, 6, 7, 8, 9};

  /**
   * Half a million words of descriptors in each of the two widths, corrupted in whole or in one
   * bit. Nothing throws; whatever a wait is told, only the four bytes it names may change.
   */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldSurviveEveryDescriptor(boolean isWide) {
    long seed = isWide ? 11 : 12;
    SplittableRandom random = new SplittableRandom(seed);
    QueueFixture unit = new QueueFixture();
    InvalidationQueue queue = unit.registers.invalidationQueue();
    unit.enableQueue(isWide);
    int bytes = isWide ? 32 : 16;
    int tail = 0;
    int errors = 0;
    for (int i = 0; i < CORRUPTIONS; i++) {
      writeDescriptor(unit, random, tail, isWide);
      int word = random.nextInt(bytes / 8);
      long pa = QUEUE + tail + word * 8L;
      long noise = random.nextInt(4) == 0 ? random.nextLong() : 1L << random.nextInt(64);
      unit.memory.putLong(pa, unit.memory.getLong(pa) ^ noise);
      long statusPa = unit.memory.getLong(QUEUE + tail + 8) & ~3L;
      tail = (tail + bytes) % QUEUE_BYTES;
      unit.answerPs = random.nextInt(8) == 0 ? -1 : random.nextInt(1_000_000);
      unit.write4(IQT, tail);
      if (queue.head(Long.MAX_VALUE - 1) != tail) { // It has stopped in front of the descriptor.
        errors++;
        unit.simulation.runUntil(unit.simulation.nowPs() + 20_000_000);
        assertThat(unit.read4(FSTS)).as("seed %d step %d", seed, i).isNotZero();
        restart(unit, isWide);
        tail = 0;
      }
      if (unit.commits.pendingCount() != 0) { // A status write, where the descriptor says.
        assertThat(unit.commits.pendingCount()).isEqualTo(1);
        assertThat(unit.commits.overlaps(statusPa, 4)).isTrue();
        assertThat(unit.commits.overlaps(statusPa - 64, 64)).isFalse();
        assertThat(unit.commits.overlaps(statusPa + 4, 64)).isFalse();
        unit.commits.settle(Long.MAX_VALUE);
      }
    }
    assertThat(errors).isBetween(CORRUPTIONS / 10, CORRUPTIONS * 9 / 10);
    assertThat(queue.descriptorsTotal()).isGreaterThan(CORRUPTIONS / 10);
    assertThat(queue.errorsTotal() + queue.timeoutsTotal()).isPositive();
  }

  private static void writeDescriptor(
      QueueFixture unit, SplittableRandom random, int offset, boolean isWide) {
    int type = TYPES[random.nextInt(isWide ? 9 : 5)];
    long word0 = type | (long) (1 + random.nextInt(3)) << 4;
    long word1 = 0;
    if (type == InvalidationDescriptorLayout.WAIT) {
      word0 = type | InvalidationDescriptorLayout.WAIT_STATUS_WRITE;
      word1 = STATUS;
    }
    unit.memory.putLongs(QUEUE + offset, word0, word1);
    if (isWide) {
      unit.memory.putLongs(QUEUE + offset + 16, 0, 0);
    }
  }

  private static void restart(QueueFixture unit, boolean isWide) {
    unit.write4(GCMD, 0);
    unit.write4(IQT, 0);
    unit.write4(FSTS, -1);
    unit.asked.clear();
    unit.responded.clear();
    unit.interruptCalls.clear();
    unit.reads.clear();
    unit.enableQueue(isWide);
    assertThat(unit.read8(IQA)).isNotZero();
  }
}
