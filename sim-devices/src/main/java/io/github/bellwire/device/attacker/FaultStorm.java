package io.github.bellwire.device.attacker;

import static java.util.Objects.requireNonNull;

import io.github.bellwire.kernel.Event;
import io.github.bellwire.kernel.Simulation;
import io.github.bellwire.pcie.DmaPort;
import io.github.bellwire.pcie.DmaStatus;

/** Reads one page after the other at a fixed rate, to see what the host does with the faults. */
public final class FaultStorm extends Event {
  private static final int PAGE_BYTES = 4096;
  private static final int READ_BYTES = 4;

  private final Simulation simulation;
  private final DmaPort dma;
  private final byte[] bytes = new byte[READ_BYTES];
  private long iova;
  private long periodPs;
  private int left;
  private long refusedTotal;
  private long answeredTotal;

  FaultStorm(Simulation simulation, DmaPort dma) {
    this.simulation = requireNonNull(simulation, "simulation");
    this.dma = requireNonNull(dma, "dma");
  }

  /**
   * Starts now.
   *
   * @param firstIova of the first page
   * @param newPeriodPs between requests, at least 1
   * @param count of requests, at least 1
   */
  public void start(long firstIova, long newPeriodPs, int count) {
    iova = firstIova;
    periodPs = newPeriodPs;
    left = count;
    simulation.reschedule(this, simulation.nowPs());
  }

  /** {@return whether all requests have been sent} */
  public boolean isDone() {
    return left == 0;
  }

  /** {@return requests that the host has refused} */
  public long refusedTotal() {
    return refusedTotal;
  }

  /** {@return requests that the host has answered with data} */
  public long answeredTotal() {
    return answeredTotal;
  }

  /** Stops. */
  void clear() {
    left = 0;
    simulation.cancel(this);
  }

  @Override
  protected void onEvent(long nowPs) {
    dma.read(iova, bytes, 0, READ_BYTES, nowPs);
    if (dma.status() == DmaStatus.OK) {
      answeredTotal++;
    } else {
      refusedTotal++;
    }
    iova += PAGE_BYTES;
    if (--left > 0) {
      simulation.schedule(this, nowPs + periodPs);
    }
  }
}
