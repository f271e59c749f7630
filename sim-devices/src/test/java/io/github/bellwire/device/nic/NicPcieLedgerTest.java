package io.github.bellwire.device.nic;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.bellwire.cpu.SynchronousPort;
import io.github.bellwire.host.Host;
import io.github.bellwire.host.HostConfig;
import io.github.bellwire.pcie.PcieLinkConfig;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Bytes on the link per packet, with a driver that polls as DPDK does: the model of pcie-bench
 * (model/niantic.py of pcie-bench/pcie-model, SIGCOMM 2018), with the receive descriptor read that
 * it assigns over added. MPS 256, MRRS 512; a request is 24 bytes, a completion 20, and data.
 */
class NicPcieLedgerTest {
  private static final int RING = 1024;
  private static final int BATCH = 32;
  private static final int PACKETS = 96 * BATCH;

  private final Host host = new Host(HostConfig.GEN4_SERVER.withLink(PcieLinkConfig.GEN3_X8), 1);
  private final NicBench bench = new NicBench(host, NicBench.CONFIG, null);
  private final SynchronousPort cpu = host.synchronousPort(0);

  @ParameterizedTest
  @ValueSource(ints = {64, 256, 512, 1024, 1500})
  void shouldMoveTheBytesOfTheModelForAReceivedFrame(int frameBytes) {
    start();
    NicBench.RxRing ring = bench.rxRing(0, RING);
    int length = frameBytes - 4;
    byte[] frame = NicBench.frame(length, 1);

    for (int i = 0; i < PACKETS; i += BATCH) {
      int first = ring.tail;
      postThroughTheLink(ring);
      bench.run();
      for (int j = 0; j < BATCH; j++) {
        bench.receive(frame);
        bench.run();
      }
      assertThat(ring.takeAll()).hasSize(BATCH);
      assertThat(ring.next).isEqualTo((first + BATCH) % RING);
    }

    // To the NIC: tail 28 each 32, descriptor 20 + 16. From it: descriptor read 24, data 24 for
    // each 256 bytes, write-back 24 + 16.
    double to = 28.0 / BATCH + 36;
    double from = 24 + length + 24 * ceil(length, 256) + 40;
    assertThat((double) bench.port.downstream().bytesTotal() / PACKETS)
        .isCloseTo(to, within(0.01 * to));
    assertThat((double) bench.port.upstream().bytesTotal() / PACKETS)
        .isCloseTo(from, within(0.01 * from));
  }

  @ParameterizedTest
  @ValueSource(ints = {64, 256, 512, 1024, 1500})
  void shouldMoveTheBytesOfTheModelForASentFrame(int frameBytes) {
    start();
    // P/H/W 0/0/8: 40 descriptors are read when none is on chip; reports go out by eight.
    NicBench.TxRing ring = bench.txRing(0, RING, 8 << 16);
    int length = frameBytes - 4;
    byte[] frame = NicBench.frame(length, 1);

    int added = 0;
    while (added < PACKETS || ring.head() != ring.tail) {
      // Full but for a batch: the driver refills as soon as a batch has been reported.
      int free = (ring.head() - ring.tail - 1 + RING) % RING;
      if (added < PACKETS && free >= BATCH) {
        for (int j = 0; j < BATCH; j++, added++) {
          ring.add(frame);
        }
        ring.ring(cpu);
      } else {
        cpu.delay(100_000);
      }
      assertThat(bench.simulation.nowPs()).isLessThan(1_000_000_000_000L);
    }
    bench.run();

    // To the NIC: tail 28 each 32, descriptors (640 + 3 x 20) / 40, data 20 for each 256 bytes.
    // From it: two reads of 24 each 40, 24 for each 512 bytes of data, (24 + 128) / 8.
    double to = 28.0 / BATCH + 17.5 + length + 20 * ceil(length, 256);
    double from = 48.0 / 40 + 24 * ceil(length, 512) + 19;
    assertThat(bench.sent).hasSize(PACKETS);
    assertThat((double) bench.port.downstream().bytesTotal() / PACKETS)
        .isCloseTo(to, within(0.01 * to));
    assertThat((double) bench.port.upstream().bytesTotal() / PACKETS)
        .isCloseTo(from, within(0.01 * from));
  }

  private void start() {
    host.enumerate();
    bench.start();
  }

  private void postThroughTheLink(NicBench.RxRing ring) {
    for (int i = 0; i < BATCH; i++) {
      bench.memory().putLong(ring.base + ring.tail * 16L, ring.buffer(ring.tail));
      bench.memory().putLong(ring.base + ring.tail * 16L + 8, 0);
      ring.tail = (ring.tail + 1) % RING;
    }
    cpu.mmioWrite(bench.nic.configSpace().barAddress(0) + NicRegisters.rdt(0), 4, ring.tail);
  }

  private static int ceil(int bytes, int unit) {
    return (bytes + unit - 1) / unit;
  }
}
