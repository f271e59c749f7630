/**
 * A network adapter of the ConnectX class, reduced to what moves data: receive queues whose entries
 * hold many pages that frames fill one behind the other, send queues, completions, events.
 *
 * <pre>{@code
 * wire --> buffer, drops when full --> pages of an entry | completion | event, message
 *                                       (all of it through the DmaPort)
 * doorbell --> send entries --> frames --> wire
 * }</pre>
 *
 * <p>Times are picoseconds. Frames are a header of 64 bytes, which says whose they are, and a
 * pattern. Registers, entries and completions are of this model's own making ({@link
 * io.github.bellwire.device.striding.StridingLayout}), with the sizes of mlx5 devices. Not
 * modelled: protocols, offloads, memory keys and the adapter's own translation caches, flow control
 * on the wire, errors.
 */
@NullMarked
package io.github.bellwire.device.striding;

import org.jspecify.annotations.NullMarked;
