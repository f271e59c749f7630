package io.github.bellwire.examples.pcap;

/** Offsets, lengths and constants of the classic pcap format (draft-ietf-opsawg-pcap). */
final class PcapLayout {
  static final int MAGIC_MICROSECONDS = 0xa1b2c3d4;
  static final int MAGIC_NANOSECONDS = 0xa1b23c4d;

  /** The first word of a pcapng file, the same in both byte orders. */
  static final int MAGIC_PCAPNG = 0x0a0d0d0a;

  /** The first two bytes of a gzip file, big-endian (RFC 1952, section 2.3.1). */
  static final int MAGIC_GZIP = 0x1f8b;

  static final int FILE_HEADER_BYTES = 24;
  static final int MAGIC_OFFSET = 0;
  static final int VERSION_MAJOR_OFFSET = 4;
  static final int VERSION_MINOR_OFFSET = 6;
  static final int SNAPLEN_OFFSET = 16;
  static final int LINK_TYPE_OFFSET = 20;

  static final int VERSION_MAJOR = 2;
  static final int VERSION_MINOR = 4;

  static final int LINK_TYPE_MASK = 0x0000ffff;
  static final int LINK_TYPE_RESERVED_MASK = 0x03ff0000;
  static final int LINK_TYPE_FCS_PRESENT = 0x04000000;
  static final int LINK_TYPE_FCS_WORDS_SHIFT = 28;
  static final int LINK_TYPE_ETHERNET = 1;

  static final int RECORD_HEADER_BYTES = 16;
  static final int SECONDS_OFFSET = 0;
  static final int SUBSECONDS_OFFSET = 4;
  static final int CAPTURED_LENGTH_OFFSET = 8;
  static final int ORIGINAL_LENGTH_OFFSET = 12;

  /** The longest record that ordinary tools write (MAXIMUM_SNAPLEN of libpcap). */
  static final int CAPTURED_LENGTH_MAX = 262_144;

  private PcapLayout() {}
}
