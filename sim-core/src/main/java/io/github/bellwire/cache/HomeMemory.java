package io.github.bellwire.cache;

import io.github.bellwire.memory.MemoryController;
import java.util.List;

/** The DRAM of all sockets, line by line: every line is at home on one of them. */
final class HomeMemory {
  private static final int LINE_SHIFT = 6;

  private final MemoryController[] controllers;
  private final long secondSocketLine;
  private final CacheStatistics statistics;

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
    return controllers[socketOf(line)].read(line << LINE_SHIFT, CacheHierarchy.LINE_BYTES, atPs);
  }

  /** {@return when a line that arrives at a time has been written} */
  long write(long line, long atPs) {
    statistics.dramWrites++;
    return controllers[socketOf(line)].write(line << LINE_SHIFT, CacheHierarchy.LINE_BYTES, atPs);
  }

  /** Writes a dirty line that a cache gives up; nobody waits for it. */
  void writeBack(long line, long atPs) {
    statistics.writeBacks++;
    write(line, atPs);
  }
}
