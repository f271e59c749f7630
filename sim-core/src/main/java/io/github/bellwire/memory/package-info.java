/**
 * Main memory: the bytes, the time DRAM takes, and device writes that are still on their way.
 *
 * <pre>{@code
 * device write --> CommitQueue --(at its commit time)--> PhysicalMemory <-- core load, store
 *                                                             ^
 * MemoryController: when is it there (time only) -------------+
 *   SimpleMemoryController   one pipe
 *   DramController --+       read, write: arrival time --> completion time
 *   DramQueue -------+--> a channel: FR-FCFS scheduler --> banks, ranks, buses, refresh
 *     submit, completed later
 * }</pre>
 *
 * <p>Addresses are host physical, sizes bytes, times picoseconds. Not modelled: power-down and
 * self-refresh, per-bank refresh, refresh postponed for traffic, the command slots that a refresh
 * takes, ECC, errors of cells.
 */
@NullMarked
package io.github.bellwire.memory;

import org.jspecify.annotations.NullMarked;
