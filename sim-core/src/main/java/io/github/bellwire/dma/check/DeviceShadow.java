package io.github.bellwire.dma.check;

import io.github.bellwire.dma.DmaDirection;
import io.github.bellwire.dma.MappingKind;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What the checker knows of one device: its mappings, rings, and what it has announced. */
final class DeviceShadow {
  private static final int ENDED_MAX = 4096;
  private static final int COMPLETIONS_MAX = 8192;
  private static final long NO_ADDRESS = -1;

  private final CheckerState state;
  private final String name;
  private int requesterId;
  private final boolean isCoherent;
  private final MappingIndex byIova = new MappingIndex(mapping -> mapping.iova);
  private final Set<ShadowMapping> live = new LinkedHashSet<>();
  private final ArrayDeque<ShadowMapping> ended = new ArrayDeque<>();
  private final List<RingShadow> rings = new ArrayList<>();
  // Writes to coherent memory that no core has loaded yet, and messages on their way.
  private final ArrayDeque<UnseenWrites.Write> completions = new ArrayDeque<>();
  private final ArrayDeque<Long> messagesPs = new ArrayDeque<>();
  private long announcedPs = -1;
  // When the driver wrote a register or coherent memory last: it may have handed something over.
  private long toldPs = -1;
  private long operationsTotal;
  private long staleIova = NO_ADDRESS;
  // Of the last access: where it ended and what was wrong, a bit for each violation.
  private long lastEndIova = NO_ADDRESS;
  private long lastFaults;
  private long faultsBefore;

  DeviceShadow(CheckerState state, String name, int requesterId, boolean isCoherent) {
    this.state = state;
    this.name = name;
    this.requesterId = requesterId;
    this.isCoherent = isCoherent;
  }

  String name() {
    return name;
  }

  /** {@return its ID as a requester, -1 if nobody has told} */
  int requesterId() {
    return requesterId;
  }

  /** It has shown who it is. */
  void identify(int newRequesterId) {
    requesterId = newRequesterId;
  }

  boolean isCoherent() {
    return isCoherent;
  }

  List<RingShadow> rings() {
    return rings;
  }

  Set<ShadowMapping> live() {
    return live;
  }

  /** {@return the caller of the API, whose call is counted} */
  CallSite call(int coreIndex, long atPs) {
    return CallSite.here(name, operationsTotal++, coreIndex, atPs);
  }

  /** {@return who loads or stores on a core} */
  CallSite access(int coreIndex, long atPs) {
    return CallSite.here(name, operationsTotal, coreIndex, atPs);
  }

  void add(ShadowMapping mapping) {
    live.add(mapping);
    byIova.add(mapping);
    state.byPa.add(mapping);
  }

  /** Ends a mapping; it is remembered for a while. */
  void end(ShadowMapping mapping, CallSite by) {
    mapping.endedBy = by;
    live.remove(mapping);
    state.byPa.remove(mapping);
    ended.add(mapping);
    if (ended.size() > ENDED_MAX) {
      byIova.remove(ended.remove());
    }
    if (mapping.kind == MappingKind.COHERENT) {
      rings.removeIf(ring -> ring.isIn(mapping));
    }
  }

  /** {@return mappings of a range of bus addresses, live and ended} */
  List<ShadowMapping> touching(long iova, long bytes) {
    return byIova.touching(iova, bytes);
  }

  /** {@return the live mapping at an address that fits a call best, as in Linux; null if none} */
  @Nullable ShadowMapping findBest(
      long iova, int lengthBytes, DmaDirection direction, MappingKind kind) {
    ShadowMapping best = null;
    int bestScore = -1;
    for (ShadowMapping mapping : byIova.touching(iova, 1)) {
      if (mapping.isLive() && mapping.iova == iova) {
        int score =
            (mapping.lengthBytes == lengthBytes ? 1 : 0)
                + (mapping.direction == direction ? 1 : 0)
                + (mapping.kind == kind ? 1 : 0);
        if (score > bestScore) {
          best = mapping;
          bestScore = score;
        }
      }
    }
    return best;
  }

  /** {@return the coherent memory that begins at an address, null if there is none} */
  @Nullable ShadowMapping coherentAt(long iova) {
    return findBest(iova, 0, DmaDirection.BIDIRECTIONAL, MappingKind.COHERENT);
  }

