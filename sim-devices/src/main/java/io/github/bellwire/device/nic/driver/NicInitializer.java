package io.github.bellwire.device.nic.driver;

import io.github.bellwire.cpu.CpuPort;
import io.github.bellwire.device.nic.NicRegisters;
import io.github.bellwire.dma.CoherentBuffer;

/**
 * The register writes of initialisation and shutdown, in the order of the 82599 data sheet (4.6.3
 * initialisation sequence, 4.6.7 receive, 4.6.8 transmit) as the open userspace drivers follow it.
 *
 * <p>Two registers differ from those drivers: packet buffer 0 keeps the size that the device comes
 * up with, all of it, where ixy takes 128 KiB for receiving and 40 KiB for sending.
 */
final class NicInitializer {
  private static final long PS_PER_MS = 1_000_000_000L;

  /** Pause between two looks at a register, and how many: 1 s in total (ixy, wait_set_reg32). */
  private static final long STEP_PS = 10 * PS_PER_MS;

  private static final int STEPS_MAX = 100;

  /** The link has 10 s to come up. */
  private static final int LINK_STEPS_MAX = 1000;

  /** A queue is enabled within microseconds. */
  private static final long QUEUE_STEP_PS = PS_PER_MS;

  private static final int PACKET_BUFFERS = 8;
  private static final int RETA_REGISTERS = 32;
  private static final int RETA_ENTRIES_PER_REGISTER = 4;
  private static final int RSS_QUEUES_MAX = 16;
  private static final int RSS_KEY_REGISTERS = 10;
  private static final int LAN_ID_MASK = 3;

  /** MRQC: RSS over addresses and the ports of TCP and UDP, IPv4 and IPv6. */
  private static final int MRQC_RSS = 1 | 1 << 16 | 1 << 17 | 1 << 20 | 1 << 21 | 1 << 22 | 1 << 23;

  /** Bit 12 of DCA_RXCTRL is to be cleared (data sheet 4.6.7). */
  private static final int DCA_RXCTRL_BIT_12 = 1 << 12;

  private static final int DTXMXSZRQ_ALL = 0xFFFF;
  private static final int AUTOC_LMS_MASK = 7 << NicRegisters.AUTOC_LMS_SHIFT;

  private final NicDriverConfig config;
  private final RegisterAccess registers;
  private final NicInterrupts interrupts;

  NicInitializer(NicDriverConfig config, RegisterAccess registers, NicInterrupts interrupts) {
    this.config = config;
    this.registers = registers;
    this.interrupts = interrupts;
  }

  /** Resets the device and waits until it is ready to be set up. */
  void reset(CpuPort port) {
    int resetBits = NicRegisters.CTRL_RST | NicRegisters.CTRL_LNK_RST;
    interrupts.maskAll(port);
    registers.setBits(port, NicRegisters.CTRL, resetBits);
    registers.poll(port, "CTRL", NicRegisters.CTRL, resetBits, 0, STEP_PS, STEPS_MAX);
    port.delay(STEP_PS);
    interrupts.maskAll(port);
    interrupts.onReset();
    for (int queue = 0; queue < config.rxQueues(); queue++) {
      requireZero(port, "RDH", NicRegisters.rdh(queue));
      requireZero(port, "RDT", NicRegisters.rdt(queue));
    }
    for (int queue = 0; queue < config.txQueues(); queue++) {
      requireZero(port, "TDH", NicRegisters.tdh(queue));
      requireZero(port, "TDT", NicRegisters.tdt(queue));
    }
    pollSet(port, "EEC", NicRegisters.EEC, NicRegisters.EEC_ARD);
    pollSet(port, "RDRXCTL", NicRegisters.RDRXCTL, NicRegisters.RDRXCTL_DMAIDONE);
  }

  /** Starts the link: 10 Gb/s serial. */
  void startLink(CpuPort port) {
    int autoc = registers.read(port, NicRegisters.AUTOC) & ~AUTOC_LMS_MASK;
    registers.write(port, NicRegisters.AUTOC, autoc | NicRegisters.AUTOC_LMS_10G_SERIAL);
    registers.setBits(port, NicRegisters.AUTOC, NicRegisters.AUTOC_AN_RESTART);
  }

