package io.github.bellwire.device.attacker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.bellwire.cpu.InterruptVector;
import io.github.bellwire.cpu.SynchronousPort;
import io.github.bellwire.host.Host;
import io.github.bellwire.host.HostConfig;
import io.github.bellwire.pcie.Bdf;
import io.github.bellwire.pcie.CapabilityId;
import io.github.bellwire.pcie.ConfigLayout;
import io.github.bellwire.pcie.DmaStatus;
import io.github.bellwire.pcie.Ecam;
import io.github.bellwire.pcie.EnumeratedFunction;
import io.github.bellwire.pcie.PcieLinkConfig;
import org.junit.jupiter.api.Test;

/** What the malicious board can do on a machine that does nothing against it. */
class AttackerTest {
  private static final long PA = 0x1_4000_0000L;
  private static final byte[] BYTES = {1, 2, 3, 4, 5, 6, 7, 8};

  private final Host host = new Host(HostConfig.GEN4_SERVER, 1);
  private final Attacker attacker = new Attacker(HostConfig.GEN4_SERVER.link(), host.simulation());
  private final EnumeratedFunction function;
  private final SynchronousPort cpu;

  AttackerTest() {
    host.attach(attacker);
    function = host.enumerate().get(0);
    cpu = host.synchronousPort(0);
    command(ConfigLayout.COMMAND_MEMORY_ENABLE | ConfigLayout.COMMAND_BUS_MASTER_ENABLE);
  }

  private void command(int value) {
    host.rootComplex().ecam().write(function.bdf(), ConfigLayout.COMMAND, 2, value);
  }

  private void runUntil(long ps) {
    host.simulation().runUntil(ps);
  }

  @Test
  void shouldReadAndWriteAnyMemory() {
    host.memory().copyIn(PA, BYTES, 0, 8);
    Access read = attacker.port().read(PA, 8);

    assertThat(read.isOk()).isTrue();
    assertThat(read.bytes()).isEqualTo(BYTES);
    assertThat(read.isWrite()).isFalse();
    assertThat(read.address()).isEqualTo(PA);
    assertThat(read.durationPs()).isEqualTo(read.donePs() - read.startPs()).isPositive();

    Access write = attacker.port().write(PA + 64, BYTES);
    runUntil(write.donePs() - 1);
    assertThat(host.memory().getLong(PA + 64)).isZero();
    runUntil(write.donePs());
    assertThat(host.memory().getLong(PA + 64)).isEqualTo(0x0807_0605_0403_0201L);
    assertThat(write.isWrite()).isTrue();
  }

  @Test
  void shouldDoNothingWithoutBusMastering() {
    command(ConfigLayout.COMMAND_MEMORY_ENABLE);

    assertThat(attacker.port().read(PA, 8).status()).isEqualTo(DmaStatus.BUS_MASTER_DISABLED);
    assertThat(attacker.port().write(PA, BYTES).status()).isEqualTo(DmaStatus.BUS_MASTER_DISABLED);
  }

  @Test
  void shouldRaiseAnyInterrupt() {
    InterruptVector vector = host.interrupts().allocate(host.core(3), null);
    Access message = attacker.port().sendMessage(vector.address(), vector.data());
    runUntil(message.donePs());

    assertThat(vector.raisedTotal()).isEqualTo(1);
  }

  @Test
  void shouldHaveMemoryOfItsOwnForDrivers() {
    long bar = function.barAddress(0);
    cpu.mmioWrite(bar + 8, 8, 0x1122_3344_5566_7788L);
    cpu.mmioWrite(bar + 16, 4, 0xFFFF_FFFFL);
    cpu.mmioWrite(bar + 24, 2, 0xABCD);
    cpu.mmioWrite(bar + 32, 1, 0xEF);

    assertThat(cpu.mmioRead(bar + 8, 8)).isEqualTo(0x1122_3344_5566_7788L);
    assertThat(cpu.mmioRead(bar + 16, 4)).isEqualTo(0xFFFF_FFFFL);
    assertThat(cpu.mmioRead(bar + 24, 2)).isEqualTo(0xABCD);
    assertThat(cpu.mmioRead(bar + 32, 1)).isEqualTo(0xEF);
    assertThat(attacker.memoryAt(8)).isEqualTo(0x1122_3344_5566_7788L);
    attacker.putMemory(40, 7);
    assertThat(cpu.mmioRead(bar + 40, 8)).isEqualTo(7);
  }

