package io.github.bellwire.iommu.queue;

import static io.github.bellwire.iommu.layout.PageRequestLayout.ADDRESS;
import static io.github.bellwire.iommu.layout.PageRequestLayout.GROUP_MASK;
import static io.github.bellwire.iommu.layout.PageRequestLayout.GROUP_SHIFT;
import static io.github.bellwire.iommu.layout.PageRequestLayout.LAST;
import static io.github.bellwire.iommu.layout.PageRequestLayout.LENGTH_BYTES;
import static io.github.bellwire.iommu.layout.PageRequestLayout.PASID_MASK;
import static io.github.bellwire.iommu.layout.PageRequestLayout.PASID_PRESENT;
import static io.github.bellwire.iommu.layout.PageRequestLayout.PASID_SHIFT;
import static io.github.bellwire.iommu.layout.PageRequestLayout.READ;
import static io.github.bellwire.iommu.layout.PageRequestLayout.REQUESTER_MASK;
import static io.github.bellwire.iommu.layout.PageRequestLayout.REQUESTER_SHIFT;
import static io.github.bellwire.iommu.layout.PageRequestLayout.TYPE_PAGE_REQUEST;
import static io.github.bellwire.iommu.layout.PageRequestLayout.WORD_1;
import static io.github.bellwire.iommu.layout.PageRequestLayout.WRITE;
import static io.github.bellwire.iommu.layout.RegisterLayout.PAGE_MASK;
import static io.github.bellwire.iommu.layout.RegisterLayout.PAGE_QUEUE_OFFSET_MASK;
import static io.github.bellwire.iommu.layout.RegisterLayout.PQA_SIZE_MASK;
import static io.github.bellwire.iommu.layout.RegisterLayout.PRS_OVERFLOW;
import static io.github.bellwire.iommu.layout.RegisterLayout.PRS_PENDING;

import io.github.bellwire.cache.DeviceCachePort;
import io.github.bellwire.iommu.layout.InvalidationDescriptorLayout;
import io.github.bellwire.kernel.Simulation;
import io.github.bellwire.memory.CommitQueue;
import io.github.bellwire.memory.LittleEndian;
import io.github.bellwire.pcie.InterruptSink;
import io.github.bellwire.pcie.TranslationRequest;

/**
 * Page requests of devices: a ring of descriptors in memory that the unit fills behind the tail and
 * software works off at the head (VT-d specification 4.1, section 7.4).
 *
 * <p>A request that finds the ring full sets the overflow bit; it is dropped, and so are all others
 * until software clears that bit. So that its device does not wait for ever, the unit itself
 * answers the last of a group: with success, upon which the device asks for the translation again.
 */
public final class PageRequestQueue {
  private static final int PAGE_SHIFT = 12;

  private final CommitQueue commits;
  private final DeviceCachePort caches;
  private final DeviceTlbs deviceTlbs;
  private final EventRegisters event;
  private final TimedEffects arrivals;
  private final TimedEffects announcements;
  private final byte[] bytes = new byte[LENGTH_BYTES];

  private boolean isSetUp;
  private long basePa;
  private int sizeBytes = 1 << PAGE_SHIFT;
  private int head;
  // Where the next descriptor goes, and what of that software sees.
  private int tail;
  private int visibleTail;
  private int status;

  private long queuedTotal;
  private long droppedTotal;

  PageRequestQueue(
      Simulation simulation,
      CommitQueue commits,
      DeviceCachePort caches,
      DeviceTlbs deviceTlbs,
      InterruptSink interrupts) {
    this.commits = commits;
    this.caches = caches;
    this.deviceTlbs = deviceTlbs;
    event = new EventRegisters(interrupts);
    arrivals =
        new TimedEffects(simulation) {
          @Override
          protected void apply(long first, long second, long atPs) {
            enqueue(first, second, atPs);
          }
        };
    announcements =
        new TimedEffects(simulation) {
          @Override
          protected void apply(long first, long second, long atPs) {
            announce((int) first, atPs);
          }
        };
  }

