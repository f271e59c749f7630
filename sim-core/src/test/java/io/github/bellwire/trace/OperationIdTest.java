package io.github.bellwire.trace;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OperationIdTest {
  private static final long SEQUENCE_MAX = (1L << 48) - 1;

  @Test
  void shouldPackPortDirectionQueueAndSequence() {
    // Port 63:56, direction 55, queue 54:48, sequence 47:0.
    assertThat(OperationId.receive(0x12, 0x34, 0x5678)).isEqualTo(0x1234_0000_0000_5678L);
    assertThat(OperationId.transmit(0x12, 0x34, 0x5678)).isEqualTo(0x12b4_0000_0000_5678L);
  }

  @ParameterizedTest
  @CsvSource({"0, 0, 0", "255, 127, 281474976710655", "1, 0, 17", "0, 1, 1", "128, 64, 4294967296"})
  void shouldGiveBackWhatItWasMadeOf(int port, int queue, long sequence) {
    long receive = OperationId.receive(port, queue, sequence);
    long transmit = OperationId.transmit(port, queue, sequence);

    for (long id : new long[] {receive, transmit}) {
      assertThat(OperationId.portIndex(id)).isEqualTo(port);
      assertThat(OperationId.queueIndex(id)).isEqualTo(queue);
      assertThat(OperationId.sequence(id)).isEqualTo(sequence);
    }
    assertThat(OperationId.isTransmit(receive)).isFalse();
    assertThat(OperationId.isTransmit(transmit)).isTrue();
  }

  @Test
  void shouldWrapTheSequenceWithoutTouchingTheQueue() {
    assertThat(OperationId.receive(1, 2, SEQUENCE_MAX + 5)).isEqualTo(OperationId.receive(1, 2, 4));
    assertThat(OperationId.transmit(1, 2, -1)).isEqualTo(OperationId.transmit(1, 2, SEQUENCE_MAX));
  }

  @Test
  void shouldDescribeItself() {
    assertThat(OperationId.describe(OperationId.receive(0, 0, 17)))
        .isEqualTo("port 0 rx queue 0 #17");
    assertThat(OperationId.describe(OperationId.transmit(255, 127, SEQUENCE_MAX)))
        .isEqualTo("port 255 tx queue 127 #281474976710655");
  }
}
