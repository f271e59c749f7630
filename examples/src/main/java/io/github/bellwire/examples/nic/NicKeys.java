package io.github.bellwire.examples.nic;

import io.github.bellwire.device.nic.EthernetWire;
import io.github.bellwire.device.nic.NicConfig;
import io.github.bellwire.device.nic.driver.DriverMode;
import io.github.bellwire.device.nic.driver.DriverProfile;
import io.github.bellwire.device.nic.driver.NicDriverConfig;
import io.github.bellwire.examples.report.Report;
import io.github.bellwire.examples.settings.Key;
import io.github.bellwire.examples.settings.Settings;
import io.github.bellwire.examples.settings.ValueTypes;
import io.github.bellwire.pcie.PcieLinkConfig;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.UnaryOperator;

/** The keys of the scenarios with network cards. */
final class NicKeys {
  /** When frames enter the wire. */
  enum Timing {
    /** As far apart as they were captured. */
    CAPTURE,
    /** Back to back. */
    LINE_RATE
  }

  /** Which ways frames are forwarded. */
  enum Direction {
    /** From port 0 to port 1. */
    ONE,
    /** Both ways at once. */
    BOTH
  }

  /** What the host software costs. */
  enum Profile {
    /** A userspace driver in C. */
    USERSPACE_C(DriverProfile.USERSPACE_C),
    /** A kernel driver and network stack. */
    KERNEL(DriverProfile.KERNEL),
    /** Nothing. */
    IDEAL(DriverProfile.IDEAL);

    private final DriverProfile costs;

    Profile(DriverProfile costs) {
      this.costs = costs;
    }
  }

