package io.github.bellwire.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.sun.management.ThreadMXBean;
import io.github.bellwire.kernel.Simulation;
import io.github.bellwire.memory.MemoryController;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * L1 1 ns (2 lines), L2 5 ns (256 sets, 2 ways), LLC 20 ns (256 sets, 4 ways, 2 of them for
 * devices), snoop 10 ns, DRAM 50 ns for reads and 30 ns for writes, 60 ns between sockets. Lines
 * 256 apart share a set at both levels. Core 0 belongs to socket 0, core 1 to the last socket.
 */
class CoherentCacheHierarchyTest {
  private static final long L1 = 1_000;
  private static final long L2 = 5_000;
  private static final long STORE = 2_000;
  private static final long SNOOP = 10_000;
  private static final long LLC = 20_000;
  private static final long DRAM = LineMemory.READ;
  private static final long DRAM_WRITE = LineMemory.WRITE;
  private static final long LINK = 60_000;
  private static final long AT = 1_000_000;
  private static final int SETS = 256;

  /** First line of the second socket's memory. */
  private static final long FAR = 1 << 20;

  private final LineMemory dram = new LineMemory("");
  private final LineMemory farDram = new LineMemory("far ");
  private CoherentCacheHierarchy caches = hierarchy(1, false);
  private DeviceCachePort device = caches.devicePort(DevicePortConfig.DEFAULT);

  private CoherentCacheHierarchy hierarchy(int sockets, boolean isInclusive) {
    return hierarchy(sockets, isInclusive, 2, 8);
  }

  private CoherentCacheHierarchy hierarchy(
      int sockets, boolean isInclusive, int l2Ways, int filterWays) {
    CoreCacheConfig core = new CoreCacheConfig(1, 2, L1, SETS, l2Ways, L2, STORE, SNOOP);
    LlcConfig llc = new LlcConfig(1, SETS, 4, 0xC, isInclusive, filterWays, LLC);
    NumaConfig numa = new NumaConfig(sockets, FAR * 64, LINK);
    List<MemoryController> controllers = sockets == 1 ? List.of(dram) : List.of(dram, farDram);
    return new CoherentCacheHierarchy(
        new CoherentCacheConfig(core, llc, numa, new MaintenanceConfig(3_000, 100_000)),
        2,
        controllers,
        new Simulation(7).randomStream("caches"));
  }

  private void use(int sockets, boolean isInclusive) {
    caches = hierarchy(sockets, isInclusive);
    device = caches.devicePort(DevicePortConfig.DEFAULT);
  }

  private long read(long line) {
    return device.read(line * 64, 64, false, AT) - AT;
  }

  private long write(long line) {
    return device.write(line * 64, 64, false, AT) - AT;
  }

  private long writePart(long line) {
    return device.write(line * 64 + 8, 8, false, AT) - AT;
  }

  private long load(int core, long line) {
    return caches.coreLoad(core, line * 64, 8, AT) - AT;
  }

  private long store(int core, long line) {
    return caches.coreStore(core, line * 64, 8, AT) - AT;
  }

  // The row "DMA read, snooped".

  @Test
  void shouldReadAnAbsentLineFromDramWithoutAllocating() {
    assertThat(read(3)).isEqualTo(LLC + DRAM);
    assertThat(read(3)).isEqualTo(LLC + DRAM);

    assertThat(caches.statistics().deviceReadMissesTotal()).isEqualTo(2);
    assertThat(dram.accesses).containsExactly("read 3 at 1020000", "read 3 at 1020000");
  }

  @ParameterizedTest
  @CsvSource({"false,30000", "true,20000"})
  void shouldReadACleanCopyOfACore(boolean isInclusive, long expectedPs) {
    // An inclusive cache has the line itself, the other one asks the core: 20 + 10 ns.
    use(1, isInclusive);
    load(0, 3);

    assertThat(read(3)).isEqualTo(expectedPs);

    assertThat(caches.statistics().deviceReadHitsTotal()).isEqualTo(1);
    assertThat(load(0, 3)).isEqualTo(L1);
  }

  @Test
  void shouldForwardWhatACoreHasChangedEveryTime() {
    store(0, 3);

    assertThat(read(3)).isEqualTo(LLC + SNOOP);
    assertThat(read(3)).isEqualTo(LLC + SNOOP);
    assertThat(load(0, 3)).isEqualTo(L1);
  }

