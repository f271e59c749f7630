package io.github.bellwire.pcie;

import static io.github.bellwire.pcie.TestFabric.HIGH;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.bellwire.pcie.PcieLinkConfig.DllpCharge;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Faults are data: counted where they are detected, told to the device, and harmless to others. */
class DmaFaultTest {
  private static final long TIMEOUT_PS = 50_000_000_000L;

  private static final PcieLinkConfig GEN3_X8 =
      PcieLinkConfig.GEN3_X8.withDllpCharge(DllpCharge.NONE).withPropagationPs(0);

  private final TestFabric fabric = new TestFabric();
  private final RecordingEndpoint endpoint = fabric.plug(GEN3_X8);
  private final DmaPort dma = endpoint.dma();
  private final RootPort port = fabric.port(0);
  private final byte[] pattern = new byte[1024];
  private final byte[] destination = new byte[1024];

  @BeforeEach
  void setUp() {
    for (int i = 0; i < pattern.length; i++) {
      pattern[i] = (byte) (i * 7 + 1);
    }
  }

  // Writes.

  @ParameterizedTest
  @CsvSource({"POISONED, POISONED, POISONED_TLP", "MALFORMED, MALFORMED_TLP, MALFORMED_TLP"})
  void shouldDropAFaultyWriteAndNoOther(TlpFault fault, DmaStatus status, PcieError error) {
    port.upstreamFaults().inject(fault, 1);

    // Three TLPs; the second one is dropped.
    dma.write(HIGH, pattern, 0, 768, 0);

    assertThat(dma.status()).isEqualTo(status);
    assertThat(port.errors().total(error)).isEqualTo(1);
    assertThat(fabric.bytes(HIGH, 256)).isEqualTo(Arrays.copyOf(pattern, 256));
    assertThat(fabric.bytes(HIGH + 256, 256)).containsOnly(0);
    assertThat(fabric.bytes(HIGH + 512, 256)).isEqualTo(Arrays.copyOfRange(pattern, 512, 768));
    dma.write(HIGH, pattern, 0, 4, 0);
    assertThat(dma.status()).isEqualTo(DmaStatus.OK);
  }

  @Test
  void shouldLogTheHeaderOfAPoisonedWrite() {
    List<Long> log = new ArrayList<>();
    port.errors()
        .listen((error, header01, header23, atPs) -> log.addAll(List.of(header01, header23, atPs)));
    port.upstreamFaults().inject(TlpFault.POISONED, 0);

    dma.write(HIGH + 4, pattern, 0, 8, 0);

    // 4 DW, EP, 2 DW; requester 01:00.0; all bytes. MWr 32 B: 4_062.
    assertThat(log).containsExactly(0x6000_4002_0100_00FFL, HIGH + 4, 4_062L);
  }

  @Test
  void shouldTurnABitOfAWriteThatHasNoDigest() {
    port.upstreamFaults().inject(TlpFault.CORRUPTED, 0);

    dma.write(HIGH + 16, pattern, 0, 64, 0);

    assertThat(dma.status()).isEqualTo(DmaStatus.OK);
    assertThat(bitsThatDiffer(fabric.bytes(HIGH + 16, 64), pattern)).isEqualTo(1);
    assertThat(fabric.bytes(HIGH, 16)).containsOnly(0);
    assertThat(fabric.bytes(HIGH + 80, 16)).containsOnly(0);
  }

  @Test
  void shouldDetectAWrongBitByTheDigest() {
    DmaPort checked = fabric.plug(GEN3_X8.withEcrc(true)).dma();
    fabric.port(1).upstreamFaults().inject(TlpFault.CORRUPTED, 0);
    fabric.port(1).downstreamFaults().inject(TlpFault.CORRUPTED, 0);

    checked.write(HIGH, pattern, 0, 64, 0);
    assertThat(checked.status()).isEqualTo(DmaStatus.ECRC_ERROR);
    assertThat(fabric.port(1).errors().total(PcieError.ECRC)).isEqualTo(1);
    assertThat(fabric.memory.residentPagesCount()).isZero();

    checked.read(HIGH, destination, 0, 64, 0);
    assertThat(checked.status()).isEqualTo(DmaStatus.COMPLETION_TIMEOUT);
    assertThat(fabric.port(1).deviceErrors().total(PcieError.ECRC)).isEqualTo(1);

    fabric.port(1).upstreamFaults().inject(TlpFault.CORRUPTED, 0);
    checked.read(HIGH, destination, 0, 64, 0);
    assertThat(checked.status()).isEqualTo(DmaStatus.COMPLETION_TIMEOUT);
    assertThat(fabric.port(1).errors().total(PcieError.ECRC)).isEqualTo(2);
  }

