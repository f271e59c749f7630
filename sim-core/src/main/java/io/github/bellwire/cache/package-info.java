/**
 * The caches between cores, devices and DRAM: which accesses hit, and how long they take.
 *
 * <pre>{@code
 * core --load, store--> [ L1, L2 ] --miss--> [                  ] --miss--> MemoryController
 *                            ^ snoop         [ LLC, I/O ways    ]           of the home socket
 * root port --read, write----+-------------> [ one per socket   ] <--link--> other socket
 * }</pre>
 *
 * <p>{@link io.github.bellwire.cache.CoherentCacheHierarchy} is the model of real servers, {@link
 * io.github.bellwire.cache.SimpleCacheHierarchy} a plain one. These are tags and times only: the
 * bytes of a coherent server are in physical memory, so what a device reads with No Snoop is not
 * stale but counted as a hazard. {@link io.github.bellwire.cache.EmbeddedCacheHierarchy} holds
 * bytes of its own, for hosts that software has to keep coherent. Times are picoseconds.
 *
 * <p>Not modelled: prefetchers of servers, limits on outstanding misses, the mesh or ring as a
 * resource, way partitions between cores.
 */
@NullMarked
package io.github.bellwire.cache;

import org.jspecify.annotations.NullMarked;
