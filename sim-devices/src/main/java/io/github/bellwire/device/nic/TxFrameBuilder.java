package io.github.bellwire.device.nic;

import java.util.Arrays;

/**
 * Turns a packet read from memory into frames: checksums, segmentation, VLAN tag, padding. Works on
 * the descriptor that ended the packet and the queue's contexts.
 */
final class TxFrameBuilder {
  private static final int FRAME_MIN_BYTES = EthernetWire.FRAME_MIN_WITHOUT_FCS_BYTES;

  private final RegisterFile registers;
  private final TransmitChecksum checksum = new TransmitChecksum();
  private final SegmentationOffload segmentation = new SegmentationOffload();

  TxFrameBuilder(RegisterFile registers) {
    this.registers = registers;
  }

  /**
   * Starts on a packet.
   *
   * @param high second word of the descriptor that ended it
   * @return false if it cannot be sent
   */
  boolean begin(TxPacket packet, TxQueue queue, long high) {
    if (packet.isBroken() || packet.lengthBytes() < EthernetLayout.HEADER_BYTES) {
      return false;
    }
    if (isSegmented(high)) {
      TransmitContext context = context(queue, high);
      int frameBytes = Math.min(packet.lengthBytes(), context.headerBytes() + context.mssBytes());
      segmentation.writeFlagMasks(
          registers.get(NicRegisters.DTXTCPFLGL), registers.get(NicRegisters.DTXTCPFLGH));
      // The unit is begun in any case, so that it holds no frames of an earlier packet.
      boolean isSensible =
          segmentation.begin(
              packet.bytes(),
              0,
              packet.lengthBytes(),
              context,
              hasOption(high, TxDescriptorLayout.OPTION_IXSM),
              hasOption(high, TxDescriptorLayout.OPTION_TXSM));
      return isSensible && frameBytes <= Nic.SENT_FRAME_MAX_BYTES;
    }
    return packet.lengthBytes() <= Nic.SENT_FRAME_MAX_BYTES && insertChecksums(packet, queue, high);
  }

  boolean hasNext() {
    return segmentation.hasNext();
  }

  /** Appends the next segment of the packet to the FIFO. */
  Frame nextSegment(TxQueue queue, long high, FrameQueue fifo) {
    TransmitContext context = context(queue, high);
    int frameMaxBytes = context.headerBytes() + context.mssBytes() + EthernetLayout.VLAN_TAG_BYTES;
    Frame frame = fifo.add(Math.max(FRAME_MIN_BYTES, frameMaxBytes));
    int length = segmentation.next(frame.bytes, 0);
    finish(frame, length, queue, high, fifo);
    return frame;
  }

  /** Appends the whole packet as one frame to the FIFO. */
  Frame whole(TxPacket packet, TxQueue queue, long high, FrameQueue fifo) {
    int length = packet.lengthBytes();
    Frame frame = fifo.add(Math.max(FRAME_MIN_BYTES, length + EthernetLayout.VLAN_TAG_BYTES));
    System.arraycopy(packet.bytes(), 0, frame.bytes, 0, length);
    finish(frame, length, queue, high, fifo);
    return frame;
  }

  static boolean isSegmented(long high) {
    return TxDescriptorLayout.isData(high)
        && (TxDescriptorLayout.command(high) & TxDescriptorLayout.COMMAND_TSE) != 0;
  }

  private boolean insertChecksums(TxPacket packet, TxQueue queue, long high) {
    if (TxDescriptorLayout.isLegacy(high)) {
      boolean wantsChecksum =
          (TxDescriptorLayout.command(high) & TxDescriptorLayout.COMMAND_IC) != 0;
      return !wantsChecksum
          || checksum.insertLegacy(
              packet.bytes(),
              0,
              packet.lengthBytes(),
              TxDescriptorLayout.legacyChecksumStart(high),
              TxDescriptorLayout.legacyChecksumOffset(high));
    }
    boolean wantsIp = hasOption(high, TxDescriptorLayout.OPTION_IXSM);
    boolean wantsL4 = hasOption(high, TxDescriptorLayout.OPTION_TXSM);
    if (!wantsIp && !wantsL4) {
      return true;
    }
    TransmitContext context = context(queue, high);
    // MACLEN must be at least 14 when an offload is requested (82598 data sheet, table 3-68).
    return context.macBytes() >= EthernetLayout.HEADER_BYTES
        && checksum.insert(packet.bytes(), 0, packet.lengthBytes(), context, wantsIp, wantsL4);
  }

  private void finish(Frame frame, int length, TxQueue queue, long high, FrameQueue fifo) {
    int finalLength = length;
    if ((TxDescriptorLayout.command(high) & TxDescriptorLayout.COMMAND_VLE) != 0) {
      int tci =
          TxDescriptorLayout.isLegacy(high)
              ? TxDescriptorLayout.legacyVlanTag(high)
              : context(queue, high).vlanTci();
      insertTag(frame.bytes, length, tci);
      finalLength += EthernetLayout.VLAN_TAG_BYTES;
    }
    if (finalLength < FRAME_MIN_BYTES
        && registers.hasBits(NicRegisters.HLREG0, NicRegisters.HLREG0_TXPADEN)) {
      Arrays.fill(frame.bytes, finalLength, FRAME_MIN_BYTES, (byte) 0);
      finalLength = FRAME_MIN_BYTES;
    }
    fifo.shortenLast(finalLength);
  }

  private void insertTag(byte[] bytes, int length, int tci) {
    int tag = EthernetLayout.ETHER_TYPE_OFFSET;
    System.arraycopy(bytes, tag, bytes, tag + EthernetLayout.VLAN_TAG_BYTES, length - tag);
    int etherType = registers.get(NicRegisters.DMATXCTL) >>> 16;
    NetworkOrder.putU16(bytes, tag, etherType);
    NetworkOrder.putU16(bytes, tag + 2, tci);
  }

  private static TransmitContext context(TxQueue queue, long high) {
    return queue.contexts[TxDescriptorLayout.contextIndex(high) & 1];
  }

  private static boolean hasOption(long high, int option) {
    return (TxDescriptorLayout.options(high) & option) != 0;
  }
}
