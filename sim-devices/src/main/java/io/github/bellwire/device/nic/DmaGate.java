package io.github.bellwire.device.nic;

import io.github.bellwire.pcie.ConfigLayout;
import io.github.bellwire.pcie.ConfigSpace;
import io.github.bellwire.pcie.DmaPort;
import io.github.bellwire.pcie.DmaStatus;
import io.github.bellwire.pcie.TlpAttributes;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The device's way to memory, which software can close: bus-master enable in configuration space,
 * or CTRL.GIO_DIS. Nothing is issued while it is closed.
 *
 * <p>A read that nobody answers shows in the status register of configuration space, as a requester
 * reports it (PCI Express Base Specification 5.0, table 6-5); a write is posted, so nothing comes
 * back. Data that came poisoned shows there too (section 7.5.1.1.4). Reads and payload writes are
 * relaxed where configuration space and CTRL_EXT.RO_DIS allow it, reports to software never are:
 * the part has a bit for each in DCA_RXCTRL and DCA_TXCTRL, and that these are set as said is an
 * assumption. An access that would run past the last address is refused here and reaches nobody.
 */
final class DmaGate {
  /** With two engines at work one may not run ahead of the other by more than this. */
  static final long SHARED_HORIZON_PS = 50_000;

  /** The last 16 bytes of the address space, where nobody has memory. */
  private static final long UNREACHABLE = -16;

  private final ConfigSpace configSpace;
  private @Nullable DmaPort port;
  private boolean isMasterDisabled;
  private boolean isTransmitting;
  private int attributes = TlpAttributes.RELAXED_ORDERING;
  private DmaStatus status = DmaStatus.OK;
  private long sentPs;

  DmaGate(ConfigSpace configSpace) {
    this.configSpace = configSpace;
  }

  void connect(DmaPort newPort) {
    port = newPort;
  }

  void setMasterDisabled(boolean disabled) {
    isMasterDisabled = disabled;
  }

  /** Says whether the card asks for relaxed ordering. */
  void setRelaxed(boolean relaxed) {
    attributes = relaxed ? TlpAttributes.RELAXED_ORDERING : TlpAttributes.NONE;
  }

  /** Says whether the transmit engine is at work, so that the receive engine is not alone. */
  void setTransmitting(boolean transmitting) {
    isTransmitting = transmitting;
  }

  boolean isOpen() {
    return port != null && !isMasterDisabled && configSpace.isBusMasterEnabled();
  }

  long read(long iova, byte[] destination, int offset, int lengthBytes, long atPs) {
    long donePs = atPs;
    if (isPastTheEnd(iova, lengthBytes)) {
      Arrays.fill(destination, offset, offset + lengthBytes, (byte) 0xff);
      setStatus(DmaStatus.UNSUPPORTED_REQUEST);
    } else {
      DmaPort connected = port();
      donePs = connected.read(iova, destination, offset, lengthBytes, atPs, attributes);
      setStatus(connected.status());
    }
    if (status != DmaStatus.OK) {
      raiseReadStatus();
    }
    return donePs;
  }

  long write(long iova, byte[] source, int offset, int lengthBytes, long atPs) {
    if (isPastTheEnd(iova, lengthBytes)) {
      return refuseWrite(atPs);
    }
    DmaPort connected = port();
    long visiblePs = connected.write(iova, source, offset, lengthBytes, atPs, attributes);
    setStatus(connected.status());
    sentPs = connected.sentPs();
    return visiblePs;
  }

  long writeStatus(long iova, byte[] source, int offset, int lengthBytes, long atPs) {
    if (isPastTheEnd(iova, lengthBytes)) {
      return refuseWrite(atPs);
    }
    DmaPort connected = port();
    long visiblePs = connected.writeStatus(iova, source, offset, lengthBytes, atPs);
    setStatus(connected.status());
    sentPs = connected.sentPs();
    return visiblePs;
  }

  DmaStatus status() {
    return status;
  }

  long sentPs() {
    return sentPs;
  }

  /** {@return a ticket of the last read, to ask {@link #arrivalPs} with} */
  long readTicket() {
    return port().readTicket();
  }

  /** {@return when a read has been answered, as known now; see {@link DmaPort#arrivalPs}} */
  long arrivalPs(long ticket) {
    return port().arrivalPs(ticket);
  }

  long tagFreePs() {
    return port().tagFreePs();
  }

  /** {@return how far the receive engine may run ahead of the clock} */
  long horizonPs() {
    return isTransmitting ? Math.min(port().horizonPs(), SHARED_HORIZON_PS) : port().horizonPs();
  }

  /** {@return an address in a ring, or one that nobody answers if the ring runs past the end} */
  static long address(long base, int offsetBytes) {
    long address = base + offsetBytes;
    return Long.compareUnsigned(address, base) < 0 ? UNREACHABLE : address;
  }

  private static boolean isPastTheEnd(long iova, int lengthBytes) {
    return iova < 0 && iova > -lengthBytes;
  }

  private void setStatus(DmaStatus newStatus) {
    if (status != newStatus) { // Storing a reference costs more than looking.
      status = newStatus;
    }
  }

  private void raiseReadStatus() {
    if (status == DmaStatus.UNSUPPORTED_REQUEST) {
      configSpace.raiseStatus(ConfigLayout.STATUS_RECEIVED_MASTER_ABORT);
    } else if (status == DmaStatus.COMPLETER_ABORT) {
      configSpace.raiseStatus(ConfigLayout.STATUS_RECEIVED_TARGET_ABORT);
    } else if (status == DmaStatus.POISONED) {
      configSpace.raiseStatus(ConfigLayout.STATUS_DETECTED_PARITY_ERROR);
    }
  }

  private long refuseWrite(long atPs) {
    setStatus(DmaStatus.UNSUPPORTED_REQUEST);
    sentPs = atPs;
    return atPs;
  }

  private DmaPort port() {
    DmaPort connected = port;
    if (connected == null) {
      throw new IllegalStateException("the device is not plugged in");
    }
    return connected;
  }
}
