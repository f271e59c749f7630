package io.github.bellwire.host;

import io.github.bellwire.cache.CoherentCacheConfig;
import io.github.bellwire.cache.CoreCacheConfig;
import io.github.bellwire.cache.LlcConfig;
import io.github.bellwire.cache.MaintenanceConfig;
import io.github.bellwire.cache.NumaConfig;
import io.github.bellwire.cpu.CoreConfig;
import io.github.bellwire.memory.DramConfig;
import io.github.bellwire.memory.DramTiming;
import io.github.bellwire.pcie.IdleStatesConfig;
import io.github.bellwire.pcie.PcieLinkConfig;
import io.github.bellwire.pcie.RootComplexConfig;

/**
 * The hosts of "Understanding PCIe performance for end host networking" (SIGCOMM 2018) as their
 * data (pcie-bench/data at b2abf2f) describe them: processors and caches by lstopo and cpuinfo,
 * memory modules by dmidecode, slots by lspci.
 *
 * <p>Every delay that is in no data sheet follows from mean latencies of 64-byte reads by one
 * procedure, the same for all hosts: {@link #rootComplexPs}, {@link #controllerPs} and the way to
 * the other socket. The page sim-core/docs/calibration.md shows the numbers.
 */
final class MeasuredHosts {
  private static final long GIB = 1L << 30;
  private static final long LOW_MEMORY_BYTES = 2 * GIB;
  private static final long NORMAL_BASE = 4 * GIB;
  private static final double PS_BITS_PER_BYTE = 8e12;

  /**
   * What the study's device adds to a 64-byte read: 30 ns before and 30 ns after its DMA engine and
   * 156 ps for each byte that it stores; see ProbeConfig.NFP6000.
   */
  static final long DEVICE_PS = 30_000 + 30_000 + 64 * 156;

  /** A memory read request and a completion with 64 bytes. */
  static final int WIRE_BYTES = 24 + 84;

  /** From arrival at the cache to data: assumption; only its sum with the root complex is known. */
  static final long LLC_HIT_PS = 20_000;

  /** To a core's cache and back with its data: assumption. */
  private static final long SNOOP_PS = 10_000;

  /**
   * What a write waits for before it is in the cache: ownership of its line. Command reads of 8
   * bytes that hit the last-level cache take 428 ns (ib) and 419 ns (snb), those behind a write of
   * the same bytes 542 and 531 ns.
   */
  private static final long OWNERSHIP_PS = 112_000;

  private static final int SETS_PER_SLICE = 2048;
  private static final int RANKS = 2;

  /**
   * Mean latencies of 64-byte reads as the device's firmware measured them, in picoseconds.
   *
   * @param warmPs window of 8 KiB written by a core of the device's socket
   * @param coldPs window of 8 KiB that is in no cache
   * @param hopPs how much longer reads from the other socket's memory take, cold, 64 MiB; 0 if
   *     there is one socket
   */
  private record Means(long warmPs, long coldPs, long hopPs) {}

  /**
   * A processor.
   *
   * @param cores per socket
   * @param frequencyHz nominal
   * @param slices of the last-level cache, 2048 sets each
   * @param ways of the last-level cache
   */
  private record Processor(int cores, long frequencyHz, int slices, int ways) {
    /** Six slices of 2.5 MiB: 15 MiB in 20 ways, as E5-2600 of all generations with so much. */
    static Processor e5(int cores, long frequencyHz) {
      return new Processor(cores, frequencyHz, 6, 20);
    }
  }

  /**
   * How much of a read's answer these hosts send before the next has its turn: two cache lines. An
   * assumption, the same for all of them. It is what makes reads that MRRS splits slower than
   * others of their length at a device that takes its tags in turn, and no others: requests of
   * unlike length, of which the short ones are answered first (pcie-bench/data, 257 to 1793 B).
   */
  private static final int COMPLETION_TURN_BYTES = 128;

  private MeasuredHosts() {}

