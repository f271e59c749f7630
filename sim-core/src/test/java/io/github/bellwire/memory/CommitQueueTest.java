package io.github.bellwire.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import com.sun.management.ThreadMXBean;
import io.github.bellwire.kernel.Event;
import io.github.bellwire.kernel.Simulation;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.LongConsumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CommitQueueTest {
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
  private static final int REGION_BYTES = 512;

  private final Simulation simulation = new Simulation(1);
  private final PhysicalMemory memory = new PhysicalMemory(1 << 20, 0);
  private final CommitQueue commits = new CommitQueue(simulation, memory);
  private final List<String> log = new ArrayList<>();

  private void add(long pa, int value, long atPs) {
    commits.add(pa, new byte[] {(byte) value}, 0, 1, atPs);
  }

  private int byteAt(long pa, long nowPs) {
    commits.settle(nowPs);
    return memory.getByte(pa);
  }

  // Time.

  @Test
  void shouldApplyAWriteExactlyAtItsTime() {
    add(0, 5, 100);

    assertThat(byteAt(0, 99)).isZero();
    assertThat(commits.pendingCount()).isEqualTo(1);
    assertThat(byteAt(0, 100)).isEqualTo(5);
    assertThat(commits.pendingCount()).isZero();
  }

  @Test
  void shouldApplyWritesInTheOrderOfTheirTimes() {
    add(0, 3, 300);
    add(0, 1, 100);
    add(0, 2, 200);

    assertThat(byteAt(0, 100)).isEqualTo(1);
    assertThat(byteAt(0, 299)).isEqualTo(2);
    assertThat(byteAt(0, 300)).isEqualTo(3);
  }

  @Test
  void shouldApplyWritesOfOneTimeFirstInFirstOut() {
    add(0, 1, 100);
    add(0, 9, 50);
    add(0, 2, 100);
    add(0, 3, 100);

    assertThat(byteAt(0, 100)).isEqualTo(3);
  }

  @Test
  void shouldTakeBackWhatAWriterHasNotSent() {
    Object writer = new Object();
    Object other = new Object();
    for (int i = 0; i < 100; i++) {
      // Leaves at i, commits 1000 later; the queue grows meanwhile.
      commits.add(i, new byte[] {1}, 0, 1, 1000 + i, i % 2 == 0 ? writer : other, i);
    }
    add(200, 1, 1050);

    commits.drop(writer, 30);

    // Of the writer's 50 writes 16 had left: 0, 2, ... 30.
    assertThat(commits.pendingCount()).isEqualTo(16 + 50 + 1);
    simulation.run();
    for (int i = 0; i < 100; i++) {
      assertThat(memory.getByte(i)).as("%d", i).isEqualTo((byte) (i <= 30 || i % 2 == 1 ? 1 : 0));
    }
    assertThat(memory.getByte(200)).isEqualTo((byte) 1);
  }

  @Test
  void shouldNotTakeBackWhatNobodyInParticularWritesInTheSamePlace() {
    Object writer = new Object();
    for (int i = 0; i < 64; i++) {
      commits.add(i, new byte[] {1}, 0, 1, 100, writer, 50);
    }
    commits.settle(100);
    // Where one of the writer's was; the ring holds 64.
    commits.add(0, new byte[] {2}, 0, 1, 200, null, 50);

    commits.drop(writer, 0);

    assertThat(commits.pendingCount()).isEqualTo(1);
  }

  @Test
  void shouldApplyWhatNobodyLooksAt() {
    add(0, 1, 100);
    add(8, 2, 300);
    add(16, 3, 200);

    simulation.run();

    assertThat(memory.getByte(0)).isEqualTo(1);
    assertThat(memory.getByte(8)).isEqualTo(2);
    assertThat(memory.getByte(16)).isEqualTo(3);
    assertThat(simulation.eventsTotal()).isZero();
    assertThat(simulation.nowPs()).isEqualTo(300);
  }

  @Test
  void shouldHaveAppliedWhatIsDueWhenARunReturns() {
    add(0, 1, 100);
    add(8, 2, 200);
    add(16, 3, 300);

    simulation.runUntil(200);

    assertThat(memory.getByte(0)).isEqualTo(1);
    assertThat(memory.getByte(8)).isEqualTo(2);
    assertThat(memory.getByte(16)).isZero();
    assertThat(commits.lastPs()).isEqualTo(300);
    assertThat(commits.nextCommitPs()).isEqualTo(300);
    simulation.runUntil(300);
    assertThat(memory.getByte(16)).isEqualTo(3);
    assertThat(commits.lastPs()).isZero();
    assertThat(commits.nextCommitPs()).isEqualTo(Simulation.NEVER_PS);
  }

  @Test
  void shouldHaveAppliedWhatIsDueWhenAnEventHasWaited() {
    add(0, 1, 100);
    add(0, 2, 101);

    inEvent(
        50,
        nowPs -> {
          simulation.runUntil(100);
          log.add("" + memory.getByte(0));
        });

    assertThat(log).containsExactly("1");
  }

  @Test
  void shouldGiveMemoryAsOfNow() {
    add(0, 1, 100);
    add(0, 2, 101);

    inEvent(100, nowPs -> log.add(memory.getByte(0) + " " + commits.memory().getByte(0)));

    assertThat(log).containsExactly("0 1");
  }

  @Test
  void shouldApplyWhatIsDueBeforeADeviceReads() {
    add(0, 1, 100);
    add(0, 2, 101);

    inEvent(
        100,
        nowPs -> {
          log.add(Arrays.toString(copyOut(0, 1, 101)));
          log.add("" + memory.getByte(0)); // as whoever is told of the read may look as well
        });

    assertThat(log).containsExactly("[2]", "1");
  }

  @Test
  void shouldNotCountWhatIsDueAsOnItsWay() {
    add(0, 1, 100);
    add(64, 1, 101);

    inEvent(100, nowPs -> log.add(commits.overlaps(0, 1) + " " + commits.overlaps(64, 1)));

    assertThat(log).containsExactly("false true");
  }

  @Test
  void shouldNotTellOfWhatIsDueAsTheNextCommit() {
    add(0, 1, 99);
    add(0, 2, 100);
    add(0, 3, 300);
    inEvent(100, nowPs -> log.add("" + commits.nextCommitPs()));
    add(0, 4, 400);
    inEvent(400, nowPs -> log.add("" + commits.nextCommitPs()));

    assertThat(log).containsExactly("300", "" + Simulation.NEVER_PS);
  }

  @Test
  void shouldEndARunWithoutWaitingForWhatWasTakenBack() {
    Object writer = new Object();
    commits.add(0, new byte[] {1}, 0, 1, 100, null, 0);
    commits.add(0, new byte[] {2}, 0, 1, 500, writer, 400);
    inEvent(50, nowPs -> commits.drop(writer, nowPs));

    assertThat(memory.getByte(0)).isEqualTo(1);
    assertThat(simulation.nowPs()).isEqualTo(100);
    assertThat(commits.lastPs()).isZero();
  }

  @Test
  void shouldStayShortIfNobodyLooks() {
    byte[] status = new byte[16];
    Event[] self = new Event[1];
    int[] peak = new int[1];
    self[0] =
        doing(
            nowPs -> {
              for (long atPs = nowPs; atPs < 20_000_000; atPs += 10) {
                commits.add(atPs % 4096 & ~15, status, 0, 16, atPs + 1_000);
                peak[0] = Math.max(peak[0], commits.pendingCount());
                assertThat(simulation.tryRepeatAt(self[0], atPs + 10)).isTrue();
              }
            });
    simulation.schedule(self[0], 0);

    simulation.run();

    // Two million writes; each is on its way for as long as it takes to add a hundred.
    assertThat(peak[0]).isEqualTo(100);
    assertThat(simulation.nowPs()).isEqualTo(19_999_990 + 1_000);
  }

  @Test
  void shouldCopyTheBytes() {
    byte[] source = {1, 2, 3, 4};

    commits.add(0x1000, source, 1, 2, 100);
    Arrays.fill(source, (byte) 9);
    commits.settle(100);

    assertThat(memory.getInt(0x1000)).isEqualTo(0x0302);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 64, 65, 100, 128, 129, 4096})
  void shouldHoldWritesOfAnyLength(int lengthBytes) {
    byte[] source = new byte[lengthBytes];
    new SplittableRandom(lengthBytes).nextBytes(source);

    commits.add(0x1000, source, 0, lengthBytes, 100);
    commits.settle(100);

    byte[] destination = new byte[lengthBytes];
    memory.copyOut(0x1000, destination, 0, lengthBytes);
    assertThat(destination).isEqualTo(source);
    assertThat(memory.getByte(0x1000 + lengthBytes)).isZero();
  }

  @Test
  void shouldRejectASourceThatIsTooShort() {
    assertThatExceptionOfType(IndexOutOfBoundsException.class)
        .isThrownBy(() -> commits.add(0, new byte[4], 2, 3, 100));
    assertThat(commits.pendingCount()).isZero();
  }

  // Looking ahead.

  @Test
  void shouldReadMemoryAsItWillBe() {
    memory.putInt(0x1000, 0x0101_0101);
    commits.add(0x1001, new byte[] {2, 2}, 0, 2, 100);
    commits.add(0x1002, new byte[] {3, 3, 3, 3}, 0, 4, 200);

    assertThat(copyOut(0x1000, 4, 99)).containsExactly(1, 1, 1, 1);
    assertThat(copyOut(0x1000, 4, 100)).containsExactly(1, 2, 2, 1);
    assertThat(copyOut(0x1000, 4, 200)).containsExactly(1, 2, 3, 3);
    assertThat(copyOut(0x1004, 4, 200)).containsExactly(3, 3, 0, 0);
    assertThat(copyOut(0x1006, 2, 200)).containsExactly(0, 0);
    assertThat(memory.getInt(0x1000)).isEqualTo(0x0101_0101);
  }

  private void inEvent(long atPs, LongConsumer action) {
    simulation.schedule(doing(action), atPs);
    simulation.run();
  }

  private static Event doing(LongConsumer action) {
    return new Event() {
      @Override
      protected void onEvent(long nowPs) {
        action.accept(nowPs);
      }
    };
  }

  @Test
  void shouldNotSeeAValueThatAnotherWriteOfTheSameTimeReplaces() {
    add(0, 1, 100);
    add(0, 2, 100);
    add(0, 3, 200);

    assertThat(commits.firstTimeOf(0, 1, 1, 50)).isEqualTo(Simulation.NEVER_PS);
    assertThat(commits.firstTimeOf(0, 1, 2, 50)).isEqualTo(100);
    assertThat(commits.firstTimeOf(0, 1, 2, 150)).isEqualTo(150);
  }

  @Test
  void shouldSeeAValueInTwoLinesAtOnce() {
    commits.add(62, new byte[] {1, 2, 3, 4}, 0, 4, 100);

    assertThat(commits.firstTimeOf(62, 4, 0x0000_0201, 50)).isEqualTo(Simulation.NEVER_PS);
    assertThat(commits.firstTimeOf(62, 4, 0x0403_0201, 50)).isEqualTo(100);
  }

  private byte[] copyOut(long pa, int lengthBytes, long atPs) {
    byte[] destination = new byte[lengthBytes + 2];
    commits.copyOut(pa, destination, 1, lengthBytes, atPs);
    assertThat(destination[0]).isZero();
    assertThat(destination[lengthBytes + 1]).isZero();
    return Arrays.copyOfRange(destination, 1, 1 + lengthBytes);
  }

  @ParameterizedTest
  @CsvSource({
    "0x0FFF, 1, false",
    "0x0FFF, 2, true",
    "0x1000, 1, true",
    "0x1003, 1, true",
    "0x1004, 1, false",
    "0x0000, 65536, true",
    "0x1001, 2, true"
  })
  void shouldKnowWhichRangesAreOnTheirWay(String pa, int lengthBytes, boolean isTouched) {
    add(0x8000, 1, 50);
    commits.add(0x1000, new byte[4], 0, 4, 100);

    assertThat(commits.overlaps(Long.decode(pa), lengthBytes)).isEqualTo(isTouched);
    commits.settle(100);
    assertThat(commits.overlaps(Long.decode(pa), lengthBytes)).isFalse();
  }

  // Watches.

  @Test
  void shouldTellAWatchWhenItIsKnownThatItsLineWillBeWritten() {
    commits.watch(watch("w", 0x1010));
    simulation.runUntil(50);
    add(0x1000, 1, 700);

    assertThat(log).containsExactly("w at 700, now 50");
  }

  @Test
  void shouldTellAWatchOfAWriteOnItsWay() {
    add(0x9000, 1, 100);
    add(0x1000, 1, 700);
    add(0x9000, 1, 900);
    simulation.runUntil(50);

    commits.watch(watch("w", 0x103F));

    assertThat(log).containsExactly("w at 700, now 50");
  }

  @Test
  void shouldNotTellAWatchOfWhatWasDueBefore() {
    add(0x1000, 1, 100);
    add(0x1000, 2, 700);
    add(0x2000, 3, 100);

    inEvent(
        101,
        nowPs -> {
          commits.watch(watch("w", 0x1000));
          commits.watch(watch("v", 0x2000));
          log.add("" + memory.getByte(0x1000)); // nobody has settled
          add(0x2000, 4, 800);
        });

    assertThat(log).containsExactly("w at 700, now 101", "0", "v at 800, now 101");
  }

  @Test
  void shouldTellAWatchOfAWriteOfThePresentThatTheLookHasMissed() {
    inEvent(
        100,
        nowPs -> {
          log.add("" + commits.memory().getByte(0x1000));
          add(0x1000, 1, 100);
          commits.watch(watch("w", 0x1000));
          log.add("" + commits.memory().getByte(0x1000));
          commits.watch(watch("seen", 0x1000));
        });

    assertThat(log).containsExactly("0", "w at 100, now 100", "1");
  }

  @Test
  void shouldTellAWatchOnceUntilItIsPutBack() {
    MemoryWatch watch = watch("w", 0x1000);
    commits.watch(watch);
    add(0x1000, 1, 100);
    add(0x1000, 2, 200);
    simulation.runUntil(150);
    assertThat(log).containsExactly("w at 100, now 0");

    commits.watch(watch);

    assertThat(log).containsExactly("w at 100, now 0", "w at 200, now 150");
  }

  @Test
  void shouldTellAllWatchesOfALine() {
    commits.watch(watch("a", 0x1000));
    commits.watch(watch("b", 0x2000));
    commits.watch(watch("c", 0x1020));
    commits.add(0x103F, new byte[2], 0, 2, 100);
    commits.watch(watch("d", 0x1040));

    simulation.run();

    assertThat(log)
        .containsExactlyInAnyOrder("a at 100, now 0", "c at 100, now 0", "d at 100, now 0");
  }

  @ParameterizedTest
  @CsvSource({"0x0FFF, 1, false", "0x0FFF, 2, true", "0x103F, 1, true", "0x1040, 1, false"})
  void shouldWatchExactlyOneLine(String pa, int lengthBytes, boolean isTouched) {
    commits.watch(watch("w", 0x1000));
    commits.add(Long.decode(pa), new byte[2], 0, lengthBytes, 100);

    simulation.run();

    assertThat(log).hasSize(isTouched ? 1 : 0);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2})
  void shouldTakeAWatchBack(int index) {
    List<MemoryWatch> watches = List.of(watch("0", 64), watch("1", 64), watch("2", 64));
    watches.forEach(commits::watch);
    commits.unwatch(watches.get(index));
    commits.unwatch(watches.get(index));
    add(64, 1, 100);

    simulation.run();

    assertThat(log).hasSize(2).noneMatch(line -> line.startsWith(index + " "));
  }

  @Test
  void shouldAimAWatchOnlyWhileItIsNotInUse() {
    MemoryWatch watch = watch("w", 0x1000);
    commits.watch(watch);

    assertThatIllegalStateException()
        .isThrownBy(() -> watch.aim(0x2000))
        .withMessage("watch is in use: pa=0x1000");
    commits.unwatch(watch);
    watch.aim(0x2000);
    commits.watch(watch);
    add(0x1000, 1, 100);
    add(0x2000, 1, 200);
    simulation.run();

    assertThat(log).containsExactly("w at 200, now 0");
  }

  private MemoryWatch watch(String name, long pa) {
    MemoryWatch watch =
        new MemoryWatch() {
          @Override
          protected void onWrite(long atPs) {
            log.add(name + " at " + atPs + ", now " + simulation.nowPs());
          }
        };
    watch.aim(pa);
    return watch;
  }

  // Against a sorted list.

  private record Write(long pa, byte[] bytes, long atPs) {}

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4})
  void shouldBehaveAsASortedList(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    List<Write> oracle = new ArrayList<>();
    byte[] image = new byte[REGION_BYTES];
    MemoryWatch watch = watch("w", 256);

    for (int i = 0; i < 2_500; i++) {
      String description = "seed=" + seed + ", i=" + i;
      int pa = random.nextInt(REGION_BYTES - 200);
      int lengthBytes = 1 + random.nextInt(random.nextInt(10) == 0 ? 200 : 8);
      switch (random.nextInt(6)) {
        case 0, 1, 2 -> {
          byte[] bytes = new byte[lengthBytes];
          random.nextBytes(bytes);
          // Not now: that may be applied at once.
          long atPs = simulation.nowPs() + 1 + random.nextInt(1_000);
          Write write = new Write(pa, bytes, atPs);
          boolean isTold = watch.watching && touches(write, 256);
          log.clear();
          commits.add(pa, bytes, 0, lengthBytes, atPs);
          assertThat(log).as(description).isEqualTo(isTold ? told(atPs) : List.of());
          oracle.add(write);
          oracle.sort(Comparator.comparingLong(Write::atPs));
        }
        case 3 -> {
          long nowPs = simulation.nowPs() + random.nextInt(i < 2_000 ? 100 : 2_000);
          simulation.runUntil(nowPs);
          commits.settle(nowPs);
          while (!oracle.isEmpty() && oracle.get(0).atPs() <= nowPs) {
            apply(oracle.remove(0), image);
          }
          byte[] actual = new byte[REGION_BYTES];
          memory.copyOut(0, actual, 0, REGION_BYTES);
          assertThat(actual).as(description).isEqualTo(image);
        }
        case 4 -> {
          long atPs = simulation.nowPs() + random.nextInt(1_000);
          byte[] future = image.clone();
          oracle.stream().filter(w -> w.atPs() <= atPs).forEach(w -> apply(w, future));
          assertThat(copyOut(pa, lengthBytes, atPs))
              .as(description)
              .isEqualTo(Arrays.copyOfRange(future, pa, pa + lengthBytes));
        }
        default -> {
          boolean isTouched =
              oracle.stream()
                  .anyMatch(w -> w.pa() < pa + lengthBytes && pa < w.pa() + w.bytes().length);
          assertThat(commits.overlaps(pa, lengthBytes)).as(description).isEqualTo(isTouched);
          if (!watch.watching) {
            log.clear();
            commits.watch(watch);
            assertThat(log).as(description).isEqualTo(toldOfFirst(oracle));
          } else if (random.nextBoolean()) {
            commits.unwatch(watch);
          }
        }
      }
      assertThat(commits.pendingCount())
          .as(description)
          .isEqualTo(oracle.stream().mapToInt(CommitQueueTest::lines).sum());
    }
  }

  private static int lines(Write write) {
    return (int) ((write.pa() + write.bytes().length - 1) / 64 - write.pa() / 64) + 1;
  }

  private static void apply(Write write, byte[] image) {
    System.arraycopy(write.bytes(), 0, image, (int) write.pa(), write.bytes().length);
  }

  private List<String> toldOfFirst(List<Write> writes) {
    return writes.stream()
        .filter(write -> touches(write, 256))
        .findFirst()
        .map(write -> told(write.atPs()))
        .orElse(List.of());
  }

  private List<String> told(long atPs) {
    return List.of("w at " + atPs + ", now " + simulation.nowPs());
  }

  private static boolean touches(Write write, long linePa) {
    long last = write.pa() + write.bytes().length - 1;
    return write.pa() / 64 <= linePa / 64 && linePa / 64 <= last / 64;
  }

  @Test
  void shouldAllocateNothingOnceThePeakIsReached() {
    MemoryWatch watch = watch("w", 1 << 16);
    byte[] source = new byte[100];
    addMany(watch, source);
    THREADS.getCurrentThreadAllocatedBytes();

    long before = THREADS.getCurrentThreadAllocatedBytes();
    addMany(watch, source);
    long after = THREADS.getCurrentThreadAllocatedBytes();

    assertThat(after - before).isLessThan(1024);
  }

  private void addMany(MemoryWatch watch, byte[] source) {
    for (int i = 0; i < 200_000; i++) {
      long nowPs = simulation.nowPs();
      // 100 on their way, every other one before its predecessor.
      commits.add((i & 7) * 64, source, 0, 100, nowPs + 1_000 + (i & 1) * 15);
      commits.watch(watch);
      commits.overlaps(0x8000, 4);
      commits.unwatch(watch);
      simulation.runUntil(nowPs + 10);
      commits.settle(nowPs + 10);
    }
  }
}
