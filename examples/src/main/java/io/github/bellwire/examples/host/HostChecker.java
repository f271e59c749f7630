package io.github.bellwire.examples.host;

import io.github.bellwire.dma.check.DmaChecker;
import io.github.bellwire.dma.check.DmaReport;
import io.github.bellwire.dma.check.DmaViolation;
import io.github.bellwire.examples.report.Report;
import io.github.bellwire.examples.settings.Key;
import io.github.bellwire.examples.settings.Settings;
import io.github.bellwire.examples.settings.ValueTypes;
import io.github.bellwire.host.Host;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Has the drivers of a scenario watched if the user asks for it. */
public final class HostChecker {
  /** Whether to watch; results are the same, the run takes longer. */
  public static final Key<Boolean> CHECKER =
      Key.of(
          "checker", ValueTypes.onOff(), "off", "watch drivers and devices for mistakes with DMA");

  private HostChecker() {}

  /**
   * Has a host watched from now on, if asked for.
   *
   * @param settings of a scenario with the key
   * @param host the machine, with nothing mapped
   */
  public static void attach(Settings settings, Host host) {
    if (settings.value(CHECKER)) {
      host.attachChecker();
    }
  }

  /**
   * Says what was found, and makes a run fail in which something was.
   *
   * @param report of the run
   * @param host watched or not
   */
  public static void addTo(Report report, Host host) {
    addTo(report, List.of(host));
  }

  /**
   * Says what was found but for what the settings bring about, and makes a run fail in which
   * something was.
   *
   * @param report of the run
   * @param host watched or not
   * @param excused is no mistake of drivers or devices here
   */
  public static void addTo(Report report, Host host, DmaViolation excused) {
    addTo(report, List.of(host), Set.of(excused));
  }

  /**
   * Says what was found on several machines, and makes a run fail in which something was.
   *
   * @param report of the run
   * @param hosts watched or not
   */
  public static void addTo(Report report, List<Host> hosts) {
    addTo(report, hosts, Set.of());
  }

  private static void addTo(Report report, List<Host> hosts, Set<DmaViolation> excused) {
    List<DmaReport> reports = new ArrayList<>();
    long total = 0;
    boolean isWatched = false;
    for (Host host : hosts) {
      DmaChecker checker = host.checker();
      if (checker != null) {
        isWatched = true;
        total += checker.total() - excused.stream().mapToLong(checker::count).sum();
        checker.reports().stream()
            .filter(found -> !excused.contains(found.violation()))
            .forEach(reports::add);
      }
    }
    if (isWatched) {
      String first = reports.isEmpty() ? "" : "; the first: " + reports.get(0);
      report.metric("dma_mistakes_count", total);
      report.check(
          "drivers and devices make no mistakes with DMA", total == 0, total + " reports" + first);
    }
  }
}
