package io.github.bellwire.pcie;

import static io.github.bellwire.pcie.TestFabric.HIGH;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.bellwire.pcie.PcieLinkConfig.DllpCharge;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * One access at a time: its TLPs, its time to the picosecond, its bytes, and how it is refused.
 * 126.953125 ps per byte, 60 ns of link delay, 100 ns up and 50 ns down through the root complex.
 */
class DmaPortTest {
  private static final PcieLinkConfig GEN3_X8 =
      PcieLinkConfig.GEN3_X8.withDllpCharge(DllpCharge.NONE);
  private static final long AT = 1_000_000;
  private static final long HIGH_END = HIGH + (16 << 20);
  private static final long LOW_END = 16 << 20;

  private final TestTranslation translation = new TestTranslation();
  private final TestFabric fabric =
      new TestFabric(new RootComplexConfig(100_000, 50_000), translation);
  private final RecordingEndpoint endpoint = fabric.plug(GEN3_X8);
  private final DmaPort dma = endpoint.dma();
  private final LinkDirection upstream = fabric.port(0).upstream();
  private final LinkDirection downstream = fabric.port(0).downstream();
  private final byte[] pattern = new byte[8192];

  @BeforeEach
  void setUp() {
    fabric.caches.deviceReadPs = 40_000;
    fabric.caches.deviceWritePs = 30_000;
    for (int i = 0; i < pattern.length; i++) {
      pattern[i] = (byte) (i * 7 + 1);
    }
  }

  // Time.

  @Test
  void shouldAddUpTheWayOfARead() {
    byte[] destination = new byte[64];

    long donePs = dma.read(HIGH + 0x1000, destination, 0, 64, AT);

    // MRd 24 B 3_046, link 60_000, up 100_000, cache 40_000, down 50_000, CplD 84 B 10_664,
    // link 60_000.
    assertThat(donePs).isEqualTo(AT + 323_710);
    assertThat(fabric.caches.lastAtPs).isEqualTo(AT + 163_046);
    assertThat(dma.status()).isEqualTo(DmaStatus.OK);
  }

  @Test
  void shouldAddUpTheWayOfAWrite() {
    long donePs = dma.write(HIGH, pattern, 0, 256, AT);

    // MWr 280 B 35_546, link 60_000, up 100_000, cache 30_000.
    assertThat(donePs).isEqualTo(AT + 225_546);
    assertThat(dma.sentPs()).isEqualTo(AT + 35_546);
    assertThat(dma.status()).isEqualTo(DmaStatus.OK);
  }

  @Test
  void shouldAddUpTheWayOfAMessage() {
    long donePs = dma.sendMessage(0xFEE0_3000L, 0x8142_4321, AT);

    // MWr 20 + 4 B 3_046, link 60_000, up 100_000; 01:00.0 is requester 0100h.
    assertThat(donePs).isEqualTo(AT + 163_046);
    assertThat(fabric.messages)
        .containsExactly(new TestFabric.Message(0x100, 0xFEE0_3000L, 0x8142_4321, AT + 163_046));
    assertThat(dma.sentPs()).isEqualTo(AT + 3_046);
  }

  @Test
  void shouldAddTheTimeOfTranslation() {
    translation.delayPs = 7_000;

    assertThat(dma.read(HIGH, new byte[64], 0, 64, AT)).isEqualTo(AT + 323_710 + 7_000);
    assertThat(dma.write(0, pattern, 0, 4, 2 * AT))
        .isEqualTo(2 * AT + 3_046 + 160_000 + 30_000 + 7_000);
  }

  @Test
  void shouldHoldTheTagUntilTheLastCompletion() {
    TestFabric other = new TestFabric();
    DmaPort port = other.plug(GEN3_X8.withTags(1).withPropagationPs(0)).dma();

    // MRd 20 B, CplD 84 B: 2_539 + 10_664.
    assertThat(port.tagFreePs()).isZero();
    long firstPs = port.read(0, new byte[64], 0, 64, 0);
    assertThat(firstPs).isEqualTo(13_203);
    assertThat(port.tagFreePs()).isEqualTo(13_203);
    assertThat(port.read(0, new byte[64], 0, 64, 0)).isEqualTo(2 * 13_203);
  }

