package io.github.bellwire.pcie;

import static io.github.bellwire.kernel.Requirements.require;
import static java.util.Objects.requireNonNull;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The 4 KiB configuration space of a function: a header of type 0, or of type 1 for bridges, up to
 * six memory windows, the PCI Express capability and, if asked for, MSI-X, power management and
 * extended capabilities. Offsets and bits are in {@link ConfigLayout} and {@link BridgeLayout};
 * sections below are those of the PCI Express Base Specification 5.0.
 *
 * <pre>{@code
 * software --read, write--> [ registers: value, writable bits, write-1-to-clear bits ]
 *                                   | decoded after each write
 * fabric, device <--isX, barX, maxX-+
 * }</pre>
 *
 * <p>Decisions where the specification leaves room: a window at address 0 is unassigned and decodes
 * nothing; a payload size above the supported one counts as the supported one, a read request size
 * above 4096 B as 4096 B; writes of the unimplemented power states D1 and D2 leave the state alone.
 * In D3hot the function neither decodes memory nor issues requests (section 5.3.1.4.1).
 *
 * <p>Not modelled: I/O windows, expansion ROM, INTx, the time of a configuration access.
 *
 * <p>Allocates nothing after construction. Confined to the simulation thread.
 */
public final class ConfigSpace {
  private static final int POWER_STATE_D3HOT = 3;

  private final BooleanSupplier transactionsPending;
  private final Optional<MsiXConfig> msiX;
  private final BarWindows windows;
  private final PcieCapability pcie;
  private final PortType type;
  private final BridgeWindows bridge = new BridgeWindows();
  private final AcsCapability acs = new AcsCapability();
  private final AtsCapabilities ats;
  private final ErrorLog errorLog;
  private final SlotCapability slot;
  private final int pcieOffset;
  private final int acsOffset;
  private final int msiOffset;
  private final int msiXOffset;
  private final int powerManagementOffset;

  private final ConfigRegisters registers;
  private @Nullable ConfigListener listener;
  private @Nullable Runnable functionReset;
  private boolean isResettingFunction;
  private boolean isSilent;

  private Changes changes = new Changes();

  // Decoded from the registers after each write.
  private boolean busMasterEnabled;
  private boolean memoryEnabled;
  private boolean msiXEnabled;
  private boolean msiXFunctionMasked;
  private int maxPayloadBytes;
  private int maxReadRequestBytes;
  private boolean extendedTagEnabled;

  private ConfigSpace(Builder builder) {
    transactionsPending = builder.transactionsPending;
    msiX = Optional.ofNullable(builder.msiX);
    windows = new BarWindows(builder.bars);
    type = builder.type;
    pcieOffset = builder.pcieOffset;
    acsOffset = builder.acsOffset;
    ats = builder.ats;
    msiOffset = builder.msiOffset;
    msiXOffset = builder.msiXOffset;
    powerManagementOffset = builder.powerManagementOffset;
    registers = new ConfigRegisters(builder.registers);
    pcie = new PcieCapability(registers, pcieOffset);
    errorLog = new ErrorLog(registers, pcieOffset, builder.aerOffset);
    slot = new SlotCapability(registers, pcieOffset);
    decode();
  }

  /**
   * Reads a register. Reserved offsets read 0.
   *
   * @param offset 0..4095, a multiple of {@code sizeBytes}
   * @param sizeBytes 1, 2 or 4
   * @return the value, little endian in the low bytes, upper bytes 0
   * @throws IllegalArgumentException if offset or size are not as above
   */
  public int read(int offset, int sizeBytes) {
    ConfigRegisters.requireAccess(offset, sizeBytes);
    if (isSilent) {
      return ConfigRegisters.extract(-1, offset, sizeBytes);
    }
    int register = registers.value(offset);
    if (isRegister(offset, pcieOffset + ConfigLayout.DEVICE_CONTROL)
        && transactionsPending.getAsBoolean()) {
      register |= ConfigLayout.DEVICE_STATUS_TRANSACTIONS_PENDING << Short.SIZE;
    }
    return ConfigRegisters.extract(register, offset, sizeBytes);
  }

