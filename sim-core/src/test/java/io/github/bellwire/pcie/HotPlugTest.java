package io.github.bellwire.pcie;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.github.bellwire.pcie.PcieLinkConfig.DllpCharge;
import io.github.bellwire.pcie.RootComplexConfig.PeerToPeer;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * Devices that are pulled out while something is under way, and put in again. Gen 3 x8, 126.953125
 * ps per byte, 60 ns of link, nothing in the root complex; the link is up 1 us after insertion.
 */
class HotPlugTest {
  private static final long LINK_PS = 60_000;
  private static final long LINK_UP_PS = 1_000_000;
  private static final PcieLinkConfig GEN3_X8 =
      PcieLinkConfig.GEN3_X8.withDllpCharge(DllpCharge.NONE);
  private static final SlotConfig SLOT = SlotConfig.SURPRISE.withLinkUpPs(LINK_UP_PS);
  private static final int SLOT_STATUS = BridgeFunction.PCIE_OFFSET + ConfigLayout.SLOT_STATUS;
  private static final int SLOT_CONTROL = BridgeFunction.PCIE_OFFSET + ConfigLayout.SLOT_CONTROL;
  private static final int LINK_STATUS = BridgeFunction.PCIE_OFFSET + ConfigLayout.LINK_STATUS;

  private final TestFabric fabric =
      new TestFabric(
          RootComplexConfig.IDEAL.withPeerToPeer(PeerToPeer.FORWARDED), Translation.IDENTITY);
  private final RootComplex rootComplex = fabric.rootComplex;
  private final BusEnumerator firmware = new BusEnumerator(EnumerationConfig.XEON);
  private final RootPort slot = rootComplex.addSlot(SLOT, GEN3_X8);
  private final MemoryEndpoint device = new MemoryEndpoint();
  private final MemoryEndpoint neighbour = new MemoryEndpoint();
  private final MmioResult result = new MmioResult();

  HotPlugTest() {
    rootComplex.attach(neighbour, GEN3_X8);
    firmware.enumerate(rootComplex);
    neighbour.enableBusMaster();
  }

  private void insert() {
    slot.insert(device);
    fabric.simulation.runUntil(fabric.simulation.nowPs() + LINK_UP_PS);
    firmware.enumerateSlot(rootComplex, slot);
    device.enableBusMaster();
  }

  private void removeAt(long atPs) {
    fabric.simulation.runUntil(atPs);
    slot.remove();
  }

  private int slotStatus() {
    return slot.configSpace().read(SLOT_STATUS, 2);
  }

  // Coming and going.

  @Test
  void shouldStartEmptyWithWindowsForALaterDevice() {
    assertThat(slot.isEmpty()).isTrue();
    assertThat(slotStatus()).isZero();
    // Hot-plug capable, surprise, no command completed, slot 1.
    assertThat(slot.configSpace().read(BridgeFunction.PCIE_OFFSET + 0x14, 4))
        .isEqualTo(1 << 19 | 1 << 18 | 1 << 6 | 1 << 5);
    assertThat(slot.configSpace().bridge().memoryBytes()).isEqualTo(2 << 20);
    assertThat(slot.configSpace().bridge().prefetchableBytes()).isEqualTo(2 << 20);
    assertThat(rootComplex.ecam().read(new Bdf(1, 0, 0), 0, 4)).isEqualTo(-1);
  }

  @Test
  void shouldDetectPresenceAtOnceAndTheLinkLater() {
    slot.insert(device);
    // Presence detected and changed.
    assertThat(slotStatus()).isEqualTo(1 << 6 | 1 << 3);
    assertThat(rootComplex.ecam().read(new Bdf(1, 0, 0), 0, 4)).isEqualTo(-1);
    fabric.simulation.runUntil(LINK_UP_PS - 1);
    assertThat(slot.isEmpty()).isTrue();
    fabric.simulation.runUntil(LINK_UP_PS);

    // And the link has changed; link status says active.
    assertThat(slotStatus()).isEqualTo(1 << 8 | 1 << 6 | 1 << 3);
    assertThat(slot.configSpace().read(LINK_STATUS, 2) & 1 << 13).isNotZero();
    assertThat(rootComplex.ecam().read(new Bdf(1, 0, 0), 0, 4)).isEqualTo(0x1001_1AF4);
    slot.configSpace().write(SLOT_STATUS, 2, 0xFFFF);
    assertThat(slotStatus()).isEqualTo(1 << 6);
  }

