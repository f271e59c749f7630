package io.github.bellwire.pcie;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class PortErrorsTest {
  private final PortErrors errors = new PortErrors();

  @Test
  void shouldCountEveryKindByItself() {
    errors.record(PcieError.BAD_TLP, 1);
    errors.record(PcieError.BAD_TLP, 2);
    errors.record(PcieError.POISONED_TLP, 3, 4, 5);

    assertThat(errors.total(PcieError.BAD_TLP)).isEqualTo(2);
    assertThat(errors.total(PcieError.POISONED_TLP)).isEqualTo(1);
    assertThat(errors.total(PcieError.ECRC)).isZero();
  }

  @Test
  void shouldTellTheListenerUntilItLeaves() {
    List<String> heard = new ArrayList<>();
    errors.listen(
        (error, header01, header23, atPs) ->
            heard.add(error + " " + header01 + " " + header23 + " " + atPs));

    errors.record(PcieError.POISONED_TLP, 3, 4, 5);
    errors.record(PcieError.BAD_DLLP, 6);
    errors.listen(null);
    errors.record(PcieError.BAD_DLLP, 7);

    assertThat(heard).containsExactly("POISONED_TLP 3 4 5", "BAD_DLLP 0 0 6");
    assertThat(errors.total(PcieError.BAD_DLLP)).isEqualTo(2);
  }

  @Test
  void shouldTellTheRegistersWhoeverElseListens() {
    List<String> noted = new ArrayList<>();
    errors.reportTo((error, header01, header23, atPs) -> noted.add(error + " " + atPs));
    errors.listen((error, header01, header23, atPs) -> noted.add("heard"));

    errors.record(PcieError.BAD_DLLP, 6);

    assertThat(noted).containsExactly("BAD_DLLP 6", "heard");
  }

  @Test
  void shouldGiveEveryErrorItsOwnBitOfItsRegister() {
    int correctable = 0;
    int uncorrectable = 0;
    for (PcieError error : PcieError.values()) {
      int bit = 1 << error.bit();
      if (error.isCorrectable()) {
        assertThat(correctable & bit).as("%s", error).isZero();
        correctable |= bit;
      } else {
        assertThat(uncorrectable & bit).as("%s", error).isZero();
        uncorrectable |= bit;
      }
    }

    // Base Specification 5.0: figures 7-126 and 7-123, without the bits of what is not modelled.
    assertThat(correctable).isEqualTo(0x31C1);
    assertThat(uncorrectable).isEqualTo(0x3F_F030);
  }

  @Test
  void shouldStartWithTheSeveritiesOfTheSpecification() {
    int fatal = 0;
    for (PcieError error : PcieError.values()) {
      fatal |= error.severity() == PcieError.Severity.FATAL ? 1 << error.bit() : 0;
    }

    // The reset value of the uncorrectable error severity register without bit 22, internal error.
    assertThat(fatal).isEqualTo(0x6_2030);
  }
}
