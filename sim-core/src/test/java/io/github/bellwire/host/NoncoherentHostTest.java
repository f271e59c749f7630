package io.github.bellwire.host;

import static io.github.bellwire.dma.DmaDirection.BIDIRECTIONAL;
import static io.github.bellwire.dma.DmaDirection.FROM_DEVICE;
import static io.github.bellwire.dma.DmaDirection.TO_DEVICE;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.bellwire.cache.CacheOperation;
import io.github.bellwire.cache.EmbeddedCacheConfig;
import io.github.bellwire.cpu.CpuPort;
import io.github.bellwire.cpu.Routine;
import io.github.bellwire.cpu.SynchronousPort;
import io.github.bellwire.dma.CoherentBuffer;
import io.github.bellwire.dma.DmaConfig;
import io.github.bellwire.dma.DmaDevice;
import io.github.bellwire.dma.DmaMapper;
import io.github.bellwire.pcie.RecordingEndpoint;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What goes wrong if caches are not kept coherent, and each time the correct twin. */
class NoncoherentHostTest {
  private static final int OLD = 0x0f;
  private static final int NEW = 0xf0;

  private final RecordingEndpoint endpoint = new RecordingEndpoint();
  private Host host = plugged(HostConfig.EMBEDDED_NONCOHERENT);
  private SynchronousPort port = host.synchronousPort(0);
  private DmaDevice dma = newDmaDevice();
  private final long buffer = host.pages().allocate(4096);

  private Host plugged(HostConfig config) {
    Host result = new Host(config, 1);
    result.attach(endpoint);
    result.enumerate();
    endpoint.busMaster(true);
    return result;
  }

  private DmaDevice newDmaDevice() {
    DmaDevice result = host.newDmaDevice();
    assertThat(result.trySetMask(64)).isTrue();
    return result;
  }

  private void deviceWrites(long iova, int value, int lengthBytes) {
    byte[] bytes = new byte[lengthBytes];
    Arrays.fill(bytes, (byte) value);
    long donePs = endpoint.dma().write(iova, bytes, 0, lengthBytes, port.nowPs());
    port.delay(donePs - port.nowPs());
  }

  private int deviceReads(long iova) {
    byte[] bytes = new byte[64];
    long donePs = endpoint.dma().read(iova, bytes, 0, bytes.length, port.nowPs());
    port.delay(donePs - port.nowPs());
    return bytes[0] & 0xff;
  }

  private int loads(long pa) {
    return (int) port.load(pa, 1);
  }

  // A forgotten sync_for_device sends stale bytes.

  @Test
  void shouldSendStaleBytesWithoutASyncForTheDevice() {
    port.store(buffer, 1, OLD);
    long iova = dma.mapSingle(port, buffer, 1500, TO_DEVICE);
    assertThat(deviceReads(iova)).isEqualTo(OLD);

    port.store(buffer, 1, NEW);

    assertThat(deviceReads(iova)).isEqualTo(OLD);
  }

  @Test
  void shouldSendTheNewBytesAfterASyncForTheDevice() {
    port.store(buffer, 1, OLD);
    long iova = dma.mapSingle(port, buffer, 1500, TO_DEVICE);
    assertThat(deviceReads(iova)).isEqualTo(OLD);

    dma.syncForCpu(port, iova, 0, 1500, TO_DEVICE);
    port.store(buffer, 1, NEW);
    dma.syncForDevice(port, iova, 0, 1500, TO_DEVICE);

    assertThat(deviceReads(iova)).isEqualTo(NEW);
  }

  @Test
  void shouldSendWhatWasInMemoryWithoutAMapping() {
    port.store(buffer, 1, NEW);

    assertThat(deviceReads(buffer)).isZero();
  }

  // A forgotten sync_for_cpu reads stale bytes.

  @Test
  void shouldReadStaleBytesWithoutASyncForTheCpu() {
    long iova = dma.mapSingle(port, buffer, 2048, FROM_DEVICE);
    deviceWrites(iova, OLD, 64);
    dma.syncForCpu(port, iova, 0, 2048, FROM_DEVICE);
    assertThat(loads(buffer)).isEqualTo(OLD);

    deviceWrites(iova, NEW, 64);

    assertThat(loads(buffer)).isEqualTo(OLD);
    assertThat(host.memory().getByte(buffer)).isEqualTo(NEW);
  }

