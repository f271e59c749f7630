package io.github.bellwire.device.nic;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;

class ToeplitzHashTest {
  @Test
  void shouldHashToZeroUnderAKeyOfZeros() {
    assertThat(new ToeplitzHash().hash(0, OffloadFrames.random(new Random(1), 36), 0, 36)).isZero();
  }

  @Test
  void shouldSelectTheKeyWindowOfASingleBit() {
    ToeplitzHash hash = new ToeplitzHash();
    hash.setKeyByte(0, 0x6D);
    hash.setKeyByte(1, 0x5A);
    hash.setKeyByte(4, 0x80);

    // Bit 0 meets key bits 0..31, bit 1 meets bits 1..32: shifted left, bit 32 comes in.
    assertThat(hash.hash(0, new byte[] {(byte) 0x80}, 0, 1)).isEqualTo(0x6D5A_0000);
    assertThat(hash.hash(0, new byte[] {0x40}, 0, 1)).isEqualTo(0xDAB4_0001);
  }

  @Test
  void shouldAgreeWithTheBitwiseHashForAnyKeyAndLength() {
    long seed = 11;
    Random random = new Random(seed);
    ToeplitzHash hash = new ToeplitzHash();

    for (int i = 0; i < 300; i++) {
      byte[] key = OffloadFrames.random(random, 40);
      for (int k = 0; k < key.length; k++) {
        hash.setKeyByte(k, key[k]);
      }
      byte[] input = OffloadFrames.random(random, random.nextInt(37));

      assertThat(hash.hash(0, input, 0, input.length))
          .as("seed %d round %d", seed, i)
          .isEqualTo(OffloadFrames.naiveToeplitz(key, input));
    }
  }

  @Test
  void shouldAddUpFromParts() {
    Random random = new Random(3);
    ToeplitzHash hash = new ToeplitzHash();
    for (int k = 0; k < 40; k++) {
      hash.setKeyByte(k, random.nextInt());
    }
    byte[] input = OffloadFrames.random(random, 36);

    int whole = hash.hash(0, input, 0, 36);

    assertThat(hash.hash(0, input, 0, 8) ^ hash.hash(8, input, 8, 28)).isEqualTo(whole);
  }
}
