package io.github.bellwire.iommu.queue;

import static io.github.bellwire.iommu.layout.InvalidationDescriptorLayout.CONTEXT;
import static io.github.bellwire.iommu.layout.InvalidationDescriptorLayout.DEVICE_TLB;
import static io.github.bellwire.iommu.layout.InvalidationDescriptorLayout.INTERRUPT_ENTRY;
import static io.github.bellwire.iommu.layout.InvalidationDescriptorLayout.IOTLB;
import static io.github.bellwire.iommu.layout.InvalidationDescriptorLayout.NARROW_BYTES;
import static io.github.bellwire.iommu.layout.InvalidationDescriptorLayout.PAGE_GROUP_RESPONSE;
import static io.github.bellwire.iommu.layout.InvalidationDescriptorLayout.PASID_CACHE;
import static io.github.bellwire.iommu.layout.InvalidationDescriptorLayout.PASID_DEVICE_TLB;
import static io.github.bellwire.iommu.layout.InvalidationDescriptorLayout.PASID_IOTLB;
import static io.github.bellwire.iommu.layout.InvalidationDescriptorLayout.WIDE_BYTES;
import static io.github.bellwire.iommu.layout.RegisterLayout.FSTS_COMPLETION_ERROR;
import static io.github.bellwire.iommu.layout.RegisterLayout.FSTS_QUEUE_ERROR;
import static io.github.bellwire.iommu.layout.RegisterLayout.FSTS_TIMEOUT_ERROR;
import static io.github.bellwire.iommu.layout.RegisterLayout.IQA_SIZE_MASK;
import static io.github.bellwire.iommu.layout.RegisterLayout.IQA_WIDE;
import static io.github.bellwire.iommu.layout.RegisterLayout.IQERCD_COMPLETION_SOURCE_SHIFT;
import static io.github.bellwire.iommu.layout.RegisterLayout.IQERCD_TIMEOUT_SOURCE_SHIFT;
import static io.github.bellwire.iommu.layout.RegisterLayout.PAGE_MASK;
import static io.github.bellwire.iommu.layout.RegisterLayout.QUEUE_ERROR_ALIGNMENT;
import static io.github.bellwire.iommu.layout.RegisterLayout.QUEUE_ERROR_FETCH;
import static io.github.bellwire.iommu.layout.RegisterLayout.QUEUE_ERROR_TAIL;
import static io.github.bellwire.iommu.layout.RegisterLayout.QUEUE_OFFSET_MASK;

import io.github.bellwire.cache.DeviceCachePort;
import io.github.bellwire.kernel.FifoServer;
import io.github.bellwire.kernel.Simulation;
import io.github.bellwire.memory.CommitQueue;
import io.github.bellwire.memory.LittleEndian;
import io.github.bellwire.memory.PhysicalMemory;

/**
 * The invalidation queue: a ring of descriptors in memory that software fills behind the tail and
 * the unit works off at the head, one after the other (VT-d specification 4.1, section 6.5.2).
 *
 * <pre>{@code
 * tail written --> line fetched --> processed --> told to the caches, to be done then
 *                   (caches)          |
 *                                     +--> device TLB: asked, may answer later
 *                                     '--> wait: all answers here --> status write commits
 *                                                                 '-> interrupt
 * }</pre>
 *
 * <p>Passive: a tail write finds out at once when each descriptor will be done. A descriptor that
 * makes no sense stops the queue in front of it, a device that does not answer stops it at its
 * timeout, which also ends the wait that is under way; both until software clears the error.
 */
public final class InvalidationQueue {
  private static final int LINE_SHIFT = 6;
  private static final int LINE_BYTES = 1 << LINE_SHIFT;
  private static final int STATUS_BYTES = 4;
  private static final int PAGE_SHIFT = 12;
  private static final int TYPES = 16;
  private static final long NO_LINE = -1;

  private final InvalidationConfig config;
  private final CacheInvalidations commands;
  private final DeviceTlbs deviceTlbs;
  private final CommitQueue commits;
  private final DeviceCachePort caches;
  private final FaultLog faults;
  private final CompletionStatus completions;
  // When the head that software sees moves on.
  private final TimedRing doneDescriptors = new TimedRing();
  // Cores that run ahead of the clock may write the tail at a time before that of an earlier call.
  private final FifoServer worker;
  private final InvalidationDescriptor descriptor = new InvalidationDescriptor();
  private final byte[] status = new byte[STATUS_BYTES];

  private boolean isEnabled;
  // Each stops the queue until software clears the bit of the status register.
  private boolean hasError;
  private boolean isTimedOut;
  private long basePa;
  private int sizeBytes;
  private boolean isWide;
  private int descriptorBytes = NARROW_BYTES;
  private int head;
  private int visibleHead;
  private int tail;
  private long fetchedLine = NO_LINE;
  private long devicesDonePs;
  private long timeoutPs = Simulation.NEVER_PS;

