package io.github.bellwire.pcie;

import io.github.bellwire.pcie.PcieError.Severity;
import org.jspecify.annotations.Nullable;

/**
 * What a function notes of an error in its configuration space, and which message it sends, if any
 * (PCI Express Base Specification 5.0, section 6.2.5, figure 6-2): device status always, Advanced
 * Error Reporting if the function has it.
 *
 * <p>An unsupported or aborted read is an advisory non-fatal error, because the requester gets a
 * completion that tells it and may report by itself (section 6.2.3.2.4.1); so is an unexpected
 * completion.
 */
final class ErrorLog {
  private static final int CORRECTABLE_BITS = bits(true);
  private static final int UNCORRECTABLE_BITS = bits(false);

  private final ConfigRegisters registers;
  private final int pcie;
  private final int aer;

  /** Finds the PCI Express structure, and that of error reporting unless its offset is 0. */
  ErrorLog(ConfigRegisters registers, int pcie, int aer) {
    this.registers = registers;
    this.pcie = pcie;
    this.aer = aer;
  }

  /** Writes reset values and access rights of all registers but the header. */
  static void install(ConfigRegisters registers, int offset, boolean isRootPort) {
    int fatal = 0;
    for (PcieError error : PcieError.values()) {
      fatal |= error.severity() == Severity.FATAL ? 1 << error.bit() : 0;
    }
    registers.clearable32(offset + AerLayout.UNCORRECTABLE_STATUS, UNCORRECTABLE_BITS);
    registers.writable32(offset + AerLayout.UNCORRECTABLE_MASK, UNCORRECTABLE_BITS);
    registers.set32(offset + AerLayout.UNCORRECTABLE_SEVERITY, fatal);
    registers.writable32(offset + AerLayout.UNCORRECTABLE_SEVERITY, UNCORRECTABLE_BITS);
    registers.clearable32(offset + AerLayout.CORRECTABLE_STATUS, CORRECTABLE_BITS);
    registers.set32(offset + AerLayout.CORRECTABLE_MASK, 1 << PcieError.ADVISORY_NON_FATAL.bit());
    registers.writable32(offset + AerLayout.CORRECTABLE_MASK, CORRECTABLE_BITS);
    for (int i = AerLayout.UNCORRECTABLE_STATUS; i < AerLayout.ROOT_COMMAND; i += 4) {
      registers.sticky32(offset + i);
    }
    if (isRootPort) {
      registers.writable32(
          offset + AerLayout.ROOT_COMMAND,
          AerLayout.ROOT_COMMAND_CORRECTABLE
              | AerLayout.ROOT_COMMAND_NON_FATAL
              | AerLayout.ROOT_COMMAND_FATAL);
      registers.clearable32(offset + AerLayout.ROOT_STATUS, AerLayout.ROOT_STATUS_RW1C);
      registers.sticky32(offset + AerLayout.ROOT_STATUS);
      registers.sticky32(offset + AerLayout.SOURCE_ID);
    }
  }

  /**
   * Notes an error that the function has detected.
   *
   * @param error what happened
   * @param header01 double words 0 (high half) and 1 of the TLP's header, 0 if there is none
   * @param header23 double words 2 (high half) and 3
   * @return the message to be sent to the root complex; null if there is none
   */
  @Nullable Severity record(PcieError error, long header01, long header23) {
    if (error.isCorrectable()) {
      return recordCorrectable(error);
    }
    boolean isUnsupported = error == PcieError.UNSUPPORTED_REQUEST;
    if (isUnsupported) {
      raiseDeviceStatus(ConfigLayout.DEVICE_STATUS_UNSUPPORTED_REQUEST);
    }
    Severity severity = severity(error);
    if (severity == Severity.NON_FATAL && isAdvisory(error, header01)) {
      Severity message = recordCorrectable(PcieError.ADVISORY_NON_FATAL);
      if (!isMasked(PcieError.ADVISORY_NON_FATAL)) {
        logUncorrectable(error, header01, header23);
      }
      return isUnsupported && !isEnabled(ConfigLayout.DEVICE_CONTROL_UNSUPPORTED_ENABLE)
          ? null
          : message;
    }
    boolean isFatal = severity == Severity.FATAL;
    raiseDeviceStatus(
        isFatal
            ? ConfigLayout.DEVICE_STATUS_FATAL_ERROR
            : ConfigLayout.DEVICE_STATUS_NON_FATAL_ERROR);
    logUncorrectable(error, header01, header23);
    return isMasked(error) || !reports(isFatal, isUnsupported) ? null : severity;
  }

