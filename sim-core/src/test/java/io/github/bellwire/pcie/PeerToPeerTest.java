package io.github.bellwire.pcie;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.bellwire.pcie.PcieLinkConfig.DllpCharge;
import io.github.bellwire.pcie.RootComplexConfig.PeerToPeer;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Requests from device to device, directly through a switch or by way of the root complex, and what
 * access control services do with them. Links and switch as in {@link SwitchTest}; the root complex
 * takes 100 ns up and 50 ns down and translates by adding an offset. BARs lie above 4 GiB, so MWr
 * and MRd take 24 B.
 */
class PeerToPeerTest {
  private static final int ACS = 0x148; // behind the error reporting structure
  private static final long FORWARD_PS = 115_000;
  private static final long LINK_PS = 60_000;
  private static final long UP_PS = 100_000;
  private static final long DOWN_PS = 50_000;
  private static final PcieLinkConfig GEN3_X8 =
      PcieLinkConfig.GEN3_X8.withDllpCharge(DllpCharge.NONE);
  private static final SwitchConfig SWITCH =
      SwitchConfig.PEX89048.withUpstreamLink(GEN3_X8.withPropagationPs(0));

  private final AddingTranslation translation = new AddingTranslation();
  private final TestFabric fabric =
      new TestFabric(
          new RootComplexConfig(UP_PS, DOWN_PS).withPeerToPeer(PeerToPeer.FORWARDED), translation);
  private final RootComplex rootComplex = fabric.rootComplex;
  private final Switch packetSwitch = rootComplex.attach(SWITCH);
  private final MemoryEndpoint first = new MemoryEndpoint();
  private final MemoryEndpoint second = new MemoryEndpoint();
  private final MemoryEndpoint elsewhere = new MemoryEndpoint();
  private final DmaPort dma;
  private final byte[] data = new byte[64];

  /** Counts what it is asked, adds an offset and may trust translated addresses. */
  private static final class AddingTranslation implements Translation {
    long offset;
    long translationsTotal;
    boolean trusts;

    @Override
    public void translate(TranslationRequest request, TranslationResult result) {
      if (request.addressType() == AddressType.UNTRANSLATED) {
        translationsTotal++;
        result.translated(request.iova() + offset, request.atPs());
      } else if (trusts) {
        result.translated(request.iova(), request.atPs());
      } else {
        result.refused(DmaStatus.UNSUPPORTED_REQUEST, request.atPs());
      }
    }
  }

  PeerToPeerTest() {
    packetSwitch.attach(first, GEN3_X8);
    packetSwitch.attach(second, GEN3_X8);
    rootComplex.attach(elsewhere, GEN3_X8);
    new BusEnumerator(EnumerationConfig.XEON).enumerate(rootComplex);
    first.enableBusMaster();
    second.enableBusMaster();
    elsewhere.enableBusMaster();
    dma = first.dma();
    for (int i = 0; i < data.length; i++) {
      data[i] = (byte) (i + 1);
    }
  }

  private void acs(int port, int services) {
    ConfigSpace config = packetSwitch.ports().get(port).configSpace();
    int offset = config.findCapability(ExtendedCapabilityId.ACCESS_CONTROL_SERVICES);
    config.write(offset + AcsLayout.CONTROL, 2, services);
  }

  private void egressVector(int port, int vector) {
    ConfigSpace config = packetSwitch.ports().get(port).configSpace();
    int offset = config.findCapability(ExtendedCapabilityId.ACCESS_CONTROL_SERVICES);
    config.write(offset + AcsLayout.EGRESS_CONTROL_VECTOR, 4, vector);
  }

  private long acsViolations(int port) {
    return packetSwitch.ports().get(port).errors().total(PcieError.ACS_VIOLATION);
  }

  private static long wirePs(int bytes) {
    return bytes * 126_953_125L / 1_000_000;
  }

  private byte[] received(MemoryEndpoint endpoint) {
    fabric.simulation.run();
    return Arrays.copyOf(endpoint.memory(), data.length);
  }

  /** MWr 88 B: device, shared link up, shared link down, peer. */
  private static long redirectedWritePs() {
    return 4 * wirePs(88) + 2 * LINK_PS + 2 * FORWARD_PS + UP_PS + DOWN_PS;
  }

