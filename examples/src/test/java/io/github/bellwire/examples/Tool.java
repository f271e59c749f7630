package io.github.bellwire.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.bellwire.examples.cli.CommandLineTool;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The command line with what one call of it printed. */
final class Tool {
  private final int code;
  private final String out;
  private final String err;

  private Tool(int code, String out, String err) {
    this.code = code;
    this.out = out;
    this.err = err;
  }

  /** Runs with arguments as a shell would split them, but for quotes. */
  static Tool run(String args) {
    return run(args.isEmpty() ? List.of() : List.of(args.split(" ")));
  }

  static Tool run(List<String> args) {
    ByteArrayOutputStream stdout = new ByteArrayOutputStream();
    ByteArrayOutputStream stderr = new ByteArrayOutputStream();
    CommandLineTool tool =
        new CommandLineTool(Scenarios.all(), print(stdout), print(stderr), false, System::nanoTime);
    int code = tool.run(args.toArray(new String[0]));
    return new Tool(code, text(stdout), text(stderr));
  }

  /** Runs a scenario with settings that must be right, and returns what it prints as JSON. */
  static JsonNode json(String scenario, String... settings) {
    List<String> args = new ArrayList<>(List.of(scenario, "--json"));
    for (String setting : settings) {
      args.add("--set");
      args.add(setting);
    }
    Tool tool = run(args);
    assertThat(tool.err).as("%s", args).isEmpty();
    assertThat(tool.code).as("%s", args).isZero();
    JsonNode json = tool.json();
    // Exit code 0 says the same; this is a check of the reader.
    assertThat(json.at("/self_check/ok").asBoolean()).isTrue();
    return json;
  }

  int code() {
    return code;
  }

  String out() {
    return out;
  }

  String err() {
    return err;
  }

  /** Fails unless all of the standard output is one JSON object. */
  JsonNode json() {
    JsonNode node = JsonMapper.shared().readTree(out);
    assertThat(node.isObject()).isTrue();
    return node;
  }

  static long count(JsonNode json, String metric) {
    return metric(json, metric).asLong();
  }

  static double number(JsonNode json, String metric) {
    return metric(json, metric).asDouble();
  }

  private static JsonNode metric(JsonNode json, String name) {
    JsonNode value = json.get("metrics").get(name);
    assertThat(value).as(name).isNotNull();
    return value;
  }

  private static PrintStream print(ByteArrayOutputStream bytes) {
    return new PrintStream(bytes, true, StandardCharsets.UTF_8);
  }

  private static String text(ByteArrayOutputStream bytes) {
    return bytes.toString(StandardCharsets.UTF_8);
  }
}
