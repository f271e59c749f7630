/**
 * How software drives the IOMMU and what it is told: registers, the queue of invalidations, the log
 * of faults, the queue of page requests.
 *
 * <pre>{@code
 * core --mmio--> RegisterBlock ------------------ enables, table addresses ---> translation,
 *                  |    |   |                                                   interrupts
 *         tail, FSTS    |   '--> InvalidationRegisters --.
 *                  v    |                                v
 *     InvalidationQueue |                      CacheInvalidations --> TranslationCaches
 *       |   |   '-------|--------------------------------^    '------> InterruptControl
 *       |   v           v
 *       | DeviceTlbs  FaultLog <-- faults          PageRequestQueue <-- devices
 *       v               |                             |
 * status write          '------- EventRegisters ------'--> message to a core
 * }</pre>
 *
 * <p>Times are picoseconds, addresses host physical ({@code pa}) but those that are to be
 * invalidated ({@code iova}). Registers show what has happened until the time of the look.
 * Descriptors are read when the tail is written, or an error cleared, at the times at which their
 * turn comes: of one that software changes after that, the unit carries out what it was.
 *
 * <p>Not modelled: advanced fault logging, enhanced commands, performance counters, virtual
 * commands; abort-DMA mode; private data of page requests. Draining takes no time: an access that
 * was translated before an invalidation was done may still commit after the wait behind it. A wait
 * keeps the descriptors behind it waiting whether or not it is a fence. How many invalidations a
 * device takes at once is looked after on the way to it, not by the field of the descriptor, and
 * one for all PASIDs reaches only what a device keeps for requests without one.
 */
@NullMarked
package io.github.bellwire.iommu.queue;

import org.jspecify.annotations.NullMarked;