  // TLPs.

  @ParameterizedTest
  @CsvSource({
    // address, length, MWr count, bytes: 24 B each plus whole double words.
    "0x0, 64, 1, 88",
    "0x0, 256, 1, 280",
    "0x0, 257, 2, 308",
    "0x1, 64, 1, 92",
    "0x1, 256, 2, 308",
    "0xFF0, 64, 2, 112",
    "0x3, 1, 1, 28",
    "0x3, 2, 1, 32",
    // 13 + 4096 = 4109: to the boundary 16 pieces, the first one of 255 B, the last one of 244 B
    // (1 + 244 + 3 and 61 double words), then 13 B: 16 x 24 + 4096 + 24 + 16.
    "0x1, 4108, 17, 4520"
  })
  void shouldCutWritesAtMpsAnd4KiB(String offset, int lengthBytes, int count, int wireBytes) {
    dma.write(HIGH + Long.decode(offset), pattern, 0, lengthBytes, AT);

    assertThat(upstream.memoryWritesTotal()).isEqualTo(count);
    assertThat(upstream.bytesTotal()).isEqualTo(wireBytes);
    assertThat(downstream.bytesTotal()).isZero();
  }

  @ParameterizedTest
  @CsvSource({
    // address, length, MRd count, CplD count, bytes down: 20 B each plus whole double words.
    "0x0, 64, 1, 1, 84",
    "0x0, 63, 1, 1, 84",
    "0x1, 64, 1, 1, 88",
    "0x0, 512, 1, 2, 552",
    "0x0, 513, 2, 3, 576",
    // 511 B then 1 B; 255 + 256, each 256 B of double words, then 4 B.
    "0x1, 512, 2, 3, 576",
    // 512 B from 0x20: up to 0x100, 0x200, 0x220.
    "0x20, 512, 1, 3, 572",
    "0xFF0, 32, 2, 2, 72",
    "0x0, 4096, 8, 16, 4416"
  })
  void shouldCutReadsAtMrrsAnd4KiBAndCompletionsAtRcb(
      String offset, int lengthBytes, int requests, int completions, int wireBytes) {
    dma.read(HIGH + Long.decode(offset), new byte[lengthBytes], 0, lengthBytes, AT);

    assertThat(upstream.memoryReadsTotal()).isEqualTo(requests);
    assertThat(upstream.bytesTotal()).isEqualTo(24L * requests);
    assertThat(downstream.completionsWithDataTotal()).isEqualTo(completions);
    assertThat(downstream.bytesTotal()).isEqualTo(wireBytes);
  }

  @Test
  void shouldUseTheShortHeaderBelow4GiB() {
    dma.write(0x1000, pattern, 0, 64, AT);
    dma.read(0x1000, new byte[64], 0, 64, AT);

    assertThat(upstream.bytesTotal()).isEqualTo(20 + 64 + 20);
  }

  @Test
  void shouldObeyTheSizesInConfigurationSpace() {
    endpoint.enable(TestFabric.BAR, 128, 4096);

    dma.write(HIGH, pattern, 0, 512, AT);
    dma.read(HIGH, new byte[4096], 0, 4096, AT);

    assertThat(upstream.memoryWritesTotal()).isEqualTo(4);
    assertThat(upstream.memoryReadsTotal()).isEqualTo(1);
    // A completion must not be larger than what its receiver takes (section 2.2.2): 4096 / 128.
    assertThat(downstream.completionsWithDataTotal()).isEqualTo(32);
  }