  @Test
  void shouldInterruptForEventsThatSoftwareEnables() {
    int msi = slot.configSpace().findCapability(CapabilityId.MSI);
    slot.configSpace().write(msi + MsiLayout.ADDRESS, 4, 0xFEE0_1000);
    slot.configSpace().write(msi + MsiLayout.DATA, 2, 0x41);
    slot.configSpace().write(msi + MsiLayout.CONTROL, 2, MsiLayout.CONTROL_ENABLE);
    slot.configSpace().write(SLOT_CONTROL, 2, 1 << 12 | 1 << 5);

    slot.insert(device);
    assertThat(fabric.messages).isEmpty();
    fabric.simulation.runUntil(LINK_UP_PS);
    assertThat(fabric.messages)
        .containsExactly(new TestFabric.Message(0, 0xFEE0_1000L, 0x41, LINK_UP_PS));

    // The event is still noted, so that the next of its kind does not interrupt.
    slot.remove();
    assertThat(fabric.messages).hasSize(1);
    slot.configSpace().write(SLOT_STATUS, 2, 0xFFFF);
    slot.configSpace().write(SLOT_CONTROL, 2, 1 << 5 | 1 << 3);
    slot.insert(device);
    assertThat(fabric.messages).hasSize(2);
  }

  @Test
  void shouldUseADeviceAgainAfterItWasPutInAgain() {
    insert();
    long bar = device.barAddress();
    assertThat(bar).isEqualTo(slot.configSpace().bridge().prefetchableBase());
    DmaPort before = device.dma();
    slot.remove();
    insert();

    assertThat(device.barAddress()).isEqualTo(bar);
    assertThat(device.dma()).isNotSameAs(before);
    long nowPs = fabric.simulation.nowPs();
    long donePs = device.dma().write(0x1000, new byte[] {1, 2, 3, 4}, 0, 4, nowPs);
    assertThat(device.dma().status()).isEqualTo(DmaStatus.OK);
    fabric.simulation.runUntil(donePs);
    assertThat(fabric.bytes(0x1000, 4)).containsExactly(1, 2, 3, 4);
    rootComplex.mmioWrite(bar, 4, 7, fabric.simulation.nowPs());
    rootComplex.mmioRead(bar, 4, fabric.simulation.nowPs(), result);
    assertThat(result.value()).isEqualTo(7);
    // Its way before it was pulled out leads nowhere.
    before.write(0x2000, new byte[] {1}, 0, 1, fabric.simulation.nowPs());
    assertThat(before.status()).isEqualTo(DmaStatus.LINK_DOWN);
  }

  @Test
  void shouldPutAnotherDeviceIn() {
    insert();
    slot.remove();
    RecordingEndpoint other = new RecordingEndpoint();
    slot.insert(other);
    fabric.simulation.runUntil(fabric.simulation.nowPs() + LINK_UP_PS);

    List<EnumeratedFunction> found = firmware.enumerateSlot(rootComplex, slot);

    assertThat(found).hasSize(1);
    assertThat(found.get(0).endpoint()).isSameAs(other);
    assertThat(found.get(0).bdf()).isEqualTo(new Bdf(1, 0, 0));
    other.answer(5);
    rootComplex.mmioRead(found.get(0).barAddress(0), 4, fabric.simulation.nowPs(), result);
    assertThat(result.value()).isEqualTo(5);
  }

  @Test
  void shouldForgetADeviceThatLeavesBeforeItsLinkIsUp() {
    slot.insert(device);
    slot.remove();
    fabric.simulation.runUntil(2 * LINK_UP_PS);

    assertThat(slot.isEmpty()).isTrue();
    assertThat(firmware.enumerateSlot(rootComplex, slot)).isEmpty();
    // Presence has changed, the link never has.
    assertThat(slotStatus()).isEqualTo(1 << 3);
  }

  // What is under way.

  @Test
  void shouldKeepWhatHadLeftAndDropWhatHadNot() {
    insert();
    byte[] data = new byte[1024];
    Arrays.fill(data, (byte) 0x5A);
    long startPs = fabric.simulation.nowPs();
    device.dma().write(0x1000, data, 0, 1024, startPs);

    // Four TLPs of 276 B leave at 35_039, 70_078, 105_117 and 140_156 ps.
    removeAt(startPs + 70_078);
    fabric.simulation.run();

    byte[] expected = new byte[1024];
    Arrays.fill(expected, 0, 512, (byte) 0x5A);
    assertThat(fabric.bytes(0x1000, 1024)).isEqualTo(expected);
  }

  @Test
  void shouldDropTheStatusAndTheInterruptBehindDataThatHasNotLeft() {
    insert();
    long startPs = fabric.simulation.nowPs();
    device.dma().write(0x1000, new byte[256], 0, 256, startPs);
    device.dma().writeStatus(0x2000, new byte[] {1}, 0, 1, startPs);
    device.dma().sendMessage(RootComplex.INTERRUPT_BASE, 1, startPs);
    long messageSentPs = device.dma().sentPs();

    removeAt(messageSentPs - 1);
    fabric.simulation.run();

    assertThat(fabric.bytes(0x2000, 1)).containsExactly(1);
    assertThat(fabric.messages).isEmpty();
  }

