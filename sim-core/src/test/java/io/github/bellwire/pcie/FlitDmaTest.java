package io.github.bellwire.pcie;

import static io.github.bellwire.pcie.TestFabric.HIGH;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Accesses on a Gen 6 x16 link: FLITs of 2 ns, 236 bytes of TLPs in each: 8.474 ps per byte. */
class FlitDmaTest {
  private static final PcieLinkConfig GEN6_X16 =
      PcieLinkConfig.GEN6_X16.withMaxPayloadBytes(256).withPropagationPs(0);

  private final TestFabric fabric = new TestFabric();
  private final RecordingEndpoint endpoint = fabric.plug(GEN6_X16);
  private final DmaPort dma = endpoint.dma();
  private final LinkDirection upstream = fabric.port(0).upstream();
  private final LinkDirection downstream = fabric.port(0).downstream();
  private final byte[] buffer = new byte[4096];

  @Test
  void shouldUseEveryTlpWhenItsFlitHasArrived() {
    // MWr 272 B 2_305 ps: in the second FLIT.
    assertThat(dma.write(HIGH, buffer, 0, 256, 0)).isEqualTo(4_000);
    assertThat(dma.sentPs()).isEqualTo(2_305);
    // MRd 16 B 135 ps: FLIT ends at 12_000. CplD 76 B 644 ps: at 14_000.
    assertThat(dma.read(HIGH, buffer, 0, 64, 10_000)).isEqualTo(14_000);
  }

  @Test
  void shouldNotLoseTimeBetweenFlits() {
    // Ten MWr of 272 B: 23_050 ps, in the twelfth FLIT.
    assertThat(dma.write(HIGH, buffer, 0, 2560, 0)).isEqualTo(24_000);
    assertThat(dma.sentPs()).isEqualTo(23_050);
  }

  @ParameterizedTest
  @CsvSource({
    // offset, length, bytes up and down: headers of 16 and 12 B, whole double words, no framing.
    "0, 64, 80, 16, 76",
    // 4 B more where byte enables are not all ones, or a completion starts inside a double word.
    "1, 64, 88, 20, 84",
    "0, 63, 84, 20, 76"
  })
  void shouldHaveNoFramingButCarryByteEnables(
      int offset, int lengthBytes, int writeUp, int readUp, int readDown) {
    dma.write(HIGH + offset, buffer, 0, lengthBytes, 0);
    assertThat(upstream.bytesTotal()).isEqualTo(writeUp);

    dma.read(HIGH + offset, buffer, 0, lengthBytes, 0);
    assertThat(upstream.bytesTotal()).isEqualTo(writeUp + readUp);
    assertThat(downstream.bytesTotal()).isEqualTo(readDown);
  }

  @Test
  void shouldCarryRegisterAccessesInFlitsToo() {
    MmioResult result = new MmioResult();

    fabric.rootComplex.mmioWrite(TestFabric.BAR, 4, 7, 0);
    fabric.rootComplex.mmioRead(TestFabric.BAR, 4, 10_000, result);

    // MWr 20 B: FLIT ends at 2_000. MRd 16 B at 12_000, CplD 16 B at 14_000.
    assertThat(endpoint.writes())
        .extracting(RecordingEndpoint.Access::atPs)
        .containsExactly(2_000L);
    assertThat(result.donePs()).isEqualTo(14_000);
    assertThat(downstream.bytesTotal()).isEqualTo(20 + 16);
  }

  @Test
  void shouldWaitForAFlitAtEveryLink() {
    TestFabric tree = new TestFabric();
    SwitchConfig config = SwitchConfig.PEX89048.withForwardPs(100_000).withUpstreamLink(GEN6_X16);
    MemoryEndpoint device = new MemoryEndpoint();
    tree.rootComplex.attach(config).attach(device, GEN6_X16);
    new BusEnumerator(EnumerationConfig.XEON.withMaxPayloadBytes(256)).enumerate(tree.rootComplex);
    device.enableBusMaster();

    // MWr 272 B: FLIT ends at 4_000; 100 ns; then at 108_000.
    assertThat(device.dma().write(HIGH, buffer, 0, 256, 0)).isEqualTo(108_000);
    // MRd 16 B: 1_002_000, 1_104_000. CplD 76 B: 1_106_000, 1_208_000.
    assertThat(device.dma().read(HIGH, buffer, 0, 64, 1_000_000)).isEqualTo(1_208_000);
  }
}
