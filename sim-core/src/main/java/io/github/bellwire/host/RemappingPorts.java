package io.github.bellwire.host;

import io.github.bellwire.cache.DeviceCachePort;
import io.github.bellwire.kernel.Simulation;
import io.github.bellwire.memory.CommitQueue;
import io.github.bellwire.pcie.InterruptSink;

/**
 * What a remapping unit is wired to.
 *
 * @param simulation the clock
 * @param commits memory with the bytes of tables and queues, and device writes on their way there,
 *     its own among them
 * @param caches the time that its own accesses to memory take
 * @param isCoherent whether its accesses see what is in the caches of cores
 * @param interrupts where the interrupt messages go that it lets pass, and its own
 */
public record RemappingPorts(
    Simulation simulation,
    CommitQueue commits,
    DeviceCachePort caches,
    boolean isCoherent,
    InterruptSink interrupts) {}