  private final long[] descriptorsTotals = new long[TYPES];
  private long errorsTotal;
  private long timeoutsTotal;
  private long busyPsTotal;

  InvalidationQueue(
      Simulation simulation,
      InvalidationConfig config,
      CacheInvalidations commands,
      DeviceTlbs deviceTlbs,
      CommitQueue commits,
      DeviceCachePort caches,
      FaultLog faults,
      CompletionStatus completions) {
    worker = new FifoServer(simulation);
    this.config = config;
    this.commands = commands;
    this.deviceTlbs = deviceTlbs;
    this.commits = commits;
    this.caches = caches;
    this.faults = faults;
    this.completions = completions;
  }

  /**
   * {@return descriptors that have been worked on}
   *
   * @param type 1..9, see {@link io.github.bellwire.iommu.layout.InvalidationDescriptorLayout}
   */
  public long descriptorsTotal(int type) {
    return descriptorsTotals[type];
  }

  /** {@return descriptors of all types that have been worked on} */
  public long descriptorsTotal() {
    long total = 0;
    for (long ofType : descriptorsTotals) {
      total += ofType;
    }
    return total;
  }

  /** {@return how often the queue has stopped at something that makes no sense} */
  public long errorsTotal() {
    return errorsTotal;
  }

  /** {@return invalidations that a device did not answer in time} */
  public long timeoutsTotal() {
    return timeoutsTotal;
  }

  /** {@return how long the queue has been at work, in picoseconds} */
  public long busyPsTotal() {
    return busyPsTotal;
  }

  /**
   * A device has answered an invalidation that nobody has sent.
   *
   * @param requesterId who answers, or claims to
   * @param atPs when that arrives, in picoseconds; it may be ahead of the clock
   */
  public void onUnexpectedCompletion(int requesterId, long atPs) {
    long source = (requesterId & 0xFFFFL) << IQERCD_COMPLETION_SOURCE_SHIFT;
    faults.addError(FSTS_COMPLETION_ERROR, source, atPs);
  }

  /**
   * Switches the queue on, at its beginning, or off.
   *
   * @param address register IQA
   */
  void setEnabled(boolean newIsEnabled, long address, long atPs) {
    if (newIsEnabled == isEnabled) {
      return;
    }
    isEnabled = newIsEnabled;
    hasError = false;
    isTimedOut = false;
    basePa = address & PAGE_MASK;
    sizeBytes = 1 << PAGE_SHIFT + (int) (address & IQA_SIZE_MASK);
    isWide = (address & IQA_WIDE) != 0;
    descriptorBytes = isWide ? WIDE_BYTES : NARROW_BYTES;
    head = 0;
    visibleHead = 0;
    doneDescriptors.clear();
    work(atPs);
  }

  int tail() {
    return tail;
  }

  void writeTail(int value, long atPs) {
    head(atPs); // So that what is done is not kept until somebody asks for it.
    tail = value & (int) QUEUE_OFFSET_MASK;
    work(atPs);
  }

  /** {@return the offset of the first descriptor that is not done} */
  int head(long atPs) {
    while (doneDescriptors.nextPs() <= atPs) {
      doneDescriptors.remove();
      visibleHead = next(visibleHead);
    }
    return visibleHead;
  }

  /** Software has cleared errors: what they stopped goes on when none of them is left. */
  void onErrorsCleared(int statusBits, long atPs) {
    if ((statusBits & FSTS_TIMEOUT_ERROR) != 0) {
      timeoutPs = Simulation.NEVER_PS;
    }
    if ((statusBits & FSTS_QUEUE_ERROR) != 0) {
      hasError = false;
    }
    isTimedOut = timeoutPs <= atPs;
    if ((statusBits & (FSTS_QUEUE_ERROR | FSTS_TIMEOUT_ERROR)) != 0) {
      work(atPs);
    }
  }

  private void work(long atPs) {
    if (!isEnabled || isStopped() || head == tail) {
      return;
    }
    long startPs = worker.enter(atPs, 0);
    long readyPs = startPs;
    fetchedLine = NO_LINE; // Software may have written to it since.
    while (head != tail && !isStopped()) {
      readyPs = workOnHead(readyPs);
    }
    busyPsTotal += readyPs - startPs;
    worker.leave(readyPs);
  }

  /** Works on the descriptor at the head; returns when the next one may start. */
  private long workOnHead(long startPs) {
    if (tail >= sizeBytes || (tail & descriptorBytes - 1) != 0) {
      return stop(tail >= sizeBytes ? QUEUE_ERROR_TAIL : QUEUE_ERROR_ALIGNMENT, startPs);
    }
    long pa = basePa + head;
    PhysicalMemory memory = commits.memory();
    if (!memory.contains(pa, descriptorBytes)) {
      return stop(QUEUE_ERROR_FETCH, startPs);
    }
    long fetchedPs = fetch(pa, startPs);
    if (fetchedPs >= timeoutPs) {
      isTimedOut = true;
      return fetchedPs;
    }
    descriptor.load(memory, pa, isWide);
    int error = descriptor.check(config.addressMaskMax());
    if (error != InvalidationDescriptor.OK) {
      return stop(error, fetchedPs);
    }
    long donePs = execute(fetchedPs);
    descriptorsTotals[descriptor.type()]++;
    doneDescriptors.add(donePs, 0, 0);
    head = next(head);
    return donePs;
  }

