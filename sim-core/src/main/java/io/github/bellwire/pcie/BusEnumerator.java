package io.github.bellwire.pcie;

import static java.util.Objects.requireNonNull;

import java.util.ArrayList;
import java.util.List;

/**
 * What the host's firmware does before any driver runs: finds the functions and numbers the buses,
 * sizes and places all windows, enables bridges and memory decoding and programs payload and read
 * request size, all by reads and writes of configuration space. Bus mastering of devices is left to
 * their drivers.
 *
 * <pre>{@code
 * bus 0:  root port 00.0        root port 01.0             root port n
 *              |                     |                         |
 * bus:     1: 00.0 device       2: 00.0 switch            6: 00.0 device
 *                                    |
 * bus 3:             port 00.0              port 01.0
 *                        |                      |
 * bus:               4: 00.0 device         5: 00.0 device
 * }</pre>
 *
 * <p>Buses are numbered depth first. Below a bridge, windows are placed largest first, in the order
 * of discovery among equals, each at the next multiple of its size: 32-bit BARs in the memory
 * window, 64-bit BARs in the prefetchable one whether prefetchable or not, which the specification
 * allows where all is PCI Express (section 7.5.1.2.1, implementation note). Not modelled: the time
 * of configuration accesses.
 */
public final class BusEnumerator {
  private static final int DEVICES_MAX = 32;
  private static final int FUNCTIONS_MAX = 8;
  private static final int BUS_MAX = 255;
  private static final int MULTI_FUNCTION = 0x80;
  private static final int ABSENT = 0xFFFF;

  private final EnumerationConfig config;

  /**
   * Creates a firmware.
   *
   * @param config windows and sizes
   */
  public BusEnumerator(EnumerationConfig config) {
    this.config = requireNonNull(config, "config");
  }

  /**
   * Sets up all functions below a root complex. Runs as after a reset: numbers and placements of an
   * earlier run are not kept.
   *
   * @param rootComplex the root complex with everything plugged in
   * @return the functions that are not bridges, depth first, in the order of root ports and ports
   *     of switches; immutable
   * @throws IllegalStateException if the windows do not fit, or if there are more than 255 buses
   */
  public List<EnumeratedFunction> enumerate(RootComplex rootComplex) {
    Scan scan = new Scan(rootComplex);
    List<Node> roots = scan.scanBus(0, DEVICES_MAX, PcieCapability.sizeCode(4096));
    AddressWindow memory32 = AddressWindow.ofBridge();
    AddressWindow memory64 = AddressWindow.ofBridge();
    for (Node root : roots) {
      layOut(root, memory32, memory64);
    }
    place(memory32, config.window32Base(), config.window32Bytes());
    place(memory64, config.window64Base(), config.window64Bytes());
    List<EnumeratedFunction> functions = new ArrayList<>();
    for (Node root : roots) {
      setUp(rootComplex, root, functions);
    }
    return List.copyOf(functions);
  }

  /**
   * Sets up the device that has been put into a slot, inside the bus number and the windows that
   * {@link #enumerate} has given to the slot. Everything else stays as it is.
   *
   * @param rootComplex the root complex
   * @param port the slot; its link is up
   * @return the device's functions, none if the slot is empty; immutable
   * @throws IllegalStateException if the device's windows do not fit
   */
  public List<EnumeratedFunction> enumerateSlot(RootComplex rootComplex, DownstreamPort port) {
    BridgeWindows windows = port.configSpace().bridge();
    Scan scan = new Scan(rootComplex);
    int payloadCode = PcieCapability.sizeCode(port.configSpace().maxPayloadBytes());
    AddressWindow memory32 = AddressWindow.ofBridge();
    AddressWindow memory64 = AddressWindow.ofBridge();
    List<Node> found = scan.scanBus(windows.secondaryBus(), 1, payloadCode);
    for (Node node : found) {
      layOut(node, memory32, memory64);
    }
    place(memory32, windows.memoryBase(), windows.memoryBytes());
    place(memory64, windows.prefetchableBase(), windows.prefetchableBytes());
    List<EnumeratedFunction> functions = new ArrayList<>();
    for (Node node : found) {
      setUp(rootComplex, node, functions);
    }
    return List.copyOf(functions);
  }

