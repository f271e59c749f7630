package io.github.bellwire.cache;

/**
 * How the caches treat the requests of one root port.
 *
 * @param allocatesOnWrite whether writes update or allocate in the last-level cache (direct cache
 *     access, DDIO) or go to memory; a switch of each root port on Xeon servers (PERFCTRLSTS_0, bit
 *     7, Use_Allocating_Flow_Wr)
 * @param socket the socket whose root complex the port belongs to, 0..7
 */
public record DevicePortConfig(boolean allocatesOnWrite, int socket) {
  private static final int SOCKET_MAX = 7;

  /** As after power-on: writes allocate; socket 0. */
  public static final DevicePortConfig DEFAULT = new DevicePortConfig(true, 0);

  // Checked here and nowhere else.
  public DevicePortConfig {
    if (socket < 0 || socket > SOCKET_MAX) {
      throw new IllegalArgumentException("socket must be 0.." + SOCKET_MAX + ": socket=" + socket);
    }
  }

  /**
   * {@return this configuration with another switch position}
   *
   * @param newAllocatesOnWrite as in the constructor
   */
  public DevicePortConfig withAllocatesOnWrite(boolean newAllocatesOnWrite) {
    return new DevicePortConfig(newAllocatesOnWrite, socket);
  }

  /**
   * {@return this configuration on another socket}
   *
   * @param newSocket as in the constructor
   */
  public DevicePortConfig withSocket(int newSocket) {
    return new DevicePortConfig(allocatesOnWrite, newSocket);
  }
}
