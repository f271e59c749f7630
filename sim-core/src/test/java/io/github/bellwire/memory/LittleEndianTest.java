package io.github.bellwire.memory;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class LittleEndianTest {
  private final byte[] bytes = new byte[12];

  @Test
  void shouldPutTheLowestByteFirst() {
    LittleEndian.put(bytes, 1, 3, 0x7F_83_82_81L);

    assertThat(bytes)
        .containsExactly(0, (byte) 0x81, (byte) 0x82, (byte) 0x83, 0, 0, 0, 0, 0, 0, 0, 0);
    assertThat(LittleEndian.get(bytes, 1, 3)).isEqualTo(0x83_82_81);
  }

  @Test
  void shouldAgreeOnEverySize() {
    LittleEndian.putLong(bytes, 3, 0x8877_6655_4433_2211L);

    assertThat(LittleEndian.get(bytes, 3, 8)).isEqualTo(0x8877_6655_4433_2211L);
    assertThat(LittleEndian.getLong(bytes, 3)).isEqualTo(0x8877_6655_4433_2211L);
    assertThat(LittleEndian.getInt(bytes, 7)).isEqualTo(0x8877_6655);
    assertThat(LittleEndian.get(bytes, 7, 4)).isEqualTo(0x8877_6655L);

    LittleEndian.putInt(bytes, 7, -2);

    assertThat(LittleEndian.getLong(bytes, 3)).isEqualTo(0xFFFF_FFFE_4433_2211L);
    assertThat(bytes[11]).isZero();
  }
}
