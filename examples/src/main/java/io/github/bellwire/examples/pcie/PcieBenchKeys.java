package io.github.bellwire.examples.pcie;

import io.github.bellwire.device.probe.ProbeConfig;
import io.github.bellwire.device.probe.ProbeOperation;
import io.github.bellwire.device.probe.ProbeWindow;
import io.github.bellwire.examples.host.HostKeys;
import io.github.bellwire.examples.report.Report;
import io.github.bellwire.examples.settings.Key;
import io.github.bellwire.examples.settings.Settings;
import io.github.bellwire.examples.settings.ValueType;
import io.github.bellwire.examples.settings.ValueTypes;
import io.github.bellwire.host.HostConfig;
import java.util.List;
import java.util.OptionalLong;

/** What can be set about a measurement with the probe. */
final class PcieBenchKeys {
  /** What the window lies in. */
  enum Target {
    /** Memory of the host. */
    MEMORY,
    /** Memory of a second device, in its BAR. */
    PEER
  }

  /** In which order slots are visited. */
  enum Pattern {
    /** One after the other. */
    SEQ,
    /** At random. */
    RAND
  }

  /** What the caches hold of the window. */
  enum Cache {
    /** Every line has been written by a core. */
    WARM,
    /** No line is in any cache. */
    COLD
  }

  /** Where the window's memory and the core that warms it are. */
  enum Numa {
    /** On the socket that the device is plugged into. */
    LOCAL,
    /** On the other socket. */
    REMOTE
  }

  /** How far slots are apart. */
  enum Slot {
    /** Offset and size, rounded up to whole lines. */
    LINE,
    /** The next power of two, at least a line. */
    POW2
  }

  static final Key<ProbeOperation> OP =
      Key.of(
          "op",
          ValueTypes.words(ProbeOperation.class),
          "read",
          "what to measure: bandwidth, or with lat- the latency of one DMA at a time");
  static final Key<Long> SIZE =
      Key.of("size", ValueTypes.bytes(1, ProbeWindow.SIZE_MAX_BYTES), "64B", "bytes of one DMA");
  static final Key<Long> WINDOW =
      Key.of("window", ValueTypes.bytes(64, 1L << 30), "8KiB", "memory that the probe visits");
  static final Key<Long> OFFSET =
      Key.of("offset", ValueTypes.bytes(0, 4095), "0B", "where a DMA starts in its slot");
  static final Key<Pattern> PATTERN =
      Key.of("pattern", ValueTypes.words(Pattern.class), "rand", "order of the slots");
  static final Key<Cache> CACHE =
      Key.of(
          "cache",
          ValueTypes.words(Cache.class),
          "warm",
          "whether a core has written the window first");
  static final Key<Numa> NUMA =
      Key.of(
          "numa",
          ValueTypes.words(Numa.class),
          "local",
          "socket of the window's memory and of that core");
  static final Key<Slot> SLOT =
      Key.optional(
          "slot",
          ValueTypes.words(Slot.class),
          "host",
          "distance of slots: offset + size rounded up to lines or a power of two");
  static final Key<Long> COUNT =
      Key.of("count", ValueTypes.count(1, 1_000_000_000), "100000", "DMAs after the warm-up");
  static final Key<Long> TAGS =
      Key.optional(
          "probe.tags",
          ValueTypes.count(1, 768),
          "link.tags",
          "reads that the probe has outstanding at most");
  static final Key<OptionalLong> READ_RATE =
      Key.optional(
          "probe.read-rate", rate(), "host", "reads that the probe's engine starts per second");
  static final Key<OptionalLong> WRITE_RATE =
      Key.optional(
          "probe.write-rate", rate(), "host", "writes that the probe's engine starts per second");
  static final Key<Long> TIMESTAMP =
      Key.optional(
          "probe.timestamp",
          ValueTypes.timePs(1, 1_000_000_000),
          "host",
          "step of the clock that the probe's firmware measures with");

  static final Key<Long> FAULTS =
      Key.optional(
          "link.faults",
          ValueTypes.count(10, 1_000_000_000_000L),
          "no faults",
          "one TLP in so many is poisoned, corrupted, malformed or lost");

  static final Key<Target> TARGET =
      Key.of(
          "target",
          ValueTypes.words(Target.class),
          "memory",
          "where the window is: in host memory, or in another device");
  static final Key<Long> RESET_AT =
      Key.optional(
          "probe.reset-at",
          ValueTypes.timePs(0, 1_000_000_000_000L),
          "never",
          "time in the run at which software resets the probe (FLR), which ends it");
  static final Key<Long> REMOVE_AT =
      Key.optional(
          "probe.remove-at",
          ValueTypes.timePs(0, 1_000_000_000_000L),
          "never",
          "time in the run at which the probe is pulled out, which ends it");

  static final List<Key<?>> ALL =
      List.of(
          OP,
          SIZE,
          WINDOW,
          OFFSET,
          PATTERN,
          CACHE,
          NUMA,
          SLOT,
          COUNT,
          TAGS,
          READ_RATE,
          WRITE_RATE,
          TIMESTAMP,
          FAULTS,
          TARGET,
          RESET_AT,
          REMOVE_AT);

  private static final int LINE_BYTES = 64;
  private static final int FAULT_KINDS = 4;

  private PcieBenchKeys() {}

  private static ValueType<OptionalLong> rate() {
    return ValueTypes.wordOr("unlimited", ValueTypes.perSecond(1_000, 10_000_000_000L));
  }

