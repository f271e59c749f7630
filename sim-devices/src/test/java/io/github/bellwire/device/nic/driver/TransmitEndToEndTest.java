package io.github.bellwire.device.nic.driver;

import static io.github.bellwire.device.nic.driver.DriverBench.MS_PS;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.bellwire.device.CheckedMachines;
import io.github.bellwire.device.nic.NicConfig;
import io.github.bellwire.dma.ScatterList;
import io.github.bellwire.host.HostConfig;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@ExtendWith(CheckedMachines.class)
class TransmitEndToEndTest {
  private static final long SEED = 7;

  private final List<byte[]> sent = new ArrayList<>();

  @ParameterizedTest
  @EnumSource(DriverMode.class)
  void shouldSendFramesGatheredFromSeveralPieces(DriverMode mode) {
    DriverBench bench = start(NicDriverConfig.forMode(mode));
    List<byte[]> frames = DriverBench.randomFrames(SEED, 500, 60, 1514);
    Random random = new Random(SEED);
    TxRing ring = bench.driver.txRing(0);
    ScatterList list = new ScatterList(8);
    long memory = bench.host.pages().allocate(1 << 16);

    for (byte[] frame : frames) {
      scatter(bench, frame, random, list, memory);
      assertThat(ring.trySend(bench.port, list, TxOffload.NONE)).isTrue();
      ring.flush(bench.port);
      for (int i = 0; !ring.isIdle(); i++) {
        assertThat(i).isLessThan(10_000);
        ring.finish(bench.port);
      }
      assertThat(list.mappedCount()).isZero();
      list.clear();
    }
    bench.port.delay(MS_PS);

    assertSame(frames);
    assertThat(bench.driver.readStatistics(bench.port).goodFramesSent()).isEqualTo(500);
  }

  @ParameterizedTest
  @EnumSource(DriverMode.class)
  void shouldSendWhatCoresWroteWhereCachesAreNotCoherent(DriverMode mode) {
    DriverBench bench =
        new DriverBench(
            HostConfig.EMBEDDED_NONCOHERENT,
            NicConfig.NIC_82599,
            NicDriverConfig.forMode(mode),
            null);
    start(bench);
    TxRing ring = bench.driver.txRing(0);
    List<byte[]> frames = DriverBench.randomFrames(SEED, 100, 60, 1514);

    for (byte[] frame : frames) {
      int buffer = bench.pool.take();
      bench.port.store(bench.pool.pa(buffer), frame, 0, frame.length);
      assertThat(ring.trySend(bench.port, buffer, frame.length)).isTrue();
      ring.flush(bench.port);
    }
    finish(bench, ring);

    assertSame(frames);
  }

  @Test
  void shouldKeepTheWireBusyWithBatchesOfPoolBuffers() {
    DriverBench bench = start(NicDriverConfig.POLLING);
    TxRing ring = bench.driver.txRing(0);
    byte[] frame = DriverBench.equalFrames(1, 1514).get(0);
    int count = 3000;

    for (int i = 0; i < count; ) {
      int buffer = bench.pool.take();
      bench.port.store(bench.pool.pa(buffer), frame, 0, frame.length);
      if (ring.trySend(bench.port, buffer, frame.length)) {
        i++;
      } else {
        bench.pool.give(buffer);
        ring.clean(bench.port, Integer.MAX_VALUE);
      }
      if (i % 32 == 0) {
        ring.flush(bench.port);
      }
    }
    finish(bench, ring);

    assertThat(sent).hasSize(count);
    // 1 in 32 frames writes the tail, and the last 24.
    assertThat(ring.tailWritesTotal()).isEqualTo(94);
    assertThat(bench.pool.freeCount()).isEqualTo(bench.pool.buffersCount() - 511);
  }

  @Test
  void shouldSegmentWhatIsTooLong() {
    DriverBench bench = start(NicDriverConfig.NAPI);
    byte[] packet = tcpPacket(4000);
    long memory = bench.host.pages().allocate(8192);
    bench.port.store(memory, packet, 0, packet.length);
    ScatterList list = new ScatterList(2);
    list.add(memory, 54);
    list.add(memory + 54, 4000);
    TxRing ring = bench.driver.txRing(0);

    TxOffload offload = TxOffload.ipv4TcpSegmentation(14, 20, 20, 1460);
    assertThat(ring.trySend(bench.port, list, offload)).isTrue();
    finish(bench, ring);

    // 4000 = 1460 + 1460 + 1080, each behind 54 bytes of headers.
    assertThat(sent).extracting(frame -> frame.length).containsExactly(1514, 1514, 1134);
    byte[] payload = new byte[4000];
    int at = 0;
    for (byte[] frame : sent) {
      System.arraycopy(frame, 54, payload, at, frame.length - 54);
      at += frame.length - 54;
    }
    assertThat(payload).isEqualTo(Arrays.copyOfRange(packet, 54, 4054));
  }

