package io.github.bellwire.cache;

import io.github.bellwire.memory.MemoryController;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * DRAM of fixed latency that remembers its accesses, line by line. A test tells which lines are
 * newer in some cache, until they are written.
 */
final class LineMemory implements MemoryController {
  static final long READ = 50_000;
  static final long WRITE = 30_000;

  final List<String> accesses = new ArrayList<>();
  final Set<Long> newerInCaches = new HashSet<>();
  boolean isRecording = true;
  long staleReads;
  private final String prefix;

  LineMemory(String prefix) {
    this.prefix = prefix;
  }

  @Override
  public long read(long pa, int lengthBytes, long atPs) {
    if (isRecording) {
      accesses.add(prefix + "read " + pa / 64 + " at " + atPs);
      if (newerInCaches.contains(pa / 64)) {
        staleReads++;
      }
    }
    return atPs + READ;
  }

  @Override
  public long write(long pa, int lengthBytes, long atPs) {
    if (isRecording) {
      accesses.add(prefix + "write " + pa / 64 + " at " + atPs);
      newerInCaches.remove(pa / 64);
    }
    return atPs + WRITE;
  }
}
