/**
 * Drives that serve reads at a fixed rate: what is needed of a drive to load mappings and memory.
 *
 * <pre>{@code
 * doorbell: where to --> [ latency, rate ] --> data to memory --> status word --> message
 * }</pre>
 *
 * <p>Times are picoseconds. Not modelled: the NVMe command set, its queues, media and errors.
 */
@NullMarked
package io.github.bellwire.device.drive;

import org.jspecify.annotations.NullMarked;