  /**
   * Writes a register. Read-only bits keep their value, status bits are cleared where a 1 is
   * written.
   *
   * @param offset 0..4095, a multiple of {@code sizeBytes}
   * @param sizeBytes 1, 2 or 4
   * @param value little endian in the low bytes; upper bytes are ignored
   * @throws IllegalArgumentException if offset or size are not as above
   */
  public void write(int offset, int sizeBytes, int value) {
    ConfigRegisters.requireAccess(offset, sizeBytes);
    if (isSilent) {
      return;
    }
    registers.write(offset, sizeBytes, value, lockedBits(offset, value));
    decode();
    if (listener != null && isRegister(offset, msiXOffset)) {
      listener.onMsiXControlWritten();
    }
    Runnable reset = functionReset;
    if (reset != null && isFunctionReset(offset, sizeBytes, value)) {
      reset.run();
    }
  }

  /**
   * Returns every register to its reset value; during a function-level reset, all but those that
   * survive it. What the link has negotiated stays. An {@link MsiX} built on this configuration
   * space is reset by its device.
   */
  public void reset() {
    if (isResettingFunction) {
      registers.resetFunction();
    } else {
      registers.reset();
    }
    decode();
  }

  /**
   * Does what a function-level reset does to a device (section 6.6.2): everything returns to its
   * reset value but sticky bits and what belongs to the link.
   */
  void resetFunction(Endpoint endpoint, long nowPs) {
    isResettingFunction = true;
    endpoint.reset(nowPs);
    isResettingFunction = false;
  }

  /**
   * Stops or starts answering: reads of a silent function return all ones, writes vanish, as when
   * every access is asked to be repeated and software does not see that (section 2.3.2).
   */
  void setSilent(boolean silent) {
    isSilent = silent;
  }

  /** Says what happens when software asks for a function-level reset. */
  void onFunctionReset(@Nullable Runnable newFunctionReset) {
    functionReset = newFunctionReset;
  }

  /**
   * {@return where a capability structure starts, found by following the list as software does; 0
   * if the function does not have it}
   *
   * @param id the structure looked for
   */
  public int findCapability(CapabilityId id) {
    int offset = read(ConfigLayout.CAPABILITIES_POINTER, 1);
    while (offset != 0 && read(offset, 1) != id.code()) {
      offset = read(offset + 1, 1);
    }
    return offset;
  }

  /**
   * {@return where an extended capability structure starts, found by following the list as software
   * does; 0 if the function does not have it}
   *
   * @param id the structure looked for
   */
  public int findCapability(ExtendedCapabilityId id) {
    int offset = ConfigLayout.EXTENDED_BASE;
    int header = read(offset, 4);
    while ((header & ConfigLayout.EXTENDED_ID_MASK) != id.code()) {
      offset = header >>> ConfigLayout.EXTENDED_NEXT_SHIFT;
      if (offset == 0) {
        return 0;
      }
      header = read(offset, 4);
    }
    return offset;
  }

  /** {@return what the function is in the tree} */
  public PortType type() {
    return type;
  }

  /**
   * Called when the link has come up: link status shows what was negotiated from now on.
   *
   * @param generation 1..6, at most what the function supports
   * @param lanes 1, 2, 4, 8, 12, 16 or 32, at most what the function supports
   * @throws IllegalArgumentException if a value is not as above
   */
  public void linkUp(int generation, int lanes) {
    pcie.linkUp(generation, lanes);
  }

  /**
   * Sets event bits of the status register, as the function does when it meets an error.
   *
   * @param bits {@code STATUS_...} bits of {@link ConfigLayout} that software clears by writing 1
   * @throws IllegalArgumentException if another bit is set
   */
  public void raiseStatus(int bits) {
    require((bits & ~ConfigLayout.STATUS_RW1C) == 0, "bits", bits, "write-1-to-clear bits");
    registers.raise16(ConfigLayout.STATUS, bits);
  }

