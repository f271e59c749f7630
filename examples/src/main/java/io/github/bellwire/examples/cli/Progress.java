package io.github.bellwire.examples.cli;

import java.io.PrintStream;
import java.util.function.LongSupplier;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;

/**
 * A progress bar on standard error that appears when a run has taken a second, and only on a
 * terminal. Costs one look at the clock per call, so call it every thousand steps or so. Confined
 * to one thread.
 */
public final class Progress implements AutoCloseable {
  private static final long PATIENCE_NS = 1_000_000_000;
  private static final int WIDTH_COLUMNS = 80;

  private final PrintStream stderr;
  private final boolean isTerminal;
  private final LongSupplier clockNs;
  private final long startNs;

  private @Nullable ProgressBar bar;
  private String task = "";
  private long total;

  /**
   * Starts waiting for the second to pass.
   *
   * @param stderr where the bar appears
   * @param isTerminal whether anybody sees it
   * @param clockNs wall time in nanoseconds
   */
  public Progress(PrintStream stderr, boolean isTerminal, LongSupplier clockNs) {
    this.stderr = stderr;
    this.isTerminal = isTerminal;
    this.clockNs = clockNs;
    this.startNs = clockNs.getAsLong();
  }

  /**
   * Begins a task; one that is under way ends.
   *
   * @param newTask in a word or two
   * @param newTotal how many steps it has
   */
  public void begin(String newTask, long newTotal) {
    close();
    task = newTask;
    total = newTotal;
  }

  /**
   * Tells how far the task has come.
   *
   * @param done steps, 0 up to the total
   */
  public void advanceTo(long done) {
    if (bar == null && isTerminal && clockNs.getAsLong() - startNs >= PATIENCE_NS) {
      bar = open();
    }
    if (bar != null) {
      bar.stepTo(done);
    }
  }

  private ProgressBar open() {
    return new ProgressBarBuilder()
        .setTaskName(task)
        .setInitialMax(total)
        .setStyle(ProgressBarStyle.ASCII)
        .setMaxRenderedLength(WIDTH_COLUMNS)
        .setConsumer(new ConsoleProgressBarConsumer(stderr, WIDTH_COLUMNS))
        .build();
  }

  /** Ends the task and its bar. */
  @Override
  public void close() {
    if (bar != null) {
      bar.close();
      bar = null;
    }
  }
}
