package io.github.bellwire.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.assertj.core.api.Assertions.withinPercentage;

import io.github.bellwire.cache.CoherentCacheConfig;
import io.github.bellwire.cache.DevicePortConfig;
import io.github.bellwire.cache.NumaConfig;
import io.github.bellwire.cpu.CpuPort;
import io.github.bellwire.cpu.InterruptVector;
import io.github.bellwire.cpu.Routine;
import io.github.bellwire.cpu.SynchronousPort;
import io.github.bellwire.dma.DmaDevice;
import io.github.bellwire.dma.DmaDirection;
import io.github.bellwire.dma.DmaMapper;
import io.github.bellwire.dma.check.DmaChecker;
import io.github.bellwire.dma.check.DmaReport;
import io.github.bellwire.dma.check.DmaViolation;
import io.github.bellwire.kernel.Event;
import io.github.bellwire.memory.PhysicalMemory;
import io.github.bellwire.pcie.Bdf;
import io.github.bellwire.pcie.DmaPort;
import io.github.bellwire.pcie.DmaStatus;
import io.github.bellwire.pcie.EnumeratedFunction;
import io.github.bellwire.pcie.IntegratedRegisters;
import io.github.bellwire.pcie.PcieLinkConfig;
import io.github.bellwire.pcie.RecordingEndpoint;
import io.github.bellwire.pcie.RemappingUnit;
import io.github.bellwire.pcie.RootComplexConfig;
import io.github.bellwire.pcie.RootComplexConfig.PeerToPeer;
import io.github.bellwire.pcie.RootPort;
import io.github.bellwire.pcie.SlotConfig;
import io.github.bellwire.pcie.Switch;
import io.github.bellwire.pcie.SwitchConfig;
import io.github.bellwire.pcie.TranslationRequest;
import io.github.bellwire.pcie.TranslationResult;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The assembled machine: every part is wired to the same clock, memory and caches. */
class HostTest {
  private final Host host = new Host(HostConfig.GEN4_SERVER, 42);

  private RecordingEndpoint plug() {
    RecordingEndpoint endpoint = new RecordingEndpoint();
    host.attach(endpoint);
    return endpoint;
  }

  @Test
  void shouldBeMadeOfItsConfiguration() {
    assertThat(host.config()).isSameAs(HostConfig.GEN4_SERVER);
    assertThat(host.simulation().seed()).isEqualTo(42);
    assertThat(host.memory().lowBytes()).isEqualTo(2L << 30);
    assertThat(host.memory().highBytes()).isEqualTo(64L << 30);
    assertThat(host.core(15).index()).isEqualTo(15);
    assertThatExceptionOfType(IndexOutOfBoundsException.class).isThrownBy(() -> host.core(16));
    assertThat(host.synchronousPort(3).coreIndex()).isEqualTo(3);
  }

  @Test
  @SuppressWarnings("NullAway")
  void shouldRejectNothing() {
    assertThatNullPointerException().isThrownBy(() -> new Host(null, 1)).withMessage("config");
    assertThatNullPointerException()
        .isThrownBy(() -> new Host(HostConfig.IDEAL, 1, null))
        .withMessage("remapping");
  }

  @Test
  void shouldEnumerateDevicesWithTheSizesOfTheSlot() {
    PcieLinkConfig slot =
        PcieLinkConfig.GEN4_X16.withMaxPayloadBytes(1024).withMaxReadRequestBytes(2048);
    Host large = new Host(HostConfig.GEN4_SERVER.withLink(slot), 1);
    RecordingEndpoint first = new RecordingEndpoint();
    RecordingEndpoint second = new RecordingEndpoint();
    large.attach(first);
    large.attach(second);

    List<EnumeratedFunction> functions = large.enumerate();

    assertThat(functions).hasSize(2);
    assertThat(large.rootComplex().ports()).hasSize(2);
    assertThat(large.rootComplex().ports().get(0).link()).isEqualTo(slot);
    for (RecordingEndpoint endpoint : List.of(first, second)) {
      assertThat(endpoint.configSpace().barAddress(0)).isGreaterThanOrEqualTo(1L << 32);
      assertThat(endpoint.configSpace().maxPayloadBytes()).isEqualTo(1024);
      assertThat(endpoint.configSpace().maxReadRequestBytes()).isEqualTo(2048);
      assertThat(endpoint.configSpace().isBusMasterEnabled()).isFalse();
    }
    assertThat(first.configSpace().barAddress(0)).isNotEqualTo(second.configSpace().barAddress(0));
  }

