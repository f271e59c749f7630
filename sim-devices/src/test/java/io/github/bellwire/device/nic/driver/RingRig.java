package io.github.bellwire.device.nic.driver;

import io.github.bellwire.device.nic.NicRegisters;
import io.github.bellwire.device.nic.RxDescriptorLayout;
import io.github.bellwire.device.nic.TxDescriptorLayout;
import io.github.bellwire.dma.CoherentBuffer;
import io.github.bellwire.dma.DmaConfig;
import io.github.bellwire.dma.DmaDevice;
import io.github.bellwire.dma.DmaMapper;
import io.github.bellwire.dma.MemoryZones;
import io.github.bellwire.dma.PageAllocator;
import io.github.bellwire.trace.TraceSink;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Rings on a fake core; the test plays the device by writing to their memory. */
final class RingRig {
  final FakePort port = new FakePort();
  final PageAllocator pages = new PageAllocator(MemoryZones.ofRam(16 << 20, 64 << 20));
  final DmaDevice dma;
  final BufferPool pool;
  final NicDriverConfig config;
  final @Nullable TraceSink trace;
  private final BufferMapping mapping;

  RingRig(NicDriverConfig config, int buffers, @Nullable TraceSink trace) {
    this.config = config;
    this.trace = trace;
    dma = new DmaDevice(DmaConfig.LINUX_DEFAULT, pages, DmaMapper.IDENTITY, null);
    dma.trySetMask(64);
    dma.trySetCoherentMask(64);
    pool = new BufferPool(pages, config.bufferBytes(), buffers);
    int cycles = config.profile().perMapping();
    mapping = new BufferMapping(port, dma, pool, config.mode().isPreMapped(), cycles);
  }

  RxRing rxRing() {
    long tail = FakePort.BAR0 + NicRegisters.rdt(0);
    CoherentBuffer memory = memory(RxDescriptorLayout.SIZE_BYTES);
    RxRing ring = new RxRing(0, config, memory, tail, pool, mapping, 0, trace);
    ring.fill(port);
    ring.announceAll(port);
    return ring;
  }

  TxRing txRing() {
    CoherentBuffer memory = memory(TxDescriptorLayout.SIZE_BYTES);
    return new TxRing(0, config, memory, FakePort.BAR0, dma, pool, mapping, 0, trace);
  }

  /** Plays the device: a receive descriptor is done. */
  void receive(RxRing ring, int index, int lengthBytes, boolean isEnd) {
    long descriptor = ring.memory().pa() + 16L * index;
    int status = RxDescriptorLayout.STATUS_DD | (isEnd ? RxDescriptorLayout.STATUS_EOP : 0);
    port.memory.putLong(descriptor, RxDescriptorLayout.writeBackLow(2, 0, 0, false, 0x1234));
    port.memory.putLong(descriptor + 8, RxDescriptorLayout.writeBackHigh(status, lengthBytes, 0));
  }

  /** Plays the device: a transmit descriptor is done. */
  void sent(TxRing ring, int index) {
    long high = ring.memory().pa() + 16L * index + 8;
    port.memory.putLong(high, TxDescriptorLayout.done(port.memory.getLong(high)));
  }

  long rxLow(RxRing ring, int index) {
    return port.memory.getLong(ring.memory().pa() + 16L * index);
  }

  long rxHigh(RxRing ring, int index) {
    return port.memory.getLong(ring.memory().pa() + 16L * index + 8);
  }

  long txLow(TxRing ring, int index) {
    return port.memory.getLong(ring.memory().pa() + 16L * index);
  }

  long txHigh(TxRing ring, int index) {
    return port.memory.getLong(ring.memory().pa() + 16L * index + 8);
  }

  private CoherentBuffer memory(int descriptorBytes) {
    int sizeBytes = config.ringSize() * descriptorBytes;
    return Objects.requireNonNull(dma.allocateCoherent(port, sizeBytes), "memory");
  }
}
