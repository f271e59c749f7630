package io.github.bellwire.pcie;

/**
 * A function as the sender of requests: what its registers let it do, what it claims to be, and how
 * its access in progress goes.
 *
 * <p>What registers say is derived when an access finds that something in the fabric has changed
 * since the last one, so that a TLP costs no search through configuration space.
 */
final class Requester {
  static final int OWN_ID = -1;

  private static final int NOTHING_SEEN = -1;

  private final DownstreamPort port;
  private final ConfigSpace configSpace;
  private final RootComplex rootComplex;
  private final Changes changes;
  private final Translation translation;
  private final long defaultTimeoutPs;
  private final PortErrors rootErrors;
  private final RequestRoute route;
  private final TranslationRequest question = new TranslationRequest();
  private final TranslationResult translated = new TranslationResult();

  // Derived from registers, fault injectors and listeners.
  private int changesSeen = NOTHING_SEEN;
  private boolean isEnabled;
  private boolean isWatched;
  private boolean isStraight;
  private boolean isRouted;
  private boolean isExtendedTagEnabled;
  private int ownId;
  private int maxPayloadBytes;
  private int maxReadRequestBytes;
  // What software lets the device set; what is no attribute stays, to be found.
  private int permittedAttributes;
  private long timeoutPs;
  private boolean isLinkDown;

  // What the device writes into its requests, which may be a lie.
  private int claimedId = OWN_ID;
  private boolean claimsTranslated;
  private int pasid = TranslationRequest.NO_PASID;

  // Of the access in progress.
  private DmaStatus status = DmaStatus.OK;
  private int attributes;
  private long refusedTotal;

  Requester(DownstreamPort port, ConfigSpace configSpace, RootComplex rootComplex) {
    this.port = port;
    this.configSpace = configSpace;
    this.rootComplex = rootComplex;
    translation = rootComplex.translation();
    changes = rootComplex.changes();
    defaultTimeoutPs = port.link().requester().completionTimeoutPs();
    rootErrors = port.rootPort().errors();
    route = new RequestRoute(port);
  }

  /** Begins an access. */
  void begin(int requestedAttributes) {
    if (changesSeen != changes.count()) {
      follow();
      status = DmaStatus.OK;
    }
    attributes = requestedAttributes & permittedAttributes;
    if (attributes != TlpAttributes.NONE) {
      TlpAttributes.require(attributes);
    }
  }

  /** The link has gone down for good. */
  void disconnect() {
    isLinkDown = true;
    isEnabled = false;
    isStraight = false;
  }

  /** {@return whether the function may send requests; if not, the access has failed} */
  boolean mayIssue() {
    if (!isEnabled) {
      fail(isLinkDown ? DmaStatus.LINK_DOWN : DmaStatus.BUS_MASTER_DISABLED);
    }
    return isEnabled;
  }

  /** {@return whether requests may meet faults, or somebody listens to them} */
  boolean isWatched() {
    return isWatched;
  }

  /**
   * {@return whether requests of the access in progress may be sent, go straight to the root
   * complex, are neither watched nor told of nor translated, and carry nothing that changes what
   * they are: the answers to nearly all other questions in one}
   */
  boolean isPlain() {
    return isStraight && attributes == TlpAttributes.NONE;
  }

  boolean isExtendedTagEnabled() {
    return isExtendedTagEnabled;
  }

  int maxPayloadBytes() {
    return maxPayloadBytes;
  }

  int maxReadRequestBytes() {
    return maxReadRequestBytes;
  }

  /** {@return how long the function waits for completions, in picoseconds} */
  long timeoutPs() {
    return timeoutPs;
  }

  int id() {
    return claimedId == OWN_ID ? ownId : claimedId;
  }

  void claimId(int newClaimedId) {
    claimedId = newClaimedId;
  }

  void claimTranslated(boolean newClaimsTranslated) {
    claimsTranslated = newClaimsTranslated;
    isStraight = isStraight();
  }

  void usePasid(int newPasid) {
    if (newPasid < TranslationRequest.NO_PASID || newPasid > TranslationRequest.PASID_MAX) {
      throw new IllegalArgumentException("pasid must be -1..FFFFFh: pasid=" + newPasid);
    }
    pasid = newPasid;
    isStraight = isStraight();
  }

  /** {@return whether a write to an address is an interrupt message} */
  boolean isMessage(long address) {
    return RootComplex.isInterruptAddress(address)
        && !claimsTranslated
        && pasid == TranslationRequest.NO_PASID;
  }

  int attributes() {
    return attributes;
  }

  boolean isRelaxed() {
    return (attributes & TlpAttributes.RELAXED_ORDERING) != 0;
  }

  boolean isNoSnoop() {
    return (attributes & TlpAttributes.NO_SNOOP) != 0;
  }

  /**
   * {@return whether requests are to be taken along their {@link #route}; otherwise they come from
   * a root port that lets all of them pass, straight to the root complex}
   */
  boolean isRouted() {
    return isRouted;
  }

  /** {@return the way of a request that is routed; valid until the next one} */
  RequestRoute route(TlpType type, int wireBytes, long address, int lengthBytes, long sentPs) {
    route.follow(type, wireBytes, id(), addressType(), address, lengthBytes, sentPs);
    return route;
  }

