package io.github.bellwire.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.bellwire.cache.CoreMemory;
import io.github.bellwire.cache.SimpleCacheConfig;
import io.github.bellwire.cache.SimpleCacheHierarchy;
import io.github.bellwire.kernel.Simulation;
import io.github.bellwire.memory.CommitQueue;
import io.github.bellwire.memory.PhysicalMemory;
import io.github.bellwire.memory.SimpleMemoryController;
import io.github.bellwire.memory.SimpleMemoryControllerConfig;
import io.github.bellwire.pcie.PcieLinkConfig;
import io.github.bellwire.pcie.TestFabric;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.BiFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Against a loop that really spins. */
class PollLoopTest {
  private static final int SLOT_BYTES = 16;
  private static final long RING = 0x1000;
  private static final long OTHER_RING = 0x4000;
  private static final long END_PS = 40_000_000;

  /** Two rings of 16-byte slots, four to a line; a slot is done when its first byte is set. */
  private static final class Polling {
    private final List<String> found = new ArrayList<>();
    private final List<Long> foundPs = new ArrayList<>();
    private final long[] next = {RING, OTHER_RING};
    private final int rings;

    Polling(int rings) {
      this.rings = rings;
    }

    boolean poll(CpuPort port) {
      boolean hasFound = false;
      for (int ring = 0; ring < rings; ring++) {
        while (port.load(next[ring], 1) != 0) {
          found.add(String.format("%d: 0x%x at %d", ring, next[ring], port.nowPs()));
          foundPs.add(port.nowPs());
          next[ring] += SLOT_BYTES;
          port.delay(1_700);
          hasFound = true;
        }
      }
      port.compute(2);
      return hasFound;
    }
  }

  private static final class Machine {
    private final Simulation simulation = new Simulation(1);
    private final PhysicalMemory memory = new PhysicalMemory(1 << 20, 0);
    private final CommitQueue commits = new CommitQueue(simulation, memory);
    private final Core core =
        new Core(
            0,
            CoreConfig.SERVER,
            new MachinePorts(
                simulation,
                CoreMemory.coherent(memory),
                commits,
                new SimpleCacheHierarchy(
                    SimpleCacheConfig.SERVER,
                    1,
                    new SimpleMemoryController(SimpleMemoryControllerConfig.DDR4_3200_8CH)),
                new TestFabric().rootComplex));
  }

  private static Routine spinning(Core core, Polling polling) {
    return new Routine(core) {
      @Override
      protected void run(CpuPort port) {
        polling.poll(port);
        wakeAt(port.nowPs());
      }
    };
  }

  private static PollLoop watching(Core core, Polling polling) {
    return new PollLoop(core, polling.rings) {
      @Override
      protected boolean poll(CpuPort port) {
        return polling.poll(port);
      }

      @Override
      protected long watchedPa(int index) {
        return polling.next[index];
      }
    };
  }

