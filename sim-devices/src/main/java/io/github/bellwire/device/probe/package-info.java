/**
 * A probe endpoint: tags and two DMA engines without any protocol, for measuring the path between a
 * device and memory.
 *
 * <pre>{@code
 * firmware: next slot of the window --> [ read engine: tags  ] --DmaPort--> link, host
 *           time stamps             <-- [ write engine       ]
 * }</pre>
 *
 * <p>Times are picoseconds, sizes bytes, rates operations per second. Not modelled: registers (the
 * probe is told what to do by a call), the memory inside the device, and effects of the device that
 * it is modelled on for which no mechanism is known; {@link
 * io.github.bellwire.device.probe.ProbeConfig} names them.
 */
@NullMarked
package io.github.bellwire.device.probe;

import org.jspecify.annotations.NullMarked;
