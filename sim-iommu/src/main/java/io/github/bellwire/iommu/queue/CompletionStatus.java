package io.github.bellwire.iommu.queue;

import static io.github.bellwire.iommu.layout.RegisterLayout.ICS_WAIT_COMPLETE;

import io.github.bellwire.kernel.Simulation;
import io.github.bellwire.pcie.InterruptSink;

/**
 * Completions of wait descriptors that asked for an interrupt (VT-d specification 4.1, section
 * 11.4.9.4). While software has not cleared one, others give no other interrupt.
 */
final class CompletionStatus extends TimedEffects {
  private final EventRegisters event;
  private int status;

  CompletionStatus(Simulation simulation, InterruptSink interrupts) {
    super(simulation);
    event = new EventRegisters(interrupts);
  }

  void addCompletion(long atPs) {
    add(atPs, 0, 0);
  }

  @Override
  protected void apply(long first, long second, long atPs) {
    if (status == 0) {
      status = ICS_WAIT_COMPLETE;
      event.raise(atPs);
    }
  }

  EventRegisters event() {
    return event;
  }

  int status() {
    return status;
  }

  void clear(int bits) {
    if ((bits & ICS_WAIT_COMPLETE) != 0) {
      status = 0;
      event.withdraw();
    }
  }
}
