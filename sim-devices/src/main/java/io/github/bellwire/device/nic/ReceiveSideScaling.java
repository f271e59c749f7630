package io.github.bellwire.device.nic;

/**
 * Receive side scaling: which queue takes a frame, and the hash and RSS type of its write-back.
 *
 * <pre>{@code
 * parsed headers --> function (MRQC) --> Toeplitz (RSSRK) --> hash --> RETA[hash & 127] --> queue
 * }</pre>
 *
 * <p>Register layouts are those of the Intel 82599 (datasheet section 7.1.2.8, 8.2.3.7; Linux and
 * DPDK ixgbe). Of the enabled functions the first that fits is used: for IPv4 TCP, UDP, plain; for
 * IPv6 TCP-Ex, TCP, UDP-Ex, UDP, Ex, plain (82598 datasheet section 3.5.2.10). Functions on ports
 * take only unfragmented packets; what they leave falls to the plain ones. The Ex functions hash
 * the home address and the type 2 routing address where the packet carries them. A frame that fits
 * no function, and every frame while RSS is off, has type 0, hash 0 and queue 0.
 *
 * <p>A redirection entry has four bits, so RSS by itself reaches 16 queues. More are reached only
 * through a traffic class or a pool, which supplies the upper bits of the queue number: class x 16
 * + 4 RSS bits with 8 classes, class x 32 + 4 bits with 4, pool x 4 + 2 bits with 32 pools, pool x
 * 2 + 1 bit with 64 (Linux ixgbe_lib.c). Classes and pools are not modelled here: {@link
 * #queueIndex} is the RSS part of the number.
 *
 * <p>Allocates nothing after construction. Confined to the simulation thread.
 */
final class ReceiveSideScaling {
  /** Entries of the redirection table. */
  static final int RETA_ENTRIES = 128;

  /** Registers of the redirection table, four entries each. */
  static final int RETA_REGISTERS = RETA_ENTRIES / 4;

  /** Registers of the key, four bytes each. */
  static final int KEY_REGISTERS = ToeplitzHash.KEY_BYTES / 4;

  /** MRQC field bit: TCP over IPv4. */
  static final int FIELD_IPV4_TCP = 1 << 16;

  /** MRQC field bit: IPv4. */
  static final int FIELD_IPV4 = 1 << 17;

  /** MRQC field bit: TCP over IPv6 with extensions. */
  static final int FIELD_IPV6_EX_TCP = 1 << 18;

  /** MRQC field bit: IPv6 with extensions. */
  static final int FIELD_IPV6_EX = 1 << 19;

  /** MRQC field bit: IPv6. */
  static final int FIELD_IPV6 = 1 << 20;

  /** MRQC field bit: TCP over IPv6. */
  static final int FIELD_IPV6_TCP = 1 << 21;

  /** MRQC field bit: UDP over IPv4. */
  static final int FIELD_IPV4_UDP = 1 << 22;

  /** MRQC field bit: UDP over IPv6. */
  static final int FIELD_IPV6_UDP = 1 << 23;

  /** MRQC field bit: UDP over IPv6 with extensions. */
  static final int FIELD_IPV6_EX_UDP = 1 << 24;

  private static final int MODE_MASK = 0xF;
  private static final int MODE_RSS = 0x1;
  private static final int MODE_RSS_8_CLASSES = 0x4;
  private static final int MODE_RSS_4_CLASSES = 0x5;
  private static final int MODE_RSS_32_POOLS = 0xA;
  private static final int MODE_RSS_64_POOLS = 0xB;
  private static final int RETA_WRITABLE = 0x0F0F_0F0F;

  private final ToeplitzHash toeplitz = new ToeplitzHash();
  private final byte[] redirection = new byte[RETA_ENTRIES];
  private int mrqc;
  private int fields;
  private int queueMask;
  private int hash;
  private int rssType;
  private int queueIndex;

  /** Creates the block in its reset state: RSS off, table and key zero. */
  ReceiveSideScaling() {}

  /**
   * Writes the multiple receive queues command register.
   *
   * @param value mode in bits 3:0, hash functions in bits 31:16
   */
  void writeMrqc(int value) {
    mrqc = value;
    queueMask = queueMask(value & MODE_MASK);
    fields = queueMask == 0 ? 0 : value;
  }

  /** {@return the value last written to MRQC} */
  int readMrqc() {
    return mrqc;
  }

  /**
   * Writes four entries of the redirection table.
   *
   * @param index register, 0..31
   * @param value entry 4 x index in bits 7:0 and so on; the low four bits of each byte are kept
   */
  void writeReta(int index, int value) {
    int kept = value & RETA_WRITABLE;
    for (int i = 0; i < 4; i++) {
      redirection[4 * index + i] = (byte) (kept >>> (8 * i));
    }
  }

  /**
   * {@return four entries of the redirection table}
   *
   * @param index register, 0..31
   */
  int readReta(int index) {
    int value = 0;
    for (int i = 3; i >= 0; i--) {
      value = value << 8 | redirection[4 * index + i];
    }
    return value;
  }

