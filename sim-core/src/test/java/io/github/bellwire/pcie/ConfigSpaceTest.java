package io.github.bellwire.pcie;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ConfigSpaceTest {
  private static final int COMMAND = 0x04;
  private static final int STATUS = 0x06;
  private static final int DEVICE_CONTROL = 0xA8;
  private static final int DEVICE_STATUS = 0xAA;

  private boolean transactionsPending;
  private final ConfigSpace config = nic().transactionsPending(() -> transactionsPending).build();

  /** An 82599-like function: the offsets that its drivers have built in. */
  private static ConfigSpaceBuilder nic() {
    return new ConfigSpaceBuilder(0x8086, 0x10FB)
        .revisionId(0x01)
        .classCode(0x02_00_00)
        .subsystem(0x15D9, 0x0611)
        .bar(Bar.memory64(4, 16 << 10))
        .bar(Bar.memory64(0, 512 << 10).withPrefetchable(true))
        .bar(Bar.memory32(2, 4096))
        .pcie(0xA0, 2, 8, 512, true)
        .powerManagement(0x40)
        .msiX(0x70, new MsiXConfig(64, 4, 0, 4, 0x2000));
  }

  @ParameterizedTest
  @CsvSource({
    "0x00, 0x10FB8086", // device, vendor
    "0x04, 0x00100000", // capability list bit, nothing enabled
    "0x08, 0x02000001", // class 02 00 00, revision 01
    "0x0C, 0x00000000", // type 0, single function
    "0x10, 0x0000000C", // 64-bit, prefetchable
    "0x14, 0x00000000",
    "0x18, 0x00000000", // 32-bit
    "0x1C, 0x00000000", // absent
    "0x20, 0x00000004", // 64-bit
    "0x24, 0x00000000",
    "0x2C, 0x061115D9", // subsystem
    "0x30, 0x00000000", // no ROM
    "0x34, 0x00000040", // first capability
    "0x3C, 0x00000000", // no interrupt pin
    "0x40, 0x00037001", // power management, version 3, next 70
    "0x44, 0x00000008", // D0, no soft reset
    "0x70, 0x003FA011", // MSI-X, 64 vectors, next A0
    "0x74, 0x00000004", // table: BAR 4, offset 0
    "0x78, 0x00002004", // PBA: BAR 4, offset 2000
    "0xA0, 0x00020010", // PCI Express, version 2 endpoint, last
    "0xA4, 0x00008022", // role-based errors, 8-bit tags, 512 B
    "0xA8, 0x00002810", // read requests 512 B, no snoop, relaxed ordering, payload 128 B
    "0xAC, 0x00400082", // ASPM optionality, x8, generation 2
    "0xB0, 0x10820000", // slot clock, x8, generation 2
    "0xC4, 0x0000001F", // completion timeout ranges A to D, disable
    "0xC8, 0x00000000",
    "0xCC, 0x00000006", // 2.5 and 5 GT/s
    "0xD0, 0x00000002", // target generation 2
    "0x100, 0x00000000", // no extended capability
    "0xFFC, 0x00000000"
  })
  void shouldHaveTheLayoutOfTheSpecification(String offset, String value) {
    assertThat(config.read(Integer.decode(offset), 4))
        .isEqualTo(Integer.parseUnsignedInt(value.substring(2), 16));
  }

  @Test
  void shouldReadBytesAndWordsLittleEndian() {
    assertThat(config.read(0x00, 2)).isEqualTo(0x8086);
    assertThat(config.read(0x02, 2)).isEqualTo(0x10FB);
    assertThat(config.read(0x01, 1)).isEqualTo(0x80);
    assertThat(config.read(0x0B, 1)).isEqualTo(0x02);
    // Link status as a driver reads it: width in 9:4, speed in 3:0.
    assertThat(config.read(0xB2, 2) & 0x3F0).isEqualTo(8 << 4);
    assertThat(config.read(0xB2, 2) & 0xF).isEqualTo(2);
  }

  @Test
  void shouldFindCapabilitiesThroughTheList() {
    assertThat(config.findCapability(CapabilityId.POWER_MANAGEMENT)).isEqualTo(0x40);
    assertThat(config.findCapability(CapabilityId.MSI_X)).isEqualTo(0x70);
    assertThat(config.findCapability(CapabilityId.PCI_EXPRESS)).isEqualTo(0xA0);
    ConfigSpace plain = new ConfigSpaceBuilder(0x1234, 0x5678).pcie(0x40, 3, 4, 256, false).build();
    assertThat(plain.findCapability(CapabilityId.PCI_EXPRESS)).isEqualTo(0x40);
    assertThat(plain.findCapability(CapabilityId.MSI_X)).isZero();
    assertThat(plain.msiX()).isEmpty();
    assertThat(config.msiX()).contains(new MsiXConfig(64, 4, 0, 4, 0x2000));
  }

  @Test
  void shouldWriteOnlyTheBytesAddressed() {
    config.write(0x10, 4, 0x1234_5678);
    config.write(0x13, 1, 0xFFFF_FFAB);
    config.write(0x3C, 1, 0x0B);

    // 512 KiB: bits 18:4 read 0, the low four bits keep describing the window.
    assertThat(config.read(0x10, 4)).isEqualTo(0xAB30_000C);
    assertThat(config.read(0x3C, 4)).isEqualTo(0x0B);
  }

  @ParameterizedTest
  @CsvSource({
    "0, true, 128, FFFFFF84, FFFFFFFF",
    "0, true, 524288, FFF80004, FFFFFFFF",
    "2, true, 2147483648, 80000004, FFFFFFFF",
    "4, true, 4294967296, 00000004, FFFFFFFF",
    "1, true, 1099511627776, 00000004, FFFFFF00",
    "5, false, 128, FFFFFF80, 0",
    "0, false, 4096, FFFFF000, 0",
    "3, false, 2147483648, 80000000, 0"
  })
  void shouldAnswerSizingByAllOnes(
      int index, boolean is64Bit, long sizeBytes, String low, String high) {
    ConfigSpace function =
        new ConfigSpaceBuilder(0x1234, 1)
            .pcie(0x40, 3, 4, 256, false)
            .bar(new Bar(index, is64Bit, false, sizeBytes))
            .build();
    int offset = 0x10 + 4 * index;

    function.write(offset, 4, -1);
    function.write(offset + 4, 4, -1);

    assertThat(function.read(offset, 4)).isEqualTo(Integer.parseUnsignedInt(low, 16));
    assertThat(function.read(offset + 4, 4)).isEqualTo(Integer.parseUnsignedInt(high, 16));
    assertThat(function.barSizeBytes(index)).isEqualTo(sizeBytes);
  }

  @Test
  void shouldDecodeWindowsOnlyWhileMemoryIsEnabled() {
    config.write(0x10, 4, 0x8000_0000);
    config.write(0x14, 4, 0x38);
    config.write(0x18, 4, 0xC000_0000);
    assertThat(config.barIndexAt(0x38_8000_0000L)).isEqualTo(-1);
    assertThat(config.isMemoryEnabled()).isFalse();

    config.write(COMMAND, 2, 1 << 1);

    assertThat(config.isMemoryEnabled()).isTrue();
    assertThat(config.barIndexAt(0x38_8000_0000L)).isZero();
    assertThat(config.barIndexAt(0x38_8007_FFFFL)).isZero();
    assertThat(config.barIndexAt(0x38_8008_0000L)).isEqualTo(-1);
    assertThat(config.barIndexAt(0x38_7FFF_FFFFL)).isEqualTo(-1);
    assertThat(config.barIndexAt(0x8000_0000L)).isEqualTo(-1);
    assertThat(config.barIndexAt(0xC000_0000L)).isEqualTo(2);
    assertThat(config.barIndexAt(0xC000_1000L)).isEqualTo(-1);
    assertThat(config.barAddress(0)).isEqualTo(0x38_8000_0000L);
    assertThat(config.barAddress(1)).isZero();
    assertThat(config.barAddress(2)).isEqualTo(0xC000_0000L);
    assertThat(config.barSizeBytes(0)).isEqualTo(512 << 10);
    assertThat(config.barSizeBytes(1)).isZero();
    assertThat(config.barSizeBytes(3)).isZero();
  }

  @Test
  void shouldNotDecodeAWindowAtAddressZero() {
    config.write(COMMAND, 2, 1 << 1);

    assertThat(config.barIndexAt(0)).isEqualTo(-1);
  }

  @Test
  void shouldPreferTheLowestOfOverlappingWindows() {
    config.write(0x18, 4, 0xC000_0000);
    config.write(0x20, 4, 0xC000_0000);
    config.write(COMMAND, 2, 1 << 1);

    assertThat(config.barIndexAt(0xC000_0000L)).isEqualTo(2);
    assertThat(config.barIndexAt(0xC000_1000L)).isEqualTo(4);
  }

  @Test
  void shouldEnableBusMasteringByTheCommandRegister() {
    assertThat(config.isBusMasterEnabled()).isFalse();

    config.write(COMMAND, 2, 0xFFFF);

    assertThat(config.isBusMasterEnabled()).isTrue();
    // Memory 1, bus master 2, parity 6, SERR 8, interrupt disable 10; I/O and the rest stay 0.
    assertThat(config.read(COMMAND, 2)).isEqualTo(0x0546);
  }

  @Test
  void shouldStopInD3hotAndIgnoreUnimplementedStates() {
    config.write(0x18, 4, 0xC000_0000);
    config.write(COMMAND, 2, 0x6);

    config.write(0x44, 2, 3);
    assertThat(config.isBusMasterEnabled()).isFalse();
    assertThat(config.barIndexAt(0xC000_0000L)).isEqualTo(-1);
    config.write(0x44, 1, 1);
    config.write(0x44, 4, 2);
    assertThat(config.read(0x44, 4)).isEqualTo(0xB);

    config.write(0x44, 2, 0);
    assertThat(config.read(0x44, 2)).isEqualTo(0x8);
    assertThat(config.isBusMasterEnabled()).isTrue();
    assertThat(config.barIndexAt(0xC000_0000L)).isEqualTo(2);
  }

  @Test
  void shouldClearStatusBitsByWritingOne() {
    config.raiseStatus(0xF900);
    assertThat(config.read(STATUS, 2)).isEqualTo(0xF910);

    config.write(STATUS, 2, 0x2010);
    assertThat(config.read(STATUS, 2)).isEqualTo(0xD910);
    config.write(COMMAND, 2, 0xFFFF); // another half of the same register
    assertThat(config.read(STATUS, 2)).isEqualTo(0xD910);
    config.write(STATUS + 1, 1, 0xFF);

    assertThat(config.read(STATUS, 2)).isEqualTo(0x0010);
  }

  @Test
  void shouldClearDeviceStatusBitsByWritingOne() {
    config.raiseDeviceStatus(0x9);
    transactionsPending = true;
    assertThat(config.read(DEVICE_STATUS, 2)).isEqualTo(0x29);

    config.write(DEVICE_STATUS, 2, 0xFFF8);

    assertThat(config.read(DEVICE_STATUS, 2)).isEqualTo(0x21);
    assertThat(config.read(DEVICE_CONTROL, 4)).isEqualTo(0x0021_2810);
    transactionsPending = false;
    assertThat(config.read(DEVICE_STATUS, 1)).isEqualTo(0x01);
  }

  @Test
  void shouldShowTransactionsPendingNowhereElse() {
    transactionsPending = true;

    assertThat(config.read(0xA4, 4)).isEqualTo(0x8022);
    assertThat(config.read(0xAC, 4)).isEqualTo(0x40_0082);
    assertThat(config.read(DEVICE_CONTROL, 2)).isEqualTo(0x2810);
  }

  @Test
  void shouldRefuseToRaiseOtherBits() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> config.raiseStatus(0x10))
        .withMessage("bits must be write-1-to-clear bits: bits=16");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> config.raiseDeviceStatus(0x20))
        .withMessage("bits must be write-1-to-clear bits: bits=32");
  }

  @ParameterizedTest
  @CsvSource({"0, 128, 128", "1, 256, 256", "2, 512, 512", "3, 512, 1024", "5, 512, 4096"})
  void shouldDecodePayloadAndRequestSizes(int code, int maxPayloadBytes, int maxRequestBytes) {
    config.write(DEVICE_CONTROL, 2, code << 5 | code << 12);

    assertThat(config.maxPayloadBytes()).isEqualTo(maxPayloadBytes);
    assertThat(config.maxReadRequestBytes()).isEqualTo(maxRequestBytes);
  }

  @ParameterizedTest
  @ValueSource(ints = {6, 7})
  void shouldBoundReservedSizes(int code) {
    config.write(DEVICE_CONTROL, 2, code << 5 | code << 12);

    assertThat(config.maxPayloadBytes()).isEqualTo(512);
    assertThat(config.maxReadRequestBytes()).isEqualTo(4096);
    assertThat(config.read(DEVICE_CONTROL, 2)).isEqualTo(code << 5 | code << 12);
  }

  @Test
  void shouldStartWithTheSizesAndAttributesOfTheSpecification() {
    assertThat(config.maxPayloadBytes()).isEqualTo(128);
    assertThat(config.maxReadRequestBytes()).isEqualTo(512);
    assertThat(config.isRelaxedOrderingEnabled()).isTrue();
    assertThat(config.isNoSnoopEnabled()).isTrue();
    assertThat(config.isExtendedTagEnabled()).isFalse();

    config.write(DEVICE_CONTROL, 2, 1 << 8);

    assertThat(config.isRelaxedOrderingEnabled()).isFalse();
    assertThat(config.isNoSnoopEnabled()).isFalse();
    assertThat(config.isExtendedTagEnabled()).isTrue();
  }

  @Test
  void shouldNotEnableTagsThatAreNotSupported() {
    ConfigSpace plain = new ConfigSpaceBuilder(0x1234, 0x5678).pcie(0x40, 3, 4, 256, false).build();

    plain.write(0x48, 2, 0xFFFF);

    assertThat(plain.isExtendedTagEnabled()).isFalse();
    assertThat(plain.read(0x48, 2)).isEqualTo(0x78FF);
  }

  @Test
  void shouldDecodeTheMsiXControl() {
    assertThat(config.isMsiXEnabled()).isFalse();
    assertThat(config.isMsiXFunctionMasked()).isFalse();

    config.write(0x72, 2, 0xFFFF);
    assertThat(config.read(0x72, 2)).isEqualTo(0xC03F);
    assertThat(config.isMsiXEnabled()).isTrue();
    assertThat(config.isMsiXFunctionMasked()).isTrue();

    config.write(0x72, 2, 0x8000);
    assertThat(config.isMsiXEnabled()).isTrue();
    assertThat(config.isMsiXFunctionMasked()).isFalse();
  }

  @Test
  void shouldReturnToResetValuesButKeepTheLink() {
    int[] fresh = snapshot(config);
    config.linkUp(1, 4);
    for (int offset = 0; offset < 4096; offset += 4) {
      config.write(offset, 4, 0xFFFF_FFFC);
    }
    config.raiseStatus(0xF900);

    config.reset();

    fresh[0xB0 / 4] = 0x1041_0000; // slot clock, x4, generation 1
    assertThat(snapshot(config)).isEqualTo(fresh);
    assertThat(config.isMemoryEnabled()).isFalse();
    assertThat(config.isBusMasterEnabled()).isFalse();
    assertThat(config.isMsiXEnabled()).isFalse();
    assertThat(config.maxPayloadBytes()).isEqualTo(128);
    assertThat(config.barAddress(0)).isZero();
  }

  @Test
  void shouldRefuseALinkBeyondItsCapabilities() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> config.linkUp(3, 8))
        .withMessage("generation must be 1..2: generation=3");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> config.linkUp(0, 8))
        .withMessage("generation must be 1..2: generation=0");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> config.linkUp(2, 16))
        .withMessage("lanes must be 1, 2, 4, 8, 12, 16 or 32, at most 8: lanes=16");
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4})
  void shouldChangeOnlyWritableBits(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    int[] fresh = snapshot(config);
    int[] writable = writableBits();
    int[] expected = fresh.clone();

    for (int i = 0; i < 20_000; i++) {
      int sizeBytes = 1 << random.nextInt(3);
      int offset = random.nextInt(random.nextBoolean() ? 0x100 : 0x1000) & -sizeBytes;
      int value = random.nextInt();
      if (offset >>> 2 == 0x44 >>> 2) {
        value &= ~1; // the power state, with its ignored values, has its own test
      }
      config.write(offset, sizeBytes, value);

      int shift = (offset & 3) * 8;
      int lanes = (int) ((1L << sizeBytes * 8) - 1) << shift & writable[offset / 4];
      expected[offset / 4] = expected[offset / 4] & ~lanes | value << shift & lanes;
      assertThat(config.read(offset & ~3, 4))
          .as("seed %d, write %d, offset %x", seed, i, offset)
          .isEqualTo(expected[offset / 4]);
    }
    assertThat(snapshot(config)).as("seed %d", seed).isEqualTo(expected);
  }

  /** The writable bits of the function, typed from the specification and not from the code. */
  private static int[] writableBits() {
    int[] bits = new int[1024];
    bits[0x04 / 4] = 0x0546;
    bits[0x0C / 4] = 0xFF;
    bits[0x10 / 4] = 0xFFF8_0000;
    bits[0x14 / 4] = 0xFFFF_FFFF;
    bits[0x18 / 4] = 0xFFFF_F000;
    bits[0x20 / 4] = 0xFFFF_C000;
    bits[0x24 / 4] = 0xFFFF_FFFF;
    bits[0x3C / 4] = 0xFF;
    bits[0x70 / 4] = 0xC000_0000;
    bits[0xA8 / 4] = 0x79FF;
    bits[0xB0 / 4] = 0xCB;
    bits[0xC8 / 4] = 0x31F;
    bits[0xD0 / 4] = 0xF;
    return bits;
  }

  @ParameterizedTest
  @CsvSource({"-4, 4", "4096, 1", "1, 2", "3, 2", "2, 4", "4095, 4"})
  void shouldRejectAnAccessOutsideOrUnaligned(int offset, int sizeBytes) {
    String message =
        "offset must be 0..4095 and a multiple of sizeBytes: offset="
            + offset
            + ", sizeBytes="
            + sizeBytes;
    assertThatIllegalArgumentException()
        .isThrownBy(() -> config.read(offset, sizeBytes))
        .withMessage(message);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> config.write(offset, sizeBytes, 0))
        .withMessage(message);
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 0, 3, 8})
  void shouldRejectAnIllegalAccessSize(int sizeBytes) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> config.read(0, sizeBytes))
        .withMessage("sizeBytes must be 1, 2 or 4: sizeBytes=" + sizeBytes);
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 6})
  void shouldRejectAnUnknownBar(int bar) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> config.barAddress(bar))
        .withMessage("bar must be 0..5: bar=" + bar);
    assertThatIllegalArgumentException().isThrownBy(() -> config.barSizeBytes(bar));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ConfigLayout.barOffset(bar))
        .withMessage("index must be 0..5: index=" + bar);
  }

  @Test
  void shouldAcceptIdentitiesUpToTheirBounds() {
    ConfigSpace lowest =
        new ConfigSpaceBuilder(0, 0)
            .revisionId(0xFF)
            .revisionId(0)
            .classCode(0)
            .pcie(0x40, 1, 1, 128, false)
            .build();
    ConfigSpace highest =
        new ConfigSpaceBuilder(0xFFFE, 0xFFFF)
            .classCode(0xFF_FFFF)
            .revisionId(0xFF)
            .pcie(0x40, 6, 32, 4096, true)
            .bar(Bar.memory32(3, 128))
            .bar(Bar.memory64(1, 128))
            .build();

    assertThat(lowest.read(0x08, 4)).isZero();
    assertThat(lowest.read(0x4C, 4)).isEqualTo(0x40_0011); // x1, generation 1
    assertThat(highest.read(0x00, 4)).isEqualTo(0xFFFF_FFFE);
    assertThat(highest.read(0x08, 4)).isEqualTo(0xFFFF_FFFF);
    assertThat(highest.barSizeBytes(1)).isEqualTo(128);
    assertThat(highest.read(0x44, 4)).isEqualTo(0x8025); // 4096 B, 8-bit tags
    assertThat(highest.read(0x4C, 4)).isEqualTo(0x40_0206); // x32, generation 6
    highest.linkUp(6, 32);
    assertThat(highest.read(0x52, 2)).isEqualTo(0x1206);
  }

  @Test
  void shouldRejectIllegalIdentities() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new ConfigSpaceBuilder(0xFFFF, 0))
        .withMessage("vendorId must be 0..65534: vendorId=65535");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new ConfigSpaceBuilder(0, 0x1_0000))
        .withMessage("deviceId must be 0..65535: deviceId=65536");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> nic().revisionId(256))
        .withMessage("revisionId must be 0..255: revisionId=256");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> nic().classCode(0x100_0000))
        .withMessage("classCode must be 0..16777215: classCode=16777216");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> nic().subsystem(0x1_0000, 0))
        .withMessage("vendorId must be 0..65535: vendorId=65536");
    assertThatNullPointerException()
        .isThrownBy(() -> new ConfigSpaceBuilder(1, 1).msiX(0x70, null))
        .withMessage("config");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> nic().subsystem(0, -1))
        .withMessage("subsystemId must be 0..65535: subsystemId=-1");
  }

  @Test
  void shouldRejectWindowsThatShareARegister() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> nic().bar(Bar.memory32(1, 4096)))
        .withMessageStartingWith("bar must use free registers: Bar[index=1,");
    assertThatIllegalArgumentException().isThrownBy(() -> nic().bar(Bar.memory64(3, 4096)));
  }

  // MSI-X is at 70..7B and power management needs 8 B, so 6C..73 and 78..7F overlap it.
  @ParameterizedTest
  @ValueSource(ints = {0x3C, 0x42, 0x6C, 0x78, 0xFC, 0x100})
  void shouldRejectACapabilityThatDoesNotFit(int offset) {
    ConfigSpaceBuilder builder =
        new ConfigSpaceBuilder(0x1234, 1).msiX(0x70, new MsiXConfig(1, 0, 0, 0, 16));

    assertThatIllegalArgumentException().isThrownBy(() -> builder.powerManagement(offset));
  }

  @ParameterizedTest
  @ValueSource(ints = {0x40, 0x68, 0x7C, 0xF8})
  void shouldAcceptACapabilityThatFits(int offset) {
    ConfigSpace config =
        new ConfigSpaceBuilder(0x1234, 1)
            .bar(Bar.memory32(0, 4096))
            .msiX(0x70, new MsiXConfig(1, 0, 0, 0, 16))
            .pcie(0xA0, 3, 4, 256, false)
            .powerManagement(offset)
            .build();

    assertThat(config.findCapability(CapabilityId.POWER_MANAGEMENT)).isEqualTo(offset);
    assertThat(config.findCapability(CapabilityId.MSI_X)).isEqualTo(0x70);
    assertThat(config.findCapability(CapabilityId.PCI_EXPRESS)).isEqualTo(0xA0);
  }

  @Test
  void shouldRejectASecondCapabilityOfAKind() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> nic().powerManagement(0x50))
        .withMessageStartingWith(
            "a capability must be the only one of its kind and place: POWER_MANAGEMENT at 80");
  }

  @ParameterizedTest
  @CsvSource({
    "0, 8, 256, generation must be 1..6: generation=0",
    "7, 8, 256, generation must be 1..6: generation=7",
    "3, 8, 64, maxPayloadBytes must be a power of two in 128..4096: maxPayloadBytes=64",
    "3, 8, 384, maxPayloadBytes must be a power of two in 128..4096: maxPayloadBytes=384",
    "3, 8, 8192, maxPayloadBytes must be a power of two in 128..4096: maxPayloadBytes=8192"
  })
  void shouldRejectAnIllegalLink(int generation, int lanes, int maxPayloadBytes, String message) {
    ConfigSpaceBuilder builder = new ConfigSpaceBuilder(0x1234, 1);

    assertThatIllegalArgumentException()
        .isThrownBy(() -> builder.pcie(0x40, generation, lanes, maxPayloadBytes, false))
        .withMessage(message);
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 0, 3, 64})
  void shouldRejectAnIllegalWidth(int lanes) {
    ConfigSpaceBuilder builder = new ConfigSpaceBuilder(0x1234, 1);

    assertThatIllegalArgumentException()
        .isThrownBy(() -> builder.pcie(0x40, 3, lanes, 256, false))
        .withMessage("lanes must be 1, 2, 4, 8, 12, 16 or 32, at most 32: lanes=" + lanes);
  }

  @Test
  void shouldRejectAFunctionWithoutPcieCapability() {
    assertThatIllegalStateException()
        .isThrownBy(new ConfigSpaceBuilder(0x1234, 1)::build)
        .withMessage("a function must have a PCI Express capability");
  }

  @Test
  void shouldRejectMsiXWindowsOutsideABar() {
    ConfigSpaceBuilder builder =
        new ConfigSpaceBuilder(0x1234, 1)
            .pcie(0xA0, 3, 4, 256, false)
            .bar(Bar.memory32(0, 1024))
            .msiX(0x70, new MsiXConfig(64, 0, 0, 0, 1024));

    // 64 entries fill the window; the pending bits follow behind its end.
    assertThatIllegalStateException()
        .isThrownBy(builder::build)
        .withMessage("MSI-X pba must lie in a BAR: bar=0, offset=1024, lengthBytes=8");
  }

  @Test
  void shouldRejectAnMsiXTableOutsideABar() {
    ConfigSpaceBuilder builder =
        new ConfigSpaceBuilder(0x1234, 1)
            .pcie(0xA0, 3, 4, 256, false)
            .bar(Bar.memory32(1, 1024))
            .msiX(0x70, new MsiXConfig(64, 0, 0, 1, 0));

    assertThatIllegalStateException()
        .isThrownBy(builder::build)
        .withMessage("MSI-X table must lie in a BAR: bar=0, offset=0, lengthBytes=1024");
  }

  private static int[] snapshot(ConfigSpace config) {
    int[] registers = new int[1024];
    for (int i = 0; i < registers.length; i++) {
      registers[i] = config.read(i * 4, 4);
    }
    return registers;
  }
}
