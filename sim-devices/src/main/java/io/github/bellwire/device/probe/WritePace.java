package io.github.bellwire.device.probe;

import io.github.bellwire.pcie.ConfigSpace;
import io.github.bellwire.pcie.TlpLayout;

/** How long writes keep the write engine, which fetches their data in bursts. */
final class WritePace {
  private final ProbeConfig.Writes config;
  private final ConfigSpace configSpace;
  private final long intervalPs;
  private final int burstShift;

  WritePace(ProbeConfig.Writes config, ConfigSpace configSpace) {
    this.config = config;
    this.configSpace = configSpace;
    intervalPs = ProbeConfig.intervalPs(config.startsPerSecond());
    burstShift = Integer.numberOfTrailingZeros(config.burstBytes());
  }

  /**
   * {@return how long a write keeps the engine from starting the next}
   *
   * @param iova first byte
   * @param lengthBytes bytes written
   */
  long occupiedPs(long iova, int lengthBytes) {
    return Math.max(fullBurstsPs(lengthBytes) + intervalPs, fetchPs(iova, lengthBytes));
  }

  /** {@return how long the engine fetches the data, before the first TLP} */
  long fetchPs(long iova, int lengthBytes) {
    int dataBytes = TlpLayout.dataBytes(iova, lengthBytes);
    return config.basePs() + dataBytes * config.psPerByte() + splitsPs(iova, lengthBytes);
  }

  private long fullBurstsPs(int lengthBytes) {
    long fullBursts = lengthBytes - 1 >>> burstShift;
    return (fullBursts << burstShift) * config.psPerByte();
  }

  /** The ends of TLPs inside the write are a MPS apart: all of them split a burst, or none does. */
  private long splitsPs(long iova, int lengthBytes) {
    int mpsBytes = configSpace.maxPayloadBytes();
    int mpsShift = Integer.numberOfTrailingZeros(mpsBytes);
    boolean isSplit = (iova & Math.min(mpsBytes, config.burstBytes()) - 1) != 0;
    long boundaries = (iova + lengthBytes - 1 >>> mpsShift) - (iova >>> mpsShift);
    return isSplit ? boundaries * config.splitPs() : 0;
  }
}