  /** As {@link #route} for a request that asks for translations. */
  RequestRoute routeTranslationRequest(int wireBytes, long address, int lengthBytes, long sentPs) {
    AddressType addressType = AddressType.TRANSLATION_REQUEST;
    TlpType type = TlpType.MEMORY_READ;
    route.follow(type, wireBytes, id(), addressType, address, lengthBytes, sentPs);
    return route;
  }

  /** A request has been dropped where the device's link ends. */
  void drop(long arrivalPs) {
    route.drop(arrivalPs);
  }

  /**
   * {@return when the last request has left the port at the end of the device's link, where its
   * credits come from}
   *
   * @param takenPs when it has been served
   */
  long forwardedPs(long takenPs) {
    Switch owner = port.owner();
    return owner == null || route.turn() == owner ? takenPs : route.forwardedPs();
  }

  /** {@return whether addresses mean something else to the root complex than to the device} */
  boolean isTranslated() {
    return claimsTranslated || translation != Translation.IDENTITY;
  }

  /** {@return what an address means to the root complex; valid until the next request} */
  TranslationResult translate(long iova, int lengthBytes, boolean isWrite, long atPs) {
    return ask(addressType(), iova, lengthBytes, isWrite, atPs);
  }

  /**
   * {@return the answer to a request for the translation of a page; valid until the next request}
   */
  TranslationResult requestTranslation(long iova, int lengthBytes, boolean wantsWrite, long atPs) {
    return ask(AddressType.TRANSLATION_REQUEST, iova, lengthBytes, wantsWrite, atPs);
  }

  private TranslationResult ask(
      AddressType type, long iova, int lengthBytes, boolean isWrite, long atPs) {
    question.from(id(), pasid, type);
    question.access(iova, lengthBytes, isWrite, atPs);
    translation.translate(question, translated);
    return translated;
  }

  /** {@return what reads and writes say of their addresses} */
  AddressType addressType() {
    return claimsTranslated ? AddressType.TRANSLATED : AddressType.UNTRANSLATED;
  }

  /**
   * {@return what a request takes beyond what {@link TlpLayout} counts: its process address space,
   * or in FLIT mode byte enables that are not all ones}
   *
   * @param address first byte
   * @param lengthBytes at least 0
   */
  int extraBytes(long address, int lengthBytes) {
    return pasid == TranslationRequest.NO_PASID
        ? port.upstream().requestExtraBytes(address, lengthBytes)
        : TlpLayout.PASID_PREFIX_BYTES;
  }

  /** {@return the process address space of requests, or {@link TranslationRequest#NO_PASID}} */
  int pasid() {
    return pasid;
  }

  /** {@return the smallest range that software translates, in bytes} */
  long smallestUnitBytes() {
    return configSpace.smallestTranslationUnitBytes();
  }

  /** {@return how the access has gone so far: the first failure} */
  DmaStatus status() {
    return status;
  }

  void fail(DmaStatus why) {
    if (status == DmaStatus.OK) {
      status = why;
      changesSeen = NOTHING_SEEN; // One look tells the next access to begin anew.
    }
  }

  /** Takes note that a request has been refused; OK stands for one that nobody claims. */
  void refuse(DmaStatus why) {
    refusedTotal++;
    fail(why == DmaStatus.OK ? DmaStatus.UNSUPPORTED_REQUEST : why);
  }

  /** The root port reports a request that the root complex refuses. */
  void report(DmaStatus why, long header01, long address, long atPs) {
    boolean isAbort = why == DmaStatus.COMPLETER_ABORT;
    PcieError error = isAbort ? PcieError.COMPLETER_ABORT : PcieError.UNSUPPORTED_REQUEST;
    rootErrors.record(error, header01, TlpHeader.request23(address), atPs);
  }

  long refusedTotal() {
    return refusedTotal;
  }

  private boolean isStraight() {
    boolean isOrdinary = !isTranslated() && pasid == TranslationRequest.NO_PASID;
    return isEnabled && !isWatched && !rootComplex.isHeard() && !isRouted && isOrdinary;
  }

  private void follow() {
    changesSeen = changes.count();
    isEnabled = configSpace.isBusMasterEnabled() && !isLinkDown;
    isWatched = port.upstreamFaults().isArmed() || port.tap().isOpen();
    isRouted = !RequestRoute.isStraight(port);
    isStraight = isStraight();
    isExtendedTagEnabled = configSpace.isExtendedTagEnabled();
    ownId = port.requesterId();
    maxPayloadBytes = configSpace.maxPayloadBytes();
    maxReadRequestBytes = configSpace.maxReadRequestBytes();
    permittedAttributes =
        ~TlpAttributes.ALL
            | (configSpace.isNoSnoopEnabled() ? TlpAttributes.NO_SNOOP : 0)
            | (configSpace.isRelaxedOrderingEnabled() ? TlpAttributes.RELAXED_ORDERING : 0)
            | (configSpace.isIdOrderingEnabled() ? TlpAttributes.ID_BASED_ORDERING : 0);
    CompletionTimeout range = configSpace.completionTimeout();
    timeoutPs = range == CompletionTimeout.DEFAULT ? defaultTimeoutPs : range.longestPs();
  }
}
