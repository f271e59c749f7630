package io.github.bellwire.host;

import static io.github.bellwire.kernel.Requirements.require;
import static java.util.Objects.requireNonNull;

import io.github.bellwire.cache.CacheConfig;
import io.github.bellwire.cache.CoherentCacheConfig;
import io.github.bellwire.cache.EmbeddedCacheConfig;
import io.github.bellwire.cache.SimpleCacheConfig;
import io.github.bellwire.cpu.CoreConfig;
import io.github.bellwire.cpu.DeviceAccessConfig;
import io.github.bellwire.memory.MemoryConfig;
import io.github.bellwire.memory.SimpleMemoryControllerConfig;
import io.github.bellwire.pcie.PcieGeneration;
import io.github.bellwire.pcie.PcieLinkConfig;
import io.github.bellwire.pcie.PcieLinkConfig.DllpCharge;
import io.github.bellwire.pcie.RootComplexConfig;
import java.util.List;

/**
 * A machine without devices.
 *
 * @param name as on the command line, such as {@code gen4-server}
 * @param lowMemoryBytes RAM from address 0 on, a multiple of 4 KiB, 16 MiB..3 GiB
 * @param highMemoryBytes RAM from 4 GiB on, a multiple of 4 KiB, 0..16 TiB
 * @param coresCount 1..64
 * @param core cost of a core's work
 * @param cache the caches
 * @param memory the DRAM: one pipe, or channels with banks and rows
 * @param rootComplex delays of the root complex
 * @param link the slot that a device gets if nothing else is said
 */
