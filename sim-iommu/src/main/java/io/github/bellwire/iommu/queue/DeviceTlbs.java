package io.github.bellwire.iommu.queue;

/** The way down to the translation caches of devices. */
public interface DeviceTlbs {
  /** No device has one, or answers. */
  DeviceTlbs NONE =
      new DeviceTlbs() {
        @Override
        public long invalidate(int requesterId, int pasid, long iova, long sizeBytes, long atPs) {
          return -1;
        }

        @Override
        public void respond(
            int requesterId, int pasid, int groupIndex, int responseCode, long atPs) {}
      };

  /**
   * Sends an invalidation request.
   *
   * @param requesterId of the device
   * @param pasid process address space, or none
   * @param iova first byte, a multiple of the size
   * @param sizeBytes a power of two from 4 KiB on
   * @param atPs when, in picoseconds
   * @return when the answer is here; -1 if the device never answers
   */
  long invalidate(int requesterId, int pasid, long iova, long sizeBytes, long atPs);

  /**
   * Answers a group of page requests.
   *
   * @param requesterId of the device
   * @param pasid process address space, or none
   * @param groupIndex 0..511
   * @param responseCode 0 success, 1 invalid, 15 failure
   * @param atPs when, in picoseconds
   */
  void respond(int requesterId, int pasid, int groupIndex, int responseCode, long atPs);
}