  @Test
  void shouldDeliverAnInterruptThatHadLeft() {
    insert();
    long arrivalPs =
        device.dma().sendMessage(RootComplex.INTERRUPT_BASE, 1, fabric.simulation.nowPs());
    assertThat(fabric.messages).isEmpty();

    removeAt(device.dma().sentPs());
    fabric.simulation.run();

    assertThat(fabric.messages)
        .containsExactly(new TestFabric.Message(0x100, RootComplex.INTERRUPT_BASE, 1, arrivalPs));
  }

  @Test
  void shouldLoseWritesToADeviceThatHasGoneAndReadOnes() {
    insert();
    long bar = device.barAddress();
    long startPs = fabric.simulation.nowPs();
    rootComplex.mmioWrite(bar, 4, 7, startPs);
    slot.remove();
    fabric.simulation.run();
    rootComplex.mmioWrite(bar, 4, 8, fabric.simulation.nowPs());
    rootComplex.mmioRead(bar, 4, fabric.simulation.nowPs(), result);

    assertThat(device.lastWritePs()).isEqualTo(-1);
    assertThat(result.value()).isEqualTo(0xFFFF_FFFFL);
  }

  @Test
  void shouldDropThePeerWritesOfADeviceThatHasGone() {
    insert();
    long startPs = fabric.simulation.nowPs();
    byte[] data = new byte[512];
    Arrays.fill(data, (byte) 3);
    device.dma().write(neighbour.barAddress(), data, 0, 512, startPs);
    // Two TLPs of 280 B: the first has left after 35_546 ps.
    removeAt(startPs + 40_000);
    fabric.simulation.run();

    assertThat(neighbour.memory()[255]).isEqualTo((byte) 3);
    assertThat(neighbour.memory()[256]).isZero();
  }

  @Test
  void shouldAnswerAPeersReadByOnesIfItsTargetHasGone() {
    insert();
    Arrays.fill(device.memory(), (byte) 9);
    byte[] seen = new byte[64];
    long startPs = fabric.simulation.nowPs();
    neighbour.dma().read(device.barAddress(), seen, 0, 64, startPs);
    removeAt(startPs + LINK_PS);
    fabric.simulation.run();

    assertThat(seen).containsOnly(0xFF);
    neighbour.dma().read(device.configSpace().barAddress(0) + 1, seen, 0, 1, startPs + LINK_PS);
    assertThat(neighbour.dma().status()).isEqualTo(DmaStatus.UNSUPPORTED_REQUEST);
  }

  // Errors and mistakes.

  @Test
  void shouldCountASurpriseDownErrorWhereNoneIsExpected() {
    RootPort careful = rootComplex.addSlot(SLOT.withSurpriseExpected(false), GEN3_X8);
    careful.insert(device);
    fabric.simulation.runUntil(LINK_UP_PS);
    careful.remove();
    fabric.simulation.run();
    assertThat(careful.errors().total(PcieError.SURPRISE_DOWN)).isEqualTo(1);
    assertThat(careful.configSpace().read(0x104, 4)).isEqualTo(1 << 5);

    insert();
    slot.remove();
    assertThat(slot.errors().total(PcieError.SURPRISE_DOWN)).isZero();
  }

  @Test
  void shouldHavePortsOfASwitchAsSlots() {
    TestFabric other = new TestFabric();
    Switch packetSwitch = other.rootComplex.attach(SwitchConfig.PEX89048);
    SwitchPort port = packetSwitch.addSlot(SLOT, GEN3_X8);
    port.insert(device);
    other.simulation.runUntil(LINK_UP_PS);
    firmware.enumerate(other.rootComplex);
    device.enableBusMaster();

    device.dma().write(0x1000, new byte[] {1}, 0, 1, LINK_UP_PS);
    other.simulation.runUntil(2 * LINK_UP_PS);
    assertThat(other.bytes(0x1000, 1)).containsExactly(1);
    port.remove();
    other.rootComplex.mmioRead(device.barAddress(), 4, 2 * LINK_UP_PS, result);
    assertThat(result.value()).isEqualTo(0xFFFF_FFFFL);
  }

  @Test
  void shouldRefuseMistakes() {
    assertThatIllegalStateException().isThrownBy(slot::remove);
    slot.insert(device);
    assertThatIllegalStateException()
        .isThrownBy(() -> slot.insert(new MemoryEndpoint()))
        .withMessage("slot must be empty: number=1");
    assertThatIllegalStateException()
        .isThrownBy(() -> rootComplex.ports().get(1).remove())
        .withMessageStartingWith("the port must have a slot");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> SLOT.withNumber(8192))
        .withMessage("number must be 0..8191: number=8192");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> SLOT.withLinkUpPs(-1))
        .withMessage("linkUpPs must be 0..1000000000000: linkUpPs=-1");
  }
}
