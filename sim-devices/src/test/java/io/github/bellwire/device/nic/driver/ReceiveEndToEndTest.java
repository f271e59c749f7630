package io.github.bellwire.device.nic.driver;

import static io.github.bellwire.device.nic.driver.DriverBench.MS_PS;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.bellwire.cpu.CpuPort;
import io.github.bellwire.device.CheckedMachines;
import io.github.bellwire.device.nic.NicConfig;
import io.github.bellwire.dma.DmaDevice;
import io.github.bellwire.dma.DmaDirection;
import io.github.bellwire.dma.DmaMapper;
import io.github.bellwire.dma.MemoryZones;
import io.github.bellwire.host.Host;
import io.github.bellwire.host.HostConfig;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

@ExtendWith(CheckedMachines.class)
class ReceiveEndToEndTest {
  private static final long SEED = 20240501;

  @ParameterizedTest
  @EnumSource(DriverMode.class)
  void shouldReceiveEveryByteInOrder(DriverMode mode) {
    // 1 Gb/s, so that the kernel modes keep up.
    NicConfig card = DriverBench.GIGABIT_CARD;
    DriverBench bench =
        new DriverBench(HostConfig.GEN4_SERVER, card, NicDriverConfig.forMode(mode), null);
    bench.driver.start(bench.port);
    List<byte[]> frames = DriverBench.randomFrames(SEED, 10_000, 60, 1514);
    List<byte[]> received = receiveAll(bench, frames);

    assertThat(received).hasSize(frames.size());
    for (int i = 0; i < frames.size(); i++) {
      assertThat(received.get(i)).as("frame %d, seed %d", i, SEED).isEqualTo(frames.get(i));
    }
    DriverStatistics statistics = bench.driver.readStatistics(bench.port);
    assertThat(statistics.goodFramesReceived()).isEqualTo(10_000);
    assertThat(statistics.droppedFrames()).isZero();
    long bytes = frames.stream().mapToLong(frame -> frame.length + 4).sum();
    assertThat(statistics.goodBytesReceived()).isEqualTo(bytes);
  }

  @ParameterizedTest
  @EnumSource(DriverMode.class)
  void shouldShowCoresWhatTheDeviceWroteWhereCachesAreNotCoherent(DriverMode mode) {
    NicConfig card = DriverBench.GIGABIT_CARD;
    NicDriverConfig config = NicDriverConfig.forMode(mode).toBuilder().ringSize(64).build();
    DriverBench bench = new DriverBench(HostConfig.EMBEDDED_NONCOHERENT, card, config, null);
    bench.driver.start(bench.port);
    // Each buffer is used a few times, with the core's copy of the frame before in its cache.
    List<byte[]> frames = DriverBench.randomFrames(SEED, 300, 60, 1514);

    List<byte[]> received = new ArrayList<>();
    bench.startReceivers(
        (port, frame) -> {
          byte[] bytes = new byte[1514];
          int length = frame.copyTo(port::load, bytes, 0);
          received.add(Arrays.copyOf(bytes, length));
        });
    bench.feed(frames);
    bench.runFor(10 * MS_PS);

    assertThat(received).containsExactlyElementsOf(frames);
  }

  @ParameterizedTest
  @CsvSource({"POLL, 8, 1", "POLL, 8, 8", "NAPI, 16, 16", "INTERRUPT, 8, 2"})
  void shouldReceiveFramesThatSpanDescriptorsOfSmallRings(DriverMode mode, int ring, int batch) {
    NicConfig card = DriverBench.GIGABIT_CARD;
    NicDriverConfig config =
        NicDriverConfig.forMode(mode).toBuilder()
            .ringSize(ring)
            .batch(batch)
            .wthresh(0)
            .bufferBytes(1024)
            .maxFrameBytes(5000)
            .dropEnable(false)
            .itrPs(0)
            .build();
    DriverBench bench = new DriverBench(HostConfig.GEN4_SERVER, card, config, null);
    bench.driver.start(bench.port);
    List<byte[]> frames = DriverBench.randomFrames(SEED, 1000, 60, 4996);
    List<byte[]> received = receiveAll(bench, frames);

    assertThat(received).hasSize(frames.size());
    for (int i = 0; i < frames.size(); i++) {
      assertThat(received.get(i)).as("frame %d, seed %d", i, SEED).isEqualTo(frames.get(i));
    }
  }

  @ParameterizedTest
  @EnumSource(DriverMode.class)
  void shouldAccountForEveryFrameWhenTheRingIsTooSmall(DriverMode mode) {
    NicDriverConfig config =
        NicDriverConfig.forMode(mode).toBuilder()
            .ringSize(8)
            .batch(4)
            .wthresh(0)
            .profile(DriverProfile.KERNEL)
            .build();
    DriverBench bench = new DriverBench(config);
    bench.driver.start(bench.port);
    List<byte[]> received = receiveAll(bench, DriverBench.equalFrames(5000, 60));

    DriverStatistics statistics = bench.driver.readStatistics(bench.port);
    assertThat(statistics.droppedFrames()).isPositive();
    assertThat(received.size() + statistics.droppedFrames()).isEqualTo(5000);
    assertThat(bench.driver.rxRing(0).framesTotal()).isEqualTo(received.size());
    // The good frames of the part include those that found no descriptor.
    assertThat(statistics.goodFramesReceived()).isEqualTo(5000);
  }

  @Test
  void shouldWriteTheTailOncePerBatch() {
    DriverBench bench = new DriverBench(NicDriverConfig.POLLING);
    bench.driver.start(bench.port);
    RxRing ring = bench.driver.rxRing(0);
    long before = ring.tailWritesTotal();
    receiveAll(bench, DriverBench.equalFrames(3200, 60));

    assertThat(ring.framesTotal()).isEqualTo(3200);
    assertThat(ring.tailWritesTotal() - before).isEqualTo(100);
  }

