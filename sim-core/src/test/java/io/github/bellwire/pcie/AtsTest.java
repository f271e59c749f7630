package io.github.bellwire.pcie;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import io.github.bellwire.pcie.PcieLinkConfig.DllpCharge;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * Devices that keep translations, ask for them and for pages, and have them taken away. Gen 3 x8
 * without link traffic takes 126.953125 ps per byte and 60 ns of flight; the root complex takes 100
 * ns up and 50 ns down, a translation 200 ns. Addresses lie below 4 GiB, so an MRd takes 20 B.
 */
class AtsTest {
  private static final long LINK_PS = 60_000;
  private static final long UP_PS = 100_000;
  private static final long DOWN_PS = 50_000;
  private static final long WALK_PS = 200_000;
  private static final PcieLinkConfig GEN3_X8 =
      PcieLinkConfig.GEN3_X8.withDllpCharge(DllpCharge.NONE);
  // MRd 20 B up, CplD with one entry 28 B down.
  private static final long ASK_PS = roundTripPs(20, 28) + WALK_PS;
  // MRd 20 B up, CplD with 64 B down.
  private static final long READ_PS = roundTripPs(20, 84);

  private final OffsetUnit unit = new OffsetUnit();
  private final TestFabric fabric = new TestFabric(new RootComplexConfig(UP_PS, DOWN_PS), unit);
  private final AtsEndpoint device = plug(fabric, DeviceTlbConfig.FULLY_ASSOCIATIVE_64);
  private final TranslatingPort dma = device.dma();
  private final byte[] data = new byte[8192];

  /** Adds 1 MiB to every address, in ranges of one size. */
  private static final class OffsetUnit implements RemappingUnit {
    final List<String> pageRequests = new ArrayList<>();
    long rangeBytes = 4096;
    boolean isReadable = true;
    boolean isWritable = true;
    long unwritable = -1;
    boolean refuses;
    int questionsTotal;
    int untranslatedTotal;
    int lastPasid;

    @Override
    public void translate(TranslationRequest request, TranslationResult result) {
      lastPasid = request.pasid();
      switch (request.addressType()) {
        case TRANSLATED -> result.translated(request.iova(), request.atPs());
        case UNTRANSLATED -> {
          untranslatedTotal++;
          result.translated(request.iova() + (1 << 20), request.atPs());
        }
        case TRANSLATION_REQUEST -> answer(request, result);
      }
    }

    private void answer(TranslationRequest request, TranslationResult result) {
      questionsTotal++;
      long readyPs = request.atPs() + WALK_PS;
      if (refuses) {
        result.refused(DmaStatus.UNSUPPORTED_REQUEST, readyPs);
      } else {
        long pa = request.iova() + (1 << 20);
        boolean allowsWrites = isWritable && request.iova() != unwritable;
        result.translatedRange(pa, rangeBytes, isReadable, allowsWrites, readyPs);
      }
    }

    @Override
    public void onPageRequest(
        int requesterId,
        int pasid,
        long iova,
        boolean isRead,
        boolean isWrite,
        boolean isLast,
        int groupIndex,
        long atPs) {
      pageRequests.add(
          String.format(
              "%x %d %x %b %b %b %d %d",
              requesterId, pasid, iova, isRead, isWrite, isLast, groupIndex, atPs));
    }

    @Override
    public IntegratedRegisters registers() {
      throw new UnsupportedOperationException();
    }

    @Override
    public void onMessage(int requesterId, long address, int value, long atPs) {}
  }

  private static AtsEndpoint plug(TestFabric fabric, DeviceTlbConfig config) {
    return plug(fabric, config, GEN3_X8);
  }

  private static AtsEndpoint plug(TestFabric fabric, DeviceTlbConfig config, PcieLinkConfig link) {
    AtsEndpoint endpoint = new AtsEndpoint(config);
    RootPort port = fabric.rootComplex.attach(endpoint, link);
    port.configSpace().write(ConfigLayout.COMMAND, 2, ConfigLayout.COMMAND_BUS_MASTER_ENABLE);
    endpoint.enable();
    return endpoint;
  }

  private static long wirePs(int bytes) {
    return bytes * 126_953_125L / 1_000_000;
  }

  private static long roundTripPs(int upBytes, int downBytes) {
    return wirePs(upBytes) + wirePs(downBytes) + 2 * LINK_PS + UP_PS + DOWN_PS;
  }

  private int requesterId() {
    return fabric.port(0).requesterId();
  }

  private long invalidate(long iova, long sizeBytes, long atPs) {
    int pasid = TranslationRequest.NO_PASID;
    return fabric.rootComplex.invalidateDeviceTlb(requesterId(), pasid, iova, sizeBytes, atPs);
  }

  // Asking.

