package io.github.bellwire.device.nic.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.github.bellwire.cpu.CpuPort;
import io.github.bellwire.device.nic.NicRegisters;
import io.github.bellwire.device.nic.RxDescriptorLayout;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RxRingTest {
  private static final NicDriverConfig SMALL =
      NicDriverConfig.POLLING.toBuilder()
          .ringSize(8)
          .batch(2)
          .wthresh(0)
          .profile(DriverProfile.IDEAL)
          .build();

  private final List<Integer> lengths = new ArrayList<>();
  private final FrameHandler record = (port, frame) -> lengths.add(frame.totalBytes());

  @Test
  void shouldFillAllDescriptorsButOne() {
    RingRig rig = new RingRig(SMALL, 16, null);
    RxRing ring = rig.rxRing();

    assertThat(rig.port.written(NicRegisters.rdt(0))).containsExactly(7);
    assertThat(rig.pool.freeCount()).isEqualTo(9);
    for (int i = 0; i < 7; i++) {
      // Buffers of 2 KiB in the order of the pool, no header buffer.
      assertThat(rig.rxLow(ring, i)).isEqualTo(rig.pool.pa(i));
      assertThat(rig.rxLow(ring, i) % 2048).isZero();
      assertThat(rig.rxHigh(ring, i)).isZero();
    }
  }

  @Test
  void shouldFindNothingWhileNothingIsDone() {
    RingRig rig = new RingRig(SMALL, 16, null);
    RxRing ring = rig.rxRing();

    assertThat(ring.receive(rig.port, 32, record)).isZero();
    assertThat(ring.nextStatusPa()).isEqualTo(ring.memory().pa() + 8);
    assertThat(rig.port.written(NicRegisters.rdt(0))).hasSize(1);
  }

  @Test
  void shouldRefillWhatItTookAndAnnounceItInBatches() {
    RingRig rig = new RingRig(SMALL, 16, null);
    RxRing ring = rig.rxRing();
    for (int i = 0; i < 3; i++) {
      rig.receive(ring, i, 100 + i, true);
    }

    assertThat(ring.receive(rig.port, 32, record)).isEqualTo(3);

    assertThat(lengths).containsExactly(100, 101, 102);
    // Buffers are for 7, 0 and 1; the first two make a batch, the third waits to be written.
    assertThat(rig.port.written(NicRegisters.rdt(0))).containsExactly(7, 1);
    assertThat(rig.rxHigh(ring, 0)).isZero();
    assertThat(RxDescriptorLayout.isDone(rig.rxHigh(ring, 1))).isTrue();
    assertThat(rig.rxLow(ring, 7)).isEqualTo(rig.pool.pa(0));
    assertThat(rig.rxLow(ring, 0)).isEqualTo(rig.pool.pa(1));
    assertThat(ring.nextStatusPa()).isEqualTo(ring.memory().pa() + 3 * 16 + 8);

    rig.receive(ring, 3, 103, true);
    ring.receive(rig.port, 32, record);

    assertThat(rig.port.written(NicRegisters.rdt(0))).containsExactly(7, 1, 3);
    assertThat(rig.rxHigh(ring, 1)).isZero();
    assertThat(rig.rxLow(ring, 1)).isEqualTo(rig.pool.pa(2));
    assertThat(rig.rxLow(ring, 2)).isEqualTo(rig.pool.pa(3));
  }

  @Test
  void shouldLoadAndStoreDescriptorsByCacheLines() {
    NicDriverConfig config = SMALL.toBuilder().ringSize(16).batch(6).build();
    RingRig rig = new RingRig(config, 32, null);
    RxRing ring = rig.rxRing();
    for (int i = 0; i < 6; i++) {
      rig.receive(ring, i, 60, true);
    }
    rig.port.loadsCount = 0;
    rig.port.blockStoresCount = 0;

    assertThat(ring.receive(rig.port, 6, record)).isEqualTo(6);

    assertThat(rig.port.loadsCount).isEqualTo(2); // 0 to 3 and 4 to 7
    assertThat(rig.port.blockStoresCount).isEqualTo(3); // 15, 0 to 3 and 4
  }

  @Test
  void shouldSeeALineAsItWasLoadedAndLoadItAgainInTheNextCall() {
    RingRig rig = new RingRig(SMALL, 16, null);
    RxRing ring = rig.rxRing();
    rig.receive(ring, 0, 100, true);
    FrameHandler receiveNext =
        (port, frame) -> {
          lengths.add(frame.totalBytes());
          rig.receive(ring, 1, 200, true);
        };

    assertThat(ring.receive(rig.port, 32, receiveNext)).isEqualTo(1);
    assertThat(ring.receive(rig.port, 32, record)).isEqualTo(1);

    assertThat(lengths).containsExactly(100, 200);
  }

  @Test
  void shouldNotTakeWhatIsNotHandedOverForDone() {
    // A batch of more than the 7 there are: only want of descriptors makes it hand them over.
    NicDriverConfig config = SMALL.toBuilder().batch(8).build();
    RingRig rig = new RingRig(config, 16, null);
    RxRing ring = rig.rxRing();

    for (int i = 0; i < 100; i++) {
      rig.receive(ring, i % 8, 60 + i, true);
      assertThat(ring.receive(rig.port, 32, record)).isEqualTo(1);
    }

    assertThat(lengths).hasSize(100);
  }

  @Test
  void shouldGiveBackTheBuffersOfSlotsNotHandedOver() {
    RingRig rig = new RingRig(SMALL, 16, null);
    RxRing ring = rig.rxRing();
    rig.receive(ring, 0, 60, true);
    ring.receive(rig.port, 1, record);

    ring.drop(rig.port);

    assertThat(rig.pool.freeCount()).isEqualTo(16);
  }

  @ParameterizedTest
  @CsvSource({"false, false", "false, true", "true, false", "true, true"})
  void shouldGoOnBehindAFrameWhoseHandlerHasThrown(boolean isOfTwo, boolean isDetached) {
    RingRig rig = new RingRig(SMALL, 16, null);
    RxRing ring = rig.rxRing();
    rig.receive(ring, 0, 60, true);
    rig.receive(ring, 1, 70, !isOfTwo);
    rig.receive(ring, 2, 80, true);
    rig.receive(ring, 3, 90, true);
    FrameHandler throwing =
        (port, frame) -> {
          record.onFrame(port, frame);
          if (lengths.size() == 2) {
            if (isDetached) {
              frame.detach();
            }
            throw new IllegalStateException("thrown");
          }
        };

    assertThatIllegalStateException()
        .isThrownBy(() -> ring.receive(rig.port, 32, throwing))
        .withMessage("thrown");

    // The second frame makes a batch, so its slots have been announced: 7, 0 and 1 if it has two.
    assertThat(rig.port.written(NicRegisters.rdt(0))).containsExactly(7, isOfTwo ? 2 : 1);
    assertThat(rig.rxLow(ring, 7)).isEqualTo(rig.pool.pa(0));
    assertThat(rig.rxLow(ring, 0)).isEqualTo(rig.pool.pa(isDetached ? 7 : 1));
    assertThat(ring.isStarved()).isFalse();
    assertThat(ring.receive(rig.port, 32, record)).isEqualTo(isOfTwo ? 1 : 2);
    assertThat(lengths).isEqualTo(isOfTwo ? List.of(60, 70 + 80, 90) : List.of(60, 70, 80, 90));
    assertThat(ring.framesTotal()).isEqualTo(lengths.size());
    assertThat(ring.descriptorsTotal()).isEqualTo(4);
  }

  /**
   * Frames of 1 to 3 descriptors go round and round. Now and then the handler keeps one, or throws.
   */
  @ParameterizedTest
  @CsvSource({
    "8, 1, false",
    "8, 4, false",
    "8, 5, false",
    "8, 8, false",
    "32, 7, false",
    "32, 32, false",
    "8, 1, true",
    "8, 5, true",
    "32, 7, true"
  })
  void shouldNeitherLoseNorDoubleBuffers(int ringSize, int batch, boolean isThrowing) {
    long seed = 20261130 + ringSize + batch;
    SplittableRandom random = new SplittableRandom(seed);
    NicDriverConfig config = SMALL.toBuilder().ringSize(ringSize).batch(batch).build();
    RingRig rig = new RingRig(config, 64, null);
    RxRing ring = rig.rxRing();
    List<Integer> expected = new ArrayList<>();
    Deque<Integer> kept = new ArrayDeque<>();
    FrameHandler handler =
        (port, frame) -> {
          lengths.add(frame.totalBytes());
          if (random.nextInt(4) == 0) {
            frame.detach();
            for (int i = 0; i < frame.segmentCount(); i++) {
              kept.add(frame.buffer(i));
            }
          }
          if (isThrowing && random.nextInt(4) == 0) {
            throw new IllegalStateException("thrown");
          }
        };
    int next = 0;
    for (int round = 0; round < 2_000; round++) {
      List<Integer> tails = rig.port.written(NicRegisters.rdt(0));
      int tail = tails.get(tails.size() - 1);
      for (int frames = random.nextInt(6); frames > 0; frames--) {
        int segments = 1 + random.nextInt(3);
        if (Math.floorMod(tail - next, ringSize) < segments) {
          break;
        }
        for (int i = 1; i <= segments; i++) {
          rig.receive(ring, next, i == segments ? 1 + round % 1000 : 2048, i == segments);
          next = (next + 1) % ringSize;
        }
        expected.add(2048 * (segments - 1) + 1 + round % 1000);
      }
      try {
        ring.receive(rig.port, 1 + random.nextInt(8), handler);
      } catch (IllegalStateException thrown) {
        assertThat(thrown).hasMessage("thrown");
      }
      while (kept.size() > 6) {
        rig.pool.give(kept.remove());
      }
      assertEachBufferOnce(rig, ring, ringSize, next, kept, seed + "/" + round);
    }
    assertThat(lengths).as("seed %d", seed).hasSizeGreaterThan(2_000);
    assertThat(lengths).isEqualTo(expected.subList(0, lengths.size()));
  }

  /** What the device has, what the handler keeps and what is free are different buffers. */
  private static void assertEachBufferOnce(
      RingRig rig, RxRing ring, int ringSize, int next, Deque<Integer> kept, String where) {
    List<Integer> tails = rig.port.written(NicRegisters.rdt(0));
    Set<Long> seen = new HashSet<>();
    for (int i = next; i != tails.get(tails.size() - 1); i = (i + 1) % ringSize) {
      assertThat(rig.rxHigh(ring, i)).as(where).isZero();
      assertThat(seen.add(rig.rxLow(ring, i))).as(where).isTrue();
    }
    for (int buffer : kept) {
      assertThat(seen.add(rig.pool.pa(buffer))).as(where).isTrue();
    }
    assertThat(rig.pool.freeCount()).as(where).isEqualTo(64 - (ringSize - 1) - kept.size());
  }

  @Test
  void shouldGoRoundTheRing() {
    RingRig rig = new RingRig(SMALL, 16, null);
    RxRing ring = rig.rxRing();

    for (int i = 0; i < 1000; i++) {
      rig.receive(ring, i % 8, 60 + i, true);
      assertThat(ring.receive(rig.port, 1, record)).isEqualTo(1);
    }

    assertThat(lengths).hasSize(1000).last().isEqualTo(1059);
    assertThat(ring.framesTotal()).isEqualTo(1000);
    assertThat(ring.descriptorsTotal()).isEqualTo(1000);
    // 60 + ... + 1059 = 1000 x 559.5
    assertThat(ring.bytesTotal()).isEqualTo(559_500);
    // The first, and one for each two of 1000.
    assertThat(ring.tailWritesTotal()).isEqualTo(501);
    assertThat(rig.pool.freeCount()).isEqualTo(9);
  }

  @Test
  void shouldTakeNoMoreThanTheBudget() {
    RingRig rig = new RingRig(SMALL, 16, null);
    RxRing ring = rig.rxRing();
    for (int i = 0; i < 5; i++) {
      rig.receive(ring, i, 60, true);
    }

    assertThat(ring.receive(rig.port, 4, record)).isEqualTo(4);
    assertThat(ring.receive(rig.port, 4, record)).isEqualTo(1);
  }

  @Test
  void shouldHoldBackAFrameUntilItsLastDescriptorIsDone() {
    RingRig rig = new RingRig(SMALL, 16, null);
    RxRing ring = rig.rxRing();
    rig.receive(ring, 0, 2048, false);
    rig.receive(ring, 1, 2048, false);

    assertThat(ring.receive(rig.port, 32, record)).isZero();
    assertThat(ring.nextStatusPa()).isEqualTo(ring.memory().pa() + 2 * 16 + 8);
    assertThat(RxDescriptorLayout.isDone(rig.rxHigh(ring, 0))).isTrue();

    rig.receive(ring, 2, 17, true);
    List<Long> pas = new ArrayList<>();
    int count =
        ring.receive(
            rig.port,
            32,
            (port, frame) -> {
              lengths.add(frame.totalBytes());
              for (int i = 0; i < frame.segmentCount(); i++) {
                pas.add(frame.pa(i));
              }
            });

    assertThat(count).isEqualTo(1);
    assertThat(lengths).containsExactly(4113);
    assertThat(pas).containsExactly(rig.pool.pa(0), rig.pool.pa(1), rig.pool.pa(2));
    assertThat(ring.descriptorsTotal()).isEqualTo(3);
  }

  @Test
  void shouldCopyAFrameTogetherFromItsBuffers() {
    RingRig rig = new RingRig(SMALL, 16, null);
    RxRing ring = rig.rxRing();
    rig.port.memory.putByte(rig.pool.pa(0) + 2047, 11);
    rig.port.memory.putByte(rig.pool.pa(1), 22);
    rig.receive(ring, 0, 2048, false);
    rig.receive(ring, 1, 2, true);
    byte[] copied = new byte[2051];
    byte[] loaded = new byte[2051];

    ring.receive(
        rig.port,
        1,
        (port, frame) -> {
          long beforePs = port.nowPs();
          assertThat(frame.copyTo(rig.port.memory::copyOut, copied, 1)).isEqualTo(2050);
          assertThat(port.nowPs()).isEqualTo(beforePs);
          assertThat(frame.load(port, loaded, 1)).isEqualTo(2050);
          assertThat(port.nowPs()).isEqualTo(beforePs + 2 * FakePort.ACCESS_PS);
          assertThat(RxDescriptorLayout.rssHash(frame.loadDescriptorLow(port))).isEqualTo(0x1234);
        });

    assertThat(copied[2048]).isEqualTo((byte) 11);
    assertThat(copied[2049]).isEqualTo((byte) 22);
    assertThat(loaded).isEqualTo(copied);
  }

  @Test
  void shouldTakeAFrameInTwoBuffersBetweenFramesInOne() {
    RingRig rig = new RingRig(SMALL, 16, null);
    RxRing ring = rig.rxRing();
    rig.receive(ring, 0, 60, true);
    rig.receive(ring, 1, 2048, false);
    rig.receive(ring, 2, 10, true);
    rig.receive(ring, 3, 70, true);
    List<String> seen = new ArrayList<>();
    FrameHandler handler =
        (port, frame) -> {
          StringBuilder line = new StringBuilder();
          for (int i = 0; i < frame.segmentCount(); i++) {
            line.append(frame.buffer(i)).append(':').append(frame.lengthBytes(i)).append(' ');
          }
          line.append(ring.framesTotal()).append('/').append(ring.descriptorsTotal());
          seen.add(line.append('/').append(ring.bytesTotal()).toString());
        };

    assertThat(ring.receive(rig.port, 3, handler)).isEqualTo(3);

    // A frame counts as soon as its handler has it: 60, then 2058 and 70 bytes more.
    assertThat(seen).containsExactly("0:60 1/1/60", "1:2048 2:10 2/3/2118", "3:70 3/4/2188");
    // Slots 7, 0 and 1 are due with the second frame; slot 2 makes no batch yet.
    assertThat(rig.port.written(NicRegisters.rdt(0))).containsExactly(7, 2);
    assertThat(rig.rxLow(ring, 7)).isEqualTo(rig.pool.pa(0));
    assertThat(rig.rxLow(ring, 0)).isEqualTo(rig.pool.pa(1));
    assertThat(rig.rxLow(ring, 1)).isEqualTo(rig.pool.pa(2));
  }

  @Test
  void shouldReplaceWhatIsDetachedInTheMiddleOfABurst() {
    NicDriverConfig config = SMALL.toBuilder().batch(4).build();
    RingRig rig = new RingRig(config, 16, null);
    RxRing ring = rig.rxRing();
    for (int i = 0; i < 4; i++) {
      rig.receive(ring, i, 60 + i, true);
    }

    int count =
        ring.receive(
            rig.port,
            32,
            (port, frame) -> {
              lengths.add(frame.totalBytes());
              if (lengths.size() == 2) {
                frame.detach();
              }
              assertThat(frame.isDetached()).isEqualTo(lengths.size() == 2);
            });

    assertThat(count).isEqualTo(4);
    assertThat(lengths).containsExactly(60, 61, 62, 63);
    assertThat(rig.port.written(NicRegisters.rdt(0))).containsExactly(7, 3);
    assertThat(rig.rxLow(ring, 7)).isEqualTo(rig.pool.pa(0));
    assertThat(rig.rxLow(ring, 0)).isEqualTo(rig.pool.pa(7)); // the first that was free
    assertThat(rig.rxLow(ring, 1)).isEqualTo(rig.pool.pa(2));
    assertThat(rig.rxLow(ring, 2)).isEqualTo(rig.pool.pa(3));
  }

  @Test
  void shouldGoOnInTheMiddleOfALineWhenTheBudgetEndedThere() {
    RingRig rig = new RingRig(SMALL, 16, null);
    RxRing ring = rig.rxRing();
    for (int i = 0; i < 4; i++) {
      rig.receive(ring, i, 60 + i, true);
    }

    assertThat(ring.receive(rig.port, 3, record)).isEqualTo(3);
    assertThat(ring.nextStatusPa()).isEqualTo(ring.memory().pa() + 3 * 16 + 8);
    assertThat(ring.receive(rig.port, 3, record)).isEqualTo(1);

    assertThat(lengths).containsExactly(60, 61, 62, 63);
    assertThat(rig.port.written(NicRegisters.rdt(0))).containsExactly(7, 1, 3);
  }

  @Test
  void shouldLoadAllThatTheDeviceStillHasInALine() {
    NicDriverConfig config = SMALL.toBuilder().batch(4).build();
    RingRig rig = new RingRig(config, 7, null);
    RxRing ring = rig.rxRing();
    for (int i = 0; i < 7; i++) {
      rig.receive(ring, i, 60, true);
    }
    rig.port.loadsCount = 0;
    FrameHandler keepFirst =
        (port, frame) -> {
          lengths.add(frame.totalBytes());
          if (lengths.size() == 1) {
            frame.detach();
          }
        };

    assertThat(ring.receive(rig.port, 32, keepFirst)).isEqualTo(7);

    // 0 to 3; 4 to 6, as 7 is not handed over yet; 7, which is handed over by then and not done.
    assertThat(rig.port.loadsCount).isEqualTo(3);
  }

  @Test
  void shouldAnnounceAtOnceWhenMissingBuffersMakeABatchWithOthers() {
    NicDriverConfig config = SMALL.toBuilder().batch(4).build();
    RingRig rig = new RingRig(config, 7, null);
    RxRing ring = rig.rxRing();
    List<Long> tailWrites = new ArrayList<>();
    FrameHandler handler =
        (port, frame) -> {
          tailWrites.add(ring.tailWritesTotal());
          if (frame.buffer(0) <= 2) {
            frame.detach();
          }
          if (frame.buffer(0) == 2) {
            for (int i = 0; i <= 2; i++) {
              rig.pool.give(i);
            }
          }
        };
    rig.receive(ring, 0, 60, true);
    rig.receive(ring, 1, 60, true);
    ring.receive(rig.port, 32, handler);
    for (int i = 2; i < 5; i++) {
      rig.receive(ring, i, 60, true);
    }

    ring.receive(rig.port, 32, handler);

    // Frame 2 brings three buffers, with that of frame 3 they make a batch of 4.
    assertThat(tailWrites).containsExactly(1L, 1L, 1L, 1L, 2L);
  }

  @Test
  void shouldRefillBehindTheBuffersThatStay() {
    NicDriverConfig config = SMALL.toBuilder().batch(4).build();
    RingRig rig = new RingRig(config, 7, null);
    RxRing ring = rig.rxRing();
    FrameHandler handler =
        (port, frame) -> {
          if (frame.buffer(0) == 0) {
            frame.detach();
          } else if (frame.buffer(0) == 1) {
            rig.pool.give(0);
          }
        };
    rig.receive(ring, 0, 60, true);
    rig.receive(ring, 1, 60, true);
    ring.receive(rig.port, 32, handler);
    rig.receive(ring, 2, 60, true);
    rig.receive(ring, 3, 60, true);

    ring.receive(rig.port, 32, handler);

    assertThat(rig.rxLow(ring, 7)).isEqualTo(rig.pool.pa(1));
    assertThat(rig.rxLow(ring, 0)).isEqualTo(rig.pool.pa(0));
    assertThat(rig.rxLow(ring, 1)).isEqualTo(rig.pool.pa(2));
    assertThat(rig.rxLow(ring, 2)).isEqualTo(rig.pool.pa(3));
  }

  @Test
  void shouldStartAgainAfterADropWithFramesNotHandedOver() {
    RingRig rig = new RingRig(SMALL, 16, null);
    RxRing ring = rig.rxRing();
    rig.receive(ring, 0, 60, true);
    ring.receive(rig.port, 1, record);
    ring.drop(rig.port);

    ring.fill(rig.port);
    ring.announceAll(rig.port);
    rig.receive(ring, 0, 61, true);

    assertThat(ring.receive(rig.port, 32, record)).isEqualTo(1);
    assertThat(lengths).containsExactly(60, 61);
    // The buffer of slot 7 was given back last, that of slot 6 before it.
    assertThat(rig.rxLow(ring, 1)).isEqualTo(rig.pool.pa(6));
    assertThat(rig.pool.freeCount()).isEqualTo(9);
  }

  @Test
  void shouldTakeFreshBuffersForDetachedOnes() {
    RingRig rig = new RingRig(SMALL, 16, null);
    RxRing ring = rig.rxRing();
    rig.receive(ring, 0, 60, true);
    rig.receive(ring, 1, 60, true);
    List<Integer> kept = new ArrayList<>();

    ring.receive(
        rig.port,
        2,
        (port, frame) -> {
          frame.detach();
          kept.add(frame.buffer(0));
          assertThatIllegalStateException().isThrownBy(frame::detach);
        });

    assertThat(kept).containsExactly(0, 1);
    assertThat(rig.rxLow(ring, 7)).isEqualTo(rig.pool.pa(7));
    assertThat(rig.rxLow(ring, 0)).isEqualTo(rig.pool.pa(8));
    assertThat(rig.pool.freeCount()).isEqualTo(7);
  }

  @Test
  void shouldLiveThroughAnEmptyPool() {
    RingRig rig = new RingRig(SMALL, 7, null);
    RxRing ring = rig.rxRing();
    List<Integer> kept = new ArrayList<>();
    FrameHandler keep =
        (port, frame) -> {
          frame.detach();
          kept.add(frame.buffer(0));
        };
    for (int i = 0; i < 7; i++) {
      rig.receive(ring, i, 60, true);
    }

    assertThat(ring.receive(rig.port, 32, keep)).isEqualTo(7);
    assertThat(ring.isStarved()).isTrue();
    assertThat(ring.shortagesTotal()).isPositive();
    assertThat(ring.receive(rig.port, 32, keep)).isZero();

    // One buffer comes back: less than a batch, but the device has nothing else.
    rig.pool.give(kept.get(0));
    assertThat(ring.receive(rig.port, 32, keep)).isZero();
    assertThat(rig.port.written(NicRegisters.rdt(0))).containsExactly(7, 0);
    rig.receive(ring, 7, 60, true);
    assertThat(ring.receive(rig.port, 32, keep)).isEqualTo(1);
  }

  @Test
  void shouldEndABatchOnceIfThereWasOne() {
    RingRig rig = new RingRig(SMALL, 16, null);
    RxRing ring = rig.rxRing();
    List<String> calls = new ArrayList<>();
    FrameHandler handler =
        new FrameHandler() {
          @Override
          public void onFrame(CpuPort port, ReceivedFrame frame) {
            calls.add("frame");
          }

          @Override
          public void onBatchEnd(CpuPort port) {
            calls.add("end");
          }
        };

    ring.receive(rig.port, 4, handler);
    rig.receive(ring, 0, 60, true);
    rig.receive(ring, 1, 60, true);
    ring.receive(rig.port, 4, handler);

    assertThat(calls).containsExactly("frame", "frame", "end");
  }

  @Test
  void shouldMapEachBufferOnlyWhileTheDeviceHasIt() {
    NicDriverConfig config = SMALL.toBuilder().mode(DriverMode.NAPI).build();
    RingRig rig = new RingRig(config, 16, null);
    RxRing ring = rig.rxRing();
    int ringMapping = 1;
    assertThat(rig.dma.liveMappingsCount()).isEqualTo(ringMapping + 7);
    rig.receive(ring, 0, 60, true);

    ring.receive(
        rig.port,
        1,
        (port, frame) -> assertThat(rig.dma.liveMappingsCount()).isEqualTo(ringMapping + 6));

    assertThat(rig.dma.liveMappingsCount()).isEqualTo(ringMapping + 7);
    assertThat(rig.dma.unmapsCount()).isEqualTo(1);
    ring.drop(rig.port);
    assertThat(rig.dma.liveMappingsCount()).isEqualTo(ringMapping);
    assertThat(rig.pool.freeCount()).isEqualTo(16);
  }

  @Test
  void shouldGiveBackTheBuffersThatCannotBeMapped() {
    NicDriverConfig config = SMALL.toBuilder().mode(DriverMode.NAPI).build();
    RingRig rig = new RingRig(config, 16, null);
    RxRing ring = rig.rxRing();
    rig.receive(ring, 0, 2048, false);
    rig.receive(ring, 1, 60, true);
    assertThat(rig.pool.freeCount()).isEqualTo(9);
    assertThat(rig.dma.trySetMask(32)).isTrue(); // The buffers lie above 4 GiB.

    ring.receive(rig.port, 1, record);

    assertThat(lengths).containsExactly(2108);
    assertThat(rig.pool.freeCount()).isEqualTo(11);
    assertThat(ring.isStarved()).isTrue();
    assertThat(ring.shortagesTotal()).isEqualTo(2); // after the frame and at the end of the call
    rig.dma.trySetMask(64);
    ring.receive(rig.port, 1, record);
    assertThat(ring.isStarved()).isFalse();
    assertThat(rig.pool.freeCount()).isEqualTo(9);
  }

  @Test
  void shouldChargeTheProfile() {
    NicDriverConfig config =
        SMALL.toBuilder()
            .mode(DriverMode.NAPI)
            .profile(new DriverProfile(1, 10, 100, 1000, 20, 300))
            .build();
    RingRig rig = new RingRig(config, 16, null);
    RxRing ring = rig.rxRing();
    rig.receive(ring, 0, 60, true);
    rig.port.computations.clear();

    ring.receive(rig.port, 1, record);

    // Receive work and stack 1 + 20, then one unmap and one map of 300.
    assertThat(rig.port.computations).containsExactly(21, 300, 300);
  }
}