  /** Sets up what all receive queues share; reception stays disabled. */
  void setUpReceive(CpuPort port) {
    registers.clearBits(port, NicRegisters.RXCTRL, NicRegisters.RXCTRL_RXEN);
    for (int buffer = 1; buffer < PACKET_BUFFERS; buffer++) {
      registers.write(port, NicRegisters.rxpbsize(buffer), 0);
    }
    // Both or neither.
    change(port, NicRegisters.HLREG0, NicRegisters.HLREG0_RXCRCSTRP, config.crcStrip());
    change(port, NicRegisters.RDRXCTL, NicRegisters.RDRXCTL_CRCSTRIP, config.crcStrip());
    change(port, NicRegisters.HLREG0, NicRegisters.HLREG0_JUMBOEN, config.isJumbo());
    change(port, NicRegisters.HLREG0, NicRegisters.HLREG0_LPBK, config.loopback());
    registers.write(port, NicRegisters.MAXFRS, config.maxFrameBytes() << NicRegisters.MAXFRS_SHIFT);
    registers.setBits(port, NicRegisters.FCTRL, NicRegisters.FCTRL_BAM);
    if (config.fragmentChecksum()) {
      registers.setBits(port, NicRegisters.RXCSUM, NicRegisters.RXCSUM_IPPCSE);
    } else {
      registers.setBits(port, NicRegisters.RXCSUM, NicRegisters.RXCSUM_PCSD);
    }
    if (config.rxQueues() > 1) {
      setUpRss(port);
    }
  }

  /** Programs one receive queue; it stays disabled. */
  void setUpReceiveQueue(CpuPort port, int queue, CoherentBuffer memory) {
    int srrctl =
        NicRegisters.SRRCTL_DESCTYPE_ADV_ONEBUF
            | config.bufferBytes() >>> 10
            | (config.dropEnable() ? NicRegisters.SRRCTL_DROP_EN : 0);
    int kept = registers.read(port, NicRegisters.srrctl(queue));
    registers.write(
        port, NicRegisters.srrctl(queue), kept & NicRegisters.SRRCTL_BSIZEHEADER_MASK | srrctl);
    registers.write(port, NicRegisters.rdbal(queue), (int) memory.iova());
    registers.write(port, NicRegisters.rdbah(queue), (int) (memory.iova() >>> Integer.SIZE));
    registers.write(port, NicRegisters.rdlen(queue), memory.sizeBytes());
    registers.write(port, NicRegisters.rdh(queue), 0);
    registers.write(port, NicRegisters.rdt(queue), 0);
    mapStatistics(port, NicRegisters.rqsmr(queue >>> 2), queue);
    registers.clearBits(port, NicRegisters.dcaRxctrl(queue), DCA_RXCTRL_BIT_12);
  }

  /** Starts reception; no queue is enabled yet. */
  void enableReceive(CpuPort port) {
    registers.setBits(port, NicRegisters.CTRL_EXT, NicRegisters.CTRL_EXT_NS_DIS);
    registers.setBits(port, NicRegisters.RXCTRL, NicRegisters.RXCTRL_RXEN);
  }

  /** Sets up what all transmit queues share. */
  void setUpTransmit(CpuPort port) {
    registers.setBits(
        port, NicRegisters.HLREG0, NicRegisters.HLREG0_TXCRCEN | NicRegisters.HLREG0_TXPADEN);
    for (int buffer = 1; buffer < PACKET_BUFFERS; buffer++) {
      registers.write(port, NicRegisters.txpbsize(buffer), 0);
    }
    registers.write(port, NicRegisters.DTXMXSZRQ, DTXMXSZRQ_ALL);
    registers.clearBits(port, NicRegisters.RTTDCS, NicRegisters.RTTDCS_ARBDIS);
  }

  /** Programs one transmit queue; it stays disabled. */
  void setUpTransmitQueue(CpuPort port, int queue, CoherentBuffer memory) {
    registers.write(port, NicRegisters.tdbal(queue), (int) memory.iova());
    registers.write(port, NicRegisters.tdbah(queue), (int) (memory.iova() >>> Integer.SIZE));
    registers.write(port, NicRegisters.tdlen(queue), memory.sizeBytes());
    mapStatistics(port, NicRegisters.tqsm(queue >>> 2), queue);
    registers.write(port, NicRegisters.txdctl(queue), config.txdctl());
  }

  /** Starts transmission; no queue is enabled yet. */
  void enableTransmit(CpuPort port) {
    registers.setBits(port, NicRegisters.DMATXCTL, NicRegisters.DMATXCTL_TE);
  }

  /** Enables a receive queue; the ring is filled, and RDT is written afterwards. */
  void enableReceiveQueue(CpuPort port, int queue) {
    registers.setBits(port, NicRegisters.rxdctl(queue), NicRegisters.RXDCTL_ENABLE);
    pollQueue(port, "RXDCTL", NicRegisters.rxdctl(queue), NicRegisters.RXDCTL_ENABLE, true);
    registers.write(port, NicRegisters.rdh(queue), 0);
  }