  /** MWr 88 B: device, peer. */
  private static long directWritePs() {
    return 2 * wirePs(88) + 2 * LINK_PS + FORWARD_PS;
  }

  // Directly.

  @Test
  void shouldTurnAtTheSwitch() {
    long donePs = dma.write(second.barAddress(), data, 0, 64, 0);

    assertThat(dma.status()).isEqualTo(DmaStatus.OK);
    assertThat(donePs).isEqualTo(directWritePs());
    assertThat(received(second)).isEqualTo(data);
    assertThat(second.lastWritePs()).isEqualTo(donePs);
    assertThat(packetSwitch.above().upstream().bytesTotal()).isZero();
    assertThat(translation.translationsTotal).isZero();
  }

  @Test
  void shouldDeliverNothingBeforeItArrives() {
    long donePs = dma.write(second.barAddress(), data, 0, 64, 0);

    fabric.simulation.runUntil(donePs - 1);
    assertThat(second.memory()[0]).isZero();
    fabric.simulation.runUntil(donePs);
    assertThat(second.memory()[0]).isEqualTo((byte) 1);
  }

  @Test
  void shouldReadWhatThePeerHoldsWhenTheRequestArrives() {
    byte[] seen = new byte[64];
    Arrays.fill(second.memory(), (byte) 9);
    long donePs = dma.read(second.barAddress(), seen, 0, 64, 0);
    // Changed after the request was issued, before it arrives.
    System.arraycopy(data, 0, second.memory(), 0, 64);
    fabric.simulation.run();

    assertThat(seen).isEqualTo(data);
    // MRd 24 B and CplD 84 B on two links each.
    assertThat(second.lastReadPs()).isEqualTo(2 * wirePs(24) + 2 * LINK_PS + FORWARD_PS);
    assertThat(donePs).isEqualTo(2 * wirePs(24) + 2 * wirePs(84) + 4 * LINK_PS + 2 * FORWARD_PS);
    assertThat(packetSwitch.above().downstream().bytesTotal()).isZero();
  }

  @Test
  void shouldPushAWriteAheadOfARead() {
    byte[] seen = new byte[64];
    dma.write(second.barAddress(), data, 0, 64, 0);
    dma.read(second.barAddress(), seen, 0, 64, 0);
    fabric.simulation.run();

    assertThat(seen).isEqualTo(data);
  }

  @Test
  void shouldMoveOddRangesWithoutTouchingTheirNeighbours() {
    for (int from = 0; from < 9; from++) {
      for (int length = 1; length <= 21; length++) {
        Arrays.fill(second.memory(), (byte) 0x55);
        byte[] seen = new byte[64];
        long nowPs = fabric.simulation.nowPs();
        dma.write(second.barAddress() + from, data, 0, length, nowPs);
        dma.read(second.barAddress() + from, seen, 3, length, nowPs);
        fabric.simulation.run();

        for (int i = 0; i < 64; i++) {
          boolean written = i >= from && i < from + length;
          assertThat(second.memory()[i]).isEqualTo(written ? data[i - from] : 0x55);
        }
        assertThat(Arrays.copyOfRange(seen, 3, 3 + length)).isEqualTo(Arrays.copyOf(data, length));
        assertThat(seen[3 + length]).isZero();
      }
    }
  }

  @Test
  void shouldCutALongReadAtTheMultiplesOf128() {
    byte[] seen = new byte[512];
    long beforeTotal = packetSwitch.ports().get(0).downstream().completionsWithDataTotal();
    dma.read(second.barAddress() + 64, seen, 0, 512, 0);

    // MPS 256 and RCB 128 from offset 64: 192, 256, 64.
    assertThat(packetSwitch.ports().get(0).downstream().completionsWithDataTotal() - beforeTotal)
        .isEqualTo(3);
  }

