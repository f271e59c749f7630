package io.github.bellwire.device.nic;

import io.github.bellwire.memory.LittleEndian;
import java.util.zip.CRC32;

/**
 * What the device finds out about a received frame before it needs a descriptor: queue, hash,
 * packet type, checksums, VLAN tag; and the form in which it is delivered.
 */
final class RxClassifier {
  private static final int ADDRESSES_BYTES = 12;
  private static final int VLAN_TAG_BYTES = 4;

  private final RegisterFile registers;
  private final ReceiveSideScaling scaling;
  private final RxFilter filter;
  private final FrameParser parser = new FrameParser();
  private final ReceiveChecksum checksum = new ReceiveChecksum();
  private final CRC32 crc = new CRC32();
  private byte[] reshaped = new byte[2048];
  private boolean writesHash;
  private boolean sumsFragments;
  private boolean keepsFcs;

  RxClassifier(RegisterFile registers, ReceiveSideScaling scaling) {
    this.registers = registers;
    this.scaling = scaling;
    filter = new RxFilter(registers);
    refresh();
  }

  /** Follows the registers. To be called when they have changed, before the next frame. */
  void refresh() {
    filter.refresh();
    writesHash = registers.hasBits(NicRegisters.RXCSUM, NicRegisters.RXCSUM_PCSD);
    sumsFragments =
        !writesHash && registers.hasBits(NicRegisters.RXCSUM, NicRegisters.RXCSUM_IPPCSE);
    keepsFcs = !registers.hasBits(NicRegisters.HLREG0, NicRegisters.HLREG0_RXCRCSTRP);
  }

  RxFilter filter() {
    return filter;
  }

  /** Fills in a frame that lends the caller's bytes; the filter has let it in. */
  void classify(byte[] bytes, int offset, int lengthBytes, boolean isLoopback, Frame frame) {
    frame.lend(bytes, offset, lengthBytes);
    frame.wireBytes = lengthBytes + EthernetWire.FCS_BYTES;
    frame.vlanTci = 0;
    frame.etherType = RxFilter.etherType(bytes, offset);
    if (FrameParser.looksInto(frame.etherType)) {
      classifyHeaders(bytes, offset, lengthBytes, frame);
    } else {
      // No header that hash, packet type or checksums could come from.
      frame.queueIndex = 0;
      frame.statusAndErrors = 0;
      frame.fragmentChecksum = 0;
      frame.writeBackLow = 0;
    }
    if (RxFilter.isMulticast(bytes, offset)
        && !RxFilter.isBroadcast(bytes, offset)
        && !filter.isStationAddress(bytes, offset)) {
      frame.statusAndErrors |= RxDescriptorLayout.STATUS_PIF;
    }
    if (isLoopback) {
      frame.statusAndErrors |= RxDescriptorLayout.STATUS_LB;
    }
  }

  private void classifyHeaders(byte[] bytes, int offset, int lengthBytes, Frame frame) {
    parser.parse(bytes, offset, lengthBytes);
    scaling.classify(parser, bytes, offset);
    checksum.check(parser, bytes, offset, sumsFragments);
    frame.queueIndex = scaling.queueIndex();
    frame.statusAndErrors = checksum.status() | checksum.errors();
    frame.fragmentChecksum = checksum.fragmentChecksum();
    int ipId = parser.isIpv4() ? NetworkOrder.u16(bytes, offset + parser.l3Offset() + 4) : 0;
    int second =
        writesHash
            ? scaling.hash()
            : RxDescriptorLayout.fragmentChecksum(ipId, checksum.fragmentChecksum());
    frame.writeBackLow =
        RxDescriptorLayout.writeBackLow(scaling.rssType(), parser.packetType(), 0, false, second);
  }

  /** Takes the VLAN tag out, puts the FCS behind, as the registers say. */
  void shape(Frame frame) {
    // The FCS is the sender's: it covers the tag that is taken out.
    int fcs = keepsFcs ? fcs(frame) : 0;
    if (filter.isTagged(frame.etherType, frame.lengthBytes)
        && registers.hasBits(NicRegisters.rxdctl(frame.queueIndex), NicRegisters.RXDCTL_VME)) {
      frame.vlanTci = NetworkOrder.u16(frame.bytes, frame.offset + ADDRESSES_BYTES + 2);
      frame.statusAndErrors |= RxDescriptorLayout.STATUS_VP;
      removeTag(frame);
    }
    if (keepsFcs) {
      append(fcs, frame);
    }
  }

  private void removeTag(Frame frame) {
    byte[] target = roomFor(frame.lengthBytes);
    int rest = frame.lengthBytes - ADDRESSES_BYTES - VLAN_TAG_BYTES;
    System.arraycopy(frame.bytes, frame.offset, target, 0, ADDRESSES_BYTES);
    System.arraycopy(
        frame.bytes,
        frame.offset + ADDRESSES_BYTES + VLAN_TAG_BYTES,
        target,
        ADDRESSES_BYTES,
        rest);
    frame.lend(target, 0, ADDRESSES_BYTES + rest);
  }

  private int fcs(Frame frame) {
    crc.reset();
    crc.update(frame.bytes, frame.offset, frame.lengthBytes);
    return (int) crc.getValue();
  }

  private void append(int fcs, Frame frame) {
    byte[] target = roomFor(frame.lengthBytes + EthernetWire.FCS_BYTES);
    System.arraycopy(frame.bytes, frame.offset, target, 0, frame.lengthBytes);
    LittleEndian.putInt(target, frame.lengthBytes, fcs);
    frame.lend(target, 0, frame.lengthBytes + EthernetWire.FCS_BYTES);
  }

  private byte[] roomFor(int lengthBytes) {
    if (reshaped.length < lengthBytes) {
      reshaped = new byte[Integer.highestOneBit(lengthBytes) * 2];
    }
    return reshaped;
  }
}
