package io.github.bellwire.examples.dmacheck;

import io.github.bellwire.cpu.CpuPort;
import io.github.bellwire.dma.DmaDirection;
import io.github.bellwire.dma.DmaMapper;
import io.github.bellwire.dma.PageAllocator;
import io.github.bellwire.dma.TranslationListener;
import io.github.bellwire.host.RemappingPorts;
import io.github.bellwire.pcie.Bdf;
import io.github.bellwire.pcie.DmaStatus;
import io.github.bellwire.pcie.IntegratedRegisters;
import io.github.bellwire.pcie.RemappingUnit;
import io.github.bellwire.pcie.TranslationRequest;
import io.github.bellwire.pcie.TranslationResult;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The smallest IOMMU that can have the bugs of one: a table of pages, a cache of it that has to be
 * told of changes, and a driver for both, for one device. It takes no time.
 */
final class SmallTranslation implements RemappingUnit, DmaMapper {
  private static final long PAGE_BYTES = PageAllocator.PAGE_BYTES;
  private static final long FIRST_IOVA = 0x1000_0000;
  private static final long REGISTERS_BASE = 0xFED9_0000L;

  private final RemappingPorts ports;
  private final TreeMap<Long, Long> table = new TreeMap<>();
  private final TreeMap<Long, Long> cache = new TreeMap<>();
  private @Nullable TranslationListener listener;
  private int requesterId;
  private long nextIova = FIRST_IOVA;
  private long changesCount;

  /** A bug: unmapping leaves the cache as it is. */
  boolean forgetsInvalidation;

  /** A bug: unmapping does not give the bus address back. */
  boolean forgetsIova;

  SmallTranslation(RemappingPorts ports) {
    this.ports = ports;
  }

  /** Tells somebody what the IOMMU and its driver know. */
  void listen(TranslationListener newListener, Bdf device) {
    listener = newListener;
    requesterId = device.requesterId();
  }

  // The unit.

  @Override
  public void translate(TranslationRequest request, TranslationResult result) {
    long page = request.iova() & -PAGE_BYTES;
    Long current = table.get(page);
    Long cached = cache.get(page);
    if (cached != null && !cached.equals(current) && listener != null) {
      listener.onStaleTranslation(request.requesterId(), request.iova(), request.atPs());
    }
    Long used = cached == null ? current : cached;
    if (used == null) {
      result.refused(DmaStatus.UNSUPPORTED_REQUEST, request.atPs());
      return;
    }
    cache.put(page, used);
    result.translated(used + (request.iova() - page), request.atPs());
  }

  @Override
  public void onMessage(int requester, long address, int data, long atPs) {
    ports.interrupts().onMessage(requester, address, data, atPs);
  }

  @Override
  public IntegratedRegisters registers() {
    return new IntegratedRegisters() {
      @Override
      public long baseAddress() {
        return REGISTERS_BASE;
      }

      @Override
      public int sizeBytes() {
        return (int) PAGE_BYTES;
      }

      @Override
      public long read(int offset, int sizeBytes, long atPs) {
        return 0;
      }

      @Override
      public void write(int offset, int sizeBytes, long value, long atPs) {}
    };
  }

  // Its driver.

  @Override
  public boolean reaches(long pa, int lengthBytes, long mask) {
    return true;
  }

  @Override
  public long map(CpuPort port, long pa, int lengthBytes, DmaDirection direction, long mask) {
    long firstPa = pa & -PAGE_BYTES;
    long bytes = (pa + lengthBytes + PAGE_BYTES - 1 & -PAGE_BYTES) - firstPa;
    long iova = nextIova;
    nextIova += bytes;
    for (long done = 0; done < bytes; done += PAGE_BYTES) {
      table.put(iova + done, firstPa + done);
    }
    if (listener != null) {
      listener.onIovaAllocated(requesterId, iova, bytes, port.nowPs());
    }
    return iova + (pa - firstPa);
  }

  @Override
  public void unmap(CpuPort port, long iova, int lengthBytes, DmaDirection direction) {
    long first = iova & -PAGE_BYTES;
    for (long page = first; page < iova + lengthBytes; page += PAGE_BYTES) {
      table.remove(page);
      changesCount++;
      if (!forgetsInvalidation) {
        cache.remove(page);
        changesCount--;
      }
    }
    if (listener != null && !forgetsIova) {
      listener.onIovaFreed(requesterId, first, port.nowPs());
    }
  }

  /** Lets a page that is mapped lead elsewhere. */
  void change(long iova, long pa) {
    table.put(iova & -PAGE_BYTES, pa & -PAGE_BYTES);
    changesCount++;
  }

  /** Drops everything that is cached. */
  void flush(long nowPs) {
    cache.clear();
    if (listener != null) {
      listener.onGlobalFlush(requesterId, changesCount, nowPs);
    }
    changesCount = 0;
  }

  /** An entry has been changed, and the driver goes on without telling the cache. */
  void leaveStale(long iova, long nowPs) {
    if (listener != null) {
      listener.onChangeWithoutInvalidation(requesterId, iova & -PAGE_BYTES, PAGE_BYTES, nowPs);
    }
  }
}
