package io.github.bellwire.pcie;

import io.github.bellwire.cache.CacheHierarchy;
import io.github.bellwire.cache.DeviceCachePort;
import io.github.bellwire.cache.DevicePortConfig;
import io.github.bellwire.kernel.Event;
import io.github.bellwire.kernel.Simulation;
import io.github.bellwire.memory.MemoryController;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Root complex, caches and DRAM in which every visit to a stage is an event, in the order of time,
 * and nothing is known before it happens: the measure for annotated time. It has the delays and the
 * stages of the real path, but not the path.
 *
 * <pre>{@code
 * requester: tag | serializer up | root complex | cache | DRAM per line | serializer down | tag
 *            ^each bar is at least one event
 * }</pre>
 */
final class EventOrderedHost {
  private final Simulation simulation;
  private final RootComplexConfig rootComplex;
  private final DeviceCachePort caches;
  private final List<Line> asked = new ArrayList<>();
  private final Dram dram;

  /** DRAM, called at the time of arrival. */
  interface Dram {
    /**
     * Asks for a line now.
     *
     * @param done is told when its data is there
     */
    void ask(long pa, boolean isWrite, Consumer<Long> done);
  }

  /** What the caches want of DRAM and when. */
  private record Line(long pa, boolean isWrite, long atPs) {}

  /** Remembers what the caches ask for and takes no time; that comes later. */
  private final class Recorder implements MemoryController {
    @Override
    public long read(long pa, int lengthBytes, long atPs) {
      asked.add(new Line(pa, false, atPs));
      return atPs;
    }

    @Override
    public long write(long pa, int lengthBytes, long atPs) {
      asked.add(new Line(pa, true, atPs));
      return atPs;
    }
  }

  /** Something at a time. */
  private static final class Step extends Event {
    private final LongConsumer action;

    Step(LongConsumer action) {
      this.action = action;
    }

    @Override
    protected void onEvent(long nowPs) {
      action.accept(nowPs);
    }
  }

  EventOrderedHost(
      Simulation simulation,
      RootComplexConfig rootComplex,
      Function<MemoryController, CacheHierarchy> caches,
      Dram dram) {
    this.simulation = simulation;
    this.rootComplex = rootComplex;
    this.dram = dram;
    this.caches = caches.apply(new Recorder()).devicePort(DevicePortConfig.DEFAULT);
  }

  /** Lets the caches know lines before anything is measured. */
  void warm(long pa, int lengthBytes) {
    caches.write(pa, lengthBytes, false, 0);
    asked.clear();
  }

  void at(long ps, LongConsumer action) {
    simulation.schedule(new Step(action), ps);
  }

  /** Visits the caches now, then DRAM; tells when all lines are there. */
  private void access(boolean isWrite, long pa, int lengthBytes, LongConsumer done) {
    long nowPs = simulation.nowPs();
    long hitPs =
        isWrite
            ? caches.write(pa, lengthBytes, false, nowPs)
            : caches.read(pa, lengthBytes, false, nowPs);
    List<Line> lines = List.copyOf(asked);
    asked.clear();
    // The last that is there tells.
    long[] state = {1, hitPs};
    Consumer<Long> arrived =
        linePs -> {
          state[1] = Math.max(state[1], linePs);
          if (--state[0] == 0) {
            at(state[1], done);
          }
        };
    for (Line line : lines) {
      // Nobody waits for a write.
      state[0] += line.isWrite ? 0 : 1;
      Consumer<Long> listener = line.isWrite ? linePs -> {} : arrived;
      at(line.atPs, ps -> dram.ask(line.pa, line.isWrite, listener));
    }
    arrived.accept(hitPs);
  }

  /** {@return a device with its link} */
  Requester requester(ClosedLoopLoad load, PcieLinkConfig link) {
    return new Requester(load, link);
  }

  /** A device that does what {@link AnnotatedRequester} does. */
  final class Requester {
    private final ClosedLoopLoad load;
    private final PcieLinkConfig link;
    private final LinkDirection upstream;
    private final LinkDirection downstream;
    private final ArrayDeque<Posted> posted = new ArrayDeque<>();
    private int freeTags;
    private boolean isWaiting;
    private @Nullable Operation operation;

    private final class Operation {
      final long address = load.nextAddress();
      final long startPs;
      int issuedBytes;
      int doneBytes;

