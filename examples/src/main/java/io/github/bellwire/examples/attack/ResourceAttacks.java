package io.github.bellwire.examples.attack;

import static io.github.bellwire.dma.DmaDirection.BIDIRECTIONAL;
import static io.github.bellwire.dma.DmaDirection.FROM_DEVICE;

import io.github.bellwire.device.attacker.Access;
import io.github.bellwire.device.attacker.FaultStorm;
import io.github.bellwire.device.attacker.TimingProbe;
import io.github.bellwire.dma.BounceBufferPool;
import io.github.bellwire.dma.DmaDevice;

/** Attacks on what devices share: logs, bounce buffers, bus addresses, caches of translations. */
final class ResourceAttacks {
  private static final int PAGE_BYTES = 4096;
  private static final int STORM_REQUESTS_PER_RECORD = 8;
  private static final long STORM_PERIOD_PS = 1_000_000;
  private static final int SHORT_BYTES = 512;
  // As many as an area of the pool holds, so that the next ones have been used.
  private static final int SLOTS_TO_FILL = 256;
  private static final int MAPS_MAX = 20_000;
  // Not whole pages, so that it is bounced where anything is.
  private static final int ODD_BYTES = 127 << 10 | 512;
  private static final int NARROW_MASK_BITS = 26;
  private static final int OWN_PAGES = 64;
  private static final long NOISE_PS = 20_000;

  private ResourceAttacks() {}

  /** More faults come than the log has room for, so that later ones leave no trace. */
  static Verdict faultStorm(AttackMachine machine) {
    return storm(machine, STORM_REQUESTS_PER_RECORD * machine.faultRecordsCount());
  }

  /** The log has just room for all. */
  static Verdict faultsThatFit(AttackMachine machine) {
    return storm(machine, machine.faultRecordsCount());
  }

  private static Verdict storm(AttackMachine machine, int requestsCount) {
    FaultStorm storm = machine.attacker().storm();
    long pa = machine.secretPage();
    storm.start(pa, STORM_PERIOD_PS, requestsCount);
    machine.waitFor(STORM_PERIOD_PS * (requestsCount + 10));
    String answers =
        String.format("%d of %d requests refused", storm.refusedTotal(), requestsCount);
    return machine.isAnyRequestTranslated()
        ? Verdict.of(storm.answeredTotal() > 0 || machine.faultsLostTotal() > 0, answers)
            .with(machine.overflowText())
        : Verdict.notApplicable(answers + ", no log");
  }

  /** A device writes less than it was given, and the driver hands on all of the buffer. */
  static Verdict staleBounceBuffer(AttackMachine machine) {
    BounceBufferPool pool = machine.host().bounceBuffers();
    receiveSecrets(machine, machine.victimDma());
    long pa = machine.newPage();
    for (int offset = 0; offset < SHORT_BYTES; offset += 8) {
      machine.cpu().store(pa + offset, 8, 0);
    }
    DmaDevice dma = machine.attackerDma();
    long iova = machine.give(dma, pa, SHORT_BYTES, FROM_DEVICE);
    if (pool.allocationsCount() == 0) {
      return Verdict.notApplicable("nothing is bounced");
    }
    machine.attackWrite(iova, AttackMachine.GOOD);
    dma.unmapSingle(machine.cpu(), iova, SHORT_BYTES, FROM_DEVICE);
    boolean isLeaked = machine.cpu().load(pa + 64, 8) == AttackMachine.SECRET;
    return Verdict.of(
        isLeaked, isLeaked ? "old secret in the receive buffer" : "receive buffer is clean");
  }

