package io.github.bellwire.iommu;

import static java.util.Objects.requireNonNull;

import io.github.bellwire.iommu.interrupt.InterruptConfig;
import io.github.bellwire.iommu.queue.CommandConfig;
import io.github.bellwire.iommu.queue.InvalidationConfig;
import io.github.bellwire.iommu.queue.RegisterConfig;
import io.github.bellwire.iommu.walk.TableKind;
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
 * @param kind whose architecture it is; of {@code registers} others than VT-d have only the address
 * @param commands what the commands of others take, in place of {@code invalidation}
 */
public record IommuConfig(
    String name,
    RegisterConfig registers,
    TranslationConfig translation,
    InvalidationConfig invalidation,
    InterruptConfig interrupts,
    List<ReservedRegion> reservedRegions,
    TableKind kind,
    CommandConfig commands) {
  // Checked here and nowhere else.
  public IommuConfig {
    requireNonNull(name, "name");
    requireNonNull(registers, "registers");
    requireNonNull(translation, "translation");
    requireNonNull(invalidation, "invalidation");
    requireNonNull(interrupts, "interrupts");
    requireNonNull(kind, "kind");
    requireNonNull(commands, "commands");
    reservedRegions = List.copyOf(reservedRegions);
    if (registers.hasPageRequests() && !translation.capabilities().hasDeviceTlbs()) {
      throw new IllegalArgumentException(
          "hasPageRequests must be false without device TLBs: hasPageRequests=true");
    }
  }

  /**
   * Creates an IOMMU of the VT-d class.
   *
   * @param name as above
   * @param registers as above
   * @param translation as above
   * @param invalidation as above
   * @param interrupts as above
   * @param reservedRegions as above
   */
  public IommuConfig(
      String name,
      RegisterConfig registers,
      TranslationConfig translation,
      InvalidationConfig invalidation,
      InterruptConfig interrupts,
      List<ReservedRegion> reservedRegions) {
    this(
        name,
        registers,
        translation,
        invalidation,
        interrupts,
        reservedRegions,
        TableKind.VT_D,
        CommandConfig.EPYC);
  }

  /**
   * {@return this IOMMU as one of another architecture}
   *
   * @param newKind as in the constructor
   * @param newCommands as in the constructor
   */
  public IommuConfig withKind(TableKind newKind, CommandConfig newCommands) {
    return new IommuConfig(
        name,
        registers,
        translation,
        invalidation,
        interrupts,
        reservedRegions,
        newKind,
        newCommands);
  }

  /**
   * {@return this IOMMU under another name}
   *
   * @param newName as in the constructor
   */
  public IommuConfig withName(String newName) {
    return new IommuConfig(
        newName, registers, translation, invalidation, interrupts, reservedRegions, kind, commands);
  }

  /**
   * {@return this IOMMU with other registers}
   *
   * @param newRegisters as in the constructor
   */
  public IommuConfig withRegisters(RegisterConfig newRegisters) {
    return new IommuConfig(
        name, newRegisters, translation, invalidation, interrupts, reservedRegions, kind, commands);
  }

  /**
   * {@return this IOMMU with other translation}
   *
   * @param newTranslation as in the constructor
   */
  public IommuConfig withTranslation(TranslationConfig newTranslation) {
    return new IommuConfig(
        name, registers, newTranslation, invalidation, interrupts, reservedRegions, kind, commands);
  }

  /**
   * {@return this IOMMU with another invalidation queue}
   *
   * @param newInvalidation as in the constructor
   */
  public IommuConfig withInvalidation(InvalidationConfig newInvalidation) {
    return new IommuConfig(
        name, registers, translation, newInvalidation, interrupts, reservedRegions, kind, commands);
  }

  /**
   * {@return this IOMMU with other interrupt remapping}
   *
   * @param newInterrupts as in the constructor
   */
  public IommuConfig withInterrupts(InterruptConfig newInterrupts) {
    return new IommuConfig(
        name, registers, translation, invalidation, newInterrupts, reservedRegions, kind, commands);
  }

  /**
   * {@return this IOMMU with other reserved regions}
   *
   * @param newReservedRegions as in the constructor
   */
  public IommuConfig withReservedRegions(List<ReservedRegion> newReservedRegions) {
    return new IommuConfig(
        name, registers, translation, invalidation, interrupts, newReservedRegions, kind, commands);
  }
}