  static final Key<Path> PCAP =
      Key.optional("pcap", ValueTypes.file(), "the shipped capture", "capture file to replay");
  static final Key<Long> FRAMES =
      Key.optional(
          "frames",
          ValueTypes.count(1, 1_000_000_000_000L),
          "capture",
          "frames to generate in place of a capture");
  static final Key<Long> FRAME_BYTES =
      Key.of(
          "frame-bytes",
          ValueTypes.bytes(EthernetWire.FRAME_MIN_BYTES, 16_383),
          "64",
          "size of generated frames, FCS included; without frames, 100000 are generated");
  static final Key<Long> RATE =
      Key.of(
          "rate",
          ValueTypes.bitsPerSecond(1_000_000_000L, 800_000_000_000L),
          "10Gb/s",
          "speed of the wire");
  static final Key<Timing> TIMING =
      Key.optional(
          "timing",
          ValueTypes.words(Timing.class),
          "capture for captures, else line-rate",
          "when frames are due: as they were captured, or back to back");
  static final Key<Long> OFFERED =
      Key.optional(
          "offered",
          ValueTypes.perSecond(1, 1_000_000_000_000L),
          "the wire",
          "generated frames that are due per second and port");
  static final Key<Path> CAPTURE_OUT =
      Key.optional(
          "capture-out", ValueTypes.file(), "none", "capture file for what the driver received");
  static final Key<Long> RING_SIZE =
      Key.of("ring.size", ValueTypes.count(8, 4096, 8), "512", "descriptors per ring");
  static final Key<DriverMode> MODE =
      Key.of(
          "mode",
          ValueTypes.words(DriverMode.class),
          "poll",
          "how the driver notices frames; poll maps its buffers once");
  static final Key<Long> BATCH =
      Key.of("batch", ValueTypes.count(1, 4096), "32", "frames per poll and per tail write");
  static final Key<Long> ITR =
      Key.of(
          "itr",
          ValueTypes.timePs(0, 1_046_528_000L),
          "0ns",
          "least time between two interrupts of a vector");
  static final Key<Long> QUEUES =
      Key.of(
          "queues",
          ValueTypes.count(1, 16),
          "1",
          "queues each way; received frames are dealt to them by RSS");
  static final Key<Long> CORES =
      Key.of("cores", ValueTypes.count(1, 16), "1", "cores that serve the queues, at most as many");
  static final Key<Profile> PROFILE =
      Key.of(
          "profile",
          ValueTypes.words(Profile.class),
          "userspace-c",
          "what host software costs the cores");
  static final Key<OptionalLong> ENGINE_RATE =
      Key.of(
          "nic.engine-rate",
          ValueTypes.wordOr("unlimited", ValueTypes.count(1_000, 1_000_000_000_000L)),
          "unlimited",
          "descriptors that the card handles per second and direction");
  static final Key<Long> PTHRESH =
      Key.of(
          "nic.pthresh",
          ValueTypes.count(0, 40),
          "0",
          "descriptors on the card below which it reads more (TXDCTL.PTHRESH)");
  static final Key<Long> HTHRESH =
      Key.of(
          "nic.hthresh",
          ValueTypes.count(0, 127),
          "0",
          "descriptors in memory that make it read (TXDCTL.HTHRESH)");
  static final Key<Long> WTHRESH =
      Key.of(
          "nic.wthresh",
          ValueTypes.count(0, 40),
          "8",
          "descriptors that it reports as sent at once (TXDCTL.WTHRESH)");
  // The part knows no limit below 1518 B: MAXFRS counts only while jumbo frames are enabled.
  static final Key<Long> MAX_FRAME =
      Key.of(
          "nic.max-frame",
          ValueTypes.bytes(1518, 16_383),
          "1518",
          "longest frame that is received, FCS included; a VLAN tag may come on top");
  static final Key<Long> BUFFER =
      Key.of(
          "nic.buffer",
          ValueTypes.bytes(1024, 16_384),
          "2KiB",
          "size of a packet buffer in host memory, in steps of 1KiB; buffers lie 1, 2 or a multiple"
              + " of 4KiB apart, so that their first lines share few sets of a cache");
  static final Key<Long> RX_FIFO =
      Key.of(
          "nic.rx-fifo",
          ValueTypes.bytes(16 << 10, 512 << 10),
          "512KiB",
          "memory of the card for frames that it has received");
  static final Key<Long> READS =
      Key.optional(
          "nic.reads",
          ValueTypes.count(1, PcieLinkConfig.TAGS_MAX),
          "22 at up to 10Gb/s, else link.tags",
          "reads a port may have outstanding");
  static final Key<Long> RX_LATENCY =
      Key.of(
          "nic.rx-latency",
          ValueTypes.timePs(0, 100_000_000),
          "0ns",
          "time that the card itself takes to receive a frame");
  static final Key<Long> TX_LATENCY =
      Key.of(
          "nic.tx-latency",
          ValueTypes.timePs(0, 100_000_000),
          "0ns",
          "time that the card itself takes to send a frame");
  static final Key<Direction> DIRECTION =
      Key.of(
          "direction",
          ValueTypes.words(Direction.class),
          "one",
          "from port 0 to port 1, or both ways at once");

  /** What all scenarios have; those that replay captures have more. */
  static final List<Key<?>> COMMON =
      List.of(
          FRAMES,
          FRAME_BYTES,
          RATE,
          RING_SIZE,
          MODE,
          BATCH,
          ITR,
          QUEUES,
          CORES,
          PROFILE,
          ENGINE_RATE,
          PTHRESH,
          HTHRESH,
          WTHRESH,
          MAX_FRAME,
          BUFFER,
          RX_FIFO,
          READS,
          RX_LATENCY,
          TX_LATENCY);

  /** What scenarios have that send traffic into a card. */
  static final List<Key<?>> TRAFFIC = List.of(PCAP, TIMING, OFFERED);

  private static final long FRAMES_DEFAULT = 100_000;
  private static final int KIB = 1 << 10;
  private static final long RATE_82599 = 10_000_000_000L;
  private static final long READS_82599 = 22;

  private NicKeys() {}

