package io.github.bellwire.examples.attack;

import static io.github.bellwire.dma.DmaDirection.BIDIRECTIONAL;
import static io.github.bellwire.dma.DmaDirection.FROM_DEVICE;
import static java.util.Objects.requireNonNull;

import io.github.bellwire.device.attacker.Attacker;
import io.github.bellwire.device.attacker.InvalidationManners;
import io.github.bellwire.device.attacker.TranslationHoard;
import io.github.bellwire.dma.CoherentBuffer;
import io.github.bellwire.dma.DmaDevice;
import io.github.bellwire.pcie.DmaStatus;

/** Attacks on memory that was the attacker's to use, and is not any more. */
final class LifetimeAttacks {
  private static final int PAGE_BYTES = 4096;
  private static final int HALF_BYTES = 2048;
  private static final long MS_PS = 1_000_000_000L;
  // Longer than the 10 ms that a flush may be put off.
  private static final long FLUSH_PS = 11 * MS_PS;
  private static final int UNMAPS_UNTIL_FLUSH = 256;

  private LifetimeAttacks() {}

  /** The translation is in the IOTLB when the page is unmapped and reused. */
  static Verdict reusedPageWarm(AttackMachine machine) {
    long pa = machine.newPage();
    long iova = machine.give(machine.attackerDma(), pa, PAGE_BYTES, BIDIRECTIONAL);
    machine.attackRead(iova);
    return tryReusedPage(machine, pa, iova);
  }

  /** It has never been there. */
  static Verdict reusedPageNotWarmed(AttackMachine machine) {
    long pa = machine.newPage();
    long iova = machine.give(machine.attackerDma(), pa, PAGE_BYTES, BIDIRECTIONAL);
    return tryReusedPage(machine, pa, iova);
  }

  /** It has been there, and others have taken its place. */
  static Verdict reusedPageEvicted(AttackMachine machine) {
    long pa = machine.newPage();
    DmaDevice dma = machine.attackerDma();
    long[] others = machine.mapPages(dma, machine.pagesBeyondIotlb());
    long iova = machine.give(dma, pa, PAGE_BYTES, BIDIRECTIONAL);
    machine.attackRead(iova);
    machine.attacker().probe().measure(others);
    return tryReusedPage(machine, pa, iova);
  }

  private static Verdict tryReusedPage(AttackMachine machine, long pa, long iova) {
    machine.attackerDma().unmapSingle(machine.cpu(), iova, PAGE_BYTES, BIDIRECTIONAL);
    machine.cpu().store(pa, 8, AttackMachine.SECRET);
    boolean isEarly = machine.attackRead(iova) == AttackMachine.SECRET;
    machine.waitFor(FLUSH_PS);
    boolean isLate = machine.attackRead(iova) == AttackMachine.SECRET;
    return aroundFlush(isEarly, isLate, "10 ms");
  }

  /** The flush comes early, because the queue of unmapped ranges is full. */
  static Verdict reusedPageFullQueue(AttackMachine machine) {
    long pa = machine.newPage();
    DmaDevice dma = machine.attackerDma();
    long[] others = machine.mapPages(dma, UNMAPS_UNTIL_FLUSH - 1);
    long iova = machine.give(dma, pa, PAGE_BYTES, BIDIRECTIONAL);
    machine.attackRead(iova);
    dma.unmapSingle(machine.cpu(), iova, PAGE_BYTES, BIDIRECTIONAL);
    machine.cpu().store(pa, 8, AttackMachine.SECRET);
    for (int i = 0; i < others.length - 1; i++) {
      dma.unmapSingle(machine.cpu(), others[i], PAGE_BYTES, BIDIRECTIONAL);
    }
    boolean isEarly = machine.attackRead(iova) == AttackMachine.SECRET;
    dma.unmapSingle(machine.cpu(), others[others.length - 1], PAGE_BYTES, BIDIRECTIONAL);
    boolean isLate = machine.attackRead(iova) == AttackMachine.SECRET;
    return aroundFlush(isEarly, isLate, "255 unmaps");
  }

  private static Verdict aroundFlush(boolean isEarly, boolean isLate, String event) {
    return Verdict.around(
        isEarly,
        isLate,
        String.format(
            "secret %s after unmap, %s after %s",
            isEarly ? "read" : "not read", isLate ? "read" : "not read", event));
  }

  /** The device keeps its own translation. */
  static Verdict keptTranslation(AttackMachine machine, InvalidationManners manners) {
    long pa = machine.newPage();
    DmaDevice dma = machine.attackerDma();
    long iova = machine.give(dma, pa, PAGE_BYTES, BIDIRECTIONAL);
    machine.attackRead(iova); // An ordinary request, to see whether anything is translated.
    TranslationHoard hoard = machine.attacker().hoard();
    hoard.behave(manners);
    DmaStatus answer = hoard.ask(iova);
    if (answer != DmaStatus.OK) {
      return machine.isAnyRequestTranslated()
          ? Verdict.of(false, "translation request ends with " + answer)
          : Verdict.notApplicable("nobody translates: " + answer);
    }
    machine.settle();
    dma.unmapSingle(machine.cpu(), iova, PAGE_BYTES, BIDIRECTIONAL);
    machine.cpu().store(pa, 8, AttackMachine.SECRET);
    boolean isEarly = readKept(machine, hoard, iova);
    machine.waitFor(FLUSH_PS);
    boolean isLate = readKept(machine, hoard, iova);
    return aroundFlush(isEarly, isLate, "10 ms")
        .with(hoard.invalidationsTotal() + " invalidations seen" + machine.timeoutText());
  }

