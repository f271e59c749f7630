package io.github.bellwire.iommu.walk;

import io.github.bellwire.iommu.layout.FaultCode;
import io.github.bellwire.pcie.TranslationRequest;
import org.jspecify.annotations.Nullable;

/** Finds out what software's tables say of a device. Holds the outcome of the last search. */
abstract class ContextSource {
  final TranslationConfig.Capabilities capabilities;
  final TableReader reader;
  final TranslationCaches caches;
  final TranslationStatistics statistics;

  // The outcome.
  @Nullable FaultCode fault;
  boolean isFaultSilent;
  long readyPs;

  ContextSource(
      TranslationConfig config,
      TableReader reader,
      TranslationCaches caches,
      TranslationStatistics statistics) {
    capabilities = config.capabilities();
    this.reader = reader;
    this.caches = caches;
    this.statistics = statistics;
  }

  /** Begins a search. */
  final void begin(TranslationRequest request) {
    fault = null;
    isFaultSilent = false;
    readyPs = request.atPs();
    statistics.contextLookups++;
  }

  /** {@return the slot in which an entry is remembered, used now; or none} */
  final int findRemembered(EntryTable table, long tag, int number) {
    int slot = table.find(tag, number, readyPs);
    if (slot != EntryTable.NONE) {
      table.touch(slot);
      readyPs = Math.max(readyPs, table.readyPs(slot));
    }
    return slot;
  }

  /** {@return the slot for an entry that has been read, as far as nobody invalidates it} */
  final int insert(
      EntryTable table, PendingInvalidations pending, long tag, int number, long owner) {
    int slot = table.insert(tag, number, Integer.MAX_VALUE);
    table.set(slot, owner, 0, readyPs, pending.untilPs(owner, number, readyPs));
    return slot;
  }

  /**
   * Sets where the tables are.
   *
   * @param pa of the first entry
   * @param shape what there is to know of them, in the words of the kind of IOMMU
   */
  abstract void setTables(long pa, long shape);

  /**
   * {@return what is said of the sender of a request; null if there is a {@link #fault}}
   *
   * @param request whose sender it is about
   */
  abstract @Nullable DeviceContext find(TranslationRequest request);

  /** {@return why the last search has found nothing; null if it has} */
  final @Nullable FaultCode fault() {
    return fault;
  }

  /** {@return whether an entry tells not to record faults of its requests} */
  final boolean isFaultSilent() {
    return isFaultSilent;
  }

  /** {@return when the outcome is known} */
  final long readyPs() {
    return readyPs;
  }

  /** {@return what it is called if a device without a device TLB acts as if it had one} */
  abstract FaultCode deviceTlbDisabled();

  /** {@return what it is called if a request that passes has an address beyond the host's width} */
  abstract FaultCode beyondWidth();

  /** {@return what it is called if an address lies in the interrupt range; null if that is free} */
  abstract @Nullable FaultCode interruptRange();

  /**
   * {@return why a device may not ask software for pages; null if it may}
   *
   * @param context what was found
   */
  abstract @Nullable FaultCode pageRequestDenied(DeviceContext context);
}
