package io.github.bellwire.iommu.driver;

import static java.util.Objects.requireNonNull;

import io.github.bellwire.cpu.Core;
import io.github.bellwire.cpu.CpuPort;
import io.github.bellwire.cpu.InterruptVector;
import io.github.bellwire.cpu.SpinLock;
import io.github.bellwire.dma.DmaMapper;
import io.github.bellwire.dma.PageAllocator;
import io.github.bellwire.dma.TranslationListener;
import io.github.bellwire.dma.TranslationSource;
import io.github.bellwire.host.Host;
import io.github.bellwire.iommu.IommuConfig;
import io.github.bellwire.iommu.layout.SecondLevelLayout;
import io.github.bellwire.iommu.walk.TableKind;
import io.github.bellwire.kernel.Simulation;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The operating system's driver of an IOMMU, after those of Linux: sets up tables and the command
 * queue, switches translation on, and gives each device a {@link DmaMapper}.
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
  private final IommuDriverConfig config;
  private final Simulation simulation;
  private final PageAllocator pages;
  private final List<Core> cores = new ArrayList<>();
  private final List<IovaRange> reservedRanges;
  private final List<Attachment> attachments = new ArrayList<>();
  private final List<DmaDomain> domains = new ArrayList<>();

  private final HardwareDriver<?> hardware;
  private @Nullable HardwareQueue queue;
  private final BitSet domainIds = new BitSet();
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
   * Creates a driver for a unit of the VT-d class that has not touched the hardware.
   *
   * @param host whose memory and cores it uses
   * @param registersPa where the registers of the IOMMU are
   * @param config how it drives it
   * @param reservedRanges bus addresses that are never handed out, such as those of BARs
   */
  public IommuDriver(
      Host host, long registersPa, IommuDriverConfig config, List<IovaRange> reservedRanges) {
    this(host, TableKind.VT_D, registersPa, config, reservedRanges);
  }

  /**
   * Creates a driver for what firmware has found, that has not touched the hardware.
   *
   * @param host whose memory and cores it uses
   * @param firmware the IOMMU, of which the architecture and the address are used
   * @param config how it drives it
   * @param reservedRanges bus addresses that are never handed out, such as those of BARs
   */
  public IommuDriver(
      Host host, IommuConfig firmware, IommuDriverConfig config, List<IovaRange> reservedRanges) {
    this(host, firmware.kind(), firmware.registers().baseAddress(), config, reservedRanges);
  }

  private IommuDriver(
      Host host,
      TableKind kind,
      long registersPa,
      IommuDriverConfig config,
      List<IovaRange> reservedRanges) {
    this.config = requireNonNull(config, "config");
    this.reservedRanges = List.copyOf(reservedRanges);
    simulation = host.simulation();
    pages = host.pages();
    hardware =
        switch (kind) {
          case VT_D -> new VtdDriver(simulation, pages, registersPa, config);
          case AMD_VI -> new AmdDriver(simulation, pages, registersPa, config);
          case SMMU_V3 -> new SmmuDriver(simulation, pages, registersPa, config);
        };
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
    hardware.start(port, remapsInterrupts);
    queue = hardware.queue();
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
        hardware.isEmulated() && policy == MappingPolicy.LAZY ? MappingPolicy.STRICT : policy;
    PageTables tables =
        new PageTables(
            hardware.format(),
            port,
            pages,
            config.levels(),
            config.largestPageLevel(),
            hardware.isSnooped());
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
    end(domain, domain.flushAll(port));
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
    if (domainIds.nextClearBit(1) > hardware.domainIdMax()) {
      throw new IllegalStateException(
          "the IOMMU tells no more domains apart: max=" + hardware.domainIdMax());
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
      requireStarted();
      int domainId = takeDomainId();
      hardware.attach(port, requesterId, null, domainId, false);
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
    hardware.attach(port, requesterId, domain, domain.id(), isCaching);
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
    hardware.detach(port, requesterId, attachment.domainId());
    HardwareQueue running = requireStarted();
    if (domain == null) {
      running.invalidateAll(port);
      domainIds.clear(attachment.domainId());
    } else {
      domain.onDetached();
      boolean isForgotten = domain.flushAll(port);
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
    requireStarted();
    return hardware.remapInterrupt(port, requesterId, vector);
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

  private HardwareQueue requireStarted() {
    HardwareQueue running = queue;
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