  @Test
  void shouldWriteLaterWhatItWasToldEarlier() {
    attacker.delayedWrites().add(PA, BYTES, 5_000_000);
    attacker.delayedWrites().add(PA + 64, BYTES, 9_000_000);

    runUntil(4_999_999);
    assertThat(attacker.delayedWrites().waitingCount()).isEqualTo(2);
    runUntil(8_000_000);
    assertThat(host.memory().getLong(PA)).isNotZero();
    assertThat(host.memory().getLong(PA + 64)).isZero();
    runUntil(20_000_000);
    assertThat(host.memory().getLong(PA + 64)).isNotZero();
    attacker.delayedWrites().add(1L << 31, BYTES, 20_000_000); // Nobody's.
    runUntil(30_000_000);
    assertThat(attacker.delayedWrites().doneTotal()).isEqualTo(3);
    assertThat(attacker.delayedWrites().refusedTotal()).isEqualTo(1);
  }

  @Test
  void shouldForgetEverythingWhenItsFunctionIsReset() {
    attacker.delayedWrites().add(PA, BYTES, 50_000_000_000L);
    attacker.storm().start(PA, 1_000_000_000, 1000);
    runUntil(1_000_000);
    Bdf bdf = function.bdf();
    Ecam ecam = host.rootComplex().ecam();
    int control =
        attacker.configSpace().findCapability(CapabilityId.PCI_EXPRESS)
            + ConfigLayout.DEVICE_CONTROL;
    ecam.write(bdf, control, 2, ConfigLayout.DEVICE_CONTROL_FUNCTION_RESET);
    // 1 ms until it answers again.
    assertThat(ecam.read(bdf, ConfigLayout.VENDOR_ID, 2)).isEqualTo(0xFFFF);
    runUntil(1_000_000 + 1_000_000_000L);
    assertThat(ecam.read(bdf, ConfigLayout.VENDOR_ID, 2)).isEqualTo(0x1172);
    command(ConfigLayout.COMMAND_BUS_MASTER_ENABLE);
    runUntil(100_000_000_000L);

    assertThat(host.memory().getLong(PA)).isZero();
    assertThat(attacker.delayedWrites().waitingCount()).isZero();
    assertThat(attacker.storm().isDone()).isTrue();
    assertThat(attacker.storm().answeredTotal()).isEqualTo(1);
  }

  @Test
  void shouldCountWhatAStormComesTo() {
    // 2 GiB of RAM below the hole: two pages in it, then three that are nobody's.
    attacker.storm().start((2L << 30) - 2 * 4096, 1_000_000, 5);
    runUntil(20_000_000);

    assertThat(attacker.storm().isDone()).isTrue();
    assertThat(attacker.storm().answeredTotal()).isEqualTo(2);
    assertThat(attacker.storm().refusedTotal()).isEqualTo(3);
  }

  @Test
  void shouldMeasureOneReadAfterTheOther() {
    long[] durationsPs = attacker.probe().measure(new long[] {PA, PA + 4096, PA + 8192});

    // Alone on an idle machine, so all take the same.
    assertThat(durationsPs[0]).isPositive();
    assertThat(durationsPs).containsOnly(durationsPs[0]);
    assertThat(host.simulation().nowPs()).isEqualTo(3 * durationsPs[0]);
    assertThat(TimingProbe.median(new long[] {9, 1, 5, 7})).isEqualTo(7);
  }

  @Test
  void shouldGetNoTranslationWhereNobodyTranslates() {
    assertThat(attacker.hoard().ask(PA)).isEqualTo(DmaStatus.UNSUPPORTED_REQUEST);
    assertThat(attacker.hoard().holds(PA)).isFalse();
    assertThatThrownBy(() -> attacker.hoard().read(PA, 8))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("a translation must be kept: iova=0x140000000");
  }

  @Test
  void shouldNotWorkOutsideASlot() {
    Attacker loose = new Attacker(PcieLinkConfig.GEN3_X8, host.simulation());

    assertThatThrownBy(loose::port)
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("the attacker must be plugged in");
  }
}
