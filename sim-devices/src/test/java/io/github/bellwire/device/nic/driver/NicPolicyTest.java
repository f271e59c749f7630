package io.github.bellwire.device.nic.driver;

import static io.github.bellwire.device.nic.driver.DriverBench.MS_PS;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.bellwire.device.nic.NicConfig;
import io.github.bellwire.dma.DmaMapper;
import io.github.bellwire.dma.ScatterList;
import io.github.bellwire.host.Host;
import io.github.bellwire.host.HostConfig;
import io.github.bellwire.iommu.Iommu;
import io.github.bellwire.iommu.IommuFactory;
import io.github.bellwire.iommu.IommuPresets;
import io.github.bellwire.iommu.driver.IommuDriver;
import io.github.bellwire.iommu.driver.IommuDriverConfig;
import io.github.bellwire.iommu.driver.IommuMapper;
import io.github.bellwire.iommu.driver.MappingPolicy;
import io.github.bellwire.pcie.EnumeratedFunction;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** The same driver moves the same bytes whatever the operating system does about addresses. */
class NicPolicyTest {
  private static final long SEED = 99;

  // 1 Gb/s, so that the kernel modes keep up.
  private static final NicConfig CARD = DriverBench.GIGABIT_CARD;

  private final List<byte[]> sent = new ArrayList<>();
  private DmaMapper mapper = DmaMapper.IDENTITY;
  private Iommu iommu;

  private DriverBench bench(NicDriverConfig software, MappingPolicy policy) {
    DriverBench bench;
    if (policy == MappingPolicy.OFF) {
      bench = new DriverBench(HostConfig.GEN4_SERVER, CARD, software, null);
    } else {
      IommuFactory factory = new IommuFactory(IommuPresets.ICE_LAKE);
      Host host = new Host(HostConfig.GEN4_SERVER, 1, factory);
      iommu = factory.iommu();
      bench = new DriverBench(host, CARD, software, null, (h, f) -> attach(h, f, policy));
    }
    bench.driver.start(bench.port);
    bench.nic.connectWire(
        (frame, offset, lengthBytes, nowPs) ->
            sent.add(Arrays.copyOfRange(frame, offset, offset + lengthBytes)));
    return bench;
  }

  private DmaMapper attach(Host host, EnumeratedFunction function, MappingPolicy policy) {
    IommuDriver driver =
        new IommuDriver(
            host, iommu.registers().baseAddress(), IommuDriverConfig.LINUX_6_12, List.of());
    driver.start(host.synchronousPort(0), false);
    mapper = driver.attach(host.synchronousPort(0), function.bdf().requesterId(), policy);
    return mapper;
  }

  @ParameterizedTest
  @CsvSource({
    "POLL, OFF",
    "POLL, PASSTHROUGH",
    "POLL, LAZY",
    "POLL, STRICT",
    "POLL, STRICT_BOUNCE",
    "INTERRUPT, LAZY",
    "INTERRUPT, STRICT",
    "INTERRUPT, STRICT_BOUNCE",
    "NAPI, OFF",
    "NAPI, PASSTHROUGH",
    "NAPI, LAZY",
    "NAPI, STRICT",
    "NAPI, STRICT_BOUNCE"
  })
  void shouldForwardEveryByteInOrder(DriverMode mode, MappingPolicy policy) {
    NicDriverConfig software = NicDriverConfig.forMode(mode);
    if (mode == DriverMode.POLL) {
      // Mapped for good, so never bounced: whole pages.
      software = software.toBuilder().bufferBytes(4096).build();
    }
    DriverBench bench = bench(software, policy);
    bench.startReceivers(new Forwarder(bench.driver.txRing(0), false));
    List<byte[]> frames = DriverBench.randomFrames(SEED, 1000, 60, 1514);

    DriverBench.Feed feed = bench.feed(frames);
    while (!feed.isDone()) {
      bench.runFor(MS_PS);
    }
    bench.runFor(15 * MS_PS);

    assertThat(sent).hasSize(frames.size());
    for (int i = 0; i < frames.size(); i++) {
      assertThat(sent.get(i)).as("frame %d, seed %d", i, SEED).isEqualTo(frames.get(i));
    }
    if (policy != MappingPolicy.OFF) {
      assertThat(iommu.faults().faultsTotal()).isZero();
    }
    assertBounced(bench, policy, mode != DriverMode.POLL);
    assertLeavesNothing(bench);
  }

  private static void assertBounced(DriverBench bench, MappingPolicy policy, boolean isMapped) {
    if (policy == MappingPolicy.STRICT_BOUNCE && isMapped) {
      // Received: copied when mapped and when unmapped. Sent: when mapped.
      assertThat(bench.dma.bouncedMapsCount()).isGreaterThanOrEqualTo(2000);
      assertThat(bench.host.bounceBuffers().bytesFromBounce()).isEqualTo(1000 * 2048);
    } else {
      assertThat(bench.dma.bouncedMapsCount()).isZero();
    }
  }

  private void assertLeavesNothing(DriverBench bench) {
    bench.driver.stop(bench.port);
    assertThat(bench.dma.liveMappingsCount()).isZero();
    assertThat(bench.host.bounceBuffers().slotsUsed()).isZero();
    if (mapper instanceof IommuMapper translated) {
      assertThat(translated.statistics().liveRanges()).isZero();
      assertThat(translated.statistics().livePages()).isZero();
    }
  }

  @ParameterizedTest
  @EnumSource(MappingPolicy.class)
  void shouldSendFramesGatheredFromSeveralPieces(MappingPolicy policy) {
    DriverBench bench = bench(NicDriverConfig.NAPI, policy);
    List<byte[]> frames = DriverBench.randomFrames(SEED, 100, 600, 1514);
    TxRing ring = bench.driver.txRing(0);
    ScatterList list = new ScatterList(3);
    long memory = bench.host.pages().allocate(1 << 16);
    for (byte[] frame : frames) {
      // Up to the end of a page, the whole next one's beginning, and somewhere else.
      int[] cuts = {0, 200, 450, frame.length};
      long[] places = {memory + 4096 - 200, memory + 4096, memory + 20_000};
      for (int i = 0; i < 3; i++) {
        bench.port.store(places[i], frame, cuts[i], cuts[i + 1] - cuts[i]);
        list.add(places[i], cuts[i + 1] - cuts[i]);
      }
      assertThat(ring.trySend(bench.port, list, TxOffload.NONE)).isTrue();
      ring.flush(bench.port);
      while (!ring.isIdle()) {
        ring.finish(bench.port);
      }
      list.clear();
    }
    bench.port.delay(20 * MS_PS);

    assertThat(sent).hasSize(100);
    for (int i = 0; i < 100; i++) {
      assertThat(sent.get(i)).as("frame %d, seed %d", i, SEED).isEqualTo(frames.get(i));
    }
    assertLeavesNothing(bench);
  }
}
