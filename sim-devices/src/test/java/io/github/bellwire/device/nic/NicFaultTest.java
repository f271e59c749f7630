package io.github.bellwire.device.nic;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.bellwire.host.Host;
import io.github.bellwire.pcie.ConfigLayout;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Addresses and registers that make no sense: counted and reported, nothing else happens. */
class NicFaultTest {
  // The first gap of the small host's memory, the range of interrupt messages, terabytes above all
  // memory, across the last address, and the end of all addresses.
  private static final long HOLE = 0x8000_0000L;
  private static final long MESSAGES = 0xFEE0_0000L;
  private static final long ABOVE = 1L << 44;
  private static final long LAST = -16L;
  private static final long ACROSS_ZERO = -32L;
  private static final int LOW_BYTES = 16 << 20;

  private final NicBench bench =
      new NicBench(new Host(NicBench.SMALL_HOST, 1), NicBench.CONFIG, null);

  @BeforeEach
  void start() {
    bench.host.enumerate();
    bench.start();
    bench.write(NicRegisters.EICR, -1);
  }

  @ParameterizedTest
  @ValueSource(longs = {HOLE, MESSAGES, ABOVE, LAST, ACROSS_ZERO, -2048, LOW_BYTES - 32})
  void shouldLoseOnlyThePayloadOfABadReceiveBuffer(long address) {
    NicBench.RxRing ring = bench.rxRing(0, 8).post(7);
    bench.memory().putLong(ring.base + 16, address);
    fillMemory(ring.base, 128, ring.buffers, 3 * 2048L);
    byte[] before = snapshot();

    for (int i = 0; i < 3; i++) {
      bench.receive(NicBench.frame(60 + 4 * i, i));
    }
    bench.run();

    byte[] after = snapshot();
    allow(before, after, ring.base, 128);
    allow(before, after, ring.buffers, 3 * 2048);
    if (address == LOW_BYTES - 32) {
      // The end of memory is a 4 KiB boundary, so the 64 bytes are two requests: one succeeds.
      assertThat(bench.bytes(address, 32)).isEqualTo(Arrays.copyOf(NicBench.frame(64, 1), 32));
      allow(before, after, address, 32);
    }
    assertThat(Arrays.equals(before, after)).as("other memory").isTrue();
    assertThat(bench.counter("rx_fault_count")).isEqualTo(1);
    assertThat(bench.read(NicRegisters.EICR) & NicRegisters.EICR_PCI).isNotZero();
    assertThat(bench.counter("rx_delivered_count")).isEqualTo(3);
    assertThat(ring.take()).isEqualTo(NicBench.frame(60, 0));
    ring.take();
    assertThat(ring.take()).isEqualTo(NicBench.frame(68, 2));
    assertThat(bench.host.interrupts().spuriousTotal()).isZero();
  }

  @ParameterizedTest
  @ValueSource(longs = {HOLE, MESSAGES, ABOVE, LAST, ACROSS_ZERO})
  void shouldDiscardAPacketWhoseDataCannotBeRead(long address) {
    NicBench.TxRing ring = bench.txRing(0, 16, 0);
    ring.add(NicBench.frame(60, 1));
    ring.add(address, TxDescriptorLayout.dataHigh(64, NicBench.TxRing.EOP_FCS_RS, 0, 0, 64));
    ring.add(NicBench.frame(60, 3)).ring();
    byte[] before = snapshot();

    bench.run();

    byte[] after = snapshot();
    allow(before, after, ring.base, 256);
    assertThat(Arrays.equals(before, after)).as("other memory").isTrue();
    assertThat(bench.sent).containsExactly(NicBench.frame(60, 1), NicBench.frame(60, 3));
    assertThat(ring.done()).containsExactly(0, 1, 2);
    assertThat(bench.counter("tx_fault_count")).isEqualTo(1);
    assertThat(bench.counter("tx_discarded_count")).isEqualTo(1);
    assertThat(bench.read(NicRegisters.EICR) & NicRegisters.EICR_PCI).isNotZero();
    assertThat(status() & ConfigLayout.STATUS_RECEIVED_MASTER_ABORT).isNotZero();
  }