  @Test
  void shouldAnswerUnsupportedWhereThePeerHasNoWindow() {
    byte[] seen = new byte[4];
    long address = second.barAddress() + MemoryEndpoint.BAR_BYTES;
    long donePs = dma.read(address, seen, 0, 4, 0);

    assertThat(dma.status()).isEqualTo(DmaStatus.UNSUPPORTED_REQUEST);
    assertThat(seen).containsOnly(0xFF);
    // MRd 24 B and Cpl 20 B on two links each.
    assertThat(donePs).isEqualTo(2 * wirePs(24) + 2 * wirePs(20) + 4 * LINK_PS + 2 * FORWARD_PS);
    dma.write(address, data, 0, 4, 0);
    assertThat(dma.status()).isEqualTo(DmaStatus.UNSUPPORTED_REQUEST);
    assertThat(packetSwitch.ports().get(1).deviceErrors().total(PcieError.UNSUPPORTED_REQUEST))
        .isEqualTo(2);
  }

  @ParameterizedTest
  @EnumSource(names = {"POISONED", "LOST"})
  void shouldNotFillInAReadOfWhichACompletionMetAFault(TlpFault fault) {
    byte[] seen = new byte[64];
    System.arraycopy(data, 0, second.memory(), 0, 64);
    packetSwitch.ports().get(0).downstreamFaults().inject(fault, 0);

    dma.read(second.barAddress(), seen, 0, 64, 0);
    fabric.simulation.run();

    // The peer was asked after all, and its bytes went nowhere.
    assertThat(second.lastReadPs()).isPositive();
    assertThat(seen).containsOnly(0xFF);
    // The next read is not given up.
    dma.read(second.barAddress(), seen, 0, 64, fabric.simulation.nowPs());
    fabric.simulation.run();
    assertThat(seen).isEqualTo(data);
  }

  // Redirected.

  @Test
  void shouldGoUpAndComeBackWithRequestRedirect() {
    acs(0, AcsLayout.REQUEST_REDIRECT);

    long donePs = dma.write(second.barAddress(), data, 0, 64, 0);

    assertThat(donePs).isEqualTo(redirectedWritePs());
    assertThat(received(second)).isEqualTo(data);
    assertThat(translation.translationsTotal).isEqualTo(1);
  }

  @Test
  void shouldTranslateWhatIsRedirected() {
    acs(0, AcsLayout.REQUEST_REDIRECT);
    translation.offset = 0x1000;

    dma.write(second.barAddress(), data, 0, 64, 0);

    assertThat(received(second)).containsOnly(0);
    assertThat(Arrays.copyOfRange(second.memory(), 0x1000, 0x1040)).isEqualTo(data);
  }

  @Test
  void shouldBeRefusedByARootComplexThatForwardsNothing() {
    TestFabric strict = new TestFabric();
    Switch other = strict.rootComplex.attach(SWITCH);
    other.attach(first, GEN3_X8);
    other.attach(second, GEN3_X8);
    new BusEnumerator(EnumerationConfig.XEON).enumerate(strict.rootComplex);
    ConfigSpace port = other.ports().get(0).configSpace();
    port.write(ACS + AcsLayout.CONTROL, 2, AcsLayout.REQUEST_REDIRECT);

    first.dma().write(second.barAddress(), data, 0, 64, 0);

    assertThat(first.dma().status()).isEqualTo(DmaStatus.UNSUPPORTED_REQUEST);
    strict.simulation.run();
    assertThat(second.memory()).containsOnly(0);
  }

  @Test
  void shouldRedirectTheCompletionsOfADirectRead() {
    acs(1, AcsLayout.COMPLETION_REDIRECT);
    byte[] seen = new byte[64];

    long donePs = dma.read(second.barAddress(), seen, 0, 64, 0);

    // MRd 24 B on two links, CplD 84 B on four.
    assertThat(donePs)
        .isEqualTo(
            2 * wirePs(24) + 4 * wirePs(84) + 4 * LINK_PS + 3 * FORWARD_PS + UP_PS + DOWN_PS);
  }

  @Test
  void shouldAnswerARedirectedReadDirectlyUnlessCompletionsAreRedirectedToo() {
    acs(0, AcsLayout.REQUEST_REDIRECT);
    byte[] seen = new byte[64];

    long onePs = dma.read(second.barAddress(), seen, 0, 64, 0);
    acs(1, AcsLayout.COMPLETION_REDIRECT);
    long bothPs = dma.read(second.barAddress(), seen, 0, 64, onePs) - onePs;

    // MRd 24 B on four links, two switch passes; CplD 84 B on two links, one pass.
    assertThat(onePs)
        .isEqualTo(
            4 * wirePs(24) + 2 * wirePs(84) + 4 * LINK_PS + 3 * FORWARD_PS + UP_PS + DOWN_PS);
    // The completion takes two links, a pass and the root complex more.
    assertThat(bothPs).isEqualTo(onePs + 2 * wirePs(84) + FORWARD_PS + UP_PS + DOWN_PS);
  }

