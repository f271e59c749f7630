package io.github.bellwire.cpu;

import io.github.bellwire.cache.CacheHierarchy;
import io.github.bellwire.cache.CoreMemory;
import io.github.bellwire.kernel.Simulation;
import io.github.bellwire.memory.CommitQueue;
import io.github.bellwire.pcie.RootComplex;

/**
 * What cores are wired to.
 *
 * @param simulation the clock
 * @param memory the bytes that cores see
 * @param commits device writes on their way to memory
 * @param caches the time that memory takes
 * @param rootComplex the way to device registers
 */
public record MachinePorts(
    Simulation simulation,
    CoreMemory memory,
    CommitQueue commits,
    CacheHierarchy caches,
    RootComplex rootComplex) {}
