package io.github.bellwire.iommu.walk;

import io.github.bellwire.iommu.layout.FaultCode;
import io.github.bellwire.pcie.TranslationRequest;
import org.jspecify.annotations.Nullable;

/** Finds out what software's tables say of a device. Holds the outcome of the last search. */
interface ContextSource {
  /**
   * Sets where the tables are.
   *
   * @param pa of the first entry
   * @param shape what there is to know of them, in the words of the kind of IOMMU
   */
  void setTables(long pa, long shape);

  /**
   * {@return what is said of the sender of a request; null if there is a {@link #fault}}
   *
   * @param request whose sender it is about
   */
  @Nullable DeviceContext find(TranslationRequest request);

  /** {@return why the last search has found nothing; null if it has} */
  @Nullable FaultCode fault();

  /** {@return whether an entry tells not to record faults of its requests} */
  boolean isFaultSilent();

  /** {@return when the outcome is known} */
  long readyPs();

  /** {@return what it is called if a device without a device TLB acts as if it had one} */
  FaultCode deviceTlbDisabled();

  /** {@return what it is called if a request that passes has an address beyond the host's width} */
  FaultCode beyondWidth();

  /** {@return what it is called if an address lies in the interrupt range; null if that is free} */
  @Nullable FaultCode interruptRange();

  /**
   * {@return why a device may not ask software for pages; null if it may}
   *
   * @param context what was found
   */
  @Nullable FaultCode pageRequestDenied(DeviceContext context);
}
