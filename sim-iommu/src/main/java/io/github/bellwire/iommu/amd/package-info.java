/**
 * How software drives an IOMMU of the kind AMD-Vi and what it is told: registers, command buffer,
 * event log.
 *
 * <pre>{@code
 * core --mmio--> AmdUnit --- device table, enable ---> translation
 *                 |   |                                  | faults
 *            tail |   '--- AmdEventLog <-----------------'
 *                 v             |     '--> records in memory, message to a core
 *          AmdCommandBuffer ----'--> caches forget, devices are asked
 *                 '--> store of COMPLETION_WAIT, message to a core
 * }</pre>
 *
 * <p>After publication 48882 of AMD. Times are picoseconds, addresses host physical.
 *
 * <p>Not modelled: guest tables and PASIDs, page requests, six levels, the exclusion range,
 * accessed and dirty bits, interrupt remapping (messages pass, INVALIDATE_INTERRUPT_TABLE takes its
 * time and no more), virtual APIC, performance counters, segments of the device table, the domain
 * in events, and flags SE, IoCtl and SysMgt of device table entries.
 */
@NullMarked
package io.github.bellwire.iommu.amd;

import org.jspecify.annotations.NullMarked;
