package io.github.bellwire.iommu;

import static java.util.Objects.requireNonNull;

import io.github.bellwire.dma.TranslationListener;
import io.github.bellwire.dma.TranslationSource;
import io.github.bellwire.host.RemappingPorts;
import io.github.bellwire.iommu.interrupt.InterruptRemapper;
import io.github.bellwire.iommu.layout.InvalidationDescriptorLayout;
import io.github.bellwire.iommu.queue.DeviceTlbs;
import io.github.bellwire.iommu.queue.FaultLog;
import io.github.bellwire.iommu.queue.InvalidationQueue;
import io.github.bellwire.iommu.queue.PageRequestQueue;
import io.github.bellwire.iommu.queue.RegisterBlock;
import io.github.bellwire.iommu.walk.TranslationConfig;
import io.github.bellwire.iommu.walk.TranslationStatistics;
import io.github.bellwire.iommu.walk.TranslationUnit;
import io.github.bellwire.pcie.AddressType;
import io.github.bellwire.pcie.DmaStatus;
import io.github.bellwire.pcie.IntegratedRegisters;
import io.github.bellwire.pcie.RemappingUnit;
import io.github.bellwire.pcie.RootComplex;
import io.github.bellwire.pcie.TranslationRequest;
import io.github.bellwire.pcie.TranslationResult;
import io.github.bellwire.stats.StatsRegistry;
import org.jspecify.annotations.Nullable;

/**
 * An IOMMU of the VT-d class for a {@link io.github.bellwire.host.Host}: after reset it lets
 * everything pass; what it does from then on, software says through its registers and through
 * tables and queues in memory.
 *
 * <p>No fault throws or ends a simulation: it is recorded, and the device sees a refused request.
 * Confined to the simulation thread.
 */
public final class Iommu implements RemappingUnit, TranslationSource {
  private final IommuConfig config;
  private final FaultLog faults;
  private final TranslationUnit translation;
  private final InterruptRemapper interrupts;
  private final RegisterBlock registers;
  private final DeviceTlbs deviceTlbs = new FabricDeviceTlbs();
  private final TranslationRequest pageQuestion = new TranslationRequest();
  private @Nullable RootComplex rootComplex;
  private long protectedRefusalsTotal;
  private long pageRefusalsTotal;

  /**
   * Creates an IOMMU in its state after reset.
   *
   * @param newConfig what it is; on a machine without coherence its accesses are not snooped
   * @param ports the machine around it
   */
  public Iommu(IommuConfig newConfig, RemappingPorts ports) {
    requireNonNull(newConfig, "config");
    config = ports.isCoherent() ? newConfig : withoutSnooping(newConfig);
    faults =
        new FaultLog(
            config.registers().faultRecordsCount(), ports.simulation(), ports.interrupts());
    translation = new TranslationUnit(config.translation(), ports.memory(), ports.caches(), faults);
    interrupts =
        new InterruptRemapper(
            config.interrupts(), ports.memory(), ports.caches(), faults, ports.interrupts());
    registers =
        new RegisterBlock(
            config.registers(),
            config.invalidation(),
            ports,
            translation,
            interrupts,
            faults,
            deviceTlbs);
  }

  private static IommuConfig withoutSnooping(IommuConfig config) {
    TranslationConfig translation = config.translation();
    return config.withTranslation(
        translation.withCapabilities(translation.capabilities().withoutSnooping()));
  }

  /** The caches of the devices behind the root complex. */
  private final class FabricDeviceTlbs implements DeviceTlbs {
    @Override
    public long invalidate(int requesterId, int pasid, long iova, long sizeBytes, long atPs) {
      RootComplex fabric = rootComplex;
      return fabric == null
          ? -1
          : fabric.invalidateDeviceTlb(requesterId, pasid, iova, sizeBytes, atPs);
    }

    @Override
    public void respond(int requesterId, int pasid, int groupIndex, int responseCode, long atPs) {
      RootComplex fabric = rootComplex;
      if (fabric != null) {
        fabric.respondToPageRequest(requesterId, pasid, groupIndex, responseCode, atPs);
      }
    }
  }

  @Override
  public void onAttached(RootComplex newRootComplex) {
    rootComplex = newRootComplex;
  }

  @Override
  public void listen(TranslationListener listener) {
    translation.listen(listener);
  }

  @Override
  public IntegratedRegisters registers() {
    return registers;
  }

  @Override
  public void translate(TranslationRequest request, TranslationResult result) {
    if (registers.isProtected(request.iova(), request.lengthBytes())) {
      protectedRefusalsTotal++;
      result.refused(DmaStatus.UNSUPPORTED_REQUEST, request.atPs());
      return;
    }
    translation.translate(request, result);
  }

