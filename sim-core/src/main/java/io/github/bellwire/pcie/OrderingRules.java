package io.github.bellwire.pcie;

/**
 * Which TLP may pass which on its way through the fabric, within one traffic class (PCI Express
 * Base Specification 5.0, table 2-40 and its notes; bridges to conventional PCI left out).
 *
 * <pre>{@code
 * row: later   column: earlier   2 posted         3 read  4 NP, data  5 completion
 * A posted                       a) No  b) Y/N    Yes     Yes         Y/N
 * B read request                 a) No  b) Y/N    Y/N     Y/N         Y/N
 * C non-posted with data         a) No  b) Y/N    Y/N     Y/N         Y/N
 * D completion                   a) No  b) Y/N    Yes     Yes         a) Y/N  b) No
 * }</pre>
 */
public final class OrderingRules {
  /** What a cell of the table says. */
  public enum Verdict {
    /** No: the later TLP stays behind. */
    MUST_NOT_PASS,
    /** Y/N: either way is right. */
    MAY_PASS,
    /** Yes: it has to be able to pass one that is stuck, else the fabric could deadlock. */
    MUST_BE_ABLE_TO_PASS
  }

  private OrderingRules() {}

  /**
   * {@return whether one TLP may pass another}
   *
   * @param later the one behind
   * @param earlier the one in front
   */
  public static Verdict verdict(OrderedTlp later, OrderedTlp earlier) {
    if (earlier.tlpClass() == TlpClass.POSTED) {
      return mayPassPosted(later, earlier) ? Verdict.MAY_PASS : Verdict.MUST_NOT_PASS;
    }
    if (earlier.tlpClass().isCompletion()) {
      return isSameTransaction(later, earlier) ? Verdict.MUST_NOT_PASS : Verdict.MAY_PASS;
    }
    return later.tlpClass() == TlpClass.POSTED || later.tlpClass().isCompletion()
        ? Verdict.MUST_BE_ABLE_TO_PASS
        : Verdict.MAY_PASS;
  }

  /**
   * {@return the cell of the table that decides, such as {@code A2a}}
   *
   * @param later the one behind
   * @param earlier the one in front
   */
  public static String cell(OrderedTlp later, OrderedTlp earlier) {
    String row = row(later.tlpClass());
    return switch (earlier.tlpClass()) {
      case POSTED -> row + (mayPassPosted(later, earlier) ? "2b" : "2a");
      case READ_REQUEST -> row + "3";
      case NON_POSTED_WITH_DATA -> row + "4";
      case COMPLETION, IO_OR_CONFIG_WRITE_COMPLETION ->
          later.tlpClass().isCompletion()
              ? row + (isSameTransaction(later, earlier) ? "5b" : "5a")
              : row + "5";
    };
  }

  private static boolean mayPassPosted(OrderedTlp later, OrderedTlp posted) {
    boolean isOtherSender =
        (later.attributes() & TlpAttributes.ID_BASED_ORDERING) != 0
            && later.senderId() != posted.senderId();
    boolean isRelaxed = (later.attributes() & TlpAttributes.RELAXED_ORDERING) != 0;
    return switch (later.tlpClass()) {
      case READ_REQUEST -> isOtherSender; // Relaxed ordering does not help a read.
      case IO_OR_CONFIG_WRITE_COMPLETION -> true;
      case POSTED, NON_POSTED_WITH_DATA, COMPLETION -> isRelaxed || isOtherSender;
    };
  }

  private static boolean isSameTransaction(OrderedTlp later, OrderedTlp earlier) {
    return later.tlpClass().isCompletion() && later.transactionId() == earlier.transactionId();
  }

  private static String row(TlpClass tlpClass) {
    return switch (tlpClass) {
      case POSTED -> "A";
      case READ_REQUEST -> "B";
      case NON_POSTED_WITH_DATA -> "C";
      case COMPLETION, IO_OR_CONFIG_WRITE_COMPLETION -> "D";
    };
  }
}
