package io.github.bellwire.device.probe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;

import io.github.bellwire.host.HostConfig;
import io.github.bellwire.pcie.DmaPort;
import io.github.bellwire.pcie.DmaStatus;
import io.github.bellwire.pcie.PcieLinkConfig;
import io.github.bellwire.pcie.TlpHeader;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** How long an operation keeps an engine. MPS is 256 bytes, MRRS 512. */
class ProbeEnginesTest {
  private static final long BASE = 1L << 32;

  private final ProbeBench bench = new ProbeBench(HostConfig.IDEAL, ProbeConfig.NFP6000);

  @ParameterizedTest
  @CsvSource({
    // 1e12 / 67e6 between two starts.
    "0, 16, 14925",
    "0, 64, 14925",
    // 152 ps per byte and 4 ns per piece: 128 * 152 + 4,000; 256 * 152 + 4,000.
    "0, 128, 23456",
    "0, 256, 42912",
    // A start inside a line: one more double word, one more piece.
    "1, 64, 18336",
    "4, 128, 27456",
    "1, 256, 47520",
    // No whole double words: 23.7 ns at least; 256 * 152 + 4,000.
    "0, 63, 23700",
    "0, 255, 42912",
    // Not short.
    "0, 260, 14925",
    "0, 2048, 14925"
  })
  void shouldOccupyTheReadEngine(int offset, int sizeBytes, long occupiedPs) {
    ReadPace pace = new ReadPace(ProbeConfig.NFP6000.reads(), bench.probe().configSpace());

    assertThat(pace.occupiedPs(BASE + offset, sizeBytes)).isEqualTo(occupiedPs);
  }

  @ParameterizedTest
  @CsvSource({
    // 1e12 / 47.4e6 between two starts.
    "0, 16, 21097",
    "0, 64, 21097",
    // 7.8 ns + 128 * 128 ps.
    "0, 128, 24184",
    // A full burst of 128 * 128 ps, then one that takes the time between two starts.
    "0, 129, 37481",
    "0, 192, 37481",
    // 7.8 ns + 256 * 128 ps.
    "0, 256, 40568",
    "0, 257, 53865",
    // Not across a multiple of MPS: one more double word.
    "1, 128, 24696",
    // 32 double words whose burst goes to two TLPs: 7.8 ns + 128 * 128 ps + 4 ns.
    "192, 128, 28184",
    // 65 double words: 7.8 ns + 260 * 128 ps + 4 ns.
    "1, 256, 45080",
    // TLPs end between bursts: 7.8 ns + 384 * 128 ps.
    "128, 384, 56952"
  })
  void shouldOccupyTheWriteEngine(int offset, int sizeBytes, long occupiedPs) {
    WritePace pace = new WritePace(ProbeConfig.NFP6000.writes(), bench.probe().configSpace());

    assertThat(pace.occupiedPs(BASE + offset, sizeBytes)).isEqualTo(occupiedPs);
  }

  @ParameterizedTest
  @CsvSource({
    // Rates of the engines on a host that limits nothing else.
    "READ, 64, 67.0",
    "READ, 128, 42.633", // 1e12 / 23,456
    "WRITE, 64, 47.4",
    "WRITE, 256, 24.650", // 1e12 / 40,568
    "READWRITE, 64, 45.0"
  })
  void shouldKeepToTheRatesOfTheEngines(
      ProbeOperation operation, int sizeBytes, double megaoperations) {
    ProbeConfig config = ProbeConfig.NFP6000.withTags(256);
    ProbeBench many = new ProbeBench(HostConfig.IDEAL, config);

    ProbeMeter meter = many.measure(operation, many.window(sizeBytes), 100, 10_000);

    assertThat(meter.operationsPerSecond(meter.elapsedPs()) / 1e6)
        .isCloseTo(megaoperations, withinPercentage(0.01));
  }

  @Test
  void shouldSendWritesThatEndAtMultiplesOfMps() {
    ProbeWindow window = new ProbeWindow(bench.window(64).iova(), 1 << 20, 1024, 192, 600, false);

    bench.measure(ProbeOperation.WRITE, window, 1, 9);

    // Bytes 192 to 792 of every KiB: pieces up to 256, 512, 768 and 792.
    assertThat(bench.port().upstream().memoryWritesTotal()).isEqualTo(40);
    // Each has a header of 24 bytes with its framing.
    assertThat(bench.port().upstream().bytesTotal()).isEqualTo(10 * (600 + 4 * 24));
  }

  @ParameterizedTest
  @CsvSource({
    // Start, length, bytes of the request: up to a multiple of MRRS, 512, or the end of the read.
    "0, 256, 256",
    "0, 512, 512",
    "0, 513, 512",
    "320, 257, 192",
    "511, 2, 1",
    "512, 1024, 512"
  })
  void shouldEndRequestsAtMultiplesOfMrrs(long address, int lengthBytes, int requestBytes) {
    ProbeConfig.Reads reads = ProbeConfig.NFP6000.reads();

    assertThat(reads.requestBytes(BASE + address, lengthBytes, 512)).isEqualTo(requestBytes);
    // The analytic model counts MRRS from the start of the read.
    assertThat(ProbeConfig.IDEAL.reads().requestBytes(BASE + address, lengthBytes, 512))
        .isEqualTo(Math.min(lengthBytes, 512));
  }

