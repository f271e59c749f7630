package io.github.bellwire.device.attacker;

import static java.util.Objects.requireNonNull;

import io.github.bellwire.pcie.DmaStatus;

/**
 * One access of an attacker, and what came of it.
 *
 * @param status how it ended
 * @param isWrite whether it is a write, or an interrupt message
 * @param address first byte, as the request says
 * @param startPs when it was issued, in picoseconds
 * @param donePs when the answer has arrived or the write is visible, in picoseconds; not to be
 *     looked at before
 * @param bytes what was read, all ones where that failed; of a write what was sent
 */
public record Access(
    DmaStatus status, boolean isWrite, long address, long startPs, long donePs, byte[] bytes) {
  // The bytes stay those of the attacker: reads fill them in when a peer answers.
  public Access {
    requireNonNull(status, "status");
    requireNonNull(bytes, "bytes");
  }

  /** {@return whether the host let it happen} */
  public boolean isOk() {
    return status == DmaStatus.OK;
  }

  /** {@return how long it took, in picoseconds} */
  public long durationPs() {
    return donePs - startPs;
  }
}