  /** {@return the mapping, live or ended last, by which the device knows memory; null if none} */
  @Nullable ShadowMapping lastAt(long devicePa) {
    for (ShadowMapping mapping : live) {
      if (mapping.holdsDevicePa(devicePa)) {
        return mapping;
      }
    }
    for (Iterator<ShadowMapping> all = ended.descendingIterator(); all.hasNext(); ) {
      ShadowMapping mapping = all.next();
      if (mapping.holdsDevicePa(devicePa)) {
        return mapping;
      }
    }
    return null;
  }

  /**
   * {@return the bus address of an access to memory: a device that remembers translations itself
   * asks for memory by its host address}
   */
  long busAddress(long address, int bytes, long devicePa) {
    ShadowMapping mapping =
        address != devicePa || !touching(address, bytes).isEmpty() ? null : lastAt(devicePa);
    return mapping == null ? address : mapping.iova + devicePa - mapping.devicePa();
  }

  /** {@return the live mapping nearest to an address, other than one; null if there is none} */
  @Nullable ShadowMapping nearestLive(long iova, @Nullable ShadowMapping other) {
    if (iova < 0) {
      return null;
    }
    ShadowMapping nearest = null;
    long nearestBytes = Long.MAX_VALUE;
    for (ShadowMapping mapping : live) {
      long bytes = mapping.toInfo().distanceBytes(iova);
      if (mapping != other && bytes < nearestBytes) {
        nearest = mapping;
        nearestBytes = bytes;
      }
    }
    return nearest;
  }

  /** The driver has written what the device may take for an order. */
  void tell(long atPs) {
    toldPs = Math.max(toldPs, atPs);
  }

  /** {@return when the driver wrote last what the device may take for an order, -1 if never} */
  long toldPs() {
    return toldPs;
  }

  /** The device has written coherent memory: whoever loads that knows of all that came before. */
  void addCompletion(UnseenWrites.Write write) {
    completions.add(write);
    if (completions.size() > COMPLETIONS_MAX) {
      announce(completions.remove().visiblePs());
    }
  }

  /** A core has loaded coherent memory as it was at a time; returns what it knows of by now. */
  long acknowledge(long pa, long bytes, long seenPs) {
    for (UnseenWrites.Write write : completions) {
      if (write.visiblePs() <= seenPs && write.overlaps(pa, bytes)) {
        announcedPs = Math.max(announcedPs, write.visiblePs());
      }
    }
    forgetAnnounced();
    return announcedPs;
  }

  /** A message is on its way that tells of everything before it. */
  void addMessage(long arrivalPs) {
    takeMessages();
    messagesPs.add(arrivalPs);
  }

  /** Software knows of everything that was visible at a time. */
  void announce(long ps) {
    announcedPs = Math.max(announcedPs, ps);
    forgetAnnounced();
  }

  private void forgetAnnounced() {
    completions.removeIf(write -> write.visiblePs() <= announcedPs);
  }

  /** {@return whether software can know of what became visible at a time} */
  boolean isAnnounced(long visiblePs) {
    takeMessages();
    return visiblePs <= announcedPs;
  }

  private void takeMessages() {
    while (!messagesPs.isEmpty() && messagesPs.peek() <= state.simulation.nowPs()) {
      announce(messagesPs.remove());
    }
  }

  /** The device accesses a range: the next TLP of a transfer begins where the last one ended. */
  void beginAccess(long iova, long bytes) {
    faultsBefore = iova == lastEndIova ? lastFaults : 0;
    lastFaults = 0;
    lastEndIova = iova + bytes;
  }

  /**
   * {@return whether something is wrong with this access that was not so with the TLP before it}
   */
  boolean isNewFault(DmaViolation violation) {
    long bit = 1L << violation.ordinal();
    lastFaults |= bit;
    return (faultsBefore & bit) == 0;
  }

  /** A request is about to be served by a translation that is no longer in the tables. */
  void expectStale(long iova) {
    staleIova = iova;
  }

  /** {@return whether the IOMMU has just told that this access uses a stale translation} */
  boolean takeStale(long iova) {
    boolean isStale = staleIova != NO_ADDRESS && staleIova == iova;
    staleIova = NO_ADDRESS;
    return isStale;
  }
}
