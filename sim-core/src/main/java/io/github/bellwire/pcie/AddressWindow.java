package io.github.bellwire.pcie;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A range of bus addresses that the firmware places: a BAR, or a window of a bridge with everything
 * that lies inside it. First {@link #layOut}, from the inside out, then {@link #place}.
 */
final class AddressWindow {
  private final @Nullable Bar bar;
  private final List<AddressWindow> inside = new ArrayList<>();
  private long sizeBytes;
  private long alignmentBytes;
  private long offsetBytes;
  private long address;

  private AddressWindow(@Nullable Bar bar, long sizeBytes) {
    this.bar = bar;
    this.sizeBytes = sizeBytes;
    alignmentBytes = sizeBytes;
  }

  static AddressWindow ofBar(Bar bar) {
    return new AddressWindow(bar, bar.sizeBytes());
  }

  static AddressWindow ofBridge() {
    return new AddressWindow(null, 0);
  }

  void add(AddressWindow window) {
    inside.add(window);
  }

  /**
   * Arranges what is inside: largest alignment first, then largest size, in the order of discovery
   * among equals, each at the next multiple of its alignment. Size and alignment of a bridge's
   * window are whole MiB.
   *
   * @param minBytes what the window takes at least if it is a bridge's, a multiple of 1 MiB
   */
  void layOut(long minBytes) {
    if (bar != null) {
      return;
    }
    // A stable sort.
    inside.sort(
        Comparator.comparingLong((AddressWindow window) -> window.alignmentBytes)
            .thenComparingLong(window -> window.sizeBytes)
            .reversed());
    long next = 0;
    alignmentBytes = BridgeLayout.WINDOW_GRANULE_BYTES;
    for (AddressWindow window : inside) {
      window.offsetBytes = roundUp(next, Math.max(1, window.alignmentBytes));
      next = window.offsetBytes + window.sizeBytes;
      alignmentBytes = Math.max(alignmentBytes, window.alignmentBytes);
    }
    sizeBytes = Math.max(minBytes, roundUp(next, BridgeLayout.WINDOW_GRANULE_BYTES));
  }

  /** Gives the window and all inside their addresses. */
  void place(long newAddress) {
    address = newAddress;
    for (AddressWindow window : inside) {
      window.place(newAddress + window.offsetBytes);
    }
  }

  @Nullable Bar bar() {
    return bar;
  }

  long sizeBytes() {
    return sizeBytes;
  }

  long alignmentBytes() {
    return alignmentBytes;
  }

  long address() {
    return address;
  }

  static long roundUp(long value, long alignment) {
    return value + alignment - 1 & -alignment;
  }
}
