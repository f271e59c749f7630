package io.github.bellwire.device.nic;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The short cut for frames that need no classification. */
class RxClassifierTest {
  private final RegisterFile registers = new RegisterFile(NicConfig.NIC_82599);
  private final RxClassifier classifier = new RxClassifier(registers, new ReceiveSideScaling());

  private boolean isPlain(byte[] frame) {
    return classifier.isPlain(frame, 0, frame.length);
  }

  private void acceptAll(int vlnctrl) {
    registers.set(NicRegisters.FCTRL, NicRegisters.FCTRL_UPE);
    registers.set(NicRegisters.VLNCTRL, vlnctrl);
    registers.setBits(NicRegisters.HLREG0, NicRegisters.HLREG0_RXCRCSTRP);
    registers.setBits(NicRegisters.rxdctl(0), NicRegisters.RXDCTL_VME);
    classifier.refresh(true);
  }

  @ParameterizedTest
  @CsvSource({"0x8100, false", "0x9100, false", "0x8100, true", "0x88B5, true"})
  void shouldFindNothingInFramesThatItCallsPlain(String vlanEtherType, boolean filtersVlan) {
    acceptAll(Integer.decode(vlanEtherType) | (filtersVlan ? NicRegisters.VLNCTRL_VFE : 0));

    int plain = 0;
    for (int etherType = 0; etherType <= 0xFFFF; etherType++) {
      byte[] frame = OffloadFrames.with16(new byte[60], 12, etherType);
      if (isPlain(frame)) {
        plain++;
        Frame classified = new Frame();
        classified.arrive(frame, 0, frame.length);
        classifier.classify(classified, false);
        assertThat(classifier.filter().isWanted(frame, 0, frame.length)).isTrue();
        assertThat(classified.bytes).as("%x", etherType).isSameAs(frame);
        assertThat(classified.lengthBytes).isEqualTo(60);
        assertThat(classified.queueIndex).isZero();
        assertThat(classified.writeBackLow).isZero();
        assertThat(classified.writeBackHigh).as("%x", etherType).isZero();
        assertThat(classified.fragmentChecksum).isZero();
      }
    }
    // At most 4 of 64 endings are those of headers and tags.
    assertThat(plain).isGreaterThanOrEqualTo(60 * 1024);
  }

  @Test
  void shouldCallNoFramePlainThatTheFilterMayRefuse() {
    acceptAll(0x8100);
    assertThat(isPlain(new byte[59])).isFalse();
    assertThat(isPlain(plain(60))).isTrue();
    assertThat(isPlain(plain(1514))).isTrue();
    assertThat(isPlain(plain(1515))).isFalse();
    byte[] group = plain(60);
    group[0] = 1;
    assertThat(isPlain(group)).isFalse();

    registers.clearBits(NicRegisters.HLREG0, NicRegisters.HLREG0_RXCRCSTRP);
    classifier.refresh(true);
    assertThat(isPlain(plain(60))).as("FCS kept").isFalse();
    acceptAll(0x8100);
    registers.set(NicRegisters.FCTRL, 0);
    classifier.refresh(true);
    assertThat(isPlain(plain(60))).as("own address only").isFalse();
    acceptAll(0x8100);
    classifier.refresh(false);
    assertThat(isPlain(plain(60))).as("receiver off").isFalse();
  }

  private static byte[] plain(int lengthBytes) {
    byte[] frame = new byte[lengthBytes];
    Arrays.fill(frame, 12, 14, (byte) 0xB5);
    return frame;
  }
}
