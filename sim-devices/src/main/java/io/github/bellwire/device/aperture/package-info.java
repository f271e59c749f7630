/**
 * A device that shows its own memory to the host through a large BAR, as GPUs and accelerators do,
 * with a copy engine that software drives by descriptors.
 *
 * <pre>{@code
 * BAR 2 --loads, stores--> [ DeviceMemory ] <--bytes--> CopyEngine --DmaPort--> host memory
 * BAR 0 --registers----------------------------------------^ descriptors, data, status
 * }</pre>
 *
 * <p>Times are picoseconds, sizes bytes. Not modelled: address translation inside the device,
 * contention for its memory, several engines, interrupts.
 */
@NullMarked
package io.github.bellwire.device.aperture;

import org.jspecify.annotations.NullMarked;