  /**
   * Notes that a message has arrived at this function, a root port.
   *
   * @param severity which message
   * @param requesterId who sent it
   * @return whether that interrupts
   */
  boolean receive(Severity severity, int requesterId) {
    int status = registers.value(aer + AerLayout.ROOT_STATUS);
    int source = registers.value(aer + AerLayout.SOURCE_ID);
    if (severity == Severity.CORRECTABLE) {
      boolean isFirst = (status & AerLayout.ROOT_STATUS_CORRECTABLE) == 0;
      status |=
          isFirst ? AerLayout.ROOT_STATUS_CORRECTABLE : AerLayout.ROOT_STATUS_CORRECTABLE_MULTIPLE;
      source = isFirst ? source & ~0xFFFF | requesterId : source;
    } else {
      boolean isFirst = (status & AerLayout.ROOT_STATUS_UNCORRECTABLE) == 0;
      boolean isFatal = severity == Severity.FATAL;
      status |= isFatal ? AerLayout.ROOT_STATUS_FATAL : AerLayout.ROOT_STATUS_NON_FATAL;
      if (isFirst) {
        status |= AerLayout.ROOT_STATUS_UNCORRECTABLE;
        status |= isFatal ? AerLayout.ROOT_STATUS_FIRST_FATAL : 0;
        source = source & 0xFFFF | requesterId << Short.SIZE;
      } else {
        status |= AerLayout.ROOT_STATUS_UNCORRECTABLE_MULTIPLE;
      }
    }
    registers.put32(aer + AerLayout.ROOT_STATUS, status);
    registers.put32(aer + AerLayout.SOURCE_ID, source);
    int enable = 1 << severity.ordinal(); // ROOT_COMMAND_CORRECTABLE, _NON_FATAL, _FATAL
    return (registers.value(aer + AerLayout.ROOT_COMMAND) & enable) != 0;
  }

  private @Nullable Severity recordCorrectable(PcieError error) {
    raiseDeviceStatus(ConfigLayout.DEVICE_STATUS_CORRECTABLE_ERROR);
    if (aer != 0) {
      int bit = 1 << error.bit();
      registers.put32(
          aer + AerLayout.CORRECTABLE_STATUS,
          registers.value(aer + AerLayout.CORRECTABLE_STATUS) | bit);
    }
    boolean isReported = isEnabled(ConfigLayout.DEVICE_CONTROL_CORRECTABLE_ENABLE);
    return isMasked(error) || !isReported ? null : Severity.CORRECTABLE;
  }

  /** Sets the status bit, and keeps the header if no earlier one is kept. */
  private void logUncorrectable(PcieError error, long header01, long header23) {
    if (aer == 0) {
      return;
    }
    int status = registers.value(aer + AerLayout.UNCORRECTABLE_STATUS);
    int control = registers.value(aer + AerLayout.CONTROL);
    int first = 1 << (control & AerLayout.CONTROL_FIRST_ERROR_MASK);
    if ((status & first) == 0 && !isMasked(error)) {
      registers.put32(
          aer + AerLayout.CONTROL, control & ~AerLayout.CONTROL_FIRST_ERROR_MASK | error.bit());
      int log = aer + AerLayout.HEADER_LOG;
      registers.put32(log, (int) (header01 >>> Integer.SIZE));
      registers.put32(log + 4, (int) header01);
      registers.put32(log + 8, (int) (header23 >>> Integer.SIZE));
      registers.put32(log + 12, (int) header23);
    }
    registers.put32(aer + AerLayout.UNCORRECTABLE_STATUS, status | 1 << error.bit());
  }

  private boolean isAdvisory(PcieError error, long header01) {
    return switch (error) {
      case UNSUPPORTED_REQUEST, COMPLETER_ABORT, ACS_VIOLATION ->
          header01 != 0 && TlpHeader.isMemoryRead(header01);
      case UNEXPECTED_COMPLETION -> true;
      default -> false;
    };
  }

  private Severity severity(PcieError error) {
    if (aer == 0) {
      return error.severity();
    }
    int fatal = registers.value(aer + AerLayout.UNCORRECTABLE_SEVERITY);
    return (fatal >>> error.bit() & 1) != 0 ? Severity.FATAL : Severity.NON_FATAL;
  }

  private boolean isMasked(PcieError error) {
    if (aer == 0) {
      return error == PcieError.ADVISORY_NON_FATAL;
    }
    int register =
        error.isCorrectable() ? AerLayout.CORRECTABLE_MASK : AerLayout.UNCORRECTABLE_MASK;
    return (registers.value(aer + register) >>> error.bit() & 1) != 0;
  }

  /** Decides whether an uncorrectable error makes a message; notes it in the status register. */
  private boolean reports(boolean isFatal, boolean isUnsupported) {
    boolean serr = (registers.value(ConfigLayout.COMMAND) & ConfigLayout.COMMAND_SERR_ENABLE) != 0;
    boolean enabled =
        isEnabled(
                isFatal
                    ? ConfigLayout.DEVICE_CONTROL_FATAL_ENABLE
                    : ConfigLayout.DEVICE_CONTROL_NON_FATAL_ENABLE)
            && (!isUnsupported || isEnabled(ConfigLayout.DEVICE_CONTROL_UNSUPPORTED_ENABLE));
    if (serr) {
      registers.raise16(ConfigLayout.STATUS, ConfigLayout.STATUS_SIGNALED_SYSTEM_ERROR);
    }
    return serr || enabled;
  }

  private boolean isEnabled(int deviceControlBit) {
    return (registers.value(pcie + ConfigLayout.DEVICE_CONTROL) & deviceControlBit) != 0;
  }

  private void raiseDeviceStatus(int bit) {
    registers.raise16(pcie + ConfigLayout.DEVICE_STATUS, bit);
  }

  private static int bits(boolean isCorrectable) {
    int bits = 0;
    for (PcieError error : PcieError.values()) {
      bits |= error.isCorrectable() == isCorrectable ? 1 << error.bit() : 0;
    }
    return bits;
  }
}
