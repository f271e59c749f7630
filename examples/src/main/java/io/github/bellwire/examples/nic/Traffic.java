package io.github.bellwire.examples.nic;

import io.github.bellwire.device.nic.FrameReceiver;
import io.github.bellwire.examples.cli.RunContext;
import io.github.bellwire.examples.nic.NicKeys.Timing;
import io.github.bellwire.examples.settings.Settings;
import io.github.bellwire.kernel.RandomStream;
import io.github.bellwire.kernel.Simulation;

/** Chooses what is sent into a card, and lets it run. */
final class Traffic {
  private static final int EVENTS_PER_LOOK = 10_000;

  private Traffic() {}

  /** {@return the frames that the settings ask for} */
  static FrameSource source(Settings settings, RandomStream random) {
    if (NicKeys.isGenerated(settings)) {
      long frames = settings.value(NicKeys.FRAMES);
      return new GeneratedFrames(frames, settings.intValue(NicKeys.FRAME_BYTES), random);
    }
    return NicKeys.pcap(settings)
        .map(file -> CapturedFrames.open(file, settings.assignment(NicKeys.PCAP)))
        .orElseGet(CapturedFrames::shipped);
  }

  /** {@return a station that sends a source's frames to a receiver} */
  static TrafficGenerator generator(
      Settings settings, Simulation simulation, FrameSource source, FrameReceiver receiver) {
    return new TrafficGenerator(
        simulation,
        source,
        settings.value(NicKeys.RATE),
        receiver,
        settings.value(NicKeys.TIMING) == Timing.CAPTURE,
        settings.find(NicKeys.OFFERED).orElse(0L));
  }

  /** Runs until nothing is left to happen. */
  static void run(Simulation simulation, Settings settings, RunContext context, Progressing done) {
    context.progress().begin("frames", settings.find(NicKeys.FRAMES).orElse(-1L));
    boolean hasMore = true;
    while (hasMore) {
      hasMore = simulation.run(EVENTS_PER_LOOK);
      context.progress().advanceTo(done.framesTotal());
    }
  }

  /** How far a run has come. */
  interface Progressing {
    /** {@return frames done with} */
    long framesTotal();
  }
}