  /** A function that was found, and what is below it if it is a bridge. */
  private static final class Node {
    final Bdf bdf;
    final boolean isBridge;
    long minWindowBytes;
    final List<AddressWindow> bars = new ArrayList<>();
    final AddressWindow memory32 = AddressWindow.ofBridge();
    final AddressWindow memory64 = AddressWindow.ofBridge();
    List<Node> children = List.of();

    Node(Bdf bdf, boolean isBridge) {
      this.bdf = bdf;
      this.isBridge = isBridge;
    }
  }

  /** The walk that numbers buses, probes BARs and programs sizes. */
  private final class Scan {
    private final Ecam ecam;
    private int lastBus;

    Scan(RootComplex rootComplex) {
      ecam = rootComplex.ecam();
    }

    /**
     * Finds what is on a bus and below.
     *
     * @param devicesCount how many device numbers there may be: 1 at the far end of a link
     * @param payloadCode the largest payload that everything above takes
     */
    List<Node> scanBus(int bus, int devicesCount, int payloadCode) {
      List<Node> nodes = new ArrayList<>();
      for (int device = 0; device < devicesCount; device++) {
        int functionsCount = 1;
        for (int function = 0; function < functionsCount; function++) {
          Bdf bdf = new Bdf(bus, device, function);
          if (ecam.read(bdf, ConfigLayout.VENDOR_ID, 2) == ABSENT) {
            continue;
          }
          int headerType = ecam.read(bdf, ConfigLayout.HEADER_TYPE, 1);
          if ((headerType & MULTI_FUNCTION) != 0) {
            functionsCount = FUNCTIONS_MAX;
          }
          nodes.add(scanFunction(bdf, headerType & ~MULTI_FUNCTION, payloadCode));
        }
      }
      return nodes;
    }

    private Node scanFunction(Bdf bdf, int headerType, int payloadCodeAbove) {
      boolean isBridge = headerType == BridgeLayout.HEADER_TYPE_BRIDGE;
      Node node = new Node(bdf, isBridge);
      int command = ecam.read(bdf, ConfigLayout.COMMAND, 2);
      ecam.write(bdf, ConfigLayout.COMMAND, 2, command & ~ConfigLayout.COMMAND_MEMORY_ENABLE);
      sizeBars(node, isBridge ? BridgeLayout.BAR_COUNT : ConfigLayout.BAR_COUNT);
      int pcie = findPcie(bdf);
      int payloadCode = programSizes(bdf, pcie, payloadCodeAbove);
      if (isBridge) {
        int type =
            ecam.read(bdf, pcie + ConfigLayout.PCIE_CAPABILITIES, 2)
                    >> ConfigLayout.PCIE_CAPABILITIES_TYPE_SHIFT
                & 0xF;
        int slot = ecam.read(bdf, pcie + ConfigLayout.SLOT_CAPABILITIES, 4);
        boolean isSlot = (slot & ConfigLayout.SLOT_CAPABILITIES_HOT_PLUG) != 0;
        node.minWindowBytes = isSlot ? config.slotWindowBytes() : 0;
        boolean isSwitch = type == PortType.SWITCH_UPSTREAM.code();
        node.children = scanBehind(bdf, isSwitch ? DEVICES_MAX : 1, payloadCode);
      }
      return node;
    }

    /** Opens a bridge to all further buses, scans them, and closes it behind the last. */
    private List<Node> scanBehind(Bdf bridge, int devicesCount, int payloadCode) {
      if (lastBus == BUS_MAX) {
        throw new IllegalStateException("bus numbers are exhausted: bridge=" + bridge);
      }
      int secondary = ++lastBus;
      ecam.write(bridge, BridgeLayout.PRIMARY_BUS, 1, bridge.bus());
      ecam.write(bridge, BridgeLayout.SECONDARY_BUS, 1, secondary);
      ecam.write(bridge, BridgeLayout.SUBORDINATE_BUS, 1, BUS_MAX);
      List<Node> children = scanBus(secondary, devicesCount, payloadCode);
      ecam.write(bridge, BridgeLayout.SUBORDINATE_BUS, 1, lastBus);
      return children;
    }

