package io.github.bellwire.examples.host;

import io.github.bellwire.examples.settings.Key;
import io.github.bellwire.examples.settings.Settings;
import io.github.bellwire.examples.settings.ValueTypes;
import io.github.bellwire.pcie.CompletionCut;
import io.github.bellwire.pcie.FlowControlConfig;
import io.github.bellwire.pcie.FlowControlCredits;
import io.github.bellwire.pcie.PcieLinkConfig;
import io.github.bellwire.pcie.RequesterConfig;
import java.util.List;
import java.util.Map;

/** The keys that switch on what a slot does beyond its size and speed. */
final class LinkKeys {
  private static final String HOST = "host";
  private static final String UNLIMITED = "unlimited";
  private static final FlowControlCredits NONE_GIVEN = FlowControlCredits.UNLIMITED;
  private static final int BYTES_PER_CREDIT = 16;

  private static final Map<String, FlowControlCredits> CREDITS =
      Map.of(
          UNLIMITED,
          NONE_GIVEN,
          "xeon-c5500-x4",
          FlowControlCredits.XEON_C5500_X4,
          "xeon-c5500-x8",
          FlowControlCredits.XEON_C5500_X8,
          "xeon-c5500-x16",
          FlowControlCredits.XEON_C5500_X16,
          "pcievhost",
          FlowControlCredits.PCIEVHOST,
          "92-lines",
          FlowControlCredits.WRITES_92_LINES);

  private static final Map<String, FlowControlCredits> BUFFERS =
      Map.of(
          UNLIMITED,
          NONE_GIVEN,
          "p-tile",
          FlowControlCredits.P_TILE,
          "r-tile",
          FlowControlCredits.R_TILE);

  static final Key<PcieLinkConfig.DllpCharge> DLLPS =
      Key.optional(
          "link.dllps",
          ValueTypes.words(PcieLinkConfig.DllpCharge.class),
          HOST,
          "which direction pays for Ack and UpdateFC");
  static final Key<CompletionCut> COMPLETIONS =
      Key.optional(
          "link.completions",
          ValueTypes.words(CompletionCut.class),
          HOST,
          "where the host cuts its answers to reads");
  static final Key<Long> COMPLETION_TURN =
      Key.optional(
          "link.completion-turn",
          ValueTypes.oneOf(0, 64, 128, 256, 512, 1024, 2048, 4096),
          HOST,
          "bytes of an answer sent before the next read has its turn; 0: all of them");
  static final Key<Boolean> ECRC =
      Key.optional("link.ecrc", ValueTypes.onOff(), HOST, "end-to-end CRC on every TLP");
  static final Key<String> ROOT_CREDITS =
      Key.optional(
          "link.credits",
          ValueTypes.words(CREDITS.keySet().stream().sorted().toList()),
          HOST,
          "credits of the root port for requests of the device");
  static final Key<String> COMPLETION_BUFFER =
      Key.optional(
          "link.completion-buffer",
          ValueTypes.words(BUFFERS.keySet().stream().sorted().toList()),
          HOST,
          "room that the device has for answers to its reads");
  static final Key<Long> BITS_PER_ERROR =
      Key.optional(
          "link.bits-per-error",
          ValueTypes.count(10_000, 1_000_000_000_000_000L),
          "no errors",
          "one bit in so many arrives wrong and is sent again");

  static final Key<Boolean> RELAXED_ORDERING =
      Key.optional(
          "link.relaxed-ordering",
          ValueTypes.onOff(),
          HOST,
          "whether devices may let payload pass earlier writes");
  static final Key<Boolean> SWITCH =
      Key.optional(
          "link.switch",
          ValueTypes.onOff(),
          "off",
          "a switch of the PEX89048 class, 115 ns, between devices and root port");

  static final Key<List<String>> ACCESS_CONTROL =
      Key.of(
          "link.acs",
          ValueTypes.anyOf(List.of("sv", "tb", "rr", "cr", "uf", "ec", "dt")),
          "off",
          "access control services of the switch's ports; ec forbids all peers");

  static final List<Key<?>> ALL =
      List.of(
          DLLPS,
          COMPLETIONS,
          COMPLETION_TURN,
          ECRC,
          ROOT_CREDITS,
          COMPLETION_BUFFER,
          BITS_PER_ERROR,
          RELAXED_ORDERING,
          SWITCH,
          ACCESS_CONTROL);

  private LinkKeys() {}

  /** {@return a slot with what the user has set} */
  static PcieLinkConfig apply(Settings settings, PcieLinkConfig slot) {
    PcieLinkConfig link = slot;
    link = link.withDllpCharge(settings.find(DLLPS).orElse(link.dllpCharge()));
    link = link.withCompletionCut(settings.find(COMPLETIONS).orElse(link.completionCut()));
    link =
        link.withCompletionTurnBytes(
            (int) (long) settings.find(COMPLETION_TURN).orElse((long) link.completionTurnBytes()));
    link = link.withEcrc(settings.find(ECRC).orElse(link.ecrc()));
    link = link.withFlowControl(flowControl(settings, link));
    RequesterConfig requester = link.requester();
    link =
        link.withRequester(
            requester.withRelaxedOrdering(
                settings.find(RELAXED_ORDERING).orElse(requester.relaxedOrdering())));
    if (settings.isGiven(BITS_PER_ERROR)) {
      double ratio = 1.0 / settings.value(BITS_PER_ERROR);
      link = link.withFaults(link.faults().withBitErrorRatio(ratio));
    }
    checkTurns(settings, link);
    return link;
  }

  /** Links that replay, and those above and below switches, send answers whole. */
  private static void checkTurns(Settings settings, PcieLinkConfig link) {
    if (settings.isGiven(BITS_PER_ERROR)) {
      refuseTurns(settings, BITS_PER_ERROR);
    }
    if (settings.isGiven(DLLPS)
        && link.dllpCharge() == PcieLinkConfig.DllpCharge.OPPOSITE
        && !link.generation().isFlitMode()) {
      refuseTurns(settings, DLLPS);
    }
    if (settings.find(SWITCH).orElse(false)) {
      refuseTurns(settings, SWITCH);
    }
  }

  /** Refuses turns of answers, because of another setting. */
  static void refuseTurns(Settings settings, Key<?> reason) {
    if (settings.find(COMPLETION_TURN).orElse(0L) != 0) {
      throw settings.refuse(
          COMPLETION_TURN,
          "must be 0 with " + settings.assignment(reason) + ", where answers are sent whole");
    }
  }

  private static FlowControlConfig flowControl(Settings settings, PcieLinkConfig link) {
    FlowControlConfig result = link.flowControl();
    if (settings.isGiven(ROOT_CREDITS)) {
      FlowControlCredits credits = CREDITS.getOrDefault(settings.value(ROOT_CREDITS), NONE_GIVEN);
      int bytes = credits.pd() * BYTES_PER_CREDIT;
      if (bytes != 0 && bytes < link.maxPayloadBytes()) {
        throw settings.refuse(
            ROOT_CREDITS,
            "holds " + bytes + " bytes; must hold a payload of " + link.maxPayloadBytes());
      }
      result = result.withRootPort(credits);
    }
    if (settings.isGiven(COMPLETION_BUFFER)) {
      result =
          result.withEndpoint(BUFFERS.getOrDefault(settings.value(COMPLETION_BUFFER), NONE_GIVEN));
    }
    return result;
  }
}