  @Test
  void shouldDropAMessage() {
    port.upstreamFaults().inject(TlpFault.MALFORMED, 0);

    dma.sendMessage(0xFEE0_0000L, 0x21, 0);

    assertThat(fabric.messages).isEmpty();
    assertThat(dma.status()).isEqualTo(DmaStatus.MALFORMED_TLP);
  }

  // Reads.

  @ParameterizedTest
  @EnumSource(names = {"CORRUPTED", "MALFORMED", "LOST"})
  void shouldTimeOutWhenTheRequestComesToNothing(TlpFault fault) {
    fabric.memory.copyIn(HIGH, pattern, 0, 1024);
    port.upstreamFaults().inject(fault, 0);

    long donePs = dma.read(HIGH, destination, 0, 512, 1_000);

    // MRd 24 B 3_046.
    assertThat(donePs).isEqualTo(1_000 + 3_046 + TIMEOUT_PS);
    assertThat(dma.status()).isEqualTo(DmaStatus.COMPLETION_TIMEOUT);
    assertThat(Arrays.copyOf(destination, 512)).containsOnly(-1);
    assertThat(Arrays.copyOfRange(destination, 512, 1024)).containsOnly(0);
    assertThat(port.deviceErrors().total(PcieError.COMPLETION_TIMEOUT)).isEqualTo(1);
    assertThat(port.errors().total(PcieError.MALFORMED_TLP))
        .isEqualTo(fault == TlpFault.MALFORMED ? 1 : 0);
    assertThat(port.errors().total(PcieError.ECRC)).isZero(); // There is none to be wrong.
    assertThat(port.downstream().bytesTotal()).isZero();
  }

  @ParameterizedTest
  @EnumSource(names = {"MALFORMED", "LOST"})
  void shouldTimeOutWhenACompletionIsMissing(TlpFault fault) {
    fabric.memory.copyIn(HIGH, pattern, 0, 1024);
    port.downstreamFaults().inject(fault, 2);

    // Two requests with two completions each; the third completion is missing.
    long donePs = dma.read(HIGH, destination, 0, 1024, 0);

    assertThat(donePs).isEqualTo(6_093 + TIMEOUT_PS);
    assertThat(dma.status()).isEqualTo(DmaStatus.COMPLETION_TIMEOUT);
    assertThat(Arrays.copyOf(destination, 512)).isEqualTo(Arrays.copyOf(pattern, 512));
    assertThat(Arrays.copyOfRange(destination, 512, 1024)).containsOnly(-1);
    assertThat(port.deviceErrors().total(PcieError.MALFORMED_TLP))
        .isEqualTo(fault == TlpFault.MALFORMED ? 1 : 0);
  }

  @Test
  void shouldNotUsePoisonedData() {
    fabric.memory.copyIn(HIGH, pattern, 0, 1024);
    port.downstreamFaults().inject(TlpFault.POISONED, 1);
    List<Boolean> poisoned = new ArrayList<>();
    port.listen(
        (header01, header23, sentPs, effectivePs) -> poisoned.add(TlpHeader.isPoisoned(header01)));

    long donePs = dma.read(HIGH, destination, 0, 512, 0);

    assertThat(donePs).isLessThan(200_000);
    assertThat(dma.status()).isEqualTo(DmaStatus.POISONED);
    assertThat(Arrays.copyOf(destination, 256)).isEqualTo(Arrays.copyOf(pattern, 256));
    assertThat(Arrays.copyOfRange(destination, 256, 512)).containsOnly(-1);
    assertThat(port.deviceErrors().total(PcieError.POISONED_TLP)).isEqualTo(1);
    assertThat(poisoned).containsExactly(false, false, true);
  }

