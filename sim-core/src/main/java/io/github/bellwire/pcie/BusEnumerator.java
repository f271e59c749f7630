package io.github.bellwire.pcie;

import static java.util.Objects.requireNonNull;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * What the host's firmware does before any driver runs: numbers the functions, sizes and places
 * their windows, enables memory decoding and programs payload and read request size, all by reads
 * and writes of configuration space. Bus mastering is left to the driver.
 *
 * <pre>{@code
 * bus 0:  root port 00.0   root port 01.0   ...   root port n
 *              |                |                     |
 * bus:     1: 00.0          2: 00.0              n+1: 00.0
 * }</pre>
 *
 * <p>Windows are placed largest first, in the order of ports and BARs among equals, each at the
 * next multiple of its size: 32-bit BARs below 4 GiB, 64-bit BARs above, prefetchable or not. Not
 * modelled: the windows of bridges, hot-plug, the time of configuration accesses.
 */
public final class BusEnumerator {
  private static final int MAX_PORTS = 32;

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
   * Sets up one function below each root port. Runs as after a reset: placements of an earlier run
   * are not kept.
   *
   * @param endpoints the function below root port 0, 1, ...; at most 32
   * @return the functions in the same order; immutable
   * @throws IllegalArgumentException if there are more than 32
   * @throws IllegalStateException if the windows do not fit
   */
  public List<EnumeratedFunction> enumerate(List<? extends Endpoint> endpoints) {
    if (endpoints.size() > MAX_PORTS) {
      throw new IllegalArgumentException(
          "endpoints must be at most 32: endpoints=" + endpoints.size());
    }
    List<Request> requests = new ArrayList<>();
    for (int port = 0; port < endpoints.size(); port++) {
      sizeBars(port, endpoints.get(port).configSpace(), requests);
    }
    place(requests);
    List<EnumeratedFunction> functions = new ArrayList<>();
    for (int port = 0; port < endpoints.size(); port++) {
      functions.add(setUp(port, endpoints.get(port), requests));
    }
    return List.copyOf(functions);
  }

  /** A window to be placed. */
  private static final class Request {
    final int port;
    final Bar bar;
    long address;

    Request(int port, Bar bar) {
      this.port = port;
      this.bar = bar;
    }
  }

  /** Writes all ones to each BAR and reads back which bits are address. */
  private static void sizeBars(int port, ConfigSpace space, List<Request> requests) {
    int command = space.read(ConfigLayout.COMMAND, 2);
    space.write(ConfigLayout.COMMAND, 2, command & ~ConfigLayout.COMMAND_MEMORY_ENABLE);
    for (int index = 0; index < ConfigLayout.BAR_COUNT; index++) {
      int offset = ConfigLayout.barOffset(index);
      int low = probe(space, offset);
      if (low == 0) {
        continue;
      }
      boolean is64Bit = (low & ConfigLayout.BAR_TYPE_64) != 0;
      long mask = low & ~ConfigLayout.BAR_ATTRIBUTES;
      if (is64Bit) {
        mask = mask & 0xFFFF_FFFFL | (long) probe(space, offset + Integer.BYTES) << Integer.SIZE;
      }
      boolean prefetchable = (low & ConfigLayout.BAR_PREFETCHABLE) != 0;
      Bar bar = new Bar(index, is64Bit, prefetchable, -mask);
      requests.add(new Request(port, bar));
      index += bar.registerCount() - 1;
    }
  }

  private static int probe(ConfigSpace space, int offset) {
    space.write(offset, 4, -1);
    return space.read(offset, 4);
  }

  private void place(List<Request> requests) {
    List<Request> bySize = new ArrayList<>(requests);
    // A stable sort: ports and BARs keep their order among equals.
    bySize.sort(Comparator.comparingLong((Request request) -> request.bar.sizeBytes()).reversed());
    long next32 = config.window32Base();
    long next64 = config.window64Base();
    for (Request request : bySize) {
      if (request.bar.is64Bit()) {
        next64 = place(request, next64, config.window64Base(), config.window64Bytes());
      } else {
        next32 = place(request, next32, config.window32Base(), config.window32Bytes());
      }
    }
  }

  /** Places a window at or after {@code next} and returns where it ends. */
  private static long place(Request request, long next, long windowBase, long windowBytes) {
    long sizeBytes = request.bar.sizeBytes();
    long address = next + sizeBytes - 1 & -sizeBytes;
    if (address + sizeBytes > windowBase + windowBytes) {
      throw new IllegalStateException(
          String.format(
              "window 0x%x..0x%x is exhausted: root port %d, %s, next free 0x%x",
              windowBase, windowBase + windowBytes - 1, request.port, request.bar, next));
    }
    request.address = address;
    return address + sizeBytes;
  }

  private EnumeratedFunction setUp(int port, Endpoint endpoint, List<Request> requests) {
    ConfigSpace space = endpoint.configSpace();
    List<AssignedBar> bars = new ArrayList<>();
    for (Request request : requests) {
      if (request.port == port) {
        writeAddress(space, request);
        bars.add(new AssignedBar(request.bar, request.address));
      }
    }
    programSizes(space);
    int command = space.read(ConfigLayout.COMMAND, 2);
    space.write(ConfigLayout.COMMAND, 2, command | ConfigLayout.COMMAND_MEMORY_ENABLE);
    return new EnumeratedFunction(
        new Bdf(port + 1, 0, 0),
        endpoint,
        space.read(ConfigLayout.VENDOR_ID, 2),
        space.read(ConfigLayout.DEVICE_ID, 2),
        space.read(ConfigLayout.REVISION_ID, 4) >>> Byte.SIZE,
        bars);
  }

  private static void writeAddress(ConfigSpace space, Request request) {
    int offset = ConfigLayout.barOffset(request.bar.index());
    space.write(offset, 4, (int) request.address);
    if (request.bar.is64Bit()) {
      space.write(offset + Integer.BYTES, 4, (int) (request.address >>> Integer.SIZE));
    }
  }

  /** Payload: what both ends can take. Read requests: what the host wishes. Tags: all there are. */
  private void programSizes(ConfigSpace space) {
    int pcie = space.findCapability(CapabilityId.PCI_EXPRESS);
    int capabilities = space.read(pcie + ConfigLayout.DEVICE_CAPABILITIES, 4);
    int supportedCode = capabilities & ConfigLayout.DEVICE_CAPABILITIES_MPS_MASK;
    int payloadCode = Math.min(PcieCapability.sizeCode(config.maxPayloadBytes()), supportedCode);
    int requestCode = PcieCapability.sizeCode(config.maxReadRequestBytes());
    int control =
        space.read(pcie + ConfigLayout.DEVICE_CONTROL, 2)
            & ~(ConfigLayout.DEVICE_CONTROL_MPS_MASK | ConfigLayout.DEVICE_CONTROL_MRRS_MASK);
    space.write(
        pcie + ConfigLayout.DEVICE_CONTROL,
        2,
        control
            | extendedTag(capabilities)
            | payloadCode << ConfigLayout.DEVICE_CONTROL_MPS_SHIFT
            | requestCode << ConfigLayout.DEVICE_CONTROL_MRRS_SHIFT);
  }

  private static int extendedTag(int capabilities) {
    return (capabilities & ConfigLayout.DEVICE_CAPABILITIES_EXTENDED_TAG) == 0
        ? 0
        : ConfigLayout.DEVICE_CONTROL_EXTENDED_TAG;
  }
}