  /**
   * Sets event bits of the PCI Express device status register.
   *
   * @param bits {@code DEVICE_STATUS_...} bits that software clears by writing 1
   * @throws IllegalArgumentException if another bit is set
   */
  public void raiseDeviceStatus(int bits) {
    require((bits & ~ConfigLayout.DEVICE_STATUS_RW1C) == 0, "bits", bits, "write-1-to-clear bits");
    registers.raise16(pcieOffset + ConfigLayout.DEVICE_STATUS, bits);
  }

  /** {@return whether the function may issue requests: enabled by software and in D0} */
  public boolean isBusMasterEnabled() {
    return busMasterEnabled;
  }

  /** {@return whether the function answers memory requests: enabled by software and in D0} */
  public boolean isMemoryEnabled() {
    return memoryEnabled;
  }

  /**
   * {@return the BAR whose window holds an address, the lowest if several do; -1 if none does or
   * the function does not answer memory requests}
   *
   * @param address bus address of one byte
   */
  public int barIndexAt(long address) {
    return windows.indexAt(address);
  }

  /**
   * {@return the bus address that software has assigned to a window, whether or not it is decoded;
   * 0 if the register describes no window or is the upper half of one}
   *
   * @param bar 0..5
   * @throws IllegalArgumentException if there is no such register
   */
  public long barAddress(int bar) {
    return windows.address(bar);
  }

  /**
   * {@return the size of a window in bytes; 0 if the register describes no window or is the upper
   * half of one}
   *
   * @param bar 0..5
   * @throws IllegalArgumentException if there is no such register
   */
  public long barSizeBytes(int bar) {
    return windows.sizeBytes(bar);
  }

  /** {@return the largest payload the function may send, in bytes, 128..4096} */
  public int maxPayloadBytes() {
    return maxPayloadBytes;
  }

  /** {@return the largest read request the function may send, in bytes, 128..4096} */
  public int maxReadRequestBytes() {
    return maxReadRequestBytes;
  }

  /** {@return whether the function may use 8-bit instead of 5-bit tags} */
  public boolean isExtendedTagEnabled() {
    return extendedTagEnabled;
  }

  /** {@return whether the function may set the relaxed ordering attribute} */
  public boolean isRelaxedOrderingEnabled() {
    return pcie.isDeviceControlSet(ConfigLayout.DEVICE_CONTROL_RELAXED_ORDERING);
  }

  /** {@return whether the function may set the no snoop attribute} */
  public boolean isNoSnoopEnabled() {
    return pcie.isDeviceControlSet(ConfigLayout.DEVICE_CONTROL_NO_SNOOP);
  }

  /** {@return whether the function may set the ID-based ordering attribute} */
  public boolean isIdOrderingEnabled() {
    return (pcie.deviceControl2() & ConfigLayout.DEVICE_CONTROL_2_IDO_REQUEST) != 0;
  }

  /** {@return the range of the completion timeout that software has chosen} */
  public CompletionTimeout completionTimeout() {
    return CompletionTimeout.ofCode(
        pcie.deviceControl2() & ConfigLayout.DEVICE_CONTROL_2_COMPLETION_TIMEOUT_VALUE);
  }

  /** {@return whether software lets the function ask for translations and keep them} */
  public boolean isAddressTranslationEnabled() {
    return ats.isTranslationEnabled();
  }

  /** {@return the smallest range that software translates, in bytes, at least 4096} */
  public long smallestTranslationUnitBytes() {
    return ats.smallestUnitBytes();
  }

  /** {@return whether software lets the function ask for pages that are not there} */
  public boolean isPageRequestEnabled() {
    return ats.isPageRequestEnabled();
  }

