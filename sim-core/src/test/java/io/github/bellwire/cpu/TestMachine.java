package io.github.bellwire.cpu;

import io.github.bellwire.cache.CoreMemory;
import io.github.bellwire.kernel.Event;
import io.github.bellwire.kernel.Simulation;
import io.github.bellwire.pcie.TestFabric;
import java.util.function.Consumer;

/**
 * Two cores on a {@link TestFabric}: 1 GHz, so that a cycle is 1 ns; a register write costs 40 ns,
 * an interrupt 500 ns.
 */
final class TestMachine {
  static final CoreConfig CONFIG =
      new CoreConfig(1_000_000_000, 40_000, 500_000, 4, 20, DeviceAccessConfig.SERVER);

  final TestFabric fabric = new TestFabric();
  final Simulation simulation = fabric.simulation;
  final MachinePorts ports =
      new MachinePorts(
          simulation,
          CoreMemory.coherent(fabric.memory),
          fabric.commits,
          fabric.caches,
          fabric.rootComplex);
  final Core core = new Core(0, CONFIG, ports);
  final Core otherCore = new Core(1, CONFIG, ports);
  final InterruptController interrupts = new InterruptController(simulation);

  TestMachine() {
    fabric.interruptsTo(interrupts);
  }

  /** A device's write that becomes visible at a time. */
  void commit(long pa, int value, long atPs) {
    fabric.commits.add(pa, new byte[] {(byte) value}, 0, 1, atPs);
  }

  /** {@return a routine on the first core} */
  Routine routine(Consumer<CpuPort> work) {
    return routine(core, work);
  }

  Routine routine(Core on, Consumer<CpuPort> work) {
    return new Routine(on) {
      @Override
      protected void run(CpuPort port) {
        work.accept(port);
      }
    };
  }

  /** Does something at a time. */
  void at(long atPs, Runnable action) {
    simulation.schedule(
        new Event() {
          @Override
          protected void onEvent(long nowPs) {
            action.run();
          }
        },
        atPs);
  }
}