  /** Reads the line of a descriptor, unless the descriptor before it came with it. */
  private long fetch(long pa, long atPs) {
    long line = pa >>> LINE_SHIFT;
    if (line == fetchedLine) {
      return atPs;
    }
    fetchedLine = line;
    return caches.read(line << LINE_SHIFT, LINE_BYTES, false, atPs);
  }

  private boolean isStopped() {
    return hasError || isTimedOut;
  }

  private long stop(int error, long atPs) {
    hasError = true;
    errorsTotal++;
    faults.addError(FSTS_QUEUE_ERROR, error, atPs);
    return atPs;
  }

  /** Does what the descriptor says; returns when that is done, or on its way to a device. */
  private long execute(long atPs) {
    return switch (descriptor.type()) {
      case CONTEXT, IOTLB, INTERRUPT_ENTRY, PASID_IOTLB, PASID_CACHE -> invalidate(atPs);
      case DEVICE_TLB, PASID_DEVICE_TLB -> askDevice(atPs + config.issuePs());
      case PAGE_GROUP_RESPONSE -> respond(atPs + config.issuePs());
      default -> await(atPs + config.issuePs());
    };
  }

  private long invalidate(long atPs) {
    int granularity = descriptor.granularity();
    int domainId = descriptor.domainId();
    long donePs;
    switch (descriptor.type()) {
      case CONTEXT -> {
        donePs = atPs + config.contextPs();
        int functionMask = descriptor.contextFunctionMask();
        commands.contexts(granularity, domainId, descriptor.contextSource(), functionMask, donePs);
      }
      case IOTLB -> {
        donePs = atPs + config.iotlbPs();
        commands.iotlb(granularity, domainId, descriptor.pages(), donePs);
      }
      case INTERRUPT_ENTRY -> {
        donePs = atPs + config.interruptEntryPs();
        boolean isSelective = descriptor.isInterruptSelective();
        int index = descriptor.interruptIndex();
        commands.interruptEntries(isSelective, index, descriptor.interruptMask(), donePs);
      }
      case PASID_IOTLB -> {
        donePs = atPs + config.iotlbPs();
        int pasid = descriptor.pasid();
        commands.iotlbOfPasid(granularity, domainId, pasid, descriptor.pages(), donePs);
      }
      default -> {
        donePs = atPs + config.pasidPs();
        commands.pasids(granularity, domainId, descriptor.pasid(), donePs);
      }
    }
    return donePs;
  }

  /** Sends an invalidation to a device, and does not wait for the answer. */
  private long askDevice(long atPs) {
    int sourceId = descriptor.deviceSource();
    long bytes = 1L << descriptor.deviceSizeShift();
    long answeredPs =
        deviceTlbs.invalidate(
            sourceId, descriptor.devicePasid(), descriptor.deviceAddress(), bytes, atPs);
    long deadlinePs = atPs + config.deviceTlbTimeoutPs();
    if (answeredPs >= 0 && answeredPs <= deadlinePs) {
      devicesDonePs = Math.max(devicesDonePs, answeredPs);
      return atPs;
    }
    timeoutsTotal++;
    timeoutPs = Math.min(timeoutPs, deadlinePs);
    faults.addError(FSTS_TIMEOUT_ERROR, (long) sourceId << IQERCD_TIMEOUT_SOURCE_SHIFT, deadlinePs);
    return atPs;
  }

  private long respond(long atPs) {
    deviceTlbs.respond(
        descriptor.responseRequester(),
        descriptor.responsePasid(),
        descriptor.responseGroup(),
        descriptor.responseCode(),
        atPs);
    return atPs;
  }

  /** Waits until all devices have answered; if one does not, the wait comes to nothing. */
  private long await(long atPs) {
    if (timeoutPs != Simulation.NEVER_PS) {
      isTimedOut = true;
      return Math.max(atPs, timeoutPs);
    }
    long donePs = Math.max(atPs, devicesDonePs);
    long visiblePs = donePs;
    long pa = descriptor.statusAddress();
    if (descriptor.hasStatusWrite() && commits.memory().contains(pa, STATUS_BYTES)) {
      visiblePs = caches.write(pa, STATUS_BYTES, false, donePs);
      LittleEndian.put(status, 0, STATUS_BYTES, descriptor.statusData());
      commits.add(pa, status, 0, STATUS_BYTES, visiblePs);
    }
    if (descriptor.hasInterrupt()) {
      completions.addCompletion(visiblePs);
    }
    return donePs;
  }

  private int next(int offset) {
    int after = offset + descriptorBytes;
    return after == sizeBytes ? 0 : after;
  }
}
