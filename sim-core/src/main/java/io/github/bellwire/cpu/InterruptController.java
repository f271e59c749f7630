package io.github.bellwire.cpu;

import io.github.bellwire.kernel.Event;
import io.github.bellwire.kernel.Simulation;
import io.github.bellwire.pcie.InterruptSink;
import io.github.bellwire.pcie.RootComplex;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Turns interrupt messages into running handlers. A message names a core by address bits 19:12 and
 * a vector by data bits 7:0 (Intel SDM volume 3, section 11.11). A message for a handler that is
 * already waiting for its core merges with it; one that nobody allocated is counted and dropped.
 *
 * <p>Confined to the simulation thread.
 */
public final class InterruptController implements InterruptSink {
  private static final int CORE_SHIFT = 12;
  private static final int VECTOR_FIRST = 0x20;
  private static final int VECTOR_LAST = 0xff;

  private final Simulation simulation;
  private final List<InterruptVector> vectors = new ArrayList<>();
  private final Event arrival;

  // Messages on their way, in the order of arrival times.
  private long[] arrivalPs = new long[16];
  private InterruptVector[] arriving = new InterruptVector[16];
  private int arrivingCount;
  private long messagesTotal;
  private long spuriousTotal;

  /**
   * Creates a controller without vectors.
   *
   * @param simulation the clock
   */
  public InterruptController(Simulation simulation) {
    this.simulation = simulation;
    arrival =
        new Event() {
          @Override
          protected void onEvent(long nowPs) {
            deliver(nowPs);
          }
        };
  }

  /**
   * Allocates a vector of a core.
   *
   * @param core whose vector
   * @param handler runs when a message arrives, on that core; null to use {@link
   *     SynchronousPort#waitForInterrupt}
   * @return address and data for the device
   * @throws IllegalStateException if the core's vectors are used up
   */
  public InterruptVector allocate(Core core, @Nullable Routine handler) {
    long address = RootComplex.INTERRUPT_BASE | (long) core.index() << CORE_SHIFT;
    int data = VECTOR_FIRST;
    for (InterruptVector vector : vectors) {
      if (vector.address() == address) {
        data++;
      }
    }
    if (data > VECTOR_LAST) {
      throw new IllegalStateException("vectors of a core are used up: core=" + core.index());
    }
    InterruptVector vector =
        new InterruptVector(address, data, handler, core.config().interruptPs());
    vectors.add(vector);
    return vector;
  }

  @Override
  public void onMessage(int requesterId, long address, int data, long atPs) {
    InterruptVector vector = find(address, data);
    if (vector == null) {
      spuriousTotal++;
      return;
    }
    if (arrivingCount == arriving.length) {
      arrivalPs = Arrays.copyOf(arrivalPs, arrivingCount * 2);
      arriving = Arrays.copyOf(arriving, arrivingCount * 2);
    }
    int index = arrivingCount++;
    for (; index > 0 && arrivalPs[index - 1] > atPs; index--) {
      arrivalPs[index] = arrivalPs[index - 1];
      arriving[index] = arriving[index - 1];
    }
    arrivalPs[index] = atPs;
    arriving[index] = vector;
    simulation.reschedule(arrival, arrivalPs[0]);
  }

  /** {@return messages delivered to a vector} */
  public long messagesTotal() {
    return messagesTotal;
  }

  /** {@return messages for a vector that nobody allocated} */
  public long spuriousTotal() {
    return spuriousTotal;
  }

  private void deliver(long nowPs) {
    InterruptVector vector = arriving[0];
    arrivingCount--;
    System.arraycopy(arrivalPs, 1, arrivalPs, 0, arrivingCount);
    System.arraycopy(arriving, 1, arriving, 0, arrivingCount);
    if (arrivingCount > 0) {
      simulation.reschedule(arrival, Math.max(arrivalPs[0], nowPs));
    }
    messagesTotal++;
    vector.raise(nowPs);
  }

  private @Nullable InterruptVector find(long address, int data) {
    for (int i = 0; i < vectors.size(); i++) {
      InterruptVector vector = vectors.get(i);
      if (vector.address() == address && vector.data() == (data & 0xff)) {
        return vector;
      }
    }
    return null;
  }
}
