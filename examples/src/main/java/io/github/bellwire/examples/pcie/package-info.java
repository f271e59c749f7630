/**
 * The scenario that measures the path between a device and memory.
 *
 * <pre>{@code
 * PcieBench --> ProbeMachine { Host, Probe, window of memory } --> figures
 *     |                                                              |
 *     +--> TlpArithmetic: what must have gone over the link <--compare+
 * }</pre>
 *
 * <p>Sizes are bytes, rates Gb/s of payload, latencies nanoseconds as the device's firmware sees
 * them. Not modelled here: anything; this package only wires and counts.
 */
@NullMarked
package io.github.bellwire.examples.pcie;

import org.jspecify.annotations.NullMarked;
