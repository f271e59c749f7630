package io.github.bellwire.device.probe;

import io.github.bellwire.kernel.Event;
import io.github.bellwire.kernel.RandomStream;
import io.github.bellwire.kernel.Simulation;
import io.github.bellwire.pcie.ConfigSpace;
import io.github.bellwire.pcie.DmaPort;
import io.github.bellwire.trace.LifecycleStep;
import io.github.bellwire.trace.OperationId;
import io.github.bellwire.trace.TraceCause;
import io.github.bellwire.trace.TraceSink;
import org.jspecify.annotations.Nullable;

/**
 * One run of a probe. Happens when the first TLP of an operation may leave, and again whenever the
 * operation has to wait on its way; the command was given the {@link #leadPs lead} before.
 */
final class ProbeRunner extends Event {
  private final Simulation simulation;
  private final ProbeRun run;
  private final ProbeOperation operation;
  private final ProbeConfig.Firmware firmware;
  private final ReadEngine reads;
  private final WriteEngine writes;
  private final ReadPace readPace;
  private final WritePace writePace;
  private final @Nullable TraceSink trace;
  private final ProbeMeter meter;
  private final ProbeWindow.Addresses readAddresses;
  private final ProbeWindow.Addresses writeAddresses;
  private final RandomStream loopRandom;
  private final int sizeBytes;
  private final long pairIntervalPs;
  private final long setupPs;

  private Phase phase = Phase.BEGIN;
  private long readIova;
  private long writeIova;
  private long leadPs;
  private long begunPs;
  private boolean isEnded;
  private int lostCount;
  private long readBusyPsTotal;
  private long writeBusyPsTotal;
  private long readBegunPs;
  private long refusedSeen;

  private enum Phase {
    BEGIN,
    WRITE,
    READ_BEGIN,
    READ,
    ARRIVAL,
    END
  }

  ProbeRunner(
      Simulation simulation,
      ProbeConfig config,
      ProbeRun run,
      ConfigSpace configSpace,
      DmaPort dma,
      @Nullable TraceSink trace) {
    this.simulation = simulation;
    this.run = run;
    byte[] buffer = new byte[run.window().sizeBytes()];
    operation = run.operation();
    reads = new ReadEngine(config, dma, configSpace, buffer, !operation.isSingle());
    writes = new WriteEngine(dma, configSpace, buffer);
    readPace = new ReadPace(config.reads(), configSpace);
    writePace = new WritePace(config.writes(), configSpace);
    this.trace = trace;
    firmware = config.firmware();
    meter = new ProbeMeter(run);
    ProbeWindow window = run.window();
    readAddresses = window.addresses(simulation.randomStream(ProbeRun.READ_ADDRESSES));
    writeAddresses = window.addresses(simulation.randomStream(ProbeRun.WRITE_ADDRESSES));
    loopRandom = simulation.randomStream("probe.loop");
    sizeBytes = window.sizeBytes();
    pairIntervalPs = operation.hasReads() ? ProbeConfig.intervalPs(config.pairsPerSecond()) : 0;
    setupPs = config.writes().setupPs();
  }

  void start() {
    takeUpNext();
    simulation.schedule(this, simulation.nowPs() + leadPs);
  }

  /** The probe has lost its link or its state: nothing goes on. */
  void stop(long nowPs) {
    if (!isEnded) {
      simulation.cancel(this);
      isEnded = true;
      lostCount = reads.outstandingCount(nowPs);
    }
  }

  /** {@return reads that had no answer when the run was stopped} */
  int lostCount() {
    return lostCount;
  }

  ProbeMeter meter() {
    return meter;
  }

  /** {@return whether the last operation has ended} */
  boolean isDone() {
    return isEnded;
  }

  long tagsHeldPsTotal() {
    return reads.tagsHeldPsTotal();
  }

  long readBusyPsTotal() {
    return readBusyPsTotal;
  }

  long writeBusyPsTotal() {
    return writeBusyPsTotal;
  }

  long refusedTotal() {
    return reads.refusedTotal() + writes.refusedTotal();
  }

  @Override
  protected void onEvent(long nowPs) {
    switch (phase) {
      case BEGIN:
        begunPs = nowPs;
        writeOn(nowPs);
        break;
      case WRITE:
        writeOn(nowPs);
        break;
      case READ_BEGIN:
        readBegin(nowPs);
        break;
      case READ:
        readOn(nowPs);
        break;
      case ARRIVAL:
        awaitArrival(nowPs);
        break;
      default:
        isEnded = true;
        break;
    }
  }

  private void writeOn(long nowPs) {
    if (!operation.hasWrites()) {
      readBegin(nowPs);
      return;
    }
    long againPs = writes.issue(nowPs);
    if (againPs != WriteEngine.ISSUED) {
      goOn(Phase.WRITE, againPs);
    } else if (!operation.hasReads()) {
      finish(nowPs);
    } else if (operation.isSingle()) {
      goOn(Phase.READ_BEGIN, writes.sentPs()); // Queued right behind.
    } else {
      readBegin(nowPs);
    }
  }