  private static Polling run(
      long seed,
      int rings,
      BiFunction<Core, Polling, Routine> kind,
      long[] eventsTotal,
      boolean isDisturbed) {
    SplittableRandom random = new SplittableRandom(seed);
    Machine machine = new Machine();
    Polling polling = new Polling(rings);
    Routine routine = kind.apply(machine.core, polling);
    long startPs = random.nextInt(1_000);
    routine.wakeAt(startPs);
    long[] lastPs = new long[rings];
    for (int ring = 0; ring < rings; ring++) {
      lastPs[ring] = random.nextInt(100_000);
      for (int i = 0; i < 150; i++) {
        // Bursts, short pauses and long ones.
        lastPs[ring] += random.nextInt(3) == 0 ? random.nextInt(600_000) : random.nextInt(3_000);
        long pa = (ring == 0 ? RING : OTHER_RING) + i * SLOT_BYTES;
        machine.commits.add(pa, new byte[] {1}, 0, 1, lastPs[ring]);
      }
    }
    // Somebody else uses the core.
    Routine disturbance =
        new Routine(machine.core) {
          @Override
          protected void run(CpuPort port) {
            port.delay(12_345);
          }
        };
    if (isDisturbed) {
      disturbance.wakeAt(5_000_000 + random.nextInt(1_000_000));
    }
    machine.simulation.runUntil(END_PS);
    eventsTotal[0] = machine.simulation.eventsTotal();
    // A core that polls is never idle, whoever else uses it; the last routine may end later.
    assertThat(machine.core.busyPsTotal() + machine.core.spinPsTotal())
        .isBetween(END_PS - startPs, END_PS + 100_000);
    return polling;
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void shouldFindWhatALoopThatSpinsFindsWhenItFindsIt(long seed) {
    for (int rings = 1; rings <= 2; rings++) {
      long[] spinningEvents = new long[1];
      long[] watchingEvents = new long[1];

      List<String> expected = run(seed, rings, PollLoopTest::spinning, spinningEvents, false).found;
      List<String> actual = run(seed, rings, PollLoopTest::watching, watchingEvents, false).found;

      assertThat(expected).hasSize(rings * 150);
      assertThat(actual).as("seed=%d, rings=%d", seed, rings).isEqualTo(expected);
      assertThat(watchingEvents[0]).isLessThan(spinningEvents[0] / 20);
    }
  }

  /** A poll takes 333 ps for the load and 667 ps for two cycles at 3 GHz. */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void shouldFindItWithinAPollIfSomebodyElseUsesTheCore(long seed) {
    List<Long> expectedPs = run(seed, 1, PollLoopTest::spinning, new long[1], true).foundPs;
    List<Long> actualPs = run(seed, 1, PollLoopTest::watching, new long[1], true).foundPs;

    assertThat(actualPs).as("seed=%d", seed).hasSameSizeAs(expectedPs);
    for (int i = 0; i < expectedPs.size(); i++) {
      assertThat(actualPs.get(i))
          .as("seed=%d, slot %d", seed, i)
          .isCloseTo(expectedPs.get(i), within(999L));
    }
  }

  /**
   * A loop whose polls take given times, the last one for ever; negative if they find something.
   */
  private static List<Long> startsOf(TestMachine machine, long... durationsPs) {
    List<Long> startsPs = new ArrayList<>();
    PollLoop loop =
        new PollLoop(machine.core, 1) {
          @Override
          protected boolean poll(CpuPort port) {
            long durationPs = durationsPs[Math.min(startsPs.size(), durationsPs.length - 1)];
            startsPs.add(port.nowPs());
            port.delay(Math.abs(durationPs));
            return durationPs < 0;
          }

          @Override
          protected long watchedPa(int index) {
            return 0x1000;
          }
        };
    loop.wakeAt(0);
    return startsPs;
  }

  @Test
  void shouldSpinWithThePeriodOfAPollThatHits() {
    TestMachine machine = new TestMachine();
    // The first poll misses and takes 75 ns, the others 1 ns.
    List<Long> startsPs = startsOf(machine, 75_000, 1_000);
    machine.commit(0x1000, 1, 100_001);

    machine.simulation.runUntil(100_999);
    assertThat(startsPs).containsExactly(0L, 75_000L, 76_000L);
    machine.simulation.runUntil(101_000);
    assertThat(startsPs).startsWith(0L, 75_000L, 76_000L, 101_000L);
  }

  @Test
  void shouldSpinAtOnceWhenAPollTakesTheSteadyTime() {
    TestMachine machine = new TestMachine();
    List<Long> startsPs = startsOf(machine, 1_000, 1_000, -5_000, 1_000);
    machine.commit(0x1000, 1, 10_000);

    machine.simulation.run();

    // Found at 10_000; the only empty poll after that begins at 15_000.
    assertThat(startsPs).containsExactly(0L, 1_000L, 10_000L, 15_000L);
  }

  @Test
  void shouldNotTakeTwoMissesOfDifferentLinesForSteady() {
    TestMachine machine = new TestMachine();
    List<Long> startsPs = startsOf(machine, 75_000, -5_000, 75_000, 1_000);

    machine.simulation.run();

    assertThat(startsPs).containsExactly(0L, 75_000L, 80_000L, 155_000L, 156_000L);
  }

  @Test
  void shouldPollAgainIfAPollHasWaitedForADeviceSinceItLooked() {
    TestMachine machine = new TestMachine();
    machine.fabric.plug(PcieLinkConfig.GEN3_X8).answer(0);
    List<Long> emptyPs = new ArrayList<>();
    List<Long> foundPs = new ArrayList<>();
    PollLoop loop =
        new PollLoop(machine.core, 1) {
          @Override
          protected boolean poll(CpuPort port) {
            boolean isFound = port.load(0x1000, 1) != 0;
            (isFound ? foundPs : emptyPs).add(port.nowPs());
            if (isFound) {
              port.store(0x1000, 1, 0);
            } else if (emptyPs.size() == 2) {
              // The second has taken as long as the first, so the loop could begin to watch.
              machine.commit(0x1000, 1, port.nowPs() + 1);
            }
            port.mmioRead(TestFabric.BAR, 4);
            return isFound;
          }

          @Override
          protected long watchedPa(int index) {
            return 0x1000;
          }
        };
    loop.wakeAt(0);

    machine.simulation.runUntil(100_000);

    long periodPs = emptyPs.get(1) - emptyPs.get(0);
    assertThat(foundPs).containsExactly(emptyPs.get(1) + periodPs);
  }

  @Test
  void shouldAccountForEveryPicosecondOfTheLoop() {
    Machine machine = new Machine();
    Polling polling = new Polling(1);
    watching(machine.core, polling).wakeAt(0);
    machine.commits.add(RING, new byte[] {1}, 0, 1, 3_000_000);

    for (long atPs : new long[] {1_000_000, 3_100_000, 5_000_000}) {
      machine.simulation.runUntil(atPs);

      // Busy or spinning from the start to now, be it amid a spin; polls take far less.
      long accountedPs = machine.core.busyPsTotal() + machine.core.spinPsTotal();
      assertThat(accountedPs).isEqualTo(atPs);
      assertThat(machine.core.spinPsTotal()).isGreaterThan(atPs * 9 / 10);
    }
    assertThat(polling.found).hasSize(1);
  }

  @Test
  void shouldCountASpinOnceWhileAnotherRoutineRuns() {
    Machine machine = new Machine();
    watching(machine.core, new Polling(1)).wakeAt(0);
    List<Long> spinsPs = new ArrayList<>();
    new Routine(machine.core) {
      @Override
      protected void run(CpuPort port) {
        spinsPs.add(machine.core.spinPsTotal());
        port.delay(100);
        spinsPs.add(machine.core.spinPsTotal());
      }
    }.wakeAt(1_000_000);

    machine.simulation.runUntil(999_999);
    long before = machine.core.spinPsTotal();
    machine.simulation.runUntil(1_000_000);

    assertThat(spinsPs).containsExactly(before + 1, before + 1);
    assertThat(machine.core.spinPsTotal()).isEqualTo(before + 1);
  }

  @Test
  void shouldTakeTimeEvenIfSoftwareCostsNothing() {
    TestMachine machine = new TestMachine();
    List<Long> startsPs = new ArrayList<>();
    PollLoop loop =
        new PollLoop(machine.core, 1) {
          @Override
          protected boolean poll(CpuPort port) {
            startsPs.add(port.nowPs());
            return false;
          }

          @Override
          protected long watchedPa(int index) {
            return 0x1000;
          }
        };
    loop.wakeAt(0);
    machine.commit(0x1000, 1, 777);

    machine.simulation.run();

    assertThat(startsPs).containsExactly(0L, 1L, 777L);
  }
}
