package io.github.bellwire.device.drive;

import static java.util.Objects.requireNonNull;

import io.github.bellwire.kernel.Event;
import io.github.bellwire.kernel.Simulation;
import io.github.bellwire.memory.LittleEndian;
import io.github.bellwire.pcie.Bar;
import io.github.bellwire.pcie.ConfigSpace;
import io.github.bellwire.pcie.ConfigSpaceBuilder;
import io.github.bellwire.pcie.DmaPort;
import io.github.bellwire.pcie.DmaStatus;
import io.github.bellwire.pcie.Endpoint;
import io.github.bellwire.pcie.PcieLinkConfig;
import org.jspecify.annotations.Nullable;

/**
 * A drive that answers reads of one size in the order in which they come, each after a latency and
 * none sooner behind the one before than its rate allows. Confined to the simulation thread.
 */
public final class FixedRateDrive implements Endpoint {
  private static final int VENDOR_RED_HAT = 0x1B36;
  private static final int DEVICE_NVME = 0x0010;
  private static final int CLASS_NVME = 0x010802;
  private static final int PCIE_CAPABILITY = 0x40;
  private static final int MPS_SUPPORTED_BYTES = 512;
  private static final int WINDOW_BYTES = 4096;
  private static final int QUEUES = WINDOW_BYTES / DriveLayout.QUEUE_BYTES;
  private static final int OUTSTANDING_MAX = 1 << 14;

  private final DriveConfig config;
  private final Simulation simulation;
  private final ConfigSpace configSpace;
  private final byte[] data;
  private final byte[] status = new byte[DriveLayout.STATUS_BYTES];
  private final long[] statusRings = new long[QUEUES];
  private final long[] messageAddresses = new long[QUEUES];
  private final int[] messageData = new int[QUEUES];
  private final long[] done = new long[QUEUES];

  // Reads that have not been answered, in order.
  private final long[] buffers = new long[OUTSTANDING_MAX];
  private final int[] queues = new int[OUTSTANDING_MAX];
  private final long[] duePs = new long[OUTSTANDING_MAX];
  private long head;
  private long tail;
  private long lastDuePs;
  private final Event server;
  private @Nullable DmaPort dma;
  private long refusedTotal;

  /**
   * Creates a drive.
   *
   * @param config what it can do
   * @param slot the slot that it is made for
   * @param simulation the clock
   */
  public FixedRateDrive(DriveConfig config, PcieLinkConfig slot, Simulation simulation) {
    this.config = requireNonNull(config, "config");
    this.simulation = requireNonNull(simulation, "simulation");
    data = new byte[config.blockBytes()];
    for (int i = 0; i < data.length; i++) {
      data[i] = (byte) (i * 31 + 7);
    }
    configSpace =
        new ConfigSpaceBuilder(VENDOR_RED_HAT, DEVICE_NVME)
            .classCode(CLASS_NVME)
            .bar(Bar.memory64(0, WINDOW_BYTES))
            .pcie(
                PCIE_CAPABILITY,
                slot.generation().number(),
                slot.lanes(),
                MPS_SUPPORTED_BYTES,
                true)
            .build();
    server =
        new Event() {
          @Override
          protected void onEvent(long nowPs) {
            answer(nowPs);
          }
        };
  }

  @Override
  public void mmioWrite(int bar, long offset, int sizeBytes, long value, long nowPs) {
    int queue = (int) (offset / DriveLayout.QUEUE_BYTES);
    switch ((int) (offset % DriveLayout.QUEUE_BYTES)) {
      case DriveLayout.SUBMIT -> submit(queue, value, nowPs);
      case DriveLayout.STATUS_RING -> statusRings[queue] = value;
      case DriveLayout.MESSAGE_ADDRESS -> messageAddresses[queue] = value;
      case DriveLayout.MESSAGE_DATA -> messageData[queue] = (int) value;
      default -> {
        // Reserved.
      }
    }
  }

  private void submit(int queue, long buffer, long nowPs) {
    if (tail - head == OUTSTANDING_MAX) {
      refusedTotal++;
      return;
    }
    int slot = (int) tail & OUTSTANDING_MAX - 1;
    lastDuePs = Math.max(nowPs + config.latencyPs(), lastDuePs + config.intervalPs());
    buffers[slot] = buffer;
    queues[slot] = queue;
    duePs[slot] = lastDuePs;
    tail++;
    if (!server.isScheduled()) {
      simulation.schedule(server, lastDuePs);
    }
  }

  private void answer(long nowPs) {
    int slot = (int) head & OUTSTANDING_MAX - 1;
    DmaPort port = dma;
    if (port == null) {
      return;
    }
    head++;
    port.write(buffers[slot], data, 0, data.length, nowPs);
    if (port.status() != DmaStatus.OK) {
      refusedTotal++;
    }
    int queue = queues[slot];
    LittleEndian.put(status, 0, status.length, buffers[slot]);
    long place = done[queue]++ & DriveLayout.STATUS_WORDS - 1;
    port.writeStatus(
        statusRings[queue] + place * DriveLayout.STATUS_BYTES,
        status,
        0,
        status.length,
        port.sentPs());
    port.sendMessage(messageAddresses[queue], messageData[queue], port.sentPs());
    if (head < tail) {
      int next = (int) head & OUTSTANDING_MAX - 1;
      simulation.schedule(server, Math.max(port.sentPs(), duePs[next]));
    }
  }

  @Override
  public long mmioRead(int bar, long offset, int sizeBytes, long nowPs) {
    return 0;
  }

  @Override
  public ConfigSpace configSpace() {
    return configSpace;
  }

  @Override
  public void connect(DmaPort port) {
    dma = port;
  }

  @Override
  public void reset(long nowPs) {
    simulation.cancel(server);
    head = tail;
    configSpace.reset();
  }

  /** {@return reads answered} */
  public long answeredTotal() {
    return head;
  }

  /** {@return reads that there was no room for, or whose buffer the host did not let it write} */
  public long refusedTotal() {
    return refusedTotal;
  }
}
