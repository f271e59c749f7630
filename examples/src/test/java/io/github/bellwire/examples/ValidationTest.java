package io.github.bellwire.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** Published figures against simulated ones, and the page that shows them. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ValidationTest {
  private static final Path PAGE = Path.of("docs/validation.md");

  private final List<ValidationRow> rows = PcieBenchValidation.rows();

  @Test
  void shouldStayInAllBands() {
    assertThat(rows).hasSizeGreaterThan(900);
    assertThat(rows.stream().filter(row -> !row.isInBand())).isEmpty();
  }

  @Test
  void shouldBeWhatThePageShows() throws IOException {
    List<String> lines = new ValidationPage(rows).lines();
    if (Boolean.getBoolean("bellwire.updateValidation")) {
      Files.createDirectories(PAGE.getParent());
      Files.writeString(PAGE, String.join("\n", lines) + "\n");
    }

    assertThat(Files.readAllLines(PAGE))
        .as("the page is written anew by: %s", ValidationPage.UPDATE)
        .isEqualTo(lines);
  }
}