  private static boolean readKept(AttackMachine machine, TranslationHoard hoard, long iova) {
    return hoard.holds(iova) && machine.finish(hoard.read(iova, 8)) == AttackMachine.SECRET;
  }

  /** The driver unmaps, checks what it has received, and uses it later. */
  static Verdict changedAfterUnmap(AttackMachine machine) {
    long pa = machine.newPage();
    DmaDevice dma = machine.attackerDma();
    long iova = machine.give(dma, pa, HALF_BYTES, FROM_DEVICE);
    machine.attackWrite(iova, AttackMachine.GOOD);
    dma.unmapSingle(machine.cpu(), iova, HALF_BYTES, FROM_DEVICE);
    boolean isEarly = changesBetween(machine, pa, iova);
    machine.waitFor(FLUSH_PS);
    machine.cpu().store(pa, 8, AttackMachine.GOOD);
    boolean isLate = changesBetween(machine, pa, iova);
    return Verdict.around(
        isEarly,
        isLate,
        String.format(
            "value used after unmap %s, after 10 ms %s",
            isEarly ? "is not the one checked" : "is the one checked", isLate ? "is not" : "is"));
  }

  /** The driver looks at the buffer while it stays mapped, as page pools do. */
  static Verdict changedAfterSync(AttackMachine machine) {
    return changeMapped(machine, HALF_BYTES);
  }

  /** The buffer is a whole page. */
  static Verdict changedWholePage(AttackMachine machine) {
    return changeMapped(machine, PAGE_BYTES);
  }

  private static Verdict changeMapped(AttackMachine machine, int bufferBytes) {
    long pa = machine.newPage();
    DmaDevice dma = machine.attackerDma();
    long iova = machine.give(dma, pa, bufferBytes, FROM_DEVICE);
    machine.attackWrite(iova, AttackMachine.GOOD);
    dma.syncForCpu(machine.cpu(), iova, 0, bufferBytes, FROM_DEVICE);
    boolean isChanged = changesBetween(machine, pa, iova);
    return Verdict.of(isChanged, isChanged ? "value used is not the one checked" : "value stays");
  }

  /** {@return whether a check passes and the value used afterwards is another one} */
  private static boolean changesBetween(AttackMachine machine, long pa, long iova) {
    Attacker attacker = machine.attacker();
    attacker
        .delayedWrites()
        .add(iova, AttackMachine.bytes(AttackMachine.FORGED), machine.nowPs() + 5_000_000);
    boolean isChecked = machine.cpu().load(pa, 8) == AttackMachine.GOOD;
    machine.waitFor(20_000_000);
    return isChecked && machine.cpu().load(pa, 8) == AttackMachine.FORGED;
  }

  /** The driver reads the length of a descriptor twice: to check it, and to use it. */
  static Verdict ringReadTwice(AttackMachine machine) {
    CoherentBuffer ring = newRing(machine);
    machine.attackWrite(ring.iova(), AttackMachine.GOOD);
    boolean isChanged = changesBetween(machine, ring.pa(), ring.iova());
    return Verdict.of(isChanged, isChanged ? "length used is not the one checked" : "length stays");
  }

  private static CoherentBuffer newRing(AttackMachine machine) {
    return requireNonNull(
        machine.attackerDma().allocateCoherent(machine.cpu(), PAGE_BYTES), "ring");
  }

  /** The driver reads it once, into memory of its own. */
  static Verdict ringReadOnce(AttackMachine machine) {
    CoherentBuffer ring = newRing(machine);
    machine.attackWrite(ring.iova(), AttackMachine.GOOD);
    machine
        .attacker()
        .delayedWrites()
        .add(ring.iova(), AttackMachine.bytes(AttackMachine.FORGED), machine.nowPs() + 5_000_000);
    long own = machine.newPage();
    machine.cpu().store(own, 8, machine.cpu().load(ring.pa(), 8));
    machine.waitFor(20_000_000);
    boolean hasArrived = machine.cpu().load(ring.pa(), 8) == AttackMachine.FORGED;
    boolean isChanged = machine.cpu().load(own, 8) != AttackMachine.GOOD;
    return Verdict.of(
        isChanged,
        (hasArrived ? "descriptor changes" : "descriptor stays")
            + (isChanged ? ", and so does what is used" : ", what is used does not"));
  }

  /** A guest queues a write in its device, which then becomes another guest's. */
  static Verdict reassignedDevice(AttackMachine machine, boolean isReset) {
    long first = machine.newPage();
    long iova = machine.give(machine.attackerDma(), first, PAGE_BYTES, BIDIRECTIONAL);
    machine
        .attacker()
        .delayedWrites()
        .add(iova, AttackMachine.bytes(AttackMachine.FORGED), machine.nowPs() + 100 * MS_PS);
    machine.attackerDma().unmapSingle(machine.cpu(), iova, PAGE_BYTES, BIDIRECTIONAL);
    if (isReset) {
      machine.resetAttacker();
    }
    machine.reassignAttacker();
    // The pages of the guest that is gone are given to the next one.
    long second = machine.give(machine.attackerDma(), first, PAGE_BYTES, BIDIRECTIONAL);
    machine.cpu().store(first, 8, AttackMachine.SECRET);
    machine.waitFor(200 * MS_PS);
    return machine
        .judgeForged(first, "memory of the next guest")
        .with(
            String.format(
                "%s bus address, %d commands carried out",
                second == iova ? "same" : "other", machine.attacker().delayedWrites().doneTotal()));
  }
}
