/**
 * Main memory: the bytes, the time DRAM takes, and device writes that are still on their way.
 *
 * <pre>{@code
 * device write --> CommitQueue --(at its commit time)--> PhysicalMemory <-- core load, store
 *                                                             ^
 * MemoryController: when is it there (time only) -------------+
 * }</pre>
 *
 * <p>Addresses are host physical, sizes bytes, times picoseconds. Not modelled yet: banks, rows and
 * refresh; the controller is a latency and a data rate.
 */
@NullMarked
package io.github.bellwire.memory;

import org.jspecify.annotations.NullMarked;