  @Test
  void shouldAskOnceAndThenUseTheAnswer() {
    fabric.memory.putLong(0x10_1040, 0x1234_5678_9ABC_DEF0L);

    assertThat(dma.read(0x1040, data, 0, 64, 0)).isEqualTo(ASK_PS + READ_PS);
    assertThat(data[0]).isEqualTo((byte) 0xF0);
    assertThat(dma.status()).isEqualTo(DmaStatus.OK);

    long nowPs = 10_000_000;
    assertThat(dma.read(0x1080, data, 0, 64, nowPs)).isEqualTo(nowPs + READ_PS);
    assertThat(unit.questionsTotal).isEqualTo(1);
    assertThat(unit.untranslatedTotal).isZero();
    assertThat(device.tlb.hitsTotal()).isEqualTo(1);
    assertThat(device.tlb.missesTotal()).isEqualTo(1);
  }

  @Test
  void shouldLetLaterAccessesWaitForTheAnswerThatIsUnderWay() {
    dma.read(0x1000, data, 0, 64, 0);

    // The second request of 20 B follows the first, and its answer of 84 B the other.
    assertThat(dma.read(0x1040, data, 0, 64, 0)).isEqualTo(ASK_PS + READ_PS + wirePs(84));
    assertThat(unit.questionsTotal).isEqualTo(1);
  }

  @Test
  void shouldNotAskWhileSoftwareHasNotAllowedIt() {
    device.configSpace().write(AtsEndpoint.ATS + AtsLayout.ATS_CONTROL, 2, 0);

    assertThat(dma.read(0x1040, data, 0, 64, 0)).isEqualTo(READ_PS);
    dma.write(0x1040, data, 0, 64, 0);
    assertThat(unit.questionsTotal).isZero();
    assertThat(unit.untranslatedTotal).isEqualTo(2);
  }

  @Test
  void shouldGoPageByPage() {
    data[0] = 7;
    data[4096] = 8;
    dma.write(0x1000, data, 0, 8192, 0);
    dma.read(0x1000, new byte[8192], 0, 8192, 0);

    assertThat(unit.questionsTotal).isEqualTo(2);
    assertThat(fabric.bytes(0x10_1000, 1)).containsExactly(7);
    assertThat(fabric.bytes(0x10_2000, 1)).containsExactly(8);
  }

  @Test
  void shouldKeepALargeRangeInOneEntry() {
    unit.rangeBytes = 1 << 20;
    dma.read(0x0000_1000, data, 0, 64, 0);
    dma.read(0x000F_F000, data, 0, 64, 0);
    assertThat(unit.questionsTotal).isEqualTo(1);

    dma.read(0x0010_0000, data, 0, 64, 0);
    assertThat(unit.questionsTotal).isEqualTo(2);
  }

  @Test
  void shouldSendNothingThatTheEntryDoesNotAllow() {
    unit.isWritable = false;
    long donePs = dma.write(0x1000, data, 0, 64, 0);

    assertThat(donePs).isEqualTo(ASK_PS);
    assertThat(dma.status()).isEqualTo(DmaStatus.COMPLETER_ABORT);
    assertThat(fabric.port(0).upstream().memoryWritesTotal()).isZero();
    // It may be allowed later, so the device asks again.
    unit.isWritable = true;
    dma.write(0x1000, data, 0, 64, donePs);
    assertThat(dma.status()).isEqualTo(DmaStatus.OK);
  }

  @Test
  void shouldKeepNothingOfAPageThatIsNotThere() {
    unit.isWritable = false;
    unit.isReadable = false;
    dma.read(0x1000, data, 0, 4, 0);

    assertThat(dma.status()).isEqualTo(DmaStatus.COMPLETER_ABORT);
    assertThat(data).startsWith(0xFF, 0xFF, 0xFF, 0xFF);
    assertThat(device.tlb.find(TranslationRequest.NO_PASID, 0x1000)).isEqualTo(-1);
  }

  @Test
  void shouldSeeARefusal() {
    unit.refuses = true;
    // A completion without data takes 20 B.
    assertThat(dma.read(0x1000, data, 0, 64, 0)).isEqualTo(roundTripPs(20, 20) + WALK_PS);
    assertThat(dma.status()).isEqualTo(DmaStatus.UNSUPPORTED_REQUEST);
    assertThat(fabric.port(0).errors().total(PcieError.UNSUPPORTED_REQUEST)).isEqualTo(1);
    assertThat(fabric.port(0).refusedRequestsTotal()).isEqualTo(1);
  }

  @Test
  void shouldBeRefusedWhereNobodyTranslates() {
    TestFabric plain = new TestFabric();
    AtsEndpoint other = plug(plain, DeviceTlbConfig.FULLY_ASSOCIATIVE_64);
    other.dma().read(0x1000, data, 0, 64, 0);
    assertThat(other.dma().status()).isEqualTo(DmaStatus.UNSUPPORTED_REQUEST);
  }

  @Test
  void shouldAnswerSeveralPagesByOneCompletion() {
    AtsTranslation answer = new AtsTranslation();
    DmaPort plain = device.plain();

    // 8 entries of 8 B make a CplD of 84 B.
    assertThat(plain.requestTranslation(0x4000, 8, true, 0, answer))
        .isEqualTo(roundTripPs(20, 84) + WALK_PS);
    assertThat(answer.entriesCount()).isEqualTo(8);
    assertThat(answer.address(7)).isEqualTo(0x10_B000);
    assertThat(answer.rangeBytes(7)).isEqualTo(4096);

    // A smallest unit of 4096 << 2.
    device.configSpace().write(AtsEndpoint.ATS + AtsLayout.ATS_CONTROL, 2, 2);
    plain.requestTranslation(0x4000, 2, true, 0, answer);
    assertThat(answer.entriesCount()).isEqualTo(2);
    assertThat(answer.address(1)).isEqualTo(0x10_8000);
  }

