package io.github.bellwire.pcie;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.bellwire.pcie.PcieLinkConfig.DllpCharge;
import org.junit.jupiter.api.Test;

/**
 * Answers to reads that change after they were given. 126.953125 ps per byte, no other delays; MRd
 * of 20 B take 2_539 ps, CplD of 64 + 20 B 10_664 ps.
 */
class AskAgainTest {
  private static final PcieLinkConfig GEN3_X8 =
      PcieLinkConfig.GEN3_X8.withDllpCharge(DllpCharge.NONE).withPropagationPs(0);
  private static final int BYTES = 64;

  private final TestFabric fabric = new TestFabric();
  private final DmaPort dma = fabric.plug(GEN3_X8.withTags(2)).dma();
  private final byte[] buffer = new byte[1024];
  private final RecordingEndpoint neighbour = fabric.plug(GEN3_X8);

  private long read(long readPs, long atPs) {
    fabric.caches.deviceReadPs = readPs;
    return dma.read(0x1000, buffer, 0, BYTES, atPs);
  }

  private void delay(int read, long ps) {
    fabric.caches.memoryDelayPs[read] = ps;
    fabric.caches.memoryChangesTotal++;
  }

  @Test
  void shouldSendWhatIsReadyFirstFirst() {
    long first = read(500_000, 0);
    long firstTicket = dma.readTicket();
    long second = read(490_000, 5_000);
    long secondTicket = dma.readTicket();

    // Ready at 502_539 and at 497_539: together they take 21_328.125.
    assertThat(first).isEqualTo(513_203);
    assertThat(second).isEqualTo(508_203);
    fabric.simulation.runUntil(second);
    assertThat(dma.arrivalPs(secondTicket)).isEqualTo(second);
    fabric.simulation.runUntil(first);
    assertThat(dma.arrivalPs(firstTicket)).isEqualTo(518_867);
  }

  @Test
  void shouldFreeTagsWhenTheAnswersHaveCome() {
    long first = read(500_000, 0);
    read(490_000, 5_000);
    fabric.simulation.runUntil(first);

    assertThat(dma.tagFreePs()).isEqualTo(508_203);
    read(100_000, fabric.simulation.nowPs());
    assertThat(dma.tagFreePs()).isEqualTo(518_867);
  }

  @Test
  void shouldWaitForMemoryThatAnswersLater() {
    long toldPs = read(500_000, 0);
    long ticket = dma.readTicket();
    delay(0, 100_000);
    fabric.simulation.runUntil(toldPs);

    assertThat(dma.arrivalPs(ticket)).isEqualTo(toldPs + 100_000);
    delay(0, 150_000);
    fabric.simulation.runUntil(toldPs + 100_000);
    assertThat(dma.arrivalPs(ticket)).isEqualTo(toldPs + 150_000);
    fabric.simulation.runUntil(toldPs + 150_000);
    assertThat(dma.arrivalPs(ticket)).isEqualTo(toldPs + 150_000);
    // What has arrived has arrived.
    delay(0, 300_000);
    assertThat(dma.arrivalPs(ticket)).isEqualTo(toldPs + 150_000);
  }

  @Test
  void shouldTakeTheFirstAnswerOfMemoryWhenAlone() {
    neighbour.configSpace().write(ConfigLayout.COMMAND, 2, 0);
    long toldPs = read(500_000, 0);
    long ticket = dma.readTicket();
    delay(0, 100_000);
    fabric.simulation.runUntil(toldPs);

    assertThat(dma.arrivalPs(ticket)).isEqualTo(toldPs);
  }

  @Test
  void shouldGiveThePlaceOfALateAnswerToTheNext() {
    read(500_000, 0);
    long lateTicket = dma.readTicket();
    read(500_000, 0);
    long ticket = dma.readTicket();
    delay(0, 400_000);
    fabric.simulation.runUntil(513_203);

    assertThat(dma.arrivalPs(lateTicket)).isEqualTo(913_203);
    // Sent behind the other request, ready at 505_078.
    assertThat(dma.arrivalPs(ticket)).isEqualTo(515_742);
    assertThat(dma.tagFreePs()).isEqualTo(515_742);
  }

  @Test
  void shouldFindOutThatALaterAnswerComesFirst() {
    read(500_000, 0);
    read(900_000, 0);
    assertThat(dma.tagFreePs()).isEqualTo(513_203);
    delay(1, -500_000);
    fabric.simulation.runUntil(100_000);

    // Ready at 405_078.
    assertThat(dma.tagFreePs()).isEqualTo(415_742);
  }

  @Test
  void shouldStayBehindWritesThatWereReadBehind() {
    fabric.caches.deviceWritePs = 800_000;
    dma.write(0x2000, buffer, 0, BYTES, 0);
    long toldPs = read(500_000, 0);
    long ticket = dma.readTicket();
    delay(0, 100_000);
    fabric.simulation.runUntil(toldPs);

    // MWr of 84 B 10_664, then its 800_000; the read's data would be there before.
    assertThat(toldPs).isEqualTo(810_664 + 10_664);
    assertThat(dma.arrivalPs(ticket)).isEqualTo(toldPs);
  }

  @Test
  void shouldKnowTheLastOfManyRequests() {
    fabric.caches.deviceReadPs = 500_000;
    long toldPs = dma.read(0x1000, buffer, 0, 1024, 0);
    long ticket = dma.readTicket();
    delay(0, 700_000);
    fabric.simulation.runUntil(toldPs);

    // The first of two, of 512 B: ready at 1_202_539, two CplD of 276 B 70_078.
    assertThat(dma.arrivalPs(ticket)).isEqualTo(1_272_617);
  }

  @Test
  void shouldRememberMoreReadsThanThereAreTags() {
    DmaPort wide = fabric.plug(GEN3_X8.withTags(32)).dma();
    fabric.caches.deviceReadPs = 1_000_000;
    long[] tickets = new long[32];
    for (int i = 0; i < tickets.length; i++) {
      wide.read(0x1000, buffer, 0, BYTES, 0);
      tickets[i] = wide.readTicket();
    }
    fabric.simulation.runUntil(2_000_000);

    for (int i = 0; i < tickets.length; i++) {
      // Ready 2_539.0625 apart, sent 10_664.0625 apart.
      long sentPs = 1_002_539 + (i + 1) * 10_664L + (i + 1) / 16;
      assertThat(wide.arrivalPs(tickets[i])).isEqualTo(sentPs);
    }
    fabric.simulation.runUntil(1_000_000_000);
    for (int i = 0; i < 64; i++) {
      wide.read(0x1000, buffer, 0, BYTES, fabric.simulation.nowPs());
    }
    assertThat(wide.arrivalPs(tickets[0])).isZero();
  }

  @Test
  void shouldHaveNothingToWaitForWhenARequestWasNotSent() {
    DmaPort silent = fabric.plug(GEN3_X8).dma();
    fabric.port(2).endpoint().configSpace().write(ConfigLayout.COMMAND, 2, 0);
    silent.read(0x1000, buffer, 0, BYTES, 0);

    assertThat(silent.status()).isEqualTo(DmaStatus.BUS_MASTER_DISABLED);
    assertThat(silent.arrivalPs(silent.readTicket())).isZero();
  }
}