      Operation(long startPs) {
        this.startPs = startPs;
      }
    }

    /** A write in the order of sending; it may commit when those before it have. */
    private static final class Posted {
      final Operation operation;
      final int lengthBytes;
      boolean isReady;

      Posted(Operation operation, int lengthBytes) {
        this.operation = operation;
        this.lengthBytes = lengthBytes;
      }
    }

    Requester(ClosedLoopLoad load, PcieLinkConfig link) {
      this.load = load;
      this.link = link;
      upstream = new LinkDirection(link, simulation);
      downstream = new LinkDirection(link, simulation);
      freeTags = load.tags;
    }

    void goOn(long nowPs) {
      if (load.isWrite) {
        write(nowPs);
      } else {
        read(nowPs);
      }
    }

    private void read(long nowPs) {
      while (freeTags > 0) {
        Operation of = begin(nowPs);
        long address = of.address + of.issuedBytes;
        int left = load.sizeBytes - of.issuedBytes;
        int piece = TlpLayout.requestPieceBytes(address, left, link.maxReadRequestBytes());
        of.issuedBytes += piece;
        freeTags--;
        long sentPs = upstream.transmitMemoryRead(TlpLayout.requestBytes(address), nowPs);
        at(
            upstream.arrivalPs(sentPs) + rootComplex.upstreamPs(),
            ps -> access(false, address, piece, dataPs -> answer(of, address, piece, dataPs)));
      }
      isWaiting = true;
    }

    private void answer(Operation of, long address, int lengthBytes, long dataPs) {
      at(dataPs + rootComplex.downstreamPs(), ps -> complete(of, address, lengthBytes, ps));
    }

    private void complete(Operation of, long address, int lengthBytes, long nowPs) {
      long sentPs = 0;
      int done = 0;
      while (done < lengthBytes) {
        int piece =
            TlpLayout.completionPieceBytes(
                address + done,
                lengthBytes - done,
                link.maxPayloadBytes(),
                link.readCompletionBoundaryBytes());
        int wireBytes = TlpLayout.COMPLETION_BYTES + TlpLayout.dataBytes(address + done, piece);
        sentPs = downstream.transmitCompletionWithData(wireBytes, nowPs);
        done += piece;
      }
      at(downstream.arrivalPs(sentPs), ps -> end(of, lengthBytes, ps, true));
    }

    private void write(long nowPs) {
      if (isBetween()) {
        if (freeTags == 0) {
          isWaiting = true;
          return;
        }
        freeTags--;
      }
      Operation of = begin(nowPs);
      long address = of.address + of.issuedBytes;
      int left = load.sizeBytes - of.issuedBytes;
      int piece = TlpLayout.requestPieceBytes(address, left, link.maxPayloadBytes());
      of.issuedBytes += piece;
      int wireBytes = TlpLayout.requestBytes(address) + TlpLayout.dataBytes(address, piece);
      long sentPs = upstream.transmitMemoryWrite(wireBytes, nowPs);
      Posted write = new Posted(of, piece);
      posted.add(write);
      at(
          upstream.arrivalPs(sentPs) + rootComplex.upstreamPs() + rootComplex.ownershipPs(),
          ps -> access(true, address, piece, readyPs -> commit(write, readyPs)));
      at(sentPs, this::goOn);
    }

    private void commit(Posted write, long nowPs) {
      write.isReady = true;
      while (!posted.isEmpty() && posted.peek().isReady) {
        Posted next = posted.remove();
        boolean isLast = next.operation.doneBytes + next.lengthBytes == load.sizeBytes;
        end(next.operation, next.lengthBytes, nowPs, isLast);
      }
    }

    private boolean isBetween() {
      return operation == null || operation.issuedBytes == load.sizeBytes;
    }

    private Operation begin(long nowPs) {
      if (operation == null || operation.issuedBytes == load.sizeBytes) {
        operation = new Operation(nowPs);
      }
      return operation;
    }

    private void end(Operation of, int lengthBytes, long nowPs, boolean freesTag) {
      of.doneBytes += lengthBytes;
      if (of.doneBytes == load.sizeBytes) {
        load.done(of.startPs, nowPs);
      }
      freeTags += freesTag ? 1 : 0;
      if (isWaiting && freesTag) {
        isWaiting = false;
        goOn(nowPs);
      }
    }
  }
}
