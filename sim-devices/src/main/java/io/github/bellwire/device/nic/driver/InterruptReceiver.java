package io.github.bellwire.device.nic.driver;

import static java.util.Objects.requireNonNull;

import io.github.bellwire.cpu.Core;
import io.github.bellwire.cpu.CpuPort;
import io.github.bellwire.cpu.InterruptController;
import io.github.bellwire.cpu.InterruptVector;
import io.github.bellwire.cpu.Routine;
import org.jspecify.annotations.Nullable;

/**
 * Receives in the interrupt handler: drains the queue, takes sent frames back, lets the vector send
 * again. The message has masked the vector meanwhile.
 *
 * <p>Allocates nothing after {@link #start}. Confined to the simulation thread.
 */
public final class InterruptReceiver extends Routine {
  private final NicDriver driver;
  private final RxRing ring;
  private final @Nullable TxRing txRing;
  private final FrameHandler handler;
  private final int batch;
  private final int cyclesPerInterrupt;
  private final int cyclesPerBatch;
  private long interruptsTotal;

  /**
   * Creates a receiver that does not run before {@link #start}.
   *
   * @param core where the handler runs
   * @param driver started
   * @param queueIndex the receive queue, which is also the number of the device's vector; the
   *     transmit queue of this number, if there is one, is cleaned too
   * @param handler gets the frames
   */
  public InterruptReceiver(Core core, NicDriver driver, int queueIndex, FrameHandler handler) {
    super(core);
    this.driver = requireNonNull(driver, "driver");
    this.handler = requireNonNull(handler, "handler");
    ring = driver.rxRing(queueIndex);
    txRing = queueIndex < driver.txQueuesCount() ? driver.txRing(queueIndex) : null;
    NicDriverConfig config = driver.config();
    batch = config.batch();
    cyclesPerInterrupt = config.profile().perInterrupt();
    cyclesPerBatch = config.profile().perBatch();
  }

  /**
   * Connects the queue's interrupt and unmasks it.
   *
   * @param port the core that writes the registers
   * @param controller where the vector comes from
   */
  public void start(CpuPort port, InterruptController controller) {
    InterruptVector vector = controller.allocate(core(), this);
    long itrPs = driver.config().itrPs();
    driver.interrupts().connectQueue(port, ring.queueIndex(), txRing != null, vector, itrPs, true);
  }

  /** {@return how often the handler has run} */
  public long interruptsTotal() {
    return interruptsTotal;
  }

  @Override
  protected void run(CpuPort port) {
    try {
      receive(port);
    } catch (Throwable thrown) {
      wakeAt(port.nowPs()); // The vector is masked: no message would come.
      throw thrown;
    }
  }

  private void receive(CpuPort port) {
    interruptsTotal++;
    port.compute(cyclesPerInterrupt);
    if (txRing != null) {
      txRing.clean(port, Integer.MAX_VALUE);
    }
    int count;
    do {
      port.compute(cyclesPerBatch);
      count = ring.receive(port, batch, handler);
    } while (count == batch);
    handler.drain(port);
    if (ring.isStarved()) {
      ring.awaitBuffers(port, this);
    }
    driver.interrupts().unmask(port, ring.queueIndex());
  }
}
