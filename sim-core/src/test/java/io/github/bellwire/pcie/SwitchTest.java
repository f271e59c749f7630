package io.github.bellwire.pcie;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.github.bellwire.pcie.PcieLinkConfig.DllpCharge;
import org.junit.jupiter.api.Test;

/**
 * Two devices behind a switch. All links are Gen 3 x8, 126.953125 ps per byte; those of the devices
 * take 60 ns, the shared one none; the switch takes 115 ns, the root complex nothing. Memory lies
 * below 4 GiB, so that MRd takes 20 B and MWr 20 B and data.
 */
class SwitchTest {
  private static final long FORWARD_PS = 115_000;
  private static final long LINK_PS = 60_000;
  private static final PcieLinkConfig GEN3_X8 =
      PcieLinkConfig.GEN3_X8.withDllpCharge(DllpCharge.NONE);
  private static final SwitchConfig SWITCH =
      SwitchConfig.PEX89048.withUpstreamLink(GEN3_X8.withPropagationPs(0));

  private final TestFabric fabric = new TestFabric();
  private final RootComplex rootComplex = fabric.rootComplex;
  private final Switch packetSwitch = rootComplex.attach(SWITCH);
  private final MemoryEndpoint first = new MemoryEndpoint();
  private final MemoryEndpoint second = new MemoryEndpoint();
  private final MmioResult result = new MmioResult();

  SwitchTest() {
    packetSwitch.attach(first, GEN3_X8);
    packetSwitch.attach(second, GEN3_X8);
    enumerate();
  }

  private void enumerate() {
    new BusEnumerator(EnumerationConfig.XEON).enumerate(rootComplex);
    first.enableBusMaster();
    second.enableBusMaster();
  }

  /** How long a TLP occupies a serializer; the fraction is dropped. */
  private static long wirePs(int bytes) {
    return bytes * 126_953_125L / 1_000_000;
  }

  // Time.

  @Test
  void shouldTake115NanosecondsFromPortToPortByDefault() {
    assertThat(SwitchConfig.PEX89048.forwardPs()).isEqualTo(115_000);
    assertThat(SwitchConfig.PEX89048.portsCount()).isEqualTo(2);
    assertThat(SwitchConfig.PEX89048.upstreamLink().propagationPs()).isZero();
  }

  @Test
  void shouldAddItsDelayAndOneSerializationToEachDirectionOfARead() {
    long donePs = first.dma().read(0x1000, new byte[64], 0, 64, 0);

    // MRd 20 B on two links, CplD 84 B on two links.
    assertThat(donePs).isEqualTo(2 * wirePs(20) + 2 * wirePs(84) + 2 * LINK_PS + 2 * FORWARD_PS);
    // Without the switch: one link each, as for the third device.
    MemoryEndpoint direct = new MemoryEndpoint();
    rootComplex.attach(direct, GEN3_X8);
    enumerate();
    direct.enableBusMaster();
    assertThat(direct.dma().read(0x1000, new byte[64], 0, 64, 0))
        .isEqualTo(wirePs(20) + wirePs(84) + 2 * LINK_PS);
  }

  @Test
  void shouldAddItsDelayAndOneSerializationToAWrite() {
    long donePs = first.dma().write(0x1000, new byte[64], 0, 64, 0);

    assertThat(donePs).isEqualTo(2 * wirePs(84) + LINK_PS + FORWARD_PS);
    assertThat(first.dma().sentPs()).isEqualTo(wirePs(84));
  }

  @Test
  void shouldStoreAndForwardEveryTlpOfALongWrite() {
    long donePs = first.dma().write(0x1000, new byte[512], 0, 512, 0);

    // Two TLPs of 276 B: the second leaves the device after 552 B and the switch 276 B later.
    assertThat(donePs).isEqualTo(wirePs(552) + wirePs(276) + LINK_PS + FORWARD_PS);
  }

  @Test
  void shouldGiveTheCreditsOfADroppedWriteBackWhenItHasArrived() {
    FlowControlConfig oneHeader =
        FlowControlConfig.UNLIMITED
            .withRootPort(new FlowControlCredits(1, 0, 0, 0, 0, 0))
            .withUpdatePs(5_000);
    MemoryEndpoint device = new MemoryEndpoint();
    Switch another = rootComplex.attach(SWITCH);
    DownstreamPort port = another.attach(device, GEN3_X8.withFlowControl(oneHeader));
    enumerate();
    device.enableBusMaster();

    device.dma().write(0x1000, new byte[64], 0, 64, 0);
    port.upstreamFaults().inject(TlpFault.MALFORMED, 0);
    device.dma().write(0x1000, new byte[64], 0, 64, 0);
    long droppedSentPs = device.dma().sentPs();
    device.dma().write(0x1000, new byte[64], 0, 64, 0);

    // 60 ns there; 5 ns and 60 ns back; MWr 84 B. Where the first one went does not matter.
    assertThat(device.dma().sentPs()).isEqualTo(droppedSentPs + 125_000 + wirePs(84));
  }

