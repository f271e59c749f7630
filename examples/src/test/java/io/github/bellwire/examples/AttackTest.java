package io.github.bellwire.examples;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** The scenario with the attack matrix, as its users see it. */
class AttackTest {
  @Test
  void shouldTellOneCell() {
    JsonNode json = Tool.json("attack", "row=a06a", "mode=lazy");

    assertThat(json.get("metrics").properties()).hasSize(1);
    assertThat(json.at("/metrics/a06a.lazy").asString()).isEqualTo("window");
    assertThat(json.at("/provenance/events").asLong()).isPositive();
  }

  @Test
  void shouldTellAllConditionsOfARow() {
    JsonNode json = Tool.json("attack", "row=a08");

    assertThat(json.get("metrics").properties()).hasSize(15);
    assertThat(json.at("/metrics/a08a.strict").asString()).isEqualTo("succeeds");
    assertThat(json.at("/metrics/a08b.strict").asString()).isEqualTo("blocked");
  }

  @Test
  void shouldTellOneRowOfWhichAnotherHasTheNameAndALetter() {
    JsonNode json = Tool.json("attack", "row=a01");

    assertThat(json.get("metrics").properties()).hasSize(5);
    assertThat(json.at("/metrics/a01.strict").asString()).isEqualTo("blocked");
    assertThat(json.get("metrics").has("a01b.strict")).isFalse();
  }

  @Test
  void shouldPrintWhatWasSeenInChosenCells() {
    Tool tool = Tool.run("attack --set row=a01 --set mode=strict");

    assertThat(tool.code()).isZero();
    assertThat(tool.out())
        .contains("a01  strict  nothing read, nothing changed; fault 5h: 1, fault 6h: 1")
        .contains("ok      cells as documented: 1 of 1");
  }

  @Test
  void shouldExplainItsWords() {
    String out = Tool.run("attack --set row=a06a").out();

    assertThat(out)
        .contains("Words\n  succeeds: The attacker reaches its goal")
        .contains("  window: It does until something happens that the evidence names.\n")
        .contains("  strict: Each unmap waits until the IOMMU has forgotten the range.\n")
        .doesNotContain("  partial: ", "  not-applicable: "); // They have not come up.
  }

  @ParameterizedTest
  @ValueSource(strings = {"strict-bounce", "strict_bounce"})
  void shouldHyphenateValuesOfKeysAndUnderlineNamesOfResults(String mode) {
    JsonNode json = Tool.json("attack", "row=a01", "mode=" + mode);

    assertThat(json.at("/config/mode").asString()).isEqualTo("strict-bounce");
    assertThat(json.at("/metrics/a01.strict_bounce").asString()).isEqualTo("blocked");
  }

  @Test
  void shouldTraceTheSameTwice() {
    String first = hash("row=a04");

    assertThat(hash("row=a04")).isEqualTo(first);
    assertThat(hash("row=a03")).isNotEqualTo(first);
  }

  private static String hash(String row) {
    return Tool.json("attack", row).at("/provenance/trace_hash").asString();
  }

  @Test
  void shouldRefuseWhatThereIsNot() {
    assertThat(Tool.run("attack --set row=a23").code()).isEqualTo(2);
    assertThat(Tool.run("attack --set mode=stric").err()).contains("strict");
  }
}
