package io.github.bellwire.pcie;

import java.util.Arrays;

/**
 * What the two ends of a device's link do with TLPs that meet a {@link TlpFault}: what they detect
 * and count, and what becomes of the bytes.
 *
 * <pre>{@code
 *             write                    read request   completion
 * POISONED    dropped, detected        -              read as ones, detected
 * CORRUPTED   ECRC: dropped, detected  no answer      ECRC: dropped, detected
 *             else a wrong bit                        else a wrong bit
 * MALFORMED   dropped, detected        no answer      dropped, detected
 * LOST        -                        no answer      dropped
 * }</pre>
 *
 * <p>Allocates nothing after construction.
 */
final class FaultyTlps {
  private static final int PAYLOAD_MAX_BYTES = 4096;

  private final FaultInjector upstream;
  private final FaultInjector downstream;
  private final PortErrors errors;
  private final PortErrors deviceErrors;
  private final boolean hasEcrc;
  private final byte[] corrupted = new byte[PAYLOAD_MAX_BYTES];

  FaultyTlps(PcieLink link) {
    upstream = link.upstreamFaults();
    downstream = link.downstreamFaults();
    errors = link.upperErrors();
    deviceErrors = link.lowerErrors();
    hasEcrc = link.config().ecrc();
  }

  /** {@return what happens to the next write} */
  TlpFault ofWrite() {
    return upstream.isArmed() ? upstream.next(true, true) : TlpFault.NONE;
  }

  /** {@return what happens to the next read request} */
  TlpFault ofReadRequest() {
    return upstream.isArmed() ? upstream.next(false, false) : TlpFault.NONE;
  }

  /**
   * {@return what happens to the next completion}
   *
   * @param hasData whether it carries data
   */
  TlpFault ofCompletion(boolean hasData) {
    return downstream.isArmed() ? downstream.next(false, hasData) : TlpFault.NONE;
  }

  /**
   * {@return whether a write goes on, with wrong bytes}
   *
   * @param fault not {@link TlpFault#NONE}
   */
  boolean passes(TlpFault fault) {
    return fault == TlpFault.CORRUPTED && !hasEcrc;
  }

  /**
   * {@return the bytes of a write with one bit wrong, from index 0 on; valid until the next call}
   */
  byte[] corrupt(byte[] source, int offset, int lengthBytes) {
    System.arraycopy(source, offset, corrupted, 0, lengthBytes);
    flip(corrupted, 0, upstream.nextBit(lengthBytes));
    return corrupted;
  }

  /**
   * Drops a write.
   *
   * @param fault one that does not let it pass
   * @param header01 double words 0 and 1
   * @param header23 double words 2 and 3
   * @param atPs when it arrives
   * @return how the write ends
   */
  DmaStatus drop(TlpFault fault, long header01, long header23, long atPs) {
    return switch (fault) {
      case POISONED -> {
        errors.record(PcieError.POISONED_TLP, TlpHeader.withPoison(header01), header23, atPs);
        yield DmaStatus.POISONED;
      }
      case CORRUPTED -> {
        errors.record(PcieError.ECRC, TlpHeader.withDigest(header01), header23, atPs);
        yield DmaStatus.ECRC_ERROR;
      }
      default -> {
        errors.record(PcieError.MALFORMED_TLP, header01, header23, atPs);
        yield DmaStatus.MALFORMED_TLP;
      }
    };
  }

  /**
   * Drops a read request: nobody will answer.
   *
   * @param fault what has happened to it
   * @param header01 double words 0 and 1
   * @param header23 double words 2 and 3
   * @param atPs when it arrives
   */
  void dropRead(TlpFault fault, long header01, long header23, long atPs) {
    if (fault == TlpFault.MALFORMED) {
      errors.record(PcieError.MALFORMED_TLP, header01, header23, atPs);
    } else if (fault == TlpFault.CORRUPTED && hasEcrc) {
      errors.record(PcieError.ECRC, TlpHeader.withDigest(header01), header23, atPs);
    }
  }

  /**
   * Takes a completion with data.
   *
   * @param fault what has happened to it
   * @param destination where its bytes are
   * @param offset first index
   * @param lengthBytes how many
   * @param atPs when it arrives
   * @return whether it counts as an answer; its bytes may be wrong, and are ones if poisoned
   */
  boolean accept(TlpFault fault, byte[] destination, int offset, int lengthBytes, long atPs) {
    switch (fault) {
      case NONE -> {
        return true;
      }
      case POISONED -> {
        deviceErrors.record(PcieError.POISONED_TLP, atPs);
        Arrays.fill(destination, offset, offset + lengthBytes, (byte) 0xff);
        return true;
      }
      case CORRUPTED -> {
        if (!hasEcrc) {
          flip(destination, offset, downstream.nextBit(lengthBytes));
          return true;
        }
        deviceErrors.record(PcieError.ECRC, atPs);
      }
      case MALFORMED -> deviceErrors.record(PcieError.MALFORMED_TLP, atPs);
      case LOST -> {}
    }
    return false;
  }

  private static void flip(byte[] bytes, int offset, int bit) {
    bytes[offset + bit / Byte.SIZE] ^= (byte) (1 << bit % Byte.SIZE);
  }
}