  @Test
  void shouldKeepThePiecesOfAReadInOrderAcrossTheSwitch() {
    long donePs = first.dma().read(0x1000, new byte[512], 0, 512, 0);

    // Two CplD of 276 B, store and forward.
    assertThat(donePs)
        .isEqualTo(2 * wirePs(20) + wirePs(552) + wirePs(276) + 2 * LINK_PS + 2 * FORWARD_PS);
  }

  @Test
  void shouldTakeRegisterAccessesThroughBothLinks() {
    rootComplex.mmioWrite(first.barAddress() + 8, 4, 0x1234_5678, 0);
    fabric.simulation.run();

    // MWr 28 B on two links.
    assertThat(first.lastWritePs()).isEqualTo(2 * wirePs(28) + LINK_PS + FORWARD_PS);
    assertThat(first.memory()[8]).isEqualTo((byte) 0x78);

    long atPs = 1_000_000;
    rootComplex.mmioRead(first.barAddress() + 8, 4, atPs, result);

    // MRd 24 B and CplD 24 B.
    assertThat(result.value()).isEqualTo(0x1234_5678L);
    assertThat(first.lastReadPs()).isEqualTo(atPs + 2 * wirePs(24) + LINK_PS + FORWARD_PS);
    assertThat(result.donePs()).isEqualTo(atPs + 4 * wirePs(24) + 2 * LINK_PS + 2 * FORWARD_PS);
    assertThat(second.lastWritePs()).isEqualTo(-1);
  }

  @Test
  void shouldShareTheUpstreamLinkBetweenItsPorts() {
    byte[] data = new byte[4096];
    long firstPs = first.dma().write(0x1_0000, data, 0, 4096, 0);
    long secondPs = second.dma().write(0x2_0000, data, 0, 4096, 0);

    // Each device's own link is free for its 16 TLPs of 276 B; the shared one carries 32 of them.
    assertThat(firstPs).isEqualTo(wirePs(276) + wirePs(16 * 276) + LINK_PS + FORWARD_PS);
    assertThat(secondPs).isEqualTo(wirePs(276) + wirePs(32 * 276) + LINK_PS + FORWARD_PS);
    assertThat(packetSwitch.above().upstream().memoryWritesTotal()).isEqualTo(32);
  }

  @Test
  void shouldNotLetAReadPassAWriteOnTheSharedLink() {
    fabric.caches.deviceWritePs = 0;
    byte[] seen = new byte[4];
    first.dma().writeStatus(0x1000, new byte[] {1, 2, 3, 4}, 0, 4, 0);
    first.dma().read(0x1000, seen, 0, 4, 0);

    assertThat(seen).containsExactly(1, 2, 3, 4);
  }

  // Who is who.

  @Test
  void shouldKeepRequesterIdsApart() {
    first.dma().sendMessage(RootComplex.INTERRUPT_BASE, 1, 0);
    second.dma().sendMessage(RootComplex.INTERRUPT_BASE, 2, 0);

    // Bus 1 is the upstream link, 2 the inside, 3 and 4 the devices.
    assertThat(fabric.messages)
        .extracting(TestFabric.Message::requesterId)
        .containsExactly(0x0300, 0x0400);
    assertThat(packetSwitch.ports().get(1).bdf()).hasToString("0000:04:00.0");
  }

  @Test
  void shouldShowItsPortsAsBridges() {
    Ecam ecam = rootComplex.ecam();
    Bdf upstream = new Bdf(1, 0, 0);
    Bdf port1 = new Bdf(2, 1, 0);

    assertThat(ecam.read(upstream, ConfigLayout.HEADER_TYPE, 1)).isEqualTo(1);
    // Subordinate 4, secondary 2, primary 1; then port 1 alone.
    assertThat(ecam.read(upstream, BridgeLayout.PRIMARY_BUS, 4)).isEqualTo(0x0004_0201);
    assertThat(ecam.read(port1, BridgeLayout.PRIMARY_BUS, 4)).isEqualTo(0x0004_0402);
    // Version 2, device types upstream (5) and downstream (6) port.
    assertThat(ecam.read(upstream, 0x42, 2)).isEqualTo(0x52);
    assertThat(ecam.read(port1, 0x42, 2)).isEqualTo(0x62);
    assertThat(ecam.read(new Bdf(0, 0, 0), 0x42, 2)).isEqualTo(0x42);
    // Memory and bus master enabled.
    assertThat(ecam.read(upstream, ConfigLayout.COMMAND, 2)).isEqualTo(6);
    assertThat(ecam.read(new Bdf(2, 2, 0), 0, 4)).isEqualTo(-1);
    assertThat(ecam.read(new Bdf(3, 0, 0), 0, 4)).isEqualTo(0x1001_1AF4);
    assertThat(ecam.read(new Bdf(3, 1, 0), 0, 4)).isEqualTo(-1);
  }

