package io.github.bellwire.device.nic;

/**
 * Where the registers of an 82599-class NIC lie and what their bits mean: byte offsets into BAR0,
 * under the names of the data sheet. Names and offsets: Intel's ixgbe_type.h as used by the open
 * drivers (ixy, DPDK, Linux); where the 82598 and the 82599 differ, the 82599.
 *
 * <p>Every register is 32 bits wide. A register that exists more than once is a method of its
 * index; indices are not checked, since the callers' loops are over constants of this class. The
 * file is one table and longer than others for it.
 */
public final class NicRegisters {
  /** Size of the register window in bytes; the highest register is {@link #CORECTL}. */
  public static final int WINDOW_BYTES = 0x20000;

  /** Receive queues and, as many, transmit queues that have registers. */
  public static final int QUEUES = 128;

  /** MSI-X vectors. */
  public static final int VECTORS = 64;

  /** Distance between the register blocks of two queues in bytes. */
  public static final int QUEUE_STRIDE_BYTES = 0x40;

  /** Sets of per-queue statistics; queues are mapped to them by RQSMR and TQSM. */
  public static final int QUEUE_STATISTICS = 16;

  // ---- General ----

  /** Device control. */
  public static final int CTRL = 0x00000;

  /** PCIe master disable. */
  public static final int CTRL_GIO_DIS = 1 << 2;

  /** Link reset; clears itself. */
  public static final int CTRL_LNK_RST = 1 << 3;

  /** Software reset; clears itself. */
  public static final int CTRL_RST = 1 << 26;

  /** Device status, read only. */
  public static final int STATUS = 0x00008;

  /** First bit of the port number in STATUS. */
  public static final int STATUS_LAN_ID_SHIFT = 2;

  /** PCIe master enable status: clears once masters are disabled and nothing is outstanding. */
  public static final int STATUS_GIO = 1 << 19;

  /** Extended device control. */
  public static final int CTRL_EXT = 0x00018;

  /** Physical function reset done. */
  public static final int CTRL_EXT_PFRSTD = 1 << 14;

  /** No-snoop disable. */
  public static final int CTRL_EXT_NS_DIS = 1 << 16;

  /** Relaxed-ordering disable. */
  public static final int CTRL_EXT_RO_DIS = 1 << 17;

  /** Driver loaded. */
  public static final int CTRL_EXT_DRV_LOAD = 1 << 28;

  /** Software-definable pins. */
  public static final int ESDP = 0x00020;

  /** I2C bit banging towards the SFP module. */
  public static final int I2CCTL = 0x00028;

  /** TCP timer. */
  public static final int TCPTIMER = 0x0004C;

  /** LED control. */
  public static final int LEDCTL = 0x00200;

  // ---- NVM and semaphores ----

  /** EEPROM control. */
  public static final int EEC = 0x10010;

  /** Software asks for direct access to the EEPROM. */
  public static final int EEC_REQ = 1 << 6;

  /** Direct access granted. */
  public static final int EEC_GNT = 1 << 7;

  /** EEPROM present. */
  public static final int EEC_PRES = 1 << 8;

  /** Auto-read done. */
  public static final int EEC_ARD = 1 << 9;

  /** EEPROM read. */
  public static final int EERD = 0x10014;

  /** Starts a read. */
  public static final int EERD_START = 1;

  /** The read is done and the data are valid. */
  public static final int EERD_DONE = 1 << 1;

  /** First bit of the word address, 15:2. */
  public static final int EERD_ADDR_SHIFT = 2;

  /** First bit of the data, 31:16. */
  public static final int EERD_DATA_SHIFT = 16;

  /** Software semaphore. */
  public static final int SWSM = 0x10140;

  /** Semaphore among drivers: a read returns it and sets it. */
  public static final int SWSM_SMBI = 1;

  /** Semaphore between software and firmware: reads back 1 when granted. */
  public static final int SWSM_SWESMBI = 1 << 1;

  /** Firmware semaphore and status. */
  public static final int FWSM = 0x10148;

  /** Function active and power state. */
  public static final int FACTPS = 0x10150;

