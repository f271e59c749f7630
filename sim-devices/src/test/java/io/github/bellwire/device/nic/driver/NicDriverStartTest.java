package io.github.bellwire.device.nic.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.github.bellwire.cpu.CpuPort;
import io.github.bellwire.device.nic.NicRegisters;
import io.github.bellwire.dma.DmaConfig;
import io.github.bellwire.dma.DmaDevice;
import io.github.bellwire.dma.DmaDirection;
import io.github.bellwire.dma.DmaMapper;
import io.github.bellwire.dma.MemoryZones;
import io.github.bellwire.dma.PageAllocator;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** Start-up against registers that behave as a script says, without a device model. */
class NicDriverStartTest {
  private static final int RESET_BITS = NicRegisters.CTRL_RST | NicRegisters.CTRL_LNK_RST;
  private static final long MS_PS = 1_000_000_000L;

  private final ScriptedPort port = new ScriptedPort();
  private final FakeConfigSpace configSpace = new FakeConfigSpace();
  private final PageAllocator pages = new PageAllocator(MemoryZones.ofRam(16 << 20, 64 << 20));
  private final DmaDevice dma =
      new DmaDevice(DmaConfig.LINUX_DEFAULT, pages, DmaMapper.IDENTITY, null);

  @Test
  void shouldFollowTheOrderOfTheDataSheet() {
    NicDriver driver = driver(NicDriverConfig.POLLING);

    driver.start(port);

    assertThat(port.order())
        .containsSubsequence(
            "EIMC=7fffffff",
            "CTRL=4000008",
            "EIMC=7fffffff",
            "AUTOC=6000", // LMS 3
            "AUTOC=7000", // AN_RESTART
            "RXCTRL=0",
            "RXPBSIZE1=0",
            "FCTRL=400", // BAM
            "RDBAL",
            "RDBAH",
            "RDLEN=2000", // 512 x 16
            "RDH=0",
            "RDT=0",
            "CTRL_EXT=10000", // NS_DIS
            "RXCTRL=1",
            "TXPBSIZE1=0",
            "DTXMXSZRQ=ffff",
            "RTTDCS=0",
            "TDBAL",
            "TDBAH",
            "TDLEN=2000",
            "TXDCTL=80820", // P 32, H 8, W 8
            "DMATXCTL=1",
            "RXDCTL=2000000",
            "RDH=0",
            "RDT=1ff", // 511 of 512
            "TDH=0",
            "TDT=0",
            "TXDCTL=2080820",
            "FCTRL=700"); // UPE, MPE
    assertThat(port.written(NicRegisters.rxpbsize(0))).isEmpty();
    assertThat(port.registers.get(NicRegisters.HLREG0))
        .isEqualTo(
            NicRegisters.HLREG0_TXCRCEN
                | NicRegisters.HLREG0_RXCRCSTRP
                | NicRegisters.HLREG0_TXPADEN);
    assertThat(port.registers.get(NicRegisters.RDRXCTL) & NicRegisters.RDRXCTL_CRCSTRIP)
        .isNotZero();
    assertThat(port.registers.get(NicRegisters.MAXFRS)).isEqualTo(1518 << 16);
    // 2 KiB, advanced with one buffer, DROP_EN.
    assertThat(port.registers.get(NicRegisters.srrctl(0))).isEqualTo(0x12000002);
    assertThat(port.registers.get(NicRegisters.RXCSUM)).isEqualTo(NicRegisters.RXCSUM_PCSD);
    assertThat(port.registers).doesNotContainKey(NicRegisters.MRQC);
    // Memory and bus master.
    assertThat(configSpace.command).isEqualTo(6);
    assertThat(dma.mask()).isEqualTo(Long.MAX_VALUE);
    assertThat(driver.rxQueuesCount()).isEqualTo(1);
    assertThat(driver.txQueuesCount()).isEqualTo(1);
  }