  /** Enables a transmit queue. */
  void enableTransmitQueue(CpuPort port, int queue) {
    registers.write(port, NicRegisters.tdh(queue), 0);
    registers.write(port, NicRegisters.tdt(queue), 0);
    registers.setBits(port, NicRegisters.txdctl(queue), NicRegisters.TXDCTL_ENABLE);
    pollQueue(port, "TXDCTL", NicRegisters.txdctl(queue), NicRegisters.TXDCTL_ENABLE, true);
  }

  /** Accepts frames for any address, if so configured. */
  void setPromiscuous(CpuPort port) {
    int bits = NicRegisters.FCTRL_MPE | NicRegisters.FCTRL_UPE;
    change(port, NicRegisters.FCTRL, bits, config.promiscuous());
  }

  /** Waits until the link is up. */
  void awaitLink(CpuPort port) {
    registers.poll(
        port,
        "LINKS",
        NicRegisters.LINKS,
        NicRegisters.LINKS_UP,
        NicRegisters.LINKS_UP,
        STEP_PS,
        LINK_STEPS_MAX);
  }

  /** {@return the port's number on the device} */
  int portIndex(CpuPort port) {
    return registers.read(port, NicRegisters.STATUS) >>> NicRegisters.STATUS_LAN_ID_SHIFT
        & LAN_ID_MASK;
  }

  /** Stops all queues and, in the end, all access to memory (data sheet 5.2.5.3.2). */
  void shutDown(CpuPort port) {
    interrupts.maskAll(port);
    registers.clearBits(port, NicRegisters.RXCTRL, NicRegisters.RXCTRL_RXEN);
    for (int queue = 0; queue < config.rxQueues(); queue++) {
      int register = NicRegisters.rxdctl(queue);
      registers.clearBits(port, register, NicRegisters.RXDCTL_ENABLE);
      pollQueue(port, "RXDCTL", register, NicRegisters.RXDCTL_ENABLE, false);
    }
    for (int queue = 0; queue < config.txQueues(); queue++) {
      int register = NicRegisters.txdctl(queue);
      registers.clearBits(port, register, NicRegisters.TXDCTL_ENABLE);
      pollQueue(port, "TXDCTL", register, NicRegisters.TXDCTL_ENABLE, false);
    }
    registers.setBits(port, NicRegisters.CTRL, NicRegisters.CTRL_GIO_DIS);
    registers.poll(
        port, "STATUS", NicRegisters.STATUS, NicRegisters.STATUS_GIO, 0, STEP_PS, STEPS_MAX);
  }

  private void setUpRss(CpuPort port) {
    for (int i = 0; i < RSS_KEY_REGISTERS; i++) {
      registers.write(port, NicRegisters.rssrk(i), config.rssKey().registerValue(i));
    }
    int queues = Math.min(config.rxQueues(), RSS_QUEUES_MAX);
    for (int i = 0; i < RETA_REGISTERS; i++) {
      int entries = 0;
      for (int j = 0; j < RETA_ENTRIES_PER_REGISTER; j++) {
        entries |= (i * RETA_ENTRIES_PER_REGISTER + j) % queues << 8 * j;
      }
      registers.write(port, NicRegisters.reta(i), entries);
    }
    registers.write(port, NicRegisters.MRQC, MRQC_RSS);
  }

  /** Counts a queue in the statistics set of its number, modulo 16. */
  private void mapStatistics(CpuPort port, int register, int queue) {
    int shift = 8 * (queue & 3);
    int others = registers.read(port, register) & ~(0xFF << shift);
    int set = queue % NicRegisters.QUEUE_STATISTICS;
    registers.write(port, register, others | set << shift);
  }

  private void change(CpuPort port, int offset, int bits, boolean isSet) {
    if (isSet) {
      registers.setBits(port, offset, bits);
    } else {
      registers.clearBits(port, offset, bits);
    }
  }

  private void pollSet(CpuPort port, String name, int offset, int bit) {
    registers.poll(port, name, offset, bit, bit, STEP_PS, STEPS_MAX);
  }

  private void pollQueue(CpuPort port, String name, int offset, int bit, boolean isSet) {
    registers.poll(port, name, offset, bit, isSet ? bit : 0, QUEUE_STEP_PS, STEPS_MAX);
  }

  private void requireZero(CpuPort port, String name, int offset) {
    int value = registers.read(port, offset);
    if (value != 0) {
      throw RegisterAccess.mismatch(name, -1, 0, value);
    }
  }
}
