/**
 * Cores that run host software, what their accesses cost, and how interrupts reach them.
 *
 * <pre>{@code
 * InterruptController --wakes--> Routine.run(CpuPort) on a Core --load, store--> caches, memory
 *                                       |                        \--mmio---------> RootComplex
 *                                       |                         \--wcStore--> line buffers --^
 * straight-line code --> SynchronousPort (the same calls, the clock runs along)
 * }</pre>
 *
 * <p>Times are picoseconds, addresses host physical. A core is a clock frequency and a cost per
 * access; a stream of loads waits for several lines at once. Not modelled: instructions, pipelines,
 * speculation. A routine that reads a register lets others run inside its wait; if those read
 * registers too, it goes on after them.
 */
@NullMarked
package io.github.bellwire.cpu;

import org.jspecify.annotations.NullMarked;
