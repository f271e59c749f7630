package io.github.bellwire.device.nic;

/** The registers of receive side scaling, by their offsets: MRQC, RETA and RSSRK. */
final class RssRegisters {
  private static final int RETA_REGISTERS = 32;
  private static final int KEY_REGISTERS = 10;

  private final ReceiveSideScaling scaling;

  RssRegisters(ReceiveSideScaling scaling) {
    this.scaling = scaling;
  }

  void reset() {
    scaling.writeMrqc(0);
    for (int i = 0; i < RETA_REGISTERS; i++) {
      scaling.writeReta(i, 0);
    }
    for (int i = 0; i < KEY_REGISTERS; i++) {
      scaling.writeKey(i, 0);
    }
  }

  boolean handles(int offset) {
    return offset == NicRegisters.MRQC || isReta(offset) || isKey(offset);
  }

  int read(int offset) {
    if (isReta(offset)) {
      return scaling.readReta(index(offset, NicRegisters.reta(0)));
    }
    if (isKey(offset)) {
      return scaling.readKey(index(offset, NicRegisters.rssrk(0)));
    }
    return scaling.readMrqc();
  }

  void write(int offset, int value) {
    if (isReta(offset)) {
      scaling.writeReta(index(offset, NicRegisters.reta(0)), value);
    } else if (isKey(offset)) {
      scaling.writeKey(index(offset, NicRegisters.rssrk(0)), value);
    } else {
      scaling.writeMrqc(value);
    }
  }

  private static boolean isReta(int offset) {
    return isInside(offset, NicRegisters.reta(0), RETA_REGISTERS);
  }

  private static boolean isKey(int offset) {
    return isInside(offset, NicRegisters.rssrk(0), KEY_REGISTERS);
  }

  private static boolean isInside(int offset, int first, int count) {
    return offset >= first && offset < first + count * Integer.BYTES;
  }

  private static int index(int offset, int first) {
    return (offset - first) / Integer.BYTES;
  }
}