  /** A request is on its way, see {@link io.github.bellwire.pcie.RemappingUnit}. */
  void onPageRequest(
      int requesterId,
      int pasid,
      long iova,
      boolean isRead,
      boolean isWrite,
      boolean isLast,
      int groupIndex,
      long atPs) {
    long word0 = TYPE_PAGE_REQUEST | (requesterId & REQUESTER_MASK) << REQUESTER_SHIFT;
    if (pasid != TranslationRequest.NO_PASID) {
      word0 |= PASID_PRESENT | (pasid & PASID_MASK) << PASID_SHIFT;
    }
    long word1 = iova & ADDRESS | (groupIndex & GROUP_MASK) << GROUP_SHIFT;
    word1 |= (isRead ? READ : 0) | (isWrite ? WRITE : 0) | (isLast ? LAST : 0);
    arrivals.add(atPs, word0, word1);
  }

  /** {@return requests that software has been given} */
  public long queuedTotal() {
    return queuedTotal;
  }

  /** {@return requests that found no room} */
  public long droppedTotal() {
    return droppedTotal;
  }

  void settle(long atPs) {
    arrivals.settle(atPs);
    announcements.settle(atPs);
  }

  EventRegisters event() {
    return event;
  }

  /** Software says where the ring is; it begins anew. */
  void setUp(long address) {
    isSetUp = true;
    basePa = address & PAGE_MASK;
    sizeBytes = 1 << PAGE_SHIFT + (int) (address & PQA_SIZE_MASK);
  }

  int head() {
    return head;
  }

  void writeHead(int value) {
    head = value & (int) PAGE_QUEUE_OFFSET_MASK;
  }

  int tail() {
    return visibleTail;
  }

  void writeTail(int value) {
    tail = value & (int) PAGE_QUEUE_OFFSET_MASK;
    visibleTail = tail;
  }

  int status() {
    return status;
  }

  void clear(int bits) {
    status &= ~(bits & (PRS_PENDING | PRS_OVERFLOW));
    if ((status & PRS_PENDING) == 0) {
      event.withdraw();
    }
  }

  private void enqueue(long word0, long word1, long atPs) {
    int next = tail + LENGTH_BYTES >= sizeBytes ? 0 : tail + LENGTH_BYTES;
    long pa = basePa + tail;
    boolean isRoom = isSetUp && next != head && commits.memory().contains(pa, LENGTH_BYTES);
    if (!isRoom || (status & PRS_OVERFLOW) != 0) {
      drop(word0, word1, atPs);
      return;
    }
    LittleEndian.putLong(bytes, 0, word0);
    LittleEndian.putLong(bytes, WORD_1, word1);
    long visiblePs = caches.write(pa, LENGTH_BYTES, false, atPs);
    commits.add(pa, bytes, 0, LENGTH_BYTES, visiblePs);
    queuedTotal++;
    tail = next;
    announcements.add(visiblePs, next, 0);
  }

  private void drop(long word0, long word1, long atPs) {
    droppedTotal++;
    status |= PRS_OVERFLOW;
    if ((word1 & LAST) != 0) {
      boolean hasPasid = (word0 & PASID_PRESENT) != 0;
      deviceTlbs.respond(
          (int) (word0 >>> REQUESTER_SHIFT & REQUESTER_MASK),
          hasPasid ? (int) (word0 >>> PASID_SHIFT & PASID_MASK) : TranslationRequest.NO_PASID,
          (int) (word1 >>> GROUP_SHIFT & GROUP_MASK),
          InvalidationDescriptorLayout.RESPONSE_SUCCESS,
          atPs);
    }
  }

  private void announce(int newVisibleTail, long atPs) {
    visibleTail = newVisibleTail;
    if ((status & PRS_PENDING) == 0) {
      status |= PRS_PENDING;
      event.raise(atPs);
    }
  }
}
