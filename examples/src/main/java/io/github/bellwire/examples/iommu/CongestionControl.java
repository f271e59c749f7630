package io.github.bellwire.examples.iommu;

/** How senders of TCP react to losses and to their absence. */
enum CongestionControl {
  /** As Reno where nothing is marked (tcp_dctcp.c of Linux). */
  DCTCP(0.5, 1),

  /**
   * In the short round trips here, in which it grows as Reno would on average: 717 of 1024 are
   * kept, and a frame is added in 15/8 round trips (tcp_cubic.c of Linux, beta and
   * tcp_friendliness).
   */
  CUBIC(717 / 1024.0, 8 / 15.0);

  private final double keptRatio;
  private final double growthFrames;

  CongestionControl(double keptRatio, double growthFrames) {
    this.keptRatio = keptRatio;
    this.growthFrames = growthFrames;
  }

  /** {@return the part of a window that a loss leaves} */
  double keptRatio() {
    return keptRatio;
  }

  /** {@return frames by which a window grows in a round trip without losses} */
  double growthFrames() {
    return growthFrames;
  }
}