  /** Software-firmware synchronization, also called GSSR. */
  public static final int SW_FW_SYNC = 0x10160;

  /** PCIe control. */
  public static final int GCR = 0x11000;

  /** PCIe control extended. */
  public static final int GCR_EXT = 0x11050;

  /** BAR sizes. */
  public static final int BARCTRL = 0x110F4;

  /** Analogue core control. */
  public static final int CORECTL = 0x14F00;

  // ---- Interrupts ----

  /** Extended interrupt cause. */
  public static final int EICR = 0x00800;

  /** Extended interrupt cause set. */
  public static final int EICS = 0x00808;

  /** Extended interrupt auto clear. */
  public static final int EIAC = 0x00810;

  /** Extended interrupt mask set or read. */
  public static final int EIMS = 0x00880;

  /** Extended interrupt mask clear. */
  public static final int EIMC = 0x00888;

  /** Extended interrupt auto mask. */
  public static final int EIAM = 0x00890;

  /** Selects which EITR of 0..31 serve virtual functions. */
  public static final int EITRSEL = 0x00894;

  /** General-purpose interrupt enable. */
  public static final int GPIE = 0x00898;

  /** Vector of the TCP timer (7:0) and of all other causes (15:8). */
  public static final int IVAR_MISC = 0x00A00;

  /** Causes of queues, or of MSI-X vectors 0..15. */
  public static final int EICR_RTX_QUEUE = 0xFFFF;

  /** Flow director. */
  public static final int EICR_FLOW_DIR = 1 << 16;

  /** Packet buffer overrun. */
  public static final int EICR_RX_MISS = 1 << 17;

  /** PCI error. */
  public static final int EICR_PCI = 1 << 18;

  /** Mailbox. */
  public static final int EICR_MAILBOX = 1 << 19;

  /** Link status change. */
  public static final int EICR_LSC = 1 << 20;

  /** Manageability. */
  public static final int EICR_MNG = 1 << 22;

  /** ECC error. */
  public static final int EICR_ECC = 1 << 28;

  /** TCP timer. */
  public static final int EICR_TCP_TIMER = 1 << 30;

  /** Some cause of 29:16 is set. */
  public static final int EICR_OTHER = 1 << 31;

  /** Multiple MSI-X vectors. */
  public static final int GPIE_MSIX_MODE = 1 << 4;

  /** Reading EICR clears only bits 29:16. */
  public static final int GPIE_OCD = 1 << 5;

  /** A cause set through EICS is not moderated. */
  public static final int GPIE_EIMEN = 1 << 6;

  /** An MSI-X message clears the EIMS bits that EIAM names. */
  public static final int GPIE_EIAME = 1 << 30;

  /** PBA support. */
  public static final int GPIE_PBA_SUPPORT = 1 << 31;

  /** Valid bit of an IVAR field. */
  public static final int IVAR_ALLOC_VAL = 0x80;

  /** Vector of an IVAR field. */
  public static final int IVAR_ALLOC_MASK = 0x3F;

  /** Interval of EITR in units of 256 ns; the low three bits are always zero. */
  public static final int EITR_INTERVAL_MASK = 0xFF8;

  /** Low-latency moderation enable. */
  public static final int EITR_LLI_MOD = 1 << 15;

  /** First of the 7 bits of EITR that are the upper bits of the running 9-bit counter. */
  public static final int EITR_COUNTER_SHIFT = 21;

  /** A write leaves the running counter alone. */
  public static final int EITR_CNT_WDIS = 1 << 31;

  // ---- Receive ----

  /** Receive DMA control. */
  public static final int RDRXCTL = 0x02F00;

  /** The DMA strips the CRC; to be set as HLREG0.RXCRCSTRP is. */
  public static final int RDRXCTL_CRCSTRIP = 1 << 1;

  /** DMA initialization is done. */
  public static final int RDRXCTL_DMAIDONE = 1 << 3;

  /** Queue drop enable, indirect. */
  public static final int QDE = 0x02F04;

  /** Receive control. */
  public static final int RXCTRL = 0x03000;

