package io.github.bellwire.device.aperture.driver;

import static java.util.Objects.requireNonNull;

import io.github.bellwire.cpu.CpuPort;
import io.github.bellwire.cpu.MemoryType;
import io.github.bellwire.cpu.MmioMapping;
import io.github.bellwire.memory.LittleEndian;

/**
 * Copies between registers of a core and device memory by the core alone, as the copy loops of
 * gdrcopy and the C library do.
 *
 * <p>The bytes come from and go to an array that stands for the first-level cache: what loading and
 * storing them there costs hides behind the device's accesses.
 */
public final class DeviceCopy {
  private static final int LINE_BYTES = 64;
  private static final int VECTOR_BYTES = 16;
  private static final int STREAM_MIN_BYTES = 128;

  private final MmioMapping uncached;
  private final MmioMapping combining;

  /**
   * Creates copies to and from a range.
   *
   * @param mapping the range; how it is mapped does not matter, each copy chooses
   */
  public DeviceCopy(MmioMapping mapping) {
    requireNonNull(mapping, "mapping");
    uncached = mapping.withType(MemoryType.UC);
    combining = mapping.withType(MemoryType.WC);
  }

  /**
   * Writes by uncached stores; the core goes on when the last one has left.
   *
   * @param port the core
   * @param offset in the range
   * @param source the bytes
   * @param lengthBytes at least 1
   */
  public void writeUncached(CpuPort port, long offset, byte[] source, int lengthBytes) {
    uncached.store(port, offset, source, 0, lengthBytes);
  }

  /**
   * Writes by stores that combine, and fences.
   *
   * @param port the core
   * @param offset in the range
   * @param source the bytes
   * @param lengthBytes at least 1
   */
  public void writeCombining(CpuPort port, long offset, byte[] source, int lengthBytes) {
    combining.store(port, offset, source, 0, lengthBytes);
    port.fence();
  }

  /**
   * Writes whole lines by MOVDIR64B, what is left by stores that combine, and fences.
   *
   * @param port the core
   * @param offset in the range, a multiple of 64
   * @param source the bytes
   * @param lengthBytes at least 1
   */
  public void writeLines(CpuPort port, long offset, byte[] source, int lengthBytes) {
    int lines = lengthBytes / LINE_BYTES; // rounds down
    for (int i = 0; i < lines; i++) {
      port.movdir64b(combining.address() + offset + (long) i * LINE_BYTES, source, i * LINE_BYTES);
    }
    int done = lines * LINE_BYTES;
    if (done < lengthBytes) {
      combining.store(port, offset + done, source, done, lengthBytes - done);
    }
    port.fence();
  }

  /**
   * Reads as gdrcopy does. Up to 15 bytes the C library's memcpy takes two loads that overlap; up
   * to 127 plain vector loads wait for each other; longer copies stream. (The README's table for a
   * P100 shows it: 1 B and 16 B take one round trip, 2 to 8 B and 32 B two, 64 B 3.5, and 128 to
   * 1024 B hardly more.)
   *
   * @param port the core
   * @param offset in the range
   * @param destination receives the bytes
   * @param lengthBytes at least 1
   */
  public void read(CpuPort port, long offset, byte[] destination, int lengthBytes) {
    if (lengthBytes < VECTOR_BYTES) {
      readOverlapping(port, offset, destination, lengthBytes);
    } else if (lengthBytes < STREAM_MIN_BYTES) {
      uncached.load(port, offset, destination, 0, lengthBytes);
    } else {
      combining.load(port, offset, destination, 0, lengthBytes);
    }
  }

  private void readOverlapping(CpuPort port, long offset, byte[] destination, int lengthBytes) {
    int piece = Integer.highestOneBit(lengthBytes);
    readRegister(port, offset, destination, 0, piece);
    if (lengthBytes > 1) {
      readRegister(port, offset, destination, lengthBytes - piece, piece);
    }
  }

  private void readRegister(CpuPort port, long offset, byte[] destination, int at, int sizeBytes) {
    long value = port.mmioRead(uncached.address() + offset + at, sizeBytes);
    LittleEndian.put(destination, at, sizeBytes, value);
  }
}