  @Test
  void shouldReadTheNewBytesAfterASyncForTheCpu() {
    long iova = dma.mapSingle(port, buffer, 2048, FROM_DEVICE);
    deviceWrites(iova, OLD, 64);
    dma.syncForCpu(port, iova, 0, 2048, FROM_DEVICE);
    assertThat(loads(buffer)).isEqualTo(OLD);

    dma.syncForDevice(port, iova, 0, 2048, FROM_DEVICE);
    deviceWrites(iova, NEW, 64);
    dma.syncForCpu(port, iova, 0, 2048, FROM_DEVICE);

    assertThat(loads(buffer)).isEqualTo(NEW);
  }

  @Test
  void shouldReadTheNewBytesAfterUnmapping() {
    long iova = dma.mapSingle(port, buffer, 2048, BIDIRECTIONAL);
    assertThat(loads(buffer)).isZero();

    deviceWrites(iova, NEW, 64);
    dma.unmapSingle(port, iova, 2048, BIDIRECTIONAL);

    assertThat(loads(buffer)).isEqualTo(NEW);
  }

  @Test
  void shouldReadStaleBytesThatWereOnlyPrefetched() {
    long iova = dma.mapSingle(port, buffer + 64, 64, FROM_DEVICE);
    // The line before the buffer: the prefetcher takes the next one, too.
    assertThat(loads(buffer)).isZero();

    deviceWrites(iova, NEW, 64);

    assertThat(loads(buffer + 64)).isZero();
    // What unmapping invalidates is what had been fetched meanwhile.
    dma.unmapSingle(port, iova, 64, FROM_DEVICE);
    assertThat(loads(buffer + 64)).isEqualTo(NEW);
  }

  @Test
  void shouldReadStaleBytesInARoutineToo() {
    long iova = dma.mapSingle(port, buffer, 64, FROM_DEVICE);
    int[] seen = new int[3];
    Routine routine =
        new Routine(host.core(0)) {
          private int runs;

          @Override
          protected void run(CpuPort core) {
            seen[runs++] = (int) core.load(buffer, 1);
            if (runs == 2) {
              dma.syncForCpu(core, iova, 0, 64, FROM_DEVICE);
              seen[runs] = (int) core.load(buffer, 1);
            }
          }
        };
    routine.wakeAt(port.nowPs());
    port.delay(1_000_000);
    deviceWrites(iova, NEW, 64);
    routine.wakeAt(port.nowPs());
    port.delay(1_000_000);

    assertThat(seen).containsExactly(0, 0, NEW);
  }

  @Test
  void shouldLetNobodySeeAWriteThatIsStillOnItsWay() {
    byte[] bytes = {(byte) NEW};
    long commitPs = endpoint.dma().write(buffer, bytes, 0, 1, port.nowPs());

    host.simulation().runUntil(commitPs - 1);
    assertThat(host.memory().getByte(buffer)).isZero();
    host.simulation().runUntil(commitPs);
    assertThat(host.memory().getByte(buffer)).isEqualTo(NEW);
  }

  // A dirty line that is evicted later overwrites what the device has written.

  @Test
  void shouldOverwriteWhatTheDeviceWroteWithoutAMapping() {
    port.store(buffer, 1, OLD);
    deviceWrites(buffer, NEW, 64);
    assertThat(host.memory().getByte(buffer)).isEqualTo(NEW);

    evictEverything();

    assertThat(host.memory().getByte(buffer)).isEqualTo(OLD);
  }

  @Test
  void shouldKeepWhatTheDeviceWroteIntoAMapping() {
    port.store(buffer, 1, OLD);
    long iova = dma.mapSingle(port, buffer, 64, FROM_DEVICE);
    deviceWrites(iova, NEW, 64);

    evictEverything();

    assertThat(host.memory().getByte(buffer)).isEqualTo(NEW);
  }

  private void evictEverything() {
    byte[] sink = new byte[16 << 20];
    port.load(64 << 20, sink, 0, sink.length);
  }

  // A buffer that shares a line with other data loses that data.

