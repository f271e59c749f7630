package io.github.bellwire.examples.nic;

import io.github.bellwire.examples.cli.RunContext;
import io.github.bellwire.examples.cli.Scenario;
import io.github.bellwire.examples.host.HostChecker;
import io.github.bellwire.examples.report.Report;
import io.github.bellwire.examples.settings.Key;
import io.github.bellwire.examples.settings.Settings;
import io.github.bellwire.examples.settings.ValueTypes;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Receives or sends one frame and shows every step of the operation. */
public final class Lifecycle implements Scenario {
  /** Which operation. */
  enum Operation {
    /** A frame comes in. */
    RECEIVE,
    /** A frame goes out. */
    TRANSMIT
  }

  private static final Key<Operation> OP =
      Key.of("op", ValueTypes.words(Operation.class), "receive", "which operation to show");

  /** One frame, and the software that takes all seven steps for each. */
  private static final Map<Key<?>, Key<?>> OWN_DEFAULTS =
      Map.of(
          NicKeys.FRAMES, NicKeys.FRAMES.withDefault("1"),
          NicKeys.MODE, NicKeys.MODE.withDefault("napi"),
          NicKeys.PROFILE, NicKeys.PROFILE.withDefault("kernel"),
          HostChecker.CHECKER, HostChecker.CHECKER.withDefault("on"));

  /** Creates the scenario. */
  public Lifecycle() {}

  @Override
  public String name() {
    return "lifecycle";
  }

  @Override
  public String description() {
    return "follow one frame through the seven steps of a DMA operation";
  }

  @Override
  public List<Key<?>> keys() {
    List<Key<?>> keys = new ArrayList<>();
    keys.add(OP);
    for (Key<?> key : new NicRx().keys()) {
      keys.add(OWN_DEFAULTS.getOrDefault(key, key));
    }
    keys.remove(NicKeys.PCAP); // Frames are generated here.
    return keys;
  }

  @Override
  public int tracedOperations() {
    return 1;
  }

  @Override
  public Report run(Settings settings, RunContext context) {
    Scenario scenario = settings.value(OP) == Operation.RECEIVE ? new NicRx() : new NicTx();
    Report report = scenario.run(settings, context);
    if (Long.valueOf(0).equals(report.metrics().get("doorbells_count"))) {
      report.unmeasured("doorbells_count"); // Rung when the driver started, as the steps show.
    }
    return report;
  }
}
