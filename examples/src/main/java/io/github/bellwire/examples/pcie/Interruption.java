package io.github.bellwire.examples.pcie;

import io.github.bellwire.kernel.Event;
import io.github.bellwire.kernel.Simulation;
import io.github.bellwire.pcie.CapabilityId;
import io.github.bellwire.pcie.ConfigLayout;
import io.github.bellwire.pcie.ConfigSpace;
import io.github.bellwire.pcie.DownstreamPort;

/** What ends a measurement before its time: software resets the device, or somebody pulls it. */
final class Interruption {
  private final Simulation simulation;
  private final long resetAtPs;
  private final long removeAtPs;
  private final Event reset;
  private final Event removal;

  /**
   * Prepares what is to happen.
   *
   * @param port above the device
   * @param resetAtPs from {@link #schedule} on, or {@link Simulation#NEVER_PS}
   * @param removeAtPs from {@link #schedule} on, or {@link Simulation#NEVER_PS}
   */
  Interruption(Simulation simulation, DownstreamPort port, long resetAtPs, long removeAtPs) {
    this.simulation = simulation;
    this.resetAtPs = resetAtPs;
    this.removeAtPs = removeAtPs;
    reset =
        new Event() {
          @Override
          protected void onEvent(long nowPs) {
            if (port.isOccupied()) {
              resetFunction(port.endpoint().configSpace());
            }
          }
        };
    removal =
        new Event() {
          @Override
          protected void onEvent(long nowPs) {
            port.remove();
          }
        };
  }

  /** Lets it happen, counted from now. */
  void schedule() {
    schedule(reset, resetAtPs);
    schedule(removal, removeAtPs);
  }

  private void schedule(Event event, long afterPs) {
    if (afterPs != Simulation.NEVER_PS) {
      simulation.schedule(event, simulation.nowPs() + afterPs);
    }
  }

  private static void resetFunction(ConfigSpace config) {
    int control = config.findCapability(CapabilityId.PCI_EXPRESS) + ConfigLayout.DEVICE_CONTROL;
    int value = config.read(control, Short.BYTES);
    config.write(control, Short.BYTES, value | ConfigLayout.DEVICE_CONTROL_FUNCTION_RESET);
  }
}
