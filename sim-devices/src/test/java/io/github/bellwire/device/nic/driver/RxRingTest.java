package io.github.bellwire.device.nic.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.github.bellwire.cpu.CpuPort;
import io.github.bellwire.device.nic.NicRegisters;
import io.github.bellwire.device.nic.RxDescriptorLayout;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

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
    // Refilled are 7, 0 and 1; the first two make a batch.
    assertThat(rig.port.written(NicRegisters.rdt(0))).containsExactly(7, 1);
    assertThat(rig.rxHigh(ring, 0)).isZero();
    assertThat(rig.rxHigh(ring, 1)).isZero();
    assertThat(RxDescriptorLayout.isDone(rig.rxHigh(ring, 2))).isTrue();
    assertThat(rig.rxLow(ring, 7)).isEqualTo(rig.pool.pa(0));
    assertThat(rig.rxLow(ring, 0)).isEqualTo(rig.pool.pa(1));
    assertThat(ring.nextStatusPa()).isEqualTo(ring.memory().pa() + 3 * 16 + 8);
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
  void shouldTakeFreshBuffersForDetachedOnes() {
    RingRig rig = new RingRig(SMALL, 16, null);
    RxRing ring = rig.rxRing();
    rig.receive(ring, 0, 60, true);
    List<Integer> kept = new ArrayList<>();

    ring.receive(
        rig.port,
        1,
        (port, frame) -> {
          frame.detach();
          kept.add(frame.buffer(0));
          assertThatIllegalStateException().isThrownBy(frame::detach);
        });

    assertThat(kept).containsExactly(0);
    assertThat(rig.rxLow(ring, 7)).isEqualTo(rig.pool.pa(7));
    assertThat(rig.pool.freeCount()).isEqualTo(8);
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
    rig.port.computedCycles = 0;

    ring.receive(rig.port, 1, record);

    // Receive work and stack 1 + 20, one unmap and one map of 300.
    assertThat(rig.port.computedCycles).isEqualTo(621);
  }
}
