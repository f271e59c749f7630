package io.github.bellwire.examples.nic;

import io.github.bellwire.cpu.Core;
import io.github.bellwire.cpu.CpuPort;
import io.github.bellwire.cpu.PollLoop;
import io.github.bellwire.device.nic.driver.BufferPool;
import io.github.bellwire.device.nic.driver.NicDriverConfig;
import io.github.bellwire.device.nic.driver.TxRing;
import java.util.List;

/**
 * Host software that sends the frames of a queue of work as fast as its rings take them, a batch
 * and a tail write at a time. Writing a frame's bytes into a buffer costs the core its stores.
 */
final class Transmitter extends PollLoop {
  private final TransmitWork work;
  private final BufferPool pool;
  private final TxRing[] rings;
  private final int batch;
  private final int roomWanted;
  private final int cyclesPerBatch;

  /**
   * Creates a sender; wake it to start it.
   *
   * @param core where it runs
   * @param work what to send, shared by all senders
   * @param pool where frames are built
   * @param rings at least one
   * @param software batch size and costs
   */
  Transmitter(
      Core core, TransmitWork work, BufferPool pool, List<TxRing> rings, NicDriverConfig software) {
    super(core, rings.size());
    this.work = work;
    this.pool = pool;
    this.rings = rings.toArray(new TxRing[0]);
    batch = software.batch();
    // The card may keep back a partial write-back, at most half of a ring, and the driver a partial
    // group, at most a quarter. To wait for more room than the rest would be to wait for ever.
    roomWanted = Math.min(batch, software.ringSize() / 4);
    cyclesPerBatch = software.profile().perBatch();
  }

  @Override
  protected boolean poll(CpuPort port) {
    boolean hasProgress = false;
    for (TxRing ring : rings) {
      port.compute(cyclesPerBatch);
      hasProgress |= ring.clean(port, Integer.MAX_VALUE) > 0;
      hasProgress |= sendBatch(port, ring) > 0;
      ring.flush(port);
      if (!work.hasFrame() && !ring.isIdle()) {
        hasProgress |= ring.finish(port) > 0;
      }
    }
    if (!hasProgress && work.hasFrame() && work.duePs() > port.nowPs()) {
      wakeAt(work.duePs());
    }
    return hasProgress;
  }

  @Override
  protected long watchedPa(int index) {
    return rings[index].nextStatusPa();
  }

  /** Sends nothing while there is little room, so that a tail write is worth its cost. */
  private int sendBatch(CpuPort port, TxRing ring) {
    if (ring.freeCount() < roomWanted && !ring.isIdle()) {
      return 0;
    }
    int sent = 0;
    while (sent < batch && work.hasFrame() && work.duePs() <= port.nowPs()) {
      int buffer = pool.take();
      if (buffer == BufferPool.NO_BUFFER) {
        return sent;
      }
      int length = work.lengthBytes();
      port.store(pool.pa(buffer), work.frame(), 0, length);
      if (!ring.trySend(port, buffer, length)) {
        pool.give(buffer);
        return sent;
      }
      work.moveOn();
      sent++;
    }
    return sent;
  }
}
