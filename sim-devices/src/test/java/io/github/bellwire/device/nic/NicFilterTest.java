package io.github.bellwire.device.nic;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Which frames the MAC lets in. */
class NicFilterTest {
  private static final long OTHER = 0x02_00_00_00_00_02L;
  private static final long GROUP = 0x01_00_5E_00_12_34L;
  private static final long BROADCAST = 0xFFFF_FFFF_FFFFL;

  private final NicBench bench = new NicBench();
  private final NicBench.RxRing ring = bench.rxRing(0, 64).post(63);

  // Lengths without FCS; the tag is part of them.
  @ParameterizedTest
  @CsvSource({
    "59, false, false, 0, undersize",
    "60, false, false, 0, accepted",
    "1514, false, false, 0, accepted",
    "1515, false, false, 0, oversize",
    "1518, true, false, 0, accepted",
    "1519, true, false, 0, oversize",
    "1515, false, false, 9018, oversize",
    "9014, false, true, 9018, accepted",
    "9015, false, true, 9018, oversize",
    "9018, true, true, 9018, accepted",
    "9019, true, true, 9018, oversize",
    "997, false, true, 1000, oversize",
    "997, false, false, 1000, accepted"
  })
  void shouldAcceptTheLengthsThatMaxfrsAllowsWithJumboEnabled(
      int lengthBytes, boolean isTagged, boolean isJumbo, int maxfrs, String outcome) {
    if (isJumbo) {
      int hlreg0 = bench.read(NicRegisters.HLREG0);
      bench.write(NicRegisters.HLREG0, hlreg0 | NicRegisters.HLREG0_JUMBOEN);
    }
    if (maxfrs != 0) {
      bench.write(NicRegisters.MAXFRS, maxfrs << NicRegisters.MAXFRS_SHIFT);
    }
    byte[] frame = NicBench.frame(lengthBytes, 1);
    if (isTagged) {
      OffloadFrames.with16(frame, 12, 0x8100);
    }

    bench.receive(frame);
    bench.run();

    assertThat(ring.takeAll()).hasSize("accepted".equals(outcome) ? 1 : 0);
    assertThat(bench.read(NicRegisters.ROC)).isEqualTo("oversize".equals(outcome) ? 1 : 0);
    assertThat(bench.read(NicRegisters.RUC)).isEqualTo("undersize".equals(outcome) ? 1 : 0);
    assertThat(bench.read(NicRegisters.TPR)).isEqualTo(1);
    assertThat(bench.counter("rx_bad_count")).isEqualTo("accepted".equals(outcome) ? 0 : 1);
  }

  @Test
  void shouldCountAnEmptyFrameAsUndersize() {
    bench.receive(new byte[0]);
    bench.receive(new byte[13]);

    assertThat(bench.read(NicRegisters.RUC)).isEqualTo(2);
  }

  @Test
  void shouldHearItsOwnAddressAlone() {
    bench.write(NicRegisters.FCTRL, 0);

    assertThat(isAccepted(NicBench.STATION)).isTrue();
    assertThat(isAccepted(OTHER)).isFalse();
    assertThat(isAccepted(GROUP)).isFalse();
    assertThat(isAccepted(BROADCAST)).isFalse();
    assertThat(bench.counter("rx_filtered_count")).isEqualTo(3);
  }

