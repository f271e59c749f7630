package io.github.bellwire.trace;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class TraceHashTest {
  private record Step(
      long operationId,
      LifecycleStep step,
      TraceCause cause,
      long timePs,
      long address,
      long lengthBytes) {}

  private static final Step FIRST =
      new Step(7, LifecycleStep.MAP, TraceCause.BUFFER_MAPPED, 1_000, 0x1_0000_0000L, 64);
  private static final Step SECOND =
      new Step(7, LifecycleStep.DOORBELL, TraceCause.TAIL_WRITTEN, 1_500, 0, 0);

  @Test
  void shouldHashToTheSameValueOnEveryJdk() {
    // Golden values, recomputed by an independent program (64-bit arithmetic of Python integers).
    assertThat(hash(List.of())).isEqualTo("9e3779b97f4a7c15");
    assertThat(hash(List.of(FIRST))).isEqualTo("47460ca8656a03ef");
    assertThat(hash(List.of(FIRST, SECOND))).isEqualTo("a81caad828d9e120");
  }

  @Test
  void shouldChangeWithEveryFieldAndWithTheOrder() {
    Set<String> hashes = new HashSet<>();

    hashes.add(hash(List.of()));
    hashes.add(hash(List.of(FIRST)));
    hashes.add(hash(List.of(FIRST, SECOND)));
    hashes.add(hash(List.of(SECOND, FIRST)));
    hashes.add(hash(List.of(FIRST, FIRST)));
    hashes.add(hash(List.of(new Step(8, FIRST.step, FIRST.cause, 1_000, 0x1_0000_0000L, 64))));
    hashes.add(
        hash(List.of(new Step(7, LifecycleStep.BUILD, FIRST.cause, 1_000, 0x1_0000_0000L, 64))));
    hashes.add(
        hash(
            List.of(
                new Step(7, FIRST.step, TraceCause.BUFFER_UNMAPPED, 1_000, 0x1_0000_0000L, 64))));
    hashes.add(hash(List.of(new Step(7, FIRST.step, FIRST.cause, 1_001, 0x1_0000_0000L, 64))));
    hashes.add(hash(List.of(new Step(7, FIRST.step, FIRST.cause, 1_000, 0x1_0000_0001L, 64))));
    hashes.add(hash(List.of(new Step(7, FIRST.step, FIRST.cause, 1_000, 0x1_0000_0000L, 65))));
    // Two fields exchanged.
    hashes.add(hash(List.of(new Step(1_000, FIRST.step, FIRST.cause, 7, 0x1_0000_0000L, 64))));

    assertThat(hashes).hasSize(12);
  }

  @Test
  void shouldCountRecords() {
    TraceHash hash = new TraceHash();

    feed(hash, FIRST);
    feed(hash, SECOND);

    assertThat(hash.recordsCount()).isEqualTo(2);
    assertThat(hash.hex()).isEqualTo(String.format("%016x", hash.value()));
  }

  @Test
  void shouldAllocateNothing() {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long threadId = Thread.currentThread().getId();
    TraceHash hash = new TraceHash();
    feedMillion(hash);
    threads.getThreadAllocatedBytes(threadId);

    long beforeBytes = threads.getThreadAllocatedBytes(threadId);
    feedMillion(hash);
    long afterBytes = threads.getThreadAllocatedBytes(threadId);

    assertThat(afterBytes - beforeBytes).isLessThan(1024);
    assertThat(hash.recordsCount()).isEqualTo(2_000_000);
  }

  private static void feedMillion(TraceHash hash) {
    for (int i = 0; i < 1_000_000; i++) {
      hash.onStep(i, LifecycleStep.DEVICE_DMA, TraceCause.PAYLOAD_WRITTEN, i * 1_000L, i, 64);
    }
  }

  private static String hash(List<Step> steps) {
    TraceHash hash = new TraceHash();
    steps.forEach(step -> feed(hash, step));
    return hash.hex();
  }

  private static void feed(TraceHash hash, Step step) {
    hash.onStep(
        step.operationId, step.step, step.cause, step.timePs, step.address, step.lengthBytes);
  }
}
