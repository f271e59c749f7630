package io.github.bellwire.device.nic;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.bellwire.host.Host;
import io.github.bellwire.host.HostConfig;
import io.github.bellwire.pcie.AerLayout;
import io.github.bellwire.pcie.ConfigLayout;
import io.github.bellwire.pcie.ConfigSpace;
import io.github.bellwire.pcie.ExtendedCapabilityId;
import io.github.bellwire.pcie.PcieLinkConfig;
import io.github.bellwire.pcie.TlpAttributes;
import io.github.bellwire.pcie.TlpFault;
import io.github.bellwire.pcie.TlpHeader;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * What faults of receiving and sending leave in the registers of Advanced Error Reporting: at the
 * card what it detects, at the root port what the card has asked for that nobody has. Then the
 * attributes of the card's requests.
 */
class NicErrorReportingTest {
  private static final long NOWHERE = 1L << 44;
  private static final int POISONED = 1 << 12;
  private static final int UNSUPPORTED = 1 << 20;
  private static final int ADVISORY = 1 << 13;
  private static final int DEVICE_CONTROL = 0xA0 + ConfigLayout.DEVICE_CONTROL;
  private static final int REPORT_ALL = 0xF;
  private static final int NON_FATAL_ARRIVED =
      AerLayout.ROOT_STATUS_UNCORRECTABLE | AerLayout.ROOT_STATUS_NON_FATAL;

  private final NicBench bench = new NicBench();
  private final ConfigSpace card = bench.nic.configSpace();
  private final ConfigSpace root = bench.port.configSpace();
  private final int rootAer = root.findCapability(ExtendedCapabilityId.ADVANCED_ERROR_REPORTING);

  private int card(int offset) {
    return card.read(0x100 + offset, 4);
  }

  private int root(int offset) {
    return root.read(rootAer + offset, 4);
  }

  private void reportAll() {
    card.write(DEVICE_CONTROL, 2, card.read(DEVICE_CONTROL, 2) | REPORT_ALL);
  }

  @Test
  void shouldHaveTheCapabilitiesWhereThePartHasThem() {
    // Error reporting at 100h, role-based errors and function-level reset in device capabilities.
    assertThat(card.read(0x100, 2)).isEqualTo(1);
    assertThat(card.read(0xA4, 4) & 1 << 28).isNotZero();
    assertThat(card(AerLayout.UNCORRECTABLE_STATUS)).isZero();
    // A card has no root error registers.
    card.write(0x100 + AerLayout.ROOT_COMMAND, 4, 7);
    assertThat(card(AerLayout.ROOT_COMMAND)).isZero();
  }

  @Test
  void shouldShowAWriteToABadReceiveBufferAtTheRootPort() {
    NicBench.RxRing ring = bench.rxRing(0, 8).post(7);
    bench.memory().putLong(ring.base, NOWHERE);

    bench.receive(NicBench.frame(60, 1));
    bench.run();

    assertThat(bench.counter("rx_fault_count")).isEqualTo(1);
    assertThat(root(AerLayout.UNCORRECTABLE_STATUS)).isEqualTo(UNSUPPORTED);
    // The write in the header log: 4 DW with data, 15 DW; requester 01:00.0; the address.
    assertThat(root(AerLayout.HEADER_LOG)).isEqualTo(0x6000_000F);
    assertThat(root(AerLayout.HEADER_LOG + 4) >>> 16).isEqualTo(0x0100);
    assertThat(root(AerLayout.HEADER_LOG + 8)).isEqualTo((int) (NOWHERE >>> 32));
    assertThat(root(AerLayout.HEADER_LOG + 12)).isZero();
    // Posted: the card never hears of it.
    assertThat(card(AerLayout.UNCORRECTABLE_STATUS)).isZero();
    assertThat(card.read(ConfigLayout.STATUS, 2) & ConfigLayout.STATUS_RW1C).isZero();
  }

  @Test
  void shouldShowAReadOfABadTransmitBufferAsAdvisory() {
    root.write(rootAer + AerLayout.CORRECTABLE_MASK, 4, 0);
    NicBench.TxRing ring = bench.txRing(0, 8, 0);
    ring.add(NOWHERE, TxDescriptorLayout.dataHigh(64, NicBench.TxRing.EOP_FCS_RS, 0, 0, 64));
    ring.ring();

    bench.run();

    assertThat(bench.counter("tx_fault_count")).isEqualTo(1);
    assertThat(root(AerLayout.CORRECTABLE_STATUS)).isEqualTo(ADVISORY);
    assertThat(root(AerLayout.UNCORRECTABLE_STATUS)).isEqualTo(UNSUPPORTED);
    // A 4 DW read of 16 DW with relaxed ordering off.
    assertThat(root(AerLayout.HEADER_LOG)).isEqualTo(0x2000_0010);
    int status = card.read(ConfigLayout.STATUS, 2) & ConfigLayout.STATUS_RW1C;
    assertThat(status).isEqualTo(ConfigLayout.STATUS_RECEIVED_MASTER_ABORT);
    assertThat(card(AerLayout.UNCORRECTABLE_STATUS)).isZero();
  }