  /** {@return E5-2630 (Sandy Bridge); modules of 4 GiB, 2Rx8 of 2 Gb, DDR3-1333} */
  static HostConfig snb() {
    return host(
        "snb",
        Processor.e5(6, 2_300_000_000L),
        dram(DramTiming.DDR3_1333, 4),
        16,
        PcieLinkConfig.GEN3_X8,
        new Means(559_018, 615_185, 0),
        IdleStatesConfig.NONE);
  }

  /** {@return two E5-2620 v2 (Ivy Bridge); modules of 4 GiB, 2Rx8 of 2 Gb, DDR3-1600} */
  static HostConfig ib() {
    DramTiming timing = DramTiming.DDR3_1600.withRefresh(DramTiming.DDR3_1333.refresh());
    return host(
        "ib",
        Processor.e5(6, 2_100_000_000L),
        dram(timing, 4),
        16,
        PcieLinkConfig.GEN3_X8,
        new Means(567_085, 622_490, 681_780 - 622_572),
        IdleStatesConfig.NONE);
  }

  /** {@return E5-2620 v3 (Haswell); modules of 8 GiB, 2Rx8 of 4 Gb, DDR4 at 1866 MT/s} */
  static HostConfig hsw() {
    return host(
        "hsw",
        Processor.e5(6, 2_400_000_000L),
        dram(DramTiming.DDR4_1866, 4),
        32,
        PcieLinkConfig.GEN3_X8,
        new Means(552_607, 603_047, 0),
        IdleStatesConfig.NONE);
  }

  /** {@return E5-2637 v3 (Haswell); modules of 16 GiB, 2Rx4 of 4 Gb, DDR4-2133} */
  static HostConfig hswSm() {
    DramTiming timing = DramTiming.DDR4_2133.withRefresh(DramTiming.DDR4_1866.refresh());
    return host(
        "hsw-sm",
        Processor.e5(4, 3_500_000_000L),
        dram(timing, 4),
        64,
        PcieLinkConfig.GEN3_X8,
        new Means(597_154, 648_936, 0),
        IdleStatesConfig.NONE);
  }

  /**
   * {@return two E5-2630 v4 (Broadwell), 25 MiB; modules of 16 GiB, 2Rx8 of 8 Gb, DDR4 at 2133
   * MT/s}
   */
  static HostConfig bdw() {
    return host(
        "bdw",
        new Processor(10, 2_200_000_000L, 10, 20),
        dram(DramTiming.DDR4_2133, 4),
        64,
        PcieLinkConfig.GEN3_X8.withMaxReadRequestBytes(4096),
        new Means(557_239, 608_561, 663_428 - 610_437),
        IdleStatesConfig.NONE);
  }

  /**
   * {@return E3-1226 v3 (Haswell), 8 MiB in 16 ways; modules of 8 GiB, 2Rx8 of 4 Gb, DDR3-1600} Its
   * means are ruled by idle states, so the shortest latencies stand in for them: 507 to 560 ns
   * warm. Cold ones are no longer, which no cache explains: nothing but the DRAM's own latency is
   * left of a miss.
   */
  static HostConfig e3() {
    DramTiming timing = DramTiming.DDR3_1600;
    return host(
        "e3",
        new Processor(4, 3_300_000_000L, 4, 16),
        dram(timing, 2),
        16,
        PcieLinkConfig.GEN3_X8.withMaxPayloadBytes(128),
        new Means(533_000, 533_000 + timing.rowClosedPs() + refreshMeanPs(timing), 0),
        IdleStatesConfig.E3_1226_V3);
  }

