package io.github.bellwire.iommu.driver;

import static java.util.Objects.requireNonNull;

import io.github.bellwire.cache.CacheOperation;
import io.github.bellwire.cpu.Core;
import io.github.bellwire.cpu.CpuPort;
import io.github.bellwire.cpu.InterruptVector;
import io.github.bellwire.cpu.SpinLock;
import io.github.bellwire.dma.DmaMapper;
import io.github.bellwire.dma.PageAllocator;
import io.github.bellwire.dma.TranslationListener;
import io.github.bellwire.dma.TranslationSource;
import io.github.bellwire.host.Host;
import io.github.bellwire.iommu.layout.ContextEntryLayout;
import io.github.bellwire.iommu.layout.InterruptEntryLayout;
import io.github.bellwire.iommu.layout.RegisterLayout;
import io.github.bellwire.iommu.layout.RootEntryLayout;
import io.github.bellwire.iommu.layout.SecondLevelLayout;
import io.github.bellwire.kernel.Simulation;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The operating system's driver of a VT-d IOMMU, after that of Linux: sets up tables and the
 * invalidation queue, switches translation on, and gives each device a {@link DmaMapper}.
 *
 * <pre>{@code
 * start    queue on --> (interrupt remapping on) --> root table --> translation on
 * attach   root entry --> context entry --> tables of a domain          DMA works from here on
 * detach   context entry away, invalidate                               and no longer from here
 * }</pre>
 *
 * <p>Everything is done through a core: loads, stores and register accesses that take its time.
 * Confined to the simulation thread.
 */
public final class IommuDriver implements TranslationSource {
  /** Entries of the interrupt remapping table: 64 Ki of 16 bytes. */
  private static final int INTERRUPT_ENTRIES = 1 << 16;

  private static final int INTERRUPT_SIZE_CODE = 15; // 2^(15 + 1) entries
  private static final int POLLS_MAX = 1000;
  private static final byte[] ZEROS = new byte[PageAllocator.PAGE_BYTES];

  private final IommuDriverConfig config;
  private final Simulation simulation;
  private final PageAllocator pages;
  private final List<Core> cores = new ArrayList<>();
  private final long registersPa;
  private final List<IovaRange> reservedRanges;
  private final List<Attachment> attachments = new ArrayList<>();
  private final List<DmaDomain> domains = new ArrayList<>();
  private final long[] contextTables = new long[RootEntryLayout.ENTRIES];

  private @Nullable CommandQueue queue;
  private long rootPa;
  private long interruptTablePa = PageAllocator.NO_MEMORY;
  private int interruptEntriesUsed;
  private int command;
  private boolean isSnooped;
  private final BitSet domainIds = new BitSet();
  private int domainIdMax;
  private boolean isLazyRefused;
  private @Nullable TranslationListener listener;

  /**
   * A device, its domain or null if it passes untranslated, the number of its context entry, and
   * whether that ends with the attachment.
   */
  private record Attachment(
      int requesterId, @Nullable DmaDomain domain, int domainId, boolean isPrivate) {}

  /** What a device is told to write, so that a message takes the way over the remapping table. */
  public record RemappedMessage(int index, long address, int data) {}

  /**
   * Creates a driver that has not touched the hardware.
   *
   * @param host whose memory and cores it uses
   * @param registersPa where the registers of the IOMMU are
   * @param config how it drives it
   * @param reservedRanges bus addresses that are never handed out, such as those of BARs
   */
  public IommuDriver(
      Host host, long registersPa, IommuDriverConfig config, List<IovaRange> reservedRanges) {
    this.config = requireNonNull(config, "config");
    this.registersPa = registersPa;
    this.reservedRanges = List.copyOf(reservedRanges);
    simulation = host.simulation();
    pages = host.pages();
    for (int i = 0; i < host.config().coresCount(); i++) {
      cores.add(host.core(i));
    }
    host.addTranslationSource(this);
  }

  @Override
  public void listen(TranslationListener newListener) {
    listener = requireNonNull(newListener, "newListener");
    for (DmaDomain domain : domains) {
      domain.listen(newListener);
    }
  }

