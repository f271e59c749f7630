package io.github.bellwire.iommu.walk;

import static java.util.Objects.requireNonNull;

import io.github.bellwire.cache.DeviceCachePort;
import io.github.bellwire.memory.PhysicalMemory;
import io.github.bellwire.pcie.Translation;
import io.github.bellwire.pcie.TranslationRequest;
import io.github.bellwire.pcie.TranslationResult;

/**
 * Translates the addresses of device requests by the tables that software has put into memory.
 *
 * <p>Passive: a function from arrival time to completion time. Confined to the simulation thread.
 */
public final class TranslationUnit implements Translation {
  private final TranslationConfig config;
  private final TranslationCaches caches = new TranslationCaches();
  private final TranslationStatistics statistics = new TranslationStatistics();
  private boolean isEnabled;

  /**
   * Creates a unit that lets all requests pass as they are.
   *
   * @param config what it can do and what it takes
   * @param memory the bytes of the tables
   * @param port the time that reading them takes
   * @param faults takes the faults
   */
  public TranslationUnit(
      TranslationConfig config, PhysicalMemory memory, DeviceCachePort port, FaultSink faults) {
    this.config = requireNonNull(config, "config");
  }

  /**
   * Sets the root of the tables. What is remembered stays: software invalidates it.
   *
   * @param pa of the root table, a multiple of 4 KiB
   * @param isScalable whether contexts have PASID directories
   */
  public void setRootTable(long pa, boolean isScalable) {}

  /**
   * Switches translation on or off.
   *
   * @param newIsEnabled false to begin with
   */
  public void setEnabled(boolean newIsEnabled) {
    isEnabled = newIsEnabled;
  }

  /** {@return whether translation is on} */
  public boolean isEnabled() {
    return isEnabled;
  }

  @Override
  public void translate(TranslationRequest request, TranslationResult result) {
    Translation.IDENTITY.translate(request, result);
  }

  /** {@return what it can do and what it takes} */
  public TranslationConfig config() {
    return config;
  }

  /** {@return what it remembers} */
  public TranslationCaches caches() {
    return caches;
  }

  /** {@return what it has done} */
  public TranslationStatistics statistics() {
    return statistics;
  }
}