  @Test
  void shouldUseTheTagsOfReads() {
    TestFabric narrow = new TestFabric(new RootComplexConfig(UP_PS, DOWN_PS), unit);
    PcieLinkConfig link = GEN3_X8.withTags(1);
    AtsEndpoint other = plug(narrow, DeviceTlbConfig.FULLY_ASSOCIATIVE_64, link);
    AtsTranslation answer = new AtsTranslation();
    long firstPs = other.plain().requestTranslation(0x1000, 1, true, 0, answer);
    long retirePs = link.requester().retirePs();

    // The only tag is free when the answer is there.
    assertThat(other.plain().tagFreePs()).isEqualTo(firstPs + retirePs);
    assertThat(other.plain().requestTranslation(0x2000, 1, true, 0, answer))
        .isEqualTo(firstPs + retirePs + ASK_PS);
    assertThat(other.plain().read(0x2000, data, 0, 64, 0))
        .isEqualTo(2 * (firstPs + retirePs) + READ_PS);
  }

  @Test
  void shouldUseTheRequestCreditsOfReads() {
    TestFabric narrow = new TestFabric(new RootComplexConfig(UP_PS, DOWN_PS), unit);
    FlowControlCredits one = new FlowControlCredits(0, 0, 1, 0, 0, 0);
    PcieLinkConfig link = GEN3_X8.withFlowControl(GEN3_X8.flowControl().withRootPort(one));
    AtsEndpoint other = plug(narrow, DeviceTlbConfig.FULLY_ASSOCIATIVE_64, link);
    AtsTranslation answer = new AtsTranslation();
    other.plain().requestTranslation(0x1000, 1, true, 0, answer);
    long updatePs = link.flowControl().updatePs();
    long takenPs = wirePs(20) + LINK_PS + UP_PS;

    // The credit comes back when the root complex has taken the request.
    assertThat(other.plain().requestTranslation(0x2000, 1, true, 0, answer))
        .isEqualTo(takenPs + updatePs + LINK_PS + ASK_PS);
  }

  @Test
  void shouldAskBehindTheWritesThatItHasSent() {
    TestFabric narrow = new TestFabric(new RootComplexConfig(UP_PS, DOWN_PS), unit);
    DmaPort plain = withWriteThatWaits(narrow).plain();
    long sentPs = plain.sentPs();
    AtsTranslation answer = new AtsTranslation();

    // The link is free before the write that waits, but nothing passes it.
    assertThat(plain.requestTranslation(0x1000, 1, true, 0, answer))
        .isBetween(sentPs + ASK_PS, sentPs + ASK_PS + 1);
    assertThat(plain.requestPage(0x1000, true, true, true, 0, 0))
        .isGreaterThan(sentPs + LINK_PS + UP_PS);
  }

  /** A device of whose two writes one waits for 5 us until the other's credit is back. */
  private static AtsEndpoint withWriteThatWaits(TestFabric narrow) {
    narrow.caches.deviceWritePs = 5_000_000;
    FlowControlCredits one = new FlowControlCredits(1, 16, 0, 0, 0, 0);
    PcieLinkConfig link = GEN3_X8.withFlowControl(GEN3_X8.flowControl().withRootPort(one));
    AtsEndpoint other = plug(narrow, DeviceTlbConfig.FULLY_ASSOCIATIVE_64, link);
    other.plain().write(0x9000, new byte[64], 0, 64, 0);
    other.plain().write(0x9000, new byte[64], 0, 64, 0);
    assertThat(other.plain().sentPs()).isGreaterThan(5_000_000);
    return other;
  }

  @Test
  void shouldBeAnsweredBehindTheRegisterWritesBefore() {
    TestFabric narrow = new TestFabric(new RootComplexConfig(UP_PS, DOWN_PS), unit);
    FlowControlCredits one = new FlowControlCredits(1, 16, 0, 0, 0, 0);
    RecordingEndpoint other =
        narrow.plug(
            GEN3_X8.withFlowControl(
                GEN3_X8.flowControl().withEndpoint(one).withUpdatePs(5_000_000)));
    narrow.rootComplex.mmioWrite(TestFabric.BAR, 4, 1, 0);
    narrow.rootComplex.mmioWrite(TestFabric.BAR, 4, 2, 0); // Waits for the credit of the first.
    long answeredPs = other.dma().requestTranslation(0x1000, 1, true, 0, new AtsTranslation());
    narrow.simulation.run();

    assertThat(other.writes().get(1).atPs()).isGreaterThan(5_000_000);
    assertThat(answeredPs).isGreaterThan(other.writes().get(1).atPs());
  }

