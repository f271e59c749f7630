package io.github.bellwire.pcie;

import java.util.List;

/**
 * A function that the firmware has found and set up.
 *
 * @param bdf its bus, device and function number
 * @param endpoint the function itself
 * @param vendorId 0..FFFEh
 * @param deviceId 0..FFFFh
 * @param classCode base class 23:16, sub-class 15:8, programming interface 7:0
 * @param bars its windows in ascending order of their index
 */
public record EnumeratedFunction(
    Bdf bdf, Endpoint endpoint, int vendorId, int deviceId, int classCode, List<AssignedBar> bars) {
  // The list must not change under the reader.
  public EnumeratedFunction {
    bars = List.copyOf(bars);
  }

  /**
   * {@return where a window lies}
   *
   * @param index index of the BAR, 0..5
   * @throws IllegalArgumentException if the function has no window of that index
   */
  public long barAddress(int index) {
    for (AssignedBar assigned : bars) {
      if (assigned.bar().index() == index) {
        return assigned.address();
      }
    }
    throw new IllegalArgumentException(
        "index must be that of a window: index=" + index + ", bdf=" + bdf);
  }
}
