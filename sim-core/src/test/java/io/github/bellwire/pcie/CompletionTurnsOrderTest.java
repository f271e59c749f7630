package io.github.bellwire.pcie;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.bellwire.pcie.RootComplexConfig.PeerToPeer;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What turns of completions may not change: order, what a link carries, and when data is there. */
class CompletionTurnsOrderTest {
  private static final PcieLinkConfig IN_TURN = PcieLinkConfig.GEN3_X8.withCompletionTurnBytes(128);
  private static final long PS_PER_BYTE = 126; // 8 lanes of 8 GT/s, rounded down

  private final byte[] data = new byte[1 << 20];

  @Test
  void shouldKeepRegisterWritesInOrderWhileReadsTakeTurns() {
    TestFabric fabric = new TestFabric();
    RecordingEndpoint endpoint = fabric.plug(IN_TURN);
    List<Long> written = new ArrayList<>();
    long nowPs = 0;
    for (int round = 0; round < 200; round++) {
      endpoint.dma().read(0, data, 0, 512, nowPs);
      endpoint.dma().read(0, data, 0, 100, nowPs);
      for (int i = 0; i < 3; i++) {
        fabric.rootComplex.mmioWrite(TestFabric.BAR, 4, written.size(), nowPs);
        written.add((long) written.size());
      }
      nowPs += 70_000;
      fabric.simulation.runUntil(nowPs);
    }
    fabric.simulation.runUntil(nowPs + 100_000_000);

    assertThat(endpoint.writes().stream().map(RecordingEndpoint.Access::value).toList())
        .isEqualTo(written);
  }

  @Test
  void shouldNotLetAnAnswerPassARegisterWriteThatWasReadyBefore() {
    TestFabric fabric = new TestFabric();
    RecordingEndpoint endpoint = fabric.plug(IN_TURN);
    long[] reads = new long[8];
    for (int i = 0; i < reads.length; i++) {
      endpoint.dma().read(0, data, 0, 512, 0);
      reads[i] = endpoint.dma().readTicket();
    }
    // Ready behind those and before this one, which is the next in turn.
    long atPs = 1_000;
    for (int i = 0; i < 4; i++) {
      fabric.rootComplex.mmioWrite(TestFabric.BAR, 4, i, atPs);
    }
    endpoint.dma().read(0, data, 0, 64, atPs);
    long lastRead = endpoint.dma().readTicket();

    fabric.simulation.runUntil(100_000_000);

    long lastWritePs =
        endpoint.writes().stream().mapToLong(RecordingEndpoint.Access::atPs).max().orElseThrow();
    assertThat(endpoint.dma().arrivalPs(lastRead)).isGreaterThan(lastWritePs);
    assertThat(LongStream.of(reads).map(endpoint.dma()::arrivalPs).max().orElseThrow())
        .isGreaterThan(lastWritePs);
  }

  @ParameterizedTest
  @EnumSource(CompletionCut.class)
  void shouldNotCarryMoreThanTheLinkDoesHoweverAnswersAreCut(CompletionCut cut) {
    TestFabric fabric = new TestFabric();
    PcieLinkConfig link =
        IN_TURN
            .withCompletionCut(cut)
            .withMaxPayloadBytes(4096)
            .withMaxReadRequestBytes(4096)
            .withTags(32);
    RecordingEndpoint endpoint = fabric.plug(link);
    // One call: 2048 requests, more than are remembered, each behind a tag.
    endpoint.dma().read(0, data, 0, data.length, 0);
    endpoint.dma().read(0, data, 0, data.length, 0);
    long ticket = endpoint.dma().readTicket();
    fabric.simulation.runUntil(1_000_000_000);

    long bytes = fabric.port(0).downstream().bytesTotal();
    assertThat(fabric.port(0).downstream().completionsWithDataTotal()).isGreaterThanOrEqualTo(512);
    assertThat(endpoint.dma().arrivalPs(ticket)).isGreaterThan(bytes * PS_PER_BYTE);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 3})
  void shouldSendAnswersOfAPeerAsTheyCome(int offset) {
    // The peer's link has one lane: its completions of 128 B come one after the other.
    assertThat(peerReadPs(IN_TURN, offset)).isEqualTo(peerReadPs(PcieLinkConfig.GEN3_X8, offset));
  }

  private long peerReadPs(PcieLinkConfig link, int offset) {
    RootComplexConfig config =
        new RootComplexConfig(100_000, 50_000).withPeerToPeer(PeerToPeer.FORWARDED);
    TestFabric fabric = new TestFabric(config, Translation.IDENTITY);
    MemoryEndpoint reader = new MemoryEndpoint();
    MemoryEndpoint peer = new MemoryEndpoint();
    fabric.rootComplex.attach(reader, link);
    fabric.rootComplex.attach(peer, PcieLinkConfig.GEN3_X8.withLanes(1).withMaxPayloadBytes(128));
    new BusEnumerator(EnumerationConfig.XEON).enumerate(fabric.rootComplex);
    reader.enableBusMaster();
    peer.enableBusMaster();
    return reader.dma().read(peer.barAddress() + offset, data, 0, 500, 0);
  }

  @Test
  void shouldSendAnswersAsTheyComeThroughASwitch() {
    assertThat(readBelowSwitchPs(IN_TURN)).isEqualTo(readBelowSwitchPs(PcieLinkConfig.GEN3_X8));
  }

  private long readBelowSwitchPs(PcieLinkConfig link) {
    TestFabric fabric = new TestFabric();
    Switch packetSwitch =
        fabric.rootComplex.attach(
            SwitchConfig.PEX89048.withUpstreamLink(PcieLinkConfig.GEN3_X8.withLanes(1)));
    MemoryEndpoint endpoint = new MemoryEndpoint();
    packetSwitch.attach(endpoint, link);
    new BusEnumerator(EnumerationConfig.XEON).enumerate(fabric.rootComplex);
    endpoint.enableBusMaster();
    return endpoint.dma().read(0, data, 0, 512, 0);
  }
}
