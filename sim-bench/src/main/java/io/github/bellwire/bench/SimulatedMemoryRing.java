package io.github.bellwire.bench;

import io.github.bellwire.dma.CoherentBuffer;
import io.github.bellwire.dma.DescriptorRing;
import io.github.bellwire.memory.PhysicalMemory;

/**
 * A descriptor ring in simulated memory, with both indices in that memory as a device keeps them.
 */
final class SimulatedMemoryRing extends RingTransfer {
  private static final long BASE = PhysicalMemory.HIGH_BASE + (1 << 20);
  private static final long TAIL = PhysicalMemory.HIGH_BASE + (2 << 20);
  private static final long HEAD = TAIL + 64;

  private final PhysicalMemory memory = new PhysicalMemory(0, 64 << 20);
  private final DescriptorRing ring;
  private final int descriptorBytes;

  SimulatedMemoryRing(int descriptorBytes) {
    this.descriptorBytes = descriptorBytes;
    CoherentBuffer buffer = new CoherentBuffer(BASE, BASE, SLOTS * descriptorBytes);
    ring = new DescriptorRing(buffer, descriptorBytes, SLOTS);
  }

  @Override
  long produceAndConsume(long value) {
    long produced = ring.descriptorPa(ring.tail());
    for (int offset = 0; offset < descriptorBytes; offset += 2 * Long.BYTES) {
      memory.putLongs(produced + offset, value + offset, value + offset + Long.BYTES);
    }
    ring.advanceTail(1);
    memory.putInt(TAIL, ring.tail());

    if (memory.getInt(TAIL) == ring.head()) {
      throw new IllegalStateException("ring must hold what was produced");
    }
    long consumed = ring.descriptorPa(ring.head());
    long sum = 0;
    for (int offset = 0; offset < descriptorBytes; offset += Long.BYTES) {
      sum += memory.getLong(consumed + offset);
    }
    ring.advanceHead(1);
    memory.putInt(HEAD, ring.head());
    return sum;
  }
}
