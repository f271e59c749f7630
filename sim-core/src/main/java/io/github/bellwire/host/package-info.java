/**
 * Assembles memory, caches, root complex, cores and devices into a machine.
 *
 * <pre>{@code
 * HostConfig --> Host { Simulation, PhysicalMemory, CommitQueue, CacheHierarchy, RootComplex,
 *                       Core..., InterruptController } --attach--> Endpoint...
 *                '--attachChecker--> DmaChecker, if somebody asks for it
 * }</pre>
 *
 * <p>Presets are named after real machines where their figures have a source, and say which are
 * assumptions; sim-core/docs/calibration.md tells how the measured ones were calibrated. Not
 * modelled: software that knows of sockets, firmware time, an operating system.
 */
@NullMarked
package io.github.bellwire.host;

import org.jspecify.annotations.NullMarked;
