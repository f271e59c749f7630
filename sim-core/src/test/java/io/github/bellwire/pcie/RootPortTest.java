package io.github.bellwire.pcie;

import static io.github.bellwire.pcie.TestFabric.BAR;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.bellwire.kernel.Event;
import io.github.bellwire.pcie.PcieLinkConfig.DllpCharge;
import io.github.bellwire.pcie.RecordingEndpoint.Access;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Cores' accesses to device registers. 126.953125 ps per byte, 60 ns of link delay, 100 ns up and
 * 50 ns down through the root complex; the BAR lies above 4 GiB, so MWr and MRd take 24 bytes.
 */
class RootPortTest {
  private static final PcieLinkConfig GEN3_X8 =
      PcieLinkConfig.GEN3_X8.withDllpCharge(DllpCharge.NONE);
  private static final long AT = 1_000_000;

  private final TestFabric fabric =
      new TestFabric(new RootComplexConfig(100_000, 50_000), Translation.IDENTITY);
  private final RecordingEndpoint endpoint = fabric.plug(GEN3_X8);
  private final RootPort port = fabric.port(0);
  private final RootComplex rootComplex = fabric.rootComplex;
  private final MmioResult result = new MmioResult();

  // Writes.

  @Test
  void shouldAddUpTheWayOfAWrite() {
    rootComplex.mmioWrite(BAR + 0x18, 4, 0x1234_5678, AT);
    fabric.simulation.run();

    // Down 50_000, MWr 28 B 3_554, link 60_000.
    assertThat(endpoint.writes())
        .containsExactly(new Access(0, 0x18, 4, 0x1234_5678, AT + 113_554));
    assertThat(port.downstream().memoryWritesTotal()).isEqualTo(1);
    assertThat(port.downstream().bytesTotal()).isEqualTo(28);
    assertThat(port.mmioWritesTotal()).isEqualTo(1);
  }

  @ParameterizedTest
  @CsvSource({"0, 1, 28", "2, 2, 28", "4, 4, 28", "8, 8, 32"})
  void shouldCarryWholeDoubleWords(long offset, int sizeBytes, int wireBytes) {
    rootComplex.mmioWrite(BAR + offset, sizeBytes, 7, 0);
    fabric.simulation.run();

    assertThat(port.downstream().bytesTotal()).isEqualTo(wireBytes);
    assertThat(endpoint.writes().get(0).sizeBytes()).isEqualTo(sizeBytes);
  }

  @Test
  void shouldUseTheShortHeaderBelow4GiB() {
    endpoint.enable(0xE000_0000L, 256, 512);

    rootComplex.mmioWrite(0xE000_0010L, 4, 7, 0);
    rootComplex.mmioRead(0xE000_0010L, 4, 0, result);

    assertThat(port.downstream().bytesTotal()).isEqualTo(24 + 20);
    assertThat(endpoint.writes().get(0).offset()).isEqualTo(0x10);
  }

  @Test
  void shouldDeliverWritesOneAfterTheOther() {
    for (int i = 0; i < 100; i++) {
      rootComplex.mmioWrite(BAR, 4, i, 0);
    }
    fabric.simulation.run();

    assertThat(endpoint.writes()).hasSize(100);
    for (int i = 0; i < 100; i++) {
      // Back to back, with the fraction: (i + 1) x 28 x 126.953125.
      long arrivalPs = 50_000 + (i + 1) * 28L * 126_953_125 / 1_000_000 + 60_000;
      assertThat(endpoint.writes().get(i)).isEqualTo(new Access(0, 0, 4, i, arrivalPs));
    }
    assertThat(port.mmioWritesTotal()).isEqualTo(100);
  }

  @Test
  void shouldDeliverAfterTheRingHasWrapped() {
    int next = 0;
    for (int round = 0; round < 5; round++) {
      for (int i = 0; i < 13 + round * 10; i++) {
        rootComplex.mmioWrite(BAR, 4, next++, fabric.simulation.nowPs());
      }
      // Some of them have arrived when the next ones come.
      fabric.simulation.runUntil(fabric.simulation.nowPs() + 130_000);
    }
    fabric.simulation.run();

    assertThat(endpoint.writes()).hasSize(next);
    for (int i = 0; i < next; i++) {
      assertThat(endpoint.writes().get(i).value()).isEqualTo(i);
    }
  }

  @Test
  void shouldDeliverWhatAnotherCoreWroteEarlierFirst() {
    // A core 10 us ahead of the clock writes, then one that is only 1 us ahead.
    rootComplex.mmioWrite(BAR, 4, 1, 10_000_000);
    rootComplex.mmioWrite(BAR, 4, 2, 1_000_000);
    rootComplex.mmioWrite(BAR, 4, 3, 10_000_000);
    rootComplex.mmioWrite(BAR, 4, 4, 1_000_000);
    fabric.simulation.run();

    // As if the earlier ones had been computed first: 28 B and 56 B.
    assertThat(endpoint.writes())
        .containsExactly(
            new Access(0, 0, 4, 2, 1_000_000 + 50_000 + 3_554 + 60_000),
            new Access(0, 0, 4, 4, 1_000_000 + 50_000 + 7_109 + 60_000),
            new Access(0, 0, 4, 1, 10_000_000 + 50_000 + 3_554 + 60_000),
            new Access(0, 0, 4, 3, 10_000_000 + 50_000 + 7_109 + 60_000));
  }