  /**
   * Switches translation on. From here on devices that are not attached reach nothing.
   *
   * @param port the core that executes it
   * @param remapsInterrupts whether messages have to take the way over the remapping table
   * @throws IllegalStateException if it runs already, or the hardware lacks what is needed
   */
  public void start(CpuPort port, boolean remapsInterrupts) {
    if (queue != null) {
      throw new IllegalStateException("the driver runs already");
    }
    long capability = port.mmioRead(registersPa + RegisterLayout.CAP, Long.BYTES);
    long extended = port.mmioRead(registersPa + RegisterLayout.ECAP, Long.BYTES);
    requireCapabilities(capability, extended, remapsInterrupts);
    domainIdMax = RegisterLayout.domainIdMax(capability);
    isLazyRefused = (capability & RegisterLayout.CAP_CACHING_MODE) != 0;
    isSnooped = (extended & RegisterLayout.ECAP_COHERENT) != 0;
    CommandQueue newQueue = new CommandQueue(simulation, config, pages, registersPa, capability);
    startQueue(port, newQueue);
    queue = newQueue;
    if (remapsInterrupts) {
      startInterruptRemapping(port, newQueue);
    }
    rootPa = newTable(port);
    port.mmioWrite(registersPa + RegisterLayout.RTADDR, Long.BYTES, rootPa);
    commandOnce(port, RegisterLayout.SET_ROOT_POINTER);
    newQueue.invalidateContext(port, true, 0, 0);
    newQueue.invalidateAll(port);
    switchOn(port, RegisterLayout.TRANSLATION_ENABLE);
  }

  private void requireCapabilities(long capability, long extended, boolean remapsInterrupts) {
    int levelBit = 1 << RegisterLayout.CAP_LEVELS_SHIFT + config.levels() - 2;
    if ((capability & levelBit) == 0) {
      throw new IllegalStateException(
          "the IOMMU has no tables of so many levels: levels=" + config.levels());
    }
    if ((extended & RegisterLayout.ECAP_QUEUED_INVALIDATION) == 0
        || remapsInterrupts && (extended & RegisterLayout.ECAP_INTERRUPT_REMAPPING) == 0) {
      throw new IllegalStateException(
          String.format(
              "the IOMMU lacks queued invalidation or interrupt remapping: ECAP=0x%x", extended));
    }
  }

  private void startQueue(CpuPort port, CommandQueue newQueue) {
    newQueue.clear(port, isSnooped);
    port.mmioWrite(registersPa + RegisterLayout.IQT, Long.BYTES, 0);
    port.mmioWrite(registersPa + RegisterLayout.IQA, Long.BYTES, newQueue.ringPa());
    switchOn(port, RegisterLayout.QUEUED_INVALIDATION_ENABLE);
  }

  private void startInterruptRemapping(CpuPort port, CommandQueue newQueue) {
    int tableBytes = INTERRUPT_ENTRIES * InterruptEntryLayout.LENGTH_BYTES;
    interruptTablePa = pages.allocate(tableBytes);
    if (interruptTablePa == PageAllocator.NO_MEMORY) {
      throw new IllegalStateException("there is no memory for an interrupt remapping table");
    }
    for (int done = 0; done < tableBytes; done += ZEROS.length) {
      port.store(interruptTablePa + done, ZEROS, 0, ZEROS.length);
      clean(port, interruptTablePa + done, ZEROS.length);
    }
    long table = interruptTablePa | RegisterLayout.IRTA_EXTENDED | INTERRUPT_SIZE_CODE;
    port.mmioWrite(registersPa + RegisterLayout.IRTA, Long.BYTES, table);
    commandOnce(port, RegisterLayout.SET_INTERRUPT_POINTER);
    newQueue.invalidateInterruptEntries(port);
    switchOn(port, RegisterLayout.INTERRUPT_REMAPPING_ENABLE);
  }

  private void switchOn(CpuPort port, int bit) {
    command |= bit;
    writeCommand(port, command, bit);
  }

