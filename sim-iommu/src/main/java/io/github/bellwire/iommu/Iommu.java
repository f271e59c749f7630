package io.github.bellwire.iommu;

import static java.util.Objects.requireNonNull;

import io.github.bellwire.dma.TranslationListener;
import io.github.bellwire.dma.TranslationSource;
import io.github.bellwire.host.RemappingPorts;
import io.github.bellwire.iommu.amd.AmdUnit;
import io.github.bellwire.iommu.interrupt.InterruptRemapper;
import io.github.bellwire.iommu.queue.FaultLog;
import io.github.bellwire.iommu.queue.InvalidationQueue;
import io.github.bellwire.iommu.queue.PageRequestQueue;
import io.github.bellwire.iommu.smmu.SmmuUnit;
import io.github.bellwire.iommu.walk.TableKind;
import io.github.bellwire.iommu.walk.TranslationConfig;
import io.github.bellwire.iommu.walk.TranslationStatistics;
import io.github.bellwire.pcie.IntegratedRegisters;
import io.github.bellwire.pcie.RemappingUnit;
import io.github.bellwire.pcie.RootComplex;
import io.github.bellwire.pcie.TranslationRequest;
import io.github.bellwire.pcie.TranslationResult;
import io.github.bellwire.stats.StatsRegistry;
import org.jspecify.annotations.Nullable;

/**
 * An IOMMU for a {@link io.github.bellwire.host.Host}, of the architecture that its configuration
 * names: after reset it lets everything pass; what it does from then on, software says through its
 * registers and through tables and queues in memory.
 *
 * <p>No fault throws or ends a simulation: it is recorded, and the device sees a refused request.
 * Confined to the simulation thread.
 */
public final class Iommu implements RemappingUnit, TranslationSource {
  private final IommuConfig config;
  private final FabricDeviceTlbs deviceTlbs = new FabricDeviceTlbs();
  private final IommuCore core;
  private @Nullable VtdCore vtd;
  private @Nullable AmdUnit amd;
  private @Nullable SmmuUnit smmu;

  /**
   * Creates an IOMMU in its state after reset.
   *
   * @param newConfig what it is; on a machine without coherence its accesses are not snooped
   * @param ports the machine around it
   * @throws IllegalArgumentException if it is of AMD-Vi and the machine is not coherent
   */
  public Iommu(IommuConfig newConfig, RemappingPorts ports) {
    requireNonNull(newConfig, "config");
    if (newConfig.kind() == TableKind.AMD_VI && !ports.isCoherent()) {
      throw new IllegalArgumentException(
          "machine must be coherent for AMD-Vi: name=" + newConfig.name());
    }
    config = ports.isCoherent() ? newConfig : withoutSnooping(newConfig);
    core =
        switch (config.kind()) {
          case VT_D -> vtd = new VtdCore(config, ports, deviceTlbs);
          case AMD_VI -> core(amd = newAmd(config, ports), ports);
          case SMMU_V3 -> core(smmu = newSmmu(config, ports), ports);
        };
  }

  private static IommuConfig withoutSnooping(IommuConfig config) {
    TranslationConfig translation = config.translation();
    return config.withTranslation(
        translation.withCapabilities(translation.capabilities().withoutSnooping()));
  }

  private AmdUnit newAmd(IommuConfig of, RemappingPorts ports) {
    return new AmdUnit(
        of.registers().baseAddress(), of.translation(), of.commands(), ports, deviceTlbs);
  }

  private SmmuUnit newSmmu(IommuConfig of, RemappingPorts ports) {
    return new SmmuUnit(
        of.registers().baseAddress(), of.translation(), of.commands(), ports, deviceTlbs);
  }

  private static IommuCore core(AmdUnit unit, RemappingPorts ports) {
    return new VendorCore(
        ports, unit, unit.translation(), unit.commands(), unit.events(), () -> false);
  }