  @Test
  void shouldUseAllTagsThatSoftwareAllows() {
    AtsEndpoint other = plug(fabric, DeviceTlbConfig.FULLY_ASSOCIATIVE_64, GEN3_X8.withTags(64));
    AtsTranslation answer = new AtsTranslation();
    int control = 0x40 + ConfigLayout.DEVICE_CONTROL;
    other.configSpace().write(control, 2, ConfigLayout.DEVICE_CONTROL_EXTENDED_TAG);
    for (int i = 0; i < 33; i++) {
      other.plain().requestTranslation(0x1000, 1, true, 0, answer);
    }

    assertThat(other.plain().tagFreePs()).isZero();
  }

  @Test
  void shouldBePoisonedByABadCompletion() {
    fabric.port(0).downstreamFaults().inject(TlpFault.POISONED, 0);
    assertThat(dma.read(0x1000, data, 0, 64, 0)).isEqualTo(ASK_PS);
    assertThat(dma.status()).isEqualTo(DmaStatus.POISONED);
    assertThat(device.tlb.find(TranslationRequest.NO_PASID, 0x1000)).isEqualTo(-1);
  }

  @Test
  void shouldGetNoAnswerToALostRequest() {
    fabric.port(0).upstreamFaults().inject(TlpFault.LOST, 0);
    AtsTranslation answer = new AtsTranslation();
    device.plain().requestTranslation(0x1000, 1, true, 0, answer);
    assertThat(answer.status()).isEqualTo(DmaStatus.COMPLETION_TIMEOUT);
    assertThat(unit.questionsTotal).isZero();
  }

  @Test
  void shouldSendNothingWithoutBusMastering() {
    device.configSpace().write(ConfigLayout.COMMAND, 2, 0);
    AtsTranslation answer = new AtsTranslation();

    assertThat(device.plain().requestTranslation(0x1000, 1, true, 5, answer)).isEqualTo(5);
    assertThat(answer.status()).isEqualTo(DmaStatus.BUS_MASTER_DISABLED);
    assertThat(device.plain().requestPage(0x1000, true, true, true, 0, 5)).isEqualTo(5);
    assertThat(unit.pageRequests).isEmpty();
    assertThat(fabric.port(0).upstream().bytesTotal()).isZero();
  }

  @Test
  void shouldTellMistakesOfTheCaller() {
    AtsTranslation answer = new AtsTranslation();
    DmaPort plain = device.plain();
    assertThatThrownBy(() -> plain.requestTranslation(0x4001, 1, true, 0, answer))
        .hasMessage("iova must be a multiple of 4096: iova=0x4001");
    assertThatThrownBy(() -> plain.requestTranslation(0x4000, 9, true, 0, answer))
        .hasMessage("pagesCount must be 1..8: pagesCount=9");
    assertThatThrownBy(() -> plain.requestPage(0x4000, true, false, true, 512, 0))
        .hasMessage("groupIndex must be 0..511: groupIndex=512");
    assertThatThrownBy(() -> invalidate(0x1000, 0x2000, 0))
        .hasMessageStartingWith("sizeBytes must be a power of two from 4096 on that divides iova");
    assertThatThrownBy(() -> new DeviceTlbConfig(3, 1))
        .hasMessage("setsCount must be a power of two in 1..65536: setsCount=3");
    assertThatThrownBy(() -> new DeviceTlbConfig(1, 0))
        .hasMessage("waysCount must be 1..4096: waysCount=0");
  }

  @Test
  void shouldGiveUpWaitingForALostAnswer() {
    fabric.port(0).downstreamFaults().inject(TlpFault.LOST, 0);
    long timeoutPs = GEN3_X8.requester().completionTimeoutPs();

    assertThat(dma.read(0x1000, data, 0, 64, 0)).isEqualTo(wirePs(20) + timeoutPs);
    assertThat(dma.status()).isEqualTo(DmaStatus.COMPLETION_TIMEOUT);
    assertThat(fabric.port(0).deviceErrors().total(PcieError.COMPLETION_TIMEOUT)).isEqualTo(1);
  }

  @Test
  void shouldKeepWritesInOrderWhenTheFirstHasToAsk() {
    dma.write(0x2000, data, 0, 64, 0);
    long startPs = 10_000_000;
    long askedPs = dma.write(0x1000, data, 0, 64, startPs);
    long knownPs = dma.write(0x2000, data, 0, 64, startPs);

    // MWr of 84 B each, behind each other although the second could have gone at once.
    assertThat(askedPs).isEqualTo(startPs + ASK_PS + wirePs(84) + LINK_PS + UP_PS);
    assertThat(knownPs - askedPs).isBetween(wirePs(84), wirePs(84) + 1);
  }

  @Test
  void shouldTellTheFirstFailureOfAWrite() {
    unit.unwritable = 0x1000;
    dma.write(0x1000, data, 0, 8192, 0);

    assertThat(dma.status()).isEqualTo(DmaStatus.COMPLETER_ABORT);
    data[0] = 7;
    assertThat(fabric.bytes(0x10_1000, 1)).containsExactly(0);
    dma.write(0x2000, data, 0, 1, 0);
    assertThat(dma.status()).isEqualTo(DmaStatus.OK);
  }

