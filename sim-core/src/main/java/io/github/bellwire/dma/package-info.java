/**
 * The driver's side of DMA: memory for buffers, mappings that a device can reach, scatter lists,
 * bounce buffers, descriptor rings and doorbells.
 *
 * <pre>{@code
 * host software                                                     device
 * -------------                                                     ------
 * 1 allocate    PageAllocator, DmaDevice.allocateCoherent
 * 2 map         DmaDevice.mapSingle, mapScatterList, mapShared --> iova
 *                 |-- DmaMapper (identity, or an IOMMU)
 *                 '-- BounceBufferPool, if the mask is exceeded
 * 3 build       CpuPort.store at DescriptorRing.descriptorPa
 * 4 doorbell    Doorbell.ring --------------- MMIO write -------->
 *                                                         5 DMA:    reads the descriptor,
 *               memory <------------- reads, writes ------------    moves the payload
 * 6 completion  descriptor or queue entry <---- write -----------   then MSI-X
 * 7 unmap       DmaDevice.unmapSingle, unmapScatterList
 *                 (copies back what was bounced)
 *
 * A mapping kept over several transfers passes the buffer to and fro instead of steps 2 and 7:
 * syncForCpu before the host looks at it, syncForDevice before the device may touch it again.
 * }</pre>
 *
 * <p>Everything that software executes goes through a {@link io.github.bellwire.cpu.CpuPort} and
 * takes simulated time: copies to and from bounce buffers, clearing of coherent memory, what a
 * {@link io.github.bellwire.dma.DmaMapper} does, doorbells. Bookkeeping that a kernel does in its
 * own data structures (page allocator, search for bounce slots, table of mappings) takes none.
 *
 * <p>Whoever wants to know what drivers do listens to {@link io.github.bellwire.dma.DmaDevice},
 * {@link io.github.bellwire.dma.PageAllocator} and the driver of an IOMMU: {@link
 * io.github.bellwire.dma.DmaListener}, {@link io.github.bellwire.dma.PageListener}, {@link
 * io.github.bellwire.dma.TranslationListener}. While nobody listens a call costs one look more.
 *
 * <p>Addresses are byte addresses: {@code pa} as the host sees it, {@code iova} as the device does.
 * Lengths are bytes, masks are the highest address that fits. All classes are confined to the
 * simulation thread. A call may run simulated time in the middle, so that an interrupt handler
 * enters the same object again; every class here allows for that.
 *
 * <p>Not modelled: NUMA nodes, highmem without a kernel mapping, and devices with an offset between
 * host and bus addresses.
 */
@NullMarked
package io.github.bellwire.dma;

import org.jspecify.annotations.NullMarked;
