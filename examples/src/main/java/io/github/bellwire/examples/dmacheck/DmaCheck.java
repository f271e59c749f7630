package io.github.bellwire.examples.dmacheck;

import io.github.bellwire.dma.check.DmaChecker;
import io.github.bellwire.dma.check.DmaReport;
import io.github.bellwire.dma.check.DmaViolation;
import io.github.bellwire.examples.cli.RunContext;
import io.github.bellwire.examples.cli.Scenario;
import io.github.bellwire.examples.report.Report;
import io.github.bellwire.examples.report.Table;
import io.github.bellwire.examples.settings.Key;
import io.github.bellwire.examples.settings.Settings;
import io.github.bellwire.examples.settings.ValueTypes;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Consumer;

/** Runs faulty drivers and their repaired twins, and shows what the DMA checker says. */
public final class DmaCheck implements Scenario {
  private static final String ALL = "all";

  private static final Key<String> BUG =
      Key.of("bug", ValueTypes.words(words()), ALL, "which bug to show, by its identifier, or all");

  /** Creates the scenario. */
  public DmaCheck() {}

  /** {@return all bugs, in the order of the violations that they are} */
  static List<DriverBug> gallery() {
    List<DriverBug> bugs = new ArrayList<>();
    bugs.addAll(ApiBugs.all());
    bugs.addAll(MemoryBugs.all());
    bugs.addAll(OwnershipBugs.all());
    bugs.addAll(TranslationBugs.all());
    bugs.sort(Comparator.comparing(DriverBug::violation));
    return bugs;
  }

  /** {@return who has watched a driver from its start to its end} */
  static DmaChecker run(DriverBug bug, Consumer<BugMachine> driver) {
    return play(bug, driver).checker;
  }

  private static BugMachine play(DriverBug bug, Consumer<BugMachine> driver) {
    BugMachine machine = bug.machine().get();
    driver.accept(machine);
    machine.close();
    return machine;
  }

  @Override
  public String name() {
    return "dma-check";
  }

  @Override
  public String description() {
    return "show a gallery of driver bugs, the DMA checker's reports, and repaired twins";
  }

  @Override
  public List<Key<?>> keys() {
    return List.of(BUG);
  }

  @Override
  public Report run(Settings settings, RunContext context) {
    String word = settings.value(BUG);
    Report report = new Report();
    Table overview =
        new Table("Bugs", "identifier", ">reports", ">repaired", "also known to Linux");
    List<String> names = new ArrayList<>();
    List<Table> explanations = new ArrayList<>();
    long events = 0;
    for (DriverBug bug : gallery()) {
      String identifier = bug.violation().identifier();
      if (!word.equals(ALL) && !word.equals(identifier)) {
        continue;
      }
      BugMachine faultyMachine = play(bug, bug.faulty());
      BugMachine repairedMachine = play(bug, bug.repaired());
      for (BugMachine machine : List.of(faultyMachine, repairedMachine)) {
        events += machine.host.simulation().eventsTotal();
        observe(context, machine);
      }
      DmaChecker faulty = faultyMachine.checker;
      DmaChecker repaired = repairedMachine.checker;
      long found = faulty.count(bug.violation());
      report.outcome(identifier, found).outcome(identifier + ".clean", repaired.total());
      names.addAll(List.of(identifier, identifier + ".clean"));
      overview.row(
          identifier,
          Long.toString(found),
          Long.toString(repaired.total()),
          bug.violation().source());
      explanations.add(explain(bug.violation(), faulty));
      report.check(
          identifier, found > 0 && repaired.total() == 0, found + " and " + repaired.total());
    }
    report.table(overview, names);
    explanations.forEach(report::table);
    report.notModelled("interrupts that are off, compound pages, fields read before a valid bit");
    return report.events(events);
  }

  /** What has happened on a machine, as its checker has seen it, and when that was over. */
  private static void observe(RunContext context, BugMachine machine) {
    for (DmaReport report : machine.checker.reports()) {
      long timePs = report.timePs();
      context.observe(timePs, report.violation().ordinal());
      context.observe(timePs, report.iova());
      context.observe(timePs, report.pa());
      context.observe(timePs, report.lengthBytes());
      context.observe(timePs, report.offsetBytes());
    }
    context.observe(machine.host.simulation().nowPs(), machine.checker.total());
  }

  /** Returns the first report about a violation, line by line. */
  private static Table explain(DmaViolation violation, DmaChecker checker) {
    Table table = new Table(violation.identifier(), "", "");
    for (DmaReport report : checker.reports()) {
      if (report.violation() == violation) {
        table.row("", violation.sentence());
        report.toString().lines().skip(1).forEach(line -> addLine(table, line));
        break;
      }
    }
    return table;
  }

  private static void addLine(Table table, String line) {
    int colon = line.indexOf(": ");
    boolean isContinued = line.startsWith("    ");
    if (isContinued || colon < 0) {
      table.row("", line.strip());
    } else {
      table.row(line.substring(0, colon).strip(), line.substring(colon + 2).strip());
    }
  }

  private static List<String> words() {
    List<String> words = new ArrayList<>();
    for (DmaViolation violation : DmaViolation.values()) {
      words.add(violation.identifier());
    }
    words.add(ALL);
    return words;
  }
}
