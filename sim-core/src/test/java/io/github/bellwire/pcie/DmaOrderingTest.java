package io.github.bellwire.pcie;

import static io.github.bellwire.pcie.TestFabric.HIGH;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.bellwire.pcie.PcieLinkConfig.DllpCharge;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What one function's accesses may not do to each other (Base Specification, section 2.4.1), and
 * when their bytes can be seen.
 */
class DmaOrderingTest {
  private static final PcieLinkConfig GEN3_X8 =
      PcieLinkConfig.GEN3_X8.withDllpCharge(DllpCharge.NONE).withPropagationPs(0);

  private final TestFabric fabric = new TestFabric();
  private final DmaPort dma = fabric.plug(GEN3_X8).dma();

  // Visibility.

  @Test
  void shouldShowAStatusWriteExactlyWhenItIsCommitted() {
    fabric.caches.deviceWritePs = 500_000;

    long commitPs = dma.writeStatus(0x1000, new byte[] {5}, 0, 1, 0);

    // MWr 24 B: 3_046.
    assertThat(commitPs).isEqualTo(503_046);
    fabric.simulation.runUntil(commitPs - 1);
    assertThat(fabric.bytes(0x1000, 1)).containsExactly(0);
    fabric.simulation.runUntil(commitPs);
    assertThat(fabric.bytes(0x1000, 1)).containsExactly(5);
  }

  @Test
  void shouldShowEveryTlpOfAStatusWriteWhenItIsCommitted() {
    byte[] source = new byte[512];
    Arrays.fill(source, (byte) 5);

    long commitPs = dma.writeStatus(HIGH, source, 0, 512, 0);

    // Two MWr of 280 B: 35_546, 71_093.
    assertThat(commitPs).isEqualTo(71_093);
    fabric.simulation.runUntil(35_545);
    assertThat(fabric.bytes(HIGH, 512)).containsOnly(0);
    fabric.simulation.runUntil(35_546);
    assertThat(fabric.bytes(HIGH, 256)).containsOnly(5);
    assertThat(fabric.bytes(HIGH + 256, 256)).containsOnly(0);
    fabric.simulation.runUntil(71_092);
    assertThat(fabric.bytes(HIGH + 256, 256)).containsOnly(0);
    fabric.simulation.runUntil(71_093);
    assertThat(fabric.bytes(HIGH + 256, 256)).containsOnly(5);
  }

  @Test
  void shouldMovePayloadAtOnce() {
    dma.write(0x1000, new byte[] {5}, 0, 1, 0);

    assertThat(fabric.bytes(0x1000, 1)).containsExactly(5);
    assertThat(fabric.commits.pendingCount()).isZero();
  }

  @Test
  void shouldQueuePayloadBehindAStatusWriteThatItOverlaps() {
    fabric.caches.deviceWritePs = 500_000;
    long statusPs = dma.writeStatus(0x1004, new byte[] {1, 1, 1, 1}, 0, 4, 0);
    long payloadPs = dma.write(0x1000, new byte[] {2, 2, 2, 2, 2}, 0, 5, 0);
    long besidePs = dma.write(0x1008, new byte[] {3}, 0, 1, 0);

    assertThat(statusPs).isLessThan(payloadPs);
    assertThat(payloadPs).isLessThan(besidePs);
    fabric.simulation.runUntil(statusPs);
    assertThat(fabric.bytes(0x1000, 9)).containsExactly(0, 0, 0, 0, 1, 1, 1, 1, 3);
    fabric.simulation.runUntil(payloadPs);
    assertThat(fabric.bytes(0x1000, 9)).containsExactly(2, 2, 2, 2, 2, 1, 1, 1, 3);
  }

  // Order.

  @Test
  void shouldNotLetASmallWritePassALargeOneThroughAGap() {
    // The gap before the read holds 40 B but not 264 B, which go behind it.
    dma.read(HIGH, new byte[64], 0, 64, 20_000);
    long payloadPs = dma.write(HIGH + 4096, new byte[240], 0, 240, 1_000);
    long statusPs = dma.writeStatus(HIGH + 8192, new byte[16], 0, 16, 1_500);

    assertThat(statusPs).isGreaterThan(payloadPs);
  }

  @Test
  void shouldNotLetAReadPassAWriteThroughAGap() {
    dma.read(HIGH, new byte[64], 0, 64, 20_000);
    dma.write(HIGH + 4096, new byte[240], 0, 240, 1_000);
    long writtenPs = dma.sentPs();

    long readPs = dma.read(HIGH + 4096, new byte[64], 0, 64, 1_500);

    assertThat(readPs).isGreaterThan(writtenPs);
  }

  @Test
  void shouldCommitPostedWritesInOrder() {
    fabric.caches.deviceWritePs = 900_000;
    long slowPs = dma.writeStatus(0x1000, new byte[] {1}, 0, 1, 0);
    fabric.caches.deviceWritePs = 0;
    long fastPs = dma.writeStatus(0x2000, new byte[] {1}, 0, 1, 0);

    assertThat(slowPs).isEqualTo(903_046);
    assertThat(fastPs).isEqualTo(903_046);
  }