  @ParameterizedTest
  @EnumSource(DriverMode.class)
  void shouldGoOnOnceBuffersComeBack(DriverMode mode) {
    NicConfig card = DriverBench.GIGABIT_CARD;
    NicDriverConfig config =
        NicDriverConfig.forMode(mode).withRingSize(64).toBuilder()
            .itrPs(0)
            .profile(DriverProfile.IDEAL)
            .build();
    DriverBench bench = new DriverBench(HostConfig.GEN4_SERVER, card, config, null);
    bench.driver.start(bench.port);
    List<Integer> kept = new ArrayList<>();
    bench.startReceivers(
        (port, frame) -> {
          frame.detach();
          kept.add(frame.buffer(0));
        });
    bench.feed(DriverBench.equalFrames(1000, 60));
    bench.runFor(MS_PS);
    // Two rings of 64 and 512 to spare.
    assertThat(kept.size()).isEqualTo(640);
    assertThat(bench.driver.rxRing(0).isStarved()).isTrue();
    assertThat(bench.host.simulation().run(1_000)).as("waiting schedules events").isFalse();

    kept.forEach(bench.pool::give);
    kept.clear();
    bench.runFor(MS_PS / 100); // looks again after a microsecond
    assertThat(bench.driver.rxRing(0).isStarved()).isFalse();
    bench.feed(DriverBench.equalFrames(100, 60));
    bench.runFor(MS_PS);

    assertThat(kept.size()).isEqualTo(100);
  }

  @ParameterizedTest
  @EnumSource(DriverMode.class)
  void shouldReceiveIntoTheRestOfARing(DriverMode mode) {
    NicConfig card = DriverBench.GIGABIT_CARD;
    DriverBench bench =
        new DriverBench(
            HostConfig.GEN4_SERVER, card, NicDriverConfig.forMode(mode).withRingSize(64), null);
    bench.driver.start(bench.port);
    while (bench.pool.take() != BufferPool.NO_BUFFER) {
      // Nothing to spare.
    }
    List<Integer> lengths = new ArrayList<>();
    bench.startReceivers(
        (port, frame) -> {
          if (lengths.isEmpty()) {
            frame.detach();
          }
          lengths.add(frame.totalBytes());
        });
    bench.feed(DriverBench.equalFrames(50, 60));

    assertThat(bench.host.simulation().run(100_000)).isFalse();

    assertThat(bench.driver.rxRing(0).isStarved()).isTrue();
    assertThat(lengths).hasSize(50);
  }

  @ParameterizedTest
  @EnumSource(
      value = DriverMode.class,
      names = {"INTERRUPT", "NAPI"})
  void shouldComeToRestWhenNothingCanBeMapped(DriverMode mode) {
    NicConfig card = DriverBench.GIGABIT_CARD;
    FullMapper mapper = new FullMapper();
    DriverBench bench =
        new DriverBench(
            new Host(HostConfig.GEN4_SERVER, 1),
            card,
            NicDriverConfig.forMode(mode),
            null,
            (host, function) -> mapper);
    bench.driver.start(bench.port);
    bench.startReceivers((port, frame) -> {});
    mapper.isFull = true;
    bench.feed(DriverBench.equalFrames(50, 60));

    assertThat(bench.host.simulation().run(100_000)).isFalse();

    assertThat(bench.driver.rxRing(0).framesTotal()).isEqualTo(50);
    assertThat(bench.driver.rxRing(0).shortagesTotal()).isPositive();

    // Another device gives bounce memory back: time to try again.
    mapper.isFull = false;
    DmaDevice other = bench.host.newDmaDevice();
    long pa = MemoryZones.NORMAL_BASE;
    long iova = other.mapSingle(bench.port, pa, 64, DmaDirection.TO_DEVICE);
    other.unmapSingle(bench.port, iova, 64, DmaDirection.TO_DEVICE);
    bench.runFor(MS_PS);

    assertThat(bench.driver.rxRing(0).isStarved()).isFalse();
  }

  @Test
  void shouldStopAndStartAgain() {
    DriverBench bench = new DriverBench(NicDriverConfig.NAPI);
    bench.driver.start(bench.port);
    bench.driver.stop(bench.port);

    assertThat(bench.pool.freeCount()).isEqualTo(bench.pool.buffersCount());
    assertThat(bench.dma.liveMappingsCount()).isZero();
    bench.driver.start(bench.port);
    assertThat(receiveAll(bench, DriverBench.equalFrames(100, 60))).hasSize(100);
  }

  /** Maps until it is told that it is full. */
  private static final class FullMapper implements DmaMapper {
    private boolean isFull;

    @Override
    public boolean reaches(long pa, int lengthBytes, long mask) {
      return true;
    }

    @Override
    public long map(CpuPort port, long pa, int lengthBytes, DmaDirection direction, long mask) {
      return isFull ? MAPPING_ERROR : pa;
    }

    @Override
    public void unmap(CpuPort port, long iova, int lengthBytes, DmaDirection direction) {
      // Addresses are not used up.
    }
  }

  private static List<byte[]> receiveAll(DriverBench bench, List<byte[]> frames) {
    List<byte[]> received = new ArrayList<>();
    byte[] bytes = new byte[16_384];
    bench.startReceivers(
        (port, frame) -> {
          int length = frame.copyTo(bench.host.coreMemory()::copyOut, bytes, 0);
          received.add(Arrays.copyOf(bytes, length));
        });
    DriverBench.Feed feed = bench.feed(frames);
    while (!feed.isDone()) {
      bench.runFor(MS_PS);
    }
    bench.runFor(2 * MS_PS);
    return received;
  }
}
