package io.github.bellwire.device.nic;

/**
 * Which frames the MAC lets in: length, destination address and VLAN (82599 data sheet, sections
 * 7.1.1 and 8.2.3.7). Reads its registers at every frame, as they may change between two.
 */
final class RxFilter {
  private static final int ETHERNET_BYTES = 14;
  private static final int VLAN_TAG_BYTES = 4;
  private static final int STANDARD_FRAME_BYTES = 1518;
  private static final int UNICAST_ADDRESSES = 128;

  private final RegisterFile registers;

  RxFilter(RegisterFile registers) {
    this.registers = registers;
  }

  /** {@return the longest frame accepted, FCS included; a VLAN tag comes on top} */
  int frameMaxBytes() {
    return registers.hasBits(NicRegisters.HLREG0, NicRegisters.HLREG0_JUMBOEN)
        ? registers.get(NicRegisters.MAXFRS) >>> NicRegisters.MAXFRS_SHIFT
        : STANDARD_FRAME_BYTES;
  }

  /** {@return whether a frame is longer than allowed} */
  boolean isOversize(byte[] frame, int offset, int lengthBytes) {
    int tagBytes = isTagged(frame, offset, lengthBytes) ? VLAN_TAG_BYTES : 0;
    return lengthBytes + EthernetWire.FCS_BYTES > frameMaxBytes() + tagBytes;
  }

  /** {@return whether destination and VLAN are wanted} */
  boolean isWanted(byte[] frame, int offset, int lengthBytes) {
    return lengthBytes >= ETHERNET_BYTES
        && isAddressWanted(frame, offset)
        && isVlanWanted(frame, offset, lengthBytes);
  }

  static boolean isMulticast(byte[] frame, int offset) {
    return (frame[offset] & 1) != 0;
  }

  static boolean isBroadcast(byte[] frame, int offset) {
    return NetworkOrder.u32(frame, offset) == -1 && NetworkOrder.u16(frame, offset + 4) == 0xffff;
  }

  private boolean isAddressWanted(byte[] frame, int offset) {
    int fctrl = registers.get(NicRegisters.FCTRL);
    if (!isMulticast(frame, offset)) {
      return (fctrl & NicRegisters.FCTRL_UPE) != 0 || isStationAddress(frame, offset);
    }
    if (isBroadcast(frame, offset)) {
      return (fctrl & (NicRegisters.FCTRL_BAM | NicRegisters.FCTRL_MPE)) != 0;
    }
    return (fctrl & NicRegisters.FCTRL_MPE) != 0
        || isStationAddress(frame, offset)
        || isHashedMulticast(frame, offset);
  }

  /** {@return whether the destination is one of the exact addresses} */
  boolean isStationAddress(byte[] frame, int offset) {
    int low = Integer.reverseBytes(NetworkOrder.u32(frame, offset));
    int high = Short.toUnsignedInt(Short.reverseBytes((short) NetworkOrder.u16(frame, offset + 4)));
    for (int i = 0; i < UNICAST_ADDRESSES; i++) {
      int rah = registers.get(NicRegisters.rah(i));
      if ((rah & NicRegisters.RAH_AV) != 0
          && (rah & 0xffff) == high
          && registers.get(NicRegisters.ral(i)) == low) {
        return true;
      }
    }
    return false;
  }

  /** MCSTCTRL.MO chooses which 12 bits of the address index the table. */
  private boolean isHashedMulticast(byte[] frame, int offset) {
    int mcstctrl = registers.get(NicRegisters.MCSTCTRL);
    if ((mcstctrl & NicRegisters.MCSTCTRL_MFE) == 0) {
      return false;
    }
    int mode = mcstctrl & 3;
    int shift = mode == 3 ? 0 : 4 - mode;
    int last = frame[offset + 4] & 0xff | (frame[offset + 5] & 0xff) << 8;
    int vector = last >>> shift & 0xfff;
    return (registers.get(NicRegisters.mta(vector >>> 5)) >>> (vector & 31) & 1) != 0;
  }

  private boolean isVlanWanted(byte[] frame, int offset, int lengthBytes) {
    if (!registers.hasBits(NicRegisters.VLNCTRL, NicRegisters.VLNCTRL_VFE)
        || !isTagged(frame, offset, lengthBytes)) {
      return true;
    }
    int vlanId = NetworkOrder.u16(frame, offset + ETHERNET_BYTES) & 0xfff;
    return (registers.get(NicRegisters.vfta(vlanId >>> 5)) >>> (vlanId & 31) & 1) != 0;
  }

  /** {@return whether a frame carries a VLAN tag of the configured EtherType} */
  boolean isTagged(byte[] frame, int offset, int lengthBytes) {
    return lengthBytes >= ETHERNET_BYTES + VLAN_TAG_BYTES
        && NetworkOrder.u16(frame, offset + ETHERNET_BYTES - 2)
            == (registers.get(NicRegisters.VLNCTRL) & 0xffff);
  }
}
