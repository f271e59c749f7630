package io.github.bellwire.examples.attack;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.bellwire.examples.report.Report;
import io.github.bellwire.host.HostConfig;
import io.github.bellwire.iommu.IommuPresets;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Every attack in every mode: against what is documented, and the page that documents it. */
class AttackMatrixTest {
  private static final Path PAGE = Path.of("docs/attacks.md");
  // Played once for all tests.
  private static final Map<AttackRow, List<Verdict>> VERDICTS = play(Machines.DEFAULT);

  private static final Machines OTHER =
      new Machines(HostConfig.GEN4_SERVER, IommuPresets.SNB, 2, Machines.DEFAULT.trace());

  private static Map<AttackRow, List<Verdict>> play(Machines machines) {
    Map<AttackRow, List<Verdict>> verdicts = new LinkedHashMap<>();
    for (AttackRow row : AttackMatrix.rows()) {
      List<Verdict> cells = new ArrayList<>();
      for (Mode mode : Mode.values()) {
        cells.add(run(row, mode, machines));
      }
      verdicts.put(row, cells);
    }
    return verdicts;
  }

  private static Verdict run(AttackRow row, Mode mode, Machines machines) {
    return row.run(new AttackMachine(machines, mode, row.options()));
  }

  private static Verdict seen(String id, Mode mode) {
    return VERDICTS.entrySet().stream()
        .filter(entry -> entry.getKey().id().equals(id))
        .findFirst()
        .orElseThrow()
        .getValue()
        .get(mode.ordinal());
  }

  @Test
  void shouldComeToWhatIsDocumented() {
    List<String> expected = new ArrayList<>();
    List<String> played = new ArrayList<>();
    VERDICTS.forEach(
        (row, cells) -> {
          for (Mode mode : Mode.values()) {
            expected.add(row.id() + "." + mode.word() + " " + row.expected(mode).text());
            played.add(
                row.id() + "." + mode.word() + " " + cells.get(mode.ordinal()).word().text());
          }
        });

    assertThat(played).isEqualTo(expected);
  }

  @Test
  void shouldShowOnThePageWhatTheRunsProduce() throws IOException {
    List<String> produced = AttackPage.lines(VERDICTS);
    if (Boolean.getBoolean("bellwire.updateAttacks")) {
      Files.createDirectories(PAGE.getParent());
      Files.writeString(PAGE, String.join("\n", produced) + "\n");
      return;
    }

    assertThat(Files.readAllLines(PAGE))
        .as("to write it anew: %s", AttackPage.UPDATE)
        .isEqualTo(produced);
  }

  @Test
  void shouldHaveAllRowsInOrder() {
    List<String> ids = AttackMatrix.rows().stream().map(AttackRow::id).toList();

    assertThat(ids).isSorted().doesNotHaveDuplicates();
    HashSet<String> groups = new HashSet<>();
    ids.forEach(id -> groups.add(id.substring(0, 3)));
    assertThat(groups).hasSize(22);
    assertThat(AttackMatrix.rows()).allSatisfy(row -> assertThat(row.expected()).hasSize(5));
  }

  @Test
  void shouldComeToTheSameOnAnotherMachine() {
    for (AttackRow row : AttackMatrix.rows()) {
      assertThat(run(row, Mode.LAZY, OTHER).word()).as(row.id()).isEqualTo(row.expected(Mode.LAZY));
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "a01b", "a02b", "a05", "a06a", "a07", "a08a", "a09a", "a13b", "a14c", "a16b", "a18", "a18b",
        "a20", "a22"
      })
  void shouldComeToTheSameInAllModesOnAnotherMachine(String id) {
    AttackRow row = row(id);
    for (Mode mode : Mode.values()) {
      assertThat(run(row, mode, OTHER).word()).as(mode.word()).isEqualTo(row.expected(mode));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"a06c", "a22"})
  void shouldEvictFromAnIotlbOfAnySize(String id) {
    // 2048 entries, where the others have 64.
    Machines large =
        new Machines(
            HostConfig.GEN4_SERVER, IommuPresets.SMMUV3_GRACE, 1, Machines.DEFAULT.trace());
    assertThat(run(row(id), Mode.LAZY, large).word()).isEqualTo(row(id).expected(Mode.LAZY));
  }

  private static AttackRow row(String id) {
    return AttackMatrix.rows().stream()
        .filter(row -> row.id().equals(id))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void shouldRecordTheFaultThatTellsWhy() {
    // Write denied, read denied; no context; blocked translation request; forged interrupts.
    assertThat(seen("a01", Mode.STRICT).evidence()).contains("fault 5h: 1, fault 6h: 1");
    assertThat(seen("a01b", Mode.STRICT).evidence()).contains("fault 2h: 2");
    assertThat(seen("a08c", Mode.STRICT).evidence()).contains("fault Dh: 1");
    assertThat(seen("a14b", Mode.STRICT).evidence())
        .contains(
            "fault Dh: 1, fault 20h: 1, fault 21h: 1, fault 22h: 1, fault 25h: 1, fault 26h: 1");
    assertThat(seen("a14c", Mode.STRICT).evidence()).contains("fault Eh: 1, fault 20h: 1");
    assertThat(seen("a14c", Mode.STRICT_BOUNCE).evidence()).contains("ACS violation: 1");
    assertThat(seen("a13b", Mode.STRICT).evidence()).contains("fault 5h: 1");
    assertThat(seen("a15b", Mode.STRICT).evidence()).contains("ACS violation: 1");
    // Eight recording registers, 64 faults.
    assertThat(seen("a18", Mode.LAZY).evidence()).contains("8 faults recorded, 56 lost");
    assertThat(seen("a18b", Mode.LAZY).evidence()).contains("8 faults recorded, 0 lost");
  }

  @Test
  void shouldSeeNoFaultWhereNothingIsRefused() {
    assertThat(seen("a03", Mode.STRICT).evidence()).doesNotContain("fault");
    assertThat(seen("a07b", Mode.STRICT_BOUNCE).evidence()).doesNotContain("fault");
    assertThat(seen("a12", Mode.STRICT_BOUNCE).evidence()).doesNotContain("fault");
  }

  @Test
  void shouldFailTheSelfCheckWhenACellIsNotAsDocumented() {
    AttackRow row = AttackMatrix.rows().get(0);
    AttackResults results = new AttackResults(List.of(Mode.OFF, Mode.STRICT));
    results.add(row, Mode.OFF, Verdict.of(true, "secret read"));
    results.add(row, Mode.STRICT, Verdict.of(true, "secret read too"));
    Report report = results.toReport(List.of(row), true);

    assertThat(report.isOk()).isFalse();
    assertThat(report.checks().get(0).detail())
        .isEqualTo("a01.strict is succeeds: secret read too");
    assertThat(report.metrics()).containsEntry("a01.off", "succeeds").hasSize(2);
  }

  @Test
  void shouldJudgeByWhatHappensBeforeAndAfter() {
    assertThat(Verdict.around(true, true, "").word()).isEqualTo(Word.SUCCEEDS);
    assertThat(Verdict.around(true, false, "").word()).isEqualTo(Word.WINDOW);
    assertThat(Verdict.around(false, false, "").word()).isEqualTo(Word.BLOCKED);
    assertThat(Verdict.around(false, true, "").word()).isEqualTo(Word.SUCCEEDS);
    assertThat(Verdict.of(true, "a").with("b")).isEqualTo(new Verdict(Word.SUCCEEDS, "a; b"));
    assertThat(Verdict.of(false, "a").with("")).isEqualTo(new Verdict(Word.BLOCKED, "a"));
  }
}
