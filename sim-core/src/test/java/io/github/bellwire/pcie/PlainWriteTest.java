package io.github.bellwire.pcie;

import static io.github.bellwire.pcie.TestFabric.HIGH;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Writes that go the short way do what all others do: a machine in which somebody listens to
 * requests, and in which therefore none does, is told from one in which nobody does by nothing.
 */
class PlainWriteTest {
  private static final long SEED = 20_261_129;
  private static final int ROUNDS = 20_000;
  private static final long END = HIGH + (16 << 20);

  private final byte[] data = new byte[2000];

  static Stream<PcieLinkConfig> links() {
    FlowControlConfig few =
        new FlowControlConfig(
            new FlowControlCredits(4, 80, 0, 0, 0, 0), FlowControlCredits.UNLIMITED, 0);
    return Stream.of(
        PcieLinkConfig.GEN3_X8,
        PcieLinkConfig.GEN3_X8.withEcrc(true),
        PcieLinkConfig.GEN3_X8.withFlowControl(few),
        PcieLinkConfig.GEN3_X8.withGeneration(PcieGeneration.GEN6));
  }

  @ParameterizedTest
  @MethodSource("links")
  void shouldDoTheSameAsWritesThatSomebodyListensTo(PcieLinkConfig link) {
    List<String> heard = run(link, true);
    List<String> unheard = run(link, false);

    assertThat(unheard).as("seed %d", SEED).isEqualTo(heard);
  }

  @Test
  void shouldTellWhoBeginsToListenBetweenWrites() {
    TestFabric fabric = new TestFabric(new RootComplexConfig(7_000, 5_000), Translation.IDENTITY);
    DmaPort dma = fabric.plug(PcieLinkConfig.GEN3_X8).dma();
    dma.write(HIGH, data, 0, 64, 0);
    List<Long> heard = new ArrayList<>();
    fabric.rootComplex.listen(
        new SilentListener() {
          @Override
          public void onWrite(int id, long iova, long pa, byte[] data, int at, int bytes, long ps) {
            heard.add(pa);
          }
        });

    dma.write(HIGH + 64, data, 0, 64, 0);

    assertThat(heard).containsExactly(HIGH + 64);
  }

  private List<String> run(PcieLinkConfig link, boolean isHeard) {
    TestFabric fabric = new TestFabric(new RootComplexConfig(7_000, 5_000), Translation.IDENTITY);
    RecordingEndpoint endpoint = fabric.plug(link);
    if (isHeard) {
      fabric.rootComplex.listen(new SilentListener());
    }
    SplittableRandom random = new SplittableRandom(SEED);
    List<String> log = new ArrayList<>();
    for (int round = 0; round < ROUNDS; round++) {
      fabric.caches.deviceWritePs = random.nextInt(200_000);
      log.add(act(fabric, endpoint, random));
      if (random.nextInt(4) == 0) {
        fabric.simulation.runUntil(fabric.simulation.nowPs() + random.nextInt(400_000));
      }
    }
    LinkDirection up = fabric.port(0).upstream();
    log.add(up.bytesTotal() + " " + up.memoryWritesTotal() + " " + up.busyPsTotal());
    log.add(fabric.messages.toString());
    fabric.simulation.run();
    log.add(Integer.toString(Arrays.hashCode(fabric.bytes(HIGH, 16 << 20))));
    return log;
  }

  private String act(TestFabric fabric, RecordingEndpoint endpoint, SplittableRandom random) {
    DmaPort dma = endpoint.dma();
    long atPs = fabric.simulation.nowPs() + random.nextInt(3) * random.nextInt(300_000);
    int lengthBytes = 1 + random.nextInt(random.nextInt(4) == 0 ? data.length : 100);
    random.nextBytes(data);
    long address = address(random);
    long donePs =
        switch (random.nextInt(12)) {
          case 0 -> dma.read(address, data, 0, lengthBytes, atPs);
          case 1 -> dma.sendMessage(0xFEE0_0000L, random.nextInt(), atPs);
          case 2 -> change(endpoint, random);
          case 3, 4, 5 -> dma.writeStatus(address, data, 0, lengthBytes, atPs);
          default -> dma.write(address, data, 0, lengthBytes, atPs, random.nextInt(8));
        };
    return donePs + " " + dma.sentPs() + " " + dma.status() + " " + fabric.commits.pendingCount();
  }

  /** Mostly in a small part of high memory, so that writes meet; sometimes nowhere. */
  private static long address(SplittableRandom random) {
    return switch (random.nextInt(10)) {
      case 0 -> random.nextInt(16 << 20);
      case 1 -> END - random.nextInt(1000);
      case 2 -> 0xFEE0_0000L;
      default -> HIGH + random.nextInt(8192);
    };
  }

  private static long change(RecordingEndpoint endpoint, SplittableRandom random) {
    DmaPort dma = endpoint.dma();
    switch (random.nextInt(6)) {
      case 0 -> endpoint.busMaster(false);
      case 1 -> dma.claimTranslated(true);
      case 2 -> dma.usePasid(random.nextInt(5));
      case 3 -> dma.claimRequesterId(random.nextInt(1 << 16));
      default -> {
        endpoint.busMaster(true);
        dma.claimTranslated(false);
        dma.usePasid(TranslationRequest.NO_PASID);
        dma.claimRequesterId(-1);
      }
    }
    return 0;
  }

  private static class SilentListener implements DmaAccessListener {
    @Override
    public void onRead(int id, long iova, long pa, byte[] data, int at, int bytes, long ps) {}

    @Override
    public void onWrite(int id, long iova, long pa, byte[] data, int at, int bytes, long ps) {}

    @Override
    public void onRefused(int id, long iova, int bytes, boolean isWrite, long ps) {}

    @Override
    public void onMessage(int id, long ps) {}

    @Override
    public void onRegisterRead(int id, long ps) {}

    @Override
    public void onRegisterWrite(int id, long ps) {}
  }
}
