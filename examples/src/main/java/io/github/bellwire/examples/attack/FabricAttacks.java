package io.github.bellwire.examples.attack;

import io.github.bellwire.cpu.InterruptVector;
import io.github.bellwire.device.attacker.AttackPort;
import io.github.bellwire.iommu.layout.InterruptEntryLayout;
import io.github.bellwire.pcie.RootComplex;

/** Attacks on other devices and on cores, through the fabric. */
final class FabricAttacks {
  /** An entry that exists and is empty. */
  private static final int EMPTY_HANDLE = 0x7FFF;

  private FabricAttacks() {}

  /** The window of a device below the same switch is written to. */
  static Verdict peerToPeer(AttackMachine machine) {
    machine.attackWrite(machine.victimBar(), AttackMachine.FORGED);
    boolean isReached = machine.victim().memoryAt(0) == AttackMachine.FORGED;
    return Verdict.of(isReached, isReached ? "memory of the peer changed" : "peer unchanged");
  }

  /** The interrupt of another device is sent, in every form that there is. */
  static Verdict forgedInterrupt(AttackMachine machine) {
    InterruptVector vector = machine.victimVector();
    AttackPort port = machine.attacker().port();
    // In the format without remapping, then by the victim's handle and by one of nobody.
    machine.finish(port.sendMessage(vector.address(), vector.data()));
    machine.finish(port.sendMessage(machine.victimMessageAddress(), machine.victimMessageData()));
    machine.finish(port.sendMessage(remappableAddress(EMPTY_HANDLE), 0));
    machine.settle();
    long raised = vector.raisedTotal();
    machine.finish(
        machine
            .victim()
            .port()
            .sendMessage(machine.victimMessageAddress(), machine.victimMessageData()));
    machine.settle();
    if (vector.raisedTotal() != raised + 1) {
      throw new IllegalStateException("the victim must be able to interrupt: raised=" + raised);
    }
    return Verdict.of(raised > 0, raised + " interrupts in the name of the victim");
  }

  private static long remappableAddress(int handle) {
    return RootComplex.INTERRUPT_BASE
        | InterruptEntryLayout.MESSAGE_REMAPPABLE
        | (long) handle << InterruptEntryLayout.MESSAGE_HANDLE_SHIFT;
  }
}