  /** {@return whether the function's requests may carry a process address space ID} */
  public boolean isPasidEnabled() {
    return ats.isPasidEnabled();
  }

  /** {@return whether software uses MSI-X; always {@code false} without that capability} */
  public boolean isMsiXEnabled() {
    return msiXEnabled;
  }

  /** {@return whether all MSI-X vectors are masked at once} */
  public boolean isMsiXFunctionMasked() {
    return msiXFunctionMasked;
  }

  /** {@return vectors and windows of MSI-X, empty without that capability} */
  public Optional<MsiXConfig> msiX() {
    return msiX;
  }

  /** {@return buses and windows; meaningless unless the function is a bridge} */
  BridgeWindows bridge() {
    return bridge;
  }

  boolean isSilent() {
    return isSilent;
  }

  /** {@return whether the bridge passes on error messages from below} */
  boolean forwardsErrors() {
    int control = registers.value(BridgeLayout.BRIDGE_CONTROL) >>> Short.SIZE;
    return (control & BridgeLayout.BRIDGE_CONTROL_SERR_ENABLE) != 0;
  }

  /** {@return what access control services are on; none without that capability} */
  AcsCapability acs() {
    return acs;
  }

  ErrorLog errorLog() {
    return errorLog;
  }

  /** {@return the slot registers; meaningless unless the function has them} */
  SlotCapability slot() {
    return slot;
  }

  /** {@return whether software uses MSI; always {@code false} without that capability} */
  boolean isMsiEnabled() {
    return msiOffset != 0
        && (registers.value(msiOffset) >>> Short.SIZE & MsiLayout.CONTROL_ENABLE) != 0;
  }

  /** {@return where the interrupt message goes} */
  long msiAddress() {
    long low = registers.value(msiOffset + MsiLayout.ADDRESS) & 0xFFFF_FFFFL;
    return (long) registers.value(msiOffset + MsiLayout.ADDRESS + 4) << Integer.SIZE | low;
  }

  /** {@return what the interrupt message says} */
  int msiData() {
    return registers.value(msiOffset + MsiLayout.DATA) & 0xFFFF;
  }

  void attach(ConfigListener newListener) {
    if (listener != null) {
      throw new IllegalStateException("a configuration space serves one MsiX");
    }
    listener = newListener;
  }

  /** Lets a fabric know from now on whenever registers have been written. */
  void tell(Changes fabricChanges) {
    changes = fabricChanges;
    changes.add();
  }

  private void decode() {
    changes.add();
    boolean powered = powerState() != POWER_STATE_D3HOT;
    int command = registers.value(ConfigLayout.COMMAND);
    busMasterEnabled = powered && (command & ConfigLayout.COMMAND_BUS_MASTER_ENABLE) != 0;
    memoryEnabled = powered && (command & ConfigLayout.COMMAND_MEMORY_ENABLE) != 0;
    windows.decode(registers, memoryEnabled);
    if (type.isBridge()) {
      bridge.decode(registers, memoryEnabled);
    }
    if (acsOffset != 0) {
      acs.decode(registers, acsOffset);
    }
    ats.decode(registers);
    maxPayloadBytes = pcie.maxPayloadBytes();
    maxReadRequestBytes = pcie.maxReadRequestBytes();
    extendedTagEnabled = pcie.isDeviceControlSet(ConfigLayout.DEVICE_CONTROL_EXTENDED_TAG);
    if (msiXOffset != 0) {
      int control = registers.value(msiXOffset) >>> Short.SIZE;
      msiXEnabled = (control & ConfigLayout.MSIX_CONTROL_ENABLE) != 0;
      msiXFunctionMasked = (control & ConfigLayout.MSIX_CONTROL_FUNCTION_MASK) != 0;
    }
  }

  private int powerState() {
    return powerManagementOffset == 0
        ? 0
        : registers.value(powerManagementOffset + ConfigLayout.PM_CONTROL_STATUS)
            & ConfigLayout.PM_POWER_STATE_MASK;
  }

