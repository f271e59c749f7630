package io.github.bellwire.pcie;

import static io.github.bellwire.kernel.Requirements.require;
import static java.util.Objects.requireNonNull;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Collects what a function is and has, and defines the registers of its {@link ConfigSpace}. The
 * PCI Express capability is required, everything else has a default. Each method throws {@link
 * IllegalArgumentException} naming the property, the bound it breaks and its value.
 */
public final class ConfigSpaceBuilder {
  // What the configuration space is made from.
  final ConfigRegisters registers = new ConfigRegisters();
  final List<Bar> bars = new ArrayList<>();
  private final CapabilityList structures = new CapabilityList(registers);
  PortType type = PortType.ENDPOINT;
  BooleanSupplier transactionsPending = () -> false;
  @Nullable MsiXConfig msiX;
  final AtsCapabilities ats = new AtsCapabilities();
  int pcieOffset;
  int acsOffset;
  int aerOffset;
  int msiOffset;
  int msiXOffset;
  int powerManagementOffset;

  /**
   * Starts a function without windows: revision, class code and subsystem IDs are 0.
   *
   * @param vendorId 0..FFFEh; FFFFh means that nobody answers
   * @param deviceId 0..FFFFh
   */
  public ConfigSpaceBuilder(int vendorId, int deviceId) {
    require(vendorId >= 0 && vendorId <= 0xFFFE, "vendorId", vendorId, "0..65534");
    require16("deviceId", deviceId);
    registers.set16(ConfigLayout.VENDOR_ID, vendorId);
    registers.set16(ConfigLayout.DEVICE_ID, deviceId);
    registers.set16(ConfigLayout.STATUS, ConfigLayout.STATUS_CAPABILITIES_LIST);
    registers.writable16(
        ConfigLayout.COMMAND,
        ConfigLayout.COMMAND_MEMORY_ENABLE
            | ConfigLayout.COMMAND_BUS_MASTER_ENABLE
            | ConfigLayout.COMMAND_PARITY_ERROR_RESPONSE
            | ConfigLayout.COMMAND_SERR_ENABLE
            | ConfigLayout.COMMAND_INTERRUPT_DISABLE);
    registers.clearable16(ConfigLayout.STATUS, ConfigLayout.STATUS_RW1C);
    registers.writable16(ConfigLayout.CACHE_LINE_SIZE, 0xFF);
    registers.writable16(ConfigLayout.INTERRUPT_LINE, 0xFF);
  }

  /**
   * Makes the function a bridge with a type 1 header: without buses and with closed windows after
   * reset.
   *
   * @param newType root port or port of a switch
   * @return this builder
   */
  ConfigSpaceBuilder bridge(PortType newType) {
    type = newType;
    BridgeWindows.install(registers);
    return this;
  }

  /**
   * Adds the slot registers of an empty slot; after {@link #pcie}.
   *
   * @param newSlot what the slot can do
   * @return this builder
   */
  ConfigSpaceBuilder slot(SlotConfig newSlot) {
    SlotCapability.install(registers, pcieOffset, newSlot);
    return this;
  }

  /**
   * Adds Advanced Error Reporting; root ports get the root error registers.
   *
   * @param offset multiple of 4, 100h..FB8h; the first extended capability lies at 100h
   * @return this builder
   */
  public ConfigSpaceBuilder advancedErrorReporting(int offset) {
    structures.add(ExtendedCapabilityId.ADVANCED_ERROR_REPORTING, offset, AerLayout.LENGTH_BYTES);
    aerOffset = offset;
    ErrorLog.install(registers, offset, type == PortType.ROOT_PORT);
    return this;
  }

  /**
   * Makes the function support function-level reset; after {@link #pcie}.
   *
   * @return this builder
   */
  public ConfigSpaceBuilder functionLevelReset() {
    PcieCapability.allowFunctionReset(registers, pcieOffset);
    return this;
  }

  /**
   * Adds the MSI capability, disabled after reset.
   *
   * @param offset multiple of 4, 40h..F0h
   * @return this builder
   */
  ConfigSpaceBuilder msi(int offset) {
    structures.add(CapabilityId.MSI, offset, MsiLayout.LENGTH_BYTES);
    msiOffset = offset;
    MsiCapability.install(registers, offset);
    return this;
  }

