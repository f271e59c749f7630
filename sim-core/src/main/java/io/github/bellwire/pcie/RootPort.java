package io.github.bellwire.pcie;

import io.github.bellwire.cache.DeviceCachePort;
import org.jspecify.annotations.Nullable;

/** A port of the root complex: its link begins where the caches and cores are. */
public final class RootPort extends DownstreamPort {
  private final DeviceCachePort caches;

  private final int number;

  RootPort(
      RootComplex rootComplex,
      int number,
      PcieLinkConfig link,
      DeviceCachePort caches,
      @Nullable SlotConfig slot) {
    super(
        rootComplex, BridgeFunction.newConfigSpace(PortType.ROOT_PORT, link, 0, slot), link, slot);
    this.number = number;
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
  RootPort rootPort() {
    return this;
  }

  @Override
  int ownRequesterId() {
    return number << 3;
  }

  @Override
  boolean isErrorForwardedAbove() {
    return true;
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