  @Test
  void shouldGiveTransmitRingsTheirOwnSize() {
    driver(NicDriverConfig.POLLING.toBuilder().ringSize(128).txRingSize(1024).build()).start(port);

    assertThat(port.registers.get(NicRegisters.rdlen(0))).isEqualTo(128 * 16);
    assertThat(port.registers.get(NicRegisters.tdlen(0))).isEqualTo(1024 * 16);
  }

  @Test
  void shouldPollUntilTheDeviceIsReady() {
    port.readsUntilReset = 5;
    port.readsUntilLink = 7;

    driver(NicDriverConfig.POLLING).start(port);

    // 10 ms between polls of CTRL and LINKS, and 10 ms after the reset.
    assertThat(port.nowPs()).isBetween((5 - 1 + 1 + 7 - 1) * 10 * MS_PS, 120 * MS_PS);
  }

  @Test
  void shouldGiveUpOnAResetThatNeverEnds() {
    port.readsUntilReset = Integer.MAX_VALUE;

    assertThatIllegalStateException()
        .isThrownBy(() -> driver(NicDriverConfig.POLLING).start(port))
        .withMessage("CTRL must be 0x0 under mask 0x4000008: CTRL=0x4000008");
  }

  @Test
  void shouldGiveUpOnALinkThatDoesNotComeUp() {
    port.readsUntilLink = Integer.MAX_VALUE;

    assertThatIllegalStateException()
        .isThrownBy(() -> driver(NicDriverConfig.POLLING).start(port))
        .withMessage("LINKS must be 0x40000000 under mask 0x40000000: LINKS=0x0");
    assertThat(port.nowPs()).isGreaterThan(10_000 * MS_PS);
  }

  @Test
  void shouldGiveUpOnAQueueThatIsNotEnabled() {
    port.refusesQueues = true;

    assertThatIllegalStateException()
        .isThrownBy(() -> driver(NicDriverConfig.POLLING).start(port))
        .withMessageStartingWith("RXDCTL must be 0x2000000 under mask 0x2000000: RXDCTL=0x0");
  }

  @Test
  void shouldGiveUpOnHeadsThatSurviveTheReset() {
    port.registers.put(NicRegisters.tdh(0), 3);

    assertThatIllegalStateException()
        .isThrownBy(() -> driver(NicDriverConfig.POLLING).start(port))
        .withMessage("TDH must be 0x0 under mask 0xffffffff: TDH=0x3");
  }

  @Test
  void shouldSpreadQueuesOverTheRedirectionTable() {
    driver(NicDriverConfig.POLLING.toBuilder().rxQueues(3).txQueues(2).build()).start(port);

    // Entries 0, 1, 2, 0 and so on.
    assertThat(port.registers.get(NicRegisters.reta(0))).isEqualTo(0x00020100);
    assertThat(port.registers.get(NicRegisters.reta(1))).isEqualTo(0x01000201);
    // 128 = 42 x 3 + 2: the last four are 1, 2, 0, 1.
    assertThat(port.registers.get(NicRegisters.reta(31))).isEqualTo(0x01000201);
    // Key bytes 6d 5a 56 da, the first one lowest.
    assertThat(port.registers.get(NicRegisters.rssrk(0))).isEqualTo(0xda565a6d);
    assertThat(port.registers.get(NicRegisters.rssrk(9))).isEqualTo(0xfa01acbe);
    assertThat(port.registers.get(NicRegisters.MRQC)).isEqualTo(0x00F30001);
    // Each queue has its own statistics.
    assertThat(port.registers.get(NicRegisters.rqsmr(0))).isEqualTo(0x00020100);
    assertThat(port.registers.get(NicRegisters.tqsm(0))).isEqualTo(0x00000100);
    assertThat(port.written(NicRegisters.rdt(2))).containsExactly(0, 511);
  }

