package io.github.bellwire.iommu;

import io.github.bellwire.iommu.queue.DeviceTlbs;
import io.github.bellwire.pcie.RootComplex;
import org.jspecify.annotations.Nullable;

/** The caches of the devices behind a root complex. */
final class FabricDeviceTlbs implements DeviceTlbs {
  private @Nullable RootComplex fabric;

  void attach(RootComplex rootComplex) {
    fabric = rootComplex;
  }

  @Override
  public long invalidate(int requesterId, int pasid, long iova, long sizeBytes, long atPs) {
    RootComplex target = fabric;
    return target == null
        ? -1
        : target.invalidateDeviceTlb(requesterId, pasid, iova, sizeBytes, atPs);
  }

  @Override
  public void respond(int requesterId, int pasid, int groupIndex, int responseCode, long atPs) {
    RootComplex target = fabric;
    if (target != null) {
      target.respondToPageRequest(requesterId, pasid, groupIndex, responseCode, atPs);
    }
  }
}
