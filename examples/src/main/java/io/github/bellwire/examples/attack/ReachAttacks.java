package io.github.bellwire.examples.attack;

import static io.github.bellwire.dma.DmaDirection.BIDIRECTIONAL;
import static io.github.bellwire.dma.DmaDirection.TO_DEVICE;

import io.github.bellwire.device.attacker.AttackPort;

/** Attacks on memory that nobody has mapped for the attacker. */
final class ReachAttacks {
  private static final int PAGE_BYTES = 4096;

  private ReachAttacks() {}

  /** The address of a secret is used as it is. */
  static Verdict bareBusMaster(AttackMachine machine) {
    long pa = machine.secretPage();
    return machine.judgeReach(pa, pa);
  }

  /** The same before any driver has set up the attacker's function. */
  static Verdict withoutContext(AttackMachine machine) {
    machine.detachAttacker();
    return bareBusMaster(machine);
  }

  /** A page is mapped for another device, which shares a domain or does not. */
  static Verdict otherDevicesPage(AttackMachine machine) {
    long pa = machine.secretPage();
    long iova = machine.give(machine.victimDma(), pa, PAGE_BYTES, BIDIRECTIONAL);
    return machine.judgeReach(iova, pa);
  }

  /** The requester ID of a device is used that has the secret mapped; then the own one. */
  static Verdict spoofedRequester(AttackMachine machine) {
    long pa = machine.secretPage();
    long iova = machine.give(machine.victimDma(), pa, PAGE_BYTES, TO_DEVICE);
    AttackPort port = machine.attacker().port();
    port.pretendToBe(machine.victimId());
    boolean isStolen = machine.attackRead(iova) == AttackMachine.SECRET;
    port.pretendToBe(AttackPort.OWN_ID);
    boolean isStolenOpenly = machine.attackRead(iova) == AttackMachine.SECRET;
    return Verdict.of(
        isStolen || isStolenOpenly,
        isStolen
            ? "secret read under the victim's ID"
            : isStolenOpenly ? "secret read under the attacker's own ID" : "nothing read");
  }

  /** The address of a secret is said to be translated; then it is used as it is. */
  static Verdict claimedTranslation(AttackMachine machine) {
    long pa = machine.secretPage();
    AttackPort port = machine.attacker().port();
    port.pretendTranslated(true);
    boolean isStolen = machine.attackRead(pa) == AttackMachine.SECRET;
    port.pretendTranslated(false);
    boolean isStolenOpenly = machine.attackRead(pa) == AttackMachine.SECRET;
    return Verdict.of(
        isStolen || isStolenOpenly,
        isStolen
            ? "secret read with AT = translated"
            : isStolenOpenly ? "secret read with AT = untranslated" : "nothing read");
  }

  /** Firmware demands that a region stays within reach; the secret lies in it. */
  static Verdict insideReservedRegion(AttackMachine machine) {
    long pa = machine.reservedRegionPa();
    machine.cpu().store(pa, 8, AttackMachine.SECRET);
    return machine.judgeReach(pa, pa);
  }

  /** The secret lies in the page behind the region. */
  static Verdict outsideReservedRegion(AttackMachine machine) {
    long pa = machine.reservedRegionPa() + AttackMachine.RESERVED_BYTES;
    machine.cpu().store(pa, 8, AttackMachine.SECRET);
    return machine.judgeReach(pa, pa);
  }

  /** The attacker is faster than the operating system, which enables protection later. */
  static Verdict bootWindow(AttackMachine machine) {
    long pa = machine.secretPage();
    boolean isEarly = machine.attackRead(pa) == AttackMachine.SECRET;
    machine.protect();
    boolean isLate = machine.attackRead(pa) == AttackMachine.SECRET;
    return Verdict.around(
        isEarly,
        isLate,
        String.format(
            "secret %s before protection is enabled, %s after", read(isEarly), read(isLate)));
  }

  private static String read(boolean isRead) {
    return isRead ? "read" : "not read";
  }
}