  @Test
  void shouldSetUpWhatIsConfigured() {
    NicDriverConfig config =
        NicDriverConfig.POLLING.toBuilder()
            .bufferBytes(4096)
            .maxFrameBytes(9018)
            .crcStrip(false)
            .promiscuous(false)
            .dropEnable(false)
            .fragmentChecksum(true)
            .loopback(true)
            .build();

    driver(config).start(port);

    int hlreg0 = port.registers.get(NicRegisters.HLREG0);
    assertThat(hlreg0 & NicRegisters.HLREG0_RXCRCSTRP).isZero();
    assertThat(hlreg0 & NicRegisters.HLREG0_JUMBOEN).isNotZero();
    assertThat(hlreg0 & NicRegisters.HLREG0_LPBK).isNotZero();
    assertThat(port.registers.get(NicRegisters.RDRXCTL) & NicRegisters.RDRXCTL_CRCSTRIP).isZero();
    assertThat(port.registers.get(NicRegisters.MAXFRS)).isEqualTo(9018 << 16);
    assertThat(port.registers.get(NicRegisters.srrctl(0))).isEqualTo(0x02000004);
    assertThat(port.registers.get(NicRegisters.RXCSUM)).isEqualTo(NicRegisters.RXCSUM_IPPCSE);
    assertThat(port.registers.get(NicRegisters.FCTRL)).isEqualTo(NicRegisters.FCTRL_BAM);
  }

  @Test
  void shouldTellTheDeviceTheRingsBusAddresses() {
    NicDriver driver = driver(NicDriverConfig.POLLING);

    driver.start(port);

    long iova = driver.rxRing(0).memory().iova();
    assertThat(iova).isGreaterThanOrEqualTo(1L << 32);
    assertThat(port.registers.get(NicRegisters.rdbal(0))).isEqualTo((int) iova);
    assertThat(port.registers.get(NicRegisters.rdbah(0))).isEqualTo((int) (iova >>> 32));
  }

  @Test
  void shouldReadAllHalvesOfTheCounters() {
    NicDriver driver = driver(NicDriverConfig.POLLING);
    port.registers.put(NicRegisters.GPRC, 1);
    port.registers.put(NicRegisters.GORCL, 0x80000000);
    port.registers.put(NicRegisters.GORCH, 1);
    port.registers.put(NicRegisters.TPR, 3);
    port.registers.put(NicRegisters.mpc(0), 4);
    port.registers.put(NicRegisters.mpc(7), 5);
    port.registers.put(NicRegisters.qprdc(0), 6);
    port.registers.put(NicRegisters.qprdc(15), 7);
    port.registers.put(NicRegisters.CRCERRS, 8);
    port.registers.put(NicRegisters.RLEC, 9);
    port.registers.put(NicRegisters.RUC, 10);
    port.registers.put(NicRegisters.RFC, 11);
    port.registers.put(NicRegisters.ROC, 12);
    port.registers.put(NicRegisters.RJC, 13);
    port.registers.put(NicRegisters.GPTC, -1);
    port.registers.put(NicRegisters.GOTCL, 15);

    DriverStatistics statistics = driver.readStatistics(port);

    assertThat(statistics)
        .isEqualTo(
            new DriverStatistics(
                1, 0x1_8000_0000L, 3, 9, 13, 8, 9, 10, 11, 12, 13, 0xFFFF_FFFFL, 15));
    assertThat(statistics.droppedFrames()).isEqualTo(22);
    assertThat(port.reads).containsSubsequence(NicRegisters.GORCL, NicRegisters.GORCH);
  }

  @Test
  void shouldStopQueuesAndMastersInThatOrder() {
    NicDriver driver = driver(NicDriverConfig.POLLING);
    driver.start(port);
    port.mmioWrites.clear();

    driver.stop(port);

    assertThat(port.order())
        .containsSubsequence("EIMC=7fffffff", "RXCTRL=0", "RXDCTL=0", "TXDCTL=80820", "CTRL=4");
    assertThat(configSpace.command).isEqualTo(2);
    assertThat(dma.liveMappingsCount()).isZero();
    assertThat(driver.rxQueuesCount()).isZero();
    assertThatIllegalStateException().isThrownBy(() -> driver.stop(port));
  }

