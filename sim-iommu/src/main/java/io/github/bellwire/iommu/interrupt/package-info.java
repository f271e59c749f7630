/**
 * Interrupt remapping: devices name an entry of a table instead of a core and a vector.
 *
 * <pre>{@code
 * message --> remappable? --yes--> index --> entry cache --hit--> source --> message of the entry
 *              | no                            | miss              check         to its core
 *              v                               v                     | no
 *        compatibility: pass or fault    table in memory             v
 *                                                                  fault
 * }</pre>
 *
 * <p>Times are picoseconds. Not modelled: posted interrupts (such an entry is a fault), logical
 * destinations and the redirection hint (a destination is one core).
 */
@NullMarked
package io.github.bellwire.iommu.interrupt;

import org.jspecify.annotations.NullMarked;
