/**
 * The scenarios that look at main memory alone.
 *
 * <pre>{@code
 * DramKeys --> DramConfig --> DramTraffic --submit--> DramQueue
 *                                  ^------completed------+
 * }</pre>
 *
 * <p>Times are picoseconds, sizes bytes. Not modelled: caches and cores; every request is one burst
 * that goes to DRAM.
 */
@NullMarked
package io.github.bellwire.examples.memory;

import org.jspecify.annotations.NullMarked;