  /**
   * Checks what frames the settings ask for, before anything is built.
   *
   * @throws io.github.bellwire.examples.settings.UserErrorException if they contradict each other
   */
  static void checkFrames(Settings settings) {
    if (!isGenerated(settings)) {
      if (settings.isGiven(OFFERED)) {
        throw settings.refuse(
            OFFERED, "must not be set for a capture; set frames to generate some");
      }
      settings.supply(TIMING, Timing.CAPTURE);
      settings.leaveOut(FRAME_BYTES);
      return;
    }
    if (pcap(settings).isPresent()) {
      throw settings.refuse(PCAP, "must not be set together with frames or frame-bytes");
    }
    if (settings.find(TIMING).orElse(Timing.LINE_RATE) == Timing.CAPTURE) {
      throw settings.refuse(
          TIMING, "must be line-rate, generated frames have no timing of their own");
    }
    settings.supply(TIMING, Timing.LINE_RATE);
    if (settings.find(FRAMES).isEmpty()) {
      settings.supply(FRAMES, FRAMES_DEFAULT);
    }
    checkDuration(settings, settings.value(FRAMES));
    long frameBytes = settings.value(FRAME_BYTES);
    settings.adapt(MAX_FRAME, usual -> Math.max(usual, frameBytes));
  }

  private static void checkDuration(Settings settings, long frames) {
    long framesPerSecond = settings.find(OFFERED).orElse(Long.MAX_VALUE);
    if (frames / framesPerSecond >= CaptureClock.SECONDS_MAX) {
      throw settings.refuse(
          FRAMES,
          "must last less than 100 days with "
              + settings.assignment(OFFERED)
              + ", below "
              + framesPerSecond * CaptureClock.SECONDS_MAX);
    }
  }

  /**
   * Checks that what the settings say of interrupts has a meaning.
   *
   * @throws io.github.bellwire.examples.settings.UserErrorException if it has none
   */
  static void checkMode(Settings settings) {
    if (settings.value(MODE) == DriverMode.POLL) {
      if (settings.value(ITR) > 0) {
        throw settings.refuse(ITR, "must be 0ns with mode=poll, which takes no interrupts");
      }
      settings.leaveOut(ITR);
    }
  }

  /** Says which settings take no part where nothing is sent. */
  static void addWithoutTransmission(Report report, Settings settings) {
    addWithout(report, settings, "nothing is sent", PTHRESH, HTHRESH, WTHRESH, TX_LATENCY);
  }

  /** Says which settings take no part where nothing is received. */
  static void addWithoutReception(Report report, Settings settings) {
    addWithout(report, settings, "nothing is received", RX_FIFO, RX_LATENCY);
    addWithout(report, settings, "a sender waits for no interrupts", ITR);
    addWithoutPrefetch(report, settings);
  }

  /** Says whether descriptors are read ahead, which thresholds are about. */
  static void addWithoutPrefetch(Report report, Settings settings) {
    if (settings.value(PTHRESH) == 0) {
      addWithout(report, settings, "no descriptor is read ahead with nic.pthresh=0", HTHRESH);
    }
  }

  /** What has been set in vain is told; what has not been set is no setting of this run. */
  private static void addWithout(Report report, Settings settings, String reason, Key<?>... keys) {
    for (Key<?> key : keys) {
      if (settings.isChanged(key)) {
        report.withoutEffect(settings.assignment(key) + ": " + reason);
      }
      settings.leaveOut(key);
    }
  }

  /** {@return the capture that is named, if there is one; some scenarios replay none} */
  static Optional<Path> pcap(Settings settings) {
    return settings.has(PCAP) ? settings.find(PCAP) : Optional.empty();
  }

  /** {@return whether frames are generated rather than read from a capture} */
  static boolean isGenerated(Settings settings) {
    return settings.find(FRAMES).isPresent() || settings.isGiven(FRAME_BYTES);
  }

  /**
   * {@return a port as the settings describe it}
   *
   * @param portIndex 0..3
   */
  static NicConfig nicConfig(Settings settings, int portIndex) {
    OptionalLong engine = settings.value(ENGINE_RATE);
    return NicConfig.NIC_82599
        .withPortIndex(portIndex)
        .withMacAddress(NicConfig.NIC_82599.macAddress() + portIndex)
        .withLineBitsPerSecond(settings.value(RATE))
        .withDescriptorsPerSecond(engine.orElse(NicConfig.UNLIMITED))
        .withRxFifoBytes(inKib(settings, RX_FIFO))
        .toBuilder()
        .rxLatencyPs(settings.value(RX_LATENCY))
        .txLatencyPs(settings.value(TX_LATENCY))
        .build();
  }

