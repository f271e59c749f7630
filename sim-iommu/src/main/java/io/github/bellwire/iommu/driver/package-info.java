/**
 * The operating system's side of an IOMMU: domains, their tables and addresses, and the policies by
 * which mappings are made and forgotten.
 *
 * <pre>{@code
 * DmaDevice --> IommuMapper --> IovaAllocator        addresses: caches per core, tree
 *                   |      '--> PageTables           entries in simulated memory
 *                   |
 *                   |-- strict: Invalidator          a HardwareQueue: commands, tail register, wait
 *                   '-- lazy:   FlushQueue           255 ranges per core or 10 ms, then the same
 *
 * IommuDriver --> HardwareDriver: registers, tables of devices
 *                   VtdDriver   CommandQueue  |  AmdDriver  AmdCommands  |  SmmuDriver  SmmuCommands
 * }</pre>
 *
 * <p>Modelled after Linux 6.12 and 6.0 (drivers/iommu). All of it runs on a core through its {@link
 * io.github.bellwire.cpu.CpuPort}: entries, descriptors and registers are loads, stores and
 * register accesses; the rest costs what {@link io.github.bellwire.iommu.driver.DmaCostConfig}
 * says. Cores contend for the locks of tree, depots and queue. Times are picoseconds, IOVAs bytes
 * or pages of 4 KiB.
 *
 * <p>Not modelled: pages of other sizes than 4 KiB, 2 MiB and 1 GiB, which Linux makes on AMD-Vi;
 * tables that grow by levels there; granules of 16 and 64 KiB, the contiguous hint, and the command
 * queues that NVIDIA adds to SMMUv3 for virtual machines; domains that grow on demand over several
 * IOMMUs, first-level tables made by the kernel, shared virtual addresses, posted interrupts, and
 * the moments at which a core that waits for the queue takes its lock to look at the fault status.
 */
@NullMarked
package io.github.bellwire.iommu.driver;

import org.jspecify.annotations.NullMarked;