  @Override
  public void onMessage(int requesterId, long address, int data, long atPs) {
    interrupts.onMessage(requesterId, address, data, atPs);
  }

  @Override
  public void onPageRequest(
      int requesterId,
      int pasid,
      long iova,
      boolean isRead,
      boolean isWrite,
      boolean isLast,
      int groupIndex,
      long atPs) {
    pageQuestion.from(requesterId, pasid, AddressType.TRANSLATION_REQUEST);
    pageQuestion.access(iova, 1, isWrite, atPs);
    if (config.registers().hasPageRequests()
        && translation.isEnabled()
        && translation.permitsPageRequest(pageQuestion)) {
      registers.onPageRequest(requesterId, pasid, iova, isRead, isWrite, isLast, groupIndex, atPs);
      return;
    }
    pageRefusalsTotal++;
    if (isLast) {
      int invalid = InvalidationDescriptorLayout.RESPONSE_INVALID;
      deviceTlbs.respond(requesterId, pasid, groupIndex, invalid, atPs);
    }
  }

  /** {@return what it is} */
  public IommuConfig config() {
    return config;
  }

  /** {@return what translation has done} */
  public TranslationStatistics statistics() {
    return translation.statistics();
  }

  /** {@return the faults} */
  public FaultLog faults() {
    return faults;
  }

  /** {@return the invalidation queue} */
  public InvalidationQueue invalidationQueue() {
    return registers.invalidationQueue();
  }

  /** {@return the page request queue} */
  public PageRequestQueue pageRequests() {
    return registers.pageRequests();
  }

  /** {@return interrupt remapping} */
  public InterruptRemapper interrupts() {
    return interrupts;
  }

  /**
   * {@return requests refused since they were for protected memory while nothing was translated}
   */
  public long protectedRefusalsTotal() {
    return protectedRefusalsTotal;
  }

  /** {@return page requests refused, of devices that may not send any} */
  public long pageRefusalsTotal() {
    return pageRefusalsTotal;
  }

  /**
   * Names its counters.
   *
   * @param registry receives them
   * @param prefix such as {@code iommu}
   */
  public void registerCounters(StatsRegistry registry, String prefix) {
    TranslationStatistics done = statistics();
    InvalidationQueue queue = invalidationQueue();
    registry.register(prefix + ".lookups_count", done::lookupsTotal);
    registry.register(prefix + ".iotlb_hits_count", done::iotlbHitsTotal);
    registry.register(prefix + ".iotlb_misses_count", done::iotlbMissesTotal);
    registry.register(prefix + ".iotlb_fills_count", done::iotlbFillsTotal);
    registry.register(prefix + ".context_lookups_count", done::contextLookupsTotal);
    registry.register(prefix + ".context_hits_count", done::contextHitsTotal);
    registry.register(prefix + ".paging_hits_2m_count", done::pagingHits2mTotal);
    registry.register(prefix + ".paging_hits_1g_count", done::pagingHits1gTotal);
    registry.register(prefix + ".paging_hits_512g_count", done::pagingHits512gTotal);
    registry.register(prefix + ".walks_count", done::walksTotal);
    registry.register(prefix + ".walker_full_ps", done::walkerFullPsTotal);
    registry.register(prefix + ".walker_busy_ps", done::walkerBusyPsTotal);
    registry.register(prefix + ".memory_accesses_count", done::memoryAccessesTotal);
    registry.register(prefix + ".invalidations_global_count", done::globalInvalidationsTotal);
    registry.register(prefix + ".invalidations_domain_count", done::domainInvalidationsTotal);
    registry.register(prefix + ".invalidations_page_count", done::pageInvalidationsTotal);
    registry.register(prefix + ".queue_descriptors_count", queue::descriptorsTotal);
    registry.register(prefix + ".queue_busy_ps", queue::busyPsTotal);
    registry.register(prefix + ".queue_errors_count", queue::errorsTotal);
    registry.register(prefix + ".queue_timeouts_count", queue::timeoutsTotal);
    registry.register(prefix + ".faults_count", faults::faultsTotal);
    registry.register(prefix + ".faults_recorded_count", faults::recordedTotal);
    registry.register(prefix + ".faults_dropped_count", faults::droppedTotal);
    registry.register(prefix + ".interrupts_remapped_count", interrupts::remappedTotal);
    registry.register(prefix + ".interrupts_refused_count", interrupts::refusedTotal);
    registry.register(prefix + ".page_requests_count", pageRequests()::queuedTotal);
    registry.register(prefix + ".page_requests_dropped_count", pageRequests()::droppedTotal);
  }
}
