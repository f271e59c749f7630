/**
 * Translates device addresses: finds a device's tables, walks them, and remembers.
 *
 * <pre>{@code
 * request --> context cache, PASID cache --> IOTLB --hit-------------------------> pa
 *                  | miss                      | miss                              ^
 *                  v                           v                                   |
 *             root, context,              walker free? --> paging-structure caches |
 *             PASID tables                                    |                    |
 *                  |                                          v                    |
 *                  '------ reads -------> DeviceCachePort <-- reads of entries ----'
 * }</pre>
 *
 * <p>The picture is that of VT-d. A {@link io.github.bellwire.iommu.walk.TableKind} puts the device
 * table and page tables of AMD-Vi, or stream table, context descriptors and stage 1 tables of
 * SMMUv3 in the places of the tables; caches, walkers and time are the same.
 *
 * <p>Times are picoseconds, addresses {@code iova} before translation and {@code pa} after. Faults
 * are data, given to a {@link io.github.bellwire.iommu.walk.FaultSink}. A table format is behind
 * one interface, {@code PageTableFormat}; the walk, the caches and the walkers know no bit of it.
 *
 * <p>Not modelled: walks of contexts and PASIDs occupy no walker; a walk that has begun is not
 * stopped by an invalidation; what it brings is forgotten if it is in the invalidated range, or
 * anywhere if {@link io.github.bellwire.iommu.walk.TranslationConfig#abandonsWalksOnInvalidate} is
 * on and paging-structure caches are emptied; execute and global rights; memory types; the extended
 * accessed bit; the mark "untranslated access only" (U) in answers to translation requests: the
 * interrupt range gets none; requests that cross a page; writes of devices on their way to tables.
 */
@NullMarked
package io.github.bellwire.iommu.walk;

import org.jspecify.annotations.NullMarked;