    /** Writes all ones to each BAR and reads back which bits are address. */
    private void sizeBars(Node node, int barCount) {
      for (int index = 0; index < barCount; index++) {
        int offset = ConfigLayout.barOffset(index);
        int low = probe(node.bdf, offset);
        if (low == 0) {
          continue;
        }
        boolean is64Bit = (low & ConfigLayout.BAR_TYPE_64) != 0;
        long mask = low & ~ConfigLayout.BAR_ATTRIBUTES;
        if (is64Bit) {
          long high = probe(node.bdf, offset + Integer.BYTES);
          mask = mask & 0xFFFF_FFFFL | high << Integer.SIZE;
        }
        boolean prefetchable = (low & ConfigLayout.BAR_PREFETCHABLE) != 0;
        Bar bar = new Bar(index, is64Bit, prefetchable, -mask);
        node.bars.add(AddressWindow.ofBar(bar));
        index += bar.registerCount() - 1;
      }
    }

    private int probe(Bdf bdf, int offset) {
      ecam.write(bdf, offset, 4, -1);
      return ecam.read(bdf, offset, 4);
    }

    private int findPcie(Bdf bdf) {
      int offset = ecam.read(bdf, ConfigLayout.CAPABILITIES_POINTER, 1);
      while (ecam.read(bdf, offset, 1) != CapabilityId.PCI_EXPRESS.code()) {
        offset = ecam.read(bdf, offset + 1, 1);
      }
      return offset;
    }

    /**
     * Payload: what the function and everything above can take. Read requests and relaxed ordering:
     * what the host wishes. Tags: all there are. Returns the payload's code.
     */
    private int programSizes(Bdf bdf, int pcie, int payloadCodeAbove) {
      int capabilities = ecam.read(bdf, pcie + ConfigLayout.DEVICE_CAPABILITIES, 4);
      int supportedCode = capabilities & ConfigLayout.DEVICE_CAPABILITIES_MPS_MASK;
      int limitCode = Math.min(payloadCodeAbove, PcieCapability.sizeCode(config.maxPayloadBytes()));
      int payloadCode = Math.min(limitCode, supportedCode);
      int requestCode = PcieCapability.sizeCode(config.maxReadRequestBytes());
      int control =
          ecam.read(bdf, pcie + ConfigLayout.DEVICE_CONTROL, 2)
              & ~(ConfigLayout.DEVICE_CONTROL_MPS_MASK
                  | ConfigLayout.DEVICE_CONTROL_MRRS_MASK
                  | (config.relaxedOrdering() ? 0 : ConfigLayout.DEVICE_CONTROL_RELAXED_ORDERING));
      ecam.write(
          bdf,
          pcie + ConfigLayout.DEVICE_CONTROL,
          2,
          control
              | extendedTag(capabilities)
              | payloadCode << ConfigLayout.DEVICE_CONTROL_MPS_SHIFT
              | requestCode << ConfigLayout.DEVICE_CONTROL_MRRS_SHIFT);
      return payloadCode;
    }
  }

  /** Arranges what is below a function and adds its own windows to those around it. */
  private static void layOut(Node node, AddressWindow around32, AddressWindow around64) {
    for (AddressWindow window : node.bars) {
      Bar bar = requireNonNull(window.bar(), "bar");
      (bar.is64Bit() ? around64 : around32).add(window);
    }
    if (node.isBridge) {
      for (Node child : node.children) {
        layOut(child, node.memory32, node.memory64);
      }
      node.memory32.layOut(node.minWindowBytes);
      node.memory64.layOut(node.minWindowBytes);
      around32.add(node.memory32);
      around64.add(node.memory64);
    }
  }

