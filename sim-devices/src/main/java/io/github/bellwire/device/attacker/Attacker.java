package io.github.bellwire.device.attacker;

import static java.util.Objects.requireNonNull;

import io.github.bellwire.kernel.Simulation;
import io.github.bellwire.pcie.Bar;
import io.github.bellwire.pcie.ConfigSpace;
import io.github.bellwire.pcie.ConfigSpaceBuilder;
import io.github.bellwire.pcie.DmaPort;
import io.github.bellwire.pcie.Endpoint;
import io.github.bellwire.pcie.PcieLinkConfig;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/**
 * A board that can be programmed to do anything a bus master can, such as the FPGA boards of
 * published attacks (Thunderclap, NDSS 2019, used an Intel Arria 10). It looks like a device with
 * 64 KiB of memory in BAR 0, where a driver that takes it for one puts addresses, and offers ATS,
 * page requests and process address spaces. A function-level reset stops all that it does.
 *
 * <p>What it does is said by calls, from outside the simulation. Confined to the simulation thread.
 */
public final class Attacker implements Endpoint {
  /** Size of BAR 0, in bytes. */
  public static final int BAR_BYTES = 64 << 10;

  /** Where its ATS structure lies in configuration space. */
  public static final int ATS_CAPABILITY = 0x100;

  private static final int VENDOR_ALTERA = 0x1172;
  private static final int DEVICE_BOARD = 0xE001;
  private static final int PCIE_CAPABILITY = 0x40;
  private static final int PRI_CAPABILITY = 0x110;
  private static final int PASID_CAPABILITY = 0x120;
  private static final int MPS_SUPPORTED_BYTES = 4096;
  private static final int INVALIDATIONS = 32;
  private static final int PAGE_REQUESTS = 64;
  private static final int PASID_BITS = 20;

  /** 1 ms: assumption; the specification allows 100 ms. */
  private static final long FUNCTION_RESET_PS = 1_000_000_000L;

  private final Simulation simulation;
  private final ConfigSpace configSpace;
  private final ByteBuffer memory = ByteBuffer.allocate(BAR_BYTES).order(ByteOrder.LITTLE_ENDIAN);
  private @Nullable Firmware firmware;

  /** What it can do from its slot. */
  private record Firmware(
      AttackPort port,
      TranslationHoard hoard,
      DelayedWrites delayedWrites,
      FaultStorm storm,
      TimingProbe probe) {}

  /**
   * Creates a board that does nothing yet.
   *
   * @param slot the slot that it is made for
   * @param simulation the clock
   */
  public Attacker(PcieLinkConfig slot, Simulation simulation) {
    this.simulation = requireNonNull(simulation, "simulation");
    configSpace =
        new ConfigSpaceBuilder(VENDOR_ALTERA, DEVICE_BOARD)
            .bar(Bar.memory64(0, BAR_BYTES).withPrefetchable(true))
            .pcie(
                PCIE_CAPABILITY,
                slot.generation().number(),
                slot.lanes(),
                MPS_SUPPORTED_BYTES,
                true)
            .functionLevelReset()
            .addressTranslation(ATS_CAPABILITY, INVALIDATIONS)
            .pageRequests(PRI_CAPABILITY, PAGE_REQUESTS)
            .processAddressSpaces(PASID_CAPABILITY, PASID_BITS)
            .build();
  }

  /** {@return its accesses to whatever address} */
  public AttackPort port() {
    return firmware().port();
  }

  /** {@return the translations that it keeps} */
  public TranslationHoard hoard() {
    return firmware().hoard();
  }

  /** {@return the writes that it does later} */
  public DelayedWrites delayedWrites() {
    return firmware().delayedWrites();
  }

  /** {@return its way to make faults} */
  public FaultStorm storm() {
    return firmware().storm();
  }

  /** {@return its stopwatch} */
  public TimingProbe probe() {
    return firmware().probe();
  }

  /**
   * {@return 8 bytes of its memory, little endian, as a driver or a peer has left them}
   *
   * @param offset a multiple of 8 in 0..65528
   */
  public long memoryAt(int offset) {
    return memory.getLong(offset);
  }

  /**
   * Puts 8 bytes into its memory, little endian.
   *
   * @param offset a multiple of 8 in 0..65528
   * @param value the bytes
   */
  public void putMemory(int offset, long value) {
    memory.putLong(offset, value);
  }

  @Override
  public ConfigSpace configSpace() {
    return configSpace;
  }

  @Override
  public void connect(DmaPort dma) {
    AttackPort port = new AttackPort(simulation, dma);
    firmware =
        new Firmware(
            port,
            new TranslationHoard(simulation, dma),
            new DelayedWrites(simulation, dma),
            new FaultStorm(simulation, dma),
            new TimingProbe(simulation, port));
  }

  @Override
  public long mmioRead(int bar, long offset, int sizeBytes, long nowPs) {
    int index = (int) offset;
    return switch (sizeBytes) {
      case 1 -> memory.get(index) & 0xFF;
      case 2 -> memory.getShort(index) & 0xFFFF;
      case 4 -> memory.getInt(index) & 0xFFFF_FFFFL;
      default -> memory.getLong(index);
    };
  }

  @Override
  public void mmioWrite(int bar, long offset, int sizeBytes, long value, long nowPs) {
    int index = (int) offset;
    switch (sizeBytes) {
      case 1 -> memory.put(index, (byte) value);
      case 2 -> memory.putShort(index, (short) value);
      case 4 -> memory.putInt(index, (int) value);
      default -> memory.putLong(index, value);
    }
  }

  @Override
  public long onInvalidateRequest(int pasid, long iova, long sizeBytes, long arrivalPs) {
    return firmware().hoard().invalidate(pasid, iova, sizeBytes, arrivalPs);
  }

  @Override
  public void reset(long nowPs) {
    configSpace.reset();
    Firmware current = firmware;
    if (current != null) {
      current.hoard().clear();
      current.delayedWrites().clear();
      current.storm().clear();
    }
  }

  @Override
  public long functionResetPs() {
    return FUNCTION_RESET_PS;
  }

  private Firmware firmware() {
    Firmware current = firmware;
    if (current == null) {
      throw new IllegalStateException("the attacker must be plugged in");
    }
    return current;
  }
}
