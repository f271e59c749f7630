package io.github.bellwire.pcie;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * Watches TLPs enter and leave a stretch of the fabric and notes every pass, with the cell of the
 * ordering table that allows or forbids it. For tests and tools: allocates.
 *
 * <pre>{@code
 * checker.enter(write); checker.enter(read); checker.leave(read)  --> read passed write: B2a, No
 * }</pre>
 */
public final class OrderingChecker {
  private final List<OrderedTlp> underWay = new ArrayList<>();
  private final List<Pass> passes = new ArrayList<>();

  /**
   * One TLP overtook another.
   *
   * @param later which
   * @param earlier whom
   * @param cell of the table, such as {@code A2a}
   * @param verdict what it says
   */
  public record Pass(
      OrderedTlp later, OrderedTlp earlier, String cell, OrderingRules.Verdict verdict) {
    /** {@return whether the rules allow it} */
    public boolean isLegal() {
      return verdict != OrderingRules.Verdict.MUST_NOT_PASS;
    }
  }

  /** Creates a checker of an empty stretch. */
  public OrderingChecker() {}

  /**
   * A TLP has entered.
   *
   * @param tlp told from others by identity
   */
  public void enter(OrderedTlp tlp) {
    underWay.add(tlp);
  }

  /**
   * A TLP has left: it has passed all that entered before and are still there.
   *
   * @param tlp the one that entered
   * @throws IllegalArgumentException if it is not under way
   */
  public void leave(OrderedTlp tlp) {
    int index = 0;
    while (index < underWay.size() && underWay.get(index) != tlp) {
      index++;
    }
    if (index == underWay.size()) {
      throw new IllegalArgumentException("tlp must be under way: tlp=" + tlp);
    }
    underWay.remove(index);
    for (int i = 0; i < index; i++) {
      OrderedTlp earlier = underWay.get(i);
      passes.add(
          new Pass(
              tlp, earlier, OrderingRules.cell(tlp, earlier), OrderingRules.verdict(tlp, earlier)));
    }
  }

  /** {@return every pass so far} */
  public List<Pass> passes() {
    return Collections.unmodifiableList(passes);
  }

  /** {@return the passes that the rules forbid} */
  public List<Pass> violations() {
    return passes.stream().filter(pass -> !pass.isLegal()).toList();
  }
}
