/**
 * Moving bytes between a core and a device: by the core's own loads and stores, or by DMA.
 *
 * <pre>{@code
 * PioVsDma --size, method--> CopyBench { Host, Aperture, drivers } --times--> table, crossovers
 * }</pre>
 *
 * <p>Times are microseconds in reports, picoseconds inside. Not modelled here: anything; the
 * machine is {@link io.github.bellwire.host.Host}.
 */
@NullMarked
package io.github.bellwire.examples.pio;

import org.jspecify.annotations.NullMarked;