  /** Receive enable. */
  public static final int RXCTRL_RXEN = 1;

  /** Priority flow-control types. */
  public static final int PFCTOP = 0x03008;

  /** Flow-control refresh threshold. */
  public static final int FCRTV = 0x032A0;

  /** Flow-control configuration. */
  public static final int FCCFG = 0x03D00;

  /** Transmit 802.3x pause frames. */
  public static final int FCCFG_TFCE_802_3X = 1 << 3;

  /** Enables sending XON, in FCRTL. */
  public static final int FCRTL_XONE = 1 << 31;

  /** Enables flow control of the packet buffer, in FCRTH. */
  public static final int FCRTH_FCEN = 1 << 31;

  /** Receive checksum control. */
  public static final int RXCSUM = 0x05000;

  /** IP payload checksum enable. */
  public static final int RXCSUM_IPPCSE = 1 << 12;

  /** Fragment checksum disable: the write-back carries the RSS hash instead. */
  public static final int RXCSUM_PCSD = 1 << 13;

  /** Receive filter control (RSC, NFS, IPv6). */
  public static final int RFCTL = 0x05008;

  /** Filter control. */
  public static final int FCTRL = 0x05080;

  /** Store bad packets. */
  public static final int FCTRL_SBP = 1 << 1;

  /** Multicast promiscuous. */
  public static final int FCTRL_MPE = 1 << 8;

  /** Unicast promiscuous. */
  public static final int FCTRL_UPE = 1 << 9;

  /** Broadcast accept. */
  public static final int FCTRL_BAM = 1 << 10;

  /** VLAN control; the VLAN EtherType is in 15:0. */
  public static final int VLNCTRL = 0x05088;

  /** VLAN filter enable. */
  public static final int VLNCTRL_VFE = 1 << 30;

  /** VLAN mode enable (strip); the 82599 has it per queue in RXDCTL. */
  public static final int VLNCTRL_VME = 1 << 31;

  /** Multicast control: which address bits index MTA (1:0). */
  public static final int MCSTCTRL = 0x05090;

  /** Multicast filter enable. */
  public static final int MCSTCTRL_MFE = 1 << 2;

  /** Address valid, in RAH. */
  public static final int RAH_AV = 1 << 31;

  /** Multiple receive queues: mode in 3:0, RSS field enables in 24:16. */
  public static final int MRQC = 0x05818;

  /** Security receive control. */
  public static final int SECRXCTRL = 0x08D00;

  /** Security receive status; bit 0 is ready. */
  public static final int SECRXSTAT = 0x08D04;

  /** Flow director control; bit 3 is initialization done. */
  public static final int FDIRCTRL = 0x0EE00;

  /** Queue enable, in RXDCTL; reads as the queue's actual state. */
  public static final int RXDCTL_ENABLE = 1 << 25;

  /** Write back what is done, in RXDCTL. */
  public static final int RXDCTL_SWFLSH = 1 << 26;

  /** Strip the VLAN tag, in RXDCTL. */
  public static final int RXDCTL_VME = 1 << 30;

  /** Packet buffer size in KiB, in SRRCTL. */
  public static final int SRRCTL_BSIZEPACKET_MASK = 0x7F;

  /** Header buffer size in units of 64 B, in SRRCTL. */
  public static final int SRRCTL_BSIZEHEADER_MASK = 0x3F00;

  /** First bit of the header buffer size. */
  public static final int SRRCTL_BSIZEHEADER_SHIFT = 8;

  /** Descriptor type, in SRRCTL. */
  public static final int SRRCTL_DESCTYPE_MASK = 7 << 25;

  /** Descriptor type: legacy. */
  public static final int SRRCTL_DESCTYPE_LEGACY = 0;

  /** Descriptor type: advanced, one buffer. */
  public static final int SRRCTL_DESCTYPE_ADV_ONEBUF = 1 << 25;

  /** Descriptor type: advanced, header split. */
  public static final int SRRCTL_DESCTYPE_HDR_SPLIT = 2 << 25;

  /** Descriptor type: advanced, header split always. */
  public static final int SRRCTL_DESCTYPE_HDR_SPLIT_ALWAYS = 5 << 25;

