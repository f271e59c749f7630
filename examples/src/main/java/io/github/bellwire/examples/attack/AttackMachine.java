package io.github.bellwire.examples.attack;

import static java.util.Objects.requireNonNull;

import io.github.bellwire.cpu.InterruptVector;
import io.github.bellwire.cpu.SynchronousPort;
import io.github.bellwire.device.attacker.Access;
import io.github.bellwire.device.attacker.Attacker;
import io.github.bellwire.dma.DmaDevice;
import io.github.bellwire.dma.DmaDirection;
import io.github.bellwire.examples.attack.MachineOptions.Feature;
import io.github.bellwire.host.Host;
import io.github.bellwire.host.HostConfig;
import io.github.bellwire.iommu.Iommu;
import io.github.bellwire.iommu.IommuFactory;
import io.github.bellwire.iommu.driver.MappingPolicy;
import io.github.bellwire.iommu.walk.TranslationConfig;
import io.github.bellwire.memory.PhysicalMemory;
import io.github.bellwire.pcie.Bdf;
import io.github.bellwire.pcie.CapabilityId;
import io.github.bellwire.pcie.ConfigLayout;
import io.github.bellwire.pcie.ConfigSpace;
import io.github.bellwire.pcie.Ecam;
import io.github.bellwire.pcie.EnumeratedFunction;
import io.github.bellwire.pcie.PcieLinkConfig;
import io.github.bellwire.pcie.RootComplexConfig.PeerToPeer;
import io.github.bellwire.pcie.Switch;
import io.github.bellwire.pcie.SwitchConfig;
import io.github.bellwire.trace.LifecycleStep;
import io.github.bellwire.trace.OperationId;
import io.github.bellwire.trace.TraceCause;
import io.github.bellwire.trace.TraceSink;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The machine on which one attack is played: two boards below a switch, one malicious, the other
 * somebody's; their drivers; and the kernel's memory.
 */
final class AttackMachine {
  /** What is to stay secret. */
  static final long SECRET = 0x5EC2_E7BA_5EBA_1100L;

  /** What an honest device would write. */
  static final long GOOD = 0x600D;

  /** What a malicious one writes. */
  static final long FORGED = 0xBAD_F00DL;

  /** Size of the region that firmware reserves, in bytes. */
  static final int RESERVED_BYTES = 64 << 10;

  /** Little, so that the pool of bounce buffers, a quarter of it, is soon used up. */
  private static final long LOW_MEMORY_BYTES = 16 << 20;

  private static final int PAGE_BYTES = 4096;
  private static final int MASK_BITS = 64;

  private final Host host;
  private final SynchronousPort cpu;
  private final Attacker attacker;
  private final Attacker victim;
  private final EnumeratedFunction attackerFunction;
  private final EnumeratedFunction victimFunction;
  private final long reservedPa;
  private final OperatingSystem system;
  private final Machines machines;
  private final TraceSink trace;
  private long accessesTotal;
  private @Nullable InterruptVector vector;

  AttackMachine(Machines machines, Mode mode, MachineOptions options) {
    this.machines = machines;
    trace = machines.trace();
    HostConfig plain = machines.host();
    HostConfig config =
        plain
            .withLowMemoryBytes(LOW_MEMORY_BYTES)
            .withRootComplex(plain.rootComplex().withPeerToPeer(PeerToPeer.FORWARDED));
    IommuFactory factory =
        mode.policy() == MappingPolicy.OFF ? null : new IommuFactory(machines.iommu());
    host =
        factory == null
            ? new Host(config, machines.seed())
            : new Host(config, machines.seed(), factory);
    PcieLinkConfig link = config.link();
    Switch packetSwitch = host.attach(SwitchConfig.PEX89048.withUpstreamLink(link));
    attacker = new Attacker(link, host.simulation());
    victim = new Attacker(link, host.simulation());
    packetSwitch.attach(attacker, link);
    packetSwitch.attach(victim, link);
    List<EnumeratedFunction> functions = host.enumerate();
    attackerFunction = functions.get(0);
    victimFunction = functions.get(1);
    cpu = host.synchronousPort(0);
    reservedPa = newBlock(2 * RESERVED_BYTES);
    Iommu iommu = factory == null ? null : factory.iommu();
    system = new OperatingSystem(host, cpu, mode, options, iommu, this);
    setBusMaster(attackerFunction.bdf());
    setBusMaster(victimFunction.bdf());
    if (options.has(Feature.NO_COPY_AT_MAP)) {
      host.bounceBuffers().leaveOutCopyAtMap();
    }
    if (options.has(Feature.FIRMWARE_PROTECTION)) {
      system.startFirmware(highestPa(config));
    }
    if (!options.has(Feature.LATE_PROTECTION)) {
      system.start();
    }
  }