  @Test
  void shouldTakeASwitchAndASlot() {
    RecordingEndpoint behind = new RecordingEndpoint();
    RecordingEndpoint late = new RecordingEndpoint();
    Switch packetSwitch = host.attach(SwitchConfig.PEX89048);
    packetSwitch.attach(behind, host.config().link());
    RootPort slot = host.addSlot(SlotConfig.SURPRISE);
    RecordingEndpoint last = plug();

    assertThat(host.enumerate())
        .extracting(EnumeratedFunction::endpoint)
        .containsExactly(behind, last);
    slot.insert(late);
    host.simulation().runUntil(SlotConfig.SURPRISE.linkUpPs());
    List<EnumeratedFunction> found = host.enumerate(slot);

    assertThat(found).extracting(EnumeratedFunction::endpoint).containsExactly(late);
    late.answer(7);
    long bar = found.get(0).barAddress(0);
    assertThat(host.synchronousPort(0).mmioRead(bar, 4)).isEqualTo(7);
  }

  @Test
  void shouldForwardBetweenDevicesIfItsRootComplexDoes() {
    RootComplexConfig forwarding =
        HostConfig.GEN4_SERVER.rootComplex().withPeerToPeer(PeerToPeer.FORWARDED);
    Host open = new Host(HostConfig.GEN4_SERVER.withRootComplex(forwarding), 1);
    for (Host machine : List.of(host, open)) {
      RecordingEndpoint writer = new RecordingEndpoint();
      RecordingEndpoint target = new RecordingEndpoint();
      machine.attach(writer);
      machine.attach(target);
      machine.enumerate();
      writer.busMaster(true);
      writer.dma().write(target.configSpace().barAddress(0), new byte[] {1, 2}, 0, 2, 0);
      machine.simulation().run();

      assertThat(target.writes()).hasSize(machine == open ? 1 : 0);
    }
  }

  @Test
  void shouldReachDeviceRegistersFromItsCores() {
    RecordingEndpoint endpoint = plug();
    host.enumerate();
    long bar = endpoint.configSpace().barAddress(0);
    SynchronousPort port = host.synchronousPort(0);
    endpoint.answer(0x77);

    port.mmioWrite(bar + 8, 4, 5);

    assertThat(port.mmioRead(bar, 4)).isEqualTo(0x77);
    assertThat(endpoint.writes()).extracting(RecordingEndpoint.Access::value).containsExactly(5L);
  }

  @Test
  void shouldShowDeviceWritesToWhoeverLooks() {
    RecordingEndpoint endpoint = plug();
    host.enumerate();
    endpoint.busMaster(true);
    SynchronousPort port = host.synchronousPort(0);

    long commitPs = endpoint.dma().writeStatus(0x1000, new byte[] {9}, 0, 1, 0);
    PhysicalMemory memory = host.memory();
    host.simulation().runUntil(commitPs - 1);
    assertThat(memory.getByte(0x1000)).isZero();
    List<Integer> seen = new ArrayList<>();
    Event look =
        new Event() {
          @Override
          protected void onEvent(long nowPs) {
            seen.add(memory.getByte(0x1000));
            seen.add(host.memory().getByte(0x1000));
          }
        };
    host.simulation().schedule(look, commitPs);
    host.simulation().runUntil(commitPs);

    // Within an event it is asking that makes it visible.
    assertThat(seen).containsExactly(0, 9);
    assertThat(memory.getByte(0x1000)).isEqualTo(9);
    // The device's write is in the last-level cache now: 25 ns, and 333 ps for the load itself.
    assertThat(port.load(0x1000, 1)).isEqualTo(9);
    assertThat(port.nowPs()).isEqualTo(commitPs + 25_333);
    assertThat(host.caches().statistics().deviceWriteMissesTotal()).isEqualTo(1);
  }

  @Test
  void shouldBuildTheCachesThatItIsToldTo() {
    Host skylake =
        new Host(HostConfig.GEN4_SERVER.withCache(CoherentCacheConfig.XEON_GOLD_6140), 1);
    RecordingEndpoint allocating = new RecordingEndpoint();
    RecordingEndpoint plain = new RecordingEndpoint();
    skylake.attach(allocating);
    skylake.attach(plain, DevicePortConfig.DEFAULT.withAllocatesOnWrite(false));
    skylake.enumerate();
    allocating.busMaster(true);
    plain.busMaster(true);
    allocating.dma().write(0x1000, new byte[64], 0, 64, 0);
    plain.dma().write(0x2000, new byte[64], 0, 64, 0);
    SynchronousPort port = skylake.synchronousPort(0);
    port.delay(1_000_000);

    // From the last-level cache: 6.087 + 20 ns. From DRAM: 50.313 ns more.
    port.load(0x1000, 1);
    assertThat(port.nowPs()).isEqualTo(1_026_087);
    port.load(0x2000, 1);
    assertThat(port.nowPs()).isEqualTo(1_026_087 + 76_400);
  }