  @Test
  void shouldLoseWhatWasReceivedNextToOtherData() {
    // 32 bytes of buffer, then a counter that the host keeps on changing.
    long counter = buffer + 32;
    long iova = dma.mapSingle(port, buffer, 32, FROM_DEVICE);
    port.store(counter, 8, 7);
    deviceWrites(iova, NEW, 32);

    dma.unmapSingle(port, iova, 32, FROM_DEVICE);

    // arm64 writes the shared line back before it drops it: over what the device wrote.
    assertThat(port.load(counter, 8)).isEqualTo(7);
    assertThat(loads(buffer)).isZero();
    assertThat(host.memory().getByte(buffer)).isZero();
  }

  @Test
  void shouldLoseOtherDataNextToALineThatIsInvalidated() {
    long counter = buffer + 32;
    long iova = dma.mapSingle(port, buffer, 32, FROM_DEVICE);
    port.store(counter, 8, 7);
    deviceWrites(iova, NEW, 32);

    // A driver that rounds the range to whole lines.
    port.maintainCache(CacheOperation.INVALIDATE, buffer, 64);

    assertThat(loads(buffer)).isEqualTo(NEW);
    assertThat(port.load(counter, 8)).isZero();
  }

  @Test
  void shouldLoseAReceivedNeighbourInTheSameLine() {
    // Two small buffers in one line; the host reuses the first while the second receives.
    long first = dma.mapSingle(port, buffer, 32, FROM_DEVICE);
    long second = dma.mapSingle(port, buffer + 32, 32, FROM_DEVICE);
    dma.unmapSingle(port, first, 32, FROM_DEVICE);
    port.store(buffer, 8, 7);
    deviceWrites(second, NEW, 32);

    dma.mapSingle(port, buffer, 32, TO_DEVICE);

    dma.unmapSingle(port, second, 32, FROM_DEVICE);
    assertThat(loads(buffer + 32)).isZero();
  }

  @Test
  void shouldLoseNothingInLinesOfTheirOwn() {
    long counter = buffer + 64;
    long iova = dma.mapSingle(port, buffer, 64, FROM_DEVICE);
    port.store(counter, 8, 7);
    deviceWrites(iova, NEW, 64);

    dma.unmapSingle(port, iova, 64, FROM_DEVICE);

    assertThat(loads(buffer)).isEqualTo(NEW);
    assertThat(port.load(counter, 8)).isEqualTo(7);
  }

  // Coherent memory is uncached.

  @Test
  void shouldShareCoherentMemoryWithoutSyncs() {
    CoherentBuffer ring = requireNonNull(dma.allocateCoherent(port, 4096));
    long startPs = port.nowPs();
    assertThat(loads(ring.pa())).isZero();
    // 2 ns for the load, and DRAM every time: 5 ns for the line and 80 ns.
    assertThat(port.nowPs() - startPs).isEqualTo(87_000);

    deviceWrites(ring.iova(), NEW, 64);
    assertThat(loads(ring.pa())).isEqualTo(NEW);
    port.store(ring.pa(), 1, OLD);
    assertThat(deviceReads(ring.iova())).isEqualTo(OLD);

    dma.freeCoherent(port, ring);
    loads(ring.pa());
    startPs = port.nowPs();
    loads(ring.pa());
    assertThat(port.nowPs() - startPs).isEqualTo(2_000);
  }

  // What it costs.

  @Test
  void shouldPayForEveryLine() {
    long startPs = port.nowPs();
    long iova = dma.mapSingle(port, buffer, 4096, FROM_DEVICE);
    // 64 lines x 10 ns + 100 ns.
    assertThat(port.nowPs() - startPs).isEqualTo(740_000);

    startPs = port.nowPs();
    dma.syncForCpu(port, iova, 1024, 100, FROM_DEVICE);
    // 2 lines.
    assertThat(port.nowPs() - startPs).isEqualTo(120_000);

    startPs = port.nowPs();
    dma.unmapSingle(port, iova, 4096, FROM_DEVICE);
    assertThat(port.nowPs() - startPs).isEqualTo(740_000);

    iova = dma.mapSingle(port, buffer, 64, TO_DEVICE);
    startPs = port.nowPs();
    dma.syncForCpu(port, iova, 0, 64, TO_DEVICE);
    dma.unmapSingle(port, iova, 64, TO_DEVICE);
    assertThat(port.nowPs()).isEqualTo(startPs);
  }

