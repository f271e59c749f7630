package io.github.bellwire.examples.attack;

import io.github.bellwire.cpu.CpuPort;
import io.github.bellwire.cpu.InterruptVector;
import io.github.bellwire.device.attacker.Attacker;
import io.github.bellwire.dma.DmaDevice;
import io.github.bellwire.dma.DmaMapper;
import io.github.bellwire.examples.attack.MachineOptions.Feature;
import io.github.bellwire.host.Host;
import io.github.bellwire.iommu.Iommu;
import io.github.bellwire.iommu.driver.DeviceTraits;
import io.github.bellwire.iommu.driver.DmaDomain;
import io.github.bellwire.iommu.driver.IommuDriver;
import io.github.bellwire.iommu.driver.IommuDriverConfig;
import io.github.bellwire.iommu.driver.IovaRange;
import io.github.bellwire.iommu.driver.MappingPolicy;
import io.github.bellwire.iommu.layout.FaultReason;
import io.github.bellwire.iommu.layout.RegisterLayout;
import io.github.bellwire.memory.PhysicalMemory;
import io.github.bellwire.pcie.AcsLayout;
import io.github.bellwire.pcie.AtsLayout;
import io.github.bellwire.pcie.ConfigSpace;
import io.github.bellwire.pcie.DownstreamPort;
import io.github.bellwire.pcie.ExtendedCapabilityId;
import io.github.bellwire.pcie.PcieError;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What the operating system does for protection before drivers run. */
final class OperatingSystem {
  private final Host host;
  private final CpuPort cpu;
  private final MachineOptions options;
  private final MappingPolicy policy;
  private final @Nullable Iommu iommu;
  private final AttackMachine machine;
  private @Nullable IommuDriver driver;
  private DmaDevice attackerDma;
  private DmaDevice victimDma;
  private IommuDriver.@Nullable RemappedMessage victimMessage;

  OperatingSystem(
      Host host,
      CpuPort cpu,
      Mode mode,
      MachineOptions options,
      @Nullable Iommu iommu,
      AttackMachine machine) {
    this.host = host;
    this.cpu = cpu;
    this.options = options;
    this.iommu = iommu;
    this.machine = machine;
    policy = mode.policy();
    attackerDma = AttackMachine.wide(host.newDmaDevice());
    victimDma = AttackMachine.wide(host.newDmaDevice());
  }

  @Nullable Iommu iommu() {
    return iommu;
  }

  DmaDevice attackerDma() {
    return attackerDma;
  }

  DmaDevice victimDma() {
    return victimDma;
  }

  /** Does what careful firmware does: protects high memory, up to a byte, from all devices. */
  void startFirmware(long highestPa) {
    Iommu unit = iommu;
    if (unit != null) {
      long registers = unit.registers().baseAddress();
      cpu.mmioWrite(registers + RegisterLayout.PHMBASE, Long.BYTES, PhysicalMemory.HIGH_BASE);
      cpu.mmioWrite(registers + RegisterLayout.PHMLIMIT, Long.BYTES, highestPa);
      cpu.mmioWrite(
          registers + RegisterLayout.PMEN,
          Integer.BYTES,
          Integer.toUnsignedLong(RegisterLayout.PMEN_ENABLE));
    }
  }

  /** Sets up access control and, where there is an IOMMU, starts its driver. */
  void start() {
    DeviceTraits traits = attackerTraits();
    int services = options.accessControl();
    if (traits.isUntrusted()) {
      services |= AcsLayout.TRANSLATION_BLOCKING; // As Linux does for external ports.
    }
    setAccessControl(services);
    Iommu unit = iommu;
    if (unit == null) {
      return;
    }
    IommuDriver newDriver =
        new IommuDriver(
            host,
            unit.registers().baseAddress(),
            IommuDriverConfig.LINUX_6_12,
            List.of(IovaRange.INTERRUPTS));
    newDriver.start(cpu, options.has(Feature.INTERRUPT_REMAPPING));
    driver = newDriver;
    if (options.has(Feature.SHARED_DOMAIN)
        && !traits.isUntrusted()
        && policy != MappingPolicy.PASSTHROUGH) {
      DmaDomain shared = newDriver.newDomain(cpu, policy);
      attackerDma = dmaDevice(newDriver.attach(cpu, attackerId(), shared, traits));
      victimDma =
          dmaDevice(newDriver.attach(cpu, machine.victimId(), shared, DeviceTraits.INTERNAL));
    } else {
      attackerDma = dmaDevice(newDriver.attach(cpu, attackerId(), policy, traits));
      victimDma = dmaDevice(newDriver.attach(cpu, machine.victimId(), policy));
    }
    if (traits.hasDeviceTlb() && !traits.isUntrusted()) {
      enableAts();
    }
  }