  @Test
  void shouldTranslateEveryTlp() {
    dma.write(HIGH + 0xFC0, pattern, 0, 384, AT);
    dma.read(HIGH + 0xFC0, new byte[128], 0, 128, AT);

    assertThat(translation.ranges)
        .containsExactly(
            "w 100000fc0+64 for 100",
            "w 100001000+256 for 100",
            "w 100001100+64 for 100",
            "r 100000fc0+64 for 100",
            "r 100001000+64 for 100");
  }

  // Bytes.

  @ParameterizedTest
  @CsvSource({"0x0, 1", "0x3, 2", "0x1, 256", "0xFFD, 300", "0x1FFFFF, 600", "0x7, 5000"})
  void shouldMoveExactlyTheBytes(String offset, int lengthBytes) {
    long iova = HIGH + Long.decode(offset);
    byte[] destination = new byte[lengthBytes + 2];

    dma.write(iova, pattern, 3, lengthBytes, AT);
    dma.read(iova, destination, 1, lengthBytes, AT);

    byte[] expected = Arrays.copyOfRange(pattern, 3, 3 + lengthBytes);
    assertThat(fabric.bytes(iova, lengthBytes)).isEqualTo(expected);
    assertThat(Arrays.copyOfRange(destination, 1, 1 + lengthBytes)).isEqualTo(expected);
    assertThat(destination[0]).isZero();
    assertThat(destination[lengthBytes + 1]).isZero();
    assertThat(fabric.memory.getByte(iova + lengthBytes)).isZero();
  }

  @Test
  void shouldMoveTheBytesToTheTranslatedAddress() {
    translation.shiftBytes = 0x10_0000;

    dma.write(0x1000, pattern, 0, 8, AT);

    assertThat(fabric.bytes(0x10_1000, 8)).isEqualTo(Arrays.copyOf(pattern, 8));
    assertThat(fabric.caches.lastPa).isEqualTo(0x10_1000);
    assertThat(fabric.bytes(0x1000, 8)).containsOnly(0);
  }

  @Test
  void shouldCopyTheSourceBeforeReturning() {
    byte[] source = {1, 2, 3, 4};

    long donePs = dma.writeStatus(0x1000, source, 0, 4, AT);
    Arrays.fill(source, (byte) 9);
    fabric.simulation.runUntil(donePs);

    assertThat(fabric.bytes(0x1000, 4)).containsExactly(1, 2, 3, 4);
  }

  @Test
  void shouldTakeAMessageToMemoryAsAWrite() {
    long donePs = dma.sendMessage(0x1000, 0x0403_0201, AT);
    fabric.simulation.runUntil(donePs);

    assertThat(fabric.bytes(0x1000, 5)).containsExactly(1, 2, 3, 4, 0);
    assertThat(fabric.messages).isEmpty();
  }

  @Test
  void shouldTakeAPayloadWriteToTheInterruptRangeAsAMessage() {
    dma.write(0xFEE0_0000L, new byte[] {0, 0x21, 0x43, 0, 0}, 1, 4, AT);

    assertThat(fabric.messages).extracting(TestFabric.Message::data).containsExactly(0x4321);
  }

  // Refusals.

  @Test
  void shouldAnswerAReadOfNoMemoryWithOnes() {
    byte[] destination = new byte[10];

    long donePs = dma.read(HIGH_END, destination, 1, 8, AT);

    // MRd 24 B 3_046, 60_000, 100_000, 50_000, Cpl 20 B 2_539, 60_000.
    assertThat(donePs).isEqualTo(AT + 275_585);
    assertThat(destination).containsExactly(0, -1, -1, -1, -1, -1, -1, -1, -1, 0);
    assertThat(dma.status()).isEqualTo(DmaStatus.UNSUPPORTED_REQUEST);
    assertThat(downstream.completionsTotal()).isEqualTo(1);
    assertThat(downstream.completionsWithDataTotal()).isZero();
    assertThat(fabric.port(0).refusedRequestsTotal()).isEqualTo(1);
    assertThat(dma.tagFreePs()).isZero();
  }