  @Test
  void shouldSendACompletionBehindWhatWasReadyBeforeIt() {
    // Ready at 364_454, busy until 400_000.875; then a write, ready at 399_000.
    port.downstream().transmit(280, 400_000 - 35_546);
    rootComplex.mmioWrite(BAR, 8, 1, 399_000 - 50_000);
    // Computed before the read, but ready behind it.
    port.downstream().transmit(280, 403_800);

    // Ready at 400_010: MRd 20 B 2_539, 60_000, 100_000, 50_000.
    long donePs = endpoint.dma().read(0, new byte[4], 0, 4, 400_010 - 212_539);

    // MWr and CplD: 400_000.875 + (32 + 24) x 126.953125 = 407_110.25; + 60_000.
    assertThat(donePs).isEqualTo(407_110 + 60_000);
  }

  // Reads.

  @Test
  void shouldAddUpTheWayOfARead() {
    endpoint.answer(0x8765_4321L);

    rootComplex.mmioRead(BAR + 8, 4, AT, result);

    // Down 50_000, MRd 24 B 3_046, link 60_000: at the device at 113_046.
    assertThat(endpoint.reads()).containsExactly(new Access(0, 8, 4, 0, AT + 113_046));
    assertThat(fabric.simulation.nowPs()).isEqualTo(AT + 113_046);
    // CplD 24 B 3_046, link 60_000, up 100_000.
    assertThat(result.donePs()).isEqualTo(AT + 276_092);
    assertThat(result.value()).isEqualTo(0x8765_4321L);
    assertThat(port.downstream().memoryReadsTotal()).isEqualTo(1);
    assertThat(port.upstream().completionsWithDataTotal()).isEqualTo(1);
    assertThat(port.upstream().bytesTotal()).isEqualTo(24);
  }

  @Test
  void shouldReadBehindTheWritesBefore() {
    rootComplex.mmioWrite(BAR, 4, 1, 0);
    rootComplex.mmioWrite(BAR, 4, 2, 0);
    rootComplex.mmioRead(BAR, 4, 0, result);

    assertThat(endpoint.writes()).hasSize(2);
    // 28 + 28 + 24 B: 10_156.25.
    assertThat(endpoint.reads().get(0).atPs()).isEqualTo(50_000 + 10_156 + 60_000);
  }

  @Test
  void shouldNotWaitForAWriteThatAnotherCoreIssuesLater() {
    rootComplex.mmioWrite(BAR, 4, 1, 10_000_000);
    rootComplex.mmioRead(BAR, 4, 0, result);

    // 24 B: 3_046.
    assertThat(endpoint.reads().get(0).atPs()).isEqualTo(113_046);
    assertThat(endpoint.writes()).isEmpty();
  }

  @Test
  void shouldLetTheWorldGoOnDuringARead() {
    long[] seenPs = new long[1];
    fabric.simulation.schedule(
        new Event() {
          @Override
          protected void onEvent(long nowPs) {
            seenPs[0] = nowPs;
            endpoint.answer(5);
          }
        },
        113_046);

    rootComplex.mmioRead(BAR, 4, 0, result);

    assertThat(seenPs[0]).isEqualTo(113_046);
    assertThat(result.value()).isEqualTo(5);
  }

  @Test
  void shouldPushTheDevicesWritesAheadOfTheAnswer() {
    fabric.caches.deviceWritePs = 2_000_000;
    long commitPs = endpoint.dma().writeStatus(0x1000, new byte[] {1}, 0, 1, 0);

    rootComplex.mmioRead(BAR, 4, 0, result);

    assertThat(result.donePs()).isEqualTo(commitPs);
  }

  // Who answers.

  @ParameterizedTest
  @CsvSource({"1, 0xFF", "2, 0xFFFF", "4, 0xFFFFFFFF", "8, -1"})
  void shouldReadOnesWhereNobodyAnswers(int sizeBytes, String value) {
    rootComplex.mmioRead(BAR - 8, sizeBytes, AT, result);

    assertThat(result.value()).isEqualTo(Long.decode(value));
    assertThat(result.donePs()).isEqualTo(AT + 150_000);
    assertThat(rootComplex.unclaimedAccessesTotal()).isEqualTo(1);
    assertThat(endpoint.accessesTotal()).isZero();
  }

  @Test
  void shouldDropAWriteThatNobodyClaims() {
    rootComplex.mmioWrite(BAR - 8, 4, 1, 0);
    fabric.simulation.run();

    assertThat(rootComplex.unclaimedAccessesTotal()).isEqualTo(1);
    assertThat(endpoint.writes()).isEmpty();
    assertThat(port.downstream().bytesTotal()).isZero();
  }