  /** Returns the power state field if a write of D1 or D2 to it has to be ignored. */
  private int lockedBits(int offset, int value) {
    int state = value & ConfigLayout.PM_POWER_STATE_MASK;
    boolean locked =
        powerManagementOffset != 0
            && offset == powerManagementOffset + ConfigLayout.PM_CONTROL_STATUS
            && (state == 1 || state == 2);
    return locked ? ConfigLayout.PM_POWER_STATE_MASK : 0;
  }

  private boolean isFunctionReset(int offset, int sizeBytes, int value) {
    int register = pcieOffset + ConfigLayout.DEVICE_CONTROL;
    int written = offset <= register + 1 ? value >>> (register + 1 - offset) * Byte.SIZE : 0;
    return isRegister(offset, register)
        && register + 1 < offset + sizeBytes
        && (written << Byte.SIZE & ConfigLayout.DEVICE_CONTROL_FUNCTION_RESET) != 0
        && (registers.value(pcieOffset + ConfigLayout.DEVICE_CAPABILITIES)
                & ConfigLayout.DEVICE_CAPABILITIES_FUNCTION_RESET)
            != 0;
  }

  private static boolean isRegister(int offset, int registerOffset) {
    return offset >>> 2 == registerOffset >>> 2;
  }

  /**
   * Collects what a function is and has. The PCI Express capability is required, everything else
   * has a default. Each method throws {@link IllegalArgumentException} naming the property, the
   * bound it breaks and its value.
   */
  public static final class Builder {
    private final ConfigRegisters registers = new ConfigRegisters();
    private final List<Bar> bars = new ArrayList<>();
    private final CapabilityList structures = new CapabilityList(registers);
    private PortType type = PortType.ENDPOINT;
    private BooleanSupplier transactionsPending = () -> false;
    private @Nullable MsiXConfig msiX;
    private final AtsCapabilities ats = new AtsCapabilities();
    private int pcieOffset;
    private int acsOffset;
    private int aerOffset;
    private int msiOffset;
    private int msiXOffset;
    private int powerManagementOffset;