  @Test
  void shouldShowTheAddressTypeInTheHeaders() {
    List<Integer> types = new ArrayList<>();
    fabric
        .port(0)
        .listen(
            (header01, header23, sentPs, effectivePs) -> {
              if (TlpHeader.isMemoryRead(header01) || TlpHeader.isMemoryWrite(header01)) {
                types.add(TlpHeader.addressType(header01));
              }
            });
    dma.read(0x1000, data, 0, 64, 0);
    dma.write(0x1000, data, 0, 64, 0);
    device.plain().read(0x1000, data, 0, 64, 0);

    assertThat(types).containsExactly(1, 2, 2, 0);
  }

  // The cache.

  @Test
  void shouldKeepProcessesApart() {
    dma.usePasid(5);
    dma.read(0x1000, data, 0, 64, 0);
    assertThat(unit.lastPasid).isEqualTo(5);
    dma.usePasid(6);
    dma.read(0x1000, data, 0, 64, 0);
    assertThat(unit.questionsTotal).isEqualTo(2);

    fabric.rootComplex.invalidateDeviceTlb(requesterId(), 5, 0x1000, 4096, 0);
    assertThat(device.tlb.find(6, 0x1000)).isNotNegative();
    assertThat(device.tlb.find(5, 0x1000)).isEqualTo(-1);
  }

  @Test
  void shouldCarryTheProcessInAPrefixOf4Bytes() {
    DmaPort plain = device.plain();
    plain.usePasid(5);

    // MRd 20 B and MsgD 32 B with 4 B more; answers have none.
    assertThat(plain.read(0x1000, data, 0, 64, 0)).isEqualTo(roundTripPs(24, 84));
    long startPs = 10_000_000;
    assertThat(plain.write(0x1000, data, 0, 64, startPs))
        .isEqualTo(startPs + wirePs(88) + LINK_PS + UP_PS);
    AtsTranslation answer = new AtsTranslation();
    assertThat(plain.requestTranslation(0x1000, 1, true, 2 * startPs, answer))
        .isEqualTo(2 * startPs + roundTripPs(24, 28) + WALK_PS);
    assertThat(plain.requestPage(0x1000, true, false, true, 0, 3 * startPs))
        .isEqualTo(3 * startPs + wirePs(28) + LINK_PS + UP_PS);
    int id = requesterId();
    fabric.rootComplex.invalidateDeviceTlb(id, 5, 0x1000, 4096, 4 * startPs);
    assertThat(device.invalidationArrivalPs)
        .isEqualTo(4 * startPs + DOWN_PS + wirePs(36) + LINK_PS);
    assertThat(fabric.rootComplex.respondToPageRequest(id, 5, 0, 0, 5 * startPs))
        .isEqualTo(5 * startPs + DOWN_PS + wirePs(28) + LINK_PS);
  }

  @Test
  void shouldReplaceTheEntryThatHasNotBeenUsedForLongest() {
    DeviceTlb tlb = new DeviceTlb(new DeviceTlbConfig(2, 2));
    long entry = AtsLayout.entry(0x9000, 4096, true, true);
    // Even pages share a set, odd ones the other.
    tlb.insert(-1, 0x0000, entry, 0);
    tlb.insert(-1, 0x2000, entry, 0);
    tlb.insert(-1, 0x1000, entry, 0);
    tlb.find(-1, 0x0000);
    tlb.insert(-1, 0x4000, entry, 0);

    assertThat(tlb.find(-1, 0x2000)).isEqualTo(-1);
    assertThat(tlb.find(-1, 0x0000)).isNotNegative();
    assertThat(tlb.find(-1, 0x4000)).isNotNegative();
    assertThat(tlb.find(-1, 0x1000)).isNotNegative();
  }

  @Test
  void shouldFindEntriesOfAllSizes() {
    DeviceTlb tlb = new DeviceTlb(new DeviceTlbConfig(4, 2));
    tlb.insert(-1, 0x1000, AtsLayout.entry(0x9000, 4096, true, true), 0);
    tlb.insert(-1, 2 << 20, AtsLayout.entry(4 << 20, 2 << 20, true, true), 0);

    assertThat(tlb.address(tlb.find(-1, 0x1234), 0x1234)).isEqualTo(0x9234);
    long inLarge = (2 << 20) + 0x12345;
    assertThat(tlb.address(tlb.find(-1, inLarge), inLarge)).isEqualTo((4 << 20) + 0x12345);
    tlb.clear();
    assertThat(tlb.find(-1, 0x1234)).isEqualTo(-1);
  }

  @Test
  void shouldAskNoMoreOnceARightHasBeenGiven() {
    unit.isWritable = false;
    dma.read(0x1000, data, 0, 64, 0);
    unit.isWritable = true;
    dma.write(0x1000, data, 0, 64, 10_000_000); // Asks: the entry allows no writes.
    assertThat(unit.questionsTotal).isEqualTo(2);

    dma.write(0x1000, data, 0, 64, 20_000_000);
    dma.write(0x1040, data, 0, 64, 30_000_000);
    dma.read(0x1080, data, 0, 64, 40_000_000);
    assertThat(dma.status()).isEqualTo(DmaStatus.OK);
    assertThat(unit.questionsTotal).isEqualTo(2);
    // There is one entry of the page.
    invalidate(0x1000, 4096, 50_000_000);
    assertThat(device.tlb.invalidatedTotal()).isEqualTo(1);
  }