public record HostConfig(
    String name,
    long lowMemoryBytes,
    long highMemoryBytes,
    int coresCount,
    CoreConfig core,
    CacheConfig cache,
    MemoryConfig memory,
    RootComplexConfig rootComplex,
    PcieLinkConfig link) {
  private static final long GIB = 1L << 30;
  private static final long LOW_MEMORY_MIN_BYTES = 1L << 24;
  private static final int CORES_MAX = 64;
  private static final int PAGE_BYTES = 4096;

  /**
   * No latency and no tag limit; link traffic is charged at the guide rate, so that bandwidth
   * equals the analytic model of pcie-bench.
   */
  public static final HostConfig IDEAL =
      new HostConfig(
          "ideal",
          GIB,
          64 * GIB,
          CORES_MAX,
          CoreConfig.IDEAL,
          SimpleCacheConfig.IDEAL,
          SimpleMemoryControllerConfig.IDEAL,
          RootComplexConfig.IDEAL,
          PcieLinkConfig.GEN3_X8.withPropagationPs(0).withTags(PcieLinkConfig.TAGS_MAX));

  /**
   * A one-socket server with Gen 4 x16 slots. Assumption: 130 ns each way through the root complex,
   * which makes a 64-byte read from the last-level cache about 410 ns; measured Gen 3 hosts take
   * 440 to 490 ns (pcie-bench, SIGCOMM 2018).
   */
  public static final HostConfig GEN4_SERVER =
      new HostConfig(
          "gen4-server",
          2 * GIB,
          64 * GIB,
          16,
          CoreConfig.SERVER,
          SimpleCacheConfig.SERVER,
          SimpleMemoryControllerConfig.DDR4_3200_8CH,
          new RootComplexConfig(130_000, 130_000),
          PcieLinkConfig.GEN4_X16);

  /** As {@link #GEN4_SERVER} with Gen 5 x16 slots. Assumption, latencies included. */
  public static final HostConfig GEN5_SERVER =
      GEN4_SERVER.withName("gen5-server").withLink(PcieLinkConfig.GEN5_X16);

  /**
   * One socket of a Xeon Gold 6140 (Skylake-SP, 2.3 GHz) with a Gen 3 x16 slot: the machine of the
   * DDIO measurements of Farshin et al. (ATC 2020). Six channels of DDR4-2666, 21.3 GB/s each: 64 B
   * / 128 GB/s = 500 ps. DRAM 89 to 91 ns from the core (AnandTech article 11544, page 13), of
   * which 26 ns lead to the last-level cache, so 64 ns. Root complex and core costs as of {@link
   * #GEN4_SERVER}; 256 tags. Assumptions.
   */
  public static final HostConfig SKX =
      new HostConfig(
          "skx",
          2 * GIB,
          64 * GIB,
          18,
          CoreConfig.SERVER.withFrequencyHz(2_300_000_000L),
          CoherentCacheConfig.XEON_GOLD_6140,
          new SimpleMemoryControllerConfig(64_000, 20_000, 500),
          GEN4_SERVER.rootComplex(),
          PcieLinkConfig.GEN3_X8.withLanes(16).withTags(256));

  /** A Xeon E5-2630 (Sandy Bridge) of the pcie-bench study (SIGCOMM 2018); calibrated. */
  public static final HostConfig SNB = MeasuredHosts.snb();

  /** Two Xeon E5-2620 v2 (Ivy Bridge) of the pcie-bench study; calibrated. */
  public static final HostConfig IB = MeasuredHosts.ib();

  /** A Xeon E5-2620 v3 (Haswell) of the pcie-bench study; calibrated. */
  public static final HostConfig HSW = MeasuredHosts.hsw();

  /** A Xeon E5-2637 v3 (Haswell) of the pcie-bench study; calibrated. */
  public static final HostConfig HSW_SM = MeasuredHosts.hswSm();

  /** Two Xeon E5-2630 v4 (Broadwell) of the pcie-bench study; calibrated. */
  public static final HostConfig BDW = MeasuredHosts.bdw();

  /**
   * A Xeon E3-1226 v3 (Haswell) of the pcie-bench study, whose root complex falls asleep: for tests
   * of robustness.
   */
  public static final HostConfig E3 = MeasuredHosts.e3();

  /**
   * A DGX-1, whose V100 GPUs the gdrcopy README measures: Xeon E5-2698 v4 at 2.2 GHz, one socket of
   * two, Gen 3 x16 slots; GPUs lie behind switches there, whose delay is part of what the device
   * takes. Its copies go one way at a time, and Acks and credits travel against them, so they cost
   * the copies nothing. 10 lines and 192 instructions in flight: Broadwell (Intel Optimization
   * Reference Manual). Assumptions: caches and DRAM as of {@link #GEN4_SERVER}, but 2.5 times
   * slower channels (4 x DDR4-2400), 130 ns each way through the root complex, a core that waits
   * out the gap after an uncached store.
   */
  public static final HostConfig DGX_1 =
      new HostConfig(
          "dgx-1",
          2 * GIB,
          64 * GIB,
          20,
          new CoreConfig(2_200_000_000L, 100_000, 1_000_000, 10, 96, DeviceAccessConfig.BROADWELL),
          SimpleCacheConfig.SERVER,
          new SimpleMemoryControllerConfig(50_000, 20_000, 834),
          new RootComplexConfig(130_000, 130_000),
          PcieLinkConfig.GEN3_X8.withLanes(16).withTags(256).withDllpCharge(DllpCharge.NONE));

  /**
   * A small board whose devices are not coherent with the cores' caches: four Cortex-A72 cores at
   * 1.5 GHz, 4 GiB of LPDDR4-3200 at 32 bits = 12.8 GB/s, a PCIe Gen 2 x1 slot (as on BCM2711).
   * Assumptions: 80 ns to read DRAM and 40 ns to write it, 200 ns each way through the root
   * complex.
   */
  public static final HostConfig EMBEDDED_NONCOHERENT =
      new HostConfig(
          "embedded-noncoherent",
          3 * GIB,
          GIB,
          4,
          CoreConfig.SERVER.withFrequencyHz(1_500_000_000).withLinesOutstanding(6),
          EmbeddedCacheConfig.CORTEX_A72_NONCOHERENT,
          new SimpleMemoryControllerConfig(80_000, 40_000, 5_000),
          new RootComplexConfig(200_000, 200_000),
          PcieLinkConfig.GEN3_X8.withGeneration(PcieGeneration.GEN2).withLanes(1));

  /** All presets, in the order in which they are listed to users. */
  public static final List<HostConfig> PRESETS =
      List.of(
          IDEAL,
          SNB,
          IB,
          HSW,
          HSW_SM,
          BDW,
          E3,
          GEN4_SERVER,
          GEN5_SERVER,
          DGX_1,
          SKX,
          EMBEDDED_NONCOHERENT);

  // Checked here and nowhere else: a configuration that exists is a valid one.
  public HostConfig {
    requireNonNull(name, "name");
    requireNonNull(core, "core");
    requireNonNull(cache, "cache");
    requireNonNull(memory, "memory");
    requireNonNull(rootComplex, "rootComplex");
    requireNonNull(link, "link");
    require(
        isInPages(lowMemoryBytes, LOW_MEMORY_MIN_BYTES, 3 * GIB),
        "lowMemoryBytes",
        lowMemoryBytes,
        "a multiple of 4 KiB, 16 MiB..3 GiB");
    require(
        isInPages(highMemoryBytes, 0, 16L << 40),
        "highMemoryBytes",
        highMemoryBytes,
        "a multiple of 4 KiB, 0..16 TiB");
    require(
        coresCount >= 1 && coresCount <= CORES_MAX, "coresCount", coresCount, "1.." + CORES_MAX);
  }

  /**
   * {@return this machine under another name}
   *
   * @param newName as in the constructor
   */
  public HostConfig withName(String newName) {
    return new HostConfig(
        newName,
        lowMemoryBytes,
        highMemoryBytes,
        coresCount,
        core,
        cache,
        memory,
        rootComplex,
        link);
  }

  /**
   * {@return this machine with other memory below 4 GiB}
   *
   * @param newLowMemoryBytes as in the constructor
   */
  public HostConfig withLowMemoryBytes(long newLowMemoryBytes) {
    return new HostConfig(
        name,
        newLowMemoryBytes,
        highMemoryBytes,
        coresCount,
        core,
        cache,
        memory,
        rootComplex,
        link);
  }

  /**
   * {@return this machine with other slots}
   *
   * @param newLink as in the constructor
   */
  public HostConfig withLink(PcieLinkConfig newLink) {
    return new HostConfig(
        name,
        lowMemoryBytes,
        highMemoryBytes,
        coresCount,
        core,
        cache,
        memory,
        rootComplex,
        newLink);
  }

  /**
   * {@return this machine with another root complex}
   *
   * @param newRootComplex delays, and whether devices reach each other through it
   */
  public HostConfig withRootComplex(RootComplexConfig newRootComplex) {
    return new HostConfig(
        name,
        lowMemoryBytes,
        highMemoryBytes,
        coresCount,
        core,
        cache,
        memory,
        newRootComplex,
        link);
  }

  /**
   * {@return this machine with slots of another generation}
   *
   * @param newGeneration signalling rate and line code
   */
  public HostConfig withGeneration(PcieGeneration newGeneration) {
    return withLink(link.withGeneration(newGeneration));
  }

  /**
   * {@return this machine with other cores}
   *
   * @param newCore as in the constructor
   */
  public HostConfig withCore(CoreConfig newCore) {
    return new HostConfig(
        name,
        lowMemoryBytes,
        highMemoryBytes,
        coresCount,
        newCore,
        cache,
        memory,
        rootComplex,
        link);
  }

  /**
   * {@return this machine with other caches}
   *
   * @param newCache as in the constructor
   */
  public HostConfig withCache(CacheConfig newCache) {
    return new HostConfig(
        name,
        lowMemoryBytes,
        highMemoryBytes,
        coresCount,
        core,
        newCache,
        memory,
        rootComplex,
        link);
  }

  /**
   * {@return this machine with other DRAM}
   *
   * @param newMemory as in the constructor
   */
  public HostConfig withMemory(MemoryConfig newMemory) {
    return new HostConfig(
        name,
        lowMemoryBytes,
        highMemoryBytes,
        coresCount,
        core,
        cache,
        newMemory,
        rootComplex,
        link);
  }

  private static boolean isInPages(long bytes, long min, long max) {
    return bytes >= min && bytes <= max && bytes % PAGE_BYTES == 0;
  }
}
