package io.github.bellwire.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;

/** The page in the repository, behind all validation tests of the run. */
@Order(Integer.MAX_VALUE - 1)
class ValidationPageTest {
  private static final Path PAGE = Path.of("docs/validation.md");

  @Test
  void shouldShowWhatTheCodeProduces() throws IOException {
    List<String> page = Files.exists(PAGE) ? Files.readAllLines(PAGE) : List.of();
    List<String> produced = new ValidationPage(page, Validation.groups()).lines();
    if (Boolean.getBoolean("bellwire.updateValidation")) {
      Files.createDirectories(PAGE.getParent());
      Files.writeString(PAGE, String.join("\n", produced) + "\n");
      return;
    }

    assertThat(page).as("to write it anew: %s", ValidationPage.UPDATE).isEqualTo(produced);
  }

  @Test
  void shouldSummarizeGroupsAndKeepTheOthers() {
    ValidationRow first = new ValidationRow("A", "a1", 100, 103, 5, "paper");
    ValidationRow second = new ValidationRow("A", "a2", 200, 190, 5, "paper");
    ValidationRow points = new ValidationRow("B", "b1", 10, 12, Band.points(3), "data");
    List<String> whole = new ValidationPage(List.of(), Map.of("A", List.of(first, second))).lines();
    List<String> both = new ValidationPage(whole, Map.of("B", List.of(points))).lines();
    ValidationRow reported = new ValidationRow("C", "c1", 1, 9, Band.NONE, "no target");

    assertThat(whole)
        .contains(
            "| A | 2 | 4.0 % | -5.0 % | 5.00 % |",
            "| a1 | 100.0 | 103.0 | +3.0 % | 5.00 % | paper |");
    assertThat(both)
        .containsAll(whole)
        .contains(
            "| B | 1 | 2.0 points | +2.0 points | 3.00 points |",
            "| b1 | 10.00 | 12.00 | +2.0 points | 3.00 points | data |");
    assertThat(new ValidationPage(both, Map.of()).lines()).isEqualTo(both);
    assertThat(new ValidationPage(List.of(), Map.of("C", List.of(reported))).lines())
        .contains("| C | 1 | | | |", "| c1 | 1.000 | 9.000 | +800.0 % |  | no target |");
  }

  @Test
  void shouldSummarizeErrorsOfEachKindApart() {
    List<ValidationRow> mixed =
        List.of(
            new ValidationRow("A", "a1", 100, 103, 5, "paper"),
            new ValidationRow("A", "a2", 100, 101, 10, "paper"),
            new ValidationRow("A", "a3", 100, 102, 15, "paper"),
            new ValidationRow("A", "a4", 100, 98, 20, "paper"),
            new ValidationRow("A", "a5", 0.05, 0.064, Band.points(0.05), "paper"),
            new ValidationRow("A", "a6", 1, 9, Band.NONE, "no target"));

    assertThat(new ValidationPage(List.of(), Map.of("A", mixed)).lines())
        .contains(
            "| A | 4 | 2.0 % | +3.0 % | 5.00 % to 20.0 % |",
            "| A, shares | 1 | 0.014 points | +0.014 points | 0.0500 points |",
            "| A, reported only | 1 | | | |");
  }

  @Test
  void shouldTellWhatIsInItsBand() {
    assertThat(Band.percent(5).holds(100, 104.9)).isTrue();
    assertThat(Band.percent(5).holds(100, 94.9)).isFalse();
    assertThat(Band.points(5).holds(10, 15)).isTrue();
    assertThat(Band.points(5).holds(10, 4.9)).isFalse();
    assertThat(Band.factor(10).holds(1, 10)).isTrue();
    assertThat(Band.factor(10).holds(10.1, 1)).isFalse();
    assertThat(Band.NONE.holds(1, 100)).isTrue();
  }
}