  private static void place(AddressWindow window, long base, long sizeBytes) {
    window.layOut(0);
    long address = AddressWindow.roundUp(base, window.alignmentBytes());
    if (address + window.sizeBytes() > base + sizeBytes) {
      throw new IllegalStateException(
          String.format(
              "window 0x%x..0x%x is too small: 0x%x bytes are needed from 0x%x on",
              base, base + sizeBytes - 1, window.sizeBytes(), address));
    }
    window.place(address);
  }

  private static void setUp(
      RootComplex rootComplex, Node node, List<EnumeratedFunction> functions) {
    Ecam ecam = rootComplex.ecam();
    List<AssignedBar> bars = new ArrayList<>();
    for (AddressWindow window : node.bars) {
      Bar bar = requireNonNull(window.bar(), "bar");
      writeAddress(ecam, node.bdf, bar, window.address());
      bars.add(new AssignedBar(bar, window.address()));
    }
    int enable = ConfigLayout.COMMAND_MEMORY_ENABLE;
    if (node.isBridge) {
      writeWindows(ecam, node);
      enable |= ConfigLayout.COMMAND_BUS_MASTER_ENABLE;
    }
    int command = ecam.read(node.bdf, ConfigLayout.COMMAND, 2);
    ecam.write(node.bdf, ConfigLayout.COMMAND, 2, command | enable);
    if (!node.isBridge) {
      functions.add(
          new EnumeratedFunction(
              node.bdf,
              rootComplex.portOf(node.bdf).endpoint(),
              ecam.read(node.bdf, ConfigLayout.VENDOR_ID, 2),
              ecam.read(node.bdf, ConfigLayout.DEVICE_ID, 2),
              ecam.read(node.bdf, ConfigLayout.REVISION_ID, 4) >>> Byte.SIZE,
              bars));
    }
    for (Node child : node.children) {
      setUp(rootComplex, child, functions);
    }
  }

  private static void writeAddress(Ecam ecam, Bdf bdf, Bar bar, long address) {
    int offset = ConfigLayout.barOffset(bar.index());
    ecam.write(bdf, offset, 4, (int) address);
    if (bar.is64Bit()) {
      ecam.write(bdf, offset + Integer.BYTES, 4, (int) (address >>> Integer.SIZE));
    }
  }

  /**
   * Opens the windows of a bridge, and the way for error messages; a window without content gets
   * its limit below its base.
   */
  private static void writeWindows(Ecam ecam, Node node) {
    ecam.write(node.bdf, BridgeLayout.BRIDGE_CONTROL, 2, BridgeLayout.BRIDGE_CONTROL_SERR_ENABLE);
    long base32 = node.memory32.address();
    long last32 = base32 + node.memory32.sizeBytes() - 1;
    ecam.write(node.bdf, BridgeLayout.MEMORY_BASE, 4, windowRegister(base32, last32));
    long base64 = node.memory64.address();
    long last64 = base64 + node.memory64.sizeBytes() - 1;
    ecam.write(node.bdf, BridgeLayout.PREFETCHABLE_BASE, 4, windowRegister(base64, last64));
    int upper = Integer.SIZE;
    ecam.write(node.bdf, BridgeLayout.PREFETCHABLE_BASE_UPPER, 4, (int) (base64 >>> upper));
    ecam.write(node.bdf, BridgeLayout.PREFETCHABLE_LIMIT_UPPER, 4, (int) (last64 >>> upper));
  }

  private static int windowRegister(long base, long last) {
    int mask = BridgeLayout.WINDOW_ADDRESS_MASK;
    int low = (int) (base >>> BridgeLayout.WINDOW_ADDRESS_SHIFT) & mask;
    int high = (int) (last >>> BridgeLayout.WINDOW_ADDRESS_SHIFT) & mask;
    return high << Short.SIZE | low;
  }

  private static int extendedTag(int capabilities) {
    return (capabilities & ConfigLayout.DEVICE_CAPABILITIES_EXTENDED_TAG) == 0
        ? 0
        : ConfigLayout.DEVICE_CONTROL_EXTENDED_TAG;
  }
}
