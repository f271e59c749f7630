package io.github.bellwire.device.nic;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class NicConfigTest {
  @Test
  void shouldDescribeThe82599() {
    NicConfig nic = NicConfig.NIC_82599;

    assertThat(nic.deviceId()).isEqualTo(0x10FB);
    assertThat(nic.lineBitsPerSecond()).isEqualTo(10_000_000_000L);
    assertThat(nic.rxFifoBytes()).isEqualTo(524_288);
    assertThat(nic.txFifoBytes()).isEqualTo(163_840);
    assertThat(nic.onChipTxDescriptors()).isEqualTo(40);
    assertThat(nic.rxPrefetchDescriptors()).isEqualTo(1);
    assertThat(nic.rxQueues()).isEqualTo(64);
    assertThat(nic.txQueues()).isEqualTo(64);
    assertThat(nic.resetPs()).isEqualTo(1_000_000_000L);
    assertThat(nic.maxFrameBytes()).isEqualTo(1518);
  }

  @Test
  void shouldLetTheWireBeTheLimitUnlessToldOtherwise() {
    assertThat(NicConfig.NIC_82599.descriptorsPerSecond()).isEqualTo(NicConfig.UNLIMITED);
  }

  @ParameterizedTest
  @MethodSource("wrongValues")
  void shouldNameWhatIsWrong(UnaryOperator<NicConfig.Builder> change, String message) {
    NicConfig.Builder builder = change.apply(NicConfig.NIC_82599.toBuilder());

    assertThatIllegalArgumentException().isThrownBy(builder::build).withMessage(message);
  }

  @Test
  void shouldChangeOnePropertyAtATime() {
    NicConfig nic = NicConfig.NIC_82599;

    assertThat(nic.withDeviceId(NicConfig.DEVICE_82599_XAUI).deviceId()).isEqualTo(0x10FC);
    assertThat(nic.withMacAddress(0x001B21AABBCCL).macAddress()).isEqualTo(0x001B21AABBCCL);
    assertThat(nic.withPortIndex(1).portIndex()).isEqualTo(1);
    assertThat(nic.withLineBitsPerSecond(100_000_000_000L).lineBitsPerSecond())
        .isEqualTo(100_000_000_000L);
    assertThat(nic.withDescriptorsPerSecond(NicConfig.UNLIMITED).descriptorsPerSecond())
        .isEqualTo(Long.MAX_VALUE);
    assertThat(nic.withRxPrefetchDescriptors(8).rxPrefetchDescriptors()).isEqualTo(8);
    assertThat(nic.withRxFifoBytes(128 << 10).rxFifoBytes()).isEqualTo(131_072);
    assertThat(nic.withLinkUpPs(0).linkUpPs()).isZero();
    assertThat(nic.withPortIndex(1).withPortIndex(0)).isEqualTo(nic);
  }

  private static Arguments wrong(UnaryOperator<NicConfig.Builder> change, String message) {
    return Arguments.of(change, message);
  }
}