  private static HostConfig host(
      String name,
      Processor processor,
      DramConfig dram,
      long gibPerSocket,
      PcieLinkConfig link,
      Means means,
      IdleStatesConfig idleStates) {
    int sockets = means.hopPs() == 0 ? 1 : 2;
    // The first socket has what is below 4 GiB.
    long secondSocketPa = NORMAL_BASE + gibPerSocket * GIB - LOW_MEMORY_BYTES;
    NumaConfig numa =
        sockets == 1
            ? NumaConfig.ONE_SOCKET
            : new NumaConfig(sockets, secondSocketPa, means.hopPs());
    long oneWayPs = rootComplexPs(link, means.warmPs()) / 2;
    long eachWayPs = controllerPs(dram.timing(), means.warmPs(), means.coldPs()) / 2;
    return new HostConfig(
        name,
        LOW_MEMORY_BYTES,
        sockets * gibPerSocket * GIB - LOW_MEMORY_BYTES,
        sockets * processor.cores(),
        CoreConfig.SERVER.withFrequencyHz(processor.frequencyHz()),
        caches(processor, numa),
        dram.withLatency(eachWayPs, eachWayPs),
        new RootComplexConfig(oneWayPs, oneWayPs)
            .withOwnershipPs(OWNERSHIP_PS)
            .withIdleStates(idleStates),
        link.withCompletionTurnBytes(COMPLETION_TURN_BYTES));
  }

  /**
   * {@return both ways through the root complex: what a read that hits the last-level cache takes,
   * without device, link and cache} How it is split into the ways up and down nobody can see from a
   * device; halves are an assumption.
   */
  static long rootComplexPs(PcieLinkConfig link, long warmPs) {
    return warmPs - DEVICE_PS - linkPs(link) - LLC_HIT_PS;
  }

  /**
   * {@return what the memory controller adds to the DRAM's own latency: what a read takes longer
   * that misses, without the access to a closed bank and the mean wait for refresh}
   */
  static long controllerPs(DramTiming timing, long warmPs, long coldPs) {
    return coldPs - warmPs - timing.rowClosedPs() - refreshMeanPs(timing);
  }

  /** {@return the mean wait for a rank that is away a part of the time: tRFC^2 / (2 tREFI)} */
  static long refreshMeanPs(DramTiming timing) {
    long cyclePs = timing.refresh().cyclePs();
    return cyclePs * cyclePs / (2 * timing.refresh().intervalPs()); // to 1 ps
  }

  /** {@return serialization at the guide rate and the flight both ways, to 1 ps} */
  private static long linkPs(PcieLinkConfig link) {
    double limit = link.ackLimitSymbols();
    double share = 1 - 2 * 8 / limit - 4.0 / 1538;
    double bitsPerSecond =
        link.generation().megatransfersPerSecond()
            * 1e6
            * link.lanes()
            * link.generation().codePayloadBits()
            / link.generation().codeTotalBits();
    long wirePs = Math.round(WIRE_BYTES * PS_BITS_PER_BYTE / (bitsPerSecond * share));
    return wirePs + 2 * link.propagationPs();
  }

  /** L1D 32 KiB in 8 ways; L2 256 KiB in 8 ways, 12 cycles; a store takes a cycle (assumption). */
  private static CoherentCacheConfig caches(Processor processor, NumaConfig numa) {
    long cyclePs = 1_000_000_000_000L / processor.frequencyHz(); // to 1 ps
    int ioWays = 3 << processor.ways() - 2; // the highest two, as after power-on
    return new CoherentCacheConfig(
        new CoreCacheConfig(64, 8, cyclePs, 512, 8, 12 * cyclePs, cyclePs, SNOOP_PS),
        new LlcConfig(
            processor.slices(), SETS_PER_SLICE, processor.ways(), ioWays, true, 1, LLC_HIT_PS),
        numa,
        MaintenanceConfig.X86);
  }

  /** One module of two ranks per channel; lines go round the channels; pages are closed. */
  private static DramConfig dram(DramTiming timing, int channels) {
    return DramConfig.of(timing)
        .withChannels(channels, RANKS)
        .withPagePolicy(DramConfig.PagePolicy.CLOSED, 1)
        .withRefreshStaggerPs(timing.refresh().intervalPs() / RANKS);
  }
}