  @Test
  void shouldReadUpToTheEndOfMemory() {
    byte[] destination = new byte[64];
    fabric.memory.copyIn(LOW_END - 32, pattern, 0, 32);

    dma.read(LOW_END - 32, destination, 0, 64, AT);

    assertThat(Arrays.copyOf(destination, 32)).isEqualTo(Arrays.copyOf(pattern, 32));
    assertThat(Arrays.copyOfRange(destination, 32, 64)).containsOnly(-1);
    assertThat(dma.status()).isEqualTo(DmaStatus.UNSUPPORTED_REQUEST);
  }

  @ParameterizedTest
  @ValueSource(longs = {LOW_END, HIGH - 256, HIGH_END, Long.MAX_VALUE - 255, Long.MIN_VALUE, -256})
  void shouldDropAWriteToNoMemory(long iova) {
    fabric.simulation.runUntil(AT);

    long donePs = dma.write(iova, pattern, 0, 256, AT);

    // Never before now, even though nothing has been committed yet.
    assertThat(donePs).isEqualTo(dma.sentPs()).isGreaterThan(AT);
    assertThat(dma.status()).isEqualTo(DmaStatus.UNSUPPORTED_REQUEST);
    assertThat(fabric.memory.residentPagesCount()).isZero();
    assertThat(fabric.commits.pendingCount()).isZero();
    assertThat(fabric.port(0).refusedRequestsTotal()).isEqualTo(1);
  }

  @ParameterizedTest
  @ValueSource(longs = {LOW_END, HIGH - 256, HIGH_END, Long.MAX_VALUE - 255, Long.MIN_VALUE, -256})
  void shouldRefuseStatusWritesAndReadsOfNoMemory(long iova) {
    dma.writeStatus(iova, pattern, 0, 256, AT);
    assertThat(dma.status()).isEqualTo(DmaStatus.UNSUPPORTED_REQUEST);
    byte[] destination = new byte[256];
    dma.read(iova, destination, 0, 256, AT);

    assertThat(destination).containsOnly(-1);
    assertThat(dma.status()).isEqualTo(DmaStatus.UNSUPPORTED_REQUEST);
    assertThat(fabric.memory.residentPagesCount()).isZero();
    assertThat(fabric.commits.pendingCount()).isZero();
  }

  @Test
  void shouldPassOnTheRefusalOfTranslation() {
    translation.refusedFrom = 0x2000;
    byte[] destination = new byte[64];

    dma.write(0x2000 - 32, pattern, 0, 64, AT);

    assertThat(dma.status()).isEqualTo(DmaStatus.COMPLETER_ABORT);
    assertThat(fabric.bytes(0x2000 - 32, 32)).isEqualTo(Arrays.copyOf(pattern, 32));
    assertThat(fabric.bytes(0x2000, 32)).containsOnly(0);

    dma.read(0x2000 - 32, destination, 0, 64, AT);
    assertThat(dma.status()).isEqualTo(DmaStatus.COMPLETER_ABORT);
    assertThat(Arrays.copyOf(destination, 32)).isEqualTo(Arrays.copyOf(pattern, 32));
    assertThat(Arrays.copyOfRange(destination, 32, 64)).containsOnly(-1);
    assertThat(fabric.port(0).refusedRequestsTotal()).isEqualTo(2);
  }

  @Test
  void shouldReportTheFirstOfSeveralRefusals() {
    translation.refusedFrom = LOW_END + 4096;

    // Up to LOW_END + 4096 nobody is there, from then on translation refuses.
    dma.write(LOW_END + 4096 - 32, pattern, 0, 64, AT);

    assertThat(dma.status()).isEqualTo(DmaStatus.UNSUPPORTED_REQUEST);
    assertThat(fabric.port(0).refusedRequestsTotal()).isEqualTo(2);
  }

