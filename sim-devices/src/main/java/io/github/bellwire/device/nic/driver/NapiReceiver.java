package io.github.bellwire.device.nic.driver;

import static java.util.Objects.requireNonNull;

import io.github.bellwire.cpu.Core;
import io.github.bellwire.cpu.CpuPort;
import io.github.bellwire.cpu.InterruptController;
import io.github.bellwire.cpu.InterruptVector;
import io.github.bellwire.cpu.Routine;
import org.jspecify.annotations.Nullable;

/**
 * Receives as NAPI of Linux does.
 *
 * <pre>{@code
 * interrupt: mask the vector --> poll: at most 64 frames --64--> poll again
 *      ^                              |
 *      '------- unmask the vector <---' fewer
 * }</pre>
 *
 * <p>Polls of other receivers on the same core take turns with this one's. Not modelled: the
 * softirq budget of 300 frames and 2 jiffies, and the thread that takes over beyond it. Allocates
 * nothing after {@link #start}. Confined to the simulation thread.
 */
public final class NapiReceiver {
  private final NicDriver driver;
  private final RxRing ring;
  private final @Nullable TxRing txRing;
  private final FrameHandler handler;
  private final Routine interruptRoutine;
  private final Routine pollRoutine;
  private final int cyclesPerInterrupt;
  private final int cyclesPerBatch;
  private boolean isMasked;
  private long interruptsTotal;
  private long pollsTotal;

  /**
   * Creates a receiver that does not run before {@link #start}.
   *
   * @param core where interrupt handler and polls run
   * @param driver started
   * @param queueIndex the receive queue, which is also the number of the device's vector; the
   *     transmit queue of this number, if there is one, is cleaned too
   * @param handler gets the frames
   */
  public NapiReceiver(Core core, NicDriver driver, int queueIndex, FrameHandler handler) {
    this.driver = requireNonNull(driver, "driver");
    this.handler = requireNonNull(handler, "handler");
    ring = driver.rxRing(queueIndex);
    txRing = queueIndex < driver.txQueuesCount() ? driver.txRing(queueIndex) : null;
    cyclesPerInterrupt = driver.config().profile().perInterrupt();
    cyclesPerBatch = driver.config().profile().perBatch();
    interruptRoutine =
        new Routine(core) {
          @Override
          protected void run(CpuPort port) {
            onInterrupt(port);
          }
        };
    pollRoutine =
        new Routine(core) {
          @Override
          protected void run(CpuPort port) {
            pollOrWake(port);
          }
        };
  }

  /**
   * Connects the queue's interrupt and unmasks it.
   *
   * @param port the core that writes the registers
   * @param controller where the vector comes from
   */
  public void start(CpuPort port, InterruptController controller) {
    InterruptVector vector = controller.allocate(interruptRoutine.core(), interruptRoutine);
    long itrPs = driver.config().itrPs();
    driver.interrupts().connectQueue(port, ring.queueIndex(), txRing != null, vector, itrPs, false);
  }

  /** {@return how often the interrupt handler has run} */
  public long interruptsTotal() {
    return interruptsTotal;
  }

  /** {@return how often the queue was polled} */
  public long pollsTotal() {
    return pollsTotal;
  }

  private void onInterrupt(CpuPort port) {
    interruptsTotal++;
    port.compute(cyclesPerInterrupt);
    mask(port);
    pollRoutine.wakeAt(port.nowPs());
  }

  private void pollOrWake(CpuPort port) {
    try {
      poll(port);
    } catch (Throwable thrown) {
      pollRoutine.wakeAt(port.nowPs()); // The vector is masked: no message would come.
      throw thrown;
    }
  }

  private void poll(CpuPort port) {
    if (!isMasked) {
      mask(port); // Not a message but the end of a shortage has woken it.
    }
    pollsTotal++;
    port.compute(cyclesPerBatch);
    if (txRing != null) {
      txRing.clean(port, Integer.MAX_VALUE);
    }
    int count = ring.receive(port, NicDriverConfig.NAPI_WEIGHT, handler);
    handler.drain(port);
    if (count == NicDriverConfig.NAPI_WEIGHT) {
      pollRoutine.wakeAt(port.nowPs());
      return;
    }
    if (ring.isStarved()) {
      ring.awaitBuffers(port, pollRoutine);
    }
    driver.interrupts().unmask(port, ring.queueIndex());
    isMasked = false;
  }

  private void mask(CpuPort port) {
    driver.interrupts().mask(port, ring.queueIndex());
    isMasked = true;
  }
}
