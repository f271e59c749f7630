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
 * <p>Times are picoseconds, addresses {@code iova} before translation and {@code pa} after. Faults
 * are data, given to a {@link io.github.bellwire.iommu.walk.FaultSink}.
 */
@NullMarked
package io.github.bellwire.iommu.walk;

import org.jspecify.annotations.NullMarked;