  private static long highestPa(HostConfig config) {
    return PhysicalMemory.HIGH_BASE + config.highMemoryBytes() - 1;
  }

  Host host() {
    return host;
  }

  SynchronousPort cpu() {
    return cpu;
  }

  long nowPs() {
    return host.simulation().nowPs();
  }

  Attacker attacker() {
    return attacker;
  }

  /** {@return the other board, which belongs to somebody and does what it is told} */
  Attacker victim() {
    return victim;
  }

  EnumeratedFunction attackerFunction() {
    return attackerFunction;
  }

  int victimId() {
    return victimFunction.bdf().requesterId();
  }

  long victimBar() {
    return victimFunction.barAddress(0);
  }

  DmaDevice attackerDma() {
    return system.attackerDma();
  }

  DmaDevice victimDma() {
    return system.victimDma();
  }

  long reservedRegionPa() {
    return reservedPa;
  }

  // What software does.

  /** Enables protection, on a machine that starts without. */
  void protect() {
    system.start();
  }

  /** {@return a page that nobody uses} */
  long newPage() {
    return newBlock(PAGE_BYTES);
  }

  long newBlock(int bytes) {
    return host.pages().allocate(bytes);
  }

  long newBlockBelow(int bytes, long highestPa) {
    return host.pages().allocate(bytes, highestPa);
  }

  /** {@return a page with a secret that no device has been given} */
  long secretPage() {
    long pa = newPage();
    cpu.store(pa, Long.BYTES, SECRET);
    return pa;
  }

  /** Maps memory for a device and tells the device where it is. */
  long give(DmaDevice dma, long pa, int lengthBytes, DmaDirection direction) {
    long iova = dma.mapSingle(cpu, pa, lengthBytes, direction);
    if (iova == DmaDevice.MAPPING_ERROR) {
      throw new IllegalStateException("mapping must work: lengthBytes=" + lengthBytes);
    }
    EnumeratedFunction function = dma == system.attackerDma() ? attackerFunction : victimFunction;
    cpu.mmioWrite(function.barAddress(0), Long.BYTES, iova);
    settle();
    return iova;
  }

  /** {@return bus addresses of new pages, each mapped by itself} */
  long[] mapPages(DmaDevice dma, int count) {
    long pa = newBlock(count * PAGE_BYTES);
    long[] iovas = new long[count];
    for (int i = 0; i < count; i++) {
      iovas[i] =
          dma.mapSingle(cpu, pa + (long) i * PAGE_BYTES, PAGE_BYTES, DmaDirection.BIDIRECTIONAL);
    }
    return iovas;
  }

  /** Takes the attacker's way to memory away, as before a driver has come for it. */
  void detachAttacker() {
    system.detachAttacker();
  }

  /** Resets the attacker's function, as before it is given to somebody else, and waits. */
  void resetAttacker() {
    Bdf bdf = attackerFunction.bdf();
    Ecam ecam = host.rootComplex().ecam();
    ConfigSpace space = attacker.configSpace();
    int control = space.findCapability(CapabilityId.PCI_EXPRESS) + ConfigLayout.DEVICE_CONTROL;
    int value = ecam.read(bdf, control, Short.BYTES);
    ecam.write(bdf, control, Short.BYTES, value | ConfigLayout.DEVICE_CONTROL_FUNCTION_RESET);
    waitFor(attacker.functionResetPs() + 1);
    ecam.write(bdf, control, Short.BYTES, value);
    setBusMaster(bdf);
  }

  /** Takes the attacker from one guest and gives it to the next. */
  void reassignAttacker() {
    system.reassignAttacker();
  }

  /** Lets time pass in which the operating system may do what it has put off. */
  void waitFor(long durationPs) {
    cpu.delay(durationPs);
  }

  /** Lets what is on its way arrive. */
  void settle() {
    cpu.delay(10_000_000);
  }

  /** {@return the vector of the victim's interrupt, for which an entry exists where need be} */
  InterruptVector victimVector() {
    InterruptVector current = vector;
    if (current == null) {
      current = host.interrupts().allocate(host.core(0), null);
      vector = current;
      system.allowInterrupt(current);
    }
    return current;
  }

