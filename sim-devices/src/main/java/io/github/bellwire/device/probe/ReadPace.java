package io.github.bellwire.device.probe;

import io.github.bellwire.pcie.ConfigSpace;
import io.github.bellwire.pcie.TlpLayout;

/** How long reads keep the read engine from starting the next. */
final class ReadPace {
  private static final int LINE_BYTES = 64;
  private static final int DW_BYTES = 4;

  private final ProbeConfig.Reads config;
  private final ConfigSpace configSpace;
  private final long intervalPs;

  ReadPace(ProbeConfig.Reads config, ConfigSpace configSpace) {
    this.config = config;
    this.configSpace = configSpace;
    intervalPs = ProbeConfig.intervalPs(config.startsPerSecond());
  }

  /**
   * {@return the time from one start to the next}
   *
   * @param iova first byte
   * @param lengthBytes bytes read
   */
  long occupiedPs(long iova, int lengthBytes) {
    long occupiedPs = intervalPs;
    if (lengthBytes <= config.shortBytes()) {
      int dataBytes = TlpLayout.dataBytes(iova, lengthBytes);
      long shortPs =
          dataBytes * config.shortPsPerByte()
              + piecesCount(iova, lengthBytes) * config.shortPsPerPiece();
      occupiedPs = Math.max(occupiedPs, shortPs);
    }
    return lengthBytes % DW_BYTES == 0 ? occupiedPs : Math.max(occupiedPs, config.partialWordPs());
  }

  private long piecesCount(long iova, int lengthBytes) {
    int mpsBytes = configSpace.maxPayloadBytes();
    int toLine = (int) (-iova & LINE_BYTES - 1);
    int head = Math.min(toLine, lengthBytes);
    int rest = lengthBytes - head;
    // MPS is a power of two; the last piece rounds up.
    int whole = rest + mpsBytes - 1 >>> Integer.numberOfTrailingZeros(mpsBytes);
    return (head > 0 ? 1 : 0) + whole;
  }
}
