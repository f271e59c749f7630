package io.github.bellwire.examples.iommu;

import io.github.bellwire.cpu.CpuPort;
import io.github.bellwire.cpu.InterruptVector;
import io.github.bellwire.cpu.Routine;
import io.github.bellwire.device.drive.DriveLayout;
import io.github.bellwire.dma.CoherentBuffer;
import io.github.bellwire.dma.DmaDevice;
import io.github.bellwire.dma.DmaDirection;
import io.github.bellwire.dma.PageAllocator;
import io.github.bellwire.host.Host;
import io.github.bellwire.stats.LatencyHistogram;
import io.github.bellwire.trace.LifecycleStep;
import io.github.bellwire.trace.OperationId;
import io.github.bellwire.trace.TraceCause;
import io.github.bellwire.trace.TraceSink;

/**
 * A core that keeps a number of reads outstanding at a drive: each is mapped before and unmapped
 * behind it.
 */
final class DriveLoad extends Routine {
  private static final int BLOCK_BYTES = 1 << 21;

  private final DmaDevice dma;
  private final long registers;
  private final int blockBytes;
  private final int cycles;
  private final boolean staysMapped;
  private final CoherentBuffer statuses;
  private final LatencyHistogram latency;
  private final long[] pas;
  private final long[] iovas;
  private final long[] startedPs;
  private final long[] operations;
  private TraceSink trace = (id, step, cause, timePs, address, lengthBytes) -> {};
  private int portIndex;
  private int queueIndex;
  private long submitted;
  private long reaped;

  /** Sets a queue up. */
  DriveLoad(
      Host host,
      int coreIndex,
      CpuPort port,
      DmaDevice dma,
      long registers,
      DriveMachine.Setup setup,
      LatencyHistogram latency) {
    super(host.core(coreIndex));
    this.dma = dma;
    this.registers = registers;
    this.blockBytes = setup.drive().blockBytes();
    this.cycles = setup.cyclesPerRead();
    this.staysMapped = setup.staysMapped();
    this.latency = latency;
    int depth = setup.depth();
    CoherentBuffer ring =
        dma.allocateCoherent(port, DriveLayout.STATUS_WORDS * DriveLayout.STATUS_BYTES);
    if (ring == null) {
      throw new IllegalStateException("there is no memory for status words");
    }
    statuses = ring;
    pas = new long[depth];
    iovas = new long[depth];
    startedPs = new long[depth];
    operations = new long[depth];
    int slotBytes = Math.max(PageAllocator.PAGE_BYTES, Integer.highestOneBit(2 * blockBytes - 1));
    long pa = host.pages().allocate(Math.max(BLOCK_BYTES, (long) depth * slotBytes));
    long iova = staysMapped ? map(port, pa, Math.max(BLOCK_BYTES, depth * slotBytes)) : 0;
    for (int i = 0; i < depth; i++) {
      pas[i] = pa + (long) i * slotBytes;
      iovas[i] = iova + (long) i * slotBytes;
    }
    InterruptVector vector = host.interrupts().allocate(core(), this);
    write(port, DriveLayout.STATUS_RING, ring.iova());
    write(port, DriveLayout.MESSAGE_ADDRESS, vector.address());
    write(port, DriveLayout.MESSAGE_DATA, vector.data());
  }

  private void write(CpuPort port, int register, long value) {
    port.mmioWrite(registers + register, Long.BYTES, value);
  }

  /** The first turn submits everything, later ones what has come back. */
  @Override
  protected void run(CpuPort port) {
    if (startedPs[0] == 0) {
      for (int i = 0; i < pas.length; i++) {
        submit(port, i);
      }
      return;
    }
    long pa = word();
    long iova = port.load(pa, DriveLayout.STATUS_BYTES);
    if (iova == 0) {
      return;
    }
    port.store(pa, DriveLayout.STATUS_BYTES, 0);
    int slot = slotOf(iova);
    trace(slot, LifecycleStep.COMPLETION, TraceCause.DONE_BIT_SEEN, port.nowPs());
    if (!staysMapped) {
      dma.unmapSingle(port, iova, blockBytes, DmaDirection.FROM_DEVICE);
      trace(slot, LifecycleStep.UNMAP, TraceCause.BUFFER_UNMAPPED, port.nowPs());
    }
    port.compute(cycles);
    latency.record(port.nowPs() - startedPs[slot]);
    reaped++;
    submit(port, slot);
    // One at a time: what cores compete for is asked for in the order of time.
    wakeAt(port.nowPs());
  }

  private long word() {
    return statuses.pa() + (reaped & DriveLayout.STATUS_WORDS - 1) * DriveLayout.STATUS_BYTES;
  }

  private int slotOf(long iova) {
    for (int i = 0; i < iovas.length; i++) {
      if (iovas[i] == iova) {
        return i;
      }
    }
    throw new IllegalStateException(String.format("no read has this buffer: iova=0x%x", iova));
  }

  private void submit(CpuPort port, int slot) {
    startedPs[slot] = port.nowPs();
    operations[slot] = OperationId.receive(portIndex, queueIndex, submitted++);
    if (!staysMapped) {
      iovas[slot] = map(port, pas[slot], blockBytes);
      trace(slot, LifecycleStep.MAP, TraceCause.BUFFER_MAPPED, port.nowPs());
    }
    write(port, DriveLayout.SUBMIT, iovas[slot]);
    trace(slot, LifecycleStep.DOORBELL, TraceCause.COMMAND_GIVEN, port.nowPs());
  }

  private void trace(int slot, LifecycleStep step, TraceCause cause, long timePs) {
    trace.onStep(operations[slot], step, cause, timePs, iovas[slot], blockBytes);
  }

  /** Lets somebody hear of the reads, as those of a drive and one of its queues. */
  void traceTo(TraceSink sink, int newPortIndex, int newQueueIndex) {
    trace = sink;
    portIndex = newPortIndex;
    queueIndex = newQueueIndex;
  }

  private long map(CpuPort port, long pa, int lengthBytes) {
    long iova = dma.mapSingle(port, pa, lengthBytes, DmaDirection.FROM_DEVICE);
    if (dma.isMappingError(iova)) {
      throw new IllegalStateException("a buffer cannot be mapped: pa=" + pa);
    }
    return iova;
  }

  /** {@return reads that have been asked for} */
  long submitted() {
    return submitted;
  }

  /** {@return reads that have come back} */
  long reaped() {
    return reaped;
  }
}
