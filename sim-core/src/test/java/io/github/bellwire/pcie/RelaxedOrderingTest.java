package io.github.bellwire.pcie;

import static io.github.bellwire.pcie.TestFabric.HIGH;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.bellwire.pcie.PcieLinkConfig.DllpCharge;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Attributes of requests, and random traffic against the ordering table. */
class RelaxedOrderingTest {
  private static final int RO = TlpAttributes.RELAXED_ORDERING;

  private static final PcieLinkConfig GEN3_X8 =
      PcieLinkConfig.GEN3_X8.withDllpCharge(DllpCharge.NONE).withPropagationPs(0);

  private final TestFabric fabric = new TestFabric();
  private final RecordingEndpoint endpoint = fabric.plug(GEN3_X8);
  private final DmaPort dma = endpoint.dma();
  private final byte[] buffer = new byte[4096];

  @Test
  void shouldCommitARelaxedWriteBeforeASlowOne() {
    fabric.caches.deviceWritePs = 900_000;
    long slowPs = dma.write(0x1000, buffer, 0, 64, 0);
    fabric.caches.deviceWritePs = 10_000;

    long relaxedPs = dma.write(0x2000, buffer, 0, 64, 0, RO);
    long strictPs = dma.write(0x3000, buffer, 0, 64, 0);

    // 84 B each: 10_664, 21_328, 31_992.
    assertThat(slowPs).isEqualTo(910_664);
    assertThat(relaxedPs).isEqualTo(31_328);
    assertThat(strictPs).isEqualTo(910_664);
  }

  @Test
  void shouldKeepAFlagBehindRelaxedPayload() {
    fabric.caches.deviceWritePs = 10_000;
    dma.write(0x1000, buffer, 0, 64, 0);
    fabric.caches.deviceWritePs = 900_000;
    long payloadPs = dma.write(0x2000, buffer, 0, 64, 0, RO);
    fabric.caches.deviceWritePs = 10_000;

    long flagPs = dma.writeStatus(0x3000, buffer, 0, 4, 0);
    long messagePs = dma.sendMessage(0xFEE0_0000L, 0x21, 0);

    assertThat(payloadPs).isEqualTo(921_328);
    assertThat(flagPs).isEqualTo(payloadPs);
    assertThat(messagePs).isEqualTo(payloadPs);
  }

  @Test
  void shouldNotHelpARead() {
    fabric.caches.deviceWritePs = 900_000;
    long commitPs = dma.writeStatus(0x1000, new byte[] {7}, 0, 1, 0);
    byte[] destination = new byte[1];

    long donePs = dma.read(0x1000, destination, 0, 1, 0, RO);

    assertThat(destination).containsExactly(7);
    assertThat(donePs).isGreaterThan(commitPs);
  }

  @Test
  void shouldReturnTheLastOfItsOwnPieces() {
    fabric.caches.deviceWritePs = 10_000;

    // MWr 280 B twice: 35_546, 71_093.
    assertThat(dma.write(HIGH, buffer, 0, 512, 0, RO)).isEqualTo(81_093);
  }