  @Test
  void shouldNestWindows() {
    long port0 = packetSwitch.ports().get(0).configSpace().bridge().prefetchableBase();
    long port1 = packetSwitch.ports().get(1).configSpace().bridge().prefetchableBase();

    assertThat(port0).isEqualTo(0x3800_0000_0000L).isEqualTo(first.barAddress());
    assertThat(port1).isEqualTo(port0 + (1 << 20)).isEqualTo(second.barAddress());
    for (ConfigSpace above :
        new ConfigSpace[] {packetSwitch.configSpace(), rootComplex.ports().get(0).configSpace()}) {
      assertThat(above.bridge().prefetchableBase()).isEqualTo(port0);
      assertThat(above.bridge().prefetchableBytes()).isEqualTo(2 << 20);
      assertThat(above.bridge().memoryBytes()).isZero();
    }
  }

  @Test
  void shouldStopWhatABridgeDoesNotForward() {
    packetSwitch.configSpace().write(ConfigLayout.COMMAND, 2, 0);

    first.dma().write(0x1000, new byte[] {1}, 0, 1, 0);
    assertThat(first.dma().status()).isEqualTo(DmaStatus.UNSUPPORTED_REQUEST);
    long donePs = first.dma().read(0x1000, new byte[4], 0, 4, 1_000_000);
    assertThat(first.dma().status()).isEqualTo(DmaStatus.UNSUPPORTED_REQUEST);
    // MRd 20 B to the switch, Cpl 20 B from there.
    assertThat(donePs).isEqualTo(1_000_000 + 2 * wirePs(20) + 2 * LINK_PS + FORWARD_PS);
    rootComplex.mmioRead(first.barAddress(), 4, fabric.simulation.nowPs(), result);
    assertThat(result.value()).isEqualTo(0xFFFF_FFFFL);
    assertThat(fabric.bytes(0x1000, 1)).containsExactly(0);
  }

  @Test
  void shouldRefuseMoreDevicesThanPorts() {
    assertThatIllegalStateException()
        .isThrownBy(() -> packetSwitch.attach(new MemoryEndpoint(), GEN3_X8))
        .withMessage("all ports are taken: portsCount=2");
  }

  @Test
  void shouldReachADeviceBehindTwoSwitches() {
    TestFabric deep = new TestFabric();
    Switch outer = deep.rootComplex.attach(SWITCH);
    Switch inner = outer.attach(SWITCH);
    inner.attach(first, GEN3_X8);
    outer.attach(second, GEN3_X8);
    new BusEnumerator(EnumerationConfig.XEON).enumerate(deep.rootComplex);
    first.enableBusMaster();

    // Root 1, inside 2, port to the inner switch 3, its inside 4, the first device 5.
    assertThat(inner.ports().get(0).bdf()).isEqualTo(new Bdf(5, 0, 0));
    assertThat(outer.ports().get(1).bdf()).isEqualTo(new Bdf(6, 0, 0));
    assertThat(first.dma().read(0x1000, new byte[64], 0, 64, 0))
        .isEqualTo(3 * wirePs(20) + 3 * wirePs(84) + 2 * LINK_PS + 4 * FORWARD_PS);
    // To the peer at the outer switch: MWr 88 B on the device's link, the inner upstream link and
    // the peer's link.
    long donePs = first.dma().write(second.barAddress(), new byte[64], 0, 64, 10_000_000);
    assertThat(donePs).isEqualTo(10_000_000 + 3 * wirePs(88) + 2 * LINK_PS + 2 * FORWARD_PS);
  }

  @Test
  void shouldRejectIllegalSwitches() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> SWITCH.withForwardPs(-1))
        .withMessage("forwardPs must be 0..10000000: forwardPs=-1");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> SWITCH.withPortsCount(33))
        .withMessage("portsCount must be 1..32: portsCount=33");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> SWITCH.withAccessControl(0x80))
        .withMessage("accessControl must be a set of bits in 127: accessControl=128");
  }
}
