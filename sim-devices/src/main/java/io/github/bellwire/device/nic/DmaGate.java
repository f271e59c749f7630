package io.github.bellwire.device.nic;

import io.github.bellwire.pcie.ConfigSpace;
import io.github.bellwire.pcie.DmaPort;
import io.github.bellwire.pcie.DmaStatus;
import org.jspecify.annotations.Nullable;

/**
 * The device's way to memory, which software can close: bus-master enable in configuration space,
 * or CTRL.GIO_DIS. Nothing is issued while it is closed.
 */
final class DmaGate {
  private final ConfigSpace configSpace;
  private @Nullable DmaPort port;
  private boolean isMasterDisabled;
  private boolean isTransmitting;

  DmaGate(ConfigSpace configSpace) {
    this.configSpace = configSpace;
  }

  void connect(DmaPort newPort) {
    port = newPort;
  }

  void setMasterDisabled(boolean disabled) {
    isMasterDisabled = disabled;
  }

  /** Says whether the transmit engine is at work, so that the receive engine is not alone. */
  void setTransmitting(boolean transmitting) {
    isTransmitting = transmitting;
  }

  boolean isOpen() {
    return port != null && !isMasterDisabled && configSpace.isBusMasterEnabled();
  }

  long read(long iova, byte[] destination, int offset, int lengthBytes, long atPs) {
    return port().read(iova, destination, offset, lengthBytes, atPs);
  }

  long write(long iova, byte[] source, int offset, int lengthBytes, long atPs) {
    return port().write(iova, source, offset, lengthBytes, atPs);
  }

  long writeStatus(long iova, byte[] source, int offset, int lengthBytes, long atPs) {
    return port().writeStatus(iova, source, offset, lengthBytes, atPs);
  }

  DmaStatus status() {
    return port().status();
  }

  long sentPs() {
    return port().sentPs();
  }

  long tagFreePs() {
    return port().tagFreePs();
  }

  /** {@return how far the receive engine may run ahead of the clock} */
  long horizonPs() {
    return isTransmitting ? Math.min(port().horizonPs(), SHARED_HORIZON_PS) : port().horizonPs();
  }

  /** With two engines at work one may not run ahead of the other by more than this. */
  private static final long SHARED_HORIZON_PS = 50_000;

  private DmaPort port() {
    DmaPort connected = port;
    if (connected == null) {
      throw new IllegalStateException("the device is not plugged in");
    }
    return connected;
  }
}
