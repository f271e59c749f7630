package io.github.bellwire.device.nic;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The three small queues of the engines. */
class FrameQueueTest {
  @Test
  void shouldKeepFramesInOrderWhileItGrowsAndCountTheirBytes() {
    FrameQueue queue = new FrameQueue();
    ArrayDeque<Integer> expected = new ArrayDeque<>();
    Random random = new Random(1);
    int bytes = 0;
    for (int i = 0; i < 5000; i++) {
      if (random.nextInt(5) < 3) {
        int length = 1 + random.nextInt(2000);
        queue.add(length).sequence = i;
        expected.add(i);
        bytes += length;
      } else if (!expected.isEmpty()) {
        bytes -= queue.get(0).lengthBytes;
        assertThat(queue.get(0).sequence).isEqualTo((long) expected.remove());
        queue.removeFirst();
      }
      assertThat(queue.count()).isEqualTo(expected.size());
      assertThat(queue.bytes()).isEqualTo(bytes);
    }
    assertThat(queue.count()).as("has grown").isGreaterThan(64);
  }

  @Test
  void shouldTakeBackRoomAndStartAnew() {
    FrameQueue queue = new FrameQueue();
    queue.add(100);
    Frame last = queue.add(3000);
    assertThat(last.bytes).hasSizeGreaterThanOrEqualTo(3000);

    queue.shortenLast(60);
    assertThat(queue.bytes()).isEqualTo(160);
    assertThat(last.lengthBytes).isEqualTo(60);

    queue.clear();
    assertThat(queue.count()).isZero();
    assertThat(queue.bytes()).isZero();
  }

  @Test
  void shouldCopyEverythingThatAFrameKnows() {
    byte[] bytes = NicBench.frame(300, 1);
    Frame source = new Frame();
    source.lend(bytes, 100, 200);
    source.readyPs = 1;
    source.arrivedPs = 2;
    source.queueIndex = 3;
    source.writeBackLow = 4;
    source.writeBackHigh = 5;
    source.fragmentChecksum = 7;
    source.wireBytes = 8;
    source.firstDescriptor = 9;
    source.descriptorsCount = 10;
    source.sequence = 11;
    source.epoch = 12;
    source.isDropped = true;
    source.hasLackedDescriptor = true;
    source.operationId = 13;

    Frame copy = new Frame();
    copy.copyOf(source);
    bytes[150]++;

    assertThat(copy)
        .usingRecursiveComparison()
        .ignoringFields("storage", "bytes", "offset")
        .isEqualTo(source);
    assertThat(copy.bytes).startsWith(Arrays.copyOfRange(NicBench.frame(300, 1), 100, 300));
    assertThat(copy.offset).isZero();
  }

  @Test
  void shouldReleaseBytesAtTheirTimes() {
    ReleaseQueue queue = new ReleaseQueue();
    for (int i = 1; i <= 200; i++) {
      queue.add(10, 100L * i, 0);
    }

    assertThat(queue.bytesAt(99)).isEqualTo(2000);
    assertThat(queue.bytesAt(100)).isEqualTo(1990);
    assertThat(queue.bytesAt(5_050)).isEqualTo(1500);
    for (int i = 201; i <= 400; i++) {
      queue.add(10, 100L * i, 0);
    }
    assertThat(queue.bytesAt(39_999)).isEqualTo(10);
    queue.clear();
    assertThat(queue.bytesAt(0)).isZero();
    queue.add(10, 100, 0);
    queue.add(20, 200, 0);
    assertThat(queue.bytesAt(100)).isEqualTo(20);
  }

  @Test
  void shouldBoundWhatItHasNotSettled() {
    ReleaseQueue queue = new ReleaseQueue();

    // Each is free before the next comes, and nobody asks.
    for (int i = 1; i <= 1000; i++) {
      queue.add(10, i, i + 1);
      assertThat(queue.bytesAtMost()).isBetween(10, 320);
    }

    assertThat(queue.bytesAt(1001)).isZero();
    assertThat(queue.bytesAtMost()).isZero();
  }

  @Test
  void shouldForgetTheDescriptorsOfOneQueue() {
    DoneQueue queue = new DoneQueue();
    for (int i = 0; i < 100; i++) {
      queue.add(i % 2, i);
    }
    queue.removeFirst();

    queue.forget(1);

    for (int i = 1; i < 100; i++) {
      assertThat(queue.firstPs()).isEqualTo(i);
      assertThat(queue.firstQueue()).isEqualTo(i % 2 == 0 ? 0 : DoneQueue.NO_QUEUE);
      queue.removeFirst();
    }
    assertThat(queue.isEmpty()).isTrue();
  }
}