    /**
     * Starts a function without windows: revision, class code and subsystem IDs are 0.
     *
     * @param vendorId 0..FFFEh; FFFFh means that nobody answers
     * @param deviceId 0..FFFFh
     */
    public Builder(int vendorId, int deviceId) {
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
    Builder bridge(PortType newType) {
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
    Builder slot(SlotConfig newSlot) {
      SlotCapability.install(registers, pcieOffset, newSlot);
      return this;
    }

    /**
     * Adds Advanced Error Reporting; root ports get the root error registers.
     *
     * @param offset multiple of 4, 100h..FB8h; the first extended capability lies at 100h
     * @return this builder
     */
    public Builder advancedErrorReporting(int offset) {
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
    public Builder functionLevelReset() {
      PcieCapability.allowFunctionReset(registers, pcieOffset);
      return this;
    }

    /**
     * Adds the MSI capability, disabled after reset.
     *
     * @param offset multiple of 4, 40h..F0h
     * @return this builder
     */
    Builder msi(int offset) {
      structures.add(CapabilityId.MSI, offset, MsiLayout.LENGTH_BYTES);
      msiOffset = offset;
      registers.set16(offset + MsiLayout.CONTROL, MsiLayout.CONTROL_64_BIT);
      registers.writable16(offset + MsiLayout.CONTROL, MsiLayout.CONTROL_ENABLE);
      registers.writable32(offset + MsiLayout.ADDRESS, -4);
      registers.writable32(offset + MsiLayout.ADDRESS + 4, -1);
      registers.writable16(offset + MsiLayout.DATA, 0xFFFF);
      return this;
    }

    /**
     * Adds access control services, all off after reset.
     *
     * @param offset multiple of 4, 100h..FF4h
     * @param services {@code AcsLayout} bits of those that exist
     * @return this builder
     */
    Builder accessControl(int offset, int services) {
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
    public Builder addressTranslation(int offset, int queueDepth) {
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
    public Builder pageRequests(int offset, int capacity) {
      require(capacity >= 1, "capacity", capacity, "at least 1");
      structures.add(
          ExtendedCapabilityId.PAGE_REQUEST_INTERFACE, offset, AtsLayout.PRI_LENGTH_BYTES);
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
    public Builder processAddressSpaces(int offset, int widthBits) {
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
    public Builder revisionId(int revisionId) {
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
    public Builder classCode(int classCode) {
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
    public Builder subsystem(int vendorId, int subsystemId) {
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
    public Builder bar(Bar bar) {
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
      int offset = ConfigLayout.barOffset(bar.index());
      long addressBits = -bar.sizeBytes();
      registers.set32(
          offset,
          (bar.is64Bit() ? ConfigLayout.BAR_TYPE_64 : 0)
              | (bar.prefetchable() ? ConfigLayout.BAR_PREFETCHABLE : 0));
      registers.writable32(offset, (int) addressBits & ~ConfigLayout.BAR_ATTRIBUTES);
      if (bar.is64Bit()) {
        registers.writable32(offset + Integer.BYTES, (int) (addressBits >>> Integer.SIZE));
      }
      return this;
    }

    /**
     * Adds the PCI Express capability of an endpoint. After reset, payloads are 128 B, read
     * requests 512 B, relaxed ordering and no snoop allowed, 8-bit tags not.
     *
     * @param offset multiple of 4, 40h..C4h
     * @param generation fastest link speed, 1 (2.5 GT/s) to 6 (64 GT/s)
     * @param lanes widest link: 1, 2, 4, 8, 12, 16 or 32
     * @param maxPayloadBytes largest payload supported: a power of two, 128..4096
     * @param extendedTag whether 8-bit tags are supported
     * @return this builder
     */
    public Builder pcie(
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
    public Builder msiX(int offset, MsiXConfig config) {
      requireNonNull(config, "config");
      structures.add(CapabilityId.MSI_X, offset, ConfigLayout.MSIX_LENGTH_BYTES);
      msiXOffset = offset;
      msiX = config;
      registers.set16(offset + ConfigLayout.MSIX_CONTROL, config.vectorCount() - 1);
      registers.writable16(
          offset + ConfigLayout.MSIX_CONTROL,
          ConfigLayout.MSIX_CONTROL_ENABLE | ConfigLayout.MSIX_CONTROL_FUNCTION_MASK);
      registers.set32(offset + ConfigLayout.MSIX_TABLE, config.tableOffset() | config.tableBar());
      registers.set32(offset + ConfigLayout.MSIX_PBA, config.pbaOffset() | config.pbaBar());
      return this;
    }

    /**
     * Adds the power management capability, version 3, with the states D0 and D3hot and without
     * PME. Registers survive D3hot.
     *
     * @param offset multiple of 4, 40h..F8h
     * @return this builder
     */
    public Builder powerManagement(int offset) {
      structures.add(CapabilityId.POWER_MANAGEMENT, offset, ConfigLayout.PM_LENGTH_BYTES);
      powerManagementOffset = offset;
      registers.set16(offset + ConfigLayout.PM_CAPABILITIES, 3);
      registers.set16(offset + ConfigLayout.PM_CONTROL_STATUS, ConfigLayout.PM_NO_SOFT_RESET);
      registers.writable16(
          offset + ConfigLayout.PM_CONTROL_STATUS, ConfigLayout.PM_POWER_STATE_MASK);
      return this;
    }

    /**
     * Sets what the transactions pending bit of the device status shows; without it the bit is 0.
     *
     * @param pending tells, at each read of the register, whether non-posted requests of the
     *     function wait for completions
     * @return this builder
     */
    public Builder transactionsPending(BooleanSupplier pending) {
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
}
