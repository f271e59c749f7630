package io.github.bellwire.device.aperture;

import static java.util.Objects.requireNonNull;

import io.github.bellwire.kernel.Simulation;
import io.github.bellwire.memory.LittleEndian;
import io.github.bellwire.pcie.Bar;
import io.github.bellwire.pcie.ConfigSpace;
import io.github.bellwire.pcie.ConfigSpaceBuilder;
import io.github.bellwire.pcie.DmaPort;
import io.github.bellwire.pcie.Endpoint;
import io.github.bellwire.pcie.PcieLinkConfig;

/**
 * A device with memory of its own, all of it visible in BAR 2, and a copy engine with registers in
 * BAR 0 as {@link ApertureLayout} says. Registers of 64 bits may be written in halves, but not
 * smaller.
 *
 * <p>Confined to the simulation thread.
 */
public final class Aperture implements Endpoint {
  private static final int VENDOR_ID = 0x1AF4;
  private static final int DEVICE_ID = 0x10FF;
  private static final int CLASS_PROCESSING_ACCELERATOR = 0x120000;
  private static final int REGISTER_BAR_BYTES = 4096;
  private static final int PCIE_CAPABILITY = 0x60;

  private final ApertureConfig config;
  private final ConfigSpace configSpace;
  private final DeviceMemory memory;
  private final CopyEngine engine;
  private final byte[] word = new byte[Long.BYTES];
  private long lastWritePs;

  /**
   * Creates a device that is not plugged in.
   *
   * @param config its fixed properties
   * @param simulation the clock
   * @param slot what the link will be, for the capabilities that drivers read
   */
  public Aperture(ApertureConfig config, Simulation simulation, PcieLinkConfig slot) {
    this.config = requireNonNull(config, "config");
    memory = new DeviceMemory(config.apertureBytes());
    engine = new CopyEngine(requireNonNull(simulation, "simulation"), config, memory);
    configSpace =
        new ConfigSpaceBuilder(VENDOR_ID, DEVICE_ID)
            .classCode(CLASS_PROCESSING_ACCELERATOR)
            .bar(Bar.memory64(ApertureLayout.REGISTER_BAR, REGISTER_BAR_BYTES))
            .bar(
                Bar.memory64(ApertureLayout.APERTURE_BAR, config.apertureBytes())
                    .withPrefetchable(true))
            .pcie(
                PCIE_CAPABILITY,
                slot.generation().number(),
                slot.lanes(),
                slot.maxPayloadBytes(),
                true)
            .build();
  }

  @Override
  public ConfigSpace configSpace() {
    return configSpace;
  }

  @Override
  public void connect(DmaPort dma) {
    engine.connect(dma);
  }

  @Override
  public long readLatencyPs(int bar) {
    return config.readLatencyPs();
  }

  @Override
  public long mmioRead(int bar, long offset, int sizeBytes, long nowPs) {
    if (bar == ApertureLayout.APERTURE_BAR) {
      memory.read(offset, word, 0, sizeBytes);
      return LittleEndian.get(word, 0, sizeBytes);
    }
    int register = (int) offset & -Long.BYTES;
    int inRegister = (int) offset & Long.BYTES - 1;
    long value = register64(register) >>> inRegister * Byte.SIZE;
    return value & -1L >>> Long.SIZE - sizeBytes * Byte.SIZE;
  }

  @Override
  public void mmioWrite(int bar, long offset, int sizeBytes, long value, long nowPs) {
    if (bar == ApertureLayout.APERTURE_BAR) {
      lastWritePs = nowPs;
      LittleEndian.put(word, 0, sizeBytes, value);
      memory.write(offset, word, 0, sizeBytes);
    } else {
      writeRegister((int) offset, sizeBytes, value, nowPs);
    }
  }

  @Override
  public void mmioRead(
      int bar,
      long offset,
      byte[] destination,
      int destinationOffset,
      int lengthBytes,
      long nowPs) {
    if (bar == ApertureLayout.APERTURE_BAR) {
      memory.read(offset, destination, destinationOffset, lengthBytes);
    } else {
      Endpoint.super.mmioRead(bar, offset, destination, destinationOffset, lengthBytes, nowPs);
    }
  }

  @Override
  public void mmioWrite(
      int bar, long offset, byte[] source, int sourceOffset, int lengthBytes, long nowPs) {
    if (bar == ApertureLayout.APERTURE_BAR) {
      lastWritePs = nowPs;
      memory.write(offset, source, sourceOffset, lengthBytes);
    } else {
      Endpoint.super.mmioWrite(bar, offset, source, sourceOffset, lengthBytes, nowPs);
    }
  }

  @Override
  public void reset(long nowPs) {
    engine.reset();
    configSpace.reset();
  }

  /** {@return its fixed properties} */
  public ApertureConfig config() {
    return config;
  }

  /** {@return when the last write to the aperture arrived, in picoseconds; 0 before the first} */
  public long lastWritePs() {
    return lastWritePs;
  }

  /**
   * Copies bytes out of the device's memory without any access: for tools and tests.
   *
   * @param offset first byte
   * @param destination receives the bytes from index 0 on
   * @param lengthBytes at least 0, all of it inside
   */
  public void copyOut(long offset, byte[] destination, int lengthBytes) {
    memory.read(offset, destination, 0, lengthBytes);
  }

  /** Returns the 64 bits at an offset, of one register or two. */
  private long register64(int offset) {
    long high = engine.readRegister(offset + Integer.BYTES);
    return engine.readRegister(offset) | high << Integer.SIZE;
  }

  private void writeRegister(int offset, int sizeBytes, long value, long nowPs) {
    if (sizeBytes < Integer.BYTES || (offset & Integer.BYTES - 1) != 0) {
      return;
    }
    if (offset < ApertureLayout.RING_SIZE) {
      engine.writeRegister(ApertureLayout.RING_BASE, merged(offset, sizeBytes, value), nowPs);
    } else {
      engine.writeRegister(offset, value & 0xFFFF_FFFFL, nowPs);
    }
  }

  /** Returns the ring's base with a half of it replaced, or all. */
  private long merged(int offset, int sizeBytes, long value) {
    long mask = -1L >>> Long.SIZE - sizeBytes * Byte.SIZE << offset * Byte.SIZE;
    long old = engine.readRegister(ApertureLayout.RING_BASE);
    return old & ~mask | value << offset * Byte.SIZE & mask;
  }
}
