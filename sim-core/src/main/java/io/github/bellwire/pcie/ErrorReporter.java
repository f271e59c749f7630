package io.github.bellwire.pcie;

import io.github.bellwire.kernel.Event;
import io.github.bellwire.kernel.Simulation;
import io.github.bellwire.pcie.PcieError.Severity;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Errors on their way into registers: each is noted by the function that detects it when that
 * happens, and by the root port when the function's message has arrived there.
 *
 * <pre>{@code
 * PortErrors --error--> [ at its time: ErrorLog of the function ] --message--> upstream link
 *                       [ on arrival:  ErrorLog of the root port, interrupt ] <------'
 * }</pre>
 *
 * <p>At most {@value #DEPTH} may lie ahead of the clock; what comes then is counted by its port and
 * not noted, as hardware loses errors while the registers still hold one. Allocates nothing after
 * construction.
 */
final class ErrorReporter extends Event {
  private static final int DEPTH = 256;

  private final Simulation simulation;
  // In the order of time, the first last.
  private final Entry[] entries = new Entry[DEPTH];
  private int count;

  private static final class Entry {
    long atPs;
    @Nullable DownstreamPort port;
    boolean isDevice;
    PcieError error = PcieError.RECEIVER_ERROR;
    long header01;
    long header23;
    // Of a message that is on its way.
    @Nullable Severity message;
    int requesterId;
  }

  ErrorReporter(Simulation simulation) {
    this.simulation = simulation;
    Arrays.setAll(entries, i -> new Entry());
  }

  /**
   * An error was detected.
   *
   * @param port at whose link
   * @param isDevice whether the lower end of the link has detected it
   */
  void detected(
      DownstreamPort port,
      boolean isDevice,
      PcieError error,
      long header01,
      long header23,
      long atPs) {
    Entry entry = insert(Math.max(atPs, simulation.nowPs()));
    if (entry != null) {
      entry.port = port;
      entry.isDevice = isDevice;
      entry.error = error;
      entry.header01 = header01;
      entry.header23 = header23;
      entry.message = null;
    }
  }

  @Override
  protected void onEvent(long nowPs) {
    Entry entry = entries[--count];
    DownstreamPort port = entry.port;
    entry.port = null;
    if (count > 0) {
      simulation.schedule(this, entries[count - 1].atPs);
    }
    if (port == null) {
      return;
    }
    Severity message = entry.message;
    if (message != null) {
      port.receiveError(message, entry.requesterId, nowPs);
    } else {
      note(port, entry, nowPs);
    }
  }

  private void note(DownstreamPort port, Entry entry, long nowPs) {
    ConfigSpace function = entry.isDevice ? port.functionBelow() : port.configSpace();
    if (function == null || function.isSilent()) {
      return; // It has gone or is in reset.
    }
    Severity message = function.errorLog().record(entry.error, entry.header01, entry.header23);
    if (message == null) {
      return;
    }
    boolean isDevice = entry.isDevice;
    long arrivalPs = port.sendErrorMessage(isDevice, nowPs);
    if (arrivalPs < 0) {
      return;
    }
    Entry onItsWay = insert(arrivalPs);
    if (onItsWay != null) {
      onItsWay.port = port.rootPort();
      onItsWay.message = message;
      onItsWay.requesterId = isDevice ? port.requesterId() : port.ownRequesterId();
    }
  }

  private @Nullable Entry insert(long atPs) {
    if (count == DEPTH) {
      return null;
    }
    Entry entry = entries[count];
    int index = count++;
    // Those of equal time stay first in, first out: the new one goes below them.
    for (; index > 0 && entries[index - 1].atPs <= atPs; index--) {
      entries[index] = entries[index - 1];
    }
    entries[index] = entry;
    entry.atPs = atPs;
    if (!isScheduled() || entries[count - 1].atPs < timePs()) {
      simulation.reschedule(this, entries[count - 1].atPs);
    }
    return entry;
  }
}
