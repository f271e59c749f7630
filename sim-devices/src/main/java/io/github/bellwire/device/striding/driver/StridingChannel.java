package io.github.bellwire.device.striding.driver;

import io.github.bellwire.cpu.Core;
import io.github.bellwire.cpu.CpuPort;
import io.github.bellwire.cpu.InterruptController;
import io.github.bellwire.cpu.InterruptVector;
import io.github.bellwire.cpu.Routine;
import io.github.bellwire.device.striding.StridingLayout;
import io.github.bellwire.dma.CoherentBuffer;
import io.github.bellwire.dma.DmaDevice;
import io.github.bellwire.dma.DmaDirection;
import io.github.bellwire.dma.PageAllocator;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * One queue pair of the adapter on its core: an event wakes it, it takes completions up to its
 * budget, gives finished entries' pages back, fills entries again, and asks for the next event.
 */
public final class StridingChannel extends Routine {
  private static final int PAGE_BYTES = PageAllocator.PAGE_BYTES;
  private static final int COMPLETIONS_MAX = 4096;
  private static final int UNMAPS_AT_ONCE = 2;

  private final StridingChannelConfig config;
  private final DmaDevice dma;
  private final PageAllocator allocator;
  private final long registers;
  private final FrameHandler handler;
  private final RxPages pages;
  private final RxEntry[] entries;
  private final CoherentBuffer rxRing;
  private final CoherentBuffer txRing;
  private final CoherentBuffer completions;
  private final int completionsCount;

  private long posted;
  private long returned;
  private long taken;
  private long queued;
  private long rung;
  private long sent;
  private final long[] txPas;
  private final long[] txIovas;
  private final int[] txLengths;
  private long turnsTotal;

  // Of the turn.
  private boolean isInTurn;
  private int turnCount;
  private @Nullable RxEntry giving;
  private int given;
  private int reclaimable;

  /**
   * Sets a queue pair up, without receive entries.
   *
   * @param core where the channel runs
   * @param port what executes the set-up
   * @param dma the device's mappings
   * @param allocator of pages
   * @param interrupts where events' messages go
   * @param registers host physical address of the queue's registers
   * @param config of the channel
   * @param handler takes the frames
   */
  public StridingChannel(
      Core core,
      CpuPort port,
      DmaDevice dma,
      PageAllocator allocator,
      InterruptController interrupts,
      long registers,
      StridingChannelConfig config,
      FrameHandler handler) {
    super(core);
    this.config = config;
    this.dma = dma;
    this.allocator = allocator;
    this.registers = registers;
    this.handler = handler;
    pages = new RxPages(config.policy(), dma, allocator, config.costs(), config.recycledMax());
    entries = new RxEntry[config.rxEntries()];
    Arrays.setAll(entries, i -> new RxEntry(config.pagesPerEntry()));
    long frames =
        (long) config.rxEntries() * config.pagesPerEntry() * PAGE_BYTES / config.strideBytes();
    completionsCount = (int) Long.highestOneBit(Math.min(COMPLETIONS_MAX, 2 * frames));
    rxRing =
        coherent(port, config.rxEntries() * config.pagesPerEntry() * StridingLayout.ADDRESS_BYTES);
    txRing = coherent(port, config.txEntries() * StridingLayout.TX_ENTRY_BYTES);
    completions = coherent(port, completionsCount * StridingLayout.COMPLETION_BYTES);
    txPas = new long[config.txEntries()];
    txIovas = new long[config.txEntries()];
    txLengths = new int[config.txEntries()];
    program(port, interrupts.allocate(core, this), coherent(port, PAGE_BYTES));
  }

  private CoherentBuffer coherent(CpuPort port, int sizeBytes) {
    CoherentBuffer buffer = dma.allocateCoherent(port, sizeBytes);
    if (buffer == null) {
      throw new IllegalStateException("there is no memory for a ring: sizeBytes=" + sizeBytes);
    }
    return buffer;
  }

  private void program(CpuPort port, InterruptVector vector, CoherentBuffer events) {
    write(port, StridingLayout.RX_ENTRIES, config.rxEntries());
    write(port, StridingLayout.RX_RING, rxRing.iova());
    write(port, StridingLayout.RX_PAGES, config.pagesPerEntry());
    write(port, StridingLayout.RX_STRIDE, config.strideBytes());
    write(port, StridingLayout.RX_FRAME_MAX, config.frameMaxBytes());
    write(port, StridingLayout.TX_ENTRIES, config.txEntries());
    write(port, StridingLayout.TX_RING, txRing.iova());
    write(port, StridingLayout.CQ_ENTRIES, completionsCount);
    write(port, StridingLayout.CQ_RING, completions.iova());
    write(port, StridingLayout.EVENTS, events.iova());
    write(port, StridingLayout.MESSAGE_ADDRESS, vector.address());
    write(port, StridingLayout.MESSAGE_DATA, vector.data());
    write(port, StridingLayout.MODERATION_NS, config.moderationNs());
    write(port, StridingLayout.CQ_ARM, 0);
  }

  private void write(CpuPort port, int register, long value) {
    port.mmioWrite(registers + register, Long.BYTES, value);
  }

  /**
   * Fills empty entries with pages.
   *
   * @param port the core
   * @param most how many entries at most
   */
  public void refill(CpuPort port, int most) {
    int filled = 0;
    while (filled < most && posted - returned < config.rxEntries()) {
      int place = (int) posted & config.rxEntries() - 1;
      RxEntry entry = entries[place];
      pages.take(port, entry);
      long entryPa =
          rxRing.pa() + (long) place * config.pagesPerEntry() * StridingLayout.ADDRESS_BYTES;
      for (int i = 0; i < entry.pages.length; i++) {
        long pa = entryPa + (long) i * StridingLayout.ADDRESS_BYTES;
        port.store(pa, Long.BYTES, entry.pages[i].iova);
      }
      posted++;
      filled++;
    }
    if (filled > 0) {
      write(port, StridingLayout.RX_TAIL, posted);
    }
  }