  /** Drop at once when the queue has no descriptor, in SRRCTL. */
  public static final int SRRCTL_DROP_EN = 1 << 28;

  // ---- Transmit ----

  /** Transmit DMA: bytes that may be outstanding. */
  public static final int DTXMXSZRQ = 0x08100;

  /** Transmit queue mapping mode. */
  public static final int MTQC = 0x08120;

  /** Security transmit control. */
  public static final int SECTXCTRL = 0x08800;

  /** Security transmit status; bit 0 is ready. */
  public static final int SECTXSTAT = 0x08804;

  /** Transmit descriptor plane control. */
  public static final int RTTDCS = 0x04900;

  /** Arbiter disable, in RTTDCS. */
  public static final int RTTDCS_ARBDIS = 1 << 6;

  /** Transmit DMA control; the VLAN EtherType is in 31:16. */
  public static final int DMATXCTL = 0x04A80;

  /** Transmit enable. */
  public static final int DMATXCTL_TE = 1;

  /** Global double VLAN. */
  public static final int DMATXCTL_GDV = 1 << 3;

  /** TCP flag masks of the first (11:0) and middle (27:16) frames of a segmented packet. */
  public static final int DTXTCPFLGL = 0x04A88;

  /** TCP flag mask of the last frame (11:0) of a segmented packet. */
  public static final int DTXTCPFLGH = 0x04A8C;

  /** Prefetch threshold, in TXDCTL. */
  public static final int TXDCTL_PTHRESH_MASK = 0x7F;

  /** First bit of the host threshold, 7 bits, in TXDCTL. */
  public static final int TXDCTL_HTHRESH_SHIFT = 8;

  /** First bit of the write-back threshold, 7 bits, in TXDCTL. */
  public static final int TXDCTL_WTHRESH_SHIFT = 16;

  /** Queue enable, in TXDCTL; reads as the queue's actual state. */
  public static final int TXDCTL_ENABLE = 1 << 25;

  /** Write back what is done, in TXDCTL; clears itself. */
  public static final int TXDCTL_SWFLSH = 1 << 26;

  /** Head write-back enable, in TDWBAL. */
  public static final int TDWBAL_HEAD_WB_ENABLE = 1;

  // ---- MAC ----

  /** Highlander control 0. */
  public static final int HLREG0 = 0x04240;

  /** Append the CRC to transmitted frames. */
  public static final int HLREG0_TXCRCEN = 1;

  /** Strip the CRC from received frames. */
  public static final int HLREG0_RXCRCSTRP = 1 << 1;

  /** Accept frames above 1518 B, up to MAXFRS. */
  public static final int HLREG0_JUMBOEN = 1 << 2;

  /** Pad transmitted frames to 64 B. */
  public static final int HLREG0_TXPADEN = 1 << 10;

  /** Loop transmitted frames back inside the MAC. */
  public static final int HLREG0_LPBK = 1 << 15;

  /** MDC runs at 24 MHz instead of 2.4 MHz. */
  public static final int HLREG0_MDCSPD = 1 << 16;

  /** Count and report length errors. */
  public static final int HLREG0_RXLNGTHERREN = 1 << 27;

  /** Pause and pace. */
  public static final int PAP = 0x04248;

  /** MDIO command. */
  public static final int MSCA = 0x0425C;

  /** Starts an MDIO command; clears when it is done. */
  public static final int MSCA_MDI_COMMAND = 1 << 30;

  /** MDIO data: to write in 15:0, read in 31:16. */
  public static final int MSRWD = 0x04260;

  /** Largest frame in bytes, FCS included, in 31:16. */
  public static final int MAXFRS = 0x04268;

  /** First bit of the frame size in MAXFRS. */
  public static final int MAXFRS_SHIFT = 16;

  /** MAC flow control. */
  public static final int MFLCN = 0x04294;

  /** Discard pause frames. */
  public static final int MFLCN_DPF = 1 << 1;

  /** Receive priority flow control. */
  public static final int MFLCN_RPFCE = 1 << 2;

