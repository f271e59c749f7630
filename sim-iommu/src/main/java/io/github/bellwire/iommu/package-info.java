/**
 * The IOMMU of a host: put together, configured, and counted.
 *
 * <pre>{@code
 * VT-d class:
 * software on cores                                   devices
 *    | mmio                                              | requests, messages
 *    v                                                   v
 * +---------------------------- Iommu ---------------------------------+
 * |  queue: registers, invalidations, faults, page requests            |
 * |     |  enables, forgets                    ^ faults                |
 * |     v                                      |                       |
 * |  walk: translation unit              interrupt: remapping          |
 * +--------------------------------------------------------------------+
 *    | reads tables in memory, through the caches         | messages
 *    v                                                    v
 * memory                                               interrupt controller
 * }</pre>
 *
 * <p>With AMD-Vi and SMMUv3 the packages {@code amd} and {@code smmu} stand in the place of {@code
 * queue}'s registers and rings, over the same {@code walk}; interrupt messages pass them.
 *
 * <p>Times are picoseconds. An {@link io.github.bellwire.iommu.IommuFactory} makes one for a host.
 *
 * <p>Not modelled: more than one unit in a machine, and what the packages below leave out.
 */
@NullMarked
package io.github.bellwire.iommu;

import org.jspecify.annotations.NullMarked;
