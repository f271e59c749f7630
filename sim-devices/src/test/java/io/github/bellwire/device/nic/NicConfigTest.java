package io.github.bellwire.device.nic;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.function.UnaryOperator;
import java.util.stream.Stream;
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
    assertThat(nic.rxFetchThreshold()).isZero();
    assertThat(nic.rxWriteBackDescriptors()).isEqualTo(1);
    assertThat(nic.rxQueues()).isEqualTo(64);
    assertThat(nic.txQueues()).isEqualTo(64);
    assertThat(nic.resetPs()).isEqualTo(1_000_000_000L);
    assertThat(nic.maxFrameBytes()).isEqualTo(1518);
  }

  @Test
  void shouldLetTheWireBeTheLimitUnlessToldOtherwise() {
    assertThat(NicConfig.NIC_82599.descriptorsPerSecond()).isEqualTo(NicConfig.UNLIMITED);
  }

  static Stream<Arguments> wrongValues() {
    return Stream.of(
        wrong(b -> b.deviceId(0x10000), "deviceId must be 0..65535: deviceId=65536"),
        wrong(b -> b.macAddress(0), "macAddress must be a 48-bit unicast address: macAddress=0"),
        wrong(
            b -> b.macAddress(0x010000000001L),
            "macAddress must be a 48-bit unicast address: macAddress=1099511627777"),
        wrong(
            b -> b.macAddress(1L << 48),
            "macAddress must be a 48-bit unicast address: macAddress=281474976710656"),
        wrong(b -> b.portIndex(4), "portIndex must be 0..3: portIndex=4"),
        wrong(
            b -> b.lineBitsPerSecond(999_999_999),
            "lineBitsPerSecond must be 1000000000..800000000000: lineBitsPerSecond=999999999"),
        wrong(
            b -> b.descriptorsPerSecond(0),
            "descriptorsPerSecond must be 1..9223372036854775807: descriptorsPerSecond=0"),
        wrong(
            b -> b.rxFifoBytes(524_289),
            "rxFifoBytes must be a multiple of 1024 in 16384..1047552: rxFifoBytes=524289"),
        wrong(
            b -> b.txFifoBytes(15 << 10),
            "txFifoBytes must be a multiple of 1024 in 16384..1047552: txFifoBytes=15360"),
        wrong(
            b -> b.onChipTxDescriptors(0),
            "onChipTxDescriptors must be 1..128: onChipTxDescriptors=0"),
        wrong(
            b -> b.rxPrefetchDescriptors(65),
            "rxPrefetchDescriptors must be 1..64: rxPrefetchDescriptors=65"),
        wrong(b -> b.rxFetchThreshold(64), "rxFetchThreshold must be 0..63: rxFetchThreshold=64"),
        wrong(
            b -> b.rxWriteBackDescriptors(6),
            "rxWriteBackDescriptors must be a power of two in 1..64: rxWriteBackDescriptors=6"),
        wrong(
            b -> b.rxWriteBackDescriptors(0),
            "rxWriteBackDescriptors must be a power of two in 1..64: rxWriteBackDescriptors=0"),
        wrong(
            b -> b.rxWriteBackDelayPs(-1),
            "rxWriteBackDelayPs must be 0..1000000000000: rxWriteBackDelayPs=-1"),
        wrong(b -> b.rxLatencyPs(-1), "rxLatencyPs must be 0..100000000: rxLatencyPs=-1"),
        wrong(
            b -> b.txLatencyPs(100_000_001),
            "txLatencyPs must be 0..100000000: txLatencyPs=100000001"),
        wrong(
            b -> b.resetPs(10_000_000_001L), "resetPs must be 0..10000000000: resetPs=10000000001"),
        wrong(b -> b.linkUpPs(-1), "linkUpPs must be 0..10000000000000: linkUpPs=-1"),
        wrong(b -> b.rxQueues(65), "rxQueues must be 1..64: rxQueues=65"),
        wrong(b -> b.txQueues(0), "txQueues must be 1..64: txQueues=0"),
        wrong(b -> b.maxFrameBytes(63), "maxFrameBytes must be 64..16383: maxFrameBytes=63"));
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
    NicConfig batching = nic.withRxBatches(32, 8, 4);
    assertThat(batching.rxPrefetchDescriptors()).isEqualTo(32);
    assertThat(batching.rxFetchThreshold()).isEqualTo(8);
    assertThat(batching.rxWriteBackDescriptors()).isEqualTo(4);
    assertThat(nic.withRxFifoBytes(128 << 10).rxFifoBytes()).isEqualTo(131_072);
    assertThat(nic.withLinkUpPs(0).linkUpPs()).isZero();
    assertThat(nic.withPortIndex(1).withPortIndex(0)).isEqualTo(nic);
  }

  private static Arguments wrong(UnaryOperator<NicConfig.Builder> change, String message) {
    return Arguments.of(change, message);
  }
}