  private static IommuCore core(SmmuUnit unit, RemappingPorts ports) {
    return new VendorCore(
        ports, unit, unit.translation(), unit.commands(), unit.events(), unit::abortsUntranslated);
  }

  @Override
  public void onAttached(RootComplex rootComplex) {
    deviceTlbs.attach(rootComplex);
  }

  @Override
  public void listen(TranslationListener listener) {
    core.translation().listen(listener);
  }

  @Override
  public IntegratedRegisters registers() {
    return core.registers();
  }

  @Override
  public void translate(TranslationRequest request, TranslationResult result) {
    core.translate(request, result);
  }

  @Override
  public void onMessage(int requesterId, long address, int data, long atPs) {
    core.onMessage(requesterId, address, data, atPs);
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
    core.onPageRequest(requesterId, pasid, iova, isRead, isWrite, isLast, groupIndex, atPs);
  }

  /** {@return what it is} */
  public IommuConfig config() {
    return config;
  }

  /** {@return what translation has done} */
  public TranslationStatistics statistics() {
    return core.translation().statistics();
  }

  /** {@return faults that were to be recorded, whatever became of them} */
  public long faultsTotal() {
    return core.faultsTotal();
  }

  /** {@return faults that are lost since there was no room for them} */
  public long faultsDroppedTotal() {
    return core.droppedTotal();
  }

  /**
   * {@return the faults}
   *
   * @throws IllegalStateException unless it is of the VT-d class
   */
  public FaultLog faults() {
    return vtd().faults();
  }

  /**
   * {@return the invalidation queue}
   *
   * @throws IllegalStateException unless it is of the VT-d class
   */
  public InvalidationQueue invalidationQueue() {
    return vtd().invalidationQueue();
  }

  /**
   * {@return the page request queue}
   *
   * @throws IllegalStateException unless it is of the VT-d class
   */
  public PageRequestQueue pageRequests() {
    return vtd().pageRequests();
  }

  /**
   * {@return interrupt remapping}
   *
   * @throws IllegalStateException unless it is of the VT-d class
   */
  public InterruptRemapper interrupts() {
    return vtd().interrupts();
  }

  /**
   * {@return requests refused since they were for protected memory while nothing was translated}
   *
   * @throws IllegalStateException unless it is of the VT-d class
   */
  public long protectedRefusalsTotal() {
    return vtd().protectedRefusalsTotal();
  }

  /**
   * {@return page requests refused, of devices that may not send any}
   *
   * @throws IllegalStateException unless it is of the VT-d class
   */
  public long pageRefusalsTotal() {
    return vtd().pageRefusalsTotal();
  }

  /**
   * {@return what is behind the registers of AMD-Vi}
   *
   * @throws IllegalStateException unless it is of that kind
   */
  public AmdUnit amd() {
    return require(amd, TableKind.AMD_VI);
  }

  /**
   * {@return what is behind the registers of SMMUv3}
   *
   * @throws IllegalStateException unless it is of that kind
   */
  public SmmuUnit smmu() {
    return require(smmu, TableKind.SMMU_V3);
  }

  private VtdCore vtd() {
    return require(vtd, TableKind.VT_D);
  }

  private <T> T require(@Nullable T part, TableKind kind) {
    if (part == null) {
      throw new IllegalStateException(
          "the IOMMU must be of the kind " + kind + ": kind=" + config.kind());
    }
    return part;
  }

  /**
   * Names its counters.
   *
   * @param registry receives them
   * @param prefix such as {@code iommu}
   */
  public void registerCounters(StatsRegistry registry, String prefix) {
    TranslationStatistics done = statistics();
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
    registry.register(prefix + ".faults_count", core::faultsTotal);
    registry.register(prefix + ".faults_recorded_count", core::recordedTotal);
    registry.register(prefix + ".faults_dropped_count", core::droppedTotal);
    core.registerCounters(registry, prefix);
  }
}
