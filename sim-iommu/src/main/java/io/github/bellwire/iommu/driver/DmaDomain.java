package io.github.bellwire.iommu.driver;

import io.github.bellwire.cpu.Core;
import io.github.bellwire.cpu.CpuPort;
import io.github.bellwire.cpu.Routine;
import io.github.bellwire.dma.TranslationListener;
import io.github.bellwire.kernel.Simulation;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An address space of bus addresses: tables, free addresses, and what waits for a flush. Devices
 * that share it reach each other's buffers. Made by {@link IommuDriver}.
 */
public final class DmaDomain {
  private static final int NO_DEVICE = -1;

  private final int id;
  private final MappingPolicy policy;
  private final PageTables tables;
  private final IovaAllocator iovas;
  private final Invalidator invalidator;
  private final @Nullable FlushQueue flushQueue;
  private final List<IovaRange> identityRanges = new ArrayList<>();
  private int[] deviceTlbSources = new int[0];
  private int requesterId = NO_DEVICE;
  private @Nullable DomainWatch watch;
  private boolean isEnded;

  DmaDomain(
      Simulation simulation,
      int id,
      MappingPolicy policy,
      PageTables tables,
      Invalidator invalidator,
      IommuDriverConfig config,
      List<Core> cores) {
    this.id = id;
    this.policy = policy;
    this.tables = tables;
    this.invalidator = invalidator;
    DepotTimers timers = new DepotTimers(config, cores);
    iovas = new IovaAllocator(simulation, config, cores.size(), 1, timers);
    timers.iovas = iovas;
    flushQueue =
        policy == MappingPolicy.LAZY ? new FlushQueue(simulation, this, config, cores) : null;
  }

  /** Trims the depots of the allocator, on the core that filled one. */
  private static final class DepotTimers implements IovaAllocator.TrimTimer {
    private final IommuDriverConfig config;
    private final Routine[][] routines;
    private final boolean[] isOn = new boolean[IovaAllocator.CACHED_ORDERS];
    @Nullable IovaAllocator iovas;

    DepotTimers(IommuDriverConfig config, List<Core> cores) {
      this.config = config;
      routines = new Routine[cores.size()][IovaAllocator.CACHED_ORDERS];
      for (int i = 0; i < routines.length; i++) {
        Core core = cores.get(i);
        Arrays.setAll(routines[i], order -> newRoutine(core, order));
      }
    }

    private Routine newRoutine(Core core, int order) {
      return new Routine(core) {
        @Override
        protected void run(CpuPort port) {
          isOn[order] = false;
          IovaAllocator allocator = iovas;
          if (allocator != null && allocator.trimDepot(port, order)) {
            arm(port, order);
          }
        }
      };
    }

    @Override
    public void arm(CpuPort port, int order) {
      if (!isOn[order]) {
        isOn[order] = true;
        routines[port.coreIndex()][order].wakeAt(port.nowPs() + config.depotTrimPs());
      }
    }
  }

  /** Tells somebody what becomes of entries and addresses from now on. */
  void listen(TranslationListener listener) {
    DomainWatch newWatch = new DomainWatch(listener);
    watch = newWatch;
    tables.watch(newWatch);
  }

  /** {@return who follows the domain for a listener, null if nobody listens} */
  @Nullable DomainWatch watch() {
    return watch;
  }

  /** A device has got the domain. */
  void onAttached(int ofRequesterId) {
    requesterId = ofRequesterId;
  }

  /** A device has the domain no longer, but may still be cached with it. */
  void onDetached() {
    if (watch != null) {
      watch.onDetached();
    }
  }

  /** Its tables are given back; nothing may be mapped or unmapped any more. */
  void end() {
    isEnded = true;
  }

  boolean isEnded() {
    return isEnded;
  }

  /** Makes the hardware forget the whole domain, and gives back what waited for that. */
  boolean flushAll(CpuPort port) {
    return flushQueue == null ? invalidate(port) : flushQueue.flushAll(port);
  }

  void requireAlive() {
    if (isEnded) {
      throw new IllegalStateException("domain must not have ended: domain=" + id);
    }
  }

  void addDeviceTlb(int ofRequesterId) {
    deviceTlbSources = Arrays.copyOf(deviceTlbSources, deviceTlbSources.length + 1);
    deviceTlbSources[deviceTlbSources.length - 1] = ofRequesterId;
  }

  void removeDeviceTlb(int ofRequesterId) {
    deviceTlbSources = Arrays.stream(deviceTlbSources).filter(s -> s != ofRequesterId).toArray();
  }

  /** Makes the hardware forget a range, see {@link Invalidator#invalidatePages}. */
  boolean invalidatePages(CpuPort port, long iova, long pages, boolean isLeafOnly) {
    DomainWatch current = watch;
    if (current == null) {
      return invalidator.invalidatePages(port, this, iova, pages, isLeafOnly);
    }
    long changesBefore = current.changesTotal();
    boolean isForgotten = invalidator.invalidatePages(port, this, iova, pages, isLeafOnly);
    if (isForgotten) {
      current.onInvalidated(iova, pages << PageTables.PAGE_BYTES_SHIFT, changesBefore);
    }
    return isForgotten;
  }

  /** Makes the hardware forget the whole domain; returns whether it has. */
  boolean invalidate(CpuPort port) {
    DomainWatch current = watch;
    if (current == null) {
      return invalidator.invalidateDomain(port, this);
    }
    long changesBefore = current.changesTotal();
    if (requesterId != NO_DEVICE) {
      current.onFlush(requesterId, port.nowPs());
    }
    boolean isForgotten = invalidator.invalidateDomain(port, this);
    if (isForgotten) {
      current.onFlushed(changesBefore);
    }
    return isForgotten;
  }

  /** {@return what is mapped to itself for good} */
  List<IovaRange> identityRanges() {
    return identityRanges;
  }

  @Nullable FlushQueue flushQueue() {
    return flushQueue;
  }

  /** {@return its number in context entries and invalidation commands, at least 1} */
  public int id() {
    return id;
  }

  /** {@return when unmapped ranges are invalidated} */
  public MappingPolicy policy() {
    return policy;
  }

  /** {@return its tables} */
  public PageTables tables() {
    return tables;
  }

  /** {@return its addresses} */
  public IovaAllocator iovas() {
    return iovas;
  }

  /** {@return the devices in it that remember translations} */
  public int deviceTlbsCount() {
    return deviceTlbSources.length;
  }

  /**
   * {@return the requester ID of such a device}
   *
   * @param index 0 to below {@link #deviceTlbsCount()}
   */
  public int deviceTlbSource(int index) {
    return deviceTlbSources[index];
  }

  /**
   * {@return the unmapped ranges of a core that wait for a flush, or that have not been given back
   * yet; 0 unless the domain is lazy}
   *
   * @param core its index
   */
  public int pendingUnmaps(int core) {
    return flushQueue == null ? 0 : flushQueue.pending(core);
  }

  /** {@return the flushes made because a ring was full} */
  public long fullFlushesCount() {
    return flushQueue == null ? 0 : flushQueue.fullFlushesCount();
  }

  /** {@return the flushes made because time was up} */
  public long timerFlushesCount() {
    return flushQueue == null ? 0 : flushQueue.timerFlushesCount();
  }
}