  /** Receive link flow control. */
  public static final int MFLCN_RFCE = 1 << 3;

  /** Auto-negotiation control. */
  public static final int AUTOC = 0x042A0;

  /** Restarts the link; clears itself. */
  public static final int AUTOC_AN_RESTART = 1 << 12;

  /** First bit of the link mode, 15:13. */
  public static final int AUTOC_LMS_SHIFT = 13;

  /** Link mode: 10 Gb/s serial. */
  public static final int AUTOC_LMS_10G_SERIAL = 3 << 13;

  /** Link status, read only. */
  public static final int LINKS = 0x042A4;

  /** Link is up. */
  public static final int LINKS_UP = 1 << 30;

  /** Speed 29:28 reads 3, which is 10 Gb/s. */
  public static final int LINKS_SPEED_10G = 3 << 28;

  /** Auto-negotiation control 2. */
  public static final int AUTOC2 = 0x042A8;

  /** MAC control. */
  public static final int MACC = 0x04330;

  // ---- Statistics ----

  /** CRC errors. */
  public static final int CRCERRS = 0x04000;

  /** Length errors. */
  public static final int RLEC = 0x04040;

  /** XON frames sent. */
  public static final int LXONTXC = 0x03F60;

  /** XOFF frames sent. */
  public static final int LXOFFTXC = 0x03F68;

  /** XON frames received. */
  public static final int LXONRXCNT = 0x041A4;

  /** XOFF frames received. */
  public static final int LXOFFRXCNT = 0x041A8;

  /** Received frames of 64 B; five more bins follow. */
  public static final int PRC64 = 0x0405C;

  /** Received frames of 1024 B and more. */
  public static final int PRC1522 = 0x04070;

  /** Good frames received. */
  public static final int GPRC = 0x04074;

  /** Broadcast frames received. */
  public static final int BPRC = 0x04078;

  /** Multicast frames received. */
  public static final int MPRC = 0x0407C;

  /** Good frames transmitted. */
  public static final int GPTC = 0x04080;

  /** Good octets received, low half. */
  public static final int GORCL = 0x04088;

  /** Good octets received, high half; reading it clears both. */
  public static final int GORCH = 0x0408C;

  /** Good octets transmitted, low half. */
  public static final int GOTCL = 0x04090;

  /** Good octets transmitted, high half; reading it clears both. */
  public static final int GOTCH = 0x04094;

  /** Undersize frames. */
  public static final int RUC = 0x040A4;

  /** Fragments: undersize with bad CRC. */
  public static final int RFC = 0x040A8;

  /** Oversize frames. */
  public static final int ROC = 0x040AC;

  /** Jabbers: oversize with bad CRC. */
  public static final int RJC = 0x040B0;

  /** Octets received in all frames, low half. */
  public static final int TORL = 0x040C0;

  /** Octets received in all frames, high half; reading it clears both. */
  public static final int TORH = 0x040C4;

  /** All frames received. */
  public static final int TPR = 0x040D0;

  /** All frames transmitted. */
  public static final int TPT = 0x040D4;

  /** Transmitted frames of 64 B; five more bins follow. */
  public static final int PTC64 = 0x040D8;

  /** Transmitted frames of 1024 B and more. */
  public static final int PTC1522 = 0x040EC;

  /** Multicast frames transmitted. */
  public static final int MPTC = 0x040F0;

  /** Broadcast frames transmitted. */
  public static final int BPTC = 0x040F4;

  private NicRegisters() {}

  // ---- Interrupts, indexed ----

  /**
   * {@return the offset of EITR: interrupt throttle}
   *
   * @param vector 0..127
   */
  public static int eitr(int vector) {
    return vector <= 23 ? 0x00820 + 4 * vector : 0x12300 + 4 * (vector - 24);
  }

  /**
   * {@return the offset of IVAR: interrupt vector allocation}
   *
   * @param index 0..63; serves queues 2 index and 2 index + 1
   */
  public static int ivar(int index) {
    return 0x00900 + 4 * index;
  }