  private void commandOnce(CpuPort port, int bit) {
    writeCommand(port, command | bit, bit);
  }

  private void writeCommand(CpuPort port, int value, int statusBit) {
    port.mmioWrite(registersPa + RegisterLayout.GCMD, Integer.BYTES, value & 0xffff_ffffL);
    for (int polls = 0; polls < POLLS_MAX; polls++) {
      if ((port.mmioRead(registersPa + RegisterLayout.GSTS, Integer.BYTES) & statusBit) != 0) {
        return;
      }
    }
    throw new IllegalStateException(
        String.format("the IOMMU does not obey: GCMD=0x%x, bit=0x%x", value, statusBit));
  }

  /**
   * Creates an address space, for one device or several. If the hardware is virtual, which it says
   * by its caching mode, a lazy one becomes strict, as in Linux (drivers/iommu/intel/iommu.c).
   *
   * @param port the core that executes it
   * @param policy LAZY, STRICT or STRICT_BOUNCE
   * @return the domain
   * @throws IllegalArgumentException if the policy needs none
   * @throws IllegalStateException if the hardware has no number left for it
   */
  public DmaDomain newDomain(CpuPort port, MappingPolicy policy) {
    if (policy == MappingPolicy.OFF || policy == MappingPolicy.PASSTHROUGH) {
      throw new IllegalArgumentException("policy must translate: policy=" + policy);
    }
    requireDomainId();
    MappingPolicy effective =
        isLazyRefused && policy == MappingPolicy.LAZY ? MappingPolicy.STRICT : policy;
    PageTables tables =
        new PageTables(port, pages, config.levels(), config.largestPageLevel(), isSnooped);
    DmaDomain domain =
        new DmaDomain(
            simulation, takeDomainId(), effective, tables, requireStarted(), config, cores);
    domain
        .iovas()
        .reserve(pfn(IovaRange.INTERRUPTS.firstIova()), pfn(IovaRange.INTERRUPTS.lastIova()));
    for (IovaRange range : reservedRanges) {
      domain.iovas().reserve(pfn(range.firstIova()), pfn(range.lastIova()));
    }
    domains.add(domain);
    if (listener != null) {
      domain.listen(listener);
    }
    return domain;
  }

  /**
   * Ends an address space: its tables and its number may be used again.
   *
   * @param port the core that executes it
   * @param domain of this driver; its mappers work no longer
   * @throws IllegalStateException if a device is attached to it, or it has ended
   */
  public void destroy(CpuPort port, DmaDomain domain) {
    for (Attachment attachment : attachments) {
      if (attachment.domain() == domain) {
        throw new IllegalStateException("devices must be detached: domain=" + domain.id());
      }
    }
    domain.requireAlive();
    end(domain, domain.invalidate(port));
  }

  /** What the hardware may not have forgotten is never used again. */
  private void end(DmaDomain domain, boolean isForgotten) {
    domain.end();
    domains.remove(domain);
    if (isForgotten) {
      domain.tables().freeAll();
      domainIds.clear(domain.id());
    }
  }

  private void requireDomainId() {
    requireStarted();
    if (domainIds.nextClearBit(1) > domainIdMax) {
      throw new IllegalStateException("the IOMMU tells no more domains apart: max=" + domainIdMax);
    }
  }

  private int takeDomainId() {
    requireDomainId();
    int domainId = domainIds.nextClearBit(1);
    domainIds.set(domainId);
    return domainId;
  }

  /**
   * Lets an internal device do DMA, in a domain of its own unless it passes untranslated.
   *
   * @param port the core that executes it
   * @param requesterId of the device
   * @param policy not OFF
   * @return the device's mapper
   */
  public DmaMapper attach(CpuPort port, int requesterId, MappingPolicy policy) {
    return attach(port, requesterId, policy, DeviceTraits.INTERNAL);
  }

