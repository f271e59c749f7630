package io.github.bellwire.cache;

import io.github.bellwire.memory.MemoryController;
import java.util.List;

/** The DRAM of all sockets, line by line: every line is at home on one of them. */
final class HomeMemory {
  private static final int LINE_SHIFT = 6;

  private final MemoryController[] controllers;
  private final long secondSocketLine;
  private final CacheStatistics statistics;
  private long waitPs;

  HomeMemory(NumaConfig numa, List<MemoryController> controllers, CacheStatistics statistics) {
    this.controllers = controllers.toArray(new MemoryController[0]);
    secondSocketLine = numa.sockets() == 1 ? Long.MAX_VALUE : numa.secondSocketPa() >>> LINE_SHIFT;
    this.statistics = statistics;
  }

  /** {@return the socket to whose memory a line belongs} */
  int socketOf(long line) {
    return line < secondSocketLine ? 0 : 1;
  }

  /** {@return when a line that is asked for at a time has been read} */
  long read(long line, long atPs) {
    statistics.dramReads++;
    MemoryController controller = controllers[socketOf(line)];
    long donePs = controller.read(line << LINE_SHIFT, CacheHierarchy.LINE_BYTES, atPs);
    waitPs = Math.max(waitPs, controller.waitPs());
    return donePs;
  }

  /** {@return when a line that arrives at a time has been written} */
  long write(long line, long atPs) {
    statistics.dramWrites++;
    MemoryController controller = controllers[socketOf(line)];
    long donePs = controller.write(line << LINE_SHIFT, CacheHierarchy.LINE_BYTES, atPs);
    waitPs = Math.max(waitPs, controller.waitPs());
    return donePs;
  }

  /** Begins an access: what earlier ones had to wait for does not count any more. */
  void beginAccess() {
    waitPs = 0;
  }

  /** {@return for how long memory has not taken something that the access has sent there} */
  long waitPs() {
    return waitPs;
  }

  /** {@return how much all sockets have been asked for, the low 32 bits of each} */
  long mark() {
    long mark = controllers[0].askedTotal();
    return controllers.length == 1 ? mark : mark << Integer.SIZE | asked(1);
  }

  /** {@return how much later than told what was read between two marks is there, as known now} */
  long delayPs(long from, long to, long nowPs) {
    if (controllers.length == 1) {
      return controllers[0].delayPs(from, to, nowPs);
    }
    long nearPs = delayPs(0, (int) (from >>> Integer.SIZE), (int) (to >>> Integer.SIZE), nowPs);
    long farPs = delayPs(1, (int) from, (int) to, nowPs);
    if (nearPs == MemoryController.FORGOTTEN || farPs == MemoryController.FORGOTTEN) {
      return MemoryController.FORGOTTEN;
    }
    return farPs == 0 ? nearPs : nearPs == 0 ? farPs : Math.max(nearPs, farPs);
  }

  /** {@return how often an answer has changed} */
  long changesTotal() {
    long changes = 0;
    for (MemoryController controller : controllers) {
      changes += controller.changesTotal();
    }
    return changes;
  }

  private long delayPs(int socket, int from, int to, long nowPs) {
    if (from == to) {
      return 0;
    }
    long asked = controllers[socket].askedTotal();
    long first = asked - ((int) asked - from);
    return controllers[socket].delayPs(first, first + (to - from), nowPs);
  }

  private long asked(int socket) {
    return Integer.toUnsignedLong((int) controllers[socket].askedTotal());
  }

  /** Writes a dirty line that a cache gives up; nobody waits for it, unless memory has no room. */
  void writeBack(long line, long atPs) {
    statistics.writeBacks++;
    write(line, atPs);
  }
}