  /**
   * Brings the tags of the slot and of the probe together: they are the same tags.
   *
   * @return the machine with them
   */
  static HostConfig withTags(Settings settings, HostConfig host) {
    int slotTags = host.link().tags();
    int tags = Math.toIntExact(settings.supply(TAGS, (long) slotTags));
    if (settings.isGiven(HostKeys.LINK_TAGS) && tags > slotTags) {
      throw settings.refuse(TAGS, "must be at most " + settings.assignment(HostKeys.LINK_TAGS));
    }
    settings.supply(HostKeys.LINK_TAGS, (long) Math.max(tags, slotTags));
    return host.withLink(host.link().withTags(Math.max(tags, slotTags)));
  }

  /** {@return the machine with faults on its link, equally many of each kind} */
  static HostConfig withFaults(Settings settings, HostConfig host) {
    if (!settings.isGiven(FAULTS)) {
      return host;
    }
    double each = 1.0 / settings.value(FAULTS) / FAULT_KINDS;
    return host.withLink(
        host.link()
            .withFaults(
                host.link()
                    .faults()
                    .withPoisonedRatio(each)
                    .withCorruptedRatio(each)
                    .withMalformedRatio(each)
                    .withLostRatio(each)));
  }

  /** {@return the probe as the settings describe it, after {@link #withTags}} */
  static ProbeConfig probe(Settings settings, HostConfig host) {
    ProbeConfig preset = isIdeal(host) ? ProbeConfig.IDEAL : ProbeConfig.NFP6000;
    ProbeConfig.Reads reads = preset.reads();
    ProbeConfig.Writes writes = preset.writes();
    long readRate = rate(settings, READ_RATE, reads.startsPerSecond());
    long writeRate = rate(settings, WRITE_RATE, writes.startsPerSecond());
    long timestampPs = settings.supply(TIMESTAMP, preset.firmware().timestampPs());
    boolean isOwnPace = settings.isGiven(READ_RATE) || settings.isGiven(WRITE_RATE);
    return preset
        .withTags(settings.intValue(TAGS))
        .withReads(settings.isGiven(READ_RATE) ? reads.withStartsPerSecond(readRate) : reads)
        .withWrites(settings.isGiven(WRITE_RATE) ? writes.withStartsPerSecond(writeRate) : writes)
        .withPairsPerSecond(isOwnPace ? ProbeConfig.UNLIMITED : preset.pairsPerSecond())
        .withFirmware(preset.firmware().withTimestampPs(timestampPs));
  }

  /**
   * Checks that what the settings say of host memory has a meaning.
   *
   * @throws io.github.bellwire.examples.settings.UserErrorException if it has none
   */
  static void checkTarget(Settings settings) {
    if (settings.value(TARGET) != Target.PEER) {
      return;
    }
    for (Key<?> key : List.of(CACHE, NUMA)) {
      if (settings.isChanged(key)) {
        throw settings.refuse(
            key, "must not be given with target=peer, whose window is in a device");
      }
    }
    HostKeys.refuseTurns(settings, TARGET);
  }

  /** Says which settings take no part in the operation. */
  static void addWithoutEffect(Report report, Settings settings) {
    ProbeOperation operation = settings.value(OP);
    String one = "with " + settings.assignment(OP) + " there is one DMA at a time";
    if (operation.isSingle()) {
      addWithout(report, settings, one, READ_RATE, WRITE_RATE);
    } else {
      addWithout(report, settings, "firmware measures no times of single DMAs here", TIMESTAMP);
      String none = " with " + settings.assignment(OP);
      if (!operation.hasReads()) {
        addWithout(report, settings, "nothing is read" + none, READ_RATE);
      }
      if (!operation.hasWrites()) {
        addWithout(report, settings, "nothing is written" + none, WRITE_RATE);
      }
    }
    HostKeys.addWithoutCores(report, settings, "cores are idle while the probe measures");
  }

  private static void addWithout(Report report, Settings settings, String reason, Key<?>... keys) {
    for (Key<?> key : keys) {
      if (settings.isGiven(key)) {
        report.withoutEffect(settings.assignment(key) + ": " + reason);
      }
    }
  }

  /** {@return bytes from slot to slot; what does not fit the window is refused} */
  static int slotBytes(Settings settings, HostConfig host) {
    int bytes = settings.intValue(SIZE) + settings.intValue(OFFSET);
    int lines = (bytes + LINE_BYTES - 1) / LINE_BYTES * LINE_BYTES; // rounds up
    Slot slot = settings.supply(SLOT, isIdeal(host) ? Slot.POW2 : Slot.LINE);
    boolean isPowerOfTwo = slot == Slot.LINE || Integer.bitCount(lines) == 1;
    int slotBytes = isPowerOfTwo ? lines : Integer.highestOneBit(lines) * 2;
    if (settings.value(WINDOW) < slotBytes) {
      throw settings.refuse(WINDOW, "must hold a slot of " + slotBytes + "B");
    }
    return slotBytes;
  }

  private static boolean isIdeal(HostConfig host) {
    return host.name().equals(HostConfig.IDEAL.name());
  }

  private static long rate(Settings settings, Key<OptionalLong> key, long preset) {
    OptionalLong supplied =
        preset == ProbeConfig.UNLIMITED ? OptionalLong.empty() : OptionalLong.of(preset);
    return settings.supply(key, supplied).orElse(ProbeConfig.UNLIMITED);
  }
}
