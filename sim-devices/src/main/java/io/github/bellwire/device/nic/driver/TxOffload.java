package io.github.bellwire.device.nic.driver;

import io.github.bellwire.device.nic.TxDescriptorLayout;
import io.github.bellwire.kernel.Requirements;

/**
 * What the device is to compute for a frame. Whoever sends many frames alike keeps one object and
 * reuses it: the ring then sends its context descriptor once.
 *
 * @param macHeaderBytes bytes ahead of the IP header, 0..127
 * @param ipHeaderBytes IP header, 0..511
 * @param l4HeaderBytes TCP or UDP header, 0..255; needed for segmentation
 * @param mssBytes payload per segment, 0..65535; 0 is no segmentation
 * @param l4Type one of the {@code L4T_} codes of {@link TxDescriptorLayout}, 0..2
 * @param isIpv4 IPv4 rather than IPv6
 * @param insertIpChecksum whether the IPv4 header checksum is inserted
 * @param insertL4Checksum whether the checksum of layer 4 is inserted; the frame must hold the sum
 *     of the pseudo header there
 */
public record TxOffload(
    int macHeaderBytes,
    int ipHeaderBytes,
    int l4HeaderBytes,
    int mssBytes,
    int l4Type,
    boolean isIpv4,
    boolean insertIpChecksum,
    boolean insertL4Checksum) {

  /** The frame is sent as it is. */
  public static final TxOffload NONE = new TxOffload(0, 0, 0, 0, 0, false, false, false);

  private static final int HEADERS_MAX_BYTES = 511;

  // Checked here and nowhere else.
  public TxOffload {
    Requirements.requireRange("macHeaderBytes", macHeaderBytes, 0, 127);
    Requirements.requireRange("ipHeaderBytes", ipHeaderBytes, 0, 511);
    Requirements.requireRange("l4HeaderBytes", l4HeaderBytes, 0, 255);
    Requirements.requireRange("mssBytes", mssBytes, 0, 65_535);
    Requirements.requireRange("l4Type", l4Type, 0, TxDescriptorLayout.L4T_SCTP);
    int headersBytes = macHeaderBytes + ipHeaderBytes + l4HeaderBytes;
    Requirements.require(
        headersBytes <= HEADERS_MAX_BYTES, "headersBytes", headersBytes, "<= " + HEADERS_MAX_BYTES);
    Requirements.require(
        mssBytes == 0 || insertL4Checksum && (insertIpChecksum || !isIpv4),
        "mssBytes",
        mssBytes,
        "0 without insertion of the checksums");
  }

  /**
   * {@return the insertion of IPv4 and layer 4 checksums into single frames}
   *
   * @param macHeaderBytes bytes ahead of the IP header, 0..127
   * @param ipHeaderBytes IPv4 header, 20..60
   * @param l4Type one of the {@code L4T_} codes of {@link TxDescriptorLayout}
   */
  public static TxOffload ipv4Checksums(int macHeaderBytes, int ipHeaderBytes, int l4Type) {
    return new TxOffload(macHeaderBytes, ipHeaderBytes, 0, 0, l4Type, true, true, true);
  }

  /**
   * {@return the segmentation of TCP over IPv4}
   *
   * @param macHeaderBytes bytes ahead of the IP header, 0..127
   * @param ipHeaderBytes IPv4 header, 20..60
   * @param tcpHeaderBytes TCP header, 20..60
   * @param mssBytes payload per segment, 1..65535
   */
  public static TxOffload ipv4TcpSegmentation(
      int macHeaderBytes, int ipHeaderBytes, int tcpHeaderBytes, int mssBytes) {
    return new TxOffload(
        macHeaderBytes,
        ipHeaderBytes,
        tcpHeaderBytes,
        mssBytes,
        TxDescriptorLayout.L4T_TCP,
        true,
        true,
        true);
  }

  /** {@return whether the device must know the headers} */
  public boolean needsContext() {
    return insertIpChecksum || insertL4Checksum;
  }

  /** {@return whether the device cuts the frame into several} */
  public boolean isSegmented() {
    return mssBytes > 0;
  }

  /** Returns the bytes ahead of the payload that is cut. */
  int headersBytes() {
    return macHeaderBytes + ipHeaderBytes + l4HeaderBytes;
  }

  long contextLow() {
    return TxDescriptorLayout.contextLow(macHeaderBytes, ipHeaderBytes, 0);
  }

  long contextHigh() {
    return TxDescriptorLayout.contextHigh(isIpv4, l4Type, 0, l4HeaderBytes, mssBytes);
  }

  int commandBits() {
    return isSegmented() ? TxDescriptorLayout.COMMAND_TSE : 0;
  }

  int optionBits() {
    return (insertIpChecksum ? TxDescriptorLayout.OPTION_IXSM : 0)
        | (insertL4Checksum ? TxDescriptorLayout.OPTION_TXSM : 0);
  }
}
