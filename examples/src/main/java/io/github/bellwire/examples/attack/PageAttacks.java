package io.github.bellwire.examples.attack;

import static io.github.bellwire.dma.DmaDirection.BIDIRECTIONAL;
import static io.github.bellwire.dma.DmaDirection.FROM_DEVICE;
import static io.github.bellwire.dma.DmaDirection.TO_DEVICE;

import io.github.bellwire.dma.DmaDevice;

/** Attacks on what shares a page with a buffer: protection ends at page boundaries. */
final class PageAttacks {
  private static final int HALF_BYTES = 2048;
  private static final long MS_PS = 1_000_000_000L;

  private PageAttacks() {}

  /** The other half of a page of which one half is a receive buffer belongs to the kernel. */
  static Verdict neighbourInPage(AttackMachine machine) {
    long pa = machine.newPage();
    long object = pa + HALF_BYTES;
    machine.cpu().store(object, 8, AttackMachine.SECRET);
    DmaDevice dma = machine.attackerDma();
    long iova = machine.give(dma, pa, HALF_BYTES, FROM_DEVICE);
    machine.attackWrite(iova + HALF_BYTES, AttackMachine.FORGED);
    dma.unmapSingle(machine.cpu(), iova, HALF_BYTES, FROM_DEVICE);
    return machine.judgeForged(object, "object of the kernel");
  }

  /** A pointer to a function lies behind the data, in the same allocation. */
  static Verdict callback(AttackMachine machine) {
    int dataBytes = 1536;
    long pa = machine.newPage();
    long pointer = pa + dataBytes + 128;
    machine.cpu().store(pointer, 8, AttackMachine.SECRET);
    DmaDevice dma = machine.attackerDma();
    long iova = machine.give(dma, pa, dataBytes, BIDIRECTIONAL);
    machine.attackWrite(iova + dataBytes + 128, AttackMachine.FORGED);
    dma.unmapSingle(machine.cpu(), iova, dataBytes, BIDIRECTIONAL);
    return machine.judgeForged(pointer, "callback");
  }

  /** The same buffer is mapped twice; one mapping is removed and the page reused. */
  static Verdict pageMappedTwice(AttackMachine machine) {
    long pa = machine.newPage();
    DmaDevice dma = machine.attackerDma();
    long first = machine.give(dma, pa, HALF_BYTES, FROM_DEVICE);
    long second = machine.give(dma, pa, HALF_BYTES, FROM_DEVICE);
    machine.attackWrite(first, 1);
    dma.unmapSingle(machine.cpu(), first, HALF_BYTES, FROM_DEVICE);
    machine.waitFor(20 * MS_PS); // Longer than anything is deferred.
    machine.cpu().store(pa, 8, AttackMachine.SECRET);
    machine.attackWrite(first, AttackMachine.FORGED);
    boolean isFirstOpen = machine.cpu().load(pa, 8) == AttackMachine.FORGED;
    machine.cpu().store(pa, 8, AttackMachine.SECRET);
    machine.attackWrite(second, AttackMachine.FORGED);
    return machine
        .judgeForged(pa, "reused page")
        .with("by the removed mapping " + (isFirstOpen ? "changed" : "unchanged"));
  }

  /** Two fragments of a page are mapped; the first is unmapped and reused. */
  static Verdict fragmentsOfPage(AttackMachine machine) {
    long pa = machine.newPage();
    DmaDevice dma = machine.attackerDma();
    long first = machine.give(dma, pa, HALF_BYTES, FROM_DEVICE);
    long second = machine.give(dma, pa + HALF_BYTES, HALF_BYTES, FROM_DEVICE);
    machine.attackWrite(first, 1);
    dma.unmapSingle(machine.cpu(), first, HALF_BYTES, FROM_DEVICE);
    machine.waitFor(20 * MS_PS); // Longer than anything is deferred.
    machine.cpu().store(pa, 8, AttackMachine.SECRET);
    machine.attackWrite(second - HALF_BYTES, AttackMachine.FORGED);
    dma.unmapSingle(machine.cpu(), second, HALF_BYTES, FROM_DEVICE);
    return machine.judgeForged(pa, "reused fragment");
  }

  /** The device never completes, and reads what comes to lie beside its buffer meanwhile. */
  static Verdict withheldCompletion(AttackMachine machine) {
    return withhold(machine, 512);
  }

  /** The buffer is the page. */
  static Verdict withheldPage(AttackMachine machine) {
    return withhold(machine, 2 * HALF_BYTES);
  }

  private static Verdict withhold(AttackMachine machine, int bufferBytes) {
    int rounds = 4;
    long pa = machine.newPage();
    machine.cpu().store(pa, 8, AttackMachine.SECRET);
    long iova = machine.give(machine.attackerDma(), pa, bufferBytes, TO_DEVICE);
    int fresh = 0;
    for (int round = 1; round <= rounds; round++) {
      machine.waitFor(5 * MS_PS);
      machine.cpu().store(pa + HALF_BYTES, 8, AttackMachine.SECRET + round);
      fresh += machine.attackRead(iova + HALF_BYTES) == AttackMachine.SECRET + round ? 1 : 0;
    }
    machine.cpu().store(pa, 8, 0);
    boolean holdsCopy = machine.attackRead(iova) == AttackMachine.SECRET;
    String evidence =
        String.format(
            "%d of %d new secrets read in %d ms%s",
            fresh, rounds, 5 * rounds, holdsCopy ? ", and an old copy of the buffer" : "");
    return holdsCopy && fresh == 0
        ? new Verdict(Word.PARTIAL, evidence)
        : Verdict.of(fresh > 0, evidence);
  }
}