  @Test
  void shouldWaitForDirtyLinesToReachMemory() {
    port.store(buffer, 1, NEW);
    port.delay(1_000_000);
    long startPs = port.nowPs();

    dma.mapSingle(port, buffer, 64, TO_DEVICE);

    // 10 ns, then 5 + 40 ns of DRAM, then the barrier.
    assertThat(port.nowPs() - startPs).isEqualTo(155_000);
  }

  // Bounce buffers are as little coherent as everything else.

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldSyncBounceBuffers(boolean keepsMapping) {
    assertThat(dma.trySetMask(31)).isTrue();
    long far = host.pages().allocate(4096);
    assertThat(far).isGreaterThan(1L << 31);
    port.store(far, 1, OLD);
    long iova = dma.mapSingle(port, far, 64, BIDIRECTIONAL);
    assertThat(iova).isLessThan(1L << 31);
    assertThat(deviceReads(iova)).isEqualTo(OLD);

    deviceWrites(iova, NEW, 64);
    if (keepsMapping) {
      dma.syncForCpu(port, iova, 0, 64, BIDIRECTIONAL);
      assertThat(loads(far)).isEqualTo(NEW);
      port.store(far, 1, 3);
      dma.syncForDevice(port, iova, 0, 64, BIDIRECTIONAL);
      assertThat(deviceReads(iova)).isEqualTo(3);
    } else {
      dma.unmapSingle(port, iova, 64, BIDIRECTIONAL);
      assertThat(loads(far)).isEqualTo(NEW);
    }
  }

  // On a coherent host the same care destroys data.

  private void useCoherentHost() {
    host =
        plugged(
            HostConfig.EMBEDDED_NONCOHERENT.withCache(
                EmbeddedCacheConfig.CORTEX_A72_NONCOHERENT.withSnoopsForDevices(true)));
    port = host.synchronousPort(0);
    dma = newDmaDevice();
  }

  @Test
  void shouldNeedNoSyncOnACoherentHost() {
    useCoherentHost();
    port.store(buffer, 1, OLD);
    long iova = dma.mapSingle(port, buffer, 64, BIDIRECTIONAL);
    assertThat(deviceReads(iova)).isEqualTo(OLD);

    deviceWrites(iova, NEW, 64);

    assertThat(loads(buffer)).isEqualTo(NEW);
    dma.unmapSingle(port, iova, 64, BIDIRECTIONAL);
    assertThat(loads(buffer)).isEqualTo(NEW);
  }

  @Test
  void shouldLoseWhatTheDeviceWroteByAnExtraInvalidationOnACoherentHost() {
    useCoherentHost();
    port.store(buffer, 1, OLD);
    port.maintainCache(CacheOperation.CLEAN, buffer, 64);
    deviceWrites(buffer, NEW, 64);

    port.maintainCache(CacheOperation.INVALIDATE, buffer, 64);

    assertThat(loads(buffer)).isEqualTo(OLD);
  }

  @Test
  void shouldLoseWhatTheDeviceWroteIfACoherentDeviceIsTakenForAnother() {
    useCoherentHost();
    // As with a device tree that lacks dma-coherent.
    DmaDevice mistaken =
        new DmaDevice(
            DmaConfig.LINUX_DEFAULT.withCoherent(false), host.pages(), DmaMapper.IDENTITY, null);
    assertThat(mistaken.trySetMask(64)).isTrue();
    long iova = mistaken.mapSingle(port, buffer, 64, FROM_DEVICE);
    deviceWrites(iova, NEW, 64);

    mistaken.unmapSingle(port, iova, 64, FROM_DEVICE);

    assertThat(loads(buffer)).isZero();
  }

  @Test
  void shouldKeepWhatTheDeviceWroteIfItIsCleanedFirst() {
    useCoherentHost();
    deviceWrites(buffer, NEW, 64);

    port.maintainCache(CacheOperation.CLEAN_AND_INVALIDATE, buffer, 64);

    assertThat(loads(buffer)).isEqualTo(NEW);
  }
}
