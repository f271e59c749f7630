package io.github.bellwire.pcie;

import org.jspecify.annotations.Nullable;

/**
 * The way of a device's request upwards: at each downstream port it is admitted or refused, and at
 * each switch it goes on up or turns to a peer, by address and by the access control services of
 * the port where it came in (PCI Express Base Specification 5.0, section 6.12.3, table 6-10).
 *
 * <p>Holds the outcome of the last request; allocates nothing after construction.
 */
final class RequestRoute {
  private final DownstreamPort origin;
  private long arrivalPs;
  private long forwardedPs;
  // Of the request, for the log of whoever refuses it.
  private boolean isWrite;
  private long address;
  private int lengthBytes;
  private int requesterId;
  private DmaStatus status = DmaStatus.OK;
  private @Nullable Switch turn;
  private @Nullable DownstreamPort peer;

  RequestRoute(DownstreamPort origin) {
    this.origin = origin;
  }

  /**
   * {@return whether every request from a port comes straight to the root complex: it is a root
   * port that admits them all, as long as its registers are not written}
   */
  static boolean isStraight(DownstreamPort port) {
    ConfigSpace config = port.configSpace();
    return port.owner() == null
        && config.isBusMasterEnabled()
        && !config.acs().isOn(AcsLayout.TRANSLATION_BLOCKING)
        && !config.acs().isOn(AcsLayout.SOURCE_VALIDATION);
  }

  /**
   * Sends a request on its way.
   *
   * @param type memory write or read
   * @param wireBytes its size
   * @param newRequesterId who sends it, or claims to
   * @param addressType what it says of its address
   * @param newAddress first byte
   * @param newLengthBytes bytes that it carries or asks for
   * @param sentPs when it has left the device
   */
  void follow(
      TlpType type,
      int wireBytes,
      int newRequesterId,
      AddressType addressType,
      long newAddress,
      int newLengthBytes,
      long sentPs) {
    isWrite = type == TlpType.MEMORY_WRITE;
    address = newAddress;
    lengthBytes = newLengthBytes;
    requesterId = newRequesterId;
    status = DmaStatus.OK;
    turn = null;
    peer = null;
    arrivalPs = origin.upstream().arrivalPs(sentPs);
    forwardedPs = arrivalPs;
    DownstreamPort at = origin;
    Switch owner = at.owner();
    while (isAdmitted(at, addressType) && owner != null && isRoutedUp(owner, at, addressType)) {
      arrivalPs = owner.sendUp(type, wireBytes, arrivalPs, true);
      forwardedPs = at == origin ? owner.upSentPs() : forwardedPs;
      at = owner.above();
      owner = at.owner();
    }
  }

  /** Takes note of a request that is dropped where it arrives. */
  void drop(long newArrivalPs) {
    arrivalPs = newArrivalPs;
    forwardedPs = newArrivalPs;
    turn = null;
  }

  /** {@return when the request has arrived at the root complex, or at the switch where it turns} */
  long arrivalPs() {
    return arrivalPs;
  }

  /** {@return when the request has left the first switch} */
  long forwardedPs() {
    return forwardedPs;
  }

  /** {@return whether the request goes on, or why not} */
  DmaStatus status() {
    return status;
  }

  /** {@return the switch where the request turns or is refused; null for the root complex} */
  @Nullable Switch turn() {
    return turn;
  }

  /** {@return the port of the peer that a switch has routed the request to, or null} */
  @Nullable DownstreamPort peer() {
    return peer;
  }

  private boolean isAdmitted(DownstreamPort at, AddressType addressType) {
    ConfigSpace config = at.configSpace();
    if (!config.isBusMasterEnabled()) {
      refuse(at, DmaStatus.UNSUPPORTED_REQUEST, PcieError.UNSUPPORTED_REQUEST);
      return false;
    }
    AcsCapability acs = config.acs();
    boolean violates =
        addressType != AddressType.UNTRANSLATED && acs.isOn(AcsLayout.TRANSLATION_BLOCKING)
            || acs.isOn(AcsLayout.SOURCE_VALIDATION)
                && !config.bridge().hasBus(requesterId >>> Byte.SIZE);
    if (violates) {
      refuse(at, DmaStatus.COMPLETER_ABORT, PcieError.ACS_VIOLATION);
    }
    return !violates;
  }

  /**
   * Decides at a switch; turns the request or refuses it if the answer is no. Who asks for a
   * translation asks the root complex, whatever the address.
   */
  private boolean isRoutedUp(Switch owner, DownstreamPort at, AddressType addressType) {
    if (addressType == AddressType.TRANSLATION_REQUEST) {
      return true;
    }
    AcsCapability acs = at.configSpace().acs();
    SwitchPort target = owner.portTowards(address);
    if (target == null) {
      // Addresses of the switch that no port of it has belong to nobody.
      ConfigSpace upstreamPort = owner.configSpace();
      boolean lost = upstreamPort.bridge().forwards(address) || !upstreamPort.isBusMasterEnabled();
      if (lost) {
        refuse(at, DmaStatus.UNSUPPORTED_REQUEST, PcieError.UNSUPPORTED_REQUEST);
      }
      return !lost;
    }
    if (target == at) {
      boolean isForwarded = acs.isOn(AcsLayout.UPSTREAM_FORWARDING);
      if (!isForwarded) {
        refuse(at, DmaStatus.UNSUPPORTED_REQUEST, PcieError.UNSUPPORTED_REQUEST);
      }
      return isForwarded;
    }
    boolean isTranslated = addressType == AddressType.TRANSLATED;
    boolean isDirect = isTranslated && acs.isOn(AcsLayout.DIRECT_TRANSLATED);
    boolean isForbidden = !isDirect && acs.isEgressForbidden(target.number());
    boolean redirects = !isDirect && acs.isOn(AcsLayout.REQUEST_REDIRECT);
    if (redirects && (isForbidden || !acs.isOn(AcsLayout.EGRESS_CONTROL))) {
      return true;
    }
    if (isForbidden) {
      refuse(at, DmaStatus.COMPLETER_ABORT, PcieError.ACS_VIOLATION);
      return false;
    }
    turn = owner;
    peer = target.portAt(address);
    if (peer == null) {
      refuse(target, DmaStatus.UNSUPPORTED_REQUEST, PcieError.UNSUPPORTED_REQUEST);
    }
    return false;
  }

  private void refuse(DownstreamPort at, DmaStatus why, PcieError error) {
    status = why;
    turn = at.owner();
    at.errors()
        .record(
            error,
            TlpHeader.request01(isWrite, address, lengthBytes, 0, requesterId, 0),
            TlpHeader.request23(address),
            arrivalPs);
  }
}
