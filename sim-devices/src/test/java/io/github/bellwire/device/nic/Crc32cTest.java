package io.github.bellwire.device.nic;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;

class Crc32cTest {
  @Test
  void shouldStoreTheCrcLeastSignificantByteFirst() {
    long seed = 13;
    Random random = new Random(seed);
    Crc32c crc = new Crc32c();
    byte[] check = "123456789".getBytes(StandardCharsets.US_ASCII);
    // The check value of CRC-32C (RFC 3720 appendix B.4 polynomial) guards the reference itself.
    assertThat(OffloadFrames.naiveCrc32c(check, 0, 9)).isEqualTo(0xE306_9283);

    for (int round = 0; round < 500; round++) {
      byte[] packet = OffloadFrames.random(random, 12 + random.nextInt(300));
      byte[] zeroed = packet.clone();
      OffloadFrames.with16(OffloadFrames.with16(zeroed, 8, 0), 10, 0);
      int expected = OffloadFrames.naiveCrc32c(zeroed, 0, zeroed.length);

      byte[] shifted = OffloadFrames.join(new byte[3], packet);
      int field = crc.field(shifted, 3, packet.length);

      assertThat(field & 0xFF).as("seed %d round %d", seed, round).isEqualTo(expected >>> 24);
      assertThat(Integer.reverseBytes(field)).as("seed %d", seed).isEqualTo(expected);
    }
  }
}
