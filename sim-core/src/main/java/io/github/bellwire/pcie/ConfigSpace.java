package io.github.bellwire.pcie;

import static io.github.bellwire.kernel.Requirements.require;

import java.util.Optional;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The 4 KiB configuration space of a function: a header of type 0, or of type 1 for bridges, up to
 * six memory windows, the PCI Express capability and, if asked for, MSI-X, power management and
 * extended capabilities. Offsets and bits are in {@link ConfigLayout}; sections below are those of
 * the PCI Express Base Specification 5.0.
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
  private final int msiXOffset;

  private final ConfigRegisters registers;
  private final MsiCapability msi;
  private final MsiXCapability msiXCapability;
  private final PowerManagement power;
  private @Nullable ConfigListener listener;
  private @Nullable Runnable functionReset;
  private boolean isResettingFunction;
  private boolean isSilent;

  private Changes changes = new Changes();

  // Decoded from the registers after each write.
  private boolean busMasterEnabled;
  private boolean memoryEnabled;
  private int maxPayloadBytes;
  private int maxReadRequestBytes;
  private boolean extendedTagEnabled;

  ConfigSpace(ConfigSpaceBuilder builder) {
    transactionsPending = builder.transactionsPending;
    msiX = Optional.ofNullable(builder.msiX);
    windows = new BarWindows(builder.bars);
    type = builder.type;
    pcieOffset = builder.pcieOffset;
    acsOffset = builder.acsOffset;
    ats = builder.ats;
    msiXOffset = builder.msiXOffset;
    registers = new ConfigRegisters(builder.registers);
    msi = new MsiCapability(registers, builder.msiOffset);
    msiXCapability = new MsiXCapability(msiXOffset);
    power = new PowerManagement(registers, builder.powerManagementOffset);
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
    registers.write(offset, sizeBytes, value, power.lockedBits(offset, value));
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
  CompletionTimeout completionTimeout() {
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
    return msiXCapability.isEnabled();
  }

  /** {@return whether all MSI-X vectors are masked at once} */
  public boolean isMsiXFunctionMasked() {
    return msiXCapability.isFunctionMasked();
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

  /** {@return the registers of plain interrupt messages} */
  MsiCapability msi() {
    return msi;
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
    boolean powered = !power.isInD3hot();
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
    msiXCapability.decode(registers);
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
}
