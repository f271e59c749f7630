package io.github.bellwire.examples.memory;

import io.github.bellwire.examples.settings.Key;
import io.github.bellwire.examples.settings.Settings;
import io.github.bellwire.examples.settings.UserErrorException;
import io.github.bellwire.examples.settings.ValueType;
import io.github.bellwire.examples.settings.ValueTypes;
import io.github.bellwire.memory.DramConfig;
import io.github.bellwire.memory.DramConfig.PagePolicy;
import io.github.bellwire.memory.DramConfig.Queues;
import io.github.bellwire.memory.DramTiming;
import java.util.List;
import java.util.OptionalLong;

/** The keys of the scenario {@code dram}. */
final class DramKeys {
  /** How requests are made. */
  enum Pattern {
    SEQ,
    RAND,
    MIX,
    IDLE
  }

  /** Where requests wait. */
  enum Queueing {
    SHARED,
    PER_BANK
  }

  /** When the ranks of a channel refresh. */
  enum RefreshOrder {
    SIMULTANEOUS,
    STAGGERED
  }

  /** Parts by the names that users type. */
  private record Preset(String name, DramTiming timing) {}

  private static final List<Preset> PRESETS =
      List.of(
          new Preset("ddr3-1600", DramTiming.DDR3_1600),
          new Preset("ddr4-2400", DramTiming.DDR4_2400),
          new Preset("ddr4-3200", DramTiming.DDR4_3200),
          new Preset("ddr4-2400-dramsim3", DramTiming.DDR4_2400_DRAMSIM3),
          new Preset("ddr4-3200-dramsim3", DramTiming.DDR4_3200_DRAMSIM3),
          new Preset("ddr5-4800", DramTiming.DDR5_4800),
          new Preset("hbm2", DramTiming.HBM2));

  private static final Key<String> PRESET =
      Key.of(
          "preset",
          ValueTypes.words(PRESETS.stream().map(Preset::name).toList()),
          "ddr4-3200",
          "the DRAM part");
  private static final Key<Long> CHANNELS =
      Key.of(
          "channels",
          ValueTypes.oneOf(1, 2, 4, 8, 16, 32, 64),
          "1",
          "independent channels; a subchannel of DDR5 is one");
  private static final Key<Long> RANKS =
      Key.of(
          "ranks",
          ValueTypes.oneOf(1, 2, 4, 8),
          "2",
          "ranks per channel; a pseudo-channel of HBM2 is one");
  private static final Key<String> MAPPING =
      Key.of(
          "mapping",
          new MappingType(),
          DramConfig.MOP4CLXOR,
          "fields of an address from the highest bit to the lowest");
  static final Key<Pattern> PATTERN =
      Key.of(
          "pattern",
          ValueTypes.words(Pattern.class),
          "rand",
          "consecutive reads, random reads, random reads with a third writes, or random reads one"
              + " at a time");
  static final Key<OptionalLong> OFFERED =
      Key.of(
          "offered",
          ValueTypes.wordOr("saturated", ValueTypes.bytesPerSecond(1_000_000, 10_000_000_000_000L)),
          "saturated",
          "rate of requests; saturated offers one per clock");
  static final Key<Long> COUNT =
      Key.of("count", ValueTypes.count(1, 1_000_000_000), "1000000", "requests, one burst each");
  private static final Key<PagePolicy> PAGE =
      Key.of(
          "page",
          ValueTypes.words(PagePolicy.class),
          "open",
          "when a row is closed: for another one, for one that alone is waited for, or when none waits");
  private static final Key<Queueing> QUEUES =
      Key.of(
          "queues",
          ValueTypes.words(Queueing.class),
          "shared",
          "one queue of 32 reads, served oldest first, or queues of 8 per bank behind it, served in"
              + " turn");
  private static final Key<RefreshOrder> REFRESH =
      Key.of(
          "refresh",
          ValueTypes.words(RefreshOrder.class),
          "simultaneous",
          "whether the ranks of a channel refresh together or spread over the interval");
  private static final Key<Long> LATENCY =
      Key.optional(
          "latency",
          ValueTypes.timePs(0, 1_000_000),
          "one clock",
          "fixed latency of the controller beside that of the DRAM");

  static final List<Key<?>> ALL =
      List.of(
          PRESET, CHANNELS, RANKS, MAPPING, PATTERN, OFFERED, COUNT, PAGE, QUEUES, REFRESH,
          LATENCY);

  private DramKeys() {}

  /**
   * {@return the DRAM that the settings describe; overrides appear among the resolved values}
   *
   * @throws UserErrorException if the mapping does not suit the part
   */
  static DramConfig resolve(Settings settings) {
    String name = settings.value(PRESET);
    DramTiming timing =
        PRESETS.stream().filter(p -> p.name().equals(name)).findFirst().orElseThrow().timing();
    int ranks = settings.intValue(RANKS);
    boolean isStaggered = settings.value(REFRESH) == RefreshOrder.STAGGERED;
    boolean isShared = settings.value(QUEUES) == Queueing.SHARED;
    DramConfig config =
        DramConfig.of(timing)
            .withChannels(settings.intValue(CHANNELS), ranks)
            .withPagePolicy(settings.value(PAGE), DramConfig.of(timing).rowAccessesMax())
            .withQueues(isShared ? Queues.SHARED : Queues.PER_BANK)
            .withRefreshStaggerPs(isStaggered ? timing.refresh().intervalPs() / ranks : 0)
            .withFirstRefreshPs(timing.refresh().intervalPs() / (isStaggered ? ranks : 1))
            .withLatency(settings.supply(LATENCY, timing.clockPs()), 0);
    try {
      return config.withMapping(settings.value(MAPPING));
    } catch (IllegalArgumentException e) {
      throw settings.refuse(MAPPING, reason(e));
    }
  }

  /** Takes the name in front and the value behind away. */
  private static String reason(IllegalArgumentException e) {
    String message = e.getMessage();
    return message.substring("mapping ".length(), message.lastIndexOf(": mapping="));
  }

  /** Any order of fields that some part could have. */
  private static final class MappingType implements ValueType<String> {
    @Override
    public String parse(String text) {
      try {
        DramConfig.of(DramTiming.DDR4_3200).withMapping(text);
        return text;
      } catch (IllegalArgumentException e) {
        throw new UserErrorException(reason(e));
      }
    }

    @Override
    public String format(String value) {
      return value;
    }

    @Override
    public String unit() {
      return "fields";
    }

    @Override
    public String range() {
      return "two-letter fields of ch, ra, bg, ba, ro and co such as RoBaRaCoCh, rorabacochbg or"
          + " rocobabgraco2^co, or MOP4CLXOR";
    }
  }
}