  @Test
  void shouldRefuseToStartTwice() {
    NicDriver driver = driver(NicDriverConfig.POLLING);
    driver.start(port);

    assertThatIllegalStateException().isThrownBy(() -> driver.start(port));
  }

  @Test
  void shouldFindTheMsiXTableByTheCapability() {
    PciFunction function = new PciFunction(configSpace);

    function.enableMsiX();

    // BAR 4 at 2_0000_4000, table at 1000 in it; the low three bits name the BAR.
    assertThat(function.msiXTableAddress()).isEqualTo(0x2_0000_5000L);
    assertThat(configSpace.msiXControl).isEqualTo(0x803F);
  }

  @Test
  void shouldRefuseAPoolOfSmallerBuffers() {
    BufferPool pool = new BufferPool(pages, 1024, 8);

    assertThatIllegalArgumentException()
        .isThrownBy(
            () ->
                new NicDriver(NicDriverConfig.POLLING, configSpace, FakePort.BAR0, dma, pool, null))
        .withMessage("bufferBytes must be <= 1024, the pool's: bufferBytes=2048");
  }

  @Test
  void shouldFallBackToMasksOf32Bits() {
    DmaDevice device = new DmaDevice(DmaConfig.LINUX_DEFAULT, pages, new OddMapper(32), null);
    BufferPool pool = new BufferPool(pages, 2048, 2048);
    NicDriverConfig config = NicDriverConfig.POLLING;
    new NicDriver(config, configSpace, FakePort.BAR0, device, pool, null).start(port);

    assertThat(device.mask()).isEqualTo(0xFFFF_FFFFL);
    assertThat(device.coherentMask()).isEqualTo(0xFFFF_FFFFL);
  }

  @Test
  void shouldRefuseAMachineWithoutMemoryInReach() {
    DmaDevice device = new DmaDevice(DmaConfig.LINUX_DEFAULT, pages, new OddMapper(24), null);
    BufferPool pool = new BufferPool(pages, 2048, 2048);
    NicDriverConfig config = NicDriverConfig.POLLING;
    NicDriver driver = new NicDriver(config, configSpace, FakePort.BAR0, device, pool, null);

    assertThatIllegalStateException()
        .isThrownBy(() -> driver.start(port))
        .withMessage("no usable DMA mask: bits=32");
  }

  private NicDriver driver(NicDriverConfig config) {
    BufferPool pool = new BufferPool(pages, config.bufferBytes(), config.buffersCount());
    return new NicDriver(config, configSpace, FakePort.BAR0, dma, pool, null);
  }

  /** Refuses masks wider than some bits, as no real mapper does. */
  private static final class OddMapper implements DmaMapper {
    private final int bitsMax;

    OddMapper(int bitsMax) {
      this.bitsMax = bitsMax;
    }

    @Override
    public boolean reaches(long pa, int lengthBytes, long mask) {
      return Long.bitCount(mask) <= bitsMax;
    }

    @Override
    public long map(CpuPort port, long pa, int lengthBytes, DmaDirection direction, long mask) {
      return pa;
    }

    @Override
    public void unmap(CpuPort port, long iova, int lengthBytes, DmaDirection direction) {}
  }

  /** Registers that get ready after so many reads. */
  private static final class ScriptedPort extends FakePort {
    private static final Map<Integer, String> NAMES = new TreeMap<>();