  /** Somebody's secrets arrive by the slots that the attacker's buffers will use. */
  private static void receiveSecrets(AttackMachine machine, DmaDevice dma) {
    byte[] secrets = new byte[SHORT_BYTES];
    for (int offset = 0; offset < SHORT_BYTES; offset += 8) {
      System.arraycopy(AttackMachine.bytes(AttackMachine.SECRET), 0, secrets, offset, 8);
    }
    long pa = machine.newPage();
    for (int i = 0; i < SLOTS_TO_FILL; i++) {
      long iova = dma.mapSingle(machine.cpu(), pa, SHORT_BYTES, FROM_DEVICE);
      machine.finish(machine.victim().port().write(iova, secrets));
      dma.unmapSingle(machine.cpu(), iova, SHORT_BYTES, FROM_DEVICE);
    }
  }

  /** A device completes nothing, so that its driver maps more and more; another one needs slots. */
  static Verdict exhaustedBounceBuffers(AttackMachine machine) {
    BounceBufferPool pool = machine.host().bounceBuffers();
    long pa = machine.newBlock(ODD_BYTES);
    int held = 0;
    while (held < MAPS_MAX && map(machine, machine.attackerDma(), pa)) {
      held++;
      if (pool.slotsUsed() == 0) {
        return Verdict.notApplicable("nothing is bounced");
      }
    }
    boolean isServed = map(machine, machine.victimDma(), machine.newBlock(ODD_BYTES));
    return Verdict.of(
        !isServed,
        String.format(
            "%d of %d slots held, mapping for another device %s",
            pool.slotsUsed(), pool.slotCount(), isServed ? "works" : "fails"));
  }

  /** A driver maps and never unmaps, for a device with few address bits. */
  static Verdict leakedAddresses(AttackMachine machine) {
    DmaDevice dma = machine.attackerDma();
    dma.trySetMask(NARROW_MASK_BITS);
    long pa = machine.newBlockBelow(ODD_BYTES, (1L << NARROW_MASK_BITS) - 1);
    long first = map1(machine, dma, pa);
    long second = map1(machine, dma, pa);
    if (first == second) {
      return Verdict.notApplicable("a mapping takes no bus address");
    }
    int held = 2;
    while (held < MAPS_MAX && map(machine, dma, pa)) {
      held++;
    }
    boolean isFull = held < MAPS_MAX;
    boolean isSlots = machine.host().bounceBuffers().exhaustedCount() > 0;
    return Verdict.of(
        isFull,
        String.format(
            "%d mappings, then %s",
            held, !isFull ? "more" : isSlots ? "no bounce slots" : "no bus addresses"));
  }

  private static boolean map(AttackMachine machine, DmaDevice dma, long pa) {
    return map1(machine, dma, pa) != DmaDevice.MAPPING_ERROR;
  }

  private static long map1(AttackMachine machine, DmaDevice dma, long pa) {
    return dma.mapSingle(machine.cpu(), pa, ODD_BYTES, BIDIRECTIONAL);
  }

  /** What a victim does is seen in the time that the attacker's own reads take. */
  static Verdict sideChannel(AttackMachine machine) {
    long[] own = machine.mapPages(machine.attackerDma(), OWN_PAGES);
    long[] others = machine.mapPages(machine.victimDma(), machine.pagesBeyondIotlb());
    TimingProbe probe = machine.attacker().probe();
    probe.measure(own);
    long warmPs = TimingProbe.median(probe.measure(own));
    long idlePs = TimingProbe.median(probe.measure(own));
    for (long iova : others) {
      Access access = machine.victim().port().read(iova, 64);
      machine.finish(access);
    }
    long busyPs = TimingProbe.median(probe.measure(own));
    String evidence =
        String.format(
            "+%d ns when the victim is idle, +%d ns when it is busy",
            toNs(idlePs - warmPs), toNs(busyPs - warmPs));
    return !machine.isAnyRequestTranslated()
        ? Verdict.notApplicable(evidence + ", no IOTLB in use")
        : Verdict.of(busyPs - idlePs > NOISE_PS, evidence);
  }

  private static long toNs(long ps) {
    return Math.round(ps / 1e3);
  }
}
