package io.github.bellwire.device.aperture.driver;

import static java.util.Objects.requireNonNull;

import io.github.bellwire.cpu.CpuPort;
import io.github.bellwire.device.aperture.ApertureLayout;
import io.github.bellwire.dma.CoherentBuffer;
import io.github.bellwire.dma.DescriptorRing;
import io.github.bellwire.dma.DmaDevice;
import io.github.bellwire.dma.Doorbell;

/**
 * Hands copies to the device's engine: a descriptor, a doorbell, and a status word to poll. The
 * system has enabled the function's memory window and bus mastering before.
 *
 * <p>Allocates nothing after construction. Confined to the simulation thread.
 */
public final class ApertureDriver {
  private final CoherentBuffer memory;
  private final DescriptorRing ring;
  private final Doorbell doorbell;
  private final int statusOffset;
  private int submittedCount;
  private int reapedCount;
  private long errorsTotal;

  /**
   * Sets the engine up.
   *
   * @param port the core that does it
   * @param dma the device's mappings
   * @param bar0 host physical address of the registers
   * @param descriptorsCount 2..4096
   * @throws IllegalStateException if there is no memory for the ring
   */
  public ApertureDriver(CpuPort port, DmaDevice dma, long bar0, int descriptorsCount) {
    statusOffset = descriptorsCount * ApertureLayout.DESCRIPTOR_BYTES;
    CoherentBuffer allocated = dma.allocateCoherent(port, statusOffset + Long.BYTES);
    if (allocated == null) {
      throw new IllegalStateException("no memory for descriptors: count=" + descriptorsCount);
    }
    memory = requireNonNull(allocated, "allocated");
    ring = dma.newRing(memory, ApertureLayout.DESCRIPTOR_BYTES, descriptorsCount);
    doorbell = new Doorbell(bar0 + ApertureLayout.TAIL, Integer.BYTES);
    port.mmioWrite(bar0 + ApertureLayout.RING_BASE, Long.BYTES, memory.iova());
    port.mmioWrite(bar0 + ApertureLayout.RING_SIZE, Integer.BYTES, descriptorsCount);
  }

  /**
   * Asks for a copy.
   *
   * @param port the core that asks
   * @param iova host memory as the device sees it, mapped until the copy is reaped
   * @param deviceOffset place in device memory
   * @param lengthBytes at least 1
   * @param isToHost the direction
   * @return {@code false} if the ring is full; nothing changed then
   */
  public boolean trySubmit(
      CpuPort port, long iova, long deviceOffset, int lengthBytes, boolean isToHost) {
    if (ring.freeCount() == 0) {
      return false;
    }
    long pa = ring.descriptorPa(ring.tail());
    long control = ApertureLayout.control(lengthBytes, isToHost);
    port.store(pa + ApertureLayout.HOST_OFFSET, Long.BYTES, iova);
    port.store(pa + ApertureLayout.DEVICE_OFFSET, Long.BYTES, deviceOffset);
    port.store(pa + ApertureLayout.CONTROL_OFFSET, Long.BYTES, control);
    port.store(pa + ApertureLayout.STATUS_OFFSET, Long.BYTES, memory.iova() + statusOffset);
    ring.advanceTail(1);
    submittedCount++;
    doorbell.ring(port, ring.tail());
    return true;
  }

  /**
   * Looks once for copies that are done.
   *
   * @param port the core that looks
   * @return how many are done that were not before
   */
  public int reap(CpuPort port) {
    long status = port.load(memory.pa() + statusOffset, Long.BYTES);
    int count = ApertureLayout.doneCount(status) - reapedCount;
    if (count > 0) {
      reapedCount += count;
      ring.advanceHead(count);
      errorsTotal += (status & ApertureLayout.STATUS_ERROR) != 0 ? 1 : 0;
    }
    return count;
  }

  /** {@return copies that have been asked for and not been reaped} */
  public int underWayCount() {
    return submittedCount - reapedCount;
  }

  /** {@return copies that were reaped as failed; of several reaped at once the last one counts} */
  public long errorsTotal() {
    return errorsTotal;
  }
}
