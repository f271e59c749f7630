/**
 * The DMA checker: what drivers, devices and IOMMU drivers do wrong, found while it happens and
 * explained.
 *
 * <pre>{@code
 *  driver           core          device           pages         IOMMU, its driver
 *    | map, sync,    | load,       | read, write,   | allocate,     | stale entry,
 *    | unmap         | store       | message        | free          | flush, iova
 *    v               v             v                v               v
 * ApiChecks      CpuChecks    AccessChecks      PageChecks     IovaAccounts
 *    |               |             |                |               |
 *    '------- mappings, live and ended; bytes written; rings -------'
 *                                  |
 *                              DmaChecker: count of each DmaViolation, first DmaReports
 * }</pre>
 *
 * <p>All checks of Linux's DMA-API debugging (kernel/dma/debug.c, 6.12) and those that only a
 * simulator can make. A reader that is too early is found by order, not by luck: what a device has
 * written to a buffer may be read once a core has loaded a later write of that device to coherent
 * memory, read one of its registers, or could take an interrupt that it sent behind the data. Which
 * of several cores has done so does not matter.
 *
 * <p>Addresses are bytes, {@code iova} as the device sees them and {@code pa} as the host does;
 * times picoseconds.
 *
 * <p>Not found: a field of a completion that is read before the field that says it is valid (cores
 * execute in program order), interrupts that are off, compound pages, an invalid direction (there
 * is no value for it), accesses between peers, and ownership in memory that is shared for good.
 */
@NullMarked
package io.github.bellwire.dma.check;

import org.jspecify.annotations.NullMarked;
