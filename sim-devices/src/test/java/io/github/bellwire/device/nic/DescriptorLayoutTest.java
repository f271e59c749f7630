package io.github.bellwire.device.nic;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** Expected long words are put together by hand from the data sheet's bit positions. */
class DescriptorLayoutTest {
  @Test
  void shouldEncodeAnAdvancedRxWriteBack() {
    int type = RxDescriptorLayout.TYPE_IPV4 | RxDescriptorLayout.TYPE_TCP;
    long low = RxDescriptorLayout.writeBackLow(1, type, 54, true, 0x51CCC178);
    int status = RxDescriptorLayout.STATUS_DD | RxDescriptorLayout.STATUS_EOP;
    long high =
        RxDescriptorLayout.writeBackHigh(status | RxDescriptorLayout.ERROR_IPE, 0xFFFE, 0xE123);

    // SPH 31, 54 << 21 = 06C00000, TCP 8 and IPv4 4, RSS type 1.
    assertThat(low).isEqualTo(0x51CCC178_86C00111L);
    assertThat(high).isEqualTo(0xE123_FFFE_80000003L);
  }

  @Test
  void shouldDecodeAnAdvancedRxWriteBack() {
    long low = 0x51CCC178_86C00111L;
    long high = 0xE123_FFFE_80000003L;

    assertThat(RxDescriptorLayout.rssHash(low)).isEqualTo(0x51CCC178);
    assertThat(RxDescriptorLayout.rssType(low)).isEqualTo(RxDescriptorLayout.RSS_IPV4_TCP);
    assertThat(RxDescriptorLayout.packetType(low)).isEqualTo(0x110);
    assertThat(RxDescriptorLayout.headerLengthBytes(low)).isEqualTo(54);
    assertThat(RxDescriptorLayout.isSplit(low)).isTrue();
    assertThat(RxDescriptorLayout.isDone(high)).isTrue();
    assertThat(RxDescriptorLayout.isEndOfPacket(high)).isTrue();
    assertThat(RxDescriptorLayout.isPacketDone(high)).isTrue();
    assertThat(RxDescriptorLayout.status(high)).isEqualTo(3);
    assertThat(RxDescriptorLayout.errors(high)).isEqualTo(0x80000000);
    assertThat(RxDescriptorLayout.lengthBytes(high)).isEqualTo(0xFFFE);
    assertThat(RxDescriptorLayout.vlanTag(high)).isEqualTo(0xE123);
  }

  @Test
  void shouldTellAReadFormatDescriptorFromAWrittenOne() {
    assertThat(RxDescriptorLayout.isDone(0)).isFalse();
    assertThat(RxDescriptorLayout.isEndOfPacket(1)).isFalse();
    assertThat(RxDescriptorLayout.isPacketDone(1)).isFalse();
    assertThat(RxDescriptorLayout.isPacketDone(2)).isFalse();
    assertThat(RxDescriptorLayout.isSplit(0x51CCC178_06C00111L)).isFalse();
  }

  @Test
  void shouldCarryTheFragmentChecksumInPlaceOfTheHash() {
    int word = RxDescriptorLayout.fragmentChecksum(0xFEED, 0xBEEF);

    // IP identification at byte 4, checksum at byte 6.
    assertThat(RxDescriptorLayout.writeBackLow(0, 0, 0, false, word))
        .isEqualTo(0xBEEFFEED_00000000L);
  }

  @Test
  void shouldDecodeTheCountOfCoalescedPackets() {
    // RSCCNT is bits 20:17 of the first double word.
    assertThat(RxDescriptorLayout.rscCount(0x00000000_00140000L)).isEqualTo(10);
  }

  @Test
  void shouldEncodeAndDecodeALegacyRxWriteBack() {
    long high = RxDescriptorLayout.legacyWriteBackHigh(1500, 0xABCD, 0x03, 0x80, 0x0FFF);

    assertThat(high).isEqualTo(0x0FFF_80_03_ABCD_05DCL);
    assertThat(RxDescriptorLayout.legacyLengthBytes(high)).isEqualTo(1500);
    assertThat(RxDescriptorLayout.legacyStatus(high)).isEqualTo(3);
    assertThat(RxDescriptorLayout.legacyErrors(high)).isEqualTo(0x80);
    assertThat(RxDescriptorLayout.vlanTag(high)).isEqualTo(0xFFF);
  }

  @Test
  void shouldEncodeAnAdvancedTxDataDescriptor() {
    int command =
        TxDescriptorLayout.COMMAND_EOP
            | TxDescriptorLayout.COMMAND_IFCS
            | TxDescriptorLayout.COMMAND_RS;

    // PAYLEN 60 << 14 = 000F0000; DEXT 29, RS 27, IFCS 25, EOP 24 = 2B; DTYP 3; DTALEN 60.
    assertThat(TxDescriptorLayout.dataHigh(60, command, 0, 0, 60)).isEqualTo(0x000F0000_2B30003CL);
  }

