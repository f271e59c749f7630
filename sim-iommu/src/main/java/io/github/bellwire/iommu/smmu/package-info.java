/**
 * How software drives an SMMUv3 and what it is told: registers, command queue, event queue.
 *
 * <pre>{@code
 * core --mmio--> SmmuUnit -- stream table, enable ---> translation
 *                 |   |                                  | faults
 *            PROD |   '--- SmmuEventQueue <--------------'
 *                 v             '--> records in memory, message to a core
 *          SmmuCommandQueue --> configuration and TLBs forget, devices are asked
 *                 |   '--> GERROR
 *                 '--> message of CMD_SYNC: a write to memory, or an interrupt
 * }</pre>
 *
 * <p>After Arm IHI 0070. Times are picoseconds, addresses host physical.
 *
 * <p>Not modelled: TLBs at the ports before the one of the unit, and the limit of translations
 * under way there (32 entries and 64 in gem5's); stage 2 and nesting, AArch32 tables, TTB1, stalled
 * transactions, page requests, secure state, VMIDs, substreams in two-level tables, hardware update
 * of the access flag, the contiguous hint (as the architecture allows), global entries, CD.A = 0
 * (faults abort whatever it says), TTL of invalidations, event merging, and messages of devices,
 * which do not pass translation on the hosts here.
 */
@NullMarked
package io.github.bellwire.iommu.smmu;

import org.jspecify.annotations.NullMarked;
