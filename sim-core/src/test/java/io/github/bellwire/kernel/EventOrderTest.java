package io.github.bellwire.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Comparator;
import java.util.PriorityQueue;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The same random history, once in a simulation and once in a {@link PriorityQueue}. */
class EventOrderTest {
  private static final int EVENTS = 200_000;
  private static final long SEED = 42;

  /** The law of wide delays soon reaches the end of time; from there on all times are equal. */
  private static final long LAST_PS = 1L << 62;

  @ParameterizedTest
  @CsvSource({
    "exp, 2",
    "exp, 16",
    "exp, 300",
    "exp, 5000",
    "const, 2",
    "const, 16",
    "const, 300",
    "const, 5000",
    "mix, 2",
    "mix, 16",
    "mix, 300",
    "mix, 5000",
    "equal, 300",
    "steps, 16",
    "steps, 5000",
    "wide, 16",
    "wide, 300",
    "wide, 5000"
  })
  void shouldHappenInOrderOfTimeThenOfScheduling(String law, int pending) {
    SimulationWorld simulation = new SimulationWorld(law, pending);
    OracleWorld oracle = new OracleWorld(law, pending);

    for (int i = 0; i < EVENTS; i++) {
      simulation.step();
      oracle.step();
      if (simulation.hash != oracle.hash) {
        assertThat(simulation.describe())
            .as("event %d of law %s with %d pending, seed %d", i, law, pending, SEED)
            .isEqualTo(oracle.describe());
      }
    }

    assertThat(simulation.hash).isEqualTo(oracle.hash);
  }

  /** Whoever asks for the time of the next event, or waits for less, must not disturb the order. */
  @ParameterizedTest
  @CsvSource({
    "exp, 16",
    "exp, 300",
    "exp, 5000",
    "const, 300",
    "mix, 16",
    "mix, 300",
    "steps, 300",
    "wide, 300"
  })
  void shouldKeepTheOrderWhenEventsAreMovedWhileTheClockStandsBetweenThem(String law, int pending) {
    SimulationWorld simulation = new SimulationWorld(law, pending);
    OracleWorld oracle = new OracleWorld(law, pending);

    for (int i = 0; i < EVENTS / 4; i++) {
      long firstPs = oracle.firstPs();
      long betweenPs =
          simulation.simulation.nowPs() + (firstPs - simulation.simulation.nowPs()) / 2;
      assertThat(simulation.simulation.nextEventPs())
          .as("event %d of law %s with %d pending, seed %d", i, law, pending, SEED)
          .isEqualTo(firstPs);
      if (betweenPs < firstPs) {
        simulation.simulation.runUntil(betweenPs);
        simulation.moveOne(betweenPs);
        oracle.moveOne(betweenPs);
      }
      simulation.step();
      oracle.step();
      assertThat(simulation.hash)
          .as("event %d of law %s with %d pending, seed %d", i, law, pending, SEED)
          .isEqualTo(oracle.hash);
    }
  }

  /** Draws delays and decides what each handler does besides rescheduling itself. */
  private abstract static class World {
    final int pending;
    final long[] delaysPs;
    final SplittableRandom random = new SplittableRandom(SEED);
    private int cursor;
    long hash;
    private int lastId;
    private long lastPs;

    World(String law, int pending) {
      this.pending = pending;
      this.delaysPs = HoldModel.delaysPs(law, SEED);
    }

    abstract void scheduleLater(int id, long atPs);

    abstract void move(int id, long atPs);

    abstract void cancel(int id);

    final void start() {
      for (int id = 0; id < pending; id++) {
        scheduleLater(id, laterThan(0));
      }
    }

    final void happen(int id, long nowPs) {
      lastId = id;
      lastPs = nowPs;
      hash = (hash * 31 + id) * 31 + nowPs;
      scheduleLater(id, laterThan(nowPs));
      if (random.nextInt(10) < 3) {
        int other = random.nextInt(pending);
        cancel(other);
        move(other, laterThan(nowPs));
      } else if (random.nextInt(10) == 0) {
        move(random.nextInt(pending), laterThan(nowPs));
      }
    }

    final void moveOne(long nowPs) {
      move(random.nextInt(pending), laterThan(nowPs));
    }

    private long laterThan(long nowPs) {
      long delayPs = delaysPs[cursor++ & (delaysPs.length - 1)];
      return nowPs > LAST_PS - delayPs ? nowPs : nowPs + delayPs;
    }

    final String describe() {
      return "id=" + lastId + ", nowPs=" + lastPs;
    }
  }

  private static final class SimulationWorld extends World {
    private final Simulation simulation = new Simulation(SEED);
    private final Event[] events;

    SimulationWorld(String law, int pending) {
      super(law, pending);
      events = new Event[pending];
      for (int i = 0; i < pending; i++) {
        int id = i;
        events[i] =
            new Event() {
              @Override
              protected void onEvent(long nowPs) {
                happen(id, nowPs);
              }
            };
      }
      start();
    }

    void step() {
      simulation.step();
    }

    @Override
    void scheduleLater(int id, long atPs) {
      simulation.schedule(events[id], atPs);
    }

    @Override
    void move(int id, long atPs) {
      simulation.reschedule(events[id], atPs);
    }

    @Override
    void cancel(int id) {
      simulation.cancel(events[id]);
    }
  }

  private static final class OracleWorld extends World {
    private record Entry(int id, long timePs, long sequence) {}

    private final PriorityQueue<Entry> queue =
        new PriorityQueue<>(
            Comparator.comparingLong(Entry::timePs).thenComparingLong(Entry::sequence));
    private final Entry[] current;
    private long sequence;

    OracleWorld(String law, int pending) {
      super(law, pending);
      current = new Entry[pending];
      start();
    }

    long firstPs() {
      Entry entry = queue.element();
      while (entry != current[entry.id]) {
        queue.remove(); // Cancelled: PriorityQueue.remove(Object) would take linear time.
        entry = queue.element();
      }
      return entry.timePs;
    }

    void step() {
      firstPs();
      Entry entry = queue.remove();
      happen(entry.id, entry.timePs);
    }

    @Override
    void scheduleLater(int id, long atPs) {
      current[id] = new Entry(id, atPs, sequence++);
      queue.add(current[id]);
    }

    @Override
    void move(int id, long atPs) {
      scheduleLater(id, atPs);
    }

    @Override
    void cancel(int id) {
      current[id] = null;
    }
  }
}