  @Test
  void shouldDiscardAPacketOfNoBytes() {
    NicBench.TxRing ring = bench.txRing(0, 16, 0);
    ring.add(ring.buffer(0), TxDescriptorLayout.dataHigh(0, NicBench.TxRing.EOP_FCS_RS, 0, 0, 0));
    ring.add(NicBench.frame(13, 1)); // Shorter than an Ethernet header.
    ring.add(NicBench.frame(60, 2)).ring();

    bench.run();

    assertThat(bench.sent).containsExactly(NicBench.frame(60, 2));
    assertThat(ring.done()).containsExactly(0, 1, 2);
    assertThat(bench.counter("tx_fault_count")).isEqualTo(1);
    assertThat(bench.counter("tx_discarded_count")).isEqualTo(2);
    assertThat(bench.port.refusedRequestsTotal()).isZero();
  }

  @Test
  void shouldDiscardAPacketWithoutEnd() {
    NicBench.TxRing ring = bench.txRing(0, 256, 0);
    long piece = TxDescriptorLayout.dataHigh(65535, TxDescriptorLayout.COMMAND_IFCS, 0, 0, 0);
    for (int i = 0; i < 20; i++) {
      ring.add(ring.buffers, piece);
    }
    ring.add(NicBench.frame(60, 1)); // Ends what has become longer than 256 KiB.
    ring.add(NicBench.frame(60, 2)).ring();

    bench.run();

    assertThat(bench.sent).containsExactly(NicBench.frame(60, 2));
    assertThat(bench.counter("tx_discarded_count")).isEqualTo(1);
  }

  @ParameterizedTest
  @ValueSource(longs = {HOLE, MESSAGES, ABOVE, -128, 0xFFFF_FFFF_FFFF_F000L})
  void shouldLoseFramesWhoseRingCannotBeReadAndRecover(long base) {
    NicBench.RxRing ring = bench.new RxRing(0, 1024, 1024);
    ring.enable(NicRegisters.SRRCTL_DESCTYPE_ADV_ONEBUF, 0);
    bench.write(NicRegisters.rxdctl(0), 0);
    bench.write(NicRegisters.rdbal(0), (int) base);
    bench.write(NicRegisters.rdbah(0), (int) (base >>> 32));
    // A ring near the end of all addresses does not go on at 0.
    bench.write(NicRegisters.rdh(0), 300);
    bench.write(NicRegisters.rxdctl(0), NicRegisters.RXDCTL_ENABLE);
    bench.write(NicRegisters.rdt(0), 1000);
    byte[] before = snapshot();

    for (int i = 0; i < 10; i++) {
      bench.receive(NicBench.frame(60, i));
    }
    bench.run();

    assertThat(Arrays.equals(before, snapshot())).as("memory").isTrue();
    assertThat(bench.counter("rx_fault_count")).isEqualTo(10);
    assertThat(bench.counter("rx_lost_to_fault_count")).isEqualTo(10);
    assertThat(status() & ConfigLayout.STATUS_RECEIVED_MASTER_ABORT).isNotZero();
    bench.write(NicRegisters.rxdctl(0), 0);
    ring.enable(NicRegisters.SRRCTL_DESCTYPE_ADV_ONEBUF, 0);
    ring.post(2);
    bench.receive(NicBench.frame(60, 99));
    bench.run();
    assertThat(ring.takeAll()).containsExactly(NicBench.frame(60, 99));
  }

  @ParameterizedTest
  @ValueSource(longs = {HOLE, MESSAGES, ABOVE, -128})
  void shouldStopAQueueWhoseRingCannotBeReadAndSayIt(long base) {
    bench.write(NicRegisters.tdbal(0), (int) base);
    bench.write(NicRegisters.tdbah(0), (int) (base >>> 32));
    bench.write(NicRegisters.tdlen(0), 256);
    bench.write(NicRegisters.txdctl(0), NicRegisters.TXDCTL_ENABLE);
    bench.write(NicRegisters.tdt(0), 15);
    NicBench.TxRing other = bench.txRing(1, 16, 0);
    other.add(NicBench.frame(60, 1)).ring();

    bench.run();

    assertThat(bench.read(NicRegisters.txdctl(0)) & NicRegisters.TXDCTL_ENABLE).isZero();
    assertThat(bench.read(NicRegisters.tdh(0))).isZero();
    assertThat(bench.counter("tx_fault_count")).isEqualTo(1);
    assertThat(bench.sent).containsExactly(NicBench.frame(60, 1));
    NicBench.TxRing fresh = bench.txRing(0, 16, 0);
    fresh.add(NicBench.frame(60, 2)).ring();
    bench.run();
    assertThat(bench.sent).containsExactly(NicBench.frame(60, 1), NicBench.frame(60, 2));
  }