  /**
   * {@return the offset of EICSEX: cause set of 32 vectors}
   *
   * @param index 0..1, for vectors 31:0 and 63:32
   */
  public static int eicsEx(int index) {
    return 0x00A90 + 4 * index;
  }

  /**
   * {@return the offset of EIMSEX: mask set of 32 vectors}
   *
   * @param index 0..1, for vectors 31:0 and 63:32
   */
  public static int eimsEx(int index) {
    return 0x00AA0 + 4 * index;
  }

  /**
   * {@return the offset of EIMCEX: mask clear of 32 vectors}
   *
   * @param index 0..1, for vectors 31:0 and 63:32
   */
  public static int eimcEx(int index) {
    return 0x00AB0 + 4 * index;
  }

  /**
   * {@return the offset of EIAMEX: auto mask of 32 vectors}
   *
   * @param index 0..1, for vectors 31:0 and 63:32
   */
  public static int eiamEx(int index) {
    return 0x00AD0 + 4 * index;
  }

  /**
   * {@return the offset of PBACL: pending-bit clear}
   *
   * @param index 0..7
   */
  public static int pbacl(int index) {
    return index == 0 ? 0x11068 : 0x110C0 + 4 * index;
  }

  // ---- Receive, indexed ----

  /**
   * {@return the offset of RDBAL: receive ring base, low}
   *
   * @param queue 0..127
   */
  public static int rdbal(int queue) {
    return rxBlock(queue);
  }

  /**
   * {@return the offset of RDBAH: receive ring base, high}
   *
   * @param queue 0..127
   */
  public static int rdbah(int queue) {
    return rxBlock(queue) + 0x04;
  }

  /**
   * {@return the offset of RDLEN: receive ring length in bytes}
   *
   * @param queue 0..127
   */
  public static int rdlen(int queue) {
    return rxBlock(queue) + 0x08;
  }

  /**
   * {@return the offset of DCARXCTRL: receive DCA control}
   *
   * @param queue 0..127
   */
  public static int dcaRxctrl(int queue) {
    return queue <= 15 ? 0x02200 + 4 * queue : rxBlock(queue) + 0x0C;
  }

  /**
   * {@return the offset of RDH: receive head}
   *
   * @param queue 0..127
   */
  public static int rdh(int queue) {
    return rxBlock(queue) + 0x10;
  }

  /**
   * {@return the offset of SRRCTL: split and replication control}
   *
   * @param queue 0..127
   */
  public static int srrctl(int queue) {
    return queue <= 15 ? 0x02100 + 4 * queue : rxBlock(queue) + 0x14;
  }

  /**
   * {@return the offset of RDT: receive tail}
   *
   * @param queue 0..127
   */
  public static int rdt(int queue) {
    return rxBlock(queue) + 0x18;
  }

  /**
   * {@return the offset of RXDCTL: receive queue control}
   *
   * @param queue 0..127
   */
  public static int rxdctl(int queue) {
    return rxBlock(queue) + 0x28;
  }

  /**
   * {@return the offset of RSCCTL: receive-side coalescing control}
   *
   * @param queue 0..127
   */
  public static int rscctl(int queue) {
    return rxBlock(queue) + 0x2C;
  }

  /**
   * {@return the offset of FCTTV: pause time values}
   *
   * @param index 0..3
   */
  public static int fcttv(int index) {
    return 0x03200 + 4 * index;
  }

  /**
   * {@return the offset of FCRTL: XON threshold (the 82598 had these 8 bytes apart)}
   *
   * @param buffer 0..7
   */
  public static int fcrtl(int buffer) {
    return 0x03220 + 4 * buffer;
  }

  /**
   * {@return the offset of FCRTH: XOFF threshold (the 82598 had these 8 bytes apart)}
   *
   * @param buffer 0..7
   */
  public static int fcrth(int buffer) {
    return 0x03260 + 4 * buffer;
  }

  /**
   * {@return the offset of RXPBSIZE: receive packet buffer size in bytes, 19:10}
   *
   * @param buffer 0..7
   */
  public static int rxpbsize(int buffer) {
    return 0x03C00 + 4 * buffer;
  }

