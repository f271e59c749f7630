/**
 * The coherent caches between cores, devices and DRAM: which accesses hit, and how long they take.
 *
 * <pre>{@code
 * core --load, store--> [ core cache ] --miss--> [        ] --miss--> MemoryController
 *                            ^ invalidate        [  LLC   ]
 * device --read, write-------+-----------------> [        ]
 * }</pre>
 *
 * <p>Only tags and times; the bytes of a coherent host are in physical memory. Not modelled yet:
 * I/O ways, dirty copies in core caches, several cache slices, non-coherent hosts.
 */
@NullMarked
package io.github.bellwire.cache;

import org.jspecify.annotations.NullMarked;
