package io.github.bellwire.device.attacker;

import static java.util.Objects.requireNonNull;

import io.github.bellwire.kernel.Simulation;
import io.github.bellwire.pcie.DmaPort;
import io.github.bellwire.pcie.TranslationRequest;

/**
 * The accesses of an attacker, issued now, in whatever name it likes. Writes become visible when
 * they commit, not before, as somebody may be looking.
 */
public final class AttackPort {
  /** Stands for the function's own requester ID. */
  public static final int OWN_ID = -1;

  private static final int ATTRIBUTES_NONE = 0;

  private final Simulation simulation;
  private final DmaPort dma;

  AttackPort(Simulation simulation, DmaPort dma) {
    this.simulation = requireNonNull(simulation, "simulation");
    this.dma = requireNonNull(dma, "dma");
  }

  /**
   * Reads.
   *
   * @param address first byte
   * @param lengthBytes at least 1
   * @return what came of it
   */
  public Access read(long address, int lengthBytes) {
    byte[] bytes = new byte[lengthBytes];
    long nowPs = simulation.nowPs();
    long donePs = dma.read(address, bytes, 0, lengthBytes, nowPs, ATTRIBUTES_NONE);
    return new Access(dma.status(), false, address, nowPs, donePs, bytes);
  }

  /**
   * Writes.
   *
   * @param address first byte
   * @param bytes at least one
   * @return what came of it
   */
  public Access write(long address, byte[] bytes) {
    long nowPs = simulation.nowPs();
    long donePs = dma.writeStatus(address, bytes, 0, bytes.length, nowPs);
    return new Access(dma.status(), true, address, nowPs, donePs, bytes.clone());
  }

  /**
   * Sends an interrupt message.
   *
   * @param address where to
   * @param data what
   * @return what came of it
   */
  public Access sendMessage(long address, int data) {
    long nowPs = simulation.nowPs();
    long donePs = dma.sendMessage(address, data, nowPs);
    return new Access(dma.status(), true, address, nowPs, donePs, new byte[0]);
  }

  /**
   * Makes later requests come from somebody else.
   *
   * @param requesterId 0..FFFFh, or {@link #OWN_ID}
   */
  public void pretendToBe(int requesterId) {
    dma.claimRequesterId(requesterId);
  }

  /**
   * Makes later requests say that their addresses are translated.
   *
   * @param isTranslated false to begin with
   */
  public void pretendTranslated(boolean isTranslated) {
    dma.claimTranslated(isTranslated);
  }

  /**
   * Makes later requests belong to a process.
   *
   * @param pasid 0..{@link TranslationRequest#PASID_MAX}, or {@link TranslationRequest#NO_PASID}
   */
  public void pretendProcess(int pasid) {
    dma.usePasid(pasid);
  }
}