  @Test
  void shouldReplaceSmallEntriesByALargeOneAndBack() {
    unit.isWritable = false;
    for (int page = 0; page < 3; page++) {
      dma.read(0x20_0000 + page * 4096, data, 0, 64, page * 10_000_000L);
    }
    unit.isWritable = true;
    unit.rangeBytes = 2 << 20;
    dma.write(0x20_0000, data, 0, 64, 40_000_000);
    assertThat(unit.questionsTotal).isEqualTo(4);
    for (int page = 0; page < 3; page++) {
      dma.write(0x20_0000 + page * 4096, data, 0, 64, 50_000_000 + page * 10_000_000L);
    }
    assertThat(unit.questionsTotal).isEqualTo(4);

    // A part of the large range becomes smaller again: nothing of the large entry is used further.
    DeviceTlb tlb = device.tlb;
    int none = TranslationRequest.NO_PASID;
    tlb.insert(none, 0x20_1000, AtsLayout.entry(0x90_0000, 4096, true, false), 90_000_000);
    assertThat(tlb.find(none, 0x20_0000)).isEqualTo(-1);
    int small = tlb.find(none, 0x20_1000);
    assertThat(tlb.address(small, 0x20_1008)).isEqualTo(0x90_0008);
    // Only the pages of one process give way.
    tlb.insert(7, 0x20_1000, AtsLayout.entry(0xA0_0000, 4096, true, true), 90_000_000);
    assertThat(tlb.find(none, 0x20_1000)).isEqualTo(small);
  }

  @Test
  void shouldAnswerWhenReadsThatUseAReplacedEntryAreAnswered() {
    unit.isWritable = false;
    dma.read(0x1000, data, 0, 64, 0);
    int none = TranslationRequest.NO_PASID;
    device.tlb.use(device.tlb.find(none, 0x1000), 70_000_000);
    device.tlb.insert(none, 0x1000, AtsLayout.entry(0x10_1000, 4096, true, true), 10_000_000);

    assertThat(device.tlb.invalidate(none, 0x1000, 4096, 20_000_000)).isEqualTo(70_000_000);
  }

  @Test
  void shouldTakeAFreePlaceFirst() {
    DeviceTlb tlb = new DeviceTlb(new DeviceTlbConfig(1, 2));
    long entry = AtsLayout.entry(0x9000, 4096, true, true);
    tlb.insert(-1, 0x1000, entry, 0);
    tlb.insert(-1, 0x2000, entry, 0);
    tlb.invalidate(-1, 0x2000, 4096, 0);
    tlb.insert(-1, 0x3000, entry, 0);

    assertThat(tlb.find(-1, 0x1000)).isNotNegative();
  }

  @Test
  void shouldForgetTheUsesOfWhatItReplaces() {
    DeviceTlb tlb = new DeviceTlb(new DeviceTlbConfig(1, 1));
    long entry = AtsLayout.entry(0x9000, 4096, true, true);
    tlb.use(tlb.insert(-1, 0x1000, entry, 0), 1_000_000);
    tlb.insert(-1, 0x2000, entry, 10);

    assertThat(tlb.invalidate(-1, 0x2000, 4096, 20)).isEqualTo(20);
  }

  @Test
  void shouldPackAndUnpackEverySize() {
    for (int shift = 12; shift <= 39; shift++) {
      long size = 1L << shift;
      long entry = AtsLayout.entry(3L << 40 | 0x123, size, true, false);
      assertThat(AtsLayout.rangeBytes(entry)).isEqualTo(size);
      assertThat(AtsLayout.address(entry)).isEqualTo(3L << 40);
      assertThat(entry & 3).isEqualTo(AtsLayout.ENTRY_READ);
    }
    // 2 MiB: bits 19:12 are ones, bit 20 is 0, bit 11 says so.
    assertThat(AtsLayout.entry(0x4000_0000, 2 << 20, true, true)).isEqualTo(0x400F_F803);
  }

  // Invalidations.

  @Test
  void shouldForgetWhatIsInvalid() {
    dma.read(0x1000, data, 0, 64, 0);
    dma.read(0x2000, data, 0, 64, 0);
    long startPs = 10_000_000;
    long donePs = invalidate(0x1000, 4096, startPs);

    // MsgD 32 B down, Msg 24 B up.
    assertThat(device.invalidationArrivalPs).isEqualTo(startPs + DOWN_PS + wirePs(32) + LINK_PS);
    assertThat(donePs).isEqualTo(device.invalidationArrivalPs + wirePs(24) + LINK_PS + UP_PS);
    assertThat(device.tlb.invalidatedTotal()).isEqualTo(1);
    dma.read(0x2000, data, 0, 64, donePs);
    assertThat(unit.questionsTotal).isEqualTo(2);
    dma.read(0x1000, data, 0, 64, donePs);
    assertThat(unit.questionsTotal).isEqualTo(3);
  }