    static {
      NAMES.put(NicRegisters.CTRL, "CTRL");
      NAMES.put(NicRegisters.CTRL_EXT, "CTRL_EXT");
      NAMES.put(NicRegisters.EIMC, "EIMC");
      NAMES.put(NicRegisters.AUTOC, "AUTOC");
      NAMES.put(NicRegisters.RXCTRL, "RXCTRL");
      NAMES.put(NicRegisters.rxpbsize(1), "RXPBSIZE1");
      NAMES.put(NicRegisters.FCTRL, "FCTRL");
      NAMES.put(NicRegisters.rdlen(0), "RDLEN");
      NAMES.put(NicRegisters.rdh(0), "RDH");
      NAMES.put(NicRegisters.rdt(0), "RDT");
      NAMES.put(NicRegisters.rxdctl(0), "RXDCTL");
      NAMES.put(NicRegisters.txpbsize(1), "TXPBSIZE1");
      NAMES.put(NicRegisters.DTXMXSZRQ, "DTXMXSZRQ");
      NAMES.put(NicRegisters.RTTDCS, "RTTDCS");
      NAMES.put(NicRegisters.tdlen(0), "TDLEN");
      NAMES.put(NicRegisters.tdh(0), "TDH");
      NAMES.put(NicRegisters.tdt(0), "TDT");
      NAMES.put(NicRegisters.txdctl(0), "TXDCTL");
      NAMES.put(NicRegisters.DMATXCTL, "DMATXCTL");
    }

    final List<Integer> reads = new ArrayList<>();
    int readsUntilReset = 2;
    int readsUntilLink = 2;
    boolean refusesQueues;

    ScriptedPort() {
      registers.put(NicRegisters.RTTDCS, NicRegisters.RTTDCS_ARBDIS);
      registers.put(NicRegisters.STATUS, NicRegisters.STATUS_GIO);
    }

    /** Returns the writes in words; those of addresses without value. */
    List<String> order() {
      List<String> order = new ArrayList<>();
      for (Write write : mmioWrites) {
        String name = NAMES.get(write.offset());
        if (name != null) {
          order.add(name + "=" + Integer.toHexString(write.value()));
        } else if (write.offset() == NicRegisters.rdbal(0)) {
          order.add("RDBAL");
        } else if (write.offset() == NicRegisters.rdbah(0)) {
          order.add("RDBAH");
        } else if (write.offset() == NicRegisters.tdbal(0)) {
          order.add("TDBAL");
        } else if (write.offset() == NicRegisters.tdbah(0)) {
          order.add("TDBAH");
        }
      }
      return order;
    }

    @Override
    void onRead(int offset) {
      reads.add(offset);
      int control = registers.getOrDefault(NicRegisters.CTRL, 0);
      if (offset == NicRegisters.CTRL && (control & RESET_BITS) != 0 && --readsUntilReset == 0) {
        registers.put(NicRegisters.CTRL, 0);
        registers.put(NicRegisters.EEC, NicRegisters.EEC_ARD);
        registers.put(NicRegisters.RDRXCTL, NicRegisters.RDRXCTL_DMAIDONE);
      } else if (offset == NicRegisters.LINKS && --readsUntilLink == 0) {
        registers.put(NicRegisters.LINKS, NicRegisters.LINKS_UP);
      }
    }

    @Override
    void onWrite(int offset, int value) {
      if (offset == NicRegisters.rxdctl(0) && refusesQueues) {
        registers.put(offset, 0);
      } else if (offset == NicRegisters.CTRL && value == NicRegisters.CTRL_GIO_DIS) {
        registers.put(NicRegisters.STATUS, 0);
      }
    }
  }

  /** An MSI-X capability behind another one, table in BAR 4. */
  private static final class FakeConfigSpace implements ConfigAccess {
    int command;
    int msiXControl = 0x403F;

    @Override
    public int read(int offset, int sizeBytes) {
      return switch (offset) {
        case 0x04 -> command;
        case 0x20 -> 0x0000_400C; // 64 bits, prefetchable
        case 0x24 -> 2;
        case 0x34 -> 0x40;
        case 0x40 -> 0x01;
        case 0x41 -> 0x70;
        case 0x70 -> 0x11;
        case 0x72 -> msiXControl;
        case 0x74 -> 0x1004;
        default -> 0;
      };
    }

    @Override
    public void write(int offset, int sizeBytes, int value) {
      if (offset == 0x04) {
        command = value;
      } else if (offset == 0x72) {
        msiXControl = value;
      }
    }
  }
}
