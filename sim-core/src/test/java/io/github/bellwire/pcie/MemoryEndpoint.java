package io.github.bellwire.pcie;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A device whose only window, BAR 0, is memory of its own, for tests between devices. */
public final class MemoryEndpoint implements Endpoint {
  /** Size of the window, in bytes. */
  public static final int BAR_BYTES = 64 << 10;

  private static final int CAPABILITY = 0x40;

  private final ConfigSpace configSpace =
      new ConfigSpaceBuilder(0x1AF4, 0x1001)
          .bar(Bar.memory64(0, BAR_BYTES).withPrefetchable(true))
          .pcie(CAPABILITY, 5, 32, 4096, true)
          .build();
  private final byte[] memory = new byte[BAR_BYTES];
  private @Nullable DmaPort dma;
  private long lastWritePs = -1;
  private long lastReadPs = -1;

  /** Creates a device in its reset state. */
  public MemoryEndpoint() {}

  @Override
  public ConfigSpace configSpace() {
    return configSpace;
  }

  @Override
  public void connect(DmaPort port) {
    dma = port;
  }

  @Override
  public long mmioRead(int bar, long offset, int sizeBytes, long nowPs) {
    lastReadPs = nowPs;
    long value = 0;
    for (int i = 0; i < sizeBytes; i++) {
      value |= (memory[(int) offset + i] & 0xFFL) << i * Byte.SIZE;
    }
    return value;
  }

  @Override
  public void mmioWrite(int bar, long offset, int sizeBytes, long value, long nowPs) {
    lastWritePs = nowPs;
    for (int i = 0; i < sizeBytes; i++) {
      memory[(int) offset + i] = (byte) (value >>> i * Byte.SIZE);
    }
  }

  @Override
  public void reset(long nowPs) {
    configSpace.reset();
  }

  /** Allows the device to issue requests. */
  public void enableBusMaster() {
    int command = configSpace.read(ConfigLayout.COMMAND, 2);
    configSpace.write(ConfigLayout.COMMAND, 2, command | ConfigLayout.COMMAND_BUS_MASTER_ENABLE);
  }

  /** {@return the way to memory} */
  public DmaPort dma() {
    return Objects.requireNonNull(dma, "dma");
  }

  /** {@return the bytes behind the window} */
  public byte[] memory() {
    return memory;
  }

  /** {@return the bus address of the window} */
  public long barAddress() {
    return configSpace.barAddress(0);
  }

  /** {@return when the last write reached the window; -1 if none did} */
  public long lastWritePs() {
    return lastWritePs;
  }

  /** {@return when the last read reached the window; -1 if none did} */
  public long lastReadPs() {
    return lastReadPs;
  }
}
