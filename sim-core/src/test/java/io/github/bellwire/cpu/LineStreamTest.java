package io.github.bellwire.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.bellwire.cache.CoreMemory;
import io.github.bellwire.cache.SimpleCacheConfig;
import io.github.bellwire.cache.SimpleCacheHierarchy;
import io.github.bellwire.memory.SimpleMemoryController;
import io.github.bellwire.memory.SimpleMemoryControllerConfig;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Streams of lines: 1 GHz, two loads of 32 bytes per line, 4 lines at once. */
class LineStreamTest {
  private final TestMachine machine = new TestMachine();
  private final List<Long> log = new ArrayList<>();

  @Test
  void shouldWaitForSeveralLinesAtOnce() {
    machine.fabric.caches.coreLoadPs = 100_000;
    machine
        .routine(
            port -> {
              port.load(0x1020, new byte[448], 0, 448);
              log.add(port.nowPs());
            })
        .wakeAt(0);
    machine.simulation.run();

    // 8 lines: the first four at 0, 2, 4, 6 ns, the others when those are there.
    assertThat(log).containsExactly(206_000L);
  }

  @Test
  void shouldGoOnWhileNothingDependsOnALoad() {
    machine.fabric.caches.coreLoadPs = 100_000;
    machine
        .routine(
            port -> {
              for (int i = 0; i < 5; i++) {
                port.touch(0x1000, 8);
                log.add(port.nowPs());
              }
              machine.fabric.caches.coreLoadPs = 20_500;
              port.delay(1_000_000);
              port.touch(0x1000, 8);
              log.add(port.nowPs());
            })
        .wakeAt(0);
    machine.simulation.run();

    // Look-ahead is 20 ns, so each holds the core up for 80. The fifth would wait for the first of
    // four lines, which is there by then. What takes 20.5 ns costs a cycle.
    assertThat(log).containsExactly(80_000L, 160_000L, 240_000L, 320_000L, 400_000L, 1_401_000L);
  }

  @Test
  void shouldNotHaveMoreLinesUnderWayThanTheCoreHas() {
    DeviceAccessConfig access = DeviceAccessConfig.SERVER;
    Core core = new Core(0, new CoreConfig(1_000_000_000, 1, 0, 2, 10_000, access), machine.ports);
    machine.fabric.caches.coreLoadPs = 100_000;
    machine
        .routine(
            core,
            port -> {
              for (int i = 0; i < 4; i++) {
                port.touch(0x1000, 8);
                log.add(port.nowPs());
              }
            })
        .wakeAt(0);
    machine.simulation.run();

    assertThat(log).containsExactly(1_000L, 2_000L, 101_000L, 102_000L);
  }

  @Test
  void shouldCopyBehindTheLoads() {
    machine.fabric.caches.coreLoadPs = 100_000;
    machine.fabric.caches.coreStorePs = 500;
    byte[] bytes = new byte[10_000];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) (i * 7);
    }
    machine.fabric.memory.copyIn(0x1010, bytes, 0, bytes.length);
    machine
        .routine(
            port -> {
              port.copy(0x1010, 0x8000, 80);
              log.add(port.nowPs());
              port.copy(0x1010, 0x8000, bytes.length);
            })
        .wakeAt(0);
    machine.simulation.run();

    // Pieces of 48, 16 and 16 bytes, issued at 0, 2_500 and 5_000.
    assertThat(log).containsExactly(105_000L);
    assertThat(machine.fabric.bytes(0x8000, bytes.length)).isEqualTo(bytes);
  }

  @Test
  void shouldCopyOnAServerAsFastAsOneThreadDoes() {
    SimpleCacheHierarchy caches =
        new SimpleCacheHierarchy(
            SimpleCacheConfig.SERVER,
            1,
            new SimpleMemoryController(SimpleMemoryControllerConfig.DDR4_3200_8CH));
    MachinePorts ports =
        new MachinePorts(
            machine.simulation,
            CoreMemory.coherent(machine.fabric.memory),
            machine.fabric.commits,
            caches,
            machine.fabric.rootComplex);
    int lengthBytes = 4 << 20;

    machine
        .routine(
            new Core(0, CoreConfig.SERVER, ports),
            port -> {
              port.copy(0x1000, 8 << 20, lengthBytes);
              log.add(port.nowPs());
            })
        .wakeAt(0);
    machine.simulation.run();

    // Measured 10.1 GB/s over 256 MiB (Zen 4 virtual machine); 12 lines per miss make it here.
    assertThat(lengthBytes * 1_000.0 / log.get(0)).isCloseTo(10.1, within(1.5));
  }
}