  @Test
  void shouldGiveEverySocketItsMemory() {
    NumaConfig numa = new NumaConfig(2, 1L << 32, 58_000);
    CoherentCacheConfig caches = CoherentCacheConfig.XEON_GOLD_6140.withNuma(numa);
    SynchronousPort port = new Host(HostConfig.GEN4_SERVER.withCache(caches), 1).synchronousPort(0);

    port.load(0x1000, 1);
    assertThat(port.nowPs()).isEqualTo(76_400);
    port.load(1L << 32, 1);
    assertThat(port.nowPs()).isEqualTo(76_400 + 76_400 + 58_000);
  }

  @Test
  void shouldReadFromTheLastLevelCacheInAbout410ns() {
    RecordingEndpoint endpoint = plug();
    host.enumerate();
    endpoint.busMaster(true);
    endpoint.dma().write(0x1000, new byte[64], 0, 64, 0);
    long atPs = 1_000_000;

    long donePs = endpoint.dma().read(0x1000, new byte[64], 0, 64, atPs);

    // 2 x 60 + 2 x 130 + 25 ns and the time of 20 + 84 bytes on the link, 3.66 ns.
    assertThat((double) (donePs - atPs)).isCloseTo(408_660, withinPercentage(0.01));
  }

  @Test
  void shouldInterruptItsCores() {
    RecordingEndpoint endpoint = plug();
    host.enumerate();
    endpoint.busMaster(true);
    List<Long> seen = new ArrayList<>();
    Routine handler =
        new Routine(host.core(2)) {
          @Override
          protected void run(CpuPort port) {
            seen.add(port.load(0x1000, 4));
            seen.add((long) port.coreIndex());
          }
        };
    InterruptVector vector = host.interrupts().allocate(host.core(2), handler);

    endpoint.dma().writeStatus(0x1000, new byte[] {1, 2, 3, 4}, 0, 4, 0);
    endpoint.dma().sendMessage(vector.address(), vector.data(), 0);
    host.simulation().run();

    assertThat(seen).containsExactly(0x0403_0201L, 2L);
    assertThat(host.interrupts().messagesTotal()).isEqualTo(1);
  }

  /** Takes 1 MiB off addresses, refuses what lies below, changes the data of messages. */
  private static final class ShiftingUnit implements RemappingUnit, IntegratedRegisters {
    private static final long BASE = 0xFED9_0000L;

    private final RemappingPorts ports;
    private long scratch;

    ShiftingUnit(RemappingPorts ports) {
      this.ports = ports;
    }

    @Override
    public IntegratedRegisters registers() {
      return this;
    }

    @Override
    public void translate(TranslationRequest request, TranslationResult result) {
      if (request.iova() < 0x10_0000) {
        result.refused(DmaStatus.COMPLETER_ABORT, request.atPs());
      } else {
        result.translated(request.iova() - 0x10_0000, request.atPs());
      }
    }

    @Override
    public void onMessage(int requesterId, long address, int data, long atPs) {
      ports.interrupts().onMessage(requesterId, address, data - 1000, atPs);
    }

    @Override
    public long baseAddress() {
      return BASE;
    }

    @Override
    public int sizeBytes() {
      return 4096;
    }

    @Override
    public long read(int offset, int sizeBytes, long atPs) {
      return scratch + offset;
    }

    @Override
    public void write(int offset, int sizeBytes, long value, long atPs) {
      scratch = value;
    }
  }

  @Test
  void shouldLetTheRemappingUnitSeeMessagesAndRegisterAccesses() {
    Host remapped = new Host(HostConfig.IDEAL, 1, ShiftingUnit::new);
    RecordingEndpoint endpoint = new RecordingEndpoint();
    remapped.attach(endpoint);
    remapped.enumerate();
    endpoint.busMaster(true);
    List<Long> seen = new ArrayList<>();
    Routine handler =
        new Routine(remapped.core(0)) {
          @Override
          protected void run(CpuPort port) {
            port.mmioWrite(ShiftingUnit.BASE, 4, 40);
            seen.add(port.mmioRead(ShiftingUnit.BASE + 2, 4));
          }
        };
    InterruptVector vector = remapped.interrupts().allocate(remapped.core(0), handler);

    endpoint.dma().sendMessage(vector.address(), vector.data() + 1000, 0);
    remapped.simulation().run();

    assertThat(seen).containsExactly(42L);
  }

