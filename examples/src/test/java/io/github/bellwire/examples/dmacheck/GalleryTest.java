package io.github.bellwire.examples.dmacheck;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.bellwire.dma.check.DmaChecker;
import io.github.bellwire.dma.check.DmaReport;
import io.github.bellwire.dma.check.DmaViolation;
import java.util.EnumMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Each violation by a faulty driver on a whole machine, and none by its repaired twin. */
class GalleryTest {
  private static final Map<DmaViolation, DriverBug> BUGS = bugs();

  private static Map<DmaViolation, DriverBug> bugs() {
    Map<DmaViolation, DriverBug> bugs = new EnumMap<>(DmaViolation.class);
    DmaCheck.gallery().forEach(bug -> bugs.put(bug.violation(), bug));
    return bugs;
  }

  @ParameterizedTest
  @EnumSource(DmaViolation.class)
  void shouldFindTheViolationInTheFaultyDriver(DmaViolation violation) {
    DriverBug bug = BUGS.get(violation);
    assertThat(bug).isNotNull();

    DmaChecker checker = DmaCheck.run(bug, bug.faulty());

    assertThat(checker.count(violation)).isPositive();
    assertThat(checker.reports())
        .filteredOn(report -> report.violation() == violation)
        .allSatisfy(GalleryTest::assertExplained);
  }

  @ParameterizedTest
  @EnumSource(DmaViolation.class)
  void shouldFindNothingInTheRepairedDriver(DmaViolation violation) {
    DriverBug bug = BUGS.get(violation);

    DmaChecker checker = DmaCheck.run(bug, bug.repaired());

    assertThat(checker.reports()).isEmpty();
    assertThat(checker.total()).isZero();
    assertThat(checker.liveMappings()).isEmpty();
  }

  private static void assertExplained(DmaReport report) {
    assertThat(report.toString())
        .startsWith(report.violation().identifier() + ": " + report.violation().sentence())
        .contains("what:    " + report.device() + ": ")
        .contains("when:    ");
    assertThat(report.device()).isIn("0000:01:00.0", "second device");
    if (report.mapping() != null) {
      assertThat(report.toString()).contains("mapped by " + report.device() + ", call ");
    }
  }

  @Test
  void shouldHaveOneBugForEachViolationInTheirOrder() {
    assertThat(DmaCheck.gallery())
        .extracting(DriverBug::violation)
        .containsExactly(DmaViolation.values());
  }
}
