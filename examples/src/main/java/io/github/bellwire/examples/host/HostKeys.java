package io.github.bellwire.examples.host;

import io.github.bellwire.examples.report.Report;
import io.github.bellwire.examples.settings.Key;
import io.github.bellwire.examples.settings.Settings;
import io.github.bellwire.examples.settings.ValueTypes;
import io.github.bellwire.host.HostConfig;
import io.github.bellwire.pcie.PcieGeneration;
import io.github.bellwire.pcie.PcieLinkConfig;
import java.util.List;
import java.util.stream.Stream;

/** The keys that describe the machine under a scenario. */
public final class HostKeys {
  /** Which machine. */
  public static final Key<String> HOST =
      Key.of(
          "host",
          ValueTypes.words(HostConfig.PRESETS.stream().map(HostConfig::name).toList()),
          HostConfig.GEN4_SERVER.name(),
          "machine preset: cores, caches, memory and slot");

  static final Key<Long> LINK_GEN =
      Key.optional("link.gen", ValueTypes.count(1, 6), "host", "PCIe generation");
  static final Key<Long> LINK_LANES =
      Key.optional(
          "link.lanes", ValueTypes.oneOf(1, 2, 4, 8, 16, 32), "host", "PCIe link width, in lanes");
  static final Key<Long> LINK_MPS =
      Key.optional(
          "link.mps",
          ValueTypes.bytes(128, 4096),
          "host",
          "PCIe maximum payload size, a power of two");
  static final Key<Long> LINK_MRRS =
      Key.optional(
          "link.mrrs",
          ValueTypes.bytes(128, 4096),
          "host",
          "PCIe maximum read request size, a power of two");
  static final Key<Long> LINK_RCB =
      Key.optional(
          "link.rcb",
          ValueTypes.bytes(64, 128),
          "host",
          "PCIe read completion boundary, 64B or 128B");

  /** Overrides the tags of the slot. */
  public static final Key<Long> LINK_TAGS =
      Key.optional(
          "link.tags",
          ValueTypes.count(1, PcieLinkConfig.TAGS_MAX),
          "host",
          "reads a device may have outstanding");

  static final Key<Long> CPU_FREQUENCY =
      Key.optional(
          "cpu.frequency",
          ValueTypes.frequencyHz(100_000_000, 10_000_000_000L),
          "host",
          "clock of the cores");
  static final Key<String> IOMMU =
      Key.of("iommu", ValueTypes.words(List.of("off")), "off", "address translation for devices");

  /** All of them. */
  public static final List<Key<?>> ALL =
      Stream.of(
              List.<Key<?>>of(HOST, LINK_GEN, LINK_LANES, LINK_MPS, LINK_MRRS, LINK_RCB, LINK_TAGS),
              LinkKeys.ALL,
              List.<Key<?>>of(CPU_FREQUENCY, IOMMU, HostChecker.CHECKER))
          .flatMap(List::stream)
          .toList();

  /** All of them, and those of an IOMMU with mappings that stay. */
  public static final List<Key<?>> WITH_IOMMU =
      Stream.concat(ALL.stream().filter(key -> key != IOMMU), IommuKeys.ALL.stream()).toList();

  /** All of them, and those of an IOMMU under a mapping policy. */
  public static final List<Key<?>> WITH_POLICY =
      Stream.concat(ALL.stream().filter(key -> key != IOMMU), PolicyKeys.ALL.stream()).toList();

  private HostKeys() {}

  /**
   * {@return the machine that the settings describe; overrides appear among the resolved values}
   *
   * @param settings of a scenario with {@link #ALL} keys
   */
  public static HostConfig resolve(Settings settings) {
    String name = settings.value(HOST);
    HostConfig preset =
        HostConfig.PRESETS.stream().filter(p -> p.name().equals(name)).findFirst().orElseThrow();
    PcieLinkConfig slot = preset.link();
    int generation = supply(settings, LINK_GEN, slot.generation().number());
    int lanes = supply(settings, LINK_LANES, slot.lanes());
    int mps = powerOfTwo(settings, LINK_MPS, slot.maxPayloadBytes());
    int mrrs = powerOfTwo(settings, LINK_MRRS, slot.maxReadRequestBytes());
    int rcb = powerOfTwo(settings, LINK_RCB, slot.readCompletionBoundaryBytes());
    int tags = supply(settings, LINK_TAGS, slot.tags());
    long frequencyHz = settings.supply(CPU_FREQUENCY, preset.core().frequencyHz());
    PcieLinkConfig link =
        slot.withGeneration(PcieGeneration.of(generation))
            .withLanes(lanes)
            .withMaxPayloadBytes(mps)
            .withMaxReadRequestBytes(mrrs)
            .withReadCompletionBoundaryBytes(rcb)
            .withTags(tags);
    return preset
        .withCore(preset.core().withFrequencyHz(frequencyHz))
        .withLink(LinkKeys.apply(settings, link));
  }

  /**
   * Says that settings of the cores take no part.
   *
   * @param report of the run
   * @param settings of a scenario with {@link #ALL} keys
   * @param reason why
   */
  public static void addWithoutCores(Report report, Settings settings, String reason) {
    if (settings.isGiven(CPU_FREQUENCY)) {
      report.withoutEffect(settings.assignment(CPU_FREQUENCY) + ": " + reason);
    }
  }

  /** {@return whether the ports of a switch refuse what goes from one to another} */
  public static boolean forbidsPeers(Settings settings) {
    return settings.value(LinkKeys.ACCESS_CONTROL).contains("ec");
  }

  /**
   * Refuses that answers take turns on the link.
   *
   * @param settings of a scenario with {@link #ALL} keys
   * @param reason the key whose setting makes them leave whole
   */
  public static void refuseTurns(Settings settings, Key<?> reason) {
    LinkKeys.refuseTurns(settings, reason);
  }

  private static int supply(Settings settings, Key<Long> key, int preset) {
    return Math.toIntExact(settings.supply(key, (long) preset));
  }

  private static int powerOfTwo(Settings settings, Key<Long> key, int preset) {
    int value = supply(settings, key, preset);
    if (Integer.bitCount(value) != 1) {
      throw settings.refuse(key, "must be a power of two, " + key.type().range());
    }
    return value;
  }
}
