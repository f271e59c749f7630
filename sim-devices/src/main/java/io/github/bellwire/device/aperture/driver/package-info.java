/**
 * Host software for a device with an aperture: copies by a core's own loads and stores, and copies
 * by the device's engine.
 *
 * <pre>{@code
 * DeviceCopy ----loads, stores----> MmioMapping of BAR 2
 * ApertureDriver --descriptor, doorbell--> engine --status word--> poll
 * }</pre>
 *
 * <p>Times are picoseconds, sizes bytes. Not modelled: a kernel between application and device.
 */
@NullMarked
package io.github.bellwire.device.aperture.driver;

import org.jspecify.annotations.NullMarked;