  @Test
  void shouldReadBetweenRootPorts() {
    byte[] seen = new byte[64];
    System.arraycopy(data, 0, elsewhere.memory(), 0, 64);

    long donePs = dma.read(elsewhere.barAddress(), seen, 0, 64, 0);
    fabric.simulation.run();

    assertThat(seen).isEqualTo(data);
    // MRd 24 B: device, shared link, peer; CplD 84 B the same way back.
    assertThat(donePs)
        .isEqualTo(
            3 * wirePs(24)
                + 3 * wirePs(84)
                + 4 * LINK_PS
                + 2 * FORWARD_PS
                + 2 * UP_PS
                + 2 * DOWN_PS);
  }

  // Refused.

  @Test
  void shouldRefuseAPeerThatTheEgressVectorForbids() {
    acs(0, AcsLayout.EGRESS_CONTROL);
    egressVector(0, 0b10);
    byte[] seen = new byte[4];

    long donePs = dma.read(second.barAddress(), seen, 0, 4, 0);

    assertThat(dma.status()).isEqualTo(DmaStatus.COMPLETER_ABORT);
    assertThat(seen).containsOnly(0xFF);
    assertThat(acsViolations(0)).isEqualTo(1);
    // MRd 24 B to the switch, Cpl 20 B back.
    assertThat(donePs).isEqualTo(wirePs(24) + wirePs(20) + 2 * LINK_PS + FORWARD_PS);
    egressVector(0, 0b01);
    assertThat(dma.write(second.barAddress(), data, 0, 64, 10_000_000))
        .isEqualTo(10_000_000 + directWritePs());
  }

  @Test
  void shouldRedirectOnlyForbiddenPeersWithBothServices() {
    acs(0, AcsLayout.EGRESS_CONTROL | AcsLayout.REQUEST_REDIRECT);
    egressVector(0, 0b10);
    assertThat(dma.write(second.barAddress(), data, 0, 64, 0)).isEqualTo(redirectedWritePs());

    egressVector(0, 0);
    assertThat(dma.write(second.barAddress(), data, 0, 64, 10_000_000))
        .isEqualTo(10_000_000 + directWritePs());
    assertThat(acsViolations(0)).isZero();
  }

  @Test
  void shouldDropASpoofedRequesterId() {
    dma.claimRequesterId(0x0400);
    dma.write(0x1000, data, 0, 64, 0);
    assertThat(fabric.bytes(0x1000, 64)).isEqualTo(data);

    acs(0, AcsLayout.SOURCE_VALIDATION);
    dma.write(0x2000, data, 0, 64, 10_000_000);
    assertThat(dma.status()).isEqualTo(DmaStatus.COMPLETER_ABORT);
    assertThat(acsViolations(0)).isEqualTo(1);
    dma.sendMessage(RootComplex.INTERRUPT_BASE, 1, 20_000_000);
    assertThat(fabric.messages).isEmpty();
    assertThat(fabric.bytes(0x2000, 64)).containsOnly(0);

    // Its own again; and another device number on its own bus passes, as the service says.
    dma.claimRequesterId(-1);
    dma.write(0x2000, data, 0, 32, 30_000_000);
    assertThat(dma.status()).isEqualTo(DmaStatus.OK);
    dma.claimRequesterId(0x0308);
    dma.write(0x2020, data, 0, 32, 40_000_000);
    assertThat(dma.status()).isEqualTo(DmaStatus.OK);
  }

  @Test
  void shouldBlockTranslatedAddresses() {
    translation.trusts = true;
    translation.offset = 1L << 40;
    dma.claimTranslated(true);
    dma.write(0x1000, data, 0, 64, 0);
    assertThat(fabric.bytes(0x1000, 64)).isEqualTo(data);
    assertThat(translation.translationsTotal).isZero();

    acs(0, AcsLayout.TRANSLATION_BLOCKING);
    dma.write(0x2000, data, 0, 64, 10_000_000);
    assertThat(dma.status()).isEqualTo(DmaStatus.COMPLETER_ABORT);
    assertThat(acsViolations(0)).isEqualTo(1);
    assertThat(fabric.bytes(0x2000, 64)).containsOnly(0);
  }

