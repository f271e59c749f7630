package io.github.bellwire.device.nic.driver;

import static io.github.bellwire.device.nic.driver.DriverBench.MS_PS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.bellwire.cpu.CpuPort;
import io.github.bellwire.cpu.Routine;
import io.github.bellwire.device.nic.NicRegisters;
import io.github.bellwire.host.HostConfig;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Receivers that lack buffers, that stop meanwhile, or whose handlers throw. */
class ReceiverShortageTest {
  private static final int FRAME_BYTES = 60;
  private static final int FRAMES = 1_000;
  private static final long HELD_UP_PS = 100_000_000;

  private final List<Integer> kept = new ArrayList<>();
  private int framesCount;

  private static DriverBench bench(DriverMode mode, int ringSize) {
    NicDriverConfig config =
        NicDriverConfig.forMode(mode).toBuilder()
            .ringSize(ringSize)
            .batch(8)
            .itrPs(0)
            .profile(DriverProfile.IDEAL)
            .build();
    DriverBench bench =
        new DriverBench(HostConfig.GEN4_SERVER, DriverBench.GIGABIT_CARD, config, null, false);
    bench.driver.start(bench.port);
    return bench;
  }

  private static void takeAllSpares(DriverBench bench) {
    while (bench.pool.take() != BufferPool.NO_BUFFER) {
      // The ring keeps those that it has.
    }
  }

  private void keep(ReceivedFrame frame) {
    framesCount++;
    frame.detach();
    kept.add(frame.buffer(0));
  }

  private void giveAll(DriverBench bench) {
    kept.forEach(bench.pool::give);
    kept.clear();
  }

  /** A handler gives buffers back behind the look for some, before the receiver waits. */
  @ParameterizedTest
  @CsvSource({
    "POLL, false",
    "INTERRUPT, false",
    "NAPI, false",
    "POLL, true",
    "INTERRUPT, true",
    "NAPI, true"
  })
  void shouldNotMissBuffersThatComeBackBeforeItWaits(DriverMode mode, boolean isInDrain) {
    DriverBench bench = bench(mode, 16);
    takeAllSpares(bench);
    bench.startReceivers(
        new FrameHandler() {
          private long drainAtPs = NEVER_PS;

          @Override
          public void onFrame(CpuPort port, ReceivedFrame frame) {
            keep(frame);
            drainAtPs = port.nowPs() + 2_000_000;
          }

          @Override
          public void onBatchEnd(CpuPort port) {
            if (!isInDrain) {
              giveAll(bench);
            }
          }

          @Override
          public long drainAtPs() {
            return isInDrain ? drainAtPs : NEVER_PS;
          }

          @Override
          public void drain(CpuPort port) {
            giveAll(bench);
            drainAtPs = NEVER_PS;
          }
        });
    // The core comes when all 15 descriptors are done, so nothing wakes it later.
    new Routine(bench.host.core(1)) {
      @Override
      protected void run(CpuPort port) {
        port.delay(HELD_UP_PS);
      }
    }.wakeAt(bench.host.simulation().nowPs());
    bench.feed(DriverBench.equalFrames(15, FRAME_BYTES));
    bench.runFor(MS_PS);

    bench.feed(DriverBench.equalFrames(10, FRAME_BYTES));
    bench.runFor(MS_PS);

    assertThat(framesCount).isEqualTo(25);
    assertThat(bench.driver.rxRing(0).isStarved()).isFalse();
  }

  @ParameterizedTest
  @EnumSource(DriverMode.class)
  void shouldLeaveTheRingsOfAStoppedDriverAlone(DriverMode mode) {
    DriverBench bench = bench(mode, 64);
    bench.startReceivers((port, frame) -> keep(frame));
    bench.feed(DriverBench.equalFrames(1_000, FRAME_BYTES));
    bench.runFor(10 * MS_PS);
    assertThat(bench.driver.rxRing(0).isStarved()).isTrue();

    bench.driver.stop(bench.port);
    giveAll(bench);
    bench.runFor(MS_PS);

    assertThat(bench.pool.freeCount()).isEqualTo(bench.pool.buffersCount());
  }

  /** What the old ring gives back wakes its receiver while the new one comes up. */
  @ParameterizedTest
  @EnumSource(DriverMode.class)
  void shouldComeUpAgainAfterAResetThatFindsTheRingShort(DriverMode mode) {
    DriverBench bench = bench(mode, 64);
    takeAllSpares(bench);
    FrameHandler keepsTheFirst =
        (port, frame) -> {
          if (framesCount++ == 0) {
            frame.detach();
          }
        };
    bench.startReceivers(keepsTheFirst);
    bench.feed(DriverBench.equalFrames(50, FRAME_BYTES));
    bench.runFor(MS_PS);

    bench.driver.resetFunction(bench.port);
    bench.startReceivers(keepsTheFirst);
    bench.feed(DriverBench.equalFrames(50, FRAME_BYTES));
    bench.runFor(10 * MS_PS);

    assertThat(framesCount).isEqualTo(100);
    assertThat(bench.driver.rxRing(0).framesTotal()).isEqualTo(50);
  }

  @ParameterizedTest
  @EnumSource(DriverMode.class)
  void shouldGoOnBehindAFrameWhoseHandlerThrows(DriverMode mode) {
    // With moderation, so that no second message is on its way when the handler throws.
    DriverBench bench =
        new DriverBench(
            HostConfig.GEN4_SERVER,
            DriverBench.GIGABIT_CARD,
            NicDriverConfig.forMode(mode),
            null,
            false);
    bench.driver.start(bench.port);
    bench.startReceivers(
        (port, frame) -> {
          if (++framesCount % 200 == 3 || framesCount == FRAMES) {
            throw new IllegalStateException("handler");
          }
        });
    bench.feed(DriverBench.equalFrames(FRAMES + 1, FRAME_BYTES));

    // The last but one, too: behind it no frame comes that would wake anybody.
    for (int thrown = 0; thrown < 6; thrown++) {
      assertThatThrownBy(() -> bench.runFor(10 * MS_PS)).hasMessage("handler");
    }
    bench.runFor(10 * MS_PS);

    assertThat(framesCount).isEqualTo(FRAMES + 1);
  }

  @Test
  void shouldPollWithItsVectorMaskedWhatsoeverWokeIt() {
    DriverBench bench = bench(DriverMode.NAPI, 64);
    takeAllSpares(bench);
    List<Long> unmasked = new ArrayList<>();
    long eims = barAddress(bench) + NicRegisters.EIMS;
    bench.startReceivers(
        new FrameHandler() {
          @Override
          public void onFrame(CpuPort port, ReceivedFrame frame) {
            keep(frame);
          }

          @Override
          public void drain(CpuPort port) {
            unmasked.add(port.mmioRead(eims, Integer.BYTES) & 1);
          }
        });
    bench.feed(DriverBench.equalFrames(63, FRAME_BYTES));
    bench.runFor(MS_PS);
    assertThat(framesCount).isEqualTo(63);
    unmasked.clear();

    giveAll(bench);
    bench.runFor(MS_PS);

    assertThat(unmasked).containsExactly(0L);
    assertThat(bench.driver.rxRing(0).isStarved()).isFalse();
  }

  private static long barAddress(DriverBench bench) {
    return bench.nic.configSpace().read(0x10, Integer.BYTES) & 0xffff_fff0L
        | (long) bench.nic.configSpace().read(0x14, Integer.BYTES) << 32;
  }
}
