package io.github.bellwire.device.nic;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Field;
import java.lang.reflect.Method;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NicRegistersTest {
  // Literals of Intel's ixgbe_type.h, 82599 column, worked out for the index by hand.
  @ParameterizedTest
  @CsvSource({
    "rdbal, 0, 0x1000",
    "rdbal, 63, 0x1FC0",
    "rdbal, 64, 0xD000",
    "rdbal, 127, 0xDFC0",
    "rdbah, 1, 0x1044",
    "rdlen, 2, 0x1088",
    "rdh, 3, 0x10D0",
    "rdt, 0, 0x1018",
    "rdt, 65, 0xD058",
    "rxdctl, 0, 0x1028",
    "rxdctl, 64, 0xD028",
    "rscctl, 0, 0x102C",
    "srrctl, 0, 0x2100",
    "srrctl, 15, 0x213C",
    "srrctl, 16, 0x1414",
    "srrctl, 64, 0xD014",
    "dcaRxctrl, 0, 0x2200",
    "dcaRxctrl, 16, 0x140C",
    "dcaRxctrl, 64, 0xD00C",
    "tdbal, 0, 0x6000",
    "tdbal, 127, 0x7FC0",
    "tdbah, 0, 0x6004",
    "tdlen, 0, 0x6008",
    "dcaTxctrl, 0, 0x600C",
    "tdh, 0, 0x6010",
    "tdt, 1, 0x6058",
    "txdctl, 0, 0x6028",
    "tdwbal, 0, 0x6038",
    "tdwbah, 0, 0x603C",
    "eitr, 0, 0x820",
    "eitr, 23, 0x87C",
    "eitr, 24, 0x12300",
    "eitr, 63, 0x1239C",
    "ivar, 0, 0x900",
    "ivar, 63, 0x9FC",
    "eicsEx, 0, 0xA90",
    "eimsEx, 1, 0xAA4",
    "eimcEx, 0, 0xAB0",
    "eiamEx, 1, 0xAD4",
    "pbacl, 0, 0x11068",
    "pbacl, 1, 0x110C4",
    "fcttv, 3, 0x320C",
    "fcrtl, 1, 0x3224",
    "fcrth, 7, 0x327C",
    "rxpbsize, 7, 0x3C1C",
    "etqf, 1, 0x512C",
    "mta, 127, 0x53FC",
    "ral, 0, 0x5400",
    "ral, 15, 0x5478",
    "ral, 16, 0xA280",
    "rah, 0, 0x5404",
    "rah, 127, 0xA5FC",
    "psrtype, 0, 0x5480",
    "psrtype, 16, 0xEA40",
    "reta, 31, 0x5C7C",
    "rssrk, 9, 0x5CA4",
    "vfta, 127, 0xA1FC",
    "txpbthresh, 0, 0x4950",
    "txpbsize, 7, 0xCC1C",
    "mpc, 7, 0x3FBC",
    "rnbc, 0, 0x3FC0",
    "rqsmr, 31, 0x237C",
    "tqsm, 0, 0x8600",
    "qprc, 15, 0x13F0",
    "qbrcl, 0, 0x1034",
    "qbrch, 0, 0x1038",
    "qprdc, 0, 0x1430",
    "qprdc, 15, 0x17F0",
    "qptc, 1, 0x6070",
    "qbtcl, 1, 0x8708",
    "qbtch, 15, 0x877C"
  })
  void shouldPlaceIndexedRegistersAsTheHeaderDoes(String name, int index, String offset)
      throws ReflectiveOperationException {
    Method method = NicRegisters.class.getMethod(name, int.class);

    assertThat(method.invoke(null, index)).isEqualTo(Integer.decode(offset));
  }

  @ParameterizedTest
  @CsvSource({
    "CTRL, 0x0",
    "STATUS, 0x8",
    "CTRL_EXT, 0x18",
    "EEC, 0x10010",
    "EERD, 0x10014",
    "SWSM, 0x10140",
    "FWSM, 0x10148",
    "SW_FW_SYNC, 0x10160",
    "CORECTL, 0x14F00",
    "EICR, 0x800",
    "EICS, 0x808",
    "EIAC, 0x810",
    "EIMS, 0x880",
    "EIMC, 0x888",
    "EIAM, 0x890",
    "GPIE, 0x898",
    "IVAR_MISC, 0xA00",
    "RDRXCTL, 0x2F00",
    "RXCTRL, 0x3000",
    "FCCFG, 0x3D00",
    "RXCSUM, 0x5000",
    "FCTRL, 0x5080",
    "VLNCTRL, 0x5088",
    "MRQC, 0x5818",
    "DTXMXSZRQ, 0x8100",
    "RTTDCS, 0x4900",
    "DMATXCTL, 0x4A80",
    "HLREG0, 0x4240",
    "MSCA, 0x425C",
    "MSRWD, 0x4260",
    "MAXFRS, 0x4268",
    "MFLCN, 0x4294",
    "AUTOC, 0x42A0",
    "LINKS, 0x42A4",
    "FDIRCTRL, 0xEE00",
    "CRCERRS, 0x4000",
    "PRC64, 0x405C",
    "GPRC, 0x4074",
    "GPTC, 0x4080",
    "GORCL, 0x4088",
    "GOTCH, 0x4094",
    "ROC, 0x40AC",
    "TPR, 0x40D0",
    "PTC64, 0x40D8",
    "PTC1522, 0x40EC",
    "LXOFFTXC, 0x3F68"
  })
  void shouldPlaceSingleRegistersAsTheHeaderDoes(String name, String offset)
      throws ReflectiveOperationException {
    Field field = NicRegisters.class.getField(name);

    assertThat(field.getInt(null)).isEqualTo(Integer.decode(offset));
  }

  // Masks of the same header.
  @ParameterizedTest
  @CsvSource({
    "CTRL_RST, 0x04000000",
    "CTRL_LNK_RST, 0x8",
    "CTRL_GIO_DIS, 0x4",
    "STATUS_GIO, 0x00080000",
    "CTRL_EXT_NS_DIS, 0x00010000",
    "CTRL_EXT_DRV_LOAD, 0x10000000",
    "EEC_ARD, 0x200",
    "EEC_PRES, 0x100",
    "EICR_LSC, 0x00100000",
    "EICR_RX_MISS, 0x00020000",
    "EICR_TCP_TIMER, 0x40000000",
    "EICR_OTHER, 0x80000000",
    "GPIE_MSIX_MODE, 0x10",
    "GPIE_OCD, 0x20",
    "GPIE_EIAME, 0x40000000",
    "GPIE_PBA_SUPPORT, 0x80000000",
    "EITR_LLI_MOD, 0x8000",
    "EITR_CNT_WDIS, 0x80000000",
    "RDRXCTL_CRCSTRIP, 0x2",
    "RDRXCTL_DMAIDONE, 0x8",
    "RXDCTL_ENABLE, 0x02000000",
    "RXDCTL_VME, 0x40000000",
    "SRRCTL_DESCTYPE_MASK, 0x0E000000",
    "SRRCTL_DESCTYPE_ADV_ONEBUF, 0x02000000",
    "SRRCTL_DESCTYPE_HDR_SPLIT_ALWAYS, 0x0A000000",
    "SRRCTL_DROP_EN, 0x10000000",
    "HLREG0_TXPADEN, 0x400",
    "HLREG0_LPBK, 0x8000",
    "FCTRL_BAM, 0x400",
    "FCTRL_MPE, 0x100",
    "FCTRL_UPE, 0x200",
    "MFLCN_RFCE, 0x8",
    "VLNCTRL_VFE, 0x40000000",
    "RXCSUM_PCSD, 0x2000",
    "AUTOC_AN_RESTART, 0x1000",
    "AUTOC_LMS_10G_SERIAL, 0x6000",
    "LINKS_UP, 0x40000000",
    "LINKS_SPEED_10G, 0x30000000",
    "MSCA_MDI_COMMAND, 0x40000000",
    "RTTDCS_ARBDIS, 0x40"
  })
  void shouldNameBitsAsTheHeaderDoes(String name, String bits) throws ReflectiveOperationException {
    assertThat(NicRegisters.class.getField(name).getInt(null))
        .isEqualTo(Integer.parseUnsignedInt(bits.substring(2), 16));
  }

  @Test
  void shouldFindTheQueueOfABlock() {
    for (int queue = 0; queue < NicRegisters.QUEUES; queue++) {
      assertThat(NicRegisters.isRxBlock(NicRegisters.rdt(queue))).isTrue();
      assertThat(NicRegisters.rxQueue(NicRegisters.rdt(queue))).isEqualTo(queue);
      assertThat(NicRegisters.isTxBlock(NicRegisters.tdwbah(queue))).isTrue();
      assertThat(NicRegisters.txQueue(NicRegisters.tdwbah(queue))).isEqualTo(queue);
    }
    assertThat(NicRegisters.isRxBlock(NicRegisters.srrctl(0))).isFalse();
    assertThat(NicRegisters.isTxBlock(NicRegisters.DTXMXSZRQ)).isFalse();
    assertThat(NicRegisters.isTxBlock(NicRegisters.MRQC)).isFalse();
  }
}