  @Test
  void shouldReadAWrongBitWithoutADigest() {
    fabric.memory.copyIn(HIGH, pattern, 0, 1024);
    port.downstreamFaults().inject(TlpFault.CORRUPTED, 0);

    dma.read(HIGH, destination, 0, 64, 0);

    assertThat(dma.status()).isEqualTo(DmaStatus.OK);
    assertThat(bitsThatDiffer(Arrays.copyOf(destination, 64), pattern)).isEqualTo(1);
    assertThat(fabric.bytes(HIGH, 64)).isEqualTo(Arrays.copyOf(pattern, 64));
  }

  @Test
  void shouldTimeOutWhenARefusalIsLost() {
    port.downstreamFaults().inject(TlpFault.LOST, 0);

    dma.read(15L << 30, destination, 0, 64, 0);

    // Both: it was refused, and the device never learned.
    assertThat(port.errors().total(PcieError.UNSUPPORTED_REQUEST)).isEqualTo(1);
    assertThat(port.deviceErrors().total(PcieError.COMPLETION_TIMEOUT)).isEqualTo(1);
    assertThat(destination).startsWith(-1, -1);
  }

  @Test
  void shouldGiveUpAnAnswerThatIsTooLate() {
    fabric.memory.copyIn(HIGH, pattern, 0, 1024);
    fabric.caches.deviceReadPs = TIMEOUT_PS;

    long donePs = dma.read(HIGH, destination, 0, 64, 0);

    assertThat(donePs).isEqualTo(3_046 + TIMEOUT_PS);
    assertThat(dma.status()).isEqualTo(DmaStatus.COMPLETION_TIMEOUT);
    assertThat(Arrays.copyOf(destination, 64)).containsOnly(-1);
    assertThat(port.deviceErrors().total(PcieError.COMPLETION_TIMEOUT)).isEqualTo(1);
    assertThat(port.deviceErrors().total(PcieError.UNEXPECTED_COMPLETION)).isEqualTo(1);

    fabric.caches.deviceReadPs = TIMEOUT_PS - 1_000_000;
    dma.read(HIGH, destination, 0, 64, donePs);
    assertThat(dma.status()).isEqualTo(DmaStatus.OK);
  }

  @Test
  void shouldWaitAsLongAsSoftwareSays() {
    port.upstreamFaults().inject(TlpFault.LOST, 0);
    // Range A, 50 us to 100 us.
    endpoint
        .configSpace()
        .write(0xA0 + ConfigLayout.DEVICE_CONTROL_2, 2, CompletionTimeout.A_SHORT.code());

    assertThat(dma.read(HIGH, destination, 0, 64, 0)).isEqualTo(3_046 + 100_000_000);
    assertThat(dma.tagFreePs()).isZero();
  }

  @Test
  void shouldHoldTheTagUntilTheTimeout() {
    RequesterConfig requester = RequesterConfig.DEFAULT.withCompletionTimeoutPs(60_000_000);
    DmaPort one = fabric.plug(GEN3_X8.withTags(1).withRequester(requester)).dma();
    fabric.port(1).upstreamFaults().inject(TlpFault.LOST, 0);

    assertThat(one.read(HIGH, destination, 0, 64, 0)).isEqualTo(60_003_046);
    assertThat(one.tagFreePs()).isEqualTo(60_003_046);
  }

  @Test
  void shouldCountRefusalsAtTheRootPort() {
    dma.read(15L << 30, destination, 0, 64, 0);
    dma.write(15L << 30, pattern, 0, 64, 0);

    assertThat(port.errors().total(PcieError.UNSUPPORTED_REQUEST)).isEqualTo(2);
    assertThat(port.errors().total(PcieError.COMPLETER_ABORT)).isZero();
  }

  // Everything at once.

