package io.github.bellwire.pcie;

import static java.util.Objects.requireNonNull;

import java.util.Arrays;

/**
 * A device's way to memory by way of its own {@link DeviceTlb}: looks addresses up, asks the host
 * for those that are not there (ATS), and sends requests that say that their addresses are
 * translated. While software has not enabled ATS, requests go as they would without.
 *
 * <pre>{@code
 * device --> TranslatingPort --AT 10b--> DmaPort --> link
 *              |        '----AT 01b--------^
 *           DeviceTlb <-- Endpoint.onInvalidateRequest
 * }</pre>
 *
 * <p>One request per page of 4 KiB. An access that an entry does not allow ends with {@link
 * DmaStatus#COMPLETER_ABORT} and sends nothing; asking for the page (PRI) is up to the device.
 * Allocates nothing after construction.
 */
public final class TranslatingPort implements DmaPort {
  private static final int PAGE_BYTES = 4096;
  private static final long PAGE_MASK = PAGE_BYTES - 1;

  private final DmaPort port;
  private final ConfigSpace configSpace;
  private final DeviceTlb tlb;
  private final AtsTranslation answer = new AtsTranslation();
  private int pasid = TranslationRequest.NO_PASID;
  private DmaStatus status = DmaStatus.OK;
  private long readyPs;
  // Of posted requests, which must not pass each other where one of them has to ask first.
  private long lastStartPs;

  /**
   * Creates a way.
   *
   * @param port the way without it
   * @param configSpace of the device, which says whether ATS is enabled
   * @param tlb the device's translations, shared with its {@link Endpoint#onInvalidateRequest}
   */
  public TranslatingPort(DmaPort port, ConfigSpace configSpace, DeviceTlb tlb) {
    this.port = requireNonNull(port, "port");
    this.configSpace = requireNonNull(configSpace, "configSpace");
    this.tlb = requireNonNull(tlb, "tlb");
  }

  @Override
  public long read(
      long iova, byte[] destination, int offset, int lengthBytes, long atPs, int attributes) {
    if (!configSpace.isAddressTranslationEnabled() || lengthBytes <= 0) {
      return passed(port.read(iova, destination, offset, lengthBytes, atPs, attributes));
    }
    status = DmaStatus.OK;
    long donePs = atPs;
    for (int done = 0; done < lengthBytes; ) {
      int piece = pieceBytes(iova + done, lengthBytes - done);
      int entry = findOrAsk(iova + done, false, atPs);
      long pieceDonePs = readyPs;
      if (entry < 0) {
        Arrays.fill(destination, offset + done, offset + done + piece, (byte) 0xff);
      } else {
        long address = tlb.address(entry, iova + done);
        port.claimTranslated(true);
        pieceDonePs = port.read(address, destination, offset + done, piece, readyPs, attributes);
        port.claimTranslated(false);
        fail(port.status());
        tlb.use(entry, pieceDonePs);
      }
      donePs = Math.max(donePs, pieceDonePs);
      done += piece;
    }
    return donePs;
  }

  @Override
  public long write(
      long iova, byte[] source, int offset, int lengthBytes, long atPs, int attributes) {
    return write(iova, source, offset, lengthBytes, atPs, attributes, false);
  }

  @Override
  public long writeStatus(long iova, byte[] source, int offset, int lengthBytes, long atPs) {
    return write(iova, source, offset, lengthBytes, atPs, TlpAttributes.NONE, true);
  }

