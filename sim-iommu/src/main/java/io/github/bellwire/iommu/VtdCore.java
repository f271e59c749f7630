package io.github.bellwire.iommu;

import io.github.bellwire.host.RemappingPorts;
import io.github.bellwire.iommu.interrupt.InterruptRemapper;
import io.github.bellwire.iommu.layout.InvalidationDescriptorLayout;
import io.github.bellwire.iommu.queue.DeviceTlbs;
import io.github.bellwire.iommu.queue.FaultLog;
import io.github.bellwire.iommu.queue.InvalidationQueue;
import io.github.bellwire.iommu.queue.PageRequestQueue;
import io.github.bellwire.iommu.queue.RegisterBlock;
import io.github.bellwire.iommu.walk.TranslationUnit;
import io.github.bellwire.pcie.AddressType;
import io.github.bellwire.pcie.DmaStatus;
import io.github.bellwire.pcie.IntegratedRegisters;
import io.github.bellwire.pcie.TranslationRequest;
import io.github.bellwire.pcie.TranslationResult;
import io.github.bellwire.stats.StatsRegistry;

/** An IOMMU of the VT-d class. */
final class VtdCore implements IommuCore {
  private final IommuConfig config;
  private final FaultLog faults;
  private final TranslationUnit translation;
  private final InterruptRemapper interrupts;
  private final RegisterBlock registers;
  private final DeviceTlbs deviceTlbs;
  private final TranslationRequest pageQuestion = new TranslationRequest();
  private long protectedRefusalsTotal;
  private long pageRefusalsTotal;

  VtdCore(IommuConfig config, RemappingPorts ports, DeviceTlbs deviceTlbs) {
    this.deviceTlbs = deviceTlbs;
    this.config = config;
    faults =
        new FaultLog(
            config.registers().faultRecordsCount(), ports.simulation(), ports.interrupts());
    translation =
        new TranslationUnit(config.translation(), ports.commits(), ports.caches(), faults);
    interrupts =
        new InterruptRemapper(
            config.interrupts(), ports.commits(), ports.caches(), faults, ports.interrupts());
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

  @Override
  public TranslationUnit translation() {
    return translation;
  }

  FaultLog faults() {
    return faults;
  }

  InvalidationQueue invalidationQueue() {
    return registers.invalidationQueue();
  }

  PageRequestQueue pageRequests() {
    return registers.pageRequests();
  }

  InterruptRemapper interrupts() {
    return interrupts;
  }

  long protectedRefusalsTotal() {
    return protectedRefusalsTotal;
  }

  long pageRefusalsTotal() {
    return pageRefusalsTotal;
  }

  @Override
  public long faultsTotal() {
    return faults.faultsTotal();
  }

  @Override
  public long recordedTotal() {
    return faults.recordedTotal();
  }

  @Override
  public long droppedTotal() {
    return faults.droppedTotal();
  }

  @Override
  public void registerCounters(StatsRegistry registry, String prefix) {
    InvalidationQueue queue = invalidationQueue();
    registry.register(prefix + ".queue_descriptors_count", queue::descriptorsTotal);
    registry.register(prefix + ".queue_busy_ps", queue::busyPsTotal);
    registry.register(prefix + ".queue_errors_count", queue::errorsTotal);
    registry.register(prefix + ".queue_timeouts_count", queue::timeoutsTotal);
    registry.register(prefix + ".interrupts_remapped_count", interrupts::remappedTotal);
    registry.register(prefix + ".interrupts_refused_count", interrupts::refusedTotal);
    registry.register(prefix + ".page_requests_count", pageRequests()::queuedTotal);
    registry.register(prefix + ".page_requests_dropped_count", pageRequests()::droppedTotal);
  }
}