  /**
   * Lets a device do DMA, in a domain of its own unless it passes untranslated.
   *
   * @param port the core that executes it
   * @param requesterId of the device
   * @param policy not OFF; devices that are not trusted get STRICT_BOUNCE whatever it says
   * @param traits what is known of the device
   * @return the device's mapper, an {@link IommuMapper} if it is translated
   * @throws IllegalArgumentException if the policy is OFF: translation is on for all devices
   * @throws IllegalStateException if the device is attached
   */
  public DmaMapper attach(
      CpuPort port, int requesterId, MappingPolicy policy, DeviceTraits traits) {
    MappingPolicy effective = traits.effective(policy);
    if (effective == MappingPolicy.OFF) {
      throw new IllegalArgumentException("policy must not be OFF while translation is on");
    }
    if (effective == MappingPolicy.PASSTHROUGH) {
      requireDetached(requesterId);
      int bus = requesterId >>> 8;
      int domainId = takeDomainId();
      long high = addressWidth() | (long) domainId << ContextEntryLayout.DOMAIN_SHIFT;
      long low =
          ContextEntryLayout.PRESENT
              | ContextEntryLayout.PASS_THROUGH << ContextEntryLayout.TRANSLATION_TYPE_SHIFT;
      storeContext(port, contextTable(port, bus), requesterId, low, high);
      attachments.add(new Attachment(requesterId, null, domainId, true));
      return DmaMapper.IDENTITY;
    }
    requireDetached(requesterId);
    return attach(port, requesterId, newDomain(port, effective), traits, true);
  }

  /**
   * Lets a device do DMA in a domain that it may share.
   *
   * @param port the core that executes it
   * @param requesterId of the device
   * @param domain of this driver
   * @param traits what is known of the device
   * @return the device's mapper
   * @throws IllegalArgumentException if the device is not trusted and the domain does not bounce
   * @throws IllegalStateException if the device is attached, or the domain uses addresses at which
   *     memory is reserved for the device
   */
  public IommuMapper attach(CpuPort port, int requesterId, DmaDomain domain, DeviceTraits traits) {
    return attach(port, requesterId, domain, traits, false);
  }

  private IommuMapper attach(
      CpuPort port, int requesterId, DmaDomain domain, DeviceTraits traits, boolean isPrivate) {
    requireDetached(requesterId);
    domain.requireAlive();
    if (traits.effective(domain.policy()) != domain.policy()) {
      throw new IllegalArgumentException(
          "domain must bounce for a device that is not trusted: policy=" + domain.policy());
    }
    for (IovaRange range : traits.identityRanges()) {
      mapIdentity(port, domain, range);
    }
    // A device that is not trusted might lie about what has been translated.
    boolean isCaching = traits.hasDeviceTlb() && !traits.isUntrusted();
    int type =
        isCaching ? ContextEntryLayout.TRANSLATE_WITH_DEVICE_TLB : ContextEntryLayout.TRANSLATE;
    long low =
        domain.tables().rootPa()
            | ContextEntryLayout.PRESENT
            | (long) type << ContextEntryLayout.TRANSLATION_TYPE_SHIFT;
    long high = addressWidth() | (long) domain.id() << ContextEntryLayout.DOMAIN_SHIFT;
    storeContext(port, contextTable(port, requesterId >>> 8), requesterId, low, high);
    if (isCaching) {
      domain.addDeviceTlb(requesterId);
    }
    domain.onAttached(requesterId);
    attachments.add(new Attachment(requesterId, domain, domain.id(), isPrivate));
    boolean isBounced = domain.policy() == MappingPolicy.STRICT_BOUNCE;
    return new IommuMapper(config, domain, requesterId, isBounced);
  }

