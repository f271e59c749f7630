package io.github.bellwire.pcie;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import com.sun.management.ThreadMXBean;
import io.github.bellwire.kernel.Event;
import io.github.bellwire.kernel.Simulation;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class MsiXTest {
  private static final int BAR = 4;
  private static final int PBA = 0x2000;
  private static final int ENABLE = 0x8000;
  private static final int FUNCTION_MASK = 0x4000;

  private final Simulation simulation = new Simulation(1);
  private final MessagePort port = new MessagePort();
  private final ConfigSpace config = function(new MsiXConfig(70, BAR, 0, BAR, PBA));
  private final MsiX msiX = connected(config);

  private static ConfigSpace function(MsiXConfig layout) {
    return new ConfigSpaceBuilder(0x8086, 0x10FB)
        .bar(Bar.memory64(2, 64 << 10))
        .bar(Bar.memory64(4, 64 << 10))
        .pcie(0xA0, 2, 8, 512, true)
        .msiX(0x70, layout)
        .build();
  }

  private MsiX connected(ConfigSpace space) {
    MsiX created = new MsiX(space, simulation);
    created.connect(port);
    return created;
  }

  private void control(int value) {
    config.write(0x72, 2, value);
  }

  private void mask(int vector, boolean masked) {
    msiX.write(BAR, vector * 16L + 12, 4, masked ? 1 : 0);
  }

  /** Programs a vector the way a driver does: address and data first, then unmask. */
  private void program(int vector) {
    msiX.write(BAR, vector * 16L, 4, 0xFEE0_0000L + vector * 4L);
    msiX.write(BAR, vector * 16L + 4, 4, 0);
    msiX.write(BAR, vector * 16L + 8, 4, 0x40 + vector);
    mask(vector, false);
  }

  private Message message(int vector, long atPs) {
    return new Message(0xFEE0_0000L + vector * 4L, 0x40 + vector, atPs);
  }

  private void advanceTo(long atPs) {
    simulation.schedule(
        new Event() {
          @Override
          protected void onEvent(long nowPs) {}
        },
        atPs);
    simulation.run();
  }

  @Test
  void shouldSendWhatTheTableHolds() {
    control(ENABLE);
    msiX.write(BAR, 3 * 16, 8, 0x0000_0012_FEE0_1234L);
    msiX.write(BAR, 3 * 16 + 8, 8, 0x0000_0000_8765_4321L);

    long arrivalPs = msiX.fire(3, 5_000);

    assertThat(arrivalPs).isEqualTo(5_000 + MessagePort.LATENCY_PS);
    assertThat(port.messages).containsExactly(new Message(0x12_FEE0_1234L, 0x8765_4321, 5_000));
    assertThat(msiX.isPending(3)).isFalse();
    assertThat(msiX.sentCount()).isEqualTo(1);
    assertThat(msiX.heldCount()).isZero();
  }

  @Test
  void shouldStartWithAllVectorsMasked() {
    control(ENABLE);

    for (int vector = 0; vector < 70; vector++) {
      assertThat(msiX.read(BAR, vector * 16L, 8)).isZero();
      assertThat(msiX.read(BAR, vector * 16L + 8, 8)).isEqualTo(1L << 32);
    }
    assertThat(msiX.vectorCount()).isEqualTo(70);
    assertThat(msiX.fire(69, 0)).isEqualTo(MsiX.PENDING);
    assertThat(port.messages).isEmpty();
  }

  @Test
  void shouldKeepReservedBitsZero() {
    msiX.write(BAR, 0, 8, -1);
    msiX.write(BAR, 8, 8, -1);

    assertThat(msiX.read(BAR, 0, 8)).isEqualTo(0xFFFF_FFFF_FFFF_FFFCL);
    assertThat(msiX.read(BAR, 8, 8)).isEqualTo(0x0000_0001_FFFF_FFFFL);
    assertThat(msiX.read(BAR, 0, 4)).isEqualTo(0xFFFF_FFFCL);
    assertThat(msiX.read(BAR, 4, 4)).isEqualTo(0xFFFF_FFFFL);
    assertThat(msiX.read(BAR, 12, 4)).isEqualTo(1);
    assertThat(msiX.read(BAR, 16, 8)).isZero();
  }

  @Test
  void shouldSendWhenTheVectorIsUnmasked() {
    control(ENABLE);
    program(2);
    mask(2, true);
    assertThat(msiX.fire(2, 0)).isEqualTo(MsiX.PENDING);
    assertThat(msiX.isPending(2)).isTrue();
    advanceTo(7_000);

    mask(2, false);

    assertThat(port.messages).containsExactly(message(2, 7_000));
    assertThat(msiX.isPending(2)).isFalse();
    mask(2, true);
    mask(2, false);
    assertThat(port.messages).hasSize(1);
  }

  @Test
  void shouldSendOnAnEightByteUnmaskWithTheNewData() {
    control(ENABLE);
    msiX.write(BAR, 0, 4, 0xFEE0_0000L);
    msiX.fire(0, 0);

    msiX.write(BAR, 8, 8, 0x99);

    assertThat(port.messages).containsExactly(new Message(0xFEE0_0000L, 0x99, 0));
  }

  @Test
  void shouldSendWhenTheFunctionMaskIsCleared() {
    control(ENABLE | FUNCTION_MASK);
    program(1);
    program(64);
    program(69);
    msiX.fire(69, 0);
    msiX.fire(1, 0);
    msiX.fire(64, 0);
    msiX.fire(5, 0); // masked by itself as well
    advanceTo(1_000);
    assertThat(port.messages).isEmpty();

    control(ENABLE);

    assertThat(port.messages)
        .containsExactly(message(1, 1_000), message(64, 1_000), message(69, 1_000));
    assertThat(msiX.isPending(5)).isTrue();
    assertThat(msiX.sentCount()).isEqualTo(3);
    assertThat(msiX.heldCount()).isEqualTo(4);
  }

  @Test
  void shouldSendWhenMsiXIsEnabled() {
    program(0);
    assertThat(msiX.fire(0, 0)).isEqualTo(MsiX.PENDING);

    control(ENABLE);

    assertThat(port.messages).containsExactly(message(0, 0));
  }

  @Test
  void shouldNotSendWhileTheFunctionMaskHoldsAnUnmaskedVector() {
    control(ENABLE | FUNCTION_MASK);
    msiX.fire(0, 0);

    program(0);

    assertThat(port.messages).isEmpty();
    assertThat(msiX.isPending(0)).isTrue();
  }

  @Test
  void shouldNotSendBeforeTheInterruptItStandsFor() {
    control(ENABLE);
    program(0);
    mask(0, true);
    msiX.fire(0, 3_000);
    msiX.fire(0, 9_000);
    msiX.fire(0, 4_000);
    advanceTo(5_000);

    mask(0, false);

    // One message for the three; at 5 ns it would miss the interrupt of 9 ns.
    assertThat(port.messages).containsExactly(message(0, 9_000));
    assertThat(msiX.heldCount()).isEqualTo(1);
    assertThat(msiX.coalescedCount()).isEqualTo(2);
    assertThat(msiX.sentCount()).isEqualTo(1);

    mask(0, true);
    msiX.fire(0, 6_000);
    mask(0, false);
    assertThat(port.messages.get(1)).isEqualTo(message(0, 6_000));
  }

  @Test
  void shouldShowPendingBitsReadOnly() {
    msiX.fire(0, 0);
    msiX.fire(33, 0);
    msiX.fire(64, 0);
    msiX.fire(69, 0);

    msiX.write(BAR, PBA, 8, 0);
    msiX.write(BAR, PBA, 4, -1);

    assertThat(msiX.read(BAR, PBA, 8)).isEqualTo(1L | 1L << 33);
    assertThat(msiX.read(BAR, PBA, 4)).isEqualTo(1);
    assertThat(msiX.read(BAR, PBA + 4, 4)).isEqualTo(2);
    assertThat(msiX.read(BAR, PBA + 8, 8)).isEqualTo(0x21);
    assertThat(msiX.read(BAR, PBA + 12, 4)).isZero();
    assertThat(msiX.isPending(33)).isTrue();
    assertThat(msiX.isPending(1)).isFalse();
  }

  @Test
  void shouldKnowItsWindows() {
    // 70 vectors: 1120 B of table, two words of pending bits.
    assertThat(msiX.contains(BAR, 0)).isTrue();
    assertThat(msiX.contains(BAR, 1119)).isTrue();
    assertThat(msiX.contains(BAR, 1120)).isFalse();
    assertThat(msiX.contains(BAR, PBA - 1)).isFalse();
    assertThat(msiX.contains(BAR, PBA)).isTrue();
    assertThat(msiX.contains(BAR, PBA + 15)).isTrue();
    assertThat(msiX.contains(BAR, PBA + 16)).isFalse();
    assertThat(msiX.contains(2, 0)).isFalse();
    assertThat(msiX.contains(2, PBA)).isFalse();
  }

  @Test
  void shouldKeepTableAndPendingBitsApartInTwoBars() {
    MsiX split = connected(function(new MsiXConfig(4, 2, 0x18, 4, 0x18)));
    split.fire(3, 0);

    assertThat(split.read(2, 0x18 + 8, 8)).isEqualTo(1L << 32);
    assertThat(split.read(4, 0x18, 8)).isEqualTo(8);
    assertThat(split.read(2, 0x10, 8)).isZero();
    assertThat(split.contains(2, 0x18 + 63)).isTrue();
    assertThat(split.contains(4, 0x18 + 8)).isFalse();
  }

  @ParameterizedTest
  @CsvSource({"0, 1", "0, 2", "2, 4", "4, 8", "12, 8", "0, 16"})
  void shouldIgnoreMalformedAccesses(long offset, int sizeBytes) {
    msiX.write(BAR, 0, 8, 0x1111_1111_2222_2220L);
    msiX.write(BAR, 8, 8, 0x3333_3333L);

    msiX.write(BAR, offset, sizeBytes, -1);

    assertThat(msiX.read(BAR, offset, sizeBytes)).isZero();
    assertThat(msiX.malformedAccessCount()).isEqualTo(2);
    assertThat(msiX.read(BAR, 0, 8)).isEqualTo(0x1111_1111_2222_2220L);
    assertThat(msiX.read(BAR, 8, 8)).isEqualTo(0x3333_3333L);
  }

  @Test
  void shouldIgnoreAccessesOutsideItsWindows() {
    msiX.write(BAR, 1120, 8, -1);
    msiX.write(2, 0, 8, -1);
    msiX.write(BAR, -8, 8, -1);

    assertThat(msiX.read(BAR, 1120, 8)).isZero();
    assertThat(msiX.read(BAR, 0, 8)).isZero();
    assertThat(msiX.read(BAR, -8, 8)).isZero();
    assertThat(msiX.malformedAccessCount()).isZero();
  }

  @ParameterizedTest
  @ValueSource(strings = {"BUS_MASTER_DISABLED", "UNSUPPORTED_REQUEST", "COMPLETER_ABORT"})
  void shouldReportARefusedMessage(DmaStatus status) {
    control(ENABLE);
    program(0);
    port.status = status;

    assertThat(msiX.fire(0, 0)).isEqualTo(MsiX.REFUSED);

    assertThat(msiX.refusedCount()).isEqualTo(1);
    assertThat(msiX.sentCount()).isZero();
    assertThat(msiX.isPending(0)).isFalse();
  }

  @Test
  void shouldForgetEverythingOnReset() {
    control(ENABLE);
    program(0);
    msiX.fire(0, 0);
    msiX.fire(68, 0);

    msiX.reset();
    control(ENABLE);

    assertThat(msiX.read(BAR, 0, 8)).isZero();
    assertThat(msiX.read(BAR, 8, 8)).isEqualTo(1L << 32);
    assertThat(msiX.read(BAR, PBA + 8, 8)).isZero();
    assertThat(msiX.sentCount()).isEqualTo(1);
  }

  @ParameterizedTest
  @ValueSource(longs = {11, 12, 13})
  void shouldLoseAndInventNoInterrupt(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    int vectors = 70;
    boolean[] masked = new boolean[vectors];
    boolean[] pending = new boolean[vectors];
    boolean enabled = true;
    boolean functionMasked = false;
    List<Message> expected = new ArrayList<>();
    control(ENABLE);
    for (int vector = 0; vector < vectors; vector++) {
      program(vector);
    }

    for (int i = 0; i < 20_000; i++) {
      int vector = random.nextInt(vectors);
      switch (random.nextInt(8)) {
        case 0, 1 -> {
          masked[vector] = random.nextBoolean();
          mask(vector, masked[vector]);
        }
        case 2 -> {
          enabled = random.nextInt(4) != 0;
          functionMasked = random.nextBoolean();
          control((enabled ? ENABLE : 0) | (functionMasked ? FUNCTION_MASK : 0));
        }
        default -> {
          msiX.fire(vector, 0);
          pending[vector] = true;
        }
      }
      for (int v = 0; v < vectors; v++) {
        if (pending[v] && enabled && !functionMasked && !masked[v]) {
          pending[v] = false;
          expected.add(message(v, 0));
        }
      }
      assertThat(msiX.isPending(vector)).as("seed %d, step %d", seed, i).isEqualTo(pending[vector]);
    }
    assertThat(port.messages).as("seed %d", seed).isEqualTo(expected);
    assertThat(msiX.sentCount()).isEqualTo(expected.size());
  }

  @Test
  void shouldServeTheLargestTable() {
    MsiX large = connected(function(new MsiXConfig(2048, 2, 0, 4, 0)));

    large.fire(2047, 0);

    assertThat(large.read(2, 2047 * 16 + 8, 8)).isEqualTo(1L << 32);
    assertThat(large.read(4, 248, 8)).isEqualTo(1L << 63);
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 70})
  void shouldRejectAnUnknownVector(int vector) {
    control(ENABLE);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> msiX.fire(vector, 0))
        .withMessage("vector must be 0..69: vector=" + vector);
    assertThatIllegalArgumentException().isThrownBy(() -> msiX.isPending(vector));
  }

  @Test
  void shouldRejectWrongWiring() {
    ConfigSpace without = new ConfigSpaceBuilder(0x1234, 1).pcie(0xA0, 3, 4, 256, false).build();
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new MsiX(without, simulation))
        .withMessage("config must have an MSI-X capability");
    assertThatIllegalStateException()
        .isThrownBy(() -> new MsiX(config, simulation))
        .withMessage("a configuration space serves one MsiX");

    ConfigSpace fresh = function(new MsiXConfig(1, BAR, 0, BAR, 16));
    MsiX unconnected = new MsiX(fresh, simulation);
    fresh.write(0x72, 2, ENABLE);
    unconnected.write(BAR, 12, 4, 0);
    assertThatNullPointerException().isThrownBy(() -> unconnected.fire(0, 0)).withMessage("dma");
  }

  @Test
  void shouldAllocateNothingPerInterrupt() {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    port.recording = false;
    control(ENABLE);
    program(3);
    churn(20_000);

    long before = threads.getCurrentThreadAllocatedBytes();
    churn(1_000_000);
    long allocatedBytes = threads.getCurrentThreadAllocatedBytes() - before;

    assertThat(allocatedBytes).isLessThan(1024);
  }

  private void churn(int rounds) {
    for (int i = 0; i < rounds; i++) {
      msiX.fire(3, i);
      msiX.write(BAR, 3 * 16 + 12, 4, i & 1);
      control(ENABLE | (i & 2) << 13);
    }
  }

  private record Message(long address, int data, long atPs) {}

  /** Takes messages and nothing else. */
  private static final class MessagePort implements DmaPort {
    static final long LATENCY_PS = 250_000;

    final List<Message> messages = new ArrayList<>();
    boolean recording = true;
    DmaStatus status = DmaStatus.OK;

    @Override
    public long sendMessage(long address, int data, long atPs) {
      if (recording) {
        messages.add(new Message(address, data, atPs));
      }
      return atPs + LATENCY_PS;
    }

    @Override
    public DmaStatus status() {
      return status;
    }

    @Override
    public long read(
        long iova, byte[] destination, int offset, int lengthBytes, long atPs, int attributes) {
      throw new AssertionError("no reads expected");
    }

    @Override
    public long write(
        long iova, byte[] source, int offset, int lengthBytes, long atPs, int attributes) {
      throw new AssertionError("no writes expected");
    }

    @Override
    public long writeStatus(long iova, byte[] source, int offset, int lengthBytes, long atPs) {
      throw new AssertionError("no writes expected");
    }

    @Override
    public long sentPs() {
      return 0;
    }

    @Override
    public long readTicket() {
      return 0;
    }

    @Override
    public long arrivalPs(long ticket) {
      return 0;
    }

    @Override
    public long tagFreePs() {
      return 0;
    }

    @Override
    public long horizonPs() {
      return 0;
    }
  }
}