  private void readBegin(long nowPs) {
    readBegunPs = nowPs;
    readOn(nowPs);
  }

  private void readOn(long nowPs) {
    long againPs = reads.issue(nowPs);
    if (againPs != ReadEngine.ISSUED) {
      goOn(Phase.READ, againPs);
    } else if (operation.isSingle()) {
      goOn(Phase.ARRIVAL, reads.arrivedPs());
    } else {
      finish(nowPs);
    }
  }

  /**
   * What others ask for meanwhile may come first, so when the data arrives is certain only then.
   */
  private void awaitArrival(long nowPs) {
    long arrivedPs = reads.updateArrivedPs();
    if (arrivedPs > nowPs) {
      goOn(Phase.ARRIVAL, arrivedPs);
    } else {
      finish(nowPs);
    }
  }

  private void goOn(Phase next, long atPs) {
    phase = next;
    // Data may turn out to have come before it was looked for.
    simulation.schedule(this, Math.max(atPs, simulation.nowPs()));
  }

  /** Everything has been issued, and what a single operation has read has arrived. */
  private void finish(long nowPs) {
    long donePs = operation.hasWrites() ? writes.committedPs() : 0;
    long startPs = begunPs - leadPs;
    long endPs = donePs;
    if (operation.hasReads()) {
      donePs = Math.max(donePs, reads.donePs());
      endPs = reads.donePs() + firmware.noticePs();
      startPs = operation.isSingle() ? startPs : readBegunPs - firmware.commandPs();
    }
    trace(startPs, endPs);
    boolean isOk = refusedTotal() == refusedSeen;
    refusedSeen = refusedTotal();
    if (operation.isSingle()) {
      meter.add(stamp(endPs) - stamp(startPs), endPs, isOk);
      beginNext(endPs + loopRandom.nextInt(2 * (int) firmware.loopPs() + 1));
    } else {
      meter.add(endPs - startPs, donePs, isOk);
      beginNext(enginesFreePs(nowPs));
    }
  }

  /**
   * Begins the next operation.
   *
   * @param atPs when its command is given if there is one at a time, when its first TLP may leave
   *     otherwise: engines fetch ahead
   */
  private void beginNext(long atPs) {
    if (meter.doneTotal() == run.totalCount()) {
      goOn(Phase.END, meter.lastPs());
      return;
    }
    takeUpNext();
    goOn(Phase.BEGIN, operation.isSingle() ? atPs + leadPs : atPs);
  }

  private void takeUpNext() {
    leadPs = firmware.commandPs();
    if (operation.hasWrites()) {
      writeIova = writeAddresses.next();
      writes.begin(writeIova, sizeBytes);
      leadPs += setupPs + writePace.fetchPs(writeIova, sizeBytes);
    }
    if (operation.hasReads()) {
      // Behind its own write, a read is of the same bytes.
      readIova = operation.isSingle() && operation.hasWrites() ? writeIova : readAddresses.next();
      reads.begin(readIova, sizeBytes);
    }
  }

  private long enginesFreePs(long nowPs) {
    long freePs = nowPs;
    if (operation.hasReads()) {
      long occupiedPs = readPace.occupiedPs(readIova, sizeBytes);
      readBusyPsTotal += occupiedPs;
      freePs = Math.max(freePs, readBegunPs + occupiedPs);
      freePs = Math.max(freePs, reads.nextReadPs());
    }
    if (operation.hasWrites()) {
      long occupiedPs = Math.max(writePace.occupiedPs(writeIova, sizeBytes), pairIntervalPs);
      writeBusyPsTotal += occupiedPs;
      freePs = Math.max(freePs, begunPs + occupiedPs);
      freePs = Math.max(freePs, writes.sentPs());
    }
    return freePs;
  }

  private long stamp(long ps) {
    return ps - ps % firmware.timestampPs(); // The clock shows its last step.
  }

  private void trace(long startPs, long endPs) {
    if (trace == null) {
      return;
    }
    long id = OperationId.transmit(0, 0, meter.doneTotal());
    step(id, LifecycleStep.DOORBELL, TraceCause.COMMAND_GIVEN, startPs, 0);
    if (operation.hasWrites()) {
      long committedPs = writes.committedPs();
      step(id, LifecycleStep.DEVICE_DMA, TraceCause.PAYLOAD_WRITTEN, committedPs, writeIova);
    }
    if (operation.hasReads()) {
      step(id, LifecycleStep.DEVICE_DMA, TraceCause.PAYLOAD_READ, reads.donePs(), readIova);
    }
    step(id, LifecycleStep.COMPLETION, TraceCause.END_NOTICED, endPs, 0);
  }

  private void step(long id, LifecycleStep step, TraceCause cause, long atPs, long iova) {
    if (trace != null) {
      trace.onStep(id, step, cause, atPs, iova, iova == 0 ? 0 : sizeBytes);
    }
  }
}