  /**
   * {@return the offset of ETQF: EtherType queue filter}
   *
   * @param index 0..7
   */
  public static int etqf(int index) {
    return 0x05128 + 4 * index;
  }

  /**
   * {@return the offset of MTA: multicast table}
   *
   * @param index 0..127
   */
  public static int mta(int index) {
    return 0x05200 + 4 * index;
  }

  /**
   * {@return the offset of RAL: receive address, low: the first byte on the wire in 7:0}
   *
   * @param index 0..127
   */
  public static int ral(int index) {
    return index <= 15 ? 0x05400 + 8 * index : 0x0A200 + 8 * index;
  }

  /**
   * {@return the offset of RAH: receive address, high}
   *
   * @param index 0..127
   */
  public static int rah(int index) {
    return index <= 15 ? 0x05404 + 8 * index : 0x0A204 + 8 * index;
  }

  /**
   * {@return the offset of PSRTYPE: packet split receive type}
   *
   * @param pool 0..63
   */
  public static int psrtype(int pool) {
    return pool <= 15 ? 0x05480 + 4 * pool : 0x0EA00 + 4 * pool;
  }

  /**
   * {@return the offset of RETA: redirection table}
   *
   * @param index 0..31; holds table entries 4 index to 4 index + 3
   */
  public static int reta(int index) {
    return 0x05C00 + 4 * index;
  }

  /**
   * {@return the offset of RSSRK: RSS key}
   *
   * @param index 0..9; holds key bytes 4 index to 4 index + 3
   */
  public static int rssrk(int index) {
    return 0x05C80 + 4 * index;
  }

  /**
   * {@return the offset of VFTA: VLAN filter table}
   *
   * @param index 0..127
   */
  public static int vfta(int index) {
    return 0x0A000 + 4 * index;
  }

  // ---- Transmit, indexed ----

  /**
   * {@return the offset of TDBAL: transmit ring base, low}
   *
   * @param queue 0..127
   */
  public static int tdbal(int queue) {
    return txBlock(queue);
  }

  /**
   * {@return the offset of TDBAH: transmit ring base, high}
   *
   * @param queue 0..127
   */
  public static int tdbah(int queue) {
    return txBlock(queue) + 0x04;
  }

  /**
   * {@return the offset of TDLEN: transmit ring length in bytes}
   *
   * @param queue 0..127
   */
  public static int tdlen(int queue) {
    return txBlock(queue) + 0x08;
  }

  /**
   * {@return the offset of DCATXCTRL: transmit DCA control}
   *
   * @param queue 0..127
   */
  public static int dcaTxctrl(int queue) {
    return txBlock(queue) + 0x0C;
  }

  /**
   * {@return the offset of TDH: transmit head}
   *
   * @param queue 0..127
   */
  public static int tdh(int queue) {
    return txBlock(queue) + 0x10;
  }

  /**
   * {@return the offset of TDT: transmit tail}
   *
   * @param queue 0..127
   */
  public static int tdt(int queue) {
    return txBlock(queue) + 0x18;
  }

  /**
   * {@return the offset of TXDCTL: transmit queue control}
   *
   * @param queue 0..127
   */
  public static int txdctl(int queue) {
    return txBlock(queue) + 0x28;
  }

  /**
   * {@return the offset of TDWBAL: head write-back address, low}
   *
   * @param queue 0..127
   */
  public static int tdwbal(int queue) {
    return txBlock(queue) + 0x38;
  }

  /**
   * {@return the offset of TDWBAH: head write-back address, high}
   *
   * @param queue 0..127
   */
  public static int tdwbah(int queue) {
    return txBlock(queue) + 0x3C;
  }

  /**
   * {@return the offset of TXPBTHRESH: transmit packet buffer threshold}
   *
   * @param buffer 0..7
   */
  public static int txpbthresh(int buffer) {
    return 0x04950 + 4 * buffer;
  }

  /**
   * {@return the offset of TXPBSIZE: transmit packet buffer size in bytes, 19:10}
   *
   * @param buffer 0..7
   */
  public static int txpbsize(int buffer) {
    return 0x0CC00 + 4 * buffer;
  }