  private long write(
      long iova,
      byte[] source,
      int offset,
      int lengthBytes,
      long atPs,
      int attributes,
      boolean isPolled) {
    if (!configSpace.isAddressTranslationEnabled()) {
      return send(iova, source, offset, lengthBytes, inOrder(atPs), attributes, isPolled);
    }
    DmaStatus result = DmaStatus.OK;
    long donePs = atPs;
    for (int done = 0; done < lengthBytes; ) {
      int piece = pieceBytes(iova + done, lengthBytes - done);
      status = DmaStatus.OK;
      int entry = findOrAsk(iova + done, true, atPs);
      if (entry < 0) {
        donePs = Math.max(donePs, readyPs);
      } else {
        long address = tlb.address(entry, iova + done);
        long startPs = inOrder(readyPs);
        port.claimTranslated(true);
        long visiblePs = send(address, source, offset + done, piece, startPs, attributes, isPolled);
        port.claimTranslated(false);
        tlb.use(entry, port.sentPs());
        donePs = Math.max(donePs, visiblePs);
      }
      result = result == DmaStatus.OK ? status : result;
      done += piece;
    }
    status = result;
    return donePs;
  }

  private long send(
      long address,
      byte[] source,
      int offset,
      int lengthBytes,
      long atPs,
      int attributes,
      boolean isPolled) {
    return passed(
        isPolled
            ? port.writeStatus(address, source, offset, lengthBytes, atPs)
            : port.write(address, source, offset, lengthBytes, atPs, attributes));
  }

  @Override
  public long sendMessage(long address, int data, long atPs) {
    return passed(port.sendMessage(address, data, inOrder(atPs)));
  }

  @Override
  public void claimRequesterId(int requesterId) {
    port.claimRequesterId(requesterId);
  }

  @Override
  public void usePasid(int newPasid) {
    port.usePasid(newPasid);
    pasid = newPasid;
  }

  @Override
  public long requestTranslation(
      long iova, int pagesCount, boolean wantsWrite, long atPs, AtsTranslation newAnswer) {
    return passed(port.requestTranslation(iova, pagesCount, wantsWrite, atPs, newAnswer));
  }

  @Override
  public long requestPage(
      long iova, boolean isRead, boolean isWrite, boolean isLast, int groupIndex, long atPs) {
    return passed(port.requestPage(iova, isRead, isWrite, isLast, groupIndex, inOrder(atPs)));
  }

  @Override
  public DmaStatus status() {
    return status;
  }

  @Override
  public long sentPs() {
    return port.sentPs();
  }

  /** {@inheritDoc} Of a read of several pages the last one counts. */
  @Override
  public long readTicket() {
    return port.readTicket();
  }

  @Override
  public long arrivalPs(long ticket) {
    return port.arrivalPs(ticket);
  }

  @Override
  public long tagFreePs() {
    return port.tagFreePs();
  }

  @Override
  public long horizonPs() {
    return port.horizonPs();
  }

  /**
   * Returns the entry for an address and says when it can be used; -1 if there is none that allows
   * the access, and when that is known.
   */
  private int findOrAsk(long iova, boolean isWrite, long atPs) {
    int entry = tlb.find(pasid, iova);
    readyPs = atPs;
    if (entry < 0 || !tlb.allows(entry, isWrite)) {
      readyPs = port.requestTranslation(iova & ~PAGE_MASK, 1, isWrite, atPs, answer);
      if (answer.status() != DmaStatus.OK) {
        fail(answer.status());
        return -1;
      }
      if (!answer.isReadable(0) && !answer.isWritable(0)) {
        fail(DmaStatus.COMPLETER_ABORT);
        return -1; // Nothing is kept: the page may come later.
      }
      entry = tlb.insert(pasid, iova, answer.entry(0), readyPs);
    }
    readyPs = Math.max(readyPs, tlb.readyPs(entry));
    if (!tlb.allows(entry, isWrite)) {
      fail(DmaStatus.COMPLETER_ABORT);
      return -1;
    }
    return entry;
  }

  /** Returns when a posted request can start that could at a time: behind those before it. */
  private long inOrder(long atPs) {
    lastStartPs = Math.max(lastStartPs, atPs);
    return lastStartPs;
  }

  private long passed(long donePs) {
    status = port.status();
    return donePs;
  }

  private void fail(DmaStatus why) {
    if (status == DmaStatus.OK) {
      status = why;
    }
  }

  private static int pieceBytes(long iova, int lengthBytes) {
    return Math.min(lengthBytes, PAGE_BYTES - (int) (iova & PAGE_MASK));
  }
}