  @Test
  void shouldForgetALargeEntryOfWhichAPartIsInvalid() {
    unit.rangeBytes = 2 << 20;
    dma.read(0x1000, data, 0, 64, 0);
    invalidate(0x8000, 4096, 0);
    assertThat(device.tlb.find(TranslationRequest.NO_PASID, 0x1000)).isEqualTo(-1);
  }

  @Test
  void shouldForgetAllSmallEntriesOfALargeRange() {
    dma.read(0x1000, data, 0, 4096, 0);
    dma.read(0x7000, data, 0, 4096, 0);
    dma.read(0x8000, data, 0, 4096, 0);
    invalidate(0, 0x8000, 0);
    assertThat(device.tlb.invalidatedTotal()).isEqualTo(2);
  }

  @Test
  void shouldAnswerWhenTheReadsThatUseTheEntryAreAnswered() {
    fabric.caches.deviceReadPs = 5_000_000;
    long readDonePs = dma.read(0x1000, data, 0, 64, 0);

    assertThat(readDonePs).isEqualTo(ASK_PS + READ_PS + 5_000_000);
    assertThat(invalidate(0x1000, 4096, 0)).isEqualTo(readDonePs + wirePs(24) + LINK_PS + UP_PS);
  }

  @Test
  void shouldPushWritesAheadOfTheAnswer() {
    fabric.caches.deviceWritePs = 5_000_000;
    long visiblePs = dma.write(0x1000, data, 0, 64, 0);

    assertThat(invalidate(0x1000, 4096, 0)).isEqualTo(visiblePs);
  }

  @Test
  void shouldReportThatNobodyAnswers() {
    device.answersAfterPs = -1;
    assertThat(invalidate(0x1000, 4096, 0)).isEqualTo(-1);
    // No such function, and one without translations of its own.
    assertThat(fabric.rootComplex.invalidateDeviceTlb(0x1234, -1, 0, 4096, 0)).isEqualTo(-1);
    fabric.plug(GEN3_X8);
    int other = fabric.port(1).requesterId();
    assertThat(fabric.rootComplex.invalidateDeviceTlb(other, -1, 0, 4096, 0)).isEqualTo(-1);
  }

  @Test
  void shouldHaveNoMoreThan32InvalidationsOutstanding() {
    device.answersAfterPs = 50_000_000;
    long firstPs = invalidate(0, 4096, 0);
    for (int i = 1; i < 32; i++) {
      invalidate(i * 4096L, 4096, 0);
    }
    assertThat(device.invalidationArrivalPs).isLessThan(1_000_000);

    invalidate(32 * 4096L, 4096, 0);
    // The 33rd leaves when the first answer has come.
    assertThat(device.invalidationArrivalPs).isEqualTo(firstPs + wirePs(32) + LINK_PS);
  }

  @Test
  void shouldStayBehindTheWritesThatTheDeviceHasSent() {
    TestFabric narrow = new TestFabric(new RootComplexConfig(UP_PS, DOWN_PS), unit);
    AtsEndpoint other = withWriteThatWaits(narrow);
    long sentPs = other.plain().sentPs();
    int id = narrow.port(0).requesterId();
    long answeredPs = narrow.rootComplex.invalidateDeviceTlb(id, -1, 0x1000, 4096, 0);

    // The second write takes 5 us from its departure on, and pushes the answer.
    assertThat(other.invalidationArrivalPs).isLessThan(1_000_000);
    assertThat(answeredPs).isGreaterThanOrEqualTo(sentPs + 5_000_000);
  }

  @Test
  void shouldAnswerWhenWritesHaveLeftThatBeginLater() {
    dma.write(0x1000, data, 0, 64, 0);
    long donePs = dma.write(0x1000, data, 0, 64, 5_000_000);
    long sentPs = dma.sentPs();

    assertThat(donePs).isGreaterThan(5_000_000);
    assertThat(invalidate(0x1000, 4096, 0))
        .isBetween(sentPs + wirePs(24) + LINK_PS + UP_PS, sentPs + wirePs(25) + LINK_PS + UP_PS);
  }

  @Test
  void shouldNotReachAFunctionThatIsBeingReset() {
    device.configSpace().setSilent(true);

    assertThat(invalidate(0x1000, 4096, 0)).isEqualTo(-1);
    assertThat(fabric.rootComplex.respondToPageRequest(requesterId(), -1, 0, 0, 0)).isEqualTo(-1);
    assertThat(fabric.port(0).downstream().bytesTotal()).isZero();
  }

