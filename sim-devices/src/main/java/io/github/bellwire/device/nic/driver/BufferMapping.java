package io.github.bellwire.device.nic.driver;

import io.github.bellwire.cpu.CpuPort;
import io.github.bellwire.cpu.Routine;
import io.github.bellwire.dma.BounceBufferPool;
import io.github.bellwire.dma.CoherentBuffer;
import io.github.bellwire.dma.DescriptorRing;
import io.github.bellwire.dma.DmaDevice;
import io.github.bellwire.dma.DmaDirection;
import org.jspecify.annotations.Nullable;

/**
 * How the buffers of a pool become reachable for one device: all of them once, at set-up (POLL), or
 * each for the time that the device has it. Where the device does not see what cores have in their
 * caches, shared buffers are cleaned before it has them, and dropped before a core looks at them.
 */
final class BufferMapping {
  private final DmaDevice dma;
  private final BufferPool pool;
  private final int cyclesPerCall;
  private final boolean isCoherent;
  private final long @Nullable [] poolIovas;
  private long refusedTotal;

  /**
   * Creates the mapping and, if it is made once, makes it.
   *
   * @throws IllegalStateException if the pool cannot be mapped where it lies
   */
  BufferMapping(
      CpuPort port, DmaDevice dma, BufferPool pool, boolean isPreMapped, int cyclesPerCall) {
    this.dma = dma;
    this.pool = pool;
    this.cyclesPerCall = cyclesPerCall;
    isCoherent = dma.config().isCoherent();
    poolIovas = isPreMapped ? mapPool(port) : null;
  }

  /** {@return whether {@link #map} only looks up} */
  boolean isPreMapped() {
    return poolIovas != null;
  }

  /** {@return whether {@link #unmap} does anything} */
  boolean needsUnmap() {
    return poolIovas == null || !isCoherent;
  }

  /** {@return the buffer's address for the device, or {@link DmaDevice#MAPPING_ERROR}} */
  long map(CpuPort port, int buffer, int lengthBytes, DmaDirection direction) {
    if (poolIovas != null) {
      dma.cleanShared(port, pool.pa(buffer), lengthBytes);
      return poolIovas[buffer];
    }
    port.compute(cyclesPerCall);
    long iova = dma.mapSingle(port, pool.pa(buffer), lengthBytes, direction);
    if (dma.isMappingError(iova)) {
      refusedTotal++;
    }
    return iova;
  }

  /** Takes a buffer back from the device; arguments as of {@link #map}. */
  void unmap(CpuPort port, int buffer, long iova, int lengthBytes, DmaDirection direction) {
    if (poolIovas == null) {
      port.compute(cyclesPerCall);
      dma.unmapSingle(port, iova, lengthBytes, direction);
    } else if (direction != DmaDirection.TO_DEVICE) {
      dma.dropShared(port, pool.pa(buffer), lengthBytes);
    }
  }

  /**
   * Wakes a routine once bounce memory has been given back. Addresses that others give back are not
   * told of: there are more of them than buffers as a rule.
   */
  void awaitRoom(Routine routine) {
    BounceBufferPool bounceBuffers = dma.bounceBuffers();
    if (poolIovas == null && bounceBuffers != null) {
      bounceBuffers.awaitSlots(routine);
    }
  }

  /** Unmaps the pool if it was mapped at set-up. */
  void close(CpuPort port) {
    if (poolIovas != null) {
      for (long iova : poolIovas) {
        dma.unmapShared(port, iova, pool.bufferBytes());
      }
    }
  }

  /** {@return a ring of descriptors for the device} */
  DescriptorRing newRing(CoherentBuffer memory, int descriptorBytes, int descriptorCount) {
    return dma.newRing(memory, descriptorBytes, descriptorCount);
  }

  long refusedTotal() {
    return refusedTotal;
  }

  private long[] mapPool(CpuPort port) {
    long[] iovas = new long[pool.buffersCount()];
    for (int buffer = 0; buffer < iovas.length; buffer++) {
      iovas[buffer] = dma.mapShared(port, pool.pa(buffer), pool.bufferBytes());
      if (dma.isMappingError(iovas[buffer])) {
        throw new IllegalStateException(
            String.format(
                "pool must be within the device's reach: pa=0x%x, mask=0x%x",
                pool.pa(buffer), dma.mask()));
      }
    }
    return iovas;
  }
}
