package io.github.bellwire.examples.pcie;

import io.github.bellwire.examples.report.Report;
import io.github.bellwire.examples.report.Table;
import io.github.bellwire.pcie.PcieError;
import java.util.List;
import java.util.Locale;

/** What faults on the link have done: errors by kind and place, requests that failed. */
final class FaultReport {
  private static final List<PcieError> KINDS =
      List.of(
          PcieError.POISONED_TLP,
          PcieError.ECRC,
          PcieError.MALFORMED_TLP,
          PcieError.COMPLETION_TIMEOUT,
          PcieError.ACS_VIOLATION);

  private FaultReport() {}

  /** Adds metrics, a table and a check. */
  static void addTo(Report report, ProbeMachine machine) {
    Table table = new Table("Errors", "kind", ">at the port", ">at the probe");
    long failed = machine.probe().refusedTotal();
    long detected = 0;
    report.metric("failed_requests_count", failed);
    for (PcieError kind : KINDS) {
      long atPort = machine.portErrors(kind);
      long atProbe = machine.probeErrors(kind);
      String name = kind.name().toLowerCase(Locale.ROOT);
      report.metric("error_" + name + "_count", atPort + atProbe);
      table.row(name.replace('_', ' '), Long.toString(atPort), Long.toString(atProbe));
      detected += atPort + atProbe;
    }
    report.table(table);
    long timeouts = machine.probeErrors(PcieError.COMPLETION_TIMEOUT);
    report.check(
        "timeouts <= requests that failed <= errors detected",
        timeouts <= failed && failed <= detected,
        timeouts + " <= " + failed + " <= " + detected);
  }
}