  /**
   * Adds access control services, all off after reset.
   *
   * @param offset multiple of 4, 100h..FF4h
   * @param services {@code AcsLayout} bits of those that exist
   * @return this builder
   */
  ConfigSpaceBuilder accessControl(int offset, int services) {
    structures.add(ExtendedCapabilityId.ACCESS_CONTROL_SERVICES, offset, AcsLayout.LENGTH_BYTES);
    acsOffset = offset;
    AcsCapability.install(registers, offset, services);
    return this;
  }

  /**
   * Adds address translation services, disabled after reset: the function may have a translation
   * cache. Its requests ask for whole pages.
   *
   * @param offset multiple of 4, 100h..FF8h
   * @param queueDepth invalidations that the function takes at once, 1..32
   * @return this builder
   */
  public ConfigSpaceBuilder addressTranslation(int offset, int queueDepth) {
    require(queueDepth >= 1 && queueDepth <= 32, "queueDepth", queueDepth, "1..32");
    ExtendedCapabilityId id = ExtendedCapabilityId.ADDRESS_TRANSLATION_SERVICES;
    structures.add(id, offset, AtsLayout.ATS_LENGTH_BYTES);
    ats.installAts(registers, offset, queueDepth);
    return this;
  }

  /**
   * Adds the page request interface, disabled after reset.
   *
   * @param offset multiple of 4, 100h..FF0h
   * @param capacity page requests that can be outstanding, at least 1
   * @return this builder
   */
  public ConfigSpaceBuilder pageRequests(int offset, int capacity) {
    require(capacity >= 1, "capacity", capacity, "at least 1");
    structures.add(ExtendedCapabilityId.PAGE_REQUEST_INTERFACE, offset, AtsLayout.PRI_LENGTH_BYTES);
    ats.installPri(registers, offset, capacity);
    return this;
  }

  /**
   * Adds process address space IDs, disabled after reset.
   *
   * @param offset multiple of 4, 100h..FF8h
   * @param widthBits of an ID, 1..20
   * @return this builder
   */
  public ConfigSpaceBuilder processAddressSpaces(int offset, int widthBits) {
    require(widthBits >= 1 && widthBits <= 20, "widthBits", widthBits, "1..20");
    structures.add(
        ExtendedCapabilityId.PROCESS_ADDRESS_SPACE_ID, offset, AtsLayout.PASID_LENGTH_BYTES);
    ats.installPasid(registers, offset, widthBits);
    return this;
  }

  /**
   * Sets the revision ID.
   *
   * @param revisionId 0..FFh
   * @return this builder
   */
  public ConfigSpaceBuilder revisionId(int revisionId) {
    require(revisionId >= 0 && revisionId <= 0xFF, "revisionId", revisionId, "0..255");
    registers.set32(
        ConfigLayout.REVISION_ID, registers.value(ConfigLayout.REVISION_ID) & ~0xFF | revisionId);
    return this;
  }

  /**
   * Sets the class code.
   *
   * @param classCode base class 23:16, sub-class 15:8, programming interface 7:0
   * @return this builder
   */
  public ConfigSpaceBuilder classCode(int classCode) {
    require(classCode >= 0 && classCode <= 0xFF_FFFF, "classCode", classCode, "0..16777215");
    registers.set32(
        ConfigLayout.REVISION_ID,
        registers.value(ConfigLayout.REVISION_ID) & 0xFF | classCode << Byte.SIZE);
    return this;
  }

  /**
   * Sets the IDs of the board that carries the function.
   *
   * @param vendorId 0..FFFFh
   * @param subsystemId 0..FFFFh
   * @return this builder
   */
  public ConfigSpaceBuilder subsystem(int vendorId, int subsystemId) {
    require16("vendorId", vendorId);
    require16("subsystemId", subsystemId);
    registers.set16(ConfigLayout.SUBSYSTEM_VENDOR_ID, vendorId);
    registers.set16(ConfigLayout.SUBSYSTEM_ID, subsystemId);
    return this;
  }

