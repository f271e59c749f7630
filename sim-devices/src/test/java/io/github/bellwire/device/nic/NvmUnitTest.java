package io.github.bellwire.device.nic;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NvmUnitTest {
  private final NvmUnit nvm = new NvmUnit();
  private long nowPs;

  @Test
  void shouldShowThePresentAndLoadedEeprom() {
    assertThat(nvm.read(NicRegisters.EEC, 0)).isEqualTo(0x300);
  }

  @Test
  void shouldGrantDirectAccessWhileRequested() {
    nvm.write(NicRegisters.EEC, NicRegisters.EEC_REQ, 0);
    assertThat(nvm.read(NicRegisters.EEC, 0)).isEqualTo(0x3C0);

    nvm.write(NicRegisters.EEC, 0, 0);
    assertThat(nvm.read(NicRegisters.EEC, 0)).isEqualTo(0x300);
  }

  @Test
  void shouldFinishAReadAfterItsTime() {
    nvm.write(NicRegisters.EERD, 3 << 2 | 1, 100);

    assertThat(nvm.read(NicRegisters.EERD, 100 + NvmUnit.EEPROM_READ_PS - 1)).isEqualTo(0xD);
    // Word 3 is the pointer to an absent section; DONE is bit 1.
    assertThat(nvm.read(NicRegisters.EERD, 100 + NvmUnit.EEPROM_READ_PS)).isEqualTo(0xFFFF000F);
  }

  @Test
  void shouldNotReadWithoutStart() {
    nvm.write(NicRegisters.EERD, 3 << 2, 0);

    assertThat(nvm.read(NicRegisters.EERD, 1_000_000_000_000L)).isEqualTo(0xC);
  }

  // The sum as Linux takes it: words 0..3F, and the sections that words 3..E point to.
  @Test
  void shouldSumToTheChecksum() {
    int sum = 0;
    for (int word = 0; word < 64; word++) {
      sum += eeprom(word);
    }

    assertThat(sum & 0xFFFF).isEqualTo(0xBABA);
    for (int pointer = 3; pointer < 16; pointer++) {
      assertThat(eeprom(pointer)).isEqualTo(0xFFFF);
    }
  }

  @Test
  void shouldReadOnesBehindTheEeprom() {
    assertThat(eeprom(64)).isEqualTo(0xFFFF);
    assertThat(eeprom(0x3FFF)).isEqualTo(0xFFFF);
  }

  @Test
  void shouldTakeTheDriverSemaphoreByReading() {
    assertThat(nvm.read(NicRegisters.SWSM, 0)).isZero();
    assertThat(nvm.read(NicRegisters.SWSM, 0)).isEqualTo(NicRegisters.SWSM_SMBI);

    nvm.write(NicRegisters.SWSM, 0, 0);
    assertThat(nvm.read(NicRegisters.SWSM, 0)).isZero();
  }

  @Test
  void shouldGrantTheFirmwareSemaphore() {
    nvm.write(NicRegisters.SWSM, NicRegisters.SWSM_SWESMBI, 0);

    assertThat(nvm.read(NicRegisters.SWSM, 0)).isEqualTo(NicRegisters.SWSM_SWESMBI);
    assertThat(nvm.read(NicRegisters.SWSM, 0)).isEqualTo(0x3);
  }

  @Test
  void shouldKeepSoftwareFlagsOnly() {
    nvm.write(NicRegisters.SW_FW_SYNC, 0x3FF, 0);

    assertThat(nvm.read(NicRegisters.SW_FW_SYNC, 0)).isEqualTo(0x1F);
    assertThat(nvm.read(NicRegisters.FWSM, 0)).isZero();
  }

  @Test
  void shouldEndAnMdioCommandAfter64Clocks() {
    nvm.write(NicRegisters.MSCA, 0x4C01_0003, 0);

    // 64 / 2.4 MHz = 26.667 us.
    assertThat(nvm.read(NicRegisters.MSCA, 26_666_665)).isEqualTo(0x4C01_0003);
    assertThat(nvm.read(NicRegisters.MSCA, 26_666_666)).isEqualTo(0x0C01_0003);
  }

  @Test
  void shouldReadOnesFromAnAbsentPhy() {
    nvm.write(NicRegisters.MSRWD, 0x1234_5678, 0);

    assertThat(nvm.read(NicRegisters.MSRWD, 0)).isEqualTo(0xFFFF_5678);
  }

  @Test
  void shouldForgetEverythingButTheEepromOnReset() {
    nvm.read(NicRegisters.SWSM, 0);
    nvm.write(NicRegisters.SW_FW_SYNC, 1, 0);
    nvm.write(NicRegisters.EERD, 1, 0);
    nvm.write(NicRegisters.EEC, NicRegisters.EEC_REQ, 0);
    nvm.write(NicRegisters.MSCA, -1, 0);
    nvm.write(NicRegisters.MSRWD, 7, 0);

    nvm.reset();

    assertThat(nvm.read(NicRegisters.SWSM, 0)).isZero();
    assertThat(nvm.read(NicRegisters.SW_FW_SYNC, 0)).isZero();
    assertThat(nvm.read(NicRegisters.EERD, 0)).isZero();
    assertThat(nvm.read(NicRegisters.EEC, 0)).isEqualTo(0x300);
    assertThat(nvm.read(NicRegisters.MSCA, 0)).isZero();
    assertThat(nvm.read(NicRegisters.MSRWD, 0)).isEqualTo(0xFFFF0000);
    assertThat(eeprom(3)).isEqualTo(0xFFFF);
  }

  @ParameterizedTest
  @ValueSource(ints = {0x10010, 0x10014, 0x10140, 0x10148, 0x10160, 0x425C, 0x4260})
  void shouldHandleItsRegisters(int offset) {
    assertThat(nvm.handles(offset)).isTrue();
    assertThat(nvm.handles(offset + 0x20000)).isFalse();
  }

  private int eeprom(int word) {
    nvm.write(NicRegisters.EERD, word << 2 | 1, nowPs);
    nowPs += NvmUnit.EEPROM_READ_PS;
    return nvm.read(NicRegisters.EERD, nowPs) >>> 16;
  }
}
