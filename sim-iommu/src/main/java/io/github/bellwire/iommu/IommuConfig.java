package io.github.bellwire.iommu;

import static java.util.Objects.requireNonNull;

import io.github.bellwire.iommu.interrupt.InterruptConfig;
import io.github.bellwire.iommu.queue.InvalidationConfig;
import io.github.bellwire.iommu.queue.RegisterConfig;
import io.github.bellwire.iommu.walk.TranslationConfig;
import java.util.List;

/**
 * An IOMMU, and what firmware says about it.
 *
 * @param name of the part, for reports
 * @param registers what its register block says
 * @param translation what it translates, remembers and takes
 * @param invalidation what its invalidation queue takes
 * @param interrupts what interrupt remapping remembers and takes
 * @param reservedRegions what firmware announces, for software to map
 */
public record IommuConfig(
    String name,
    RegisterConfig registers,
    TranslationConfig translation,
    InvalidationConfig invalidation,
    InterruptConfig interrupts,
    List<ReservedRegion> reservedRegions) {
  // Checked here and nowhere else.
  public IommuConfig {
    requireNonNull(name, "name");
    requireNonNull(registers, "registers");
    requireNonNull(translation, "translation");
    requireNonNull(invalidation, "invalidation");
    requireNonNull(interrupts, "interrupts");
    reservedRegions = List.copyOf(reservedRegions);
    if (registers.hasPageRequests() && !translation.capabilities().hasDeviceTlbs()) {
      throw new IllegalArgumentException(
          "hasPageRequests must be false without device TLBs: hasPageRequests=true");
    }
  }

  /**
   * {@return this IOMMU under another name}
   *
   * @param newName as in the constructor
   */
  public IommuConfig withName(String newName) {
    return new IommuConfig(
        newName, registers, translation, invalidation, interrupts, reservedRegions);
  }

  /**
   * {@return this IOMMU with other registers}
   *
   * @param newRegisters as in the constructor
   */
  public IommuConfig withRegisters(RegisterConfig newRegisters) {
    return new IommuConfig(
        name, newRegisters, translation, invalidation, interrupts, reservedRegions);
  }

  /**
   * {@return this IOMMU with other translation}
   *
   * @param newTranslation as in the constructor
   */
  public IommuConfig withTranslation(TranslationConfig newTranslation) {
    return new IommuConfig(
        name, registers, newTranslation, invalidation, interrupts, reservedRegions);
  }

  /**
   * {@return this IOMMU with another invalidation queue}
   *
   * @param newInvalidation as in the constructor
   */
  public IommuConfig withInvalidation(InvalidationConfig newInvalidation) {
    return new IommuConfig(
        name, registers, translation, newInvalidation, interrupts, reservedRegions);
  }

  /**
   * {@return this IOMMU with other interrupt remapping}
   *
   * @param newInterrupts as in the constructor
   */
  public IommuConfig withInterrupts(InterruptConfig newInterrupts) {
    return new IommuConfig(
        name, registers, translation, invalidation, newInterrupts, reservedRegions);
  }

  /**
   * {@return this IOMMU with other reserved regions}
   *
   * @param newReservedRegions as in the constructor
   */
  public IommuConfig withReservedRegions(List<ReservedRegion> newReservedRegions) {
    return new IommuConfig(
        name, registers, translation, invalidation, interrupts, newReservedRegions);
  }
}
