package io.github.bellwire.pcie;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.bellwire.cache.DevicePortConfig;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RootComplexTest {
  private final TestFabric fabric = new TestFabric();

  @Test
  void shouldNumberPortsInTheOrderOfAttachment() {
    RecordingEndpoint first = fabric.plug(PcieLinkConfig.GEN3_X8);
    RecordingEndpoint second = fabric.plug(PcieLinkConfig.GEN4_X16);

    assertThat(fabric.rootComplex.ports()).hasSize(2);
    assertThat(fabric.port(0).endpoint()).isSameAs(first);
    assertThat(fabric.port(1).endpoint()).isSameAs(second);
    assertThat(fabric.port(0).bdf()).isEqualTo(new Bdf(1, 0, 0));
    assertThat(fabric.port(1).bdf()).isEqualTo(new Bdf(2, 0, 0));
    assertThat(fabric.port(1).link()).isEqualTo(PcieLinkConfig.GEN4_X16);
    assertThatExceptionOfType(UnsupportedOperationException.class)
        .isThrownBy(() -> fabric.rootComplex.ports().clear());
  }

  @Test
  void shouldTellFunctionsApartByTheirRequesterId() {
    fabric.plug(PcieLinkConfig.GEN3_X8).dma().sendMessage(0xFEE0_0000L, 1, 0);
    fabric.plug(PcieLinkConfig.GEN3_X8).dma().sendMessage(0xFEE0_0000L, 2, 0);

    assertThat(fabric.messages)
        .extracting(TestFabric.Message::requesterId)
        .containsExactly(0x0100, 0x0200);
  }

  @Test
  void shouldLimitTheHorizonWhileSeveralFunctionsMayIssueRequests() {
    RecordingEndpoint first = fabric.plug(PcieLinkConfig.GEN3_X8);
    assertThat(first.dma().horizonPs()).isEqualTo(Long.MAX_VALUE);

    RecordingEndpoint second = fabric.plug(PcieLinkConfig.GEN3_X8);
    assertThat(first.dma().horizonPs()).isEqualTo(50_000);
    assertThat(second.dma().horizonPs()).isEqualTo(50_000);

    second.busMaster(false);
    assertThat(first.dma().horizonPs()).isEqualTo(Long.MAX_VALUE);
  }

  @ParameterizedTest
  @ValueSource(longs = {-1, 10_000_001})
  void shouldRejectAnIllegalDelay(long delayPs) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new RootComplexConfig(delayPs, 0))
        .withMessage("upstreamPs must be 0..10000000: upstreamPs=" + delayPs);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new RootComplexConfig(0, delayPs))
        .withMessage("downstreamPs must be 0..10000000: downstreamPs=" + delayPs);
  }

  @Test
  void shouldGiveEveryPortItsOwnWayIntoTheCaches() {
    TestFabric fabric = new TestFabric();
    DevicePortConfig caching = new DevicePortConfig(false, 1);

    fabric.rootComplex.attach(new RecordingEndpoint(), PcieLinkConfig.GEN3_X8, caching);
    assertThat(fabric.caches.lastPortConfig).isEqualTo(caching);

    fabric.rootComplex.attach(new RecordingEndpoint(), PcieLinkConfig.GEN3_X8);
    assertThat(fabric.caches.lastPortConfig).isEqualTo(DevicePortConfig.DEFAULT);
  }
}