  @Test
  void shouldSurviveAnythingAndHarmNobody() {
    // 10_000 lives: 25 links on each of 400 machines.
    for (long seed = 1; seed <= 400; seed++) {
      drive(seed);
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 77, 5_000})
  void shouldEndTheSameWayWithTheSameSeed(long seed) {
    List<String> outcomes = drive(seed);

    assertThat(drive(seed)).isEqualTo(outcomes);
    assertThat(outcomes).doesNotHaveDuplicates().doesNotContainAnyElementsOf(drive(seed + 1));
  }

  private static List<String> drive(long seed) {
    TestFabric machine = new TestFabric(seed);
    SplittableRandom random = new SplittableRandom(seed);
    List<String> outcomes = new ArrayList<>();
    for (int i = 0; i < 25; i++) {
      outcomes.add(new Run(seed, machine, random).drive());
    }
    return outcomes;
  }

  /** A short life of a device on a bad link. */
  private static final class Run {
    private static final int BUFFER_BYTES = 4096;
    private static final long BUFFER = HIGH + 64;

    private final long seed;
    private final SplittableRandom random;
    private final TestFabric fabric;
    private final DmaPort dma;
    private final byte[] bytes = new byte[BUFFER_BYTES];
    private final StringBuilder outcome = new StringBuilder();

    Run(long seed, TestFabric fabric, SplittableRandom random) {
      this.seed = seed;
      this.fabric = fabric;
      this.random = random;
      LinkFaultConfig faults =
          new LinkFaultConfig(
              random.nextInt(3) * 5e-6,
              random.nextInt(2) * 0.05,
              random.nextInt(2) * 0.05,
              random.nextInt(2) * 0.05,
              random.nextInt(2) * 0.05,
              1_000_000);
      dma =
          fabric
              .plug(
                  PcieLinkConfig.GEN3_X8
                      .withEcrc(random.nextBoolean())
                      .withFaults(faults)
                      .withRequester(RequesterConfig.DEFAULT.withCompletionTimeoutPs(50_000_000)))
              .dma();
      fabric.memory.copyIn(BUFFER, bytes, 0, BUFFER_BYTES);
    }

    String drive() {
      long atPs = fabric.simulation.nowPs();
      for (int i = 0; i < 8; i++) {
        int offset = random.nextInt(BUFFER_BYTES);
        int lengthBytes = 1 + random.nextInt(BUFFER_BYTES - offset);
        int attributes = random.nextInt(4);
        random.nextBytes(bytes);
        long donePs =
            switch (random.nextInt(5)) {
              case 0, 1 -> dma.read(BUFFER + offset, bytes, offset, lengthBytes, atPs, attributes);
              case 2 -> dma.write(BUFFER + offset, bytes, offset, lengthBytes, atPs, attributes);
              case 3 -> dma.writeStatus(BUFFER + offset, bytes, offset, lengthBytes, atPs);
              default -> dma.read(15L << 30, bytes, offset, lengthBytes, atPs);
            };
        assertThat(donePs).as("seed=%d", seed).isBetween(atPs, atPs + 1_000_000_000L);
        assertThat(dma.status()).as("seed=%d", seed).isNotNull();
        outcome.append(dma.status()).append(donePs).append(Arrays.hashCode(bytes));
        atPs = Math.max(donePs, dma.tagFreePs());
        fabric.simulation.runUntil(atPs);
      }
      fabric.simulation.run();
      assertOnlyTheBufferHasChanged();
      return outcome.toString();
    }

    private void assertOnlyTheBufferHasChanged() {
      assertThat(fabric.memory.residentPagesCount()).as("seed=%d", seed).isEqualTo(1);
      byte[] around = new byte[64];
      assertThat(fabric.bytes(HIGH, 64)).as("seed=%d", seed).isEqualTo(around);
      assertThat(fabric.bytes(BUFFER + BUFFER_BYTES, 64)).as("seed=%d", seed).isEqualTo(around);
      outcome.append(Arrays.hashCode(fabric.bytes(BUFFER, BUFFER_BYTES)));
    }
  }

  private static int bitsThatDiffer(byte[] actual, byte[] expected) {
    int bits = 0;
    for (int i = 0; i < actual.length; i++) {
      bits += Integer.bitCount((actual[i] ^ expected[i]) & 0xff);
    }
    return bits;
  }
}
