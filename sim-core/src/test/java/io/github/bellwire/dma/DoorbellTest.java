package io.github.bellwire.dma;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DoorbellTest {
  @Test
  void shouldWriteItsRegister() {
    FakeCpuPort port = new FakeCpuPort();
    Doorbell doorbell = new Doorbell(0xe000_0018L, 4);

    doorbell.ring(port, 5);
    doorbell.ring(port, 7);

    assertThat(port.mmioAddress).isEqualTo(0xe000_0018L);
    assertThat(port.mmioSizeBytes).isEqualTo(4);
    assertThat(port.mmioValue).isEqualTo(7);
    assertThat(port.nowPs).isEqualTo(2 * FakeCpuPort.LINE_PS);
    assertThat(doorbell.ringsCount()).isEqualTo(2);
    assertThat(doorbell.address()).isEqualTo(0xe000_0018L);
    assertThat(doorbell.sizeBytes()).isEqualTo(4);
  }

  @ParameterizedTest
  @ValueSource(ints = {-4, 0, 3, 16})
  void shouldRejectAnIllegalSize(int sizeBytes) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Doorbell(0, sizeBytes))
        .withMessage("sizeBytes must be 1, 2, 4 or 8: sizeBytes=" + sizeBytes);
  }

  @Test
  void shouldRejectAnAddressThatIsNotAligned() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Doorbell(0x1004, 8))
        .withMessage("address must be a multiple of 8: address=0x1004");
  }
}