  @Test
  void shouldTakePostedCreditsOfTheDevice() {
    TestFabric narrow = new TestFabric(new RootComplexConfig(UP_PS, DOWN_PS), unit);
    FlowControlCredits one = new FlowControlCredits(1, 16, 0, 0, 0, 0);
    PcieLinkConfig link = GEN3_X8.withFlowControl(GEN3_X8.flowControl().withEndpoint(one));
    AtsEndpoint other = plug(narrow, DeviceTlbConfig.FULLY_ASSOCIATIVE_64, link);
    RootComplex rootComplex = narrow.rootComplex;
    int id = narrow.port(0).requesterId();
    rootComplex.respondToPageRequest(id, -1, 1, 0, 0);
    long firstPs = other.responses.get(0).arrivalPs();

    // The next one leaves when the credit of the first is back.
    rootComplex.respondToPageRequest(id, -1, 2, 0, 0);
    assertThat(other.responses.get(1).arrivalPs())
        .isEqualTo(firstPs + link.flowControl().updatePs() + LINK_PS + wirePs(24) + LINK_PS);
  }

  // Pages.

  @Test
  void shouldTakePageRequestsUpAndTheirAnswersDown() {
    // Msg 24 B.
    long arrivalPs = wirePs(24) + LINK_PS + UP_PS;
    assertThat(dma.requestPage(0x7000, true, false, true, 9, 0)).isEqualTo(arrivalPs);
    assertThat(unit.pageRequests).containsExactly("100 -1 7000 true false true 9 " + arrivalPs);

    long answeredPs =
        fabric.rootComplex.respondToPageRequest(requesterId(), -1, 9, 0, arrivalPs + 700_000_000);
    assertThat(answeredPs).isEqualTo(arrivalPs + 700_000_000 + DOWN_PS + wirePs(24) + LINK_PS);
    assertThat(device.responses).containsExactly(new AtsEndpoint.Response(-1, 9, 0, answeredPs));
    assertThat(fabric.rootComplex.respondToPageRequest(0x1234, -1, 9, 0, 0)).isEqualTo(-1);
  }

  @Test
  void shouldPushWritesAheadOfAPageRequest() {
    dma.write(0x1000, data, 0, 256, 0);
    long sentPs = dma.sentPs();
    assertThat(dma.requestPage(0x7000, true, true, true, 0, 0))
        .isBetween(sentPs + wirePs(24) + LINK_PS + UP_PS, sentPs + wirePs(25) + LINK_PS + UP_PS);
  }

  // Registers.

  @Test
  void shouldShowItsCapabilities() {
    ConfigSpace config = device.configSpace();
    assertThat(config.findCapability(ExtendedCapabilityId.ADDRESS_TRANSLATION_SERVICES))
        .isEqualTo(AtsEndpoint.ATS);
    assertThat(config.findCapability(ExtendedCapabilityId.PAGE_REQUEST_INTERFACE))
        .isEqualTo(AtsEndpoint.PRI);
    assertThat(config.findCapability(ExtendedCapabilityId.PROCESS_ADDRESS_SPACE_ID))
        .isEqualTo(AtsEndpoint.PASID);
    // Queue depth 32 as 0, page aligned; enabled.
    assertThat(config.read(AtsEndpoint.ATS + 4, 4)).isEqualTo(0x8000_0020);
    config.write(AtsEndpoint.ATS + 6, 2, 0xFFFF);
    assertThat(config.read(AtsEndpoint.ATS + 6, 2)).isEqualTo(0x801F);
    assertThat(config.smallestTranslationUnitBytes()).isEqualTo(4096L << 31);
    assertThat(config.read(AtsEndpoint.PRI + 4, 4)).isEqualTo(0x0100_0000);
    assertThat(config.isPageRequestEnabled()).isFalse();
    config.write(AtsEndpoint.PRI + 4, 2, 1);
    assertThat(config.isPageRequestEnabled()).isTrue();
    assertThat(config.read(AtsEndpoint.PRI + 8, 4)).isEqualTo(64);
    config.write(AtsEndpoint.PRI + 12, 4, 32);
    assertThat(config.read(AtsEndpoint.PRI + 12, 4)).isEqualTo(32);
    assertThat(config.read(AtsEndpoint.PASID + 4, 4)).isEqualTo(20 << 8);
    config.write(AtsEndpoint.PASID + 6, 2, 0xFFFF);
    assertThat(config.isPasidEnabled()).isTrue();
    config.reset();
    assertThat(config.isPasidEnabled()).isFalse();
    assertThat(config.isAddressTranslationEnabled()).isFalse();
  }

  @Test
  void shouldAllocateNothing() {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    int calls = 100_000;
    int id = requesterId();
    long bytes = Long.MAX_VALUE;
    for (int round = 0; round < 3; round++) { // The last one counts.
      long before = threads.getThreadAllocatedBytes(Thread.currentThread().getId());
      for (int i = 0; i < calls; i++) {
        long nowPs = fabric.simulation.nowPs() + 10_000_000;
        fabric.simulation.runUntil(nowPs);
        dma.write((i & 127) * 4096L, data, 0, 64, nowPs);
        fabric.rootComplex.invalidateDeviceTlb(id, -1, (i & 63) * 4096L, 4096, nowPs);
      }
      bytes = threads.getThreadAllocatedBytes(Thread.currentThread().getId()) - before;
    }
    assertThat(bytes).isLessThan(calls); // below one byte per access
  }
}
