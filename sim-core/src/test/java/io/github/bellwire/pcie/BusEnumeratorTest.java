package io.github.bellwire.pcie;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class BusEnumeratorTest {
  private static final long BASE_64 = 0x3800_0000_0000L;

  private final BusEnumerator enumerator = new BusEnumerator(EnumerationConfig.XEON);

  private static RootComplex below(List<StubEndpoint> endpoints) {
    RootComplex rootComplex = new TestFabric().rootComplex;
    for (StubEndpoint endpoint : endpoints) {
      rootComplex.attach(endpoint, PcieLinkConfig.GEN3_X8.withMaxPayloadBytes(4096));
    }
    return rootComplex;
  }

  private static ConfigSpaceBuilder function(int deviceId) {
    return new ConfigSpaceBuilder(0x8086, deviceId).pcie(0xA0, 3, 8, 512, true);
  }

  @Test
  void shouldPlaceWindowsLargestFirstAtMultiplesOfTheirSize() {
    StubEndpoint nic =
        new StubEndpoint(
            function(0x10FB)
                .classCode(0x02_00_00)
                .bar(Bar.memory64(0, 512 << 10).withPrefetchable(true))
                .bar(Bar.memory64(4, 16 << 10)));
    StubEndpoint disk =
        new StubEndpoint(
            function(0x0A54)
                .classCode(0x01_08_02)
                .bar(Bar.memory64(0, 16 << 10))
                .bar(Bar.memory32(5, 8 << 10)));
    StubEndpoint gpu =
        new StubEndpoint(
            function(0x20B0)
                .classCode(0x03_02_00)
                .bar(Bar.memory32(0, 16 << 20))
                .bar(Bar.memory64(1, 1L << 40).withPrefetchable(true)));

    List<EnumeratedFunction> functions = enumerator.enumerate(below(List.of(nic, disk, gpu)));

    // 64 bit, ports by size: GPU 1 TiB, then NIC and disk 1 MiB each; 512 KiB before 16 KiB.
    // 32 bit: GPU 16 MiB, disk 1 MiB.
    long afterGpu = BASE_64 + (1L << 40);
    assertThat(functions)
        .containsExactly(
            new EnumeratedFunction(
                new Bdf(1, 0, 0),
                nic,
                0x8086,
                0x10FB,
                0x02_00_00,
                List.of(
                    new AssignedBar(new Bar(0, true, true, 512 << 10), afterGpu),
                    new AssignedBar(new Bar(4, true, false, 16 << 10), afterGpu + 0x8_0000))),
            new EnumeratedFunction(
                new Bdf(2, 0, 0),
                disk,
                0x8086,
                0x0A54,
                0x01_08_02,
                List.of(
                    new AssignedBar(new Bar(0, true, false, 16 << 10), afterGpu + 0x10_0000),
                    new AssignedBar(new Bar(5, false, false, 8 << 10), 0xC100_0000L))),
            new EnumeratedFunction(
                new Bdf(3, 0, 0),
                gpu,
                0x8086,
                0x20B0,
                0x03_02_00,
                List.of(
                    new AssignedBar(new Bar(0, false, false, 16 << 20), 0xC000_0000L),
                    new AssignedBar(new Bar(1, true, true, 1L << 40), BASE_64))));
    assertThat(disk.configSpace().barIndexAt(0xC100_0000L)).isEqualTo(5);
    assertThat(nic.configSpace().barIndexAt(afterGpu + 0x8_0000)).isEqualTo(4);
    assertThat(functions.get(1).barAddress(5)).isEqualTo(0xC100_0000L);
  }

  @Test
  void shouldAlignAfterASmallerWindowBase() {
    BusEnumerator odd =
        new BusEnumerator(EnumerationConfig.XEON.withWindow32(0xC000_1000L, 0x20_0000));
    StubEndpoint endpoint = new StubEndpoint(function(1).bar(Bar.memory32(0, 64 << 10)));

    assertThat(odd.enumerate(below(List.of(endpoint))).get(0).barAddress(0))
        .isEqualTo(0xC010_0000L);
  }

  @Test
  void shouldEnableMemoryAndLeaveBusMasteringToTheDriver() {
    StubEndpoint endpoint = new StubEndpoint(function(1).bar(Bar.memory32(0, 4096)));
    StubEndpoint running = new StubEndpoint(function(2));
    running.configSpace().write(0x04, 2, 0x0406);

    enumerator.enumerate(below(List.of(endpoint, running)));

    assertThat(endpoint.configSpace().read(0x04, 2)).isEqualTo(0x0002);
    assertThat(running.configSpace().read(0x04, 2)).isEqualTo(0x0406);
  }

  @ParameterizedTest
  @CsvSource({
    "128, 256, 128, 512",
    "512, 256, 256, 512",
    "512, 4096, 512, 4096",
    "4096, 128, 128, 128"
  })
  void shouldProgramPayloadAndRequestSizes(
      int supportedBytes, int limitBytes, int maxPayloadBytes, int maxRequestBytes) {
    StubEndpoint endpoint =
        new StubEndpoint(new ConfigSpaceBuilder(0x8086, 1).pcie(0x50, 3, 8, supportedBytes, true));
    ConfigSpace space = endpoint.configSpace();
    space.write(0x58, 2, 0xFFFF); // leftovers that are not the firmware's to change
    EnumerationConfig config =
        EnumerationConfig.XEON
            .withMaxPayloadBytes(limitBytes)
            .withMaxReadRequestBytes(maxRequestBytes);

    new BusEnumerator(config).enumerate(below(List.of(endpoint)));

    assertThat(space.maxPayloadBytes()).isEqualTo(maxPayloadBytes);
    assertThat(space.maxReadRequestBytes()).isEqualTo(maxRequestBytes);
    int payloadCode = Integer.numberOfTrailingZeros(maxPayloadBytes) - 7;
    assertThat(space.read(0x58, 2) >> 5 & 7).isEqualTo(payloadCode);
    assertThat(space.read(0x58, 2) & 0x91F).isEqualTo(0x91F);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void shouldLeaveOrTakeTheRightToRelaxedOrdering(boolean isAllowed) {
    StubEndpoint endpoint = new StubEndpoint(function(1));
    EnumerationConfig config = EnumerationConfig.XEON.withRelaxedOrdering(isAllowed);

    new BusEnumerator(config).enumerate(below(List.of(endpoint)));

    assertThat(endpoint.configSpace().isRelaxedOrderingEnabled()).isEqualTo(isAllowed);
    assertThat(endpoint.configSpace().isNoSnoopEnabled()).isTrue();
  }

  @Test
  void shouldPlaceAgainAfterAReset() {
    StubEndpoint endpoint = new StubEndpoint(function(1).bar(Bar.memory64(2, 4096)));
    List<EnumeratedFunction> first = enumerator.enumerate(below(List.of(endpoint)));
    endpoint.reset(0);

    assertThat(enumerator.enumerate(below(List.of(endpoint)))).isEqualTo(first);
    assertThat(endpoint.configSpace().barIndexAt(BASE_64)).isEqualTo(2);
  }

  @Test
  void shouldNumberUpTo32Ports() {
    List<StubEndpoint> endpoints = new ArrayList<>();
    for (int i = 0; i < 32; i++) {
      endpoints.add(new StubEndpoint(function(i)));
    }

    List<EnumeratedFunction> functions = enumerator.enumerate(below(endpoints));

    assertThat(functions.get(31).bdf()).hasToString("0000:20:00.0");
    endpoints.add(new StubEndpoint(function(32)));
    assertThatIllegalStateException()
        .isThrownBy(() -> below(endpoints))
        .withMessage("all ports are taken: ports=32");
  }

  @Test
  void shouldReturnAnImmutableList() {
    List<EnumeratedFunction> functions =
        enumerator.enumerate(
            below(List.of(new StubEndpoint(function(1).bar(Bar.memory32(0, 4096))))));

    assertThatExceptionOfType(UnsupportedOperationException.class).isThrownBy(functions::clear);
    assertThatExceptionOfType(UnsupportedOperationException.class)
        .isThrownBy(functions.get(0).bars()::clear);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> functions.get(0).barAddress(1))
        .withMessage("index must be that of a window: index=1, bdf=0000:01:00.0");
  }

  @ParameterizedTest
  @ValueSource(longs = {21, 22, 23})
  void shouldNeverOverlapWindows(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    List<StubEndpoint> endpoints = new ArrayList<>();
    for (int i = 0; i < 32; i++) {
      ConfigSpaceBuilder builder = function(i);
      for (int index = 0; index < 6; index++) {
        if (random.nextInt(3) == 0) {
          continue;
        }
        boolean is64Bit = index < 5 && random.nextBoolean();
        builder.bar(new Bar(index, is64Bit, random.nextBoolean(), 128L << random.nextInt(15)));
        index += is64Bit ? 1 : 0;
      }
      endpoints.add(new StubEndpoint(builder));
    }

    List<AssignedBar> placed = new ArrayList<>();
    for (EnumeratedFunction function : enumerator.enumerate(below(endpoints))) {
      ConfigSpace space = function.endpoint().configSpace();
      for (AssignedBar assigned : function.bars()) {
        long sizeBytes = assigned.bar().sizeBytes();
        long address = assigned.address();
        int index = assigned.bar().index();
        assertThat(address % sizeBytes).as("seed %d", seed).isZero();
        assertThat(space.barAddress(index)).as("seed %d", seed).isEqualTo(address);
        assertThat(space.barSizeBytes(index)).as("seed %d", seed).isEqualTo(sizeBytes);
        assertThat(space.barIndexAt(address + sizeBytes - 1)).as("seed %d", seed).isEqualTo(index);
        placed.add(assigned);
      }
    }
    for (AssignedBar a : placed) {
      for (AssignedBar b : placed) {
        boolean disjoint =
            a == b
                || a.address() + a.bar().sizeBytes() <= b.address()
                || b.address() + b.bar().sizeBytes() <= a.address();
        assertThat(disjoint).as("seed %d, %s, %s", seed, a, b).isTrue();
      }
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {31, 32, 33, 34})
  void shouldReachEveryWindowOfARandomTree(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    TestFabric fabric = new TestFabric();
    List<StubEndpoint> planted = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      if (random.nextBoolean()) {
        plant(fabric.rootComplex.attach(SwitchConfig.PEX89048.withPortsCount(4)), random, planted);
      } else {
        planted.add(randomFunction(random));
        fabric.rootComplex.attach(planted.get(planted.size() - 1), PcieLinkConfig.GEN3_X8);
      }
    }

    List<EnumeratedFunction> functions = enumerator.enumerate(fabric.rootComplex);

    assertThat(functions).extracting(EnumeratedFunction::endpoint).hasSameElementsAs(planted);
    assertThat(functions).extracting(EnumeratedFunction::bdf).doesNotHaveDuplicates();
    MmioResult result = new MmioResult();
    for (EnumeratedFunction function : functions) {
      assertThat(fabric.rootComplex.portOf(function.bdf()).endpoint())
          .isSameAs(function.endpoint());
      StubEndpoint stub = (StubEndpoint) function.endpoint();
      for (AssignedBar bar : function.bars()) {
        long last = bar.address() + bar.bar().sizeBytes() - 4;
        fabric.rootComplex.mmioRead(last, 4, fabric.simulation.nowPs(), result);
        assertThat(stub.lastOffset).as("seed %d", seed).isEqualTo(bar.bar().sizeBytes() - 4);
        stub.lastOffset = -1;
      }
    }
    assertThat(fabric.rootComplex.unclaimedAccessesTotal()).isZero();
  }

  private static void plant(
      Switch packetSwitch, SplittableRandom random, List<StubEndpoint> planted) {
    for (int i = random.nextInt(4); i >= 0; i--) {
      if (random.nextInt(4) == 0) {
        plant(packetSwitch.attach(SwitchConfig.PEX89048.withPortsCount(4)), random, planted);
      } else {
        planted.add(randomFunction(random));
        packetSwitch.attach(planted.get(planted.size() - 1), PcieLinkConfig.GEN3_X8);
      }
    }
  }

  private static StubEndpoint randomFunction(SplittableRandom random) {
    return new StubEndpoint(
        function(7)
            .bar(Bar.memory32(0, 128L << random.nextInt(16)))
            .bar(Bar.memory64(2, 128L << random.nextInt(20)).withPrefetchable(true)));
  }

  @Test
  void shouldFillAWindowToItsLastByteAndThenRefuse() {
    BusEnumerator small =
        new BusEnumerator(
            EnumerationConfig.XEON
                .withWindow32(0xC000_0000L, 0x30_0000)
                .withWindow64(1L << 32, 0x10_0000));
    StubEndpoint fits =
        new StubEndpoint(
            function(1)
                .bar(Bar.memory32(0, 1 << 20))
                .bar(Bar.memory32(1, 2 << 20))
                .bar(Bar.memory64(2, 4096)));
    StubEndpoint tooMuch32 = new StubEndpoint(function(2).bar(Bar.memory32(3, 128)));
    StubEndpoint tooMuch64 = new StubEndpoint(function(3).bar(Bar.memory64(0, 128)));

    assertThat(small.enumerate(below(List.of(fits))).get(0).barAddress(0)).isEqualTo(0xC020_0000L);

    // 3 MiB for the first port and 1 MiB, the smallest window of a bridge, for the second.
    assertThatIllegalStateException()
        .isThrownBy(() -> small.enumerate(below(List.of(fits, tooMuch32))))
        .withMessage(
            "window 0xc0000000..0xc02fffff is too small: 0x400000 bytes are needed from"
                + " 0xc0000000 on");
    assertThatIllegalStateException()
        .isThrownBy(() -> small.enumerate(below(List.of(fits, tooMuch64))))
        .withMessageStartingWith("window 0x100000000..0x1000fffff is too small: 0x200000 bytes");
  }

  @Test
  void shouldLeaveDecodingOffWhereItCouldNotPlaceAWindow() {
    BusEnumerator none = new BusEnumerator(EnumerationConfig.XEON.withWindow32(0xC000_0000L, 0));
    StubEndpoint endpoint = new StubEndpoint(function(1).bar(Bar.memory32(0, 4096)));
    endpoint.configSpace().write(0x04, 2, 0x0002);

    assertThatIllegalStateException().isThrownBy(() -> none.enumerate(below(List.of(endpoint))));

    // Sizing has left all ones in the BAR, which must not claim the top of the address space.
    assertThat(endpoint.configSpace().isMemoryEnabled()).isFalse();
  }

  @Test
  void shouldDefaultToTheWindowsOfAServer() {
    EnumerationConfig xeon = EnumerationConfig.XEON;

    assertThat(xeon.window32Base()).isEqualTo(0xC000_0000L);
    assertThat(xeon.window32Base() + xeon.window32Bytes() - 1).isEqualTo(0xFEBF_FFFFL);
    assertThat(xeon.window64Base()).isEqualTo(BASE_64);
    assertThat(xeon.maxPayloadBytes()).isEqualTo(256);
    assertThat(xeon.maxReadRequestBytes()).isEqualTo(512);
  }

  @Test
  void shouldAcceptWindowsUpToTheirBounds() {
    EnumerationConfig xeon = EnumerationConfig.XEON;

    assertThat(xeon.withWindow32(0x1000, 0xFFFF_F000L).window32Bytes()).isEqualTo(0xFFFF_F000L);
    assertThat(xeon.withWindow32(0xFFFF_F000L, 0).window32Bytes()).isZero();
    assertThat(xeon.withWindow64(1L << 32, (1L << 52) - (1L << 32)).window64Base())
        .isEqualTo(1L << 32);
    assertThat(xeon.withWindow64((1L << 52) - 4096, 0).window64Bytes()).isZero();
    assertThatIllegalArgumentException().isThrownBy(() -> xeon.withWindow64(1L << 52, 0));
  }

  @Test
  void shouldRejectIllegalWindows() {
    EnumerationConfig xeon = EnumerationConfig.XEON;

    assertThatIllegalArgumentException()
        .isThrownBy(() -> xeon.withWindow32(0, 4096))
        .withMessage("window32Base must be a multiple of 4096 in 4096..4294963200: window32Base=0");
    assertThatIllegalArgumentException().isThrownBy(() -> xeon.withWindow32(0x1800, 4096));
    assertThatIllegalArgumentException().isThrownBy(() -> xeon.withWindow32(1L << 32, 0));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> xeon.withWindow32(0xC000_0000L, 0x4000_0001L))
        .withMessage("window32Bytes must be 0..1073741824: window32Bytes=1073741825");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> xeon.withWindow64(0xC000_0000L, 4096))
        .withMessageStartingWith("window64Base must be a multiple of 4096 in 4294967296..");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> xeon.withWindow64(1L << 32, 1L << 52))
        .withMessageStartingWith("window64Bytes must be 0..");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> xeon.withMaxPayloadBytes(192))
        .withMessage("maxPayloadBytes must be a power of two in 128..4096: maxPayloadBytes=192");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> xeon.withMaxReadRequestBytes(8192))
        .withMessage(
            "maxReadRequestBytes must be a power of two in 128..4096: maxReadRequestBytes=8192");
  }

  /** A function without registers. */
  private static final class StubEndpoint implements Endpoint {
    private final ConfigSpace config;
    private long lastOffset = -1;

    StubEndpoint(ConfigSpaceBuilder builder) {
      config = builder.build();
    }

    @Override
    public ConfigSpace configSpace() {
      return config;
    }

    @Override
    public void connect(DmaPort dma) {}

    @Override
    public long mmioRead(int bar, long offset, int sizeBytes, long nowPs) {
      lastOffset = offset;
      return 0;
    }

    @Override
    public void mmioWrite(int bar, long offset, int sizeBytes, long value, long nowPs) {}

    @Override
    public void reset(long nowPs) {
      config.reset();
    }
  }
}