  @Test
  void shouldTranslateDeviceAddresses() {
    Host translated = new Host(HostConfig.IDEAL, 1, ShiftingUnit::new);
    RecordingEndpoint endpoint = new RecordingEndpoint();
    translated.attach(endpoint);
    translated.enumerate();
    endpoint.busMaster(true);

    endpoint.dma().write(0x10_2000, new byte[] {5}, 0, 1, 0);
    assertThat(translated.memory().getByte(0x2000)).isEqualTo(5);
    endpoint.dma().write(0x2000, new byte[] {6}, 0, 1, 0);

    assertThat(endpoint.dma().status()).isEqualTo(DmaStatus.COMPLETER_ABORT);
    assertThat(translated.memory().getByte(0x2000)).isEqualTo(5);
  }

  @Test
  void shouldReachTheAnalyticBandwidthOnAnIdealHost() {
    Host ideal = new Host(HostConfig.IDEAL, 1);
    RecordingEndpoint endpoint = new RecordingEndpoint();
    ideal.attach(endpoint);
    ideal.enumerate();
    endpoint.busMaster(true);
    DmaPort dma = endpoint.dma();
    byte[] buffer = new byte[4096];
    long donePs = 0;
    for (int i = 0; i < 2_000; i++) {
      donePs = dma.read((1L << 32) + i * 4096L, buffer, 0, 4096, 0);
    }

    // Gen 3 x8, MPS 256, MRRS 512: 53.69 Gb/s (model/pcie.py of pcie-bench).
    assertThat(8_000.0 * 2_000 * 4096 / donePs).isCloseTo(53.69, withinPercentage(0.5));
  }

  @Test
  void shouldGiveDriversMemoryInRam() {
    long pa = host.pages().allocate(4096);

    assertThat(host.memory().contains(pa, 4096)).isTrue();
    assertThat(host.newDmaDevice()).isNotSameAs(host.newDmaDevice());
    assertThat(host.bounceBuffers()).isNotNull();
  }

  @Test
  void shouldGiveSmallMachinesSmallBounceBuffers() {
    HostConfig server = HostConfig.GEN4_SERVER;
    HostConfig small =
        new HostConfig(
            "small",
            16 << 20,
            0,
            1,
            server.core(),
            server.cache(),
            server.memory(),
            server.rootComplex(),
            server.link());

    // A quarter of low memory, so that something is left.
    assertThat(new Host(small, 1).pages().allocate(4 << 20)).isNotNegative();
  }

  @Test
  void shouldWatchDevicesThatAreThereAndThoseToCome() {
    Host host = new Host(HostConfig.GEN4_SERVER, 1);
    DmaDevice before = host.newDmaDevice();
    DmaDevice placed = host.newDmaDevice(DmaMapper.IDENTITY, new Bdf(2, 0, 0));
    assertThat(host.checker()).isNull();

    DmaChecker checker = host.attachChecker();
    DmaDevice after = host.newDmaDevice();
    SynchronousPort port = host.synchronousPort(0);
    for (DmaDevice device : List.of(before, placed, after)) {
      device.unmapSingle(port, 0x1000, 1, DmaDirection.TO_DEVICE);
    }

    assertThat(host.attachChecker()).isSameAs(checker).isSameAs(host.checker());
    assertThat(checker.reports())
        .extracting(DmaReport::device)
        .containsExactly("device 0", "0000:02:00.0", "device 2");
  }

  @Test
  void shouldTellWhatCoresDoOfRoutinesAndSynchronousPorts() {
    Host host = new Host(HostConfig.GEN4_SERVER, 1);
    DmaChecker checker = host.attachChecker();
    DmaDevice device = host.newDmaDevice();
    device.trySetMask(64);
    SynchronousPort port = host.synchronousPort(0);
    long pa = host.pages().allocate(16384) + 4096;
    device.isMappingError(device.mapSingle(port, pa, 4096, DmaDirection.BIDIRECTIONAL));
    byte[] bytes = new byte[64];

    exercise(port, pa, bytes);
    assertThat(checker.count(DmaViolation.CPU_ACCESS_DEVICE_OWNED)).isEqualTo(6);
    new Routine(host.core(1)) {
      @Override
      protected void run(CpuPort core) {
        exercise(core, pa, bytes);
      }
    }.wakeAt(host.simulation().nowPs());
    host.simulation().run();

    assertThat(checker.count(DmaViolation.CPU_ACCESS_DEVICE_OWNED)).isEqualTo(12);
    assertThat(checker.total()).isEqualTo(12);
  }

  /** Touches memory in six ways, and in one that does not count. */
  private static void exercise(CpuPort core, long pa, byte[] bytes) {
    core.touch(pa, 8);
    core.load(pa, 8);
    core.store(pa, 8, 1);
    core.load(pa + 64, bytes, 0, 64);
    core.store(pa + 64, bytes, 0, 64);
    core.copy(pa, pa - 4096, 8);
    core.copy(pa + 4096, pa, 8);
  }
}
