package io.github.bellwire.device.nic;

import io.github.bellwire.memory.LittleEndian;

/**
 * Which frames the MAC lets in: length, destination address and VLAN (82599 data sheet, sections
 * 7.1.1 and 8.2.3.7). What it needs of the registers is derived by {@link #refresh}, so that a
 * frame costs no search through them.
 */
final class RxFilter {
  private static final int STANDARD_FRAME_BYTES = 1518;
  private static final int UNICAST_ADDRESSES = 128;
  private static final long BROADCAST = 0xFFFF_FFFF_FFFFL;

  private final RegisterFile registers;

  // Derived from registers. Addresses: the byte that is first on the wire lowest, as in RAL.
  private final long[] stations = new long[UNICAST_ADDRESSES];
  private int stationsCount;
  private int frameMaxBytes;
  private int vlanEtherType;
  private boolean filtersVlan;
  private boolean acceptsUnicast;
  private boolean acceptsMulticast;
  private boolean acceptsBroadcast;

  RxFilter(RegisterFile registers) {
    this.registers = registers;
    refresh();
  }

  /** Follows the registers. To be called when they have changed, before the next frame. */
  void refresh() {
    frameMaxBytes =
        registers.hasBits(NicRegisters.HLREG0, NicRegisters.HLREG0_JUMBOEN)
            ? registers.get(NicRegisters.MAXFRS) >>> NicRegisters.MAXFRS_SHIFT
            : STANDARD_FRAME_BYTES;
    int vlnctrl = registers.get(NicRegisters.VLNCTRL);
    vlanEtherType = vlnctrl & 0xffff;
    filtersVlan = (vlnctrl & NicRegisters.VLNCTRL_VFE) != 0;
    int fctrl = registers.get(NicRegisters.FCTRL);
    acceptsUnicast = (fctrl & NicRegisters.FCTRL_UPE) != 0;
    acceptsMulticast = (fctrl & NicRegisters.FCTRL_MPE) != 0;
    acceptsBroadcast = acceptsMulticast || (fctrl & NicRegisters.FCTRL_BAM) != 0;
    stationsCount = 0;
    for (int i = 0; i < UNICAST_ADDRESSES; i++) {
      int rah = registers.get(NicRegisters.rah(i));
      if ((rah & NicRegisters.RAH_AV) != 0) {
        long low = Integer.toUnsignedLong(registers.get(NicRegisters.ral(i)));
        stations[stationsCount++] = low | (rah & 0xffffL) << Integer.SIZE;
      }
    }
  }

  /** {@return whether any destination that is one station's is wanted} */
  boolean acceptsAllUnicast() {
    return acceptsUnicast;
  }

  /** {@return the longest frame that is allowed, VLAN tag or not; FCS not included} */
  int frameMaxBytes() {
    return frameMaxBytes - EthernetWire.FCS_BYTES;
  }

  /** {@return the EtherType of VLAN tags} */
  int vlanEtherType() {
    return vlanEtherType;
  }

  /** {@return whether a frame is longer than allowed; a VLAN tag comes on top} */
  boolean isOversize(byte[] frame, int offset, int lengthBytes) {
    int aboveBytes = lengthBytes + EthernetWire.FCS_BYTES - frameMaxBytes;
    return aboveBytes > 0
        && (aboveBytes > EthernetLayout.VLAN_TAG_BYTES || !isTagged(frame, offset, lengthBytes));
  }

  /** {@return whether destination and VLAN are wanted} */
  boolean isWanted(byte[] frame, int offset, int lengthBytes) {
    return lengthBytes >= EthernetLayout.HEADER_BYTES
        && isAddressWanted(frame, offset)
        && isVlanWanted(frame, offset, lengthBytes);
  }

  static boolean isMulticast(byte[] frame, int offset) {
    return (frame[offset] & 1) != 0;
  }

  static boolean isBroadcast(byte[] frame, int offset) {
    return isMulticast(frame, offset) && destination(frame, offset) == BROADCAST;
  }

  /** {@return whether the destination is one of the exact addresses} */
  boolean isStationAddress(byte[] frame, int offset) {
    long destination = destination(frame, offset);
    for (int i = 0; i < stationsCount; i++) {
      if (stations[i] == destination) {
        return true;
      }
    }
    return false;
  }

  /** {@return the first EtherType of a frame, which may be that of a tag} */
  static int etherType(byte[] frame, int offset) {
    return NetworkOrder.u16(frame, offset + EthernetLayout.ETHER_TYPE_OFFSET);
  }

  /** {@return whether a frame carries a VLAN tag of the configured EtherType} */
  boolean isTagged(int etherType, int lengthBytes) {
    return etherType == vlanEtherType
        && lengthBytes >= EthernetLayout.HEADER_BYTES + EthernetLayout.VLAN_TAG_BYTES;
  }

  private boolean isTagged(byte[] frame, int offset, int lengthBytes) {
    return lengthBytes >= EthernetLayout.HEADER_BYTES
        && isTagged(etherType(frame, offset), lengthBytes);
  }

  private boolean isAddressWanted(byte[] frame, int offset) {
    if (!isMulticast(frame, offset)) {
      return acceptsUnicast || isStationAddress(frame, offset);
    }
    if (isBroadcast(frame, offset)) {
      return acceptsBroadcast;
    }
    return acceptsMulticast || isStationAddress(frame, offset) || isHashedMulticast(frame, offset);
  }

  private static long destination(byte[] frame, int offset) {
    return LittleEndian.getLong(frame, offset) & BROADCAST;
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
    if (!filtersVlan || !isTagged(frame, offset, lengthBytes)) {
      return true;
    }
    int vlanId = NetworkOrder.u16(frame, offset + EthernetLayout.HEADER_BYTES) & 0xfff;
    return (registers.get(NicRegisters.vfta(vlanId >>> 5)) >>> (vlanId & 31) & 1) != 0;
  }
}