  @Test
  void shouldReceiveItsOwnFramesInLoopback() {
    DriverBench bench = start(NicDriverConfig.POLLING.toBuilder().loopback(true).build());
    List<byte[]> frames = DriverBench.randomFrames(SEED, 50, 60, 1514);
    List<byte[]> received = new ArrayList<>();
    byte[] bytes = new byte[2048];
    TxRing txRing = bench.driver.txRing(0);
    RxRing rxRing = bench.driver.rxRing(0);

    for (byte[] frame : frames) {
      int buffer = bench.pool.take();
      bench.port.store(bench.pool.pa(buffer), frame, 0, frame.length);
      assertThat(txRing.trySend(bench.port, buffer, frame.length)).isTrue();
      txRing.flush(bench.port);
      int polls = 0;
      while (rxRing.receive(
              bench.port,
              1,
              (port, view) -> received.add(Arrays.copyOf(bytes, view.load(port, bytes, 0))))
          == 0) {
        assertThat(polls++).isLessThan(1_000_000);
      }
      txRing.clean(bench.port, Integer.MAX_VALUE);
    }

    assertThat(sent).isEmpty();
    assertThat(received).hasSize(50);
    for (int i = 0; i < 50; i++) {
      assertThat(received.get(i)).as("frame %d, seed %d", i, SEED).isEqualTo(frames.get(i));
    }
  }

  @ParameterizedTest
  @EnumSource(DriverMode.class)
  void shouldForwardWithoutCopying(DriverMode mode) {
    NicConfig card = DriverBench.GIGABIT_CARD;
    NicDriverConfig config = NicDriverConfig.forMode(mode).toBuilder().maxFrameBytes(5000).build();
    DriverBench bench = new DriverBench(HostConfig.GEN4_SERVER, card, config, null);
    start(bench);
    Forwarder forwarder = new Forwarder(bench.driver.txRing(0), true);
    bench.startReceivers(forwarder);
    List<byte[]> frames = DriverBench.randomFrames(SEED, 3000, 60, 4996);

    DriverBench.Feed feed = bench.feed(frames);
    while (!feed.isDone()) {
      bench.runFor(MS_PS);
    }
    bench.runFor(2 * MS_PS);

    assertSame(frames);
    assertThat(forwarder.droppedTotal()).isZero();
  }

  private DriverBench start(NicDriverConfig config) {
    DriverBench bench = new DriverBench(config);
    start(bench);
    return bench;
  }

  private void start(DriverBench bench) {
    bench.nic.connectWire(
        (frame, offset, lengthBytes, nowPs) ->
            sent.add(Arrays.copyOfRange(frame, offset, offset + lengthBytes)));
    bench.driver.start(bench.port);
  }

  private void assertSame(List<byte[]> frames) {
    assertThat(sent).hasSize(frames.size());
    for (int i = 0; i < frames.size(); i++) {
      assertThat(sent.get(i)).as("frame %d, seed %d", i, SEED).isEqualTo(frames.get(i));
    }
  }

  private static void finish(DriverBench bench, TxRing ring) {
    ring.flush(bench.port);
    for (int i = 0; !ring.isIdle(); i++) {
      assertThat(i).isLessThan(10_000);
      ring.finish(bench.port);
      bench.port.delay(MS_PS / 1000);
    }
    // A descriptor is done when its data is on the device; the frame may still wait for the wire.
    bench.port.delay(MS_PS);
  }

  /** Cuts a frame into up to eight pieces that do not lie side by side. */
  private static void scatter(
      DriverBench bench, byte[] frame, Random random, ScatterList list, long memory) {
    int at = 0;
    for (int i = 0; i < 8 && at < frame.length; i++) {
      int left = frame.length - at;
      int length = i == 7 ? left : Math.min(left, 1 + random.nextInt(400));
      long pa = memory + 8192L * i + random.nextInt(64);
      bench.port.store(pa, frame, at, length);
      list.add(pa, length);
      at += length;
    }
  }

  /** An Ethernet, IPv4 and TCP header of 54 bytes and a payload. */
  private static byte[] tcpPacket(int payloadBytes) {
    byte[] packet = new byte[54 + payloadBytes];
    new Random(SEED).nextBytes(packet);
    packet[0] = 2;
    packet[12] = 0x08;
    packet[13] = 0;
    packet[14] = 0x45;
    packet[20] = 0; // not a fragment
    packet[21] = 0;
    packet[23] = 6;
    packet[46] = 0x50;
    return packet;
  }
}
