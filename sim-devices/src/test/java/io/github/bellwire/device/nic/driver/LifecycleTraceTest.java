package io.github.bellwire.device.nic.driver;

import static io.github.bellwire.device.nic.driver.DriverBench.MS_PS;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.bellwire.device.CheckedMachines;
import io.github.bellwire.device.nic.NicConfig;
import io.github.bellwire.dma.ScatterList;
import io.github.bellwire.host.HostConfig;
import io.github.bellwire.trace.LifecycleStep;
import io.github.bellwire.trace.OperationId;
import io.github.bellwire.trace.TraceCause;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@ExtendWith(CheckedMachines.class)
class LifecycleTraceTest {
  private static final byte[] FRAME = new byte[1000];

  private final Map<Long, List<Step>> steps = new TreeMap<>();

  private record Step(LifecycleStep step, TraceCause cause, long timePs) {}

  @ParameterizedTest
  @EnumSource(DriverMode.class)
  void shouldReportSevenStepsOfEachReceivedFrame(DriverMode mode) {
    DriverBench bench = bench(mode);
    bench.startReceivers((port, frame) -> {});
    bench.feed(DriverBench.equalFrames(700, 60)); // more than once round the ring of 512
    bench.runFor(20 * MS_PS);

    for (int i = 0; i < 700; i++) {
      List<Step> found = steps.get(OperationId.receive(0, 0, i));
      assertThat(found)
          .extracting(Step::cause)
          .as("operation %d", i)
          .containsExactly(
              TraceCause.BUFFER_FROM_POOL,
              mode.isPreMapped() ? TraceCause.POOL_MAPPING_REUSED : TraceCause.BUFFER_MAPPED,
              TraceCause.DESCRIPTOR_WRITTEN,
              TraceCause.TAIL_WRITTEN,
              TraceCause.FRAME_ARRIVED,
              TraceCause.DESCRIPTOR_FETCHED,
              TraceCause.PAYLOAD_WRITTEN,
              TraceCause.DESCRIPTOR_WRITTEN_BACK,
              TraceCause.DONE_BIT_SEEN,
              mode.isPreMapped() ? TraceCause.BUFFER_TO_POOL : TraceCause.BUFFER_UNMAPPED);
      assertSevenStepsInOrder(found, i);
    }
    assertThat(steps.get(OperationId.receive(0, 0, 700))).hasSizeLessThan(5);
  }

  @ParameterizedTest
  @EnumSource(DriverMode.class)
  void shouldReportSevenStepsOfEachSentFrame(DriverMode mode) {
    DriverBench bench = bench(mode);
    TxRing ring = bench.driver.txRing(0);
    for (int i = 0; i < 600; i++) {
      int buffer = bench.pool.take();
      bench.port.store(bench.pool.pa(buffer), FRAME, 0, 1000);
      assertThat(ring.trySend(bench.port, buffer, 1000)).isTrue();
      ring.flush(bench.port);
      bench.port.delay(MS_PS / 100);
      ring.finish(bench.port);
    }
    bench.port.delay(MS_PS);
    ring.finish(bench.port);

    for (int i = 0; i < 600; i++) {
      List<Step> found = steps.get(OperationId.transmit(0, 0, i));
      assertThat(found)
          .extracting(Step::cause)
          .as("operation %d", i)
          .contains(
              TraceCause.BUFFER_FROM_POOL,
              mode.isPreMapped() ? TraceCause.POOL_MAPPING_REUSED : TraceCause.BUFFER_MAPPED,
              TraceCause.DESCRIPTOR_WRITTEN,
              TraceCause.TAIL_WRITTEN,
              TraceCause.DONE_BIT_SEEN,
              mode.isPreMapped() ? TraceCause.BUFFER_TO_POOL : TraceCause.BUFFER_UNMAPPED);
      assertSevenStepsInOrder(found, i);
    }
  }

  @Test
  void shouldNameTheDescriptorsOfAScatteredFrameInTurn() {
    DriverBench bench = bench(DriverMode.NAPI);
    ScatterList list = new ScatterList(2);
    long memory = bench.host.pages().allocate(8192);
    list.add(memory, 100);
    list.add(memory + 4096, 200);
    bench.port.store(memory, FRAME, 0, 100);
    bench.port.store(memory + 4096, FRAME, 0, 200);
    TxRing ring = bench.driver.txRing(0);

    ring.trySend(bench.port, list, TxOffload.NONE);
    ring.flush(bench.port);
    bench.port.delay(MS_PS);
    ring.finish(bench.port);

    // The application's own memory is not allocated by the driver.
    for (int i = 0; i < 2; i++) {
      assertThat(steps.get(OperationId.transmit(0, 0, i)))
          .extracting(Step::cause)
          .as("operation %d", i)
          .startsWith(
              TraceCause.BUFFER_MAPPED,
              TraceCause.DESCRIPTOR_WRITTEN,
              TraceCause.TAIL_WRITTEN,
              TraceCause.DESCRIPTOR_FETCHED)
          .endsWith(TraceCause.DONE_BIT_SEEN, TraceCause.BUFFER_UNMAPPED);
    }
  }

  private void assertSevenStepsInOrder(List<Step> found, int operation) {
    assertThat(found)
        .extracting(Step::step)
        .as("operation %d", operation)
        .contains(LifecycleStep.values())
        .isSorted();
    List<Step> driverSteps =
        found.stream().filter(step -> step.step != LifecycleStep.DEVICE_DMA).toList();
    assertThat(driverSteps).extracting(Step::timePs).as("operation %d", operation).isSorted();
  }

  private DriverBench bench(DriverMode mode) {
    NicConfig card = DriverBench.GIGABIT_CARD;
    DriverBench bench =
        new DriverBench(
            HostConfig.GEN4_SERVER,
            card,
            NicDriverConfig.forMode(mode),
            (operationId, step, cause, timePs, address, lengthBytes) ->
                steps
                    .computeIfAbsent(operationId, id -> new ArrayList<>())
                    .add(new Step(step, cause, timePs)));
    bench.driver.start(bench.port);
    return bench;
  }
}