  /**
   * Takes DMA away from a device. A domain of its own ends with that, mapped or not; what it had
   * mapped in another is left to its owner.
   *
   * @param port the core that executes it
   * @param requesterId of the device
   * @throws IllegalStateException if the device is not attached
   */
  public void detach(CpuPort port, int requesterId) {
    Attachment attachment = find(requesterId);
    if (attachment == null) {
      throw new IllegalStateException(
          String.format("device must be attached: requesterId=0x%x", requesterId));
    }
    attachments.remove(attachment);
    DmaDomain domain = attachment.domain();
    long table = contextTables[requesterId >>> 8];
    storeContext(port, table, requesterId, 0, 0);
    CommandQueue running = requireStarted();
    running.invalidateContext(port, false, attachment.domainId(), requesterId);
    if (domain == null) {
      running.invalidateAll(port);
      domainIds.clear(attachment.domainId());
    } else {
      domain.onDetached();
      boolean isForgotten = domain.invalidate(port);
      domain.removeDeviceTlb(requesterId);
      if (attachment.isPrivate()) {
        end(domain, isForgotten);
      }
    }
  }

  /**
   * Makes the hardware forget everything of a domain, as iommu_flush_iotlb_all of Linux: for
   * whoever changes its {@link DmaDomain#tables() tables} past the mappers.
   *
   * @param port the core that asks and waits
   * @param domain of this driver
   */
  public void flush(CpuPort port, DmaDomain domain) {
    domain.invalidate(port);
  }

  /**
   * Makes an entry of the interrupt remapping table by which one device may raise a vector.
   *
   * @param port the core that executes it
   * @param requesterId the only one whose messages the entry takes
   * @param vector where messages lead
   * @return what the device is to be told
   * @throws IllegalStateException if interrupts are not remapped
   */
  public RemappedMessage remapInterrupt(CpuPort port, int requesterId, InterruptVector vector) {
    if (interruptTablePa == PageAllocator.NO_MEMORY || interruptEntriesUsed == INTERRUPT_ENTRIES) {
      throw new IllegalStateException(
          "interrupts must be remapped and entries free: used=" + interruptEntriesUsed);
    }
    int index = interruptEntriesUsed++;
    long entryPa = interruptTablePa + (long) index * InterruptEntryLayout.LENGTH_BYTES;
    long destination = vector.address() >>> InterruptEntryLayout.MESSAGE_DESTINATION_SHIFT & 0xff;
    long low =
        InterruptEntryLayout.PRESENT
            | (long) (vector.data() & InterruptEntryLayout.VECTOR_MASK)
                << InterruptEntryLayout.VECTOR_SHIFT
            | destination << InterruptEntryLayout.DESTINATION_SHIFT;
    long high =
        requesterId
            | (long) InterruptEntryLayout.VALIDATE_SOURCE << InterruptEntryLayout.VALIDATION_SHIFT;
    store(port, entryPa + InterruptEntryLayout.HIGH, high);
    store(port, entryPa, low);
    requireStarted().invalidateInterruptEntry(port, index);
    long address =
        IovaRange.INTERRUPTS.firstIova()
            | InterruptEntryLayout.MESSAGE_REMAPPABLE
            | (long) (index & InterruptEntryLayout.MESSAGE_HANDLE_MASK)
                << InterruptEntryLayout.MESSAGE_HANDLE_SHIFT
            | (long) (index >>> 15) << InterruptEntryLayout.MESSAGE_HANDLE_15_SHIFT;
    return new RemappedMessage(index, address, 0);
  }

  /** Maps a range to itself, unless the domain has it already for another device. */
  private void mapIdentity(CpuPort port, DmaDomain domain, IovaRange range) {
    if (domain.identityRanges().contains(range)) {
      return;
    }
    if (domain.iovas().isTaken(pfn(range.firstIova()), pfn(range.lastIova()))) {
      throw new IllegalStateException("addresses of reserved memory must be free: " + range);
    }
    domain.identityRanges().add(range);
    domain.iovas().reserve(pfn(range.firstIova()), pfn(range.lastIova()));
    long rights = SecondLevelLayout.READ | SecondLevelLayout.WRITE;
    TableList replaced = new TableList();
    boolean isMapped =
        domain
            .tables()
            .tryMap(
                port, range.firstIova(), range.firstIova(), range.lengthBytes(), rights, replaced);
    // Empty tables of what was mapped there once: the hardware may still know them.
    if (!replaced.isEmpty() && domain.invalidate(port)) {
      domain.tables().free(replaced);
    }
    if (!isMapped) {
      throw new IllegalStateException("there is no memory to map reserved memory: " + range);
    }
  }

