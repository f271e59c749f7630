package io.github.bellwire.pcie;

/**
 * A memory window with the place that the firmware has given it.
 *
 * @param bar the window as the function describes it
 * @param address first bus address, a multiple of the window's size
 */
public record AssignedBar(Bar bar, long address) {}
