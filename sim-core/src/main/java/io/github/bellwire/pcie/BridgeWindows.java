package io.github.bellwire.pcie;

/** The buses and memory windows of a bridge as its type 1 header places them. */
final class BridgeWindows {
  private int secondaryBus;
  private int subordinateBus;
  private long memoryBase;
  private long memoryLast;
  private long prefetchableBase;
  private long prefetchableLast;
  private boolean isMemoryEnabled;

  BridgeWindows() {}

  /** Writes reset values and access rights of a type 1 header: no bus, and all windows closed. */
  static void install(ConfigRegisters registers) {
    registers.set32(ConfigLayout.CACHE_LINE_SIZE, BridgeLayout.HEADER_TYPE_BRIDGE << Short.SIZE);
    registers.writable32(BridgeLayout.PRIMARY_BUS, 0x00FF_FFFF);
    int window = BridgeLayout.WINDOW_ADDRESS_MASK;
    int both = window << Short.SIZE | window;
    // A window whose limit lies below its base is closed.
    registers.set32(BridgeLayout.MEMORY_BASE, window);
    registers.writable32(BridgeLayout.MEMORY_BASE, both);
    int is64 = BridgeLayout.PREFETCHABLE_64 << Short.SIZE | BridgeLayout.PREFETCHABLE_64;
    registers.set32(BridgeLayout.PREFETCHABLE_BASE, window | is64);
    registers.writable32(BridgeLayout.PREFETCHABLE_BASE, both);
    registers.writable32(BridgeLayout.PREFETCHABLE_BASE_UPPER, -1);
    registers.writable32(BridgeLayout.PREFETCHABLE_LIMIT_UPPER, -1);
    registers.clearable16(BridgeLayout.SECONDARY_STATUS, ConfigLayout.STATUS_RW1C);
    registers.writable16(
        BridgeLayout.BRIDGE_CONTROL,
        BridgeLayout.BRIDGE_CONTROL_SERR_ENABLE | BridgeLayout.BRIDGE_CONTROL_SECONDARY_BUS_RESET);
  }

  void decode(ConfigRegisters registers, boolean memoryEnabled) {
    isMemoryEnabled = memoryEnabled;
    int buses = registers.value(BridgeLayout.PRIMARY_BUS);
    secondaryBus = buses >>> 8 & 0xFF;
    subordinateBus = buses >>> 16 & 0xFF;
    int memory = registers.value(BridgeLayout.MEMORY_BASE);
    memoryBase = base(memory, 0);
    memoryLast = last(memory, 0);
    int prefetchable = registers.value(BridgeLayout.PREFETCHABLE_BASE);
    prefetchableBase = base(prefetchable, registers.value(BridgeLayout.PREFETCHABLE_BASE_UPPER));
    prefetchableLast = last(prefetchable, registers.value(BridgeLayout.PREFETCHABLE_LIMIT_UPPER));
  }

  /** {@return whether a memory request from above is forwarded down} */
  boolean forwards(long address) {
    return isMemoryEnabled
        && (address >= memoryBase && address <= memoryLast
            || address >= prefetchableBase && address <= prefetchableLast);
  }

  /** {@return whether a bus lies below} */
  boolean hasBus(int bus) {
    return secondaryBus != 0 && bus >= secondaryBus && bus <= subordinateBus;
  }

  int secondaryBus() {
    return secondaryBus;
  }

  long memoryBase() {
    return memoryBase;
  }

  /** {@return the size of the 32-bit window, 0 if it is closed} */
  long memoryBytes() {
    return Math.max(0, memoryLast + 1 - memoryBase);
  }

  long prefetchableBase() {
    return prefetchableBase;
  }

  /** {@return the size of the 64-bit window, 0 if it is closed} */
  long prefetchableBytes() {
    return Math.max(0, prefetchableLast + 1 - prefetchableBase);
  }

  private static long base(int register, int upper) {
    long low = register & BridgeLayout.WINDOW_ADDRESS_MASK;
    return (long) upper << Integer.SIZE | low << BridgeLayout.WINDOW_ADDRESS_SHIFT;
  }

  private static long last(int register, int upper) {
    return base(register >>> Short.SIZE, upper) | BridgeLayout.WINDOW_GRANULE_BYTES - 1;
  }
}
