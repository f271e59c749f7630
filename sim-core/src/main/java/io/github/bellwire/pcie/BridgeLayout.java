package io.github.bellwire.pcie;

/**
 * Offsets and bits of a type 1 configuration space where it differs from {@link ConfigLayout} (PCI
 * Express Base Specification 5.0, section 7.5.1.3).
 *
 * <pre>{@code
 *       31           24 23           16 15            8 7             0
 *      +-------------------------------+-------------------------------+
 * 010  |                 Base Address Registers 0..1                   |
 * 018  |Secondary Timer|  Subordinate  |   Secondary   |    Primary    |
 * 01C  |       Secondary Status        |   I/O Limit   |   I/O Base    |
 * 020  |         Memory Limit          |          Memory Base          |
 * 024  |  Prefetchable Memory Limit    |   Prefetchable Memory Base    |
 * 028  |            Prefetchable Base, upper 32 bits                   |
 * 02C  |            Prefetchable Limit, upper 32 bits                  |
 * 030  |       I/O Limit, upper        |       I/O Base, upper         |
 * 034  |                                               | Capabilities  |
 * 03C  |        Bridge Control         |Interrupt Pin  |Interrupt Line |
 *      +---------------------------------------------------------------+
 * }</pre>
 */
final class BridgeLayout {
  /** Header type: the function is a bridge. */
  public static final int HEADER_TYPE_BRIDGE = 1;

  /** Number of base address registers. */
  public static final int BAR_COUNT = 2;

  /** Primary bus number, 8 bits, without effect on PCI Express (7.5.1.3.1). */
  public static final int PRIMARY_BUS = 0x18;

  /** Secondary bus number, 8 bits: the bus below the bridge (7.5.1.3.2). */
  public static final int SECONDARY_BUS = 0x19;

  /** Subordinate bus number, 8 bits: the highest bus below the bridge (7.5.1.3.3). */
  public static final int SUBORDINATE_BUS = 0x1A;

  /** Secondary status, 16 bits (7.5.1.3.7). */
  public static final int SECONDARY_STATUS = 0x1E;

  /** Memory base, 16 bits: address bits 31:20 in 15:4 (7.5.1.3.8). */
  public static final int MEMORY_BASE = 0x20;

  /** Memory limit, 16 bits: as the base, of the last MiB. */
  public static final int MEMORY_LIMIT = 0x22;

  /** Prefetchable memory base, 16 bits (7.5.1.3.9). */
  public static final int PREFETCHABLE_BASE = 0x24;

  /** Prefetchable memory limit, 16 bits. */
  public static final int PREFETCHABLE_LIMIT = 0x26;

  /** Prefetchable base and limit: 64-bit addresses are supported. */
  public static final int PREFETCHABLE_64 = 1;

  /** Prefetchable base, address bits 63:32 (7.5.1.3.10). */
  public static final int PREFETCHABLE_BASE_UPPER = 0x28;

  /** Prefetchable limit, address bits 63:32. */
  public static final int PREFETCHABLE_LIMIT_UPPER = 0x2C;

  /** Base and limit registers: the address bits of the register. */
  public static final int WINDOW_ADDRESS_MASK = 0xFFF0;

  /** How far address bit 20 stands above bit 4 of a base or limit register. */
  public static final int WINDOW_ADDRESS_SHIFT = 16;

  /** Windows begin and end at multiples of this many bytes. */
  public static final int WINDOW_GRANULE_BYTES = 1 << 20;

  /** Bridge control, 16 bits (7.5.1.3.13). */
  public static final int BRIDGE_CONTROL = 0x3E;

  /** Bridge control: forward error messages from the secondary side. */
  public static final int BRIDGE_CONTROL_SERR_ENABLE = 1 << 1;

  /** Bridge control: hot reset of everything below. */
  public static final int BRIDGE_CONTROL_SECONDARY_BUS_RESET = 1 << 6;

  private BridgeLayout() {}
}