  @Test
  void shouldObeyTheEnablesOfSoftware() {
    endpoint.enable(TestFabric.BAR, 256, 512);
    int deviceControl = 0xA0 + ConfigLayout.DEVICE_CONTROL;
    int all = RO | TlpAttributes.NO_SNOOP | TlpAttributes.ID_BASED_ORDERING;
    List<Integer> seen = new ArrayList<>();
    fabric
        .port(0)
        .listen(
            (header01, header23, sentPs, effectivePs) -> seen.add(TlpHeader.attributes(header01)));

    dma.write(0x1000, buffer, 0, 4, 0, all);
    endpoint.configSpace().write(deviceControl, 2, ConfigLayout.DEVICE_CONTROL_NO_SNOOP);
    dma.write(0x1000, buffer, 0, 4, 0, all);
    endpoint.configSpace().write(deviceControl, 2, 0);
    endpoint
        .configSpace()
        .write(0xA0 + ConfigLayout.DEVICE_CONTROL_2, 2, ConfigLayout.DEVICE_CONTROL_2_IDO_REQUEST);
    dma.read(0x1000, buffer, 0, 4, 0, all);

    // The completion repeats the request's.
    assertThat(seen)
        .containsExactly(
            RO | TlpAttributes.NO_SNOOP,
            TlpAttributes.NO_SNOOP,
            TlpAttributes.ID_BASED_ORDERING,
            TlpAttributes.ID_BASED_ORDERING);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> dma.write(0x1000, buffer, 0, 4, 0, 8))
        .withMessage("attributes must be 0..7: attributes=8");
  }

  @Test
  void shouldPassNoSnoopToTheCaches() {
    dma.read(0x1000, buffer, 0, 64, 0);
    assertThat(fabric.caches.lastNoSnoop).isFalse();
    dma.read(0x1000, buffer, 0, 64, 0, TlpAttributes.NO_SNOOP);
    assertThat(fabric.caches.lastNoSnoop).isTrue();
    dma.write(0x1000, buffer, 0, 64, 0);
    assertThat(fabric.caches.lastNoSnoop).isFalse();
    dma.write(0x1000, buffer, 0, 64, 0, TlpAttributes.NO_SNOOP);
    assertThat(fabric.caches.lastNoSnoop).isTrue();
  }

  @Test
  void shouldUse32TagsUntilSoftwareAllowsMore() {
    DmaPort many = fabric.plug(GEN3_X8.withTags(256)).dma();
    fabric.caches.deviceReadPs = 10_000_000;
    List<Integer> tags = new ArrayList<>();
    fabric
        .port(1)
        .listen(
            (header01, header23, sentPs, effectivePs) -> {
              if (TlpHeader.isMemoryRead(header01)) {
                tags.add(TlpHeader.requestTag(header01));
              }
            });
    ConfigSpace config = fabric.port(1).endpoint().configSpace();

    config.write(0xA0 + ConfigLayout.DEVICE_CONTROL, 2, 0);
    assertThat(readsInTime(many, 300, 0)).isEqualTo(32);
    assertThat(tags.subList(0, 32)).doesNotHaveDuplicates().allMatch(tag -> tag < 32);
    tags.clear();
    config.write(0xA0 + ConfigLayout.DEVICE_CONTROL, 2, ConfigLayout.DEVICE_CONTROL_EXTENDED_TAG);
    assertThat(readsInTime(many, 300, 1_000_000_000)).isEqualTo(256);
    assertThat(tags.subList(0, 256)).doesNotHaveDuplicates();
  }

  private int readsInTime(DmaPort port, int reads, long atPs) {
    int inTime = 0;
    for (int i = 0; i < reads; i++) {
      inTime += port.read(0x1000, buffer, 0, 4, atPs) < atPs + 20_000_000 ? 1 : 0;
    }
    return inTime;
  }

  // Random traffic.

  /** A TLP on its way up, with the order in which it was computed. */
  private record Sent(OrderedTlp tlp, long sentPs, long effectivePs, int number) {}

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void shouldPassOnlyWhereTheTableAllowsIt(long seed) {
    List<Sent> sent = new ArrayList<>();
    fabric
        .port(0)
        .listen(
            (header01, header23, sentPs, effectivePs) -> {
              if (!TlpHeader.isCompletion(header01)) {
                OrderedTlp tlp = OrderedTlp.of(header01, header23);
                sent.add(new Sent(tlp, sentPs, effectivePs, sent.size()));
              }
            });

    driveRandomly(new SplittableRandom(seed));

    OrderingChecker checker = check(sent);
    assertThat(checker.violations()).as("seed=%d", seed).isEmpty();
    // It was not for want of passing.
    assertThat(checker.passes()).extracting(OrderingChecker.Pass::cell).contains("A2b", "A3", "B3");
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void shouldKeepTheCompletionsOfEveryReadInOrder(long seed) {
    List<Sent> sent = new ArrayList<>();
    List<Long> reads = new ArrayList<>();
    fabric
        .port(0)
        .listen(
            (header01, header23, sentPs, effectivePs) -> {
              if (TlpHeader.isMemoryRead(header01)) {
                reads.add(sentPs);
              } else if (TlpHeader.isCompletion(header01)) {
                // Tags are used again: the request counts.
                OrderedTlp tlp =
                    new OrderedTlp(
                        TlpClass.COMPLETION,
                        TlpHeader.attributes(header01),
                        TlpHeader.senderId(header01),
                        reads.size());
                sent.add(new Sent(tlp, sent.size(), effectivePs, sent.size()));
              }
            });

    driveRandomly(new SplittableRandom(seed));

    OrderingChecker checker = check(sent);
    assertThat(checker.violations()).as("seed=%d", seed).isEmpty();
    assertThat(checker.passes()).extracting(OrderingChecker.Pass::cell).contains("D5a");
  }

  private void driveRandomly(SplittableRandom random) {
    long atPs = 0;
    for (int i = 0; i < 2_000; i++) {
      fabric.caches.deviceWritePs = random.nextLong(600_000);
      fabric.caches.deviceReadPs = random.nextLong(600_000);
      long iova = HIGH + random.nextInt(1 << 16);
      int lengthBytes = 1 + random.nextInt(i % 10 == 0 ? 1024 : 64);
      switch (random.nextInt(5)) {
        case 0 -> dma.read(iova, buffer, 0, lengthBytes, atPs);
        case 1 -> dma.read(iova, buffer, 0, lengthBytes, atPs, RO);
        case 2 -> dma.write(iova, buffer, 0, lengthBytes, atPs);
        case 3 -> dma.write(iova, buffer, 0, lengthBytes, atPs, RO);
        default -> dma.writeStatus(iova, buffer, 0, lengthBytes, atPs);
      }
      if (random.nextInt(2) == 0) {
        atPs += random.nextLong(300_000);
        fabric.simulation.runUntil(atPs);
      }
    }
  }

  /** Lets all enter and leave at their times, first in first out among equals. */
  private static OrderingChecker check(List<Sent> sent) {
    List<Sent> entering = new ArrayList<>(sent);
    entering.sort(Comparator.comparingLong(Sent::sentPs).thenComparingInt(Sent::number));
    List<Sent> leaving = new ArrayList<>(entering);
    leaving.sort(Comparator.comparingLong(Sent::effectivePs)); // Stable.
    OrderingChecker checker = new OrderingChecker();
    int next = 0;
    for (Sent tlp : leaving) {
      while (next < entering.size() && entering.get(next).sentPs() <= tlp.effectivePs()) {
        checker.enter(entering.get(next++).tlp());
      }
      checker.leave(tlp.tlp());
    }
    return checker;
  }
}
