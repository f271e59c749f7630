package io.github.bellwire.iommu.walk;

import io.github.bellwire.iommu.layout.FaultCode;

/** Takes the faults that requests meet, for the fault log. */
@FunctionalInterface
public interface FaultSink {
  /**
   * A request has been blocked. Not called for what an entry has told not to record.
   *
   * @param reason why
   * @param sourceId who sent it, see {@link io.github.bellwire.pcie.Bdf#requesterId()}
   * @param pasid its process address space, or {@link
   *     io.github.bellwire.pcie.TranslationRequest#NO_PASID}
   * @param address the untranslated address
   * @param isWrite whether it is a write
   * @param atPs when that was found out, in picoseconds; it may be ahead of the clock
   */
  void onFault(FaultCode reason, int sourceId, int pasid, long address, boolean isWrite, long atPs);
}
