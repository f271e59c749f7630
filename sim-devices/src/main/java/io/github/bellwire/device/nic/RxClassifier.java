package io.github.bellwire.device.nic;

import io.github.bellwire.memory.LittleEndian;
import java.util.zip.CRC32;

/**
 * What the device finds out about a received frame before it needs a descriptor: queue, hash,
 * packet type, checksums, VLAN tag; and the form in which it is delivered.
 */
final class RxClassifier {
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

  // The longest frame that is delivered as it comes, 0 if none is, and the EtherTypes that are not,
  // told by the last six bits, a bit each: beside a few frames too many, that is looked up at once.
  private int plainMaxBytes;
  private long headerTypes;

  RxClassifier(RegisterFile registers, ReceiveSideScaling scaling) {
    this.registers = registers;
    this.scaling = scaling;
    filter = new RxFilter(registers);
    refresh(false);
  }

  /**
   * Follows the registers. To be called when they have changed, before the next frame.
   *
   * @param isListening whether frames from the wire are received, and none that is looped back
   */
  void refresh(boolean isListening) {
    filter.refresh();
    writesHash = registers.hasBits(NicRegisters.RXCSUM, NicRegisters.RXCSUM_PCSD);
    sumsFragments =
        !writesHash && registers.hasBits(NicRegisters.RXCSUM, NicRegisters.RXCSUM_IPPCSE);
    keepsFcs = !registers.hasBits(NicRegisters.HLREG0, NicRegisters.HLREG0_RXCRCSTRP);
    boolean isSimple = isListening && filter.acceptsAllUnicast() && !keepsFcs;
    plainMaxBytes = isSimple ? filter.frameMaxBytes() : 0;
    headerTypes = FrameParser.HEADER_TYPES | 1L << filter.vlanEtherType();
  }

  RxFilter filter() {
    return filter;
  }

  /**
   * {@return whether a frame from the wire is received and {@link #classify} finds nothing} Says no
   * in doubt: a short cut for what nearly all frames without known headers are.
   */
  boolean isPlain(byte[] bytes, int offset, int lengthBytes) {
    return lengthBytes <= plainMaxBytes
        && lengthBytes >= EthernetWire.FRAME_MIN_WITHOUT_FCS_BYTES
        && !RxFilter.isMulticast(bytes, offset)
        && (headerTypes >>> bytes[offset + EthernetLayout.ETHER_TYPE_OFFSET + 1] & 1) == 0;
  }

  /** Fills in a frame that has arrived and that the filter has let in, and gives it its form. */
  void classify(Frame frame, boolean isLoopback) {
    int etherType = RxFilter.etherType(frame.bytes, frame.offset);
    int status = isLoopback ? RxDescriptorLayout.STATUS_LB : 0;
    if (FrameParser.looksInto(etherType)) {
      status |= classifyHeaders(frame.bytes, frame.offset, frame.lengthBytes, frame);
    }
    if (RxFilter.isMulticast(frame.bytes, frame.offset)
        && !RxFilter.isBroadcast(frame.bytes, frame.offset)
        && !filter.isStationAddress(frame.bytes, frame.offset)) {
      status |= RxDescriptorLayout.STATUS_PIF;
    }
    frame.writeBackHigh = RxDescriptorLayout.writeBackHigh(status, 0, 0);
    shape(frame, filter.isTagged(etherType, frame.lengthBytes));
  }

  private int classifyHeaders(byte[] bytes, int offset, int lengthBytes, Frame frame) {
    parser.parse(bytes, offset, lengthBytes);
    scaling.classify(parser, bytes, offset);
    checksum.check(parser, bytes, offset, sumsFragments);
    frame.queueIndex = scaling.queueIndex();
    frame.fragmentChecksum = checksum.fragmentChecksum();
    int ipId = parser.isIpv4() ? NetworkOrder.u16(bytes, offset + parser.l3Offset() + 4) : 0;
    int second =
        writesHash
            ? scaling.hash()
            : RxDescriptorLayout.fragmentChecksum(ipId, checksum.fragmentChecksum());
    frame.writeBackLow =
        RxDescriptorLayout.writeBackLow(scaling.rssType(), parser.packetType(), 0, false, second);
    return checksum.status() | checksum.errors();
  }

  /** Takes the VLAN tag out, puts the FCS behind, as the registers say. */
  private void shape(Frame frame, boolean isTagged) {
    // The FCS is the sender's: it covers the tag that is taken out.
    int fcs = keepsFcs ? fcs(frame) : 0;
    if (isTagged
        && registers.hasBits(NicRegisters.rxdctl(frame.queueIndex), NicRegisters.RXDCTL_VME)) {
      int tci = NetworkOrder.u16(frame.bytes, frame.offset + EthernetLayout.ETHER_TYPE_OFFSET + 2);
      frame.writeBackHigh |= RxDescriptorLayout.writeBackHigh(RxDescriptorLayout.STATUS_VP, 0, tci);
      removeTag(frame);
    }
    if (keepsFcs) {
      append(fcs, frame);
    }
  }

  private void removeTag(Frame frame) {
    byte[] target = roomFor(frame.lengthBytes);
    int tag = EthernetLayout.ETHER_TYPE_OFFSET;
    int behindTag = tag + EthernetLayout.VLAN_TAG_BYTES;
    int rest = frame.lengthBytes - behindTag;
    System.arraycopy(frame.bytes, frame.offset, target, 0, tag);
    System.arraycopy(frame.bytes, frame.offset + behindTag, target, tag, rest);
    frame.lend(target, 0, tag + rest);
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