  @Test
  void shouldDecodeAnAdvancedTxDataDescriptor() {
    int command = TxDescriptorLayout.COMMAND_TSE | TxDescriptorLayout.COMMAND_VLE;
    int options =
        TxDescriptorLayout.OPTION_CC
            | TxDescriptorLayout.OPTION_IXSM
            | TxDescriptorLayout.OPTION_TXSM;
    long high = TxDescriptorLayout.dataHigh(0xFFFF, command, options, 5, 262_143);

    // PAYLEN 31:14 all ones; TXSM 9, IXSM 8, CC 7 = 380; IDX 5 << 4 = 50.
    assertThat(high).isEqualTo(0xFFFFC3D0_E030FFFFL);
    assertThat(TxDescriptorLayout.isData(high)).isTrue();
    assertThat(TxDescriptorLayout.isContext(high)).isFalse();
    assertThat(TxDescriptorLayout.isLegacy(high)).isFalse();
    assertThat(TxDescriptorLayout.command(high)).isEqualTo(0xE0000000);
    assertThat(TxDescriptorLayout.bufferBytes(high)).isEqualTo(0xFFFF);
    assertThat(TxDescriptorLayout.options(high)).isEqualTo(options);
    assertThat(TxDescriptorLayout.contextIndex(high)).isEqualTo(5);
    assertThat(TxDescriptorLayout.payloadBytes(high)).isEqualTo(262_143);
    assertThat(TxDescriptorLayout.isDone(high)).isFalse();
    assertThat(TxDescriptorLayout.done(high)).isEqualTo(0xFFFFC3D1_E030FFFFL);
    assertThat(TxDescriptorLayout.isDone(TxDescriptorLayout.done(high))).isTrue();
  }

  @Test
  void shouldEncodeAndDecodeATxContext() {
    long low = TxDescriptorLayout.contextLow(14, 20, 0xE123);
    long high = TxDescriptorLayout.contextHigh(true, TxDescriptorLayout.L4T_TCP, 1, 20, 1460);

    // VLAN 31:16, MACLEN 14 << 9 = 1C00, IPLEN 14h.
    assertThat(low).isEqualTo(0xE1231C14L);
    // MSS 5B4, L4LEN 14, IDX 1 << 4; DEXT 29, DTYP 2, L4T 1 << 11, IPV4 10.
    assertThat(high).isEqualTo(0x05B41410_20200C00L);
    assertThat(TxDescriptorLayout.isContext(high)).isTrue();
    assertThat(TxDescriptorLayout.isData(high)).isFalse();
    assertThat(TxDescriptorLayout.macHeaderBytes(low)).isEqualTo(14);
    assertThat(TxDescriptorLayout.ipHeaderBytes(low)).isEqualTo(20);
    assertThat(TxDescriptorLayout.contextVlanTag(low)).isEqualTo(0xE123);
    assertThat(TxDescriptorLayout.isIpv4(high)).isTrue();
    assertThat(TxDescriptorLayout.l4Type(high)).isEqualTo(TxDescriptorLayout.L4T_TCP);
    assertThat(TxDescriptorLayout.contextIndex(high)).isEqualTo(1);
    assertThat(TxDescriptorLayout.l4HeaderBytes(high)).isEqualTo(20);
    assertThat(TxDescriptorLayout.mssBytes(high)).isEqualTo(1460);
  }

  @Test
  void shouldKeepTheTopBitsOfWideFields() {
    assertThat(TxDescriptorLayout.mssBytes(TxDescriptorLayout.contextHigh(false, 2, 0, 255, 65535)))
        .isEqualTo(65535);
    assertThat(TxDescriptorLayout.ipHeaderBytes(TxDescriptorLayout.contextLow(127, 511, 0)))
        .isEqualTo(511);
    assertThat(TxDescriptorLayout.macHeaderBytes(TxDescriptorLayout.contextLow(127, 511, 0)))
        .isEqualTo(127);
  }

  @Test
  void shouldEncodeAndDecodeALegacyTxDescriptor() {
    int command = TxDescriptorLayout.COMMAND_EOP | TxDescriptorLayout.COMMAND_IC;
    long high = TxDescriptorLayout.legacyHigh(64, 0x22, command, 0x88, 0x8123);

    assertThat(high).isEqualTo(0x8123_88_00_05_22_0040L);
    assertThat(TxDescriptorLayout.isLegacy(high)).isTrue();
    assertThat(TxDescriptorLayout.isData(high)).isFalse();
    assertThat(TxDescriptorLayout.isContext(high)).isFalse();
    assertThat(TxDescriptorLayout.command(high)).isEqualTo(command);
    assertThat(TxDescriptorLayout.bufferBytes(high)).isEqualTo(64);
    assertThat(TxDescriptorLayout.legacyChecksumOffset(high)).isEqualTo(0x22);
    assertThat(TxDescriptorLayout.legacyChecksumStart(high)).isEqualTo(0x88);
    assertThat(TxDescriptorLayout.legacyVlanTag(high)).isEqualTo(0x8123);
  }
}
