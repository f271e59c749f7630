package io.github.bellwire.examples.attack;

import io.github.bellwire.host.HostConfig;
import io.github.bellwire.iommu.IommuConfig;
import io.github.bellwire.iommu.IommuPresets;
import io.github.bellwire.trace.TraceSink;

/**
 * What the machines of a run are made of.
 *
 * @param host the machine without devices
 * @param iommu the IOMMU of modes that have one
 * @param seed of random streams
 * @param trace hears of the accesses of both boards
 */
record Machines(HostConfig host, IommuConfig iommu, long seed, TraceSink trace) {
  /** The machine on which published side channels were measured, as far as this model goes. */
  static final Machines DEFAULT =
      new Machines(
          HostConfig.BDW, IommuPresets.BDW, 1, (id, step, cause, timePs, address, bytes) -> {});
}
