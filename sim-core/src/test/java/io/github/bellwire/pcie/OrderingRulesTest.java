package io.github.bellwire.pcie;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.bellwire.pcie.OrderingRules.Verdict;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Base Specification 5.0, table 2-40, cell by cell. */
class OrderingRulesTest {
  private static final int RO = TlpAttributes.RELAXED_ORDERING;
  private static final int IDO = TlpAttributes.ID_BASED_ORDERING;

  @ParameterizedTest
  @CsvSource({
    // later, attributes of the later, same sender, earlier, cell, verdict.
    "POSTED, 0, true, POSTED, A2a, MUST_NOT_PASS",
    "POSTED, 0, false, POSTED, A2a, MUST_NOT_PASS",
    "POSTED, 1, true, POSTED, A2a, MUST_NOT_PASS",
    "POSTED, 2, true, POSTED, A2b, MAY_PASS",
    "POSTED, 4, true, POSTED, A2a, MUST_NOT_PASS",
    "POSTED, 4, false, POSTED, A2b, MAY_PASS",
    "POSTED, 0, true, READ_REQUEST, A3, MUST_BE_ABLE_TO_PASS",
    "POSTED, 0, true, NON_POSTED_WITH_DATA, A4, MUST_BE_ABLE_TO_PASS",
    "POSTED, 0, true, COMPLETION, A5, MAY_PASS",
    "READ_REQUEST, 0, true, POSTED, B2a, MUST_NOT_PASS",
    "READ_REQUEST, 2, true, POSTED, B2a, MUST_NOT_PASS",
    "READ_REQUEST, 2, false, POSTED, B2a, MUST_NOT_PASS",
    "READ_REQUEST, 4, true, POSTED, B2a, MUST_NOT_PASS",
    "READ_REQUEST, 4, false, POSTED, B2b, MAY_PASS",
    "READ_REQUEST, 0, true, READ_REQUEST, B3, MAY_PASS",
    "READ_REQUEST, 0, true, NON_POSTED_WITH_DATA, B4, MAY_PASS",
    "READ_REQUEST, 0, true, COMPLETION, B5, MAY_PASS",
    "NON_POSTED_WITH_DATA, 0, true, POSTED, C2a, MUST_NOT_PASS",
    "NON_POSTED_WITH_DATA, 2, true, POSTED, C2b, MAY_PASS",
    "NON_POSTED_WITH_DATA, 4, false, POSTED, C2b, MAY_PASS",
    "NON_POSTED_WITH_DATA, 0, true, READ_REQUEST, C3, MAY_PASS",
    "NON_POSTED_WITH_DATA, 0, true, NON_POSTED_WITH_DATA, C4, MAY_PASS",
    "NON_POSTED_WITH_DATA, 0, true, COMPLETION, C5, MAY_PASS",
    "COMPLETION, 0, true, POSTED, D2a, MUST_NOT_PASS",
    "COMPLETION, 2, true, POSTED, D2b, MAY_PASS",
    "COMPLETION, 4, true, POSTED, D2a, MUST_NOT_PASS",
    "COMPLETION, 4, false, POSTED, D2b, MAY_PASS",
    "IO_OR_CONFIG_WRITE_COMPLETION, 0, true, POSTED, D2b, MAY_PASS",
    "COMPLETION, 0, true, READ_REQUEST, D3, MUST_BE_ABLE_TO_PASS",
    "COMPLETION, 0, true, NON_POSTED_WITH_DATA, D4, MUST_BE_ABLE_TO_PASS",
    "IO_OR_CONFIG_WRITE_COMPLETION, 0, true, READ_REQUEST, D3, MUST_BE_ABLE_TO_PASS"
  })
  void shouldAgreeWithTheTable(
      TlpClass later,
      int attributes,
      boolean isSameSender,
      TlpClass earlier,
      String cell,
      Verdict verdict) {
    OrderedTlp first = new OrderedTlp(earlier, 0, 0x100, 1);
    OrderedTlp second = new OrderedTlp(later, attributes, isSameSender ? 0x100 : 0x200, 2);

    assertThat(OrderingRules.cell(second, first)).isEqualTo(cell);
    assertThat(OrderingRules.verdict(second, first)).isEqualTo(verdict);
  }