  /**
   * Adds a memory window.
   *
   * @param bar the window; its registers must be free
   * @return this builder
   */
  public ConfigSpaceBuilder bar(Bar bar) {
    for (Bar other : bars) {
      boolean disjoint =
          bar.index() >= other.index() + other.registerCount()
              || other.index() >= bar.index() + bar.registerCount();
      if (!disjoint) {
        throw new IllegalArgumentException("bar must use free registers: " + bar + ", " + other);
      }
    }
    bars.add(bar);
    bars.sort(Comparator.comparingInt(Bar::index));
    BarWindows.install(registers, bar);
    return this;
  }

  /**
   * Adds the PCI Express capability of an endpoint. After reset, payloads are 128 B, read requests
   * 512 B, relaxed ordering and no snoop allowed, 8-bit tags not.
   *
   * @param offset multiple of 4, 40h..C4h
   * @param generation fastest link speed, 1 (2.5 GT/s) to 6 (64 GT/s)
   * @param lanes widest link: 1, 2, 4, 8, 12, 16 or 32
   * @param maxPayloadBytes largest payload supported: a power of two, 128..4096
   * @param extendedTag whether 8-bit tags are supported
   * @return this builder
   */
  public ConfigSpaceBuilder pcie(
      int offset, int generation, int lanes, int maxPayloadBytes, boolean extendedTag) {
    structures.add(CapabilityId.PCI_EXPRESS, offset, ConfigLayout.PCIE_LENGTH_BYTES);
    pcieOffset = offset;
    PcieCapability.install(registers, offset, generation, lanes, maxPayloadBytes, extendedTag);
    return this;
  }

  /**
   * Adds the MSI-X capability, disabled after reset.
   *
   * @param offset multiple of 4, 40h..F4h
   * @param config vectors and windows; the windows must lie in BARs that the function has
   * @return this builder
   */
  public ConfigSpaceBuilder msiX(int offset, MsiXConfig config) {
    requireNonNull(config, "config");
    structures.add(CapabilityId.MSI_X, offset, ConfigLayout.MSIX_LENGTH_BYTES);
    msiXOffset = offset;
    msiX = config;
    MsiXCapability.install(registers, offset, config);
    return this;
  }

  /**
   * Adds the power management capability, version 3, with the states D0 and D3hot and without PME.
   * Registers survive D3hot.
   *
   * @param offset multiple of 4, 40h..F8h
   * @return this builder
   */
  public ConfigSpaceBuilder powerManagement(int offset) {
    structures.add(CapabilityId.POWER_MANAGEMENT, offset, ConfigLayout.PM_LENGTH_BYTES);
    powerManagementOffset = offset;
    PowerManagement.install(registers, offset);
    return this;
  }

  /**
   * Sets what the transactions pending bit of the device status shows; without it the bit is 0.
   *
   * @param pending tells, at each read of the register, whether non-posted requests of the function
   *     wait for completions
   * @return this builder
   */
  public ConfigSpaceBuilder transactionsPending(BooleanSupplier pending) {
    transactionsPending = requireNonNull(pending, "pending");
    return this;
  }

  /**
   * {@return the configuration space in its reset state}
   *
   * @throws IllegalStateException without PCI Express capability, or if an MSI-X window does not
   *     lie in a BAR
   */
  public ConfigSpace build() {
    if (pcieOffset == 0) {
      throw new IllegalStateException("a function must have a PCI Express capability");
    }
    if (msiX != null) {
      requireInBar("table", msiX.tableBar(), msiX.tableOffset(), msiX.tableBytes());
      requireInBar("pba", msiX.pbaBar(), msiX.pbaOffset(), msiX.pbaBytes());
    }
    structures.link();
    PcieCapability.setType(registers, pcieOffset, type);
    return new ConfigSpace(this);
  }

  private void requireInBar(String name, int barIndex, int offset, int lengthBytes) {
    for (Bar bar : bars) {
      if (bar.index() == barIndex && (long) offset + lengthBytes <= bar.sizeBytes()) {
        return;
      }
    }
    throw new IllegalStateException(
        "MSI-X "
            + name
            + " must lie in a BAR: bar="
            + barIndex
            + ", offset="
            + offset
            + ", lengthBytes="
            + lengthBytes);
  }

  private static void require16(String name, int value) {
    require(value >= 0 && value <= 0xFFFF, name, value, "0..65535");
  }
}
