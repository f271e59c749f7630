package io.github.bellwire.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PhysicalMemoryTest {
  private static final long HIGH = PhysicalMemory.HIGH_BASE;
  private static final long PAGE = 2 << 20;
  private static final long TIB = 1L << 40;

  /** Both ranges end inside a page. */
  private static final long LOW_BYTES = 5 * PAGE + 100;

  private static final long HIGH_BYTES = 3 * PAGE + 7;

  private final PhysicalMemory memory = new PhysicalMemory(LOW_BYTES, HIGH_BYTES);

  @Test
  void shouldBeLittleEndian() {
    memory.putLong(0x1000, 0x8877_6655_4433_2211L);

    assertThat(memory.getByte(0x1000)).isEqualTo(0x11);
    assertThat(memory.getByte(0x1007)).isEqualTo(0x88);
    assertThat(memory.getShort(0x1006)).isEqualTo(0x8877);
    assertThat(memory.getInt(0x1004)).isEqualTo(0x8877_6655);
    assertThat(memory.getLong(0x1000)).isEqualTo(0x8877_6655_4433_2211L);
    assertThat(memory.getLong(0x1001)).isEqualTo(0x0088_7766_5544_3322L);
  }

  @ParameterizedTest
  @CsvSource({"1, 0xFE", "2, 0xFEDC", "4, 0xFEDCBA98", "8, -0x123456789abcdf0"})
  void shouldZeroExtendWhatItReads(int sizeBytes, String value) {
    memory.put(0x1001, sizeBytes, Long.decode(value));

    assertThat(memory.get(0x1001, sizeBytes)).isEqualTo(Long.decode(value));
    assertThat(memory.getByte(0x1000)).isZero();
    assertThat(memory.getByte(0x1001 + sizeBytes)).isZero();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 4, 8})
  void shouldWriteOnlyTheLowBytes(int sizeBytes) {
    memory.put(0x1000, sizeBytes, -1);

    for (int i = 0; i < 9; i++) {
      assertThat(memory.getByte(0x1000 + i)).isEqualTo(i < sizeBytes ? 0xff : 0);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 0, 3, 5, 16})
  void shouldRejectAnotherSize(int sizeBytes) {
    String message = "sizeBytes must be 1, 2, 4 or 8: sizeBytes=" + sizeBytes;
    assertThatIllegalArgumentException()
        .isThrownBy(() -> memory.get(0, sizeBytes))
        .withMessage(message);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> memory.put(0, sizeBytes, 1))
        .withMessage(message);
  }

  // Against a map of bytes, around every border.

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void shouldBehaveAsAMapOfBytes(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    long[] borders = {0, PAGE, 5 * PAGE, LOW_BYTES, HIGH, HIGH + PAGE, HIGH + HIGH_BYTES};
    Map<Long, Integer> oracle = new HashMap<>();

    for (int i = 0; i < 8_000; i++) {
      long pa = borders[random.nextInt(borders.length)] + random.nextInt(-40, 40);
      int sizeBytes = 1 << random.nextInt(4);
      String description = String.format("seed=%d, i=%d, pa=0x%x, size=%d", seed, i, pa, sizeBytes);
      if (!isInRam(pa, sizeBytes)) {
        assertThat(memory.contains(pa, sizeBytes)).as(description).isFalse();
        assertThatIllegalArgumentException()
            .as(description)
            .isThrownBy(() -> memory.put(pa, sizeBytes, -1));
        assertThatIllegalArgumentException()
            .as(description)
            .isThrownBy(() -> memory.get(pa, sizeBytes));
        continue;
      }
      assertThat(memory.contains(pa, sizeBytes)).as(description).isTrue();
      if (random.nextBoolean()) {
        long value = random.nextLong();
        memory.put(pa, sizeBytes, value);
        for (int b = 0; b < sizeBytes; b++) {
          oracle.put(pa + b, (int) (value >>> 8 * b) & 0xff);
        }
      } else {
        long expected = 0;
        for (int b = sizeBytes - 1; b >= 0; b--) {
          expected = expected << 8 | oracle.getOrDefault(pa + b, 0);
        }
        assertThat(memory.get(pa, sizeBytes)).as(description).isEqualTo(expected);
      }
    }
  }

  private static boolean isInRam(long pa, int sizeBytes) {
    long end = pa + sizeBytes;
    return pa >= 0 && end <= LOW_BYTES || pa >= HIGH && end <= HIGH + HIGH_BYTES;
  }

  @ParameterizedTest
  @CsvSource({"0x1000, 300", "0x1FFFF0, 64", "0x1FFFFF, 2", "0x1FFFF0, 4194336", "0, 10485860"})
  void shouldCopyAcrossPages(String address, int lengthBytes) {
    long pa = Long.decode(address);
    byte[] source = new byte[lengthBytes + 5];
    new SplittableRandom(1).nextBytes(source);
    byte[] destination = new byte[lengthBytes + 3];

    memory.copyIn(pa, source, 5, lengthBytes);
    memory.copyOut(pa, destination, 2, lengthBytes);

    assertThat(Arrays.equals(source, 5, 5 + lengthBytes, destination, 2, 2 + lengthBytes)).isTrue();
    assertThat(destination[1]).isZero();
    assertThat(destination[lengthBytes + 2]).isZero();
    assertThat(memory.getByte(pa + lengthBytes - 1)).isEqualTo(source[lengthBytes + 4] & 0xff);
  }

  @Test
  void shouldCopyNothing() {
    memory.copyIn(0, new byte[0], 0, 0);
    memory.copyOut(0, new byte[0], 0, 0);

    assertThat(memory.residentPagesCount()).isZero();
  }

  @Test
  void shouldRejectAnArrayThatIsTooShort() {
    assertThatExceptionOfType(IndexOutOfBoundsException.class)
        .isThrownBy(() -> memory.copyIn(0, new byte[8], 4, 5));
    assertThatExceptionOfType(IndexOutOfBoundsException.class)
        .isThrownBy(() -> memory.copyOut(0, new byte[8], 4, 5));
  }

  // Out of RAM.

  @Test
  void shouldNotWrapAroundToMemoryThatExists() {
    memory.putLong(0, -1);

    // Page numbers beyond 2^31 and 2^32 must not be cut to int.
    for (long pa : new long[] {1L << 52, 1L << 53, 1L << 63, -1, -(1L << 21)}) {
      assertThatIllegalArgumentException().isThrownBy(() -> memory.getLong(pa));
      assertThatIllegalArgumentException().isThrownBy(() -> memory.putByte(pa, 0));
    }
    assertThat(memory.getLong(0)).isEqualTo(-1);
  }

  @Test
  void shouldChangeNothingWhenAnAccessLeavesRam() {
    memory.putLong(LOW_BYTES - 8, 0);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> memory.putLong(LOW_BYTES - 4, -1))
        .withMessage(
            "pa must be in RAM: pa=0xa00060, sizeBytes=8, lowBytes=10485860, highBytes=6291463");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> memory.copyIn(LOW_BYTES - 4, new byte[] {1, 1, 1, 1, 1}, 0, 5));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> memory.copyOut(LOW_BYTES - 4, new byte[5], 0, 5));

    assertThat(memory.getLong(LOW_BYTES - 8)).isZero();
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 4, 8})
  void shouldChangeNothingWhenAnAccessLeavesTheLastPage(int sizeBytes) {
    PhysicalMemory whole = new PhysicalMemory(PAGE, 0);
    long pa = PAGE - sizeBytes / 2;

    assertThatIllegalArgumentException().isThrownBy(() -> whole.put(pa, sizeBytes, -1));

    assertThat(whole.residentPagesCount()).isZero();
  }

  @Test
  void shouldKnowWhichRangesItContains() {
    assertThat(memory.contains(0, LOW_BYTES)).isTrue();
    assertThat(memory.contains(0, LOW_BYTES + 1)).isFalse();
    assertThat(memory.contains(LOW_BYTES, 0)).isTrue();
    assertThat(memory.contains(LOW_BYTES, 1)).isFalse();
    assertThat(memory.contains(-1, 1)).isFalse();
    assertThat(memory.contains(HIGH, HIGH_BYTES)).isTrue();
    assertThat(memory.contains(HIGH, HIGH_BYTES + 1)).isFalse();
    assertThat(memory.contains(HIGH - 1, 2)).isFalse();
    assertThat(memory.contains(HIGH + HIGH_BYTES - 1, 1)).isTrue();
    // Sums that overflow.
    assertThat(memory.contains(8, Long.MAX_VALUE)).isFalse();
    assertThat(memory.contains(HIGH, Long.MAX_VALUE)).isFalse();
    assertThat(memory.contains(Long.MAX_VALUE, Long.MAX_VALUE)).isFalse();
    assertThat(memory.contains(Long.MIN_VALUE, 1)).isFalse();
  }

  @Test
  void shouldRunOnIntoHighMemoryWithoutAHole() {
    PhysicalMemory flat = new PhysicalMemory(HIGH, PAGE);
    flat.putLong(HIGH - 4, -1);

    assertThat(flat.contains(HIGH - 4, 8)).isTrue();
    assertThat(flat.contains(HIGH - 4, PAGE + 4)).isTrue();
    assertThat(flat.contains(HIGH - 4, PAGE + 5)).isFalse();
    assertThat(flat.getInt(HIGH)).isEqualTo(-1);
  }

  // Sparse.

  @Test
  void shouldReadZeroWithoutTakingSpace() {
    assertThat(memory.getLong(PAGE - 4)).isZero();
    byte[] destination = {1, 1};
    memory.copyOut(0, destination, 0, 2);

    assertThat(destination).containsOnly(0);
    assertThat(memory.residentPagesCount()).isZero();
  }

  @Test
  void shouldTakeSpaceForPagesWrittenTo() {
    PhysicalMemory large = new PhysicalMemory(HIGH, 16 * TIB);

    large.putByte(HIGH + 16 * TIB - 1, 7);
    large.putLong(5 * PAGE - 4, -1);
    large.putByte(0, 0);

    assertThat(large.residentPagesCount()).isEqualTo(4);
    assertThat(large.getByte(HIGH + 16 * TIB - 1)).isEqualTo(7);
    assertThat(large.getLong(5 * PAGE - 4)).isEqualTo(-1);
  }

  @ParameterizedTest
  @CsvSource({
    "-1, 0, lowBytes must be 0..4 GiB: lowBytes=-1",
    "4294967297, 0, lowBytes must be 0..4 GiB: lowBytes=4294967297",
    "0, -1, highBytes must be 0..16 TiB: highBytes=-1",
    "0, 17592186044417, highBytes must be 0..16 TiB: highBytes=17592186044417"
  })
  void shouldRejectAnIllegalSize(long lowBytes, long highBytes, String message) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new PhysicalMemory(lowBytes, highBytes))
        .withMessage(message);
  }

  @Test
  void shouldKnowItsSizes() {
    assertThat(memory.lowBytes()).isEqualTo(LOW_BYTES);
    assertThat(memory.highBytes()).isEqualTo(HIGH_BYTES);
  }
}
