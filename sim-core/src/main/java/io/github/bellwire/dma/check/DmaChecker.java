package io.github.bellwire.dma.check;

import static java.util.Objects.requireNonNull;

import io.github.bellwire.cpu.CpuListener;
import io.github.bellwire.dma.DmaDevice;
import io.github.bellwire.dma.PageListener;
import io.github.bellwire.dma.TranslationListener;
import io.github.bellwire.kernel.Simulation;
import io.github.bellwire.memory.PhysicalMemory;
import io.github.bellwire.pcie.DmaAccessListener;
import java.util.ArrayList;
import java.util.List;

/**
 * Finds what drivers, devices and IOMMU drivers do wrong with DMA, and says so as a person would:
 * what, where, when, which mapping, who made and who ended it, and what lies nearest.
 *
 * <p>It only listens: nothing that is simulated changes, in bytes or in time, but a device that is
 * watched forgives calls that would throw otherwise, and goes on as Linux would. Times decide, not
 * the order of calls: an access is judged by the mappings that there are when it takes effect.
 *
 * <p>All violations are counted; the first ones are kept as reports. Watch devices before anything
 * is mapped. Allocates as it likes. Confined to the simulation thread.
 */
public final class DmaChecker {
  /** Instead of the ID of a requester: nobody knows it yet. */
  public static final int UNKNOWN_ID = -1;

  /** Reports that are kept unless somebody asks for more or fewer. */
  public static final int REPORTS_MAX_DEFAULT = 1000;

  private final CheckerState state;
  private final AccessChecks accesses;
  private final CpuChecks cores;
  private final PageChecks pages;
  private final IovaAccounts iovas;

  /**
   * Creates a checker that watches nothing.
   *
   * @param simulation the clock
   * @param memory the machine's memory, only looked at
   */
  public DmaChecker(Simulation simulation, PhysicalMemory memory) {
    this(simulation, memory, REPORTS_MAX_DEFAULT);
  }

  /**
   * Creates a checker that watches nothing.
   *
   * @param simulation the clock
   * @param memory the machine's memory, only looked at
   * @param reportsMax how many reports to keep, at least 0; all violations are counted
   * @throws IllegalArgumentException if it is negative
   */
  public DmaChecker(Simulation simulation, PhysicalMemory memory, int reportsMax) {
    if (reportsMax < 0) {
      throw new IllegalArgumentException("reportsMax must be >= 0: reportsMax=" + reportsMax);
    }
    state =
        new CheckerState(
            requireNonNull(simulation, "simulation"), requireNonNull(memory, "memory"), reportsMax);
    iovas = new IovaAccounts(state);
    accesses = new AccessChecks(state, iovas);
    cores = new CpuChecks(state);
    pages = new PageChecks(state);
  }

  /**
   * Watches a device whose ID as a requester is not known. It is found out by its rings; until then
   * only accesses to what it has mapped are taken for its own.
   *
   * @param device with nothing mapped
   * @param name what reports call it
   * @throws IllegalStateException if something is mapped or somebody watches already
   */
  public void watch(DmaDevice device, String name) {
    watch(device, name, UNKNOWN_ID);
  }

  /**
   * Watches a device.
   *
   * @param device with nothing mapped
   * @param name what reports call it
   * @param requesterId whose accesses are its own, see {@link
   *     io.github.bellwire.pcie.Bdf#requesterId()}; {@link #UNKNOWN_ID} as above
   * @throws IllegalStateException if something is mapped or somebody watches already
   */
  public void watch(DmaDevice device, String name, int requesterId) {
    DeviceShadow shadow =
        new DeviceShadow(
            state, requireNonNull(name, "name"), requesterId, device.config().isCoherent());
    device.listen(new ApiChecks(state, shadow, iovas));
    state.devices.add(shadow);
  }

  /** {@return what cores tell of their loads and stores} */
  public CpuListener cpuListener() {
    return cores;
  }

  /** {@return what the root complex tells of the accesses of devices} */
  public DmaAccessListener accessListener() {
    return accesses;
  }

  /** {@return what page allocators tell} */
  public PageListener pageListener() {
    return pages;
  }

  /** {@return what an IOMMU and its driver tell} */
  public TranslationListener translationListener() {
    return iovas;
  }

  /**
   * Says that memory is of a kind that must not be mapped.
   *
   * @param kind what it is
   * @param pa first byte
   * @param lengthBytes at least 1
   */
  public void declare(MemoryKind kind, long pa, long lengthBytes) {
    state.regions.add(new CheckerState.Region(requireNonNull(kind, "kind"), pa, lengthBytes));
  }

  /**
   * Says that memory has been written by nobody who is listened to: by a tool, or firmware.
   *
   * @param pa first byte
   * @param lengthBytes at least 1
   */
  public void declareWritten(long pa, long lengthBytes) {
    state.written.add(pa, lengthBytes);
  }

  /**
   * Looks for bus addresses that stay allocated although nothing is mapped there. Drivers that let
   * go of their device cause the same.
   */
  public void audit() {
    iovas.audit(state.simulation.nowPs());
  }

  /**
   * {@return how often a violation was found}
   *
   * @param violation which
   */
  public long count(DmaViolation violation) {
    return state.log.count(violation);
  }

  /** {@return all violations found} */
  public long total() {
    return state.log.total();
  }

  /** {@return the first violations found, explained} */
  public List<DmaReport> reports() {
    return state.log.reports();
  }

  /** {@return what is mapped at present, by device and in the order of mapping} */
  public List<MappingInfo> liveMappings() {
    List<MappingInfo> mappings = new ArrayList<>();
    for (DeviceShadow device : state.devices) {
      for (ShadowMapping mapping : device.live()) {
        mappings.add(mapping.toInfo());
      }
    }
    return mappings;
  }
}