  /**
   * Sends a frame, at the end of the turn or with {@link #ring}.
   *
   * @param port the core
   * @param frame its bytes
   * @param lengthBytes 1..4096
   * @return whether there was room
   */
  public boolean transmit(CpuPort port, byte[] frame, int lengthBytes) {
    if (queued - sent >= config.txEntries()) {
      return false;
    }
    int place = (int) queued & config.txEntries() - 1;
    long pa = allocator.allocate(PAGE_BYTES);
    port.store(pa, frame, 0, lengthBytes);
    long iova = dma.mapSingle(port, pa, lengthBytes, DmaDirection.TO_DEVICE);
    if (dma.isMappingError(iova)) {
      allocator.free(pa, PAGE_BYTES);
      return false;
    }
    port.compute(config.costs().perTransmit());
    txPas[place] = pa;
    txIovas[place] = iova;
    txLengths[place] = lengthBytes;
    long entryPa = txRing.pa() + (long) place * StridingLayout.TX_ENTRY_BYTES;
    port.store(entryPa + StridingLayout.TX_ADDRESS, Long.BYTES, iova);
    port.store(entryPa + StridingLayout.TX_LENGTH, Integer.BYTES, lengthBytes);
    queued++;
    return true;
  }

  /**
   * Lets the adapter know of what is to be sent.
   *
   * @param port the core
   */
  public void ring(CpuPort port) {
    if (queued > rung) {
      rung = queued;
      write(port, StridingLayout.TX_TAIL, queued);
    }
  }

  /**
   * A turn, or a part of one: whenever it has waited for invalidations a few times it lets go, so
   * that cores which compete for them ask in the order of time.
   */
  @Override
  protected void run(CpuPort port) {
    if (turnCount == 0 && !isInTurn) {
      isInTurn = true;
      turnsTotal++;
      port.compute(config.costs().perEvent());
    }
    while (turnCount < config.budget() || giving != null || reclaimable > 0) {
      if (unmapSome(port)) {
        wakeAt(port.nowPs());
        return;
      }
      if (turnCount == config.budget() || !takeCompletion(port)) {
        break;
      }
      turnCount++;
    }
    endTurn(port);
  }

  private void endTurn(CpuPort port) {
    boolean isSpent = turnCount == config.budget();
    turnCount = 0;
    isInTurn = false;
    handler.onTurnEnd(port, this);
    ring(port);
    refill(port, config.rxEntries());
    if (isSpent) {
      wakeAt(port.nowPs());
    } else {
      write(port, StridingLayout.CQ_ARM, taken);
    }
  }

  /** Gives a few pages or sent frames back; returns whether there were any. */
  private boolean unmapSome(CpuPort port) {
    RxEntry entry = giving;
    if (entry != null) {
      given = pages.putBack(port, entry, given, UNMAPS_AT_ONCE);
      if (given == entry.pages.length) {
        giving = null;
        given = 0;
        returned++;
      }
      return true;
    }
    int count = Math.min(UNMAPS_AT_ONCE, reclaimable);
    reclaim(port, count);
    reclaimable -= count;
    return count > 0;
  }

  private boolean takeCompletion(CpuPort port) {
    int place = (int) taken & completionsCount - 1;
    long pa = completions.pa() + (long) place * StridingLayout.COMPLETION_BYTES;
    int generation = (int) (taken / completionsCount) + 1;
    if ((int) port.load(pa + StridingLayout.GENERATION, Integer.BYTES) != generation) {
      return false;
    }
    taken++;
    port.compute(config.costs().perCompletion());
    int length = (int) port.load(pa + StridingLayout.LENGTH, Integer.BYTES);
    if (port.load(pa + StridingLayout.KIND, Integer.BYTES) == StridingLayout.KIND_SENT) {
      reclaimable += length;
      return true;
    }
    int flow = (int) port.load(pa + StridingLayout.FLOW, Integer.BYTES);
    int sequence = (int) port.load(pa + StridingLayout.SEQUENCE, Integer.BYTES);
    int offset = (int) port.load(pa + StridingLayout.OFFSET, Integer.BYTES);
    RxEntry entry = entries[(int) port.load(pa + StridingLayout.ENTRY, Integer.BYTES)];
    int first = offset / PAGE_BYTES;
    int last = (offset + length - 1) / PAGE_BYTES;
    handler.onFrame(port, this, flow, sequence, length, entry.pages, first, last);
    if (port.load(pa + StridingLayout.ENTRY_DONE, Integer.BYTES) != 0) {
      giving = entry;
    }
    return true;
  }

  private void reclaim(CpuPort port, int count) {
    for (int i = 0; i < count; i++) {
      int place = (int) sent & config.txEntries() - 1;
      dma.unmapSingle(port, txIovas[place], txLengths[place], DmaDirection.TO_DEVICE);
      allocator.free(txPas[place], PAGE_BYTES);
      sent++;
    }
  }

  /** {@return its pages} */
  public RxPages pages() {
    return pages;
  }

  /** {@return how often it has been woken} */
  public long turnsTotal() {
    return turnsTotal;
  }

  /** {@return frames handed over to be sent} */
  public long queuedTotal() {
    return queued;
  }
}
