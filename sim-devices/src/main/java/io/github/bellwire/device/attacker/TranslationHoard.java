package io.github.bellwire.device.attacker;

import static java.util.Objects.requireNonNull;

import io.github.bellwire.kernel.Simulation;
import io.github.bellwire.pcie.AtsTranslation;
import io.github.bellwire.pcie.DeviceTlb;
import io.github.bellwire.pcie.DeviceTlbConfig;
import io.github.bellwire.pcie.DmaPort;
import io.github.bellwire.pcie.DmaStatus;
import io.github.bellwire.pcie.TranslationRequest;

/**
 * The translations that an attacker has asked for and keeps, as a device TLB that need not be
 * honest; and accesses by them.
 */
public final class TranslationHoard {
  private static final long PAGE_MASK = 4095;

  private final Simulation simulation;
  private final DmaPort dma;
  private final DeviceTlb tlb = new DeviceTlb(DeviceTlbConfig.FULLY_ASSOCIATIVE_64);
  private final AtsTranslation answer = new AtsTranslation();
  private InvalidationManners manners = InvalidationManners.HONEST;
  private long invalidationsTotal;

  TranslationHoard(Simulation simulation, DmaPort dma) {
    this.simulation = requireNonNull(simulation, "simulation");
    this.dma = requireNonNull(dma, "dma");
  }

  /**
   * Says what to do when translations are taken away.
   *
   * @param newManners {@link InvalidationManners#HONEST} to begin with
   */
  public void behave(InvalidationManners newManners) {
    manners = requireNonNull(newManners, "newManners");
  }

  /**
   * Asks for the translation of a page now, and keeps it.
   *
   * @param iova any address of the page
   * @return how that ended; OK if there is a translation
   */
  public DmaStatus ask(long iova) {
    long nowPs = simulation.nowPs();
    long donePs = dma.requestTranslation(iova & ~PAGE_MASK, 1, true, nowPs, answer);
    if (answer.status() != DmaStatus.OK) {
      return answer.status();
    }
    if (!answer.isReadable(0) && !answer.isWritable(0)) {
      return DmaStatus.COMPLETER_ABORT;
    }
    tlb.insert(TranslationRequest.NO_PASID, iova, answer.entry(0), donePs);
    return DmaStatus.OK;
  }

  /** {@return whether a translation of an address is kept} */
  public boolean holds(long iova) {
    return tlb.find(TranslationRequest.NO_PASID, iova) >= 0;
  }

  /**
   * Writes by a translation that is kept, without asking anybody.
   *
   * @param iova first byte
   * @param bytes not across a multiple of 4096
   * @return what came of it
   * @throws IllegalStateException if no translation is kept
   */
  public Access write(long iova, byte[] bytes) {
    int entry = requireEntry(iova);
    long startPs = Math.max(simulation.nowPs(), tlb.readyPs(entry));
    dma.claimTranslated(true);
    long address = tlb.address(entry, iova);
    long donePs = dma.writeStatus(address, bytes, 0, bytes.length, startPs);
    dma.claimTranslated(false);
    tlb.use(entry, dma.sentPs());
    return new Access(dma.status(), true, address, startPs, donePs, bytes.clone());
  }

  /**
   * Reads by a translation that is kept, without asking anybody.
   *
   * @param iova first byte
   * @param lengthBytes at least 1, not across a multiple of 4096
   * @return what came of it
   * @throws IllegalStateException if no translation is kept
   */
  public Access read(long iova, int lengthBytes) {
    int entry = requireEntry(iova);
    byte[] bytes = new byte[lengthBytes];
    long startPs = Math.max(simulation.nowPs(), tlb.readyPs(entry));
    dma.claimTranslated(true);
    long address = tlb.address(entry, iova);
    long donePs = dma.read(address, bytes, 0, lengthBytes, startPs);
    dma.claimTranslated(false);
    tlb.use(entry, donePs);
    return new Access(dma.status(), false, address, startPs, donePs, bytes);
  }

  /** {@return invalidations that have reached the device} */
  public long invalidationsTotal() {
    return invalidationsTotal;
  }

  /** The host takes translations away; see {@code Endpoint.onInvalidateRequest}. */
  long invalidate(int pasid, long iova, long sizeBytes, long arrivalPs) {
    invalidationsTotal++;
    return switch (manners) {
      case HONEST -> tlb.invalidate(pasid, iova, sizeBytes, arrivalPs);
      case KEEPING -> arrivalPs;
      case SILENT -> -1;
    };
  }

  /** A reset: even this attacker's memory is lost then. */
  void clear() {
    tlb.clear();
  }

  private int requireEntry(long iova) {
    int entry = tlb.find(TranslationRequest.NO_PASID, iova);
    if (entry < 0) {
      throw new IllegalStateException(
          "a translation must be kept: iova=0x" + Long.toHexString(iova));
    }
    return entry;
  }
}