  // ---- Statistics, indexed ----

  /**
   * {@return the offset of MPC: missed packets of a packet buffer}
   *
   * @param buffer 0..7
   */
  public static int mpc(int buffer) {
    return 0x03FA0 + 4 * buffer;
  }

  /**
   * {@return the offset of RNBC: packets that found no descriptor at once}
   *
   * @param buffer 0..7
   */
  public static int rnbc(int buffer) {
    return 0x03FC0 + 4 * buffer;
  }

  /**
   * {@return the offset of RQSMR: receive queue statistics mapping}
   *
   * @param index 0..31; serves queues 4 index to 4 index + 3
   */
  public static int rqsmr(int index) {
    return 0x02300 + 4 * index;
  }

  /**
   * {@return the offset of TQSM: transmit queue statistics mapping}
   *
   * @param index 0..31; serves queues 4 index to 4 index + 3
   */
  public static int tqsm(int index) {
    return 0x08600 + 4 * index;
  }

  /**
   * {@return the offset of QPRC: packets received}
   *
   * @param set 0..15
   */
  public static int qprc(int set) {
    return 0x01030 + QUEUE_STRIDE_BYTES * set;
  }

  /**
   * {@return the offset of QBRCL: bytes received, low half}
   *
   * @param set 0..15
   */
  public static int qbrcl(int set) {
    return 0x01034 + QUEUE_STRIDE_BYTES * set;
  }

  /**
   * {@return the offset of QBRCH: bytes received, high half; reading it clears both}
   *
   * @param set 0..15
   */
  public static int qbrch(int set) {
    return 0x01038 + QUEUE_STRIDE_BYTES * set;
  }

  /**
   * {@return the offset of QPRDC: packets dropped for want of a descriptor}
   *
   * @param set 0..15
   */
  public static int qprdc(int set) {
    return 0x01430 + QUEUE_STRIDE_BYTES * set;
  }

  /**
   * {@return the offset of QPTC: packets transmitted}
   *
   * @param set 0..15
   */
  public static int qptc(int set) {
    return 0x06030 + QUEUE_STRIDE_BYTES * set;
  }

  /**
   * {@return the offset of QBTCL: bytes transmitted, low half}
   *
   * @param set 0..15
   */
  public static int qbtcl(int set) {
    return 0x08700 + 8 * set;
  }

  /**
   * {@return the offset of QBTCH: bytes transmitted, high half; reading it clears both}
   *
   * @param set 0..15
   */
  public static int qbtch(int set) {
    return 0x08704 + 8 * set;
  }

  /**
   * {@return whether an offset lies in a receive queue's register block}
   *
   * @param offset byte offset into BAR0
   */
  public static boolean isRxBlock(int offset) {
    return (offset & ~0xFFF) == 0x01000 || (offset & ~0xFFF) == 0x0D000;
  }

  /**
   * {@return the queue in whose register block an offset lies}
   *
   * @param offset an offset for which {@link #isRxBlock} holds
   */
  public static int rxQueue(int offset) {
    int queue = (offset & 0xFFF) / QUEUE_STRIDE_BYTES;
    return offset < 0x02000 ? queue : queue + 64;
  }

  /**
   * {@return whether an offset lies in a transmit queue's register block}
   *
   * @param offset byte offset into BAR0
   */
  public static boolean isTxBlock(int offset) {
    return offset >= 0x06000 && offset < 0x08000;
  }

  /**
   * {@return the queue in whose register block an offset lies}
   *
   * @param offset an offset for which {@link #isTxBlock} holds
   */
  public static int txQueue(int offset) {
    return (offset - 0x06000) / QUEUE_STRIDE_BYTES;
  }

  private static int rxBlock(int queue) {
    return queue < 64
        ? 0x01000 + QUEUE_STRIDE_BYTES * queue
        : 0x0D000 + QUEUE_STRIDE_BYTES * (queue - 64);
  }

  private static int txBlock(int queue) {
    return 0x06000 + QUEUE_STRIDE_BYTES * queue;
  }
}