  @Test
  void shouldTakeIntoAnInclusiveCacheWhatACoreHasChanged() {
    use(1, true);
    store(0, 3);

    assertThat(read(3)).isEqualTo(LLC + SNOOP);
    assertThat(read(3)).isEqualTo(LLC);
    assertThat(load(0, 3)).isEqualTo(L1);
  }

  // The row "DMA write, full line, DDIO on".

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldAllocateAFullLineWithoutFetchingIt(boolean isInclusive) {
    use(1, isInclusive);

    assertThat(write(3)).isEqualTo(LLC);
    assertThat(read(3)).isEqualTo(LLC);
    assertThat(write(3)).isEqualTo(LLC);

    assertThat(dram.accesses).isEmpty();
    assertThat(caches.statistics().deviceWriteMissesTotal()).isEqualTo(1);
    assertThat(caches.statistics().deviceWriteHitsTotal()).isEqualTo(1);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldTakeALineFromTheCoresWhenADeviceWrites(boolean isInclusive) {
    use(1, isInclusive);
    load(0, 3);
    load(1, 3);
    store(0, 4);

    assertThat(write(3)).isEqualTo(LLC);
    assertThat(write(4)).isEqualTo(LLC);

    assertThat(caches.statistics().deviceWriteHitsTotal()).isEqualTo(2);
    assertThat(read(4)).isEqualTo(LLC);
    assertThat(load(0, 3)).isEqualTo(L2 + LLC);
    assertThat(caches.statistics().writeBacksTotal()).isZero();
  }

  // The row "DMA write, full line, DDIO off".

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldWriteToDramFromAPortThatDoesNotAllocate(boolean isInclusive) {
    use(1, isInclusive);
    DeviceCachePort plain = caches.devicePort(DevicePortConfig.DEFAULT.withAllocatesOnWrite(false));
    write(3);
    store(0, 4);
    dram.accesses.clear();

    assertThat(plain.write(3 * 64, 128, false, AT)).isEqualTo(AT + LLC + DRAM_WRITE);

    assertThat(dram.accesses).containsExactly("write 3 at 1020000", "write 4 at 1020000");
    assertThat(read(3)).isEqualTo(LLC + DRAM);
    assertThat(load(0, 4)).isEqualTo(L2 + LLC + DRAM);
  }

  @Test
  void shouldMergeAPartOfALineOnItsWayToDram() {
    DeviceCachePort plain = caches.devicePort(DevicePortConfig.DEFAULT.withAllocatesOnWrite(false));

    // Absent: fetched first. Changed by a core: its data are at hand.
    assertThat(plain.write(3 * 64, 8, false, AT)).isEqualTo(AT + LLC + DRAM + DRAM_WRITE);
    store(0, 4);
    dram.accesses.clear();
    assertThat(plain.write(4 * 64, 8, false, AT)).isEqualTo(AT + LLC + DRAM_WRITE);

    assertThat(dram.accesses).containsExactly("write 4 at 1020000");
  }

  // The row "DMA write, partial line".

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldMergeAPartOfALineInTheLastLevelCache(boolean isInclusive) {
    use(1, isInclusive);

    assertThat(writePart(3)).isEqualTo(LLC + DRAM);
    assertThat(writePart(3)).isEqualTo(LLC);
    store(0, 4);
    assertThat(writePart(4)).isEqualTo(LLC + SNOOP);
    assertThat(read(4)).isEqualTo(LLC);

    assertThat(dram.accesses).containsExactly("read 3 at 1020000", "read 4 at 1025000");
  }

  @Test
  void shouldTellFullLinesFromPartsOfThem() {
    // 0x30..0xCF: lines 0 and 3 in part, 1 and 2 in full.
    assertThat(device.write(0x30, 160, false, AT)).isEqualTo(AT + LLC + DRAM);

    assertThat(dram.accesses).containsExactly("read 0 at 1020000", "read 3 at 1020000");
    device.write(0x40, 65, false, AT);
    CacheStatistics statistics = caches.statistics();
    assertThat(statistics.deviceWriteMissesTotal()).isEqualTo(4);
    assertThat(statistics.deviceWriteHitsTotal()).isEqualTo(2);
    assertThat(statistics.deviceFullWriteMissesTotal()).isEqualTo(2);
    assertThat(statistics.deviceFullWriteHitsTotal()).isEqualTo(1);
    assertThat(statistics.dramReadsTotal()).isEqualTo(2);
    assertThat(statistics.dramWritesTotal()).isZero();
  }

  // The row "DMA with No Snoop".

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldAccessDramAloneWithoutSnooping(boolean isInclusive) {
    use(1, isInclusive);
    store(0, 3);
    load(0, 4);
    dram.accesses.clear();

    assertThat(device.read(3 * 64, 64, true, AT)).isEqualTo(AT + DRAM);
    assertThat(device.write(4 * 64, 64, true, AT)).isEqualTo(AT + DRAM_WRITE);
    // A clean copy does no harm to a read, an absent line none at all.
    device.read(4 * 64, 64, true, AT);
    device.write(5 * 64, 64, true, AT);

    assertThat(caches.statistics().noSnoopHazardsTotal()).isEqualTo(2);
    assertThat(caches.statistics().deviceReadHitsTotal()).isZero();
    assertThat(load(0, 3)).isEqualTo(L1);
    assertThat(load(0, 4)).isEqualTo(L1);
  }

  // The row "CPU read after DDIO write".

  @Test
  void shouldMoveALineOutOfACacheThatIsNotInclusive() {
    write(3);
    assertThat(load(0, 3)).isEqualTo(L2 + LLC);

    // The core has the only copy now, and that is newer than memory.
    assertThat(read(3)).isEqualTo(LLC + SNOOP);
    // So its place is free: two more lines of the set fit the two I/O ways.
    write(3 + SETS);
    write(3 + 2 * SETS);
    assertThat(read(3 + SETS)).isEqualTo(LLC);
    assertThat(read(3 + 2 * SETS)).isEqualTo(LLC);
    assertThat(dram.accesses).isEmpty();
  }

  @Test
  void shouldKeepALineInAnInclusiveCache() {
    use(1, true);
    write(3);

    assertThat(load(0, 3)).isEqualTo(L2 + LLC);
    assertThat(read(3)).isEqualTo(LLC);
  }

  // Cores.

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldLoadFromTheNearestCopy(boolean isInclusive) {
    use(1, isInclusive);

    assertThat(load(0, 3)).isEqualTo(L2 + LLC + DRAM);
    assertThat(load(0, 3)).isEqualTo(L1);
    // Two more lines push it out of the first level.
    load(0, 4);
    load(0, 5);
    assertThat(load(0, 3)).isEqualTo(L2);
    // The other core's copy: an inclusive cache has it as well.
    assertThat(load(1, 3)).isEqualTo(L2 + LLC + (isInclusive ? 0 : SNOOP));
    assertThat(dram.accesses).hasSize(3).startsWith("read 3 at 1025000");
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldPassALineFromCoreToCore(boolean isInclusive) {
    use(1, isInclusive);
    assertThat(store(0, 3)).isEqualTo(STORE);

    assertThat(load(1, 3)).isEqualTo(L2 + LLC + SNOOP);
    // Now both share it and the last-level cache has what memory has not got.
    assertThat(read(3)).isEqualTo(LLC);
    assertThat(store(1, 3)).isEqualTo(STORE);
    assertThat(load(0, 3)).isEqualTo(L2 + LLC + SNOOP);
    assertThat(dram.accesses).containsExactly("read 3 at 1025000");
  }

  @Test
  void shouldLoadAndStoreEveryLineOfABlock() {
    write(4);

    // 4 is in the last-level cache, 5 is not.
    assertThat(caches.coreLoad(0, 4 * 64, 65, AT)).isEqualTo(AT + L2 + LLC + DRAM);
    assertThat(caches.coreStore(0, 4 * 64 + 60, 8, AT)).isEqualTo(AT + 2 * STORE);
    assertThat(dram.accesses).containsExactly("read 5 at 1025000");
  }

  @Test
  void shouldTakeInWhatCoresEvict() {
    store(0, 3);
    load(0, 3 + SETS);
    dram.accesses.clear();

    // Two ways: the third line of the set pushes one of the others down, and nothing is lost.
    load(0, 3 + 2 * SETS);

    long reads = read(3) + read(3 + SETS) + read(3 + 2 * SETS);
    assertThat(reads).isEqualTo(3 * LLC + 2 * SNOOP);
    assertThat(dram.accesses).hasSize(1);
  }

  @Test
  void shouldTakeLinesFromTheCoresThatTheFilterHasNoRoomFor() {
    // Two ways of filter, four of L2.
    caches = hierarchy(1, false, 4, 2);
    device = caches.devicePort(DevicePortConfig.DEFAULT);
    store(0, 3);
    store(0, 3 + SETS);
    store(0, 3 + 2 * SETS);

    assertThat(caches.statistics().backInvalidationsTotal()).isEqualTo(1);
    assertThat(read(3) + read(3 + SETS) + read(3 + 2 * SETS)).isEqualTo(3 * LLC + 2 * SNOOP);
  }

  @Test
  void shouldTakeLinesFromTheCoresThatAnInclusiveCacheEvicts() {
    // Four ways, L2 of four as well, so that only the last-level cache is short of room.
    caches = hierarchy(1, true, 4, 1);
    device = caches.devicePort(DevicePortConfig.DEFAULT);
    for (int i = 0; i < 4; i++) {
      store(0, 3 + i * SETS);
    }
    dram.accesses.clear();

    write(3 + 4 * SETS);

    assertThat(caches.statistics().backInvalidationsTotal()).isEqualTo(1);
    assertThat(dram.accesses).hasSize(1);
    assertThat(dram.accesses.get(0)).startsWith("write ");
  }

  // I/O ways.

  @Test
  void shouldKeepDevicesToTheirWays() {
    for (int i = 0; i < 3; i++) {
      write(3 + i * SETS);
    }

    // Two ways for devices: of three lines one had to go, and it was dirty.
    assertThat(caches.statistics().writeBacksTotal()).isEqualTo(1);
    assertThat(dram.accesses).hasSize(1);
    assertThat(dram.accesses.get(0)).startsWith("write ");
    assertThat(read(3) + read(3 + SETS) + read(3 + 2 * SETS)).isEqualTo(3 * LLC + DRAM);
  }

  @Test
  void shouldUpdateALineWhereverItIs() {
    // Cores fill all four ways with what they evict; devices then find the lines there.
    for (int i = 0; i < 6; i++) {
      store(0, 3 + i * SETS);
    }
    dram.accesses.clear();

    for (int i = 0; i < 6; i++) {
      write(3 + i * SETS);
    }

    assertThat(caches.statistics().deviceWriteHitsTotal()).isEqualTo(6);
  }

  // Maintenance.

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldWriteBackOnDemand(boolean isInclusive) {
    use(1, isInclusive);
    store(0, 3);
    write(4);
    load(0, 5);
    dram.accesses.clear();

    // 3 ns per line: the last of two dirty ones arrives at DRAM after 6 ns, the third is clean.
    assertThat(caches.maintain(CacheOperation.CLEAN, 3 * 64, 192, AT))
        .isEqualTo(AT + 6_000 + DRAM_WRITE + 100_000);
    assertThat(dram.accesses).containsExactly("write 3 at 1003000", "write 4 at 1006000");
    assertThat(load(0, 3)).isEqualTo(L1);

    store(0, 3);
    assertThat(caches.maintain(CacheOperation.INVALIDATE, 3 * 64, 64, AT))
        .isEqualTo(AT + 3_000 + DRAM_WRITE + 100_000);
    assertThat(caches.maintain(CacheOperation.CLEAN_AND_INVALIDATE, 3 * 64, 192, AT))
        .isEqualTo(AT + 9_000 + 100_000);
    assertThat(load(0, 3)).isEqualTo(L2 + LLC + DRAM);
    assertThat(read(4)).isEqualTo(LLC + DRAM);
    caches.setCacheable(0, 64, false);
  }

  // Two sockets. Who cached it matters: near copies serve reads of remote memory.

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldServeFromTheNearSocketWhateverTheHome(boolean isInclusive) {
    use(2, isInclusive);
    write(3);
    write(FAR + 3);

    assertThat(read(3)).isEqualTo(LLC);
    assertThat(read(FAR + 3)).isEqualTo(LLC);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldReadFromRemoteMemory(boolean isInclusive) {
    use(2, isInclusive);

    assertThat(read(3)).isEqualTo(LLC + DRAM);
    assertThat(read(FAR + 3)).isEqualTo(LLC + LINK + DRAM);

    // The request takes half of the way.
    assertThat(farDram.accesses).containsExactly("far read 1048579 at 1050000");
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldFetchWhatTheFarSocketHasChanged(boolean isInclusive) {
    use(2, isInclusive);
    store(1, 3);
    store(1, FAR + 3);
    dram.accesses.clear();
    farDram.accesses.clear();

    // Dearer than local DRAM (20 + 50 ns), which is read meanwhile.
    assertThat(read(3)).isEqualTo(LLC + LINK + LLC + SNOOP);
    assertThat(dram.accesses).containsExactly("read 3 at 1020000");
    // The home answers when it has heard from its DRAM, too, which takes longer than its caches.
    assertThat(read(FAR + 3)).isEqualTo(LLC + LINK + DRAM);
    assertThat(farDram.accesses).containsExactly("far read 1048579 at 1050000");
    assertThat(caches.statistics().overruledReadsTotal()).isEqualTo(2);
    assertThat(caches.statistics().deviceReadMissesTotal()).isEqualTo(2);
  }

  @Test
  void shouldReadCleanLinesAtHome() {
    use(2, true);
    load(1, 3);
    load(1, FAR + 3);

    // Local memory is as good as a clean copy on the other socket, and nearer.
    assertThat(read(3)).isEqualTo(LLC + DRAM);
    assertThat(read(FAR + 3)).isEqualTo(LLC + LINK + DRAM);
    assertThat(caches.statistics().overruledReadsTotal()).isZero();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldAllocateNextToTheDevice(boolean isInclusive) {
    use(2, isInclusive);
    store(1, 3);

    // The first write waits for the other socket to give the line up.
    assertThat(write(3)).isEqualTo(LLC + LINK + LLC);
    assertThat(write(3)).isEqualTo(LLC);
    // The home of a line looks into its DRAM before it grants it.
    assertThat(write(FAR + 4)).isEqualTo(LLC + LINK + DRAM);
    assertThat(write(FAR + 4)).isEqualTo(LLC);
    assertThat(write(5)).isEqualTo(LLC);

    assertThat(load(1, 3)).isEqualTo(L2 + LLC + LINK + DRAM);
  }

  @Test
  void shouldWriteToTheMemoryOfTheOtherSocket() {
    use(2, false);
    DeviceCachePort plain = caches.devicePort(DevicePortConfig.DEFAULT.withAllocatesOnWrite(false));
    store(1, 4);
    farDram.accesses.clear();
    dram.accesses.clear();

    assertThat(plain.write((FAR + 3) * 64, 64, false, AT)).isEqualTo(AT + LLC + LINK + DRAM_WRITE);
    assertThat(plain.write(4 * 64, 8, false, AT)).isEqualTo(AT + LLC + LINK + LLC + DRAM_WRITE);
    assertThat(plain.read((FAR + 3) * 64, 64, true, AT)).isEqualTo(AT + LINK + DRAM);
    assertThat(plain.write((FAR + 3) * 64, 64, true, AT)).isEqualTo(AT + LINK + DRAM_WRITE);
  }

  @Test
  void shouldPutEachPortOnItsSocket() {
    use(2, false);
    DeviceCachePort far = caches.devicePort(DevicePortConfig.DEFAULT.withSocket(1));
    store(1, 3);

    assertThat(far.read(3 * 64, 64, false, AT)).isEqualTo(AT + LLC + SNOOP);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> caches.devicePort(DevicePortConfig.DEFAULT.withSocket(2)))
        .withMessage("socket must be 0..1: socket=2");
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldShareALineBetweenCoresOfTwoSockets(boolean isInclusive) {
    use(2, isInclusive);
    store(0, 3);

    // The home answers when it has heard from its DRAM, too, which takes longer than its caches.
    assertThat(load(1, 3)).isEqualTo(L2 + LLC + LINK + DRAM);
    // What both share is clean: memory has been brought up to date.
    assertThat(dram.accesses)
        .containsExactly("read 3 at 1025000", "read 3 at 1055000", "write 3 at 1005000");
    assertThat(load(0, 3)).isEqualTo(L1);
    store(1, 3);
    assertThat(load(0, 3)).isEqualTo(L2 + LLC + LINK + LLC + SNOOP);
  }

  // Data must not get lost.

  @ParameterizedTest
  @CsvSource({"1,1,false", "2,1,true", "3,2,false", "4,2,true"})
  void shouldKeepWhatIsNewerThanMemoryUntilItIsWrittenBack(
      long seed, int sockets, boolean isInclusive) {
    SplittableRandom random = new SplittableRandom(seed);
    caches = hierarchy(sockets, isInclusive, 2, 1);
    DeviceCachePort[] ports = {
      caches.devicePort(DevicePortConfig.DEFAULT),
      caches.devicePort(new DevicePortConfig(false, 0)),
      caches.devicePort(new DevicePortConfig(true, sockets - 1))
    };

    for (int i = 0; i < 40_000; i++) {
      // 3 sets with 24 lines each, in the memory of either socket.
      long line = random.nextInt(3) + random.nextInt(12) * SETS + (random.nextBoolean() ? FAR : 0);
      LineMemory home = line < FAR || sockets == 1 ? dram : farDram;
      int core = random.nextInt(2);
      int port = random.nextInt(3);
      int lengthBytes = random.nextBoolean() ? 64 : 16;
      switch (random.nextInt(4)) {
        case 0 -> load(core, line);
        case 1 -> {
          store(core, line);
          home.newerInCaches.add(line);
        }
        case 2 -> ports[port].read(line * 64, lengthBytes, false, AT);
        default -> {
          ports[port].write(line * 64, lengthBytes, false, AT);
          if (port != 1) {
            home.newerInCaches.add(line);
          }
        }
      }
      // Memory may be read while the other socket is newer, if that overrules it.
      assertThat(dram.staleReads + farDram.staleReads)
          .as("seed=%d, i=%d, line=%d", seed, i, line)
          .isEqualTo(caches.statistics().overruledReadsTotal());
      assertThat(caches.isDirtyAnywhere(line))
          .as("seed=%d, i=%d, line=%d", seed, i, line)
          .isEqualTo(home.newerInCaches.contains(line));
      long other = random.nextInt(3) + random.nextInt(12) * SETS;
      assertThat(caches.isDirtyAnywhere(other))
          .as("seed=%d, i=%d, line=%d, other=%d", seed, i, line, other)
          .isEqualTo(dram.newerInCaches.contains(other));
      dram.accesses.clear();
      farDram.accesses.clear();
    }
    assertThat(caches.statistics().writeBacksTotal()).isGreaterThan(1_000);
    assertThat(caches.statistics().backInvalidationsTotal()).isGreaterThan(1_000);
  }

  @Test
  void shouldChooseTheSameVictimsForTheSameSeed() {
    assertThat(victims(7)).isEqualTo(victims(7)).isNotEqualTo(victims(8));
  }

  private List<String> victims(long seed) {
    LineMemory memory = new LineMemory("");
    CoherentCacheHierarchy tested =
        new CoherentCacheHierarchy(
            CoherentCacheConfig.XEON_GOLD_6140.withLlc(
                new LlcConfig(1, SETS, 11, 0x600, false, 12, LLC)),
            1,
            List.of(memory),
            new Simulation(seed).randomStream("caches"));
    DeviceCachePort port = tested.devicePort(DevicePortConfig.DEFAULT);
    for (int i = 0; i < 2_000; i++) {
      port.write(i * 7L * 64, 64, false, AT);
    }
    return memory.accesses;
  }

  @Test
  void shouldRejectTheWrongNumberOfControllers() {
    assertThatIllegalArgumentException()
        .isThrownBy(
            () ->
                new CoherentCacheHierarchy(
                    CoherentCacheConfig.XEON_GOLD_6140,
                    1,
                    List.of(dram, farDram),
                    new Simulation(1).randomStream("caches")))
        .withMessage("controllers must be one for each of 1 sockets: controllers=2");
  }

  @ParameterizedTest
  @CsvSource({"1,false", "2,true"})
  void shouldAllocateNothing(int sockets, boolean isInclusive) {
    use(sockets, isInclusive);
    dram.isRecording = false;
    farDram.isRecording = false;
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    accessMany();
    threads.getCurrentThreadAllocatedBytes();

    long before = threads.getCurrentThreadAllocatedBytes();
    accessMany();
    long after = threads.getCurrentThreadAllocatedBytes();

    assertThat(after - before).isLessThan(1024);
  }

  private void accessMany() {
    for (int i = 0; i < 200_000; i++) {
      long pa = (i * 7919L & 0xfff) * 1000;
      device.read(pa, 100, false, i);
      device.write(pa + 64, 100, false, i);
      device.write(pa + 64, 100, true, i);
      caches.coreLoad(0, pa, 8, i);
      caches.coreStore(1, pa, 8, i);
    }
  }
}