  @Test
  void shouldBlockRequestsForTranslationsToo() {
    AtsTranslation answer = new AtsTranslation();
    acs(0, AcsLayout.TRANSLATION_BLOCKING);

    long donePs = dma.requestTranslation(0x1000, 1, true, 0, answer);

    assertThat(answer.status()).isEqualTo(DmaStatus.COMPLETER_ABORT);
    assertThat(answer.entriesCount()).isZero();
    assertThat(acsViolations(0)).isEqualTo(1);
    // MRd 20 B to the switch, Cpl 20 B back.
    assertThat(donePs).isEqualTo(2 * wirePs(20) + 2 * LINK_PS + FORWARD_PS);
  }

  @Test
  void shouldTakeRequestsForTranslationsToTheRootComplexWhateverTheAddress() {
    AtsTranslation answer = new AtsTranslation();
    long donePs = dma.requestTranslation(second.barAddress(), 1, true, 0, answer);

    // Refused there: MRd 24 B and Cpl 20 B on two links each.
    assertThat(answer.status()).isEqualTo(DmaStatus.UNSUPPORTED_REQUEST);
    assertThat(donePs)
        .isEqualTo(
            2 * wirePs(24) + 2 * wirePs(20) + 2 * LINK_PS + 2 * FORWARD_PS + UP_PS + DOWN_PS);
  }

  @Test
  void shouldRefuseTranslatedAddressesThatNobodyHasGiven() {
    dma.claimTranslated(true);

    dma.write(0x1000, data, 0, 64, 0);

    assertThat(dma.status()).isEqualTo(DmaStatus.UNSUPPORTED_REQUEST);
    assertThat(fabric.bytes(0x1000, 64)).containsOnly(0);
  }

  @Test
  void shouldLetTranslatedRequestsPassTheRedirectIfDirectOnesAreAllowed() {
    acs(0, AcsLayout.REQUEST_REDIRECT | AcsLayout.DIRECT_TRANSLATED);
    dma.claimTranslated(true);
    assertThat(dma.write(second.barAddress(), data, 0, 64, 0)).isEqualTo(directWritePs());

    dma.claimTranslated(false);
    assertThat(dma.write(second.barAddress(), data, 0, 64, 10_000_000))
        .isEqualTo(10_000_000 + redirectedWritePs());
  }

  @Test
  void shouldForwardUpWhatBelongsBelowTheSamePort() {
    dma.write(first.barAddress(), data, 0, 64, 0);
    assertThat(dma.status()).isEqualTo(DmaStatus.UNSUPPORTED_REQUEST);

    acs(0, AcsLayout.UPSTREAM_FORWARDING);
    assertThat(dma.write(first.barAddress(), data, 0, 64, 10_000_000))
        .isEqualTo(10_000_000 + redirectedWritePs());
    assertThat(received(first)).isEqualTo(data);
  }

  @Test
  void shouldOfferTheServicesThatTheSwitchHas() {
    ConfigSpace port = packetSwitch.ports().get(0).configSpace();

    // ID 000Dh, version 1; 32 vector bits and all services; nothing on.
    assertThat(port.read(ACS, 4)).isEqualTo(0x0001_000D);
    assertThat(port.read(ACS + 4, 4)).isEqualTo(0x0000_207F);
    port.write(ACS + 6, 2, 0xFFFF);
    assertThat(port.read(ACS + 6, 2)).isEqualTo(0x7F);
    ConfigSpace without =
        BridgeFunction.newConfigSpace(
            PortType.SWITCH_DOWNSTREAM, GEN3_X8, AcsLayout.SOURCE_VALIDATION, null);
    assertThat(without.read(ACS + 4, 4)).isEqualTo(1);
    without.write(ACS + 4, 4, -1);
    without.write(ACS + 8, 4, -1);
    assertThat(without.read(ACS + 4, 4)).isEqualTo(0x0001_0001);
    assertThat(without.read(ACS + 8, 4)).isZero();
  }
}