  /** {@return address and data by which the victim raises its interrupt} */
  long victimMessageAddress() {
    return system.messageAddress(victimVector());
  }

  int victimMessageData() {
    return system.messageData(victimVector());
  }

  private void setBusMaster(Bdf bdf) {
    Ecam ecam = host.rootComplex().ecam();
    int command = ecam.read(bdf, ConfigLayout.COMMAND, Short.BYTES);
    ecam.write(
        bdf,
        ConfigLayout.COMMAND,
        Short.BYTES,
        command | ConfigLayout.COMMAND_MEMORY_ENABLE | ConfigLayout.COMMAND_BUS_MASTER_ENABLE);
  }

  // What the attacker does.

  /** {@return the 8 bytes that the attacker gets from an address; all ones if it gets none} */
  long attackRead(long address) {
    return finish(attacker.port().read(address, Long.BYTES));
  }

  void attackWrite(long address, long value) {
    finish(attacker.port().write(address, bytes(value)));
  }

  /**
   * Waits for the end of an access; returns the first 8 of its bytes, all ones if there are less.
   */
  long finish(Access access) {
    host.simulation().runUntil(Math.max(nowPs(), access.donePs()));
    TraceCause cause = access.isWrite() ? TraceCause.PAYLOAD_WRITTEN : TraceCause.PAYLOAD_READ;
    trace.onStep(
        OperationId.receive(0, 0, accessesTotal++),
        LifecycleStep.DEVICE_DMA,
        access.isOk() ? cause : TraceCause.ACCESS_REFUSED,
        access.donePs(),
        access.address(),
        access.bytes().length);
    byte[] bytes = access.bytes();
    return bytes.length < Long.BYTES
        ? -1
        : ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
  }

  static byte[] bytes(long value) {
    return ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array();
  }

  // What has come of it.

  /** Reads and writes a secret by some bus address. */
  Verdict judgeReach(long iova, long pa) {
    boolean isStolen = attackRead(iova) == SECRET;
    attackWrite(iova, FORGED);
    boolean isForged = cpu.load(pa, Long.BYTES) == FORGED;
    return Verdict.of(
        isStolen || isForged,
        (isStolen ? "secret read" : "nothing read")
            + (isForged ? ", changed" : ", nothing changed"));
  }

  /** Looks whether something of the kernel's has become what the attacker has written. */
  Verdict judgeForged(long pa, String what) {
    boolean isForged = cpu.load(pa, Long.BYTES) == FORGED;
    return Verdict.of(isForged, what + (isForged ? " changed" : " unchanged"));
  }

  /** {@return whether the unit has looked any address up} */
  boolean isAnyRequestTranslated() {
    Iommu iommu = system.iommu();
    return iommu != null && iommu.statistics().lookupsTotal() > 0;
  }

  /** {@return how many faults the unit keeps until software has read them} */
  int faultRecordsCount() {
    return machines.iommu().registers().faultRecordsCount();
  }

  /** {@return faults of which the unit keeps nothing} */
  long faultsLostTotal() {
    Iommu iommu = system.iommu();
    return iommu == null ? 0 : iommu.faults().droppedTotal();
  }

  /** {@return more pages than the unit remembers translations} */
  int pagesBeyondIotlb() {
    TranslationConfig.Iotlb iotlb = machines.iommu().translation().iotlb();
    return 2 * iotlb.sets() * iotlb.ways();
  }

  /** {@return what the unit has recorded, by reason} */
  String faultText() {
    return system.faultText();
  }

  /** {@return how many records there was room for} */
  String overflowText() {
    Iommu iommu = requireNonNull(system.iommu(), "iommu");
    return String.format(
        "%d faults recorded, %d lost",
        iommu.faults().recordedTotal(), iommu.faults().droppedTotal());
  }

  /** {@return how many invalidations a device has not answered, for the end of a sentence} */
  String timeoutText() {
    Iommu iommu = system.iommu();
    long timeouts = iommu == null ? 0 : iommu.invalidationQueue().timeoutsTotal();
    return timeouts == 0 ? "" : ", " + timeouts + " not answered";
  }

  /** {@return the DMA state of a device, with 64 address bits} */
  static DmaDevice wide(DmaDevice dma) {
    dma.trySetMask(MASK_BITS);
    dma.trySetCoherentMask(MASK_BITS);
    return dma;
  }
}
