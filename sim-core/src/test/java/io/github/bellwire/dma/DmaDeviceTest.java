package io.github.bellwire.dma;

import static io.github.bellwire.dma.DmaDirection.BIDIRECTIONAL;
import static io.github.bellwire.dma.DmaDirection.FROM_DEVICE;
import static io.github.bellwire.dma.DmaDirection.TO_DEVICE;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DmaDeviceTest {
  private static final long MIB = 1L << 20;
  private static final long GIB = 1L << 30;
  private static final long HIGH = MemoryZones.NORMAL_BASE;
  private static final long ERROR = DmaDevice.MAPPING_ERROR;

  private final FakeCpuPort port = new FakeCpuPort();
  private final PageAllocator allocator = new PageAllocator(MemoryZones.ofRam(GIB, GIB));
  private final DmaDevice device =
      new DmaDevice(DmaConfig.LINUX_DEFAULT, allocator, DmaMapper.IDENTITY, null);

  @ParameterizedTest
  @CsvSource({
    "21, 0x1fffff",
    "32, 0xffffffff",
    "62, 0x3fffffffffffffff",
    "63, 0x7fffffffffffffff",
    "64, 0x7fffffffffffffff"
  })
  void shouldTurnBitsIntoTheHighestAddress(int bits, long mask) {
    assertThat(device.trySetMask(bits)).isTrue();
    assertThat(device.mask()).isEqualTo(mask);
    assertThat(device.coherentMask()).isEqualTo(0xffff_ffffL);
    assertThat(device.trySetCoherentMask(bits)).isTrue();
    assertThat(device.coherentMask()).isEqualTo(mask);
  }

  @Test
  void shouldRefuseAMaskThatReachesNoMemory() {
    // Memory begins at 1 MiB: 20 bits reach nothing, 21 bits the second MiB.
    assertThat(device.trySetMask(20)).isFalse();
    assertThat(device.trySetCoherentMask(12)).isFalse();

    assertThat(device.mask()).isEqualTo(0xffff_ffffL);
    assertThat(device.coherentMask()).isEqualTo(0xffff_ffffL);
  }

  @ParameterizedTest
  @ValueSource(ints = {11, 65})
  void shouldRejectAnIllegalNumberOfBits(int bits) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> device.trySetMask(bits))
        .withMessage("bits must be 12..64: bits=" + bits);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> device.trySetCoherentMask(bits))
        .withMessage("bits must be 12..64: bits=" + bits);
  }

  @Test
  void shouldMapWhatTheMaskReachesAtNoCost() {
    long iova = device.mapSingle(port, HIGH - 2048, 2048, TO_DEVICE);

    assertThat(iova).isEqualTo(HIGH - 2048);
    assertThat(device.mapSingle(port, HIGH - 2048, 2049, TO_DEVICE)).isEqualTo(ERROR);
    assertThat(device.liveMappingsCount()).isEqualTo(1);
    device.syncForCpu(port, iova, 0, 2048, TO_DEVICE);
    device.syncForDevice(port, iova, 0, 2048, TO_DEVICE);
    device.unmapSingle(port, iova, 2048, TO_DEVICE);

    assertThat(port.nowPs).isZero();
    assertThat(device.mapsCount()).isEqualTo(1);
    assertThat(device.unmapsCount()).isEqualTo(1);
    assertThat(device.mappingErrorsCount()).isEqualTo(1);
    assertThat(device.bouncedMapsCount()).isZero();
    assertThat(device.liveMappingsCount()).isZero();
  }

  @Test
  void shouldKeepMappingsOfOneBufferApart() {
    device.mapSingle(port, MIB, 64, TO_DEVICE);
    device.mapSingle(port, MIB, 64, TO_DEVICE);
    device.mapSingle(port, MIB, 128, FROM_DEVICE);

    device.unmapSingle(port, MIB, 64, TO_DEVICE);
    device.syncForCpu(port, MIB, 64, 64, FROM_DEVICE);
    device.unmapSingle(port, MIB, 128, FROM_DEVICE);
    device.unmapSingle(port, MIB, 64, TO_DEVICE);

    assertThat(device.liveMappingsCount()).isZero();
  }

  @Test
  void shouldRefuseAWrongUnmap() {
    long iova = device.mapSingle(port, MIB, 64, TO_DEVICE);
    String mapped = "; mapped there: SINGLE TO_DEVICE of 64 B";

    assertDefect(
        () -> device.unmapSingle(port, iova, 65, TO_DEVICE),
        "iova=0x100000, offsetBytes=0, lengthBytes=65, SINGLE TO_DEVICE" + mapped);
    assertDefect(
        () -> device.unmapSingle(port, iova, 64, FROM_DEVICE),
        "iova=0x100000, offsetBytes=0, lengthBytes=64, SINGLE FROM_DEVICE" + mapped);
    assertDefect(
        () -> device.unmapSingle(port, iova + 1, 64, TO_DEVICE),
        "iova=0x100001, offsetBytes=0, lengthBytes=64, SINGLE TO_DEVICE; mapped there: nothing");
    assertDefect(
        () -> device.unmapSingle(port, ERROR, 64, TO_DEVICE),
        "iova=0xffffffffffffffff, offsetBytes=0, lengthBytes=64, SINGLE TO_DEVICE"
            + "; mapped there: nothing");
    device.unmapSingle(port, iova, 64, TO_DEVICE);
    assertDefect(
        () -> device.unmapSingle(port, iova, 64, TO_DEVICE),
        "iova=0x100000, offsetBytes=0, lengthBytes=64, SINGLE TO_DEVICE; mapped there: nothing");
  }

  @Test
  void shouldRefuseAWrongSync() {
    device.mapSingle(port, MIB, 64, TO_DEVICE);
    String mapped = "; mapped there: SINGLE TO_DEVICE of 64 B";

    assertDefect(
        () -> device.syncForDevice(port, MIB, 60, 5, TO_DEVICE),
        "iova=0x100000, offsetBytes=60, lengthBytes=5, sync TO_DEVICE" + mapped);
    assertDefect(
        () -> device.syncForCpu(port, MIB, -1, 5, TO_DEVICE),
        "iova=0x100000, offsetBytes=-1, lengthBytes=5, sync TO_DEVICE" + mapped);
    assertDefect(
        () -> device.syncForCpu(port, MIB, 0, 0, TO_DEVICE),
        "iova=0x100000, offsetBytes=0, lengthBytes=0, sync TO_DEVICE" + mapped);
    assertDefect(
        () -> device.syncForCpu(port, MIB, 0, 64, FROM_DEVICE),
        "iova=0x100000, offsetBytes=0, lengthBytes=64, sync FROM_DEVICE" + mapped);
    assertDefect(
        () -> device.syncForCpu(port, 2 * MIB, 0, 64, TO_DEVICE),
        "iova=0x200000, offsetBytes=0, lengthBytes=64, sync TO_DEVICE; mapped there: nothing");
  }

  @Test
  void shouldRefuseARangeThatIsNone() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> device.mapSingle(port, MIB, 0, TO_DEVICE))
        .withMessage("lengthBytes must be >= 1: lengthBytes=0");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> device.mapSingle(port, -1, 1, TO_DEVICE))
        .withMessage("pa must be >= 0 and below 2^63 with its length: pa=0xffffffffffffffff");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> device.mapSingle(port, Long.MAX_VALUE - 1, 2, TO_DEVICE))
        .withMessage("pa must be >= 0 and below 2^63 with its length: pa=0x7ffffffffffffffe");
  }

  @Test
  void shouldAllocateCoherentMemoryClearedAndWithinItsMask() {
    port.fill(MIB, 8192, 0x5a);

    CoherentBuffer low = requireNonNull(device.allocateCoherent(port, 5000));
    device.trySetCoherentMask(64);
    CoherentBuffer high = requireNonNull(device.allocateCoherent(port, 64));

    // 5000 bytes take a block of 8 KiB. Only what was asked for is cleared.
    assertThat(low).isEqualTo(new CoherentBuffer(2 * MIB - MIB, MIB, 5000));
    assertThat(port.read(MIB, 5000)).containsOnly(0);
    assertThat(port.peek(MIB + 5000)).isEqualTo((byte) 0x5a);
    assertThat(high).isEqualTo(new CoherentBuffer(HIGH, HIGH, 64));
    // ceil(4096 / 64) + ceil(904 / 64) + 1 lines.
    assertThat(port.nowPs).isEqualTo((64 + 15 + 1) * FakeCpuPort.LINE_PS);
    assertThat(device.liveMappingsCount()).isEqualTo(2);
    assertThat(device.mapsCount()).isEqualTo(2);
  }

  @Test
  void shouldFreeCoherentMemoryOnce() {
    CoherentBuffer buffer = requireNonNull(device.allocateCoherent(port, 5000));

    assertDefect(
        () -> device.unmapSingle(port, buffer.iova(), 5000, BIDIRECTIONAL),
        "iova=0x100000, offsetBytes=0, lengthBytes=5000, SINGLE BIDIRECTIONAL"
            + "; mapped there: COHERENT BIDIRECTIONAL of 5000 B");
    device.freeCoherent(port, buffer);
    assertThat(allocator.allocatedBytes()).isZero();
    assertDefect(
        () -> device.freeCoherent(port, buffer),
        "iova=0x100000, offsetBytes=0, lengthBytes=5000, COHERENT BIDIRECTIONAL"
            + "; mapped there: nothing");
  }

  @Test
  void shouldRefuseToFreeCoherentMemoryAtAnotherHostAddress() {
    CoherentBuffer buffer = requireNonNull(device.allocateCoherent(port, 4096));
    CoherentBuffer wrong = new CoherentBuffer(buffer.pa() + 4096, buffer.iova(), 4096);

    assertThatIllegalArgumentException()
        .isThrownBy(() -> device.freeCoherent(port, wrong))
        .withMessage(
            "pa must be that of the buffer: pa=0x101000, iova=0x100000, buffer pa=0x100000");
    device.freeCoherent(port, buffer);
  }

  @Test
  void shouldReturnNullWhenNoCoherentMemoryIsWithinReach() {
    device.trySetCoherentMask(22);
    CoherentBuffer first = device.allocateCoherent(port, 2 << 20);
    CoherentBuffer second = device.allocateCoherent(port, 2 << 20);

    // Of [1 MiB, 4 MiB) only [2 MiB, 4 MiB) is an aligned block of 2 MiB.
    assertThat(first).isEqualTo(new CoherentBuffer(2 * MIB, 2 * MIB, 2 << 20));
    assertThat(second).isNull();
    assertThat(device.mappingErrorsCount()).isEqualTo(1);
    assertThat(allocator.allocatedBytes()).isEqualTo(2 * MIB);
  }

  @Test
  void shouldLeaveAddressesToTheMapper() {
    FakeMapper mapper = new FakeMapper();
    DmaDevice translated = new DmaDevice(DmaConfig.LINUX_DEFAULT, allocator, mapper, null);
    translated.trySetMask(33);

    long iova = translated.mapSingle(port, 3 * HIGH, 64, TO_DEVICE);
    CoherentBuffer buffer = requireNonNull(translated.allocateCoherent(port, 64));
    translated.freeCoherent(port, buffer);
    translated.unmapSingle(port, iova, 64, TO_DEVICE);

    assertThat(iova).isEqualTo(0x7003_0000_0000L);
    assertThat(buffer).isEqualTo(new CoherentBuffer(HIGH, 0x7001_0000_0000L, 64));
    assertThat(mapper.calls)
        .containsExactly(
            "map 300000000+64 TO_DEVICE <=1ffffffff",
            "map 100000000+64 BIDIRECTIONAL <=ffffffff",
            "unmap 700100000000+64 BIDIRECTIONAL",
            "unmap 700300000000+64 TO_DEVICE");
    // Two times 100 and two times 200 ps in the mapper, 1 ns for one line of zeros.
    assertThat(port.nowPs).isEqualTo(1_600);
  }

  @Test
  void shouldReportThatTheMapperHasNoRoom() {
    FakeMapper mapper = new FakeMapper();
    DmaDevice translated = new DmaDevice(DmaConfig.LINUX_DEFAULT, allocator, mapper, null);
    mapper.room = 0;

    assertThat(translated.mapSingle(port, MIB, 64, TO_DEVICE)).isEqualTo(ERROR);
    assertThat(translated.allocateCoherent(port, 64)).isNull();
    assertThat(translated.mappingErrorsCount()).isEqualTo(2);
    assertThat(translated.liveMappingsCount()).isZero();
    assertThat(allocator.allocatedBytes()).isZero();
  }

  @Test
  void shouldRejectABufferWithoutBytes() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new CoherentBuffer(0, 0, 0))
        .withMessage("sizeBytes must be >= 1: sizeBytes=0");
  }

  private static void assertDefect(ThrowingCallable call, String values) {
    assertThatIllegalArgumentException()
        .isThrownBy(call)
        .withMessage("iova must be mapped like that: " + values);
  }

  @Test
  void shouldShareMemoryForGood() {
    device.trySetMask(64);
    long pa = allocator.allocate(4096);

    long iova = device.mapShared(port, pa + 8, 100);

    assertThat(iova).isEqualTo(pa + 8);
    assertThat(device.isMappingError(iova)).isFalse();
    assertThatIllegalArgumentException()
        .isThrownBy(() -> device.unmapSingle(port, iova, 100, BIDIRECTIONAL))
        .withMessageContaining("mapped there: SHARED BIDIRECTIONAL of 100 B");
    device.unmapShared(port, iova, 100);
    assertThat(device.liveMappingsCount()).isZero();
    assertThatIllegalArgumentException().isThrownBy(() -> device.mapShared(port, pa, 0));
  }

  @Test
  void shouldRefuseToBounceWhatIsShared() {
    BounceBufferPool pool = new BounceBufferPool(allocator, 1 << 20);
    DmaDevice narrow = new DmaDevice(DmaConfig.LINUX_DEFAULT, allocator, DmaMapper.IDENTITY, pool);
    long high = allocator.allocate(4096);

    assertThat(narrow.isMappingError(narrow.mapShared(port, high, 64))).isTrue();

    assertThat(narrow.mappingErrorsCount()).isOne();
    assertThat(pool.slotsUsed()).isZero();
    assertThat(narrow.bounceBuffers()).isSameAs(pool);
    assertThat(device.bounceBuffers()).isNull();
  }

  @Test
  void shouldRememberWhetherADriverHasChosenMasks() {
    assertThat(device.isMaskSet()).isFalse();
    device.trySetMask(12); // reaches nothing
    assertThat(device.isMaskSet()).isFalse();
    device.trySetMask(64);
    assertThat(device.isMaskSet()).isTrue();
    assertThat(device.isCoherentMaskSet()).isFalse();
    device.trySetCoherentMask(64);
    assertThat(device.isCoherentMaskSet()).isTrue();
  }

  @Test
  void shouldMakeRingsAndLetGoWithoutAnybodyListening() {
    device.trySetCoherentMask(64);
    CoherentBuffer memory = device.allocateCoherent(port, 4096);
    assertThat(memory).isNotNull();

    DescriptorRing ring = device.newRing(memory, 16, 256);

    assertThat(ring.descriptorIova(255)).isEqualTo(memory.iova() + 4080);
    device.unbind(port); // with memory allocated: nobody minds
    assertThat(device.liveMappingsCount()).isOne();
  }
}
