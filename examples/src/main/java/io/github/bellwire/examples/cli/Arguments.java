package io.github.bellwire.examples.cli;

import io.github.bellwire.examples.settings.NearestName;
import io.github.bellwire.examples.settings.UserErrorException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.MissingParameterException;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/** The grammar of the command line: one picocli command per scenario. */
final class Arguments {
  private static final String HOW = "list, describe SCENARIO or SCENARIO [--set key=value]...";

  private final CommandLineTool tool;
  private final CommandLine root;

  Arguments(CommandLineTool tool) {
    this.tool = tool;
    root = new CommandLine(new Root());
    root.addSubcommand("list", new ListCommand());
    root.addSubcommand("describe", new DescribeCommand());
    for (Scenario scenario : tool.scenarios()) {
      CommandLine command = new CommandLine(new RunCommand(scenario));
      command.getCommandSpec().usageMessage().description(scenario.description());
      root.addSubcommand(scenario.name(), command);
    }
    root.setExpandAtFiles(false);
    root.setOverwrittenOptionsAllowed(true);
  }

  /**
   * {@return the exit code}
   *
   * @param args the arguments
   * @throws UserErrorException if they do not follow the grammar
   */
  int serve(String... args) {
    ParseResult result;
    try {
      result = root.parseArgs(args);
    } catch (ParameterException e) {
      throw explain(e);
    }
    while (result.hasSubcommand()) {
      if (isInformation(result)) {
        return CommandLineTool.DONE;
      }
      result = result.subcommand();
    }
    if (isInformation(result)) {
      return CommandLineTool.DONE;
    }
    Object command = result.commandSpec().userObject();
    return ((Served) command).serve();
  }

  /** Serves {@code --help} and {@code --version}. */
  private boolean isInformation(ParseResult result) {
    CommandLine commandLine = result.commandSpec().commandLine();
    if (result.isUsageHelpRequested()) {
      tool.printUsage(commandLine);
      return true;
    }
    if (result.isVersionHelpRequested()) {
      tool.printVersion();
      return true;
    }
    return false;
  }

  private UserErrorException explain(ParameterException error) {
    CommandLine command = error.getCommandLine();
    if (error instanceof UnmatchedArgumentException unmatched) {
      return unknown(command, unmatched.getUnmatched().get(0));
    }
    if (error instanceof MissingParameterException) {
      if (command.getCommand() instanceof DescribeCommand) {
        return new UserErrorException("describe needs a scenario; 'list' shows all");
      }
      return new UserErrorException(
          "an option lacks its value, must be --set key=value or --trace N");
    }
    return new UserErrorException(error.getMessage());
  }

  private UserErrorException unknown(CommandLine command, String argument) {
    if (argument.startsWith("-")) {
      List<String> known = new ArrayList<>(command.getCommandSpec().optionsMap().keySet());
      String question = NearestName.question(argument, known);
      String allowed =
          (question.isEmpty() ? "; allowed: " : " Allowed: ") + String.join(", ", known);
      return new UserErrorException("unknown option " + argument + question + allowed);
    }
    if (command == root) {
      return tool.unknownName(argument);
    }
    String hint = argument.indexOf('=') > 0 ? "; did you mean --set " + argument + "?" : "";
    return new UserErrorException(
        "unexpected " + argument + " after " + command.getCommandName() + hint);
  }

  /** A command that can be carried out. */
  private interface Served {
    int serve();
  }

  @Command(
      name = "bellwire",
      mixinStandardHelpOptions = true,
      description = "Simulates how devices move bytes. 'list' names the scenarios.")
  private static final class Root implements Served {
    @Override
    public int serve() {
      throw new UserErrorException("nothing to do, must be " + HOW);
    }
  }

  @Command(name = "list", mixinStandardHelpOptions = true, description = "Names the scenarios.")
  private final class ListCommand implements Served {
    @Override
    public int serve() {
      return tool.list();
    }
  }

  @Command(
      name = "describe",
      mixinStandardHelpOptions = true,
      description = "Prints every key of a scenario with default, unit, range and meaning.")
  private final class DescribeCommand implements Served {
    @Parameters(paramLabel = "SCENARIO", description = "one of those that 'list' names")
    private String scenario = "";

    @Override
    public int serve() {
      return tool.describe(scenario);
    }
  }

  @Command(mixinStandardHelpOptions = true)
  private final class RunCommand implements Served {
    @Option(
        names = "--set",
        paramLabel = "key=value",
        description = "sets a key; 'describe' shows all keys of a scenario")
    private List<String> assignments = new ArrayList<>();

    @Option(names = "--json", description = "prints one JSON object in place of text")
    private boolean isJson;

    @Option(names = "--seed", paramLabel = "N", description = "the same as --set seed=N")
    private @Nullable String seed;

    @Option(
        names = "--trace",
        paramLabel = "N",
        description = "prints the first N operations step by step (on stderr with --json)")
    private @Nullable String traced;

    private final Scenario scenario;

    private RunCommand(Scenario scenario) {
      this.scenario = scenario;
    }

    @Override
    public int serve() {
      List<String> all = new ArrayList<>(assignments);
      if (seed != null) {
        all.add(CommandLineTool.SEED.name() + "=" + seed);
      }
      return tool.run(scenario, all, isJson, traced);
    }
  }
}
