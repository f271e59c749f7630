package io.github.bellwire.examples.attack;

import io.github.bellwire.cpu.InterruptVector;
import io.github.bellwire.device.attacker.AttackPort;
import io.github.bellwire.iommu.layout.InterruptEntryLayout;
import io.github.bellwire.pcie.RootComplex;

/** Attacks on other devices and on cores, through the fabric. */
final class FabricAttacks {
  /** An entry that exists and is empty. */
  private static final int EMPTY_HANDLE = 0x7FFF;

  /** The last one of the largest table; a subhandle is added to it. */
  private static final int LAST_HANDLE = 0xFFFF;

  private static final long SUBHANDLE = InterruptEntryLayout.MESSAGE_SUBHANDLE_VALID;

  /** Above the subhandle there must be nothing. */
  private static final int RESERVED_DATA = 1 << 16;

  private FabricAttacks() {}

  /** The window of a device below the same switch is written to. */
  static Verdict peerToPeer(AttackMachine machine) {
    machine.attackWrite(machine.victimBar(), AttackMachine.FORGED);
    boolean isReached = machine.victim().memoryAt(0) == AttackMachine.FORGED;
    return Verdict.of(isReached, isReached ? "memory of the peer changed" : "peer unchanged");
  }

  /**
   * The interrupt of another device is sent: in the format without remapping, by the victim's
   * handle, by one of nobody, by an index beyond the table, with reserved bits, and as an access
   * that says that its address is translated.
   */
  static Verdict forgedInterrupt(AttackMachine machine) {
    InterruptVector vector = machine.victimVector();
    AttackPort port = machine.attacker().port();
    long address = machine.victimMessageAddress();
    int data = machine.victimMessageData();
    machine.finish(port.sendMessage(vector.address(), vector.data()));
    machine.finish(port.sendMessage(address, data));
    machine.finish(port.sendMessage(remappableAddress(EMPTY_HANDLE), 0));
    machine.finish(port.sendMessage(remappableAddress(LAST_HANDLE) | SUBHANDLE, 1));
    machine.finish(port.sendMessage(address | SUBHANDLE, data | RESERVED_DATA));
    port.pretendTranslated(true);
    machine.finish(port.sendMessage(address, data));
    port.pretendTranslated(false);
    machine.settle();
    long raised = vector.raisedTotal();
    machine.finish(machine.victim().port().sendMessage(address, data));
    machine.settle();
    if (vector.raisedTotal() != raised + 1) {
      throw new IllegalStateException("the victim must be able to interrupt: raised=" + raised);
    }
    return Verdict.of(raised > 0, raised + " interrupts in the name of the victim");
  }

  private static long remappableAddress(int handle) {
    return RootComplex.INTERRUPT_BASE
        | InterruptEntryLayout.MESSAGE_REMAPPABLE
        | (long) (handle & InterruptEntryLayout.MESSAGE_HANDLE_MASK)
            << InterruptEntryLayout.MESSAGE_HANDLE_SHIFT
        | (long) (handle >>> 15) << InterruptEntryLayout.MESSAGE_HANDLE_15_SHIFT;
  }
}
