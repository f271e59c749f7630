package io.github.bellwire.pcie;

import io.github.bellwire.cache.DeviceCachePort;
import org.jspecify.annotations.Nullable;

/** A port of the root complex: its link begins where the caches and cores are. */
public final class RootPort extends DownstreamPort {
  private final DeviceCachePort caches;

  RootPort(RootComplex rootComplex, PcieLinkConfig link, DeviceCachePort caches) {
    super(rootComplex, BridgeFunction.newConfigSpace(PortType.ROOT_PORT, link, 0), link);
    this.caches = caches;
  }

  @Override
  DeviceCachePort caches() {
    return caches;
  }

  @Override
  long leftRootPs(long sentPs) {
    return sentPs;
  }

  @Override
  @Nullable Switch owner() {
    return null;
  }

  @Override
  long climb(@Nullable Switch turn, TlpType type, int wireBytes, long arrivalPs, boolean isFirst) {
    return arrivalPs;
  }

  @Override
  long descend(@Nullable Switch turn, TlpType type, int wireBytes, long readyPs, boolean isFirst) {
    return readyPs;
  }
}