  /**
   * {@return the slot of a port: the card may have fewer reads outstanding than the host allows}
   * The 82599 has tags for 32 reads (no extended tags, says lspci of any). That a port uses 20 of
   * them is an assumption: on the Ivy Bridge preset it explains the plateau of the published
   * forwarding curve (ixy-languages, figure data batches-3.3). Of faster cards nothing is known.
   *
   * @param link what the host offers
   */
  static PcieLinkConfig slot(Settings settings, PcieLinkConfig link) {
    boolean isKnown = settings.value(RATE) <= RATE_82599;
    long reads = settings.supply(READS, isKnown ? READS_82599 : link.tags());
    return link.withTags(Math.toIntExact(Math.min(link.tags(), reads)));
  }

  /** {@return the driver as the settings describe it} */
  static NicDriverConfig driverConfig(Settings settings) {
    int ringSize = settings.intValue(RING_SIZE);
    // The defaults shrink with the ring; what the user says must fit.
    int batch = adapt(settings, BATCH, usual -> Math.min(usual, ringSize));
    if (batch > ringSize) {
      throw settings.refuse(BATCH, "must be at most " + settings.assignment(RING_SIZE));
    }
    int wthresh = adapt(settings, WTHRESH, usual -> Math.min(usual, ringSize / 2));
    if (settings.intValue(PTHRESH) + wthresh > 40) {
      throw settings.refuse(
          WTHRESH, "must be at most 40 together with " + settings.assignment(PTHRESH));
    }
    if (wthresh > ringSize / 2) {
      throw settings.refuse(WTHRESH, "must be at most half of " + settings.assignment(RING_SIZE));
    }
    int bufferBytes = inKib(settings, BUFFER);
    checkRingHoldsFrame(settings, ringSize, bufferBytes);
    return NicDriverConfig.forMode(settings.value(MODE)).toBuilder()
        .rxQueues(settings.intValue(QUEUES))
        .txQueues(settings.intValue(QUEUES))
        .ringSize(ringSize)
        .bufferBytes(bufferBytes)
        .batch(batch)
        .itrPs(settings.find(ITR).orElse(0L))
        .pthresh(settings.intValue(PTHRESH))
        .hthresh(settings.intValue(HTHRESH))
        .wthresh(wthresh)
        .maxFrameBytes(settings.intValue(MAX_FRAME))
        .profile(settings.value(PROFILE).costs)
        .build();
  }

  /**
   * Lets a frame to be sent fit one buffer, unless the user says otherwise.
   *
   * @param settings after {@link #checkFrames}
   */
  static void supplyTransmitBuffer(Settings settings) {
    long frameBytes = settings.value(MAX_FRAME);
    settings.adapt(BUFFER, usual -> (Math.max(usual, frameBytes) + KIB - 1) / KIB * KIB);
  }

  /** {@return the buffers that the longest frame takes, its FCS stripped but for a VLAN tag} */
  static int buffersPerFrame(Settings settings) {
    int bufferBytes = settings.intValue(BUFFER);
    return (settings.intValue(MAX_FRAME) + bufferBytes - 1) / bufferBytes; // rounds up
  }

  /** One descriptor tells full from empty, one is left so that the device can be told of more. */
  private static void checkRingHoldsFrame(Settings settings, int ringSize, int bufferBytes) {
    if (buffersPerFrame(settings) > ringSize - 2) {
      Key<?> key = settings.isGiven(MAX_FRAME) ? MAX_FRAME : FRAME_BYTES;
      throw settings.refuse(
          key,
          String.format(
              "must be at most %dB, what a ring holds with %s and %s",
              (ringSize - 2) * bufferBytes,
              settings.assignment(RING_SIZE),
              settings.assignment(BUFFER)));
    }
  }

  private static int adapt(Settings settings, Key<Long> key, UnaryOperator<Long> change) {
    return Math.toIntExact(settings.adapt(key, change));
  }

  private static int inKib(Settings settings, Key<Long> key) {
    int bytes = settings.intValue(key);
    if (bytes % KIB != 0) {
      throw settings.refuse(key, "must be a multiple of 1 KiB, " + key.type().range());
    }
    return bytes;
  }
}