  @Test
  void shouldDropFramesForBuffersOfNoSize() {
    bench.rxRing(0, 2048, 1024).post(2047);
    bench.write(NicRegisters.rxdctl(0), 0);
    bench.write(NicRegisters.srrctl(0), NicRegisters.SRRCTL_DESCTYPE_ADV_ONEBUF);
    bench.write(NicRegisters.rxdctl(0), NicRegisters.RXDCTL_ENABLE);
    bench.write(NicRegisters.rdt(0), 2047);

    bench.receive(NicBench.frame(60, 1));
    bench.run();

    assertThat(bench.read(NicRegisters.qprdc(0))).isEqualTo(1);
    assertThat(bench.port.upstream().bytesTotal()).isZero();
  }

  @Test
  void shouldIgnoreIndicesBeyondTheRing() {
    NicBench.RxRing rx = bench.rxRing(0, 64).post(20);
    NicBench.TxRing tx = bench.txRing(0, 64, 0);
    for (int i = 0; i < 10; i++) {
      bench.receive(NicBench.frame(60, i));
      tx.add(NicBench.frame(60, i));
    }
    tx.ring();
    bench.run();

    bench.write(NicRegisters.rdt(0), 64);
    bench.write(NicRegisters.tdt(0), 0xFFFF);
    bench.run();
    assertThat(tx.head()).isEqualTo(10);
    assertThat(bench.sent).hasSize(10);
    for (int i = 0; i < 20; i++) {
      bench.receive(NicBench.frame(60, i));
    }
    bench.run();
    assertThat(rx.takeAll()).hasSize(20);
    assertThat(bench.nic.framesInFifoCount()).isEqualTo(10);

    // A smaller ring with an old head beyond it starts at its first descriptor.
    bench.write(NicRegisters.CTRL, NicRegisters.CTRL_GIO_DIS);
    bench.write(NicRegisters.rxdctl(0), 0);
    bench.write(NicRegisters.txdctl(0), 0);
    bench.write(NicRegisters.CTRL, 0);
    bench.write(NicRegisters.rdlen(0), 8 * 16);
    bench.write(NicRegisters.tdlen(0), 8 * 16);
    bench.write(NicRegisters.rxdctl(0), NicRegisters.RXDCTL_ENABLE);
    bench.write(NicRegisters.txdctl(0), NicRegisters.TXDCTL_ENABLE);
    assertThat(rx.head()).isZero();
    assertThat(tx.head()).isZero();
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4})
  void shouldSurviveRandomDescriptorsAndRegisters(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    NicBench.RxRing rx = bench.rxRing(0, 64, 2048);
    NicBench.TxRing tx = bench.txRing(0, 64, 0);
    bench.write(NicRegisters.HLREG0, bench.read(NicRegisters.HLREG0) | NicRegisters.HLREG0_JUMBOEN);
    byte[] before = snapshot();

    for (int i = 0; i < 500; i++) {
      int slot = random.nextInt(64);
      // A receive buffer is one of the driver's own or nowhere.
      boolean isOwn = random.nextInt(3) > 0;
      bench
          .memory()
          .putLong(rx.base + 16L * slot, isOwn ? rx.buffer(random.nextInt(64)) : wild(random));
      bench
          .memory()
          .putLong(tx.base + 16L * slot, random.nextBoolean() ? tx.buffers : wild(random));
      bench.memory().putLong(tx.base + 16L * slot + 8, random.nextLong());
      writeRandomRegister(random);
      bench.write(NicRegisters.rdt(0), random.nextInt(70));
      bench.write(NicRegisters.tdt(0), random.nextInt(70));
      bench.receive(NicBench.frame(random.nextInt(3000), i));
      bench.simulation.runUntil(bench.simulation.nowPs() + random.nextInt(1_000_000));
    }
    bench.write(NicRegisters.CTRL, NicRegisters.CTRL_RST);
    bench.run();

    byte[] after = snapshot();
    allow(before, after, rx.base, 64 * 16);
    allow(before, after, tx.base, 64 * 16);
    allow(before, after, rx.buffers, 64 * 2048);
    // A descriptor that is used again without being renewed holds a write-back: address 0.
    allow(before, after, 0, 2048);
    assertThat(Arrays.equals(before, after)).as("seed %d", seed).isTrue();
    bench.start();
    bench.simulation.runUntil(bench.simulation.nowPs() + 1);
    bench.sent.clear();
    NicBench.TxRing fresh = bench.txRing(0, 64, 0);
    fresh.add(NicBench.frame(60, 1)).ring();
    bench.run();
    assertThat(bench.sent).as("seed %d", seed).containsExactly(NicBench.frame(60, 1));
  }

  /** Everything but where rings are and how large their buffers: those decide what may change. */
  private void writeRandomRegister(SplittableRandom random) {
    int value = random.nextInt();
    switch (random.nextInt(12)) {
      case 0 -> bench.write(NicRegisters.rxdctl(0), value | NicRegisters.RXDCTL_ENABLE);
      case 1 -> bench.write(NicRegisters.txdctl(0), value | NicRegisters.TXDCTL_ENABLE);
      case 2 -> bench.write(NicRegisters.rxdctl(0), value & NicRegisters.RXDCTL_VME);
      case 3 -> bench.write(NicRegisters.txdctl(0), value & ~NicRegisters.TXDCTL_ENABLE);
      case 4 -> bench.write(NicRegisters.rdh(0), value & 0x7F);
      case 5 -> bench.write(NicRegisters.tdh(0), value & 0x7F);
      case 6 -> bench.write(NicRegisters.HLREG0, value & ~NicRegisters.HLREG0_LPBK);
      case 7 -> bench.write(NicRegisters.RXCSUM, value);
      case 8 -> bench.write(NicRegisters.DTXTCPFLGL, value);
      case 9 -> bench.write(NicRegisters.VLNCTRL, value);
      case 10 -> bench.write(NicRegisters.CTRL, value & NicRegisters.CTRL_GIO_DIS);
      default -> bench.write(0x800 + (value & 0x3FC), value);
    }
  }

  private static long wild(SplittableRandom random) {
    long[] anchors = {HOLE, MESSAGES, ABOVE, LAST, Long.MIN_VALUE, Long.MAX_VALUE};
    return anchors[random.nextInt(anchors.length)] & ~0xFFFFL | random.nextInt(0x10000) | 0x8000;
  }

  private int status() {
    return bench.nic.configSpace().read(ConfigLayout.STATUS, 2);
  }

  /** All of memory, low part first. */
  private byte[] snapshot() {
    byte[] all = new byte[2 * LOW_BYTES];
    bench.memory().copyOut(0, all, 0, LOW_BYTES);
    bench.memory().copyOut(1L << 32, all, LOW_BYTES, LOW_BYTES);
    return all;
  }

  private void fillMemory(long base, long baseBytes, long buffers, long buffersBytes) {
    byte[] pattern = new byte[4096];
    Arrays.fill(pattern, (byte) 0xA5);
    for (long pa = 0; pa < 64 << 10; pa += pattern.length) {
      boolean isUsed =
          pa + 4096 > base && pa < base + baseBytes
              || pa + 4096 > buffers && pa < buffers + buffersBytes;
      if (!isUsed) {
        bench.memory().copyIn(pa, pattern, 0, pattern.length);
      }
    }
  }

  private static void allow(byte[] before, byte[] after, long pa, int bytes) {
    int at = (int) (pa < LOW_BYTES ? pa : pa - (1L << 32) + LOW_BYTES);
    System.arraycopy(after, at, before, at, bytes);
  }
}
