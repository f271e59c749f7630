package io.github.bellwire.pcie;

import io.github.bellwire.kernel.Simulation;
import org.jspecify.annotations.Nullable;

/**
 * What a device's read request needs before it can leave: a tag, room for its completions, and
 * credits of the port that takes it.
 *
 * <pre>{@code
 * startPs() --> MRd --> taken by the port: NP credit back --> CplD ... retired: tag, room back
 * }</pre>
 *
 * <p>Allocates nothing after construction.
 */
final class ReadSlots {
  private final TagPool extendedTags;
  private final TagPool fewTags; // Without extended tags.
  private final @Nullable CreditPool requestCredits;
  private final @Nullable CreditPool completionBuffer;
  private final PendingReads pending;
  private final Simulation simulation;
  private final int rcbBytes;
  private final long retirePs;
  private final long creditReturnPs;

  private TagPool tags;
  private long movesSeen;
  private int bufferCredits;

  ReadSlots(PcieLinkConfig link, PendingReads pending, Simulation simulation) {
    this.pending = pending;
    this.simulation = simulation;
    extendedTags = new TagPool(link.tags());
    fewTags =
        link.tags() <= PcieLinkConfig.TAGS_5_BITS
            ? extendedTags
            : new TagPool(PcieLinkConfig.TAGS_5_BITS);
    tags = fewTags;
    FlowControlConfig flowControl = link.flowControl();
    int nph = flowControl.rootPort().nph(); // Reads carry no data.
    requestCredits = nph == 0 ? null : new CreditPool(nph, 0);
    completionBuffer =
        CreditPool.ofNullable(flowControl.endpoint().cplh(), flowControl.endpoint().cpld());
    rcbBytes = link.readCompletionBoundaryBytes();
    retirePs = link.requester().retirePs();
    creditReturnPs = flowControl.updatePs() + link.propagationPs();
  }

  /** Chooses between tags of 5 bits and all there are. */
  void useExtendedTags(boolean extended) {
    tags = extended ? extendedTags : fewTags;
  }

  /** {@return when the next tag is free} */
  long tagFreePs() {
    long nowPs = simulation.nowPs();
    boolean isCertain =
        tags.firstRequest() == PendingReads.NONE || tags.nextFreePs() < nowPs - PendingReads.OLD_PS;
    return isCertain ? tags.nextFreePs() : tagFreePs(nowPs);
  }

  /** Asks again when the next tag is free. */
  private long tagFreePs(long nowPs) {
    pending.refresh(nowPs);
    if (movesSeen != pending.movesTotal()) {
      movesSeen = pending.movesTotal();
      tags.follow(pending, retirePs);
    }
    while (tags.firstRequest() != PendingReads.NONE) {
      long arrivalPs = pending.arrivalPs(tags.firstRequest());
      boolean isChanged = arrivalPs != 0 && arrivalPs + retirePs != tags.nextFreePs();
      if (isChanged) {
        tags.postponeFirst(arrivalPs + retirePs); // Now another may be the first.
      } else if (tags.nextFreePs() > nowPs) {
        return tags.nextFreePs();
      } else {
        tags.confirmFirst();
      }
    }
    return tags.nextFreePs();
  }

  /** {@return the tag of the next request} */
  int nextTag() {
    return tags.nextTag();
  }

  /**
   * {@return when a request can leave}
   *
   * @param address first byte
   * @param lengthBytes at least 1
   * @param readyPs when it could leave otherwise
   */
  long startPs(long address, int lengthBytes, long readyPs) {
    long startPs = Math.max(readyPs, tagFreePs());
    if (completionBuffer != null) {
      // One header for each completion that there may be, and what cutting rounds up.
      int headers = TlpLayout.completionsMax(address, lengthBytes, rcbBytes);
      bufferCredits = CreditPool.dataCredits(lengthBytes) + (headers > 1 ? 1 : 0);
      startPs = completionBuffer.take(headers, bufferCredits, startPs);
    }
    return requestCredits == null ? startPs : requestCredits.take(0, startPs);
  }

  /**
   * The port has taken the request out of its queue.
   *
   * @param atPs when
   */
  void requestTaken(long atPs) {
    if (requestCredits != null) {
      requestCredits.giveBack(0, atPs + creditReturnPs);
    }
  }

  /**
   * The last completion has arrived, or none is expected any more.
   *
   * @param atPs when
   * @param request its number among the pending ones
   */
  void completed(long atPs, long request) {
    long freePs = atPs + retirePs;
    tags.take(freePs, request);
    if (completionBuffer != null) {
      completionBuffer.giveBack(bufferCredits, freePs);
    }
  }
}
