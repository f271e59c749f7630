/**
 * Where things lie in the tables and queues that software keeps in memory for the IOMMU, and in its
 * registers.
 *
 * <pre>{@code
 * legacy    root table --bus--> context table --devfn--> second level -----> page
 * scalable  root table --bus--> context table --devfn--> PASID directory
 *                                                          --pasid[19:6]--> PASID table
 *                                                          --pasid[5:0]---> first and second level
 * }</pre>
 *
 * <p>Offsets and sizes are bytes, everything is little endian. Constants of Intel Virtualization
 * Technology for Directed I/O, Architecture Specification, revision 4.1: tables of chapter 9, fault
 * reasons of chapter 7, descriptors of chapters 6 and 7, registers of chapter 11. Nothing here
 * behaves.
 */
@NullMarked
package io.github.bellwire.iommu.layout;

import org.jspecify.annotations.NullMarked;
