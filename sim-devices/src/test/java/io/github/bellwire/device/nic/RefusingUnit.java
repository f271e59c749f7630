package io.github.bellwire.device.nic;

import io.github.bellwire.host.RemappingFactory;
import io.github.bellwire.host.RemappingPorts;
import io.github.bellwire.pcie.DmaStatus;
import io.github.bellwire.pcie.IntegratedRegisters;
import io.github.bellwire.pcie.InterruptSink;
import io.github.bellwire.pcie.RemappingUnit;
import io.github.bellwire.pcie.TranslationRequest;
import io.github.bellwire.pcie.TranslationResult;

/** Lets devices reach all memory but one page. Is its own factory, for one machine. */
final class RefusingUnit implements RemappingUnit, IntegratedRegisters, RemappingFactory {
  private static final long BASE = 0xFED9_0000L;
  private static final int PAGE_BYTES = 4096;

  private InterruptSink interrupts = (requesterId, address, data, atPs) -> {};
  private long refusedPa = -PAGE_BYTES;

  @Override
  public RemappingUnit create(RemappingPorts ports) {
    interrupts = ports.interrupts();
    return this;
  }

  /** From now on refuses the page that holds an address. */
  void refuse(long pa) {
    refusedPa = pa & -PAGE_BYTES;
  }

  @Override
  public IntegratedRegisters registers() {
    return this;
  }

  @Override
  public void translate(TranslationRequest request, TranslationResult result) {
    if ((request.iova() & -PAGE_BYTES) == refusedPa) {
      result.refused(DmaStatus.COMPLETER_ABORT, request.atPs());
    } else {
      result.translated(request.iova(), request.atPs());
    }
  }

  @Override
  public void onMessage(int requesterId, long address, int data, long atPs) {
    interrupts.onMessage(requesterId, address, data, atPs);
  }

  @Override
  public long baseAddress() {
    return BASE;
  }

  @Override
  public int sizeBytes() {
    return PAGE_BYTES;
  }

  @Override
  public long read(int offset, int sizeBytes, long atPs) {
    return 0;
  }

  @Override
  public void write(int offset, int sizeBytes, long value, long atPs) {}
}