  @Test
  void shouldNotePoisonedDataAndTellTheRootPort() {
    reportAll();
    NicBench.TxRing ring = bench.txRing(0, 8, 0);
    // The first completion brings the descriptors, the second the data.
    bench.port.downstreamFaults().inject(TlpFault.POISONED, 1);
    ring.add(NicBench.frame(60, 1)).ring();

    bench.run();

    assertThat(bench.sent).isEmpty();
    assertThat(bench.counter("tx_fault_count")).isEqualTo(1);
    assertThat(card(AerLayout.UNCORRECTABLE_STATUS)).isEqualTo(POISONED);
    int status = card.read(ConfigLayout.STATUS, 2) & ConfigLayout.STATUS_RW1C;
    assertThat(status).isEqualTo(ConfigLayout.STATUS_DETECTED_PARITY_ERROR);
    assertThat(root(AerLayout.ROOT_STATUS)).isEqualTo(NON_FATAL_ARRIVED);
    assertThat(root(AerLayout.SOURCE_ID)).isEqualTo(0x0100_0000);
    ring.add(NicBench.frame(60, 2)).ring();
    bench.run();
    assertThat(bench.sent).containsExactly(NicBench.frame(60, 2));
  }

  @Test
  void shouldNoteAWriteBehindItsWindows() {
    reportAll();
    // 512 KiB and 16 KiB of the bridge's 1 MiB are the card's.
    long address = card.barAddress(0) + (512 << 10) + (16 << 10);

    bench.host.synchronousPort(0).mmioWrite(address, 4, 1);
    bench.run();

    assertThat(card(AerLayout.UNCORRECTABLE_STATUS)).isEqualTo(UNSUPPORTED);
    assertThat(root(AerLayout.ROOT_STATUS)).isEqualTo(NON_FATAL_ARRIVED);
  }

  @Test
  void shouldRelaxReadsAndPayloadButNoReports() {
    // Reads of descriptors, the payload, and the report; then all of them strict.
    int relaxed = TlpAttributes.RELAXED_ORDERING;
    assertThat(attributes(true, 0)).containsExactly(relaxed, relaxed, 0);
    assertThat(attributes(true, NicRegisters.CTRL_EXT_RO_DIS)).containsExactly(0, 0, 0);
    assertThat(attributes(false, 0)).containsExactly(0, 0, 0);
  }

  @Test
  void shouldRelaxAgainAfterAReset() {
    NicBench relaxed = relaxedBench(true);
    relaxed.write(NicRegisters.CTRL_EXT, NicRegisters.CTRL_EXT_RO_DIS);
    relaxed.write(NicRegisters.CTRL, NicRegisters.CTRL_RST);
    relaxed.run();
    relaxed.start();

    assertThat(attributes(relaxed)).contains(TlpAttributes.RELAXED_ORDERING);
  }

  private static NicBench relaxedBench(boolean isAllowed) {
    PcieLinkConfig link = HostConfig.GEN4_SERVER.link();
    PcieLinkConfig slot = link.withRequester(link.requester().withRelaxedOrdering(isAllowed));
    NicBench bench =
        new NicBench(new Host(HostConfig.GEN4_SERVER.withLink(slot), 1), NicBench.CONFIG, null);
    bench.host.enumerate();
    bench.start();
    return bench;
  }

  private static List<Integer> attributes(boolean isAllowed, int controlExtended) {
    NicBench bench = relaxedBench(isAllowed);
    bench.write(NicRegisters.CTRL_EXT, controlExtended);
    return attributes(bench);
  }

  /** Receives a frame; returns the attributes of the card's requests. */
  private static List<Integer> attributes(NicBench bench) {
    List<Integer> attributes = new ArrayList<>();
    NicBench.RxRing ring = bench.rxRing(0, 8).post(7);
    bench.port.listen(
        (header01, header23, sentPs, effectivePs) -> {
          if (!TlpHeader.isCompletion(header01)) {
            attributes.add(TlpHeader.attributes(header01));
          }
        });
    bench.receive(NicBench.frame(60, 1));
    bench.run();
    assertThat(ring.takeAll()).containsExactly(NicBench.frame(60, 1));
    return attributes;
  }
}
