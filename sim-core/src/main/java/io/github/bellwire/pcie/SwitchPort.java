package io.github.bellwire.pcie;

import io.github.bellwire.cache.DeviceCachePort;
import org.jspecify.annotations.Nullable;

/** A downstream port of a {@link Switch}. */
public final class SwitchPort extends DownstreamPort {
  private final Switch owner;
  private final int number;

  SwitchPort(
      RootComplex rootComplex,
      Switch owner,
      int number,
      PcieLinkConfig link,
      @Nullable SlotConfig slot) {
    super(
        rootComplex,
        BridgeFunction.newConfigSpace(
            PortType.SWITCH_DOWNSTREAM, link, owner.config().accessControl(), slot),
        link.withCompletionTurnBytes(0), // A switch passes whole TLPs on.
        slot);
    this.owner = owner;
    this.number = number;
  }

  /** {@return the port's device number on the bus inside the switch, 0..31} */
  public int number() {
    return number;
  }

  @Override
  Switch owner() {
    return owner;
  }

  @Override
  DeviceCachePort caches() {
    return owner.above().caches();
  }

  @Override
  long leftRootPs(long sentPs) {
    return owner.above().leftRootPs(owner.downSentPs());
  }

  @Override
  RootPort rootPort() {
    return owner.above().rootPort();
  }

  @Override
  int ownRequesterId() {
    return owner.configSpace().bridge().secondaryBus() << Byte.SIZE | number << 3;
  }

  @Override
  boolean isErrorForwardedAbove() {
    DownstreamPort above = owner.above();
    return owner.configSpace().forwardsErrors()
        && above.configSpace().forwardsErrors()
        && above.isErrorForwardedAbove();
  }

  @Override
  long climb(@Nullable Switch turn, TlpType type, int wireBytes, long arrivalPs, boolean isFirst) {
    if (owner == turn) {
      return arrivalPs;
    }
    long abovePs = owner.sendUp(type, wireBytes, arrivalPs, isFirst);
    return owner.above().climb(turn, type, wireBytes, abovePs, isFirst);
  }

  @Override
  long descend(@Nullable Switch turn, TlpType type, int wireBytes, long readyPs, boolean isFirst) {
    if (owner == turn) {
      return readyPs;
    }
    long abovePs = owner.above().descend(turn, type, wireBytes, readyPs, isFirst);
    return owner.sendDown(type, wireBytes, abovePs, isFirst);
  }
}