  @Test
  void shouldForgetTheRefusalAtTheNextAccess() {
    dma.write(LOW_END, pattern, 0, 4, AT);
    dma.write(0, pattern, 0, 4, AT);
    assertThat(dma.status()).isEqualTo(DmaStatus.OK);

    dma.write(LOW_END, pattern, 0, 4, AT);
    dma.read(0, new byte[4], 0, 4, AT);
    assertThat(dma.status()).isEqualTo(DmaStatus.OK);
  }

  @Test
  void shouldRefuseAMessageOfAnotherSize() {
    dma.write(0xFEE0_0000L, pattern, 0, 8, AT);

    assertThat(fabric.messages).isEmpty();
    assertThat(dma.status()).isEqualTo(DmaStatus.UNSUPPORTED_REQUEST);
    assertThat(fabric.port(0).refusedRequestsTotal()).isEqualTo(1);
  }

  @Test
  void shouldTakeOnlyItsMebibyteForInterrupts() {
    dma.sendMessage(0xFEDF_FFFCL, 1, AT);
    dma.sendMessage(0xFEF0_0000L, 2, AT);
    assertThat(fabric.messages).isEmpty();

    dma.sendMessage(0xFEEF_FFFCL, 3, AT);
    assertThat(fabric.messages).hasSize(1);
  }

  @Test
  void shouldSendNothingWithoutBusMasterEnable() {
    endpoint.busMaster(false);
    byte[] destination = new byte[6];

    assertThat(dma.read(0, destination, 1, 4, AT)).isEqualTo(AT);
    assertThat(dma.status()).isEqualTo(DmaStatus.BUS_MASTER_DISABLED);
    assertThat(dma.write(0, pattern, 0, 4, AT)).isEqualTo(AT);
    assertThat(dma.status()).isEqualTo(DmaStatus.BUS_MASTER_DISABLED);
    assertThat(dma.sendMessage(0xFEE0_0000L, 1, AT)).isEqualTo(AT);
    assertThat(dma.sentPs()).isEqualTo(AT);

    assertThat(destination).containsExactly(0, -1, -1, -1, -1, 0);
    assertThat(upstream.bytesTotal()).isZero();
    assertThat(fabric.memory.residentPagesCount()).isZero();
    assertThat(fabric.messages).isEmpty();

    endpoint.busMaster(true);
    dma.write(0, pattern, 0, 4, AT);
    assertThat(dma.status()).isEqualTo(DmaStatus.OK);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, -1})
  void shouldRejectALengthThatIsNotPositive(int lengthBytes) {
    String message = "lengthBytes must be >= 1: lengthBytes=" + lengthBytes;
    assertThatIllegalArgumentException()
        .isThrownBy(() -> dma.write(0, pattern, 0, lengthBytes, AT))
        .withMessage(message);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> dma.writeStatus(0, pattern, 0, lengthBytes, AT))
        .withMessage(message);
  }

  @Test
  void shouldRejectANegativeReadLength() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> dma.read(0, pattern, 0, -1, AT))
        .withMessage("lengthBytes must be >= 0: lengthBytes=-1");
  }

  /** Shifts addresses, takes time, refuses from an address on, and remembers what it was asked. */
  private static final class TestTranslation implements Translation {
    private final List<String> ranges = new ArrayList<>();
    private long shiftBytes;
    private long delayPs;
    private long refusedFrom = Long.MAX_VALUE;

    @Override
    public void translate(TranslationRequest request, TranslationResult result) {
      ranges.add(
          (request.isWrite() ? "w " : "r ")
              + Long.toHexString(request.iova())
              + "+"
              + request.lengthBytes()
              + " for "
              + Integer.toHexString(request.requesterId()));
      long readyPs = request.atPs() + delayPs;
      if (request.iova() >= refusedFrom) {
        result.refused(DmaStatus.COMPLETER_ABORT, readyPs);
      } else {
        result.translated(request.iova() + shiftBytes, readyPs);
      }
    }
  }
}