  @Test
  void shouldDeliverAMessageBehindTheDataThatItAnnounces() {
    fabric.caches.deviceWritePs = 900_000;
    long dataPs = dma.write(0x1000, new byte[4], 0, 4, 0);
    long messagePs = dma.sendMessage(0xFEE0_0000L, 0x21, 0);

    assertThat(messagePs).isEqualTo(dataPs).isEqualTo(903_046);
    assertThat(fabric.messages.get(0).atPs()).isEqualTo(903_046);
  }

  @Test
  void shouldNotWaitForAWriteThatWasRefused() {
    fabric.caches.deviceWritePs = 900_000;
    dma.write(15L << 30, new byte[4], 0, 4, 0);
    fabric.caches.deviceWritePs = 0;

    // 28 B and 24 B back to back: 52 x 126.953125 = 6_601.5625.
    assertThat(dma.write(0x1000, new byte[4], 0, 4, 0)).isEqualTo(6_601);
  }

  @Test
  void shouldPushWritesAheadOfARead() {
    fabric.caches.deviceWritePs = 900_000;
    fabric.caches.deviceReadPs = 1_000;
    long commitPs = dma.writeStatus(0x1000, new byte[] {7, 8}, 0, 2, 0);
    byte[] destination = new byte[4];

    long donePs = dma.read(0x1000, destination, 0, 4, 0);

    assertThat(destination).containsExactly(7, 8, 0, 0);
    // Answered when the write is there: CplD 24 B 3_046.
    assertThat(donePs).isEqualTo(commitPs + 3_046);
    assertThat(fabric.bytes(0x1000, 1)).containsExactly(0);
  }

  @Test
  void shouldNotReadAWriteOfAnotherFunctionBeforeItIsCommitted() {
    DmaPort other = fabric.plug(GEN3_X8).dma();
    fabric.caches.deviceWritePs = 900_000;
    long commitPs = dma.writeStatus(0x1000, new byte[] {7}, 0, 1, 0);
    byte[] early = new byte[1];
    byte[] late = new byte[1];

    // The read arrives 2_539 after its issue.
    other.read(0x1000, early, 0, 1, commitPs - 2_540);
    other.read(0x1000, late, 0, 1, commitPs + 1_000_000);

    assertThat(early).containsExactly(0);
    assertThat(late).containsExactly(7);
  }

  @Test
  void shouldKeepTheCompletionsOfOneReadInOrder() {
    // On a link that may have to repeat TLPs.
    DmaPort replayed =
        fabric.plug(GEN3_X8.withFaults(LinkFaultConfig.NONE.withBitErrorRatio(1e-30))).dma();
    LinkDirection downstream = fabric.port(1).downstream();
    // A gap of 20 ns from 100 ns on: the second, short completion would fit.
    downstream.transmit(787, 0);
    downstream.transmit(280, 120_000);

    // Completions of 256 B (276 B, 35_040) and 64 B (84 B, 10_665) from 0x1000 on.
    long donePs = replayed.read(0x1000, new byte[320], 0, 320, 96_000);

    // Behind the TLP at 120_000: 280 + 276 + 84 = 640 B x 126.953125 = 81_250.
    assertThat(donePs).isEqualTo(120_000 + 81_250);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4})
  void shouldSeeItsOwnWritesInProgramOrder(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    byte[] oracle = new byte[1024];
    byte[] buffer = new byte[1024];
    long atPs = 0;
    long lastCommitPs = 0;

    for (int i = 0; i < 3_000; i++) {
      fabric.caches.deviceWritePs = random.nextLong(600_000);
      fabric.caches.deviceReadPs = random.nextLong(600_000);
      int offset = random.nextInt(1024);
      int lengthBytes = 1 + random.nextInt(Math.min(1024 - offset, i % 10 == 0 ? 600 : 16));
      int kind = random.nextInt(4);
      if (kind == 0) {
        dma.read(0x1F00 + offset, buffer, 0, lengthBytes, atPs);
        assertThat(Arrays.copyOf(buffer, lengthBytes))
            .as("seed=%d, i=%d", seed, i)
            .isEqualTo(Arrays.copyOfRange(oracle, offset, offset + lengthBytes));
      } else {
        Arrays.fill(buffer, 0, lengthBytes, (byte) random.nextInt());
        System.arraycopy(buffer, 0, oracle, offset, lengthBytes);
        long commitPs =
            kind == 1
                ? dma.write(0x1F00 + offset, buffer, 0, lengthBytes, atPs)
                : dma.writeStatus(0x1F00 + offset, buffer, 0, lengthBytes, atPs);
        assertThat(commitPs).as("seed=%d, i=%d", seed, i).isGreaterThanOrEqualTo(lastCommitPs);
        lastCommitPs = commitPs;
      }
      if (random.nextInt(3) == 0) {
        atPs += random.nextLong(400_000);
        fabric.simulation.runUntil(atPs);
      }
    }
    fabric.simulation.run();

    assertThat(fabric.bytes(0x1F00, 1024)).as("seed=%d", seed).isEqualTo(oracle);
    assertThat(fabric.commits.pendingCount()).isZero();
  }
}
