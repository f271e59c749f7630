package io.github.bellwire.examples.attack;

import io.github.bellwire.cpu.InterruptVector;

/** Attacks on other devices and on cores, through the fabric. */
final class FabricAttacks {
  private static final int SPURIOUS_HANDLE = 0x7FFF;

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
    long before = vector.raisedTotal();
    // As it would be without remapping, then by the handles of the victim's and of no entry.
    machine.finish(machine.attacker().port().sendMessage(vector.address(), vector.data()));
    for (int handle : new int[] {machine.victimHandle(), SPURIOUS_HANDLE}) {
      long address = AttackMachine.remappableAddress(handle);
      machine.finish(machine.attacker().port().sendMessage(address, 0));
    }
    machine.waitFor(10_000_000);
    long raised = vector.raisedTotal() - before;
    return Verdict.of(raised > 0, raised + " interrupts of the victim raised");
  }
}