  @Test
  void shouldOpenForWhatFctrlNames() {
    bench.write(NicRegisters.FCTRL, NicRegisters.FCTRL_UPE);
    assertThat(isAccepted(OTHER)).isTrue();
    assertThat(isAccepted(GROUP)).isFalse();
    assertThat(isAccepted(BROADCAST)).isFalse();
    bench.write(NicRegisters.FCTRL, NicRegisters.FCTRL_MPE);
    assertThat(isAccepted(OTHER)).isFalse();
    assertThat(isAccepted(GROUP)).isTrue();
    bench.write(NicRegisters.FCTRL, NicRegisters.FCTRL_BAM);
    assertThat(isAccepted(OTHER)).isFalse();
    assertThat(isAccepted(GROUP)).isFalse();
    assertThat(isAccepted(BROADCAST)).isTrue();
    assertThat(bench.read(NicRegisters.BPRC)).isEqualTo(1);
    assertThat(bench.read(NicRegisters.MPRC)).isEqualTo(1);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 64, 127})
  void shouldHearEveryExactAddressThatIsValid(int index) {
    bench.write(NicRegisters.FCTRL, 0);
    bench.write(NicRegisters.ral(index), 0xEFBEADDE); // DE:AD:BE:EF:12:34 in wire order
    bench.write(NicRegisters.rah(index), 0x3412);
    assertThat(isAccepted(0xDEAD_BEEF_1234L)).isFalse();

    bench.write(NicRegisters.rah(index), 0x3412 | NicRegisters.RAH_AV);

    assertThat(isAccepted(0xDEAD_BEEF_1234L)).isTrue();
    assertThat(isAccepted(0xDEAD_BEEF_1235L)).isFalse();
    assertThat(isAccepted(0xDFAD_BEEF_1234L)).isFalse();
  }

  // Address bits 47:36, 46:35, 45:34 and 43:32, where bit 47 is the last on the wire of the last
  // byte: for ...:12:34 the word is 3412h, so 341h, 682h, D04h and 412h.
  @ParameterizedTest
  @CsvSource({"0, 0x341", "1, 0x682", "2, 0xD04", "3, 0x412"})
  void shouldHashGroupAddressesAsMcstctrlSays(int mode, String vectorHex) {
    int vector = Integer.decode(vectorHex);
    bench.write(NicRegisters.FCTRL, 0);
    bench.write(NicRegisters.mta(vector / 32), 1 << vector % 32);
    bench.write(NicRegisters.MCSTCTRL, mode);
    assertThat(isAccepted(GROUP)).as("filter off").isFalse();

    bench.write(NicRegisters.MCSTCTRL, NicRegisters.MCSTCTRL_MFE | mode);

    assertThat(isAccepted(GROUP)).isTrue();
    assertThat(isAccepted(GROUP ^ 0x1010)).isFalse();
    bench.write(NicRegisters.MCSTCTRL, NicRegisters.MCSTCTRL_MFE | mode ^ 1);
    assertThat(isAccepted(GROUP)).isFalse();
  }

  @Test
  void shouldFilterVlansByTheirTable() {
    bench.write(NicRegisters.VLNCTRL, 0x8100 | NicRegisters.VLNCTRL_VFE);
    bench.write(NicRegisters.vfta(0x123 / 32), 1 << 0x123 % 32);

    // Priority bits do not matter, and untagged frames pass.
    assertThat(isAccepted(tagged(0x8100, 0x123))).isTrue();
    assertThat(isAccepted(tagged(0x8100, 0xF123))).isTrue();
    assertThat(isAccepted(tagged(0x8100, 0x122))).isFalse();
    assertThat(isAccepted(tagged(0x88A8, 0x122))).isTrue();
    bench.write(NicRegisters.VLNCTRL, 0x8100);
    assertThat(isAccepted(tagged(0x8100, 0x122))).isTrue();
  }

  @Test
  void shouldHearNothingWhileTheReceiverIsOffOrTheLinkDown() {
    bench.write(NicRegisters.RXCTRL, 0);
    assertThat(isAccepted(NicBench.STATION)).isFalse();
    bench.write(NicRegisters.RXCTRL, 1);
    bench.write(NicRegisters.AUTOC, NicRegisters.AUTOC_AN_RESTART);
    bench.receive(NicBench.frame(60, 1));

    assertThat(bench.counter("rx_filtered_count")).isEqualTo(2);
    assertThat(bench.read(NicRegisters.TPR)).isZero();
  }

  private boolean isAccepted(long destination) {
    return isAccepted(NicBench.setAddress(NicBench.frame(60, 1), destination));
  }

  private boolean isAccepted(byte[] frame) {
    bench.receive(frame);
    bench.run();
    return !ring.takeAll().isEmpty();
  }

  private static byte[] tagged(int etherType, int tci) {
    byte[] frame = NicBench.frame(64, 1);
    return OffloadFrames.with16(OffloadFrames.with16(frame, 12, etherType), 14, tci);
  }
}
