package io.github.bellwire.pcie;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A device without behaviour: it remembers what reached it and answers reads with one value. */
public final class RecordingEndpoint implements Endpoint {
  /** Size of the only window, BAR 0, in bytes. */
  public static final int BAR_BYTES = 4096;

  private static final int CAPABILITY = 0xA0;
  private static final int GENERATION = 6;
  private static final int LANES = 32;

  private final ConfigSpace configSpace =
      new ConfigSpaceBuilder(0x1AF4, 0x1000)
          .bar(Bar.memory64(0, BAR_BYTES))
          .pcie(CAPABILITY, GENERATION, LANES, 4096, true)
          .build();
  private final List<Access> writes = new ArrayList<>();
  private final List<Access> reads = new ArrayList<>();
  private @Nullable DmaPort dma;
  private long answer;
  private long readLatencyPs;
  private boolean isRecording = true;
  private long accessesTotal;

  /**
   * What a core asked for.
   *
   * @param bar index of the window
   * @param offset in the window
   * @param sizeBytes bytes accessed
   * @param value written, 0 for reads
   * @param atPs when it reached the device
   */
  public record Access(int bar, long offset, int sizeBytes, long value, long atPs) {}

  /** Creates a device in its reset state. */
  public RecordingEndpoint() {}

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
    accessesTotal++;
    if (isRecording) {
      reads.add(new Access(bar, offset, sizeBytes, 0, nowPs));
    }
    return answer;
  }

  @Override
  public void mmioWrite(int bar, long offset, int sizeBytes, long value, long nowPs) {
    accessesTotal++;
    if (isRecording) {
      writes.add(new Access(bar, offset, sizeBytes, value, nowPs));
    }
  }

  @Override
  public long readLatencyPs(int bar) {
    return readLatencyPs;
  }

  @Override
  public void reset(long nowPs) {
    configSpace.reset();
  }

  /** {@return the way to memory} */
  public DmaPort dma() {
    return Objects.requireNonNull(dma, "dma");
  }

  /** {@return register writes in the order of arrival} */
  public List<Access> writes() {
    return writes;
  }

  /** {@return register reads in the order of arrival} */
  public List<Access> reads() {
    return reads;
  }

  /** {@return register accesses, recorded or not} */
  public long accessesTotal() {
    return accessesTotal;
  }

  /** Makes later reads return a value. */
  public void answer(long value) {
    answer = value;
  }

  /** Makes later reads take time inside the device. */
  public void answerAfter(long latencyPs) {
    readLatencyPs = latencyPs;
  }

  /** Stops keeping accesses, for tests that count allocations. */
  public void stopRecording() {
    isRecording = false;
  }

  /**
   * Does what firmware and driver do before the device is used.
   *
   * @param barAddress of BAR 0
   * @param mpsBytes largest payload
   * @param mrrsBytes largest read request
   */
  public void enable(long barAddress, int mpsBytes, int mrrsBytes) {
    configSpace.write(ConfigLayout.BAR0, 4, (int) barAddress);
    configSpace.write(ConfigLayout.BAR0 + 4, 4, (int) (barAddress >>> 32));
    configSpace.write(
        CAPABILITY + ConfigLayout.DEVICE_CONTROL,
        2,
        ConfigLayout.DEVICE_CONTROL_RELAXED_ORDERING
            | ConfigLayout.DEVICE_CONTROL_NO_SNOOP
            | ConfigLayout.DEVICE_CONTROL_EXTENDED_TAG
            | PcieCapability.sizeCode(mpsBytes) << ConfigLayout.DEVICE_CONTROL_MPS_SHIFT
            | PcieCapability.sizeCode(mrrsBytes) << ConfigLayout.DEVICE_CONTROL_MRRS_SHIFT);
    busMaster(true);
  }

  /** Allows or forbids requests of the device; it answers requests either way. */
  public void busMaster(boolean enabled) {
    configSpace.write(
        ConfigLayout.COMMAND,
        2,
        ConfigLayout.COMMAND_MEMORY_ENABLE
            | (enabled ? ConfigLayout.COMMAND_BUS_MASTER_ENABLE : 0));
  }
}