  /** Takes the attacker's context away; no difference where there is none. */
  void detachAttacker() {
    IommuDriver running = driver;
    if (running != null) {
      running.detach(cpu, attackerId());
    }
  }

  /** Gives the attacker a new address space, as for the next virtual machine. */
  void reassignAttacker() {
    IommuDriver running = driver;
    if (running == null) {
      attackerDma = AttackMachine.wide(host.newDmaDevice());
    } else {
      running.detach(cpu, attackerId());
      attackerDma = dmaDevice(running.attach(cpu, attackerId(), policy, attackerTraits()));
    }
  }

  /** Makes an entry for the victim's interrupt where interrupts are remapped. */
  void allowInterrupt(InterruptVector vector) {
    IommuDriver running = driver;
    if (running != null && options.has(Feature.INTERRUPT_REMAPPING)) {
      victimMessage = running.remapInterrupt(cpu, machine.victimId(), vector);
    }
  }

  long messageAddress(InterruptVector vector) {
    IommuDriver.RemappedMessage message = victimMessage;
    return message == null ? vector.address() : message.address();
  }

  int messageData(InterruptVector vector) {
    IommuDriver.RemappedMessage message = victimMessage;
    return message == null ? vector.data() : message.data();
  }

  /** {@return what the unit has found wrong, such as "fault 6h: 2"} */
  String faultText() {
    Iommu unit = iommu;
    List<String> parts = new ArrayList<>();
    if (unit != null) {
      for (FaultReason reason : FaultReason.values()) {
        long count = unit.faults().faultsTotal(reason);
        if (count > 0) {
          parts.add(String.format("fault %Xh: %d", reason.code(), count));
        }
      }
    }
    long violations = port().errors().total(PcieError.ACS_VIOLATION);
    if (violations > 0) {
      parts.add("ACS violation: " + violations);
    }
    return String.join(", ", parts);
  }

  private DmaDevice dmaDevice(DmaMapper mapper) {
    return AttackMachine.wide(host.newDmaDevice(mapper));
  }

  private DeviceTraits attackerTraits() {
    boolean isUntrusted = policy == MappingPolicy.STRICT_BOUNCE;
    long first = machine.reservedRegionPa();
    List<IovaRange> regions =
        options.has(Feature.RESERVED_REGION)
            ? List.of(new IovaRange(first, first + AttackMachine.RESERVED_BYTES - 1))
            : List.of();
    return new DeviceTraits(isUntrusted, options.has(Feature.DEVICE_TLB), regions);
  }

  private int attackerId() {
    return machine.attackerFunction().bdf().requesterId();
  }

  private DownstreamPort port() {
    return host.rootComplex().portOf(machine.attackerFunction().bdf());
  }

  private void setAccessControl(int services) {
    ConfigSpace config = port().configSpace();
    int offset = config.findCapability(ExtendedCapabilityId.ACCESS_CONTROL_SERVICES);
    config.write(offset + AcsLayout.CONTROL, Short.BYTES, services);
  }

  private void enableAts() {
    int control = Attacker.ATS_CAPABILITY + AtsLayout.ATS_CONTROL;
    host.rootComplex()
        .ecam()
        .write(machine.attackerFunction().bdf(), control, Short.BYTES, AtsLayout.ATS_ENABLE);
  }
}