  /**
   * Writes four bytes of the key.
   *
   * @param index register, 0..9
   * @param value key byte 4 x index in bits 7:0 and so on
   */
  void writeKey(int index, int value) {
    for (int i = 0; i < 4; i++) {
      toeplitz.setKeyByte(4 * index + i, value >>> (8 * i));
    }
  }

  /**
   * {@return four bytes of the key}
   *
   * @param index register, 0..9
   */
  int readKey(int index) {
    int value = 0;
    for (int i = 3; i >= 0; i--) {
      value = value << 8 | toeplitz.keyByte(4 * index + i);
    }
    return value;
  }

  /**
   * Hashes a frame; the accessors below tell about it until the next call.
   *
   * @param parsed the parse of exactly this frame
   * @param frame its bytes
   * @param offset first byte
   */
  void classify(FrameParser parsed, byte[] frame, int offset) {
    rssType = function(parsed);
    switch (rssType) {
      case RxDescriptorLayout.RSS_NONE -> {
        hash = 0;
        queueIndex = 0;
        return;
      }
      case RxDescriptorLayout.RSS_IPV4,
          RxDescriptorLayout.RSS_IPV4_TCP,
          RxDescriptorLayout.RSS_IPV4_UDP ->
          hash = toeplitz.hash(0, frame, offset + parsed.sourceOffset(), 8);
      case RxDescriptorLayout.RSS_IPV6_EX,
          RxDescriptorLayout.RSS_IPV6_EX_TCP,
          RxDescriptorLayout.RSS_IPV6_EX_UDP ->
          hash =
              toeplitz.hash(0, frame, offset + parsed.homeAddressOffset(), 16)
                  ^ toeplitz.hash(16, frame, offset + parsed.finalDestinationOffset(), 16);
      default -> hash = toeplitz.hash(0, frame, offset + parsed.sourceOffset(), 32);
    }
    if (hashesPorts(rssType)) {
      int position = parsed.isIpv4() ? 8 : 32;
      hash ^= toeplitz.hash(position, frame, offset + parsed.l4Offset(), 4);
    }
    queueIndex = redirection[hash & (RETA_ENTRIES - 1)] & queueMask;
  }

  /** {@return the 32-bit hash of the frame, 0 if none} */
  int hash() {
    return hash;
  }

  /**
   * {@return the function that was used, {@link RxDescriptorLayout#RSS_NONE}..{@link
   * RxDescriptorLayout#RSS_IPV6_EX_UDP}}
   */
  int rssType() {
    return rssType;
  }

  /** {@return the RSS part of the queue number, 0..15} */
  int queueIndex() {
    return queueIndex;
  }

  /** Returns the redirection bits that the mode uses; 0 if it does not hash. */
  private static int queueMask(int mode) {
    return switch (mode) {
      case MODE_RSS, MODE_RSS_8_CLASSES, MODE_RSS_4_CLASSES -> 0xF;
      case MODE_RSS_32_POOLS -> 0x3;
      case MODE_RSS_64_POOLS -> 0x1;
      default -> 0;
    };
  }

  private int function(FrameParser parsed) {
    if (parsed.isIpv4()) {
      return functionOfIpv4(parsed);
    }
    return parsed.isIpv6() ? functionOfIpv6(parsed) : RxDescriptorLayout.RSS_NONE;
  }

  private int functionOfIpv4(FrameParser parsed) {
    if (parsed.isTcp() && enabled(FIELD_IPV4_TCP)) {
      return RxDescriptorLayout.RSS_IPV4_TCP;
    }
    if (parsed.isUdp() && enabled(FIELD_IPV4_UDP)) {
      return RxDescriptorLayout.RSS_IPV4_UDP;
    }
    return enabled(FIELD_IPV4) ? RxDescriptorLayout.RSS_IPV4 : RxDescriptorLayout.RSS_NONE;
  }

  private int functionOfIpv6(FrameParser parsed) {
    if (parsed.isTcp() && enabled(FIELD_IPV6_EX_TCP)) {
      return RxDescriptorLayout.RSS_IPV6_EX_TCP;
    }
    if (parsed.isTcp() && enabled(FIELD_IPV6_TCP)) {
      return RxDescriptorLayout.RSS_IPV6_TCP;
    }
    if (parsed.isUdp() && enabled(FIELD_IPV6_EX_UDP)) {
      return RxDescriptorLayout.RSS_IPV6_EX_UDP;
    }
    if (parsed.isUdp() && enabled(FIELD_IPV6_UDP)) {
      return RxDescriptorLayout.RSS_IPV6_UDP;
    }
    if (enabled(FIELD_IPV6_EX)) {
      return RxDescriptorLayout.RSS_IPV6_EX;
    }
    return enabled(FIELD_IPV6) ? RxDescriptorLayout.RSS_IPV6 : RxDescriptorLayout.RSS_NONE;
  }

  private boolean enabled(int field) {
    return (fields & field) != 0;
  }

  private static boolean hashesPorts(int type) {
    return type != RxDescriptorLayout.RSS_IPV4
        && type != RxDescriptorLayout.RSS_IPV6
        && type != RxDescriptorLayout.RSS_IPV6_EX;
  }
}
