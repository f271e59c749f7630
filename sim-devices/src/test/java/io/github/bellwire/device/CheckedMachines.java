package io.github.bellwire.device;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.bellwire.dma.check.DmaChecker;
import io.github.bellwire.host.Host;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** Makes every test fail in which a driver on one of its machines makes a mistake with DMA. */
public final class CheckedMachines implements AfterEachCallback {
  private static final ThreadLocal<List<DmaChecker>> CHECKERS =
      ThreadLocal.withInitial(ArrayList::new);

  /** Has the rest of a test's work on a machine watched. */
  public static void watch(Host host) {
    CHECKERS.get().add(host.attachChecker());
  }

  /** {@return what has been found so far, which may be something: the test looks itself} */
  public static DmaChecker release(Host host) {
    CHECKERS.get().remove(host.attachChecker());
    return host.attachChecker();
  }

  @Override
  public void afterEach(ExtensionContext context) {
    List<DmaChecker> checkers = CHECKERS.get();
    CHECKERS.remove();
    for (DmaChecker checker : checkers) {
      assertThat(checker.reports()).isEmpty();
      assertThat(checker.total()).isZero();
    }
  }
}