  private long contextTable(CpuPort port, int bus) {
    requireStarted();
    if (contextTables[bus] == 0) {
      contextTables[bus] = newTable(port);
      long entryPa = rootPa + (long) bus * RootEntryLayout.ENTRY_BYTES;
      store(port, entryPa + RootEntryLayout.LOW, contextTables[bus] | RootEntryLayout.PRESENT);
    }
    return contextTables[bus];
  }

  /** Stores the half with the present bit last when an entry appears, first when it goes. */
  private void storeContext(CpuPort port, long tablePa, int requesterId, long low, long high) {
    long entryPa = tablePa + (long) (requesterId & 0xff) * ContextEntryLayout.ENTRY_BYTES;
    if (low == 0) {
      store(port, entryPa + ContextEntryLayout.LOW, 0);
      store(port, entryPa + ContextEntryLayout.HIGH, 0);
    } else {
      store(port, entryPa + ContextEntryLayout.HIGH, high);
      store(port, entryPa + ContextEntryLayout.LOW, low);
    }
  }

  private void store(CpuPort port, long pa, long value) {
    port.store(pa, Long.BYTES, value);
    clean(port, pa, Long.BYTES);
  }

  private void clean(CpuPort port, long pa, int lengthBytes) {
    if (!isSnooped) {
      port.maintainCache(CacheOperation.CLEAN, pa, lengthBytes);
    }
  }

  private long newTable(CpuPort port) {
    long pa = pages.allocate(PageAllocator.PAGE_BYTES);
    if (pa == PageAllocator.NO_MEMORY) {
      throw new IllegalStateException("there is no memory for a table");
    }
    port.store(pa, ZEROS, 0, ZEROS.length);
    clean(port, pa, ZEROS.length);
    return pa;
  }

  private long addressWidth() {
    return config.levels() - 2;
  }

  private static long pfn(long iova) {
    return iova >>> PageTables.PAGE_BYTES_SHIFT;
  }

  private @Nullable Attachment find(int requesterId) {
    for (Attachment attachment : attachments) {
      if (attachment.requesterId() == requesterId) {
        return attachment;
      }
    }
    return null;
  }

  private void requireDetached(int requesterId) {
    if (find(requesterId) != null) {
      throw new IllegalStateException(
          String.format("device must be detached: requesterId=0x%x", requesterId));
    }
  }

  private CommandQueue requireStarted() {
    CommandQueue running = queue;
    if (running == null) {
      throw new IllegalStateException("the driver must have been started");
    }
    return running;
  }

  /** {@return how it drives the IOMMU} */
  public IommuDriverConfig config() {
    return config;
  }

  /** {@return the commands put into the queue, waits not counted} */
  public long commandsCount() {
    return requireStarted().commandsCount();
  }

  /** {@return how often a core waited for the queue} */
  public long submissionsCount() {
    return requireStarted().submissionsCount();
  }

  /** {@return the invalidations of pages} */
  public long pageInvalidationsCount() {
    return requireStarted().pageInvalidationsCount();
  }

  /** {@return the invalidations of whole domains} */
  public long domainInvalidationsCount() {
    return requireStarted().domainInvalidationsCount();
  }

  /** {@return the time that cores have waited for the hardware, in picoseconds} */
  public long waitPsTotal() {
    return requireStarted().waitPsTotal();
  }

  /** {@return the longest wait for the hardware, in picoseconds} */
  public long waitPsMax() {
    return requireStarted().waitPsMax();
  }

  /** {@return the errors that the hardware reported about the queue} */
  public long queueErrorsCount() {
    return requireStarted().errorsCount();
  }

  /** {@return how often a core gave up, because the hardware did not answer for a second} */
  public long unansweredCount() {
    return requireStarted().unansweredCount();
  }

  /** {@return the lock of the queue, which all cores contend for} */
  public SpinLock queueLock() {
    return requireStarted().lock();
  }
}