  @Test
  void shouldKeepTheCompletionsOfOneTransactionInOrder() {
    OrderedTlp first = new OrderedTlp(TlpClass.COMPLETION, RO | IDO, 0x100, 7);
    OrderedTlp sameTransaction = new OrderedTlp(TlpClass.COMPLETION, RO | IDO, 0x100, 7);
    OrderedTlp otherTransaction = new OrderedTlp(TlpClass.COMPLETION, 0, 0x100, 8);

    assertThat(OrderingRules.cell(sameTransaction, first)).isEqualTo("D5b");
    assertThat(OrderingRules.verdict(sameTransaction, first)).isEqualTo(Verdict.MUST_NOT_PASS);
    assertThat(OrderingRules.cell(otherTransaction, first)).isEqualTo("D5a");
    assertThat(OrderingRules.verdict(otherTransaction, first)).isEqualTo(Verdict.MAY_PASS);
  }

  @Test
  void shouldLookAtTheAttributesOfTheLaterOneOnly() {
    OrderedTlp relaxed = new OrderedTlp(TlpClass.POSTED, RO, 0x100, 0);
    OrderedTlp strict = new OrderedTlp(TlpClass.POSTED, 0, 0x100, 0);

    // The flag stays behind the payload even though the payload is relaxed.
    assertThat(OrderingRules.verdict(strict, relaxed)).isEqualTo(Verdict.MUST_NOT_PASS);
    assertThat(OrderingRules.verdict(relaxed, strict)).isEqualTo(Verdict.MAY_PASS);
  }

  @Test
  void shouldReadTheHeaders() {
    long write = TlpHeader.request01(true, 0x1000, 64, RO, 0x100, 0);
    long read = TlpHeader.request01(false, 0x1000, 64, IDO, 0x200, 5);
    long completion = TlpHeader.completion01(0x1000, 64, 64, 0, 0, 0x8, 0x3FF);

    assertThat(OrderedTlp.of(write, TlpHeader.request23(0x1000)))
        .isEqualTo(new OrderedTlp(TlpClass.POSTED, RO, 0x100, 0));
    assertThat(OrderedTlp.of(read, TlpHeader.request23(0x1000)))
        .isEqualTo(new OrderedTlp(TlpClass.READ_REQUEST, IDO, 0x200, 0));
    assertThat(OrderedTlp.of(completion, TlpHeader.completion23(0x1000, 0x200, 0x3FF)))
        .isEqualTo(new OrderedTlp(TlpClass.COMPLETION, 0, 0x8, 0x200 << 10 | 0x3FF));
  }

  @Test
  void shouldRejectUnknownAttributes() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new OrderedTlp(TlpClass.POSTED, 8, 0, 0))
        .withMessage("attributes must be 0..7: attributes=8");
  }

  // The checker.

  @Test
  void shouldNameEveryPassWithItsCell() {
    OrderedTlp read = new OrderedTlp(TlpClass.READ_REQUEST, 0, 0x100, 0);
    OrderedTlp payload = new OrderedTlp(TlpClass.POSTED, RO, 0x100, 0);
    OrderedTlp flag = new OrderedTlp(TlpClass.POSTED, 0, 0x100, 0);
    OrderingChecker checker = new OrderingChecker();
    checker.enter(read);
    checker.enter(payload);
    checker.enter(flag);

    checker.leave(flag);
    checker.leave(read);
    checker.leave(payload);

    assertThat(checker.passes())
        .extracting(OrderingChecker.Pass::cell)
        .containsExactly("A3", "A2a");
    assertThat(checker.violations())
        .containsExactly(new OrderingChecker.Pass(flag, payload, "A2a", Verdict.MUST_NOT_PASS));
  }

  @Test
  void shouldNoteNothingInOrder() {
    OrderingChecker checker = new OrderingChecker();
    // Equal records, told apart by identity.
    OrderedTlp first = new OrderedTlp(TlpClass.POSTED, 0, 0x100, 0);
    OrderedTlp second = new OrderedTlp(TlpClass.POSTED, 0, 0x100, 0);
    checker.enter(first);
    checker.enter(second);

    checker.leave(first);
    checker.leave(second);

    assertThat(checker.passes()).isEmpty();
    assertThatIllegalArgumentException()
        .isThrownBy(() -> checker.leave(first))
        .withMessageStartingWith("tlp must be under way: tlp=OrderedTlp");
  }
}
