package io.github.bellwire.dma;

import static io.github.bellwire.dma.DmaDirection.BIDIRECTIONAL;
import static io.github.bellwire.dma.DmaDirection.FROM_DEVICE;
import static io.github.bellwire.dma.DmaDirection.TO_DEVICE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.bellwire.cpu.CpuPort;
import io.github.bellwire.cpu.Routine;
import io.github.bellwire.host.Host;
import io.github.bellwire.host.HostConfig;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class DmaDeviceBounceTest {
  private static final int KIB = 1 << 10;
  private static final int MIB = 1 << 20;
  private static final long GIB = 1L << 30;
  private static final long HIGH = MemoryZones.NORMAL_BASE;
  private static final long ERROR = DmaDevice.MAPPING_ERROR;

  private final FakeCpuPort port = new FakeCpuPort();
  private final PageAllocator allocator = new PageAllocator(MemoryZones.ofRam(GIB, GIB));
  private final BounceBufferPool pool = new BounceBufferPool(allocator, MIB);
  private final DmaDevice device = device(DmaConfig.LINUX_DEFAULT);

  @Test
  void shouldShowTheDeviceWhatTheHostWrote() {
    byte[] packet = bytes(1500, 1);
    port.write(HIGH + 7, packet);

    long iova = device.mapSingle(port, HIGH + 7, 1500, TO_DEVICE);

    assertThat(iova).isEqualTo(pool.basePa());
    assertThat(port.read(iova, 1500)).isEqualTo(packet);
    // Load and store of 24 lines each.
    assertThat(port.nowPs).isEqualTo(48 * FakeCpuPort.LINE_PS);
    device.unmapSingle(port, iova, 1500, TO_DEVICE);
    assertThat(port.nowPs).isEqualTo(48 * FakeCpuPort.LINE_PS);
    assertThat(device.bouncedMapsCount()).isEqualTo(1);
    assertThat(device.mapsCount()).isEqualTo(1);
    assertThat(pool.slotsUsed()).isZero();
  }

  @ParameterizedTest
  @EnumSource(
      value = DmaDirection.class,
      names = {"FROM_DEVICE", "BIDIRECTIONAL"})
  void shouldShowTheHostWhatTheDeviceWrote(DmaDirection direction) {
    byte[] packet = bytes(3000, 2);
    long iova = device.mapSingle(port, HIGH + 100, 3000, direction);
    port.write(iova, packet);

    device.unmapSingle(port, iova, 3000, direction);

    assertThat(port.read(HIGH + 100, 3000)).isEqualTo(packet);
    assertThat(pool.bytesToBounce()).isEqualTo(3000);
    assertThat(pool.bytesFromBounce()).isEqualTo(3000);
  }

  @Test
  void shouldNeitherLeakNorDamageWhenTheDeviceWritesLess() {
    port.fill(HIGH, 2048, 0x11);
    port.fill(pool.basePa(), 2048, 0x77);
    byte[] written = bytes(64, 3);

    long iova = device.mapSingle(port, HIGH, 2048, FROM_DEVICE);
    port.write(iova, written);
    device.unmapSingle(port, iova, 2048, FROM_DEVICE);

    assertThat(port.read(HIGH, 64)).isEqualTo(written);
    assertThat(port.read(HIGH + 64, 1984)).containsOnly(0x11);
  }

  @Test
  void shouldCopyOnlyThePartThatIsSynced() {
    port.fill(HIGH, 1000, 0x11);
    long iova = device.mapSingle(port, HIGH, 1000, BIDIRECTIONAL);
    port.fill(iova, 1000, 0x22);

    device.syncForCpu(port, iova, 100, 50, FROM_DEVICE);

    assertThat(port.read(HIGH, 100)).containsOnly(0x11);
    assertThat(port.read(HIGH + 100, 50)).containsOnly(0x22);
    assertThat(port.read(HIGH + 150, 850)).containsOnly(0x11);

    port.fill(HIGH, 1000, 0x33);
    device.syncForDevice(port, iova, 990, 10, TO_DEVICE);

    assertThat(port.read(iova, 990)).containsOnly(0x22);
    assertThat(port.read(iova + 990, 10)).containsOnly(0x33);
    // Map 1000, sync 10; sync 50.
    assertThat(pool.bytesToBounce()).isEqualTo(1010);
    assertThat(pool.bytesFromBounce()).isEqualTo(50);
  }

  @Test
  void shouldWakeWhoWaitsOnceAnyDeviceGivesSlotsBack() {
    Host host = new Host(HostConfig.GEN4_SERVER, 1);
    List<Long> runsPs = new ArrayList<>();
    pool.awaitSlots(
        new Routine(host.core(0)) {
          @Override
          protected void run(CpuPort core) {
            runsPs.add(core.nowPs());
          }
        });
    // The mapper has no address for the copy: the slots were taken in vain.
    FakeMapper mapper =
        new FakeMapper() {
          @Override
          public boolean reaches(long pa, int lengthBytes, long mask) {
            return pa < HIGH;
          }
        };
    mapper.room = 0;
    DmaDevice other = new DmaDevice(DmaConfig.LINUX_DEFAULT, allocator, mapper, pool);
    assertThat(other.mapSingle(port, HIGH, 64, TO_DEVICE)).isEqualTo(ERROR);
    assertThat(pool.slotsUsedMax()).isEqualTo(1);
    host.simulation().run();
    assertThat(runsPs).isEmpty();

    long iova = device.mapSingle(port, HIGH, 64, TO_DEVICE);
    host.simulation().run();
    assertThat(runsPs).isEmpty();

    device.unmapSingle(port, iova, 64, TO_DEVICE);
    host.simulation().run();
    assertThat(runsPs).hasSize(1);
  }

  @Test
  void shouldNotCopyAgainstTheDirection() {
    long toDevice = device.mapSingle(port, HIGH, 64, TO_DEVICE);
    long fromDevice = device.mapSingle(port, HIGH + 4096, 64, FROM_DEVICE);
    port.fill(toDevice, 64, 0x44);
    port.fill(fromDevice, 64, 0x55);

    device.syncForCpu(port, toDevice, 0, 64, TO_DEVICE);
    device.syncForDevice(port, fromDevice, 0, 64, FROM_DEVICE);

    assertThat(port.read(HIGH, 64)).containsOnly(0);
    assertThat(port.read(fromDevice, 64)).containsOnly(0x55);
  }

  @Test
  void shouldBounceExactlyWhatTheMaskDoesNotReach() {
    device.trySetMask(33);

    assertThat(device.mapSingle(port, 2 * HIGH - 64, 64, TO_DEVICE)).isEqualTo(2 * HIGH - 64);
    assertThat(device.mapSingle(port, 2 * HIGH - 64, 65, TO_DEVICE)).isEqualTo(pool.basePa());
  }

  @Test
  void shouldRefuseWhenNotEvenThePoolIsWithinReach() {
    // 1 MiB of memory is within 21 bits, and the pool lies at 1 MiB: move it up.
    PageAllocator other = new PageAllocator(MemoryZones.ofRam(GIB, GIB));
    other.allocate(MIB, HIGH - 1);
    BounceBufferPool high = new BounceBufferPool(other, MIB);
    DmaDevice narrow = new DmaDevice(DmaConfig.LINUX_DEFAULT, other, DmaMapper.IDENTITY, high);
    assertThat(high.basePa()).isEqualTo(2 * MIB);
    assertThat(narrow.trySetMask(21)).isTrue();

    assertThat(narrow.mapSingle(port, HIGH, 64, TO_DEVICE)).isEqualTo(ERROR);
    assertThat(high.slotsUsed()).isZero();
    assertThat(narrow.mappingErrorsCount()).isEqualTo(1);
    assertThat(port.nowPs).isZero();
  }

  @Test
  void shouldGiveSlotsBackWhenTheMapperHasNoRoom() {
    FakeMapper mapper =
        new FakeMapper() {
          @Override
          public boolean reaches(long pa, int lengthBytes, long mask) {
            return pa < HIGH;
          }
        };
    DmaDevice translated = new DmaDevice(DmaConfig.LINUX_DEFAULT, allocator, mapper, pool);
    mapper.room = 1;

    long iova = translated.mapSingle(port, HIGH, 64, FROM_DEVICE);
    assertThat(translated.mapSingle(port, HIGH, 64, FROM_DEVICE)).isEqualTo(ERROR);
    assertThat(pool.slotsUsed()).isEqualTo(1);
    translated.unmapSingle(port, iova, 64, FROM_DEVICE);

    assertThat(iova).isEqualTo(pool.basePa() + FakeMapper.DISTANCE);
    assertThat(pool.slotsUsed()).isZero();
    assertThat(mapper.calls)
        .containsExactly(
            "map 100000+64 FROM_DEVICE <=ffffffff", "unmap 700000100000+64 FROM_DEVICE");
  }

  @Test
  void shouldMap256KibibytesAndNotAByteMore() {
    assertThat(device.mapSingle(port, HIGH, 256 * KIB, TO_DEVICE)).isEqualTo(pool.basePa());
    assertThat(device.mapSingle(port, HIGH, 256 * KIB + 1, TO_DEVICE)).isEqualTo(ERROR);

    assertThat(pool.tooLargeCount()).isEqualTo(1);
    assertThat(pool.exhaustedCount()).isZero();
    assertThat(pool.refusedBytesLast()).isEqualTo(256 * KIB + 1);
    assertThat(pool.slotsUsedAtRefusalLast()).isEqualTo(128);
    assertThat(device.mapSingle(port, HIGH, Integer.MAX_VALUE, TO_DEVICE)).isEqualTo(ERROR);
    assertThat(pool.tooLargeCount()).isEqualTo(2);
  }

  @Test
  void shouldReportExhaustionWithItsOccupancy() {
    for (int i = 0; i < 3; i++) {
      assertThat(device.mapSingle(port, HIGH, 256 * KIB, TO_DEVICE)).isNotEqualTo(ERROR);
    }
    long last = device.mapSingle(port, HIGH, 2 * KIB, TO_DEVICE);

    // One slot of the last group is taken, so 127 in a row are left: 254 KiB.
    assertThat(device.mapSingle(port, HIGH, 254 * KIB + 1, TO_DEVICE)).isEqualTo(ERROR);
    assertThat(pool.exhaustedCount()).isEqualTo(1);
    assertThat(pool.tooLargeCount()).isZero();
    assertThat(pool.refusedBytesLast()).isEqualTo(254 * KIB + 1);
    assertThat(pool.slotsUsedAtRefusalLast()).isEqualTo(385);
    assertThat(pool.slotCount()).isEqualTo(512);
    assertThat(device.mappingErrorsCount()).isEqualTo(1);

    device.unmapSingle(port, last, 2 * KIB, TO_DEVICE);
    assertThat(device.mapSingle(port, HIGH, 256 * KIB, TO_DEVICE)).isNotEqualTo(ERROR);
    assertThat(pool.slotsUsed()).isEqualTo(512);
    assertThat(pool.slotsUsedMax()).isEqualTo(512);
    assertThat(pool.allocationsCount()).isEqualTo(5);
  }

  @Test
  void shouldExhaustTheDefaultPoolWith32768Slots() {
    BounceBufferPool full = new BounceBufferPool(allocator, BounceBufferPool.SIZE_BYTES_DEFAULT);

    for (int i = 0; i < 32_768; i++) {
      assertThat(full.allocate(port, HIGH, 1, 0, 1)).isEqualTo(full.basePa() + 2048L * i);
    }

    assertThat(full.allocate(port, HIGH, 1, 0, 1)).isEqualTo(BounceBufferPool.NO_SLOTS);
    assertThat(full.slotsUsedAtRefusalLast()).isEqualTo(32_768);
    assertThat(full.sizeBytes()).isEqualTo(64 * MIB);
  }

  @ParameterizedTest
  @CsvSource({
    // mask, low address bits, bits that must be kept
    "0, 0xabc, 0",
    "0x1ff, 0xabc, 0xbc",
    "0xfff, 0xabc, 0xabc",
    "0xffff, 0xfabc, 0xfabc"
  })
  void shouldKeepTheLowAddressBits(int minAlignMask, int low, int kept) {
    DmaDevice aligned = device(DmaConfig.LINUX_DEFAULT.withMinAlignMask(minAlignMask));
    byte[] data = bytes(5000, 4);
    port.write(HIGH + low, data);

    long iova = aligned.mapSingle(port, HIGH + low, 5000, TO_DEVICE);

    assertThat(iova & Math.max(minAlignMask, 2047)).isEqualTo(kept);
    assertThat(port.read(iova, 5000)).isEqualTo(data);
    // 5000 bytes from the offset in a slot on.
    assertThat(pool.slotsUsed()).isEqualTo((((kept & 2047) + 5000) + 2047) / 2048);
    aligned.unmapSingle(port, iova, 5000, TO_DEVICE);
    assertThat(pool.slotsUsed()).isZero();
  }

  @Test
  void shouldLoseCapacityToTheAlignment() {
    DmaDevice nvme = device(DmaConfig.LINUX_DEFAULT.withMinAlignMask(4095));

    assertThat(nvme.mapSingle(port, HIGH, 256 * KIB, TO_DEVICE)).isNotEqualTo(ERROR);
    assertThat(nvme.mapSingle(port, HIGH + 2048, 256 * KIB, TO_DEVICE)).isEqualTo(ERROR);
    assertThat(nvme.mapSingle(port, HIGH + 1, 256 * KIB, TO_DEVICE)).isEqualTo(ERROR);
    assertThat(nvme.mapSingle(port, HIGH + 4095, 252 * KIB, TO_DEVICE)).isNotEqualTo(ERROR);
    assertThat(pool.tooLargeCount()).isEqualTo(2);
    assertThat(pool.exhaustedCount()).isZero();
  }

  /** An interrupt handler that copies in the middle of a copy must not spoil it. */
  @Test
  void shouldSurviveCopiesInTheMiddleOfCopies() {
    byte[] outer = bytes(6000, 5);
    port.write(HIGH, outer);
    List<Long> innerIovas = new ArrayList<>();
    // One level per handler, more levels than there are buffers at first.
    for (int i = 1; i <= 6; i++) {
      port.write(HIGH + i * 8192L, bytes(100, 100 + i));
    }
    port.onNextLoad = () -> mapNested(1, innerIovas);

    long iova = device.mapSingle(port, HIGH, 6000, TO_DEVICE);

    assertThat(port.read(iova, 6000)).isEqualTo(outer);
    assertThat(innerIovas).hasSize(6);
    for (int i = 1; i <= 6; i++) {
      assertThat(port.read(innerIovas.get(6 - i), 100)).isEqualTo(bytes(100, 100 + i));
    }
  }

  private void mapNested(int level, List<Long> iovas) {
    if (level < 6) {
      port.onNextLoad = () -> mapNested(level + 1, iovas);
    }
    iovas.add(device.mapSingle(port, HIGH + level * 8192L, 100, TO_DEVICE));
  }

  @Test
  void shouldLetAHandlerUnmapInTheMiddleOfAnUnmap() {
    long first = device.mapSingle(port, HIGH, 64, FROM_DEVICE);
    long second = device.mapSingle(port, HIGH + 4096, 64, FROM_DEVICE);
    port.fill(first, 64, 1);
    port.fill(second, 64, 2);
    port.onNextLoad = () -> device.unmapSingle(port, second, 64, FROM_DEVICE);

    device.unmapSingle(port, first, 64, FROM_DEVICE);

    assertThat(port.read(HIGH, 64)).containsOnly(1);
    assertThat(port.read(HIGH + 4096, 64)).containsOnly(2);
    assertThat(device.liveMappingsCount()).isZero();
    assertThat(pool.slotsUsed()).isZero();
  }

  @ParameterizedTest
  @ValueSource(ints = {0, MIB - 1, MIB / 2, 3 * MIB, Integer.MIN_VALUE})
  void shouldRejectAnIllegalPoolSize(int sizeBytes) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new BounceBufferPool(allocator, sizeBytes))
        .withMessage("sizeBytes must be 2^k, 1 MiB..1 GiB: sizeBytes=" + sizeBytes);
  }

  @Test
  void shouldRejectAPoolThatDoesNotFitBelow4Gibibytes() {
    PageAllocator small = new PageAllocator(MemoryZones.ofRam(2 * MIB, GIB));

    assertThatIllegalArgumentException()
        .isThrownBy(() -> new BounceBufferPool(small, 2 * MIB))
        .withMessage("sizeBytes must be <= a free block below 4 GiB: sizeBytes=2097152");
  }

  /** Random mappings, device accesses and syncs against a copy of what both sides must see. */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void shouldAgreeWithAModelOfBothSides(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    DmaDevice aligned =
        device(DmaConfig.LINUX_DEFAULT.withMinAlignMask(4095).withExpectedMappings(1));
    List<ModelMapping> live = new ArrayList<>();

    for (int i = 0; i < 3_000; i++) {
      String place = "seed " + seed + ", operation " + i;
      if (live.size() < 20 && random.nextInt(3) == 0) {
        live.add(mapRandom(aligned, random, i));
      } else if (!live.isEmpty()) {
        ModelMapping mapping = live.get(random.nextInt(live.size()));
        mapping.step(aligned, random);
        if (random.nextInt(6) == 0) {
          live.remove(mapping);
          mapping.unmap(aligned);
        }
        mapping.check(place);
      }
    }
    while (!live.isEmpty()) {
      live.remove(0).unmap(aligned);
    }
    assertThat(pool.slotsUsed()).as("seed %d", seed).isZero();
    assertThat(aligned.liveMappingsCount()).as("seed %d", seed).isZero();
  }

  private ModelMapping mapRandom(DmaDevice on, SplittableRandom random, int index) {
    int lengthBytes = 1 + random.nextInt(random.nextBoolean() ? 100 : 9000);
    ModelMapping mapping = new ModelMapping();
    // 16 KiB for each: at most 5000 bytes of offset and 9000 of length.
    mapping.pa = HIGH + index * 16_384L + random.nextInt(5000);
    mapping.direction = DmaDirection.values()[random.nextInt(3)];
    mapping.host = bytes(lengthBytes, index);
    mapping.bus = mapping.host.clone();
    port.write(mapping.pa, mapping.host);
    mapping.iova = on.mapSingle(port, mapping.pa, lengthBytes, mapping.direction);
    return mapping;
  }

  private final class ModelMapping {
    private long pa;
    private long iova;
    private DmaDirection direction;
    private byte[] host;
    private byte[] bus;

    void step(DmaDevice on, SplittableRandom random) {
      int offset = random.nextInt(host.length);
      int length = 1 + random.nextInt(host.length - offset);
      DmaDirection part =
          direction == BIDIRECTIONAL ? DmaDirection.values()[random.nextInt(3)] : direction;
      byte[] data = new byte[length];
      random.nextBytes(data);
      switch (random.nextInt(4)) {
        case 0 -> {
          port.write(pa + offset, data);
          System.arraycopy(data, 0, host, offset, length);
        }
        case 1 -> {
          port.write(iova + offset, data);
          System.arraycopy(data, 0, bus, offset, length);
        }
        case 2 -> {
          on.syncForCpu(port, iova, offset, length, part);
          if (part != TO_DEVICE) {
            System.arraycopy(bus, offset, host, offset, length);
          }
        }
        default -> {
          on.syncForDevice(port, iova, offset, length, part);
          if (part != FROM_DEVICE) {
            System.arraycopy(host, offset, bus, offset, length);
          }
        }
      }
    }

    void unmap(DmaDevice on) {
      on.unmapSingle(port, iova, host.length, direction);
      if (direction != TO_DEVICE) {
        host = bus;
      }
    }

    void check(String place) {
      assertThat(Arrays.equals(port.read(pa, host.length), host)).as(place).isTrue();
      assertThat(Arrays.equals(port.read(iova, bus.length), bus)).as(place).isTrue();
      assertThat((iova ^ pa) & 4095).as(place).isZero();
    }
  }

  private DmaDevice device(DmaConfig config) {
    return new DmaDevice(config, allocator, DmaMapper.IDENTITY, pool);
  }

  private static byte[] bytes(int length, long seed) {
    byte[] bytes = new byte[length];
    new SplittableRandom(seed).nextBytes(bytes);
    return bytes;
  }
}