  @Test
  void shouldSendDownWhatThePortForwardsAndTheDeviceDoesNotClaim() {
    // Inside the port's window of 1 MiB, but behind the BAR.
    rootComplex.mmioWrite(BAR + RecordingEndpoint.BAR_BYTES, 4, 1, 0);
    rootComplex.mmioRead(BAR + RecordingEndpoint.BAR_BYTES, 4, AT, result);

    assertThat(endpoint.accessesTotal()).isZero();
    assertThat(port.downstream().bytesTotal()).isEqualTo(28 + 24);
    assertThat(port.deviceErrors().total(PcieError.UNSUPPORTED_REQUEST)).isEqualTo(2);
    assertThat(rootComplex.unclaimedAccessesTotal()).isEqualTo(2);
    assertThat(result.value()).isEqualTo(0xFFFF_FFFFL);
    // Down 50_000, MRd 24 B 3_046, link 60_000, Cpl 20 B 2_539, link 60_000, up 100_000.
    assertThat(result.donePs()).isEqualTo(AT + 275_585);
    assertThat(port.upstream().completionsTotal()).isEqualTo(1);
  }

  @Test
  void shouldNotSplitAnAccessThatReachesBeyondTheWindow() {
    rootComplex.mmioWrite(BAR + RecordingEndpoint.BAR_BYTES - 4, 8, 1, 0);
    fabric.simulation.run();

    assertThat(endpoint.accessesTotal()).isZero();
    assertThat(port.deviceErrors().total(PcieError.UNSUPPORTED_REQUEST)).isEqualTo(1);
  }

  @Test
  void shouldFindTheDeviceThatClaimsTheAddress() {
    RecordingEndpoint second = fabric.plug(GEN3_X8);
    second.answer(2);

    rootComplex.mmioWrite(BAR + 0x10_0004, 4, 7, 0);
    rootComplex.mmioRead(BAR + 0x10_0008, 4, 0, result);

    assertThat(endpoint.accessesTotal()).isZero();
    assertThat(second.writes()).extracting(Access::offset).containsExactly(4L);
    assertThat(second.reads()).extracting(Access::offset).containsExactly(8L);
    assertThat(result.value()).isEqualTo(2);
    assertThat(port.mmioWritesTotal()).isZero();
    assertThat(fabric.port(1).mmioWritesTotal()).isEqualTo(1);
  }

  // Blocks.

  @Test
  void shouldDeliverBlocksAndRegistersInOrderHoweverManyAreUnderWay() {
    byte[] block = new byte[8];
    for (int i = 0; i < 100; i++) {
      // Every third one is added before its predecessor, which it overtakes in time only.
      int order = i % 3 == 1 ? i + 1 : i % 3 == 2 ? i - 1 : i;
      block[0] = (byte) order;
      long atPs = order * 1_000_000L;
      if (order % 2 == 0) {
        rootComplex.mmioWrite(BAR + 8, block, 0, 8, atPs);
      } else {
        rootComplex.mmioWrite(BAR + 8, 8, order, atPs);
      }
      if (i == 10) {
        fabric.simulation.runUntil(5_000_000); // so that the ring has wrapped when it grows
      }
    }
    fabric.simulation.run();

    assertThat(endpoint.writes())
        .extracting(Access::value)
        .containsExactlyElementsOf(LongStream.range(0, 100).boxed().toList());
  }

  @Test
  void shouldTellHowLongThePortTook() {
    byte[] line = new byte[64];

    // 88 B x 126.953125, the second behind the first, as a core's later write is.
    assertThat(rootComplex.mmioWrite(BAR, line, 0, 64, AT)).isEqualTo(11_171);
    assertThat(rootComplex.mmioWrite(BAR, line, 0, 64, AT + 1_000))
        .isEqualTo(2 * 11_171 - 1_000 + 1);
    assertThat(rootComplex.mmioWrite(BAR, 4, 1, AT + 100_000)).isEqualTo(3_554);
    assertThat(rootComplex.mmioWrite(0x50_0000_0000L, 4, 1, AT)).isZero();
    assertThat(rootComplex.mmioWrite(0x50_0000_0000L, line, 0, 64, AT)).isZero();
  }

  @ParameterizedTest
  @CsvSource({"0, 0", "0, 65", "60, 5"})
  void shouldRejectABlockThatNoRequestCarries(int offset, int lengthBytes) {
    String message =
        "block must lie in a line of 64 bytes: address=0x%x, lengthBytes=%d"
            .formatted(BAR + offset, lengthBytes);

    assertThatIllegalArgumentException()
        .isThrownBy(() -> rootComplex.mmioWrite(BAR + offset, new byte[65], 0, lengthBytes, AT))
        .withMessage(message);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> rootComplex.answerRead(BAR + offset, new byte[65], 0, lengthBytes, AT))
        .withMessage(message);
  }

  @Test
  void shouldTakeTheTimeOfTheDeviceForARead() {
    rootComplex.mmioRead(BAR, 8, AT, result);
    long quickPs = result.donePs() - AT;
    endpoint.answerAfter(700_000);

    rootComplex.mmioRead(BAR, 8, 2 * AT, result);

    assertThat(result.donePs() - 2 * AT).isEqualTo(quickPs + 700_000);
  }
}