  @ParameterizedTest
  @CsvSource({
    // Bytes 320 to 576 of every KiB: two requests; 256 to 512: one.
    "320, 20",
    "256, 10"
  })
  void shouldSendARequestPerPieceOfARead(int startBytes, long requests) {
    ProbeWindow window =
        new ProbeWindow(bench.window(64).iova(), 1 << 20, 1024, startBytes, 256, false);

    bench.measure(ProbeOperation.READ, window, 1, 9);

    assertThat(bench.port().upstream().memoryReadsTotal()).isEqualTo(requests);
  }

  @Test
  void shouldSendTheNextRequestOfAReadLater() {
    // One byte, then 256 bytes that are asked for 52 ns later.
    long split = latencyPs(511, 257);
    // 256 bytes and one in one request: a header and a double word more behind the 256.
    long whole = latencyPs(512, 257);

    // 24 bytes at 57.885 Gb/s are 3,317 ps.
    assertThat(split - whole).isEqualTo(52_000 - 3_317);
  }

  private long latencyPs(int startBytes, int sizeBytes) {
    ProbeConfig.Firmware firmware = ProbeConfig.NFP6000.firmware().withTimestampPs(1);
    ProbeBench fine = new ProbeBench(HostConfig.IDEAL, ProbeConfig.NFP6000.withFirmware(firmware));
    ProbeWindow window =
        new ProbeWindow(fine.window(64).iova(), 1 << 20, 1024, startBytes, sizeBytes, false);
    return fine.measure(ProbeOperation.LAT_READ, window, 1, 9).latency().minPs();
  }

  @Test
  void shouldHoldATagPerRequest() {
    // MRRS is 512: four requests, but two tags.
    ProbeConfig config = ProbeConfig.IDEAL.withTags(2);
    HostConfig host = HostConfig.GEN4_SERVER;
    ProbeBench few = new ProbeBench(host, config);

    ProbeMeter meter = few.measure(ProbeOperation.READ, few.window(2048), 1, 1);

    // Two round trips one behind the other; one alone takes well above 400 ns.
    assertThat(meter.latency().minPs()).isGreaterThan(800_000);
    assertThat(few.port().upstream().memoryReadsTotal()).isEqualTo(8);
  }

  @ParameterizedTest
  @CsvSource({"true, 2", "false, 0"})
  void shouldRelaxItsRequestsWhereSoftwareLetsIt(boolean isAllowed, int attributes) {
    PcieLinkConfig slot = HostConfig.GEN4_SERVER.link();
    slot = slot.withRequester(slot.requester().withRelaxedOrdering(isAllowed));
    ProbeBench relaxed = new ProbeBench(HostConfig.GEN4_SERVER.withLink(slot), ProbeConfig.NFP6000);
    List<Integer> seen = new ArrayList<>();
    relaxed
        .port()
        .listen(
            (header01, header23, sentPs, effectivePs) -> seen.add(TlpHeader.attributes(header01)));

    relaxed.measure(ProbeOperation.READWRITE, relaxed.window(64), 1, 9);

    // A write, a request and its completion each, all with the attributes of the request.
    assertThat(seen).hasSize(30).containsOnly(attributes);
  }

  @Test
  void shouldBeDoneWhenTheLastPieceIsVisibleWhicheverThatIs() {
    LaterFirst port = new LaterFirst();
    WriteEngine writes =
        new WriteEngine(port, bench.probe().configSpace(), new byte[ProbeWindow.SIZE_MAX_BYTES]);

    writes.begin(BASE, 768);
    writes.issue(0);
    assertThat(writes.committedPs()).isEqualTo(900);
    // What came before is over.
    writes.begin(BASE, 64);
    writes.issue(0);
    assertThat(writes.committedPs()).isEqualTo(600);
  }

  /** A port whose writes become visible one before the other. */
  private static final class LaterFirst implements DmaPort {
    private long visiblePs = 1_000;

    @Override
    public long write(
        long iova, byte[] source, int offset, int lengthBytes, long atPs, int attributes) {
      visiblePs -= 100;
      return visiblePs;
    }

    @Override
    public long read(
        long iova, byte[] destination, int offset, int lengthBytes, long atPs, int attributes) {
      throw new UnsupportedOperationException();
    }

    @Override
    public long writeStatus(long iova, byte[] source, int offset, int lengthBytes, long atPs) {
      throw new UnsupportedOperationException();
    }

    @Override
    public long sendMessage(long address, int data, long atPs) {
      throw new UnsupportedOperationException();
    }

    @Override
    public DmaStatus status() {
      return DmaStatus.OK;
    }

    @Override
    public long sentPs() {
      return 0;
    }

    @Override
    public long readTicket() {
      return 0;
    }

    @Override
    public long arrivalPs(long ticket) {
      return 0;
    }

    @Override
    public long tagFreePs() {
      return 0;
    }

    @Override
    public long horizonPs() {
      return 0;
    }
  }
}
