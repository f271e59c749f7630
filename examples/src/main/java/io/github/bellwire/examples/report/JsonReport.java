package io.github.bellwire.examples.report;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.StreamWriteFeature;
import tools.jackson.core.json.JsonWriteFeature;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** Writes a report as one JSON object, in ASCII. */
public final class JsonReport {
  private static final int SCHEMA_VERSION = 1;
  // Double.toString prints other digits from JDK 19 on; twelve digits are the same everywhere.
  private static final MathContext DIGITS = new MathContext(12);

  private static final JsonMapper MAPPER =
      JsonMapper.builder()
          .enable(SerializationFeature.INDENT_OUTPUT)
          .enable(StreamWriteFeature.WRITE_BIGDECIMAL_AS_PLAIN)
          .enable(JsonWriteFeature.ESCAPE_NON_ASCII)
          .build();

  private JsonReport() {}

  /**
   * {@return the JSON object}
   *
   * @param report what was found out
   * @param run which run it is about
   */
  public static String render(Report report, RunInfo run) {
    ObjectNode root = MAPPER.createObjectNode();
    root.put("schema_version", SCHEMA_VERSION);
    root.put("scenario", run.scenario());
    putAll(root.putObject("config"), run.settings().toJson());
    putAll(root.putObject("metrics"), report.metrics());
    RunInfo.Provenance provenance = run.provenance();
    ObjectNode origin = root.putObject("provenance");
    origin.put("version", provenance.version());
    origin.put("seed", provenance.seed());
    origin.put("jdk", provenance.jdk());
    origin.put("events", report.eventsCount());
    origin.put("wall_seconds", decimal(provenance.wallSeconds()));
    origin.put("trace_hash", provenance.traceHash());
    putChecks(root.putObject("self_check"), report);
    putAll(root, "remarks", report.remarks());
    putAll(root, "without_effect", report.withoutEffect());
    return MAPPER.writeValueAsString(root);
  }

  private static void putChecks(ObjectNode node, Report report) {
    node.put("ok", report.isOk());
    ArrayNode checks = node.putArray("checks");
    for (SelfCheck check : report.checks()) {
      ObjectNode entry = checks.addObject();
      entry.put("name", check.name());
      entry.put("ok", check.isOk());
      entry.put("detail", check.detail());
    }
  }

  /** What is seldom there is left out when it is not. */
  private static void putAll(ObjectNode root, String name, List<String> texts) {
    if (!texts.isEmpty()) {
      texts.forEach(root.putArray(name)::add);
    }
  }

  private static void putAll(ObjectNode node, Map<String, ? extends @Nullable Object> values) {
    values.forEach((name, value) -> put(node, name, value));
  }

  private static void put(ObjectNode node, String name, @Nullable Object value) {
    if (value == null) {
      node.putNull(name);
    } else if (value instanceof Long whole) {
      node.put(name, whole);
    } else if (value instanceof Double number) {
      node.put(name, decimal(number));
    } else {
      node.put(name, value.toString());
    }
  }

  private static BigDecimal decimal(double value) {
    BigDecimal rounded = new BigDecimal(value).round(DIGITS).stripTrailingZeros();
    return rounded.scale() < 0 ? rounded.setScale(0) : rounded;
  }
}
