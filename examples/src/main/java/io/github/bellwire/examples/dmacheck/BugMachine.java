package io.github.bellwire.examples.dmacheck;

import static java.util.Objects.requireNonNull;

import io.github.bellwire.cpu.SynchronousPort;
import io.github.bellwire.dma.BounceBufferPool;
import io.github.bellwire.dma.CoherentBuffer;
import io.github.bellwire.dma.DescriptorRing;
import io.github.bellwire.dma.DmaConfig;
import io.github.bellwire.dma.DmaDevice;
import io.github.bellwire.dma.DmaDirection;
import io.github.bellwire.dma.DmaMapper;
import io.github.bellwire.dma.Doorbell;
import io.github.bellwire.dma.PageAllocator;
import io.github.bellwire.dma.ScatterList;
import io.github.bellwire.dma.check.DmaChecker;
import io.github.bellwire.host.Host;
import io.github.bellwire.host.HostConfig;
import io.github.bellwire.iommu.Iommu;
import io.github.bellwire.iommu.IommuFactory;
import io.github.bellwire.iommu.IommuPresets;
import io.github.bellwire.iommu.driver.DeviceTraits;
import io.github.bellwire.iommu.driver.DmaDomain;
import io.github.bellwire.iommu.driver.IommuDriver;
import io.github.bellwire.iommu.driver.IommuDriverConfig;
import io.github.bellwire.iommu.driver.IommuMapper;
import io.github.bellwire.iommu.driver.MappingPolicy;
import io.github.bellwire.pcie.Bdf;
import io.github.bellwire.pcie.ConfigLayout;
import io.github.bellwire.pcie.EnumeratedFunction;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A machine with a {@link MailboxDevice}, and what the drivers of the gallery have in common. */
final class BugMachine {
  static final int PAGE_BYTES = PageAllocator.PAGE_BYTES;
  private static final int DESCRIPTORS = 8;
  private static final long SETTLE_PS = 10_000_000;

  final Host host;
  final DmaChecker checker;
  final SynchronousPort cpu;
  final DmaDevice dma;
  private final Bdf bdf;
  private final long bar0;
  private final Doorbell doorbell;
  private final CoherentBuffer memory;
  final DescriptorRing ring;
  private final @Nullable IommuDriver iommu;
  private final @Nullable IommuMapper translated;
  private final @Nullable ForgetfulMapper forgetful;

  private BugMachine(HostConfig config, MappingPolicy policy) {
    IommuFactory factory =
        policy == MappingPolicy.OFF ? null : new IommuFactory(IommuPresets.ICE_LAKE);
    host = factory == null ? new Host(config, 1) : new Host(config, 1, factory);
    checker = host.attachChecker();
    cpu = host.synchronousPort(0);
    iommu = factory == null ? null : start(factory.iommu());
    MailboxDevice device = new MailboxDevice(host.simulation(), config.link());
    host.attach(device);
    EnumeratedFunction function = host.enumerate().get(0);
    int enabled = ConfigLayout.COMMAND_MEMORY_ENABLE | ConfigLayout.COMMAND_BUS_MASTER_ENABLE;
    device.configSpace().write(ConfigLayout.COMMAND, Short.BYTES, enabled);
    bdf = function.bdf();
    bar0 = function.barAddress(0);
    if (iommu == null) {
      translated = null;
      forgetful = null;
    } else {
      DmaDomain domain = iommu.newDomain(cpu, policy);
      translated = iommu.attach(cpu, bdf.requesterId(), domain, DeviceTraits.INTERNAL);
      forgetful = new ForgetfulMapper(iommu, translated);
    }
    dma = host.newDmaDevice(forgetful == null ? DmaMapper.IDENTITY : forgetful, bdf);
    setMasks(dma, Long.SIZE);
    memory = allocateCoherent(dma, DESCRIPTORS * MailboxLayout.DESCRIPTOR_BYTES);
    ring = dma.newRing(memory, MailboxLayout.DESCRIPTOR_BYTES, DESCRIPTORS);
    doorbell = new Doorbell(bar0 + MailboxLayout.TAIL, Integer.BYTES);
    cpu.mmioWrite(bar0 + MailboxLayout.RING_BASE, Long.BYTES, memory.iova());
    cpu.mmioWrite(bar0 + MailboxLayout.RING_SIZE, Integer.BYTES, DESCRIPTORS);
  }

  /** {@return a coherent machine without an IOMMU} */
  static BugMachine coherent() {
    return new BugMachine(HostConfig.GEN4_SERVER, MappingPolicy.OFF);
  }

  /** {@return a machine whose caches the device does not see} */
  static BugMachine nonCoherent() {
    return new BugMachine(HostConfig.EMBEDDED_NONCOHERENT, MappingPolicy.OFF);
  }

  /** {@return a coherent machine with an IOMMU that forgets what is unmapped at once} */
  static BugMachine strict() {
    return new BugMachine(HostConfig.GEN4_SERVER, MappingPolicy.STRICT);
  }

  /** {@return a coherent machine with an IOMMU that forgets what is unmapped after a while} */
  static BugMachine lazy() {
    return new BugMachine(HostConfig.GEN4_SERVER, MappingPolicy.LAZY);
  }

  private IommuDriver start(Iommu unit) {
    long registersPa = unit.registers().baseAddress();
    IommuDriver driver =
        new IommuDriver(host, registersPa, IommuDriverConfig.LINUX_6_12, List.of());
    driver.start(cpu, false);
    return driver;
  }

  /** {@return the address space of the device on a machine with an IOMMU} */
  DmaDomain domain() {
    return requireNonNull(translated, "translated").domain();
  }

  /** {@return what maps for the device on a machine with an IOMMU} */
  ForgetfulMapper mapper() {
    return requireNonNull(forgetful, "forgetful");
  }

  /** Makes the IOMMU forget all translations of the device. */
  void flush() {
    requireNonNull(iommu, "iommu").flush(cpu, domain());
  }

  /** The driver lets go of the device. */
  void close() {
    cpu.delay(SETTLE_PS);
    dma.freeCoherent(cpu, memory);
    dma.unbind(cpu);
    checker.audit();
  }

  // Devices and memory.

  static void setMasks(DmaDevice device, int bits) {
    device.trySetMask(bits);
    device.trySetCoherentMask(bits);
  }

  /** {@return one more device, without masks, as its driver finds it} */
  DmaDevice newDevice(DmaMapper mapper, @Nullable BounceBufferPool pool) {
    DmaDevice device = new DmaDevice(DmaConfig.LINUX_DEFAULT, host.pages(), mapper, pool);
    checker.watch(device, "second device");
    return device;
  }

  CoherentBuffer allocateCoherent(DmaDevice device, int bytes) {
    return requireNonNull(device.allocateCoherent(cpu, bytes), "coherent memory");
  }

  /** {@return memory above 4 GiB, a multiple of pages, which nobody has written} */
  long allocate(int bytes) {
    return host.pages().allocate(bytes);
  }

  /** {@return memory below 4 GiB} */
  long allocateLow(int bytes) {
    return host.pages().allocate(bytes, 0xffff_ffffL);
  }

  /** Writes what a device will send. */
  void fill(long pa, int bytes) {
    cpu.store(pa, new byte[bytes], 0, bytes);
  }

  // Mappings, as a careful driver makes them.

  long map(long pa, int bytes, DmaDirection direction) {
    return map(dma, pa, bytes, direction);
  }

  long map(DmaDevice device, long pa, int bytes, DmaDirection direction) {
    long iova = device.mapSingle(cpu, pa, bytes, direction);
    device.isMappingError(iova);
    return iova;
  }

  void unmap(long iova, int bytes, DmaDirection direction) {
    dma.unmapSingle(cpu, iova, bytes, direction);
  }

  static ScatterList list(long pa, int... lengths) {
    ScatterList list = new ScatterList(lengths.length);
    long next = pa;
    for (int bytes : lengths) {
      list.add(next, bytes);
      next += bytes;
    }
    return list;
  }

  // The ring.

  /** Asks the device to write to memory, and tells it. */
  void postReceive(long iova, int bytes) {
    write(ring.tail(), iova, bytes, MailboxLayout.FLAG_TO_HOST);
    announce();
  }

  /** Asks the device to read memory, and tells it. */
  void postSend(long iova, int bytes) {
    write(ring.tail(), iova, bytes, 0);
    announce();
  }

  void write(int index, long iova, int bytes, int flags) {
    long pa = ring.descriptorPa(index);
    cpu.store(pa + MailboxLayout.IOVA_OFFSET, Long.BYTES, iova);
    cpu.store(pa + MailboxLayout.LENGTH_OFFSET, Integer.BYTES, bytes);
    cpu.store(pa + MailboxLayout.FLAGS_OFFSET, Integer.BYTES, flags);
  }

  /** Hands the descriptor at the tail over and rings the doorbell. */
  void announce() {
    ring.advanceTail(1);
    doorbell.ring(cpu, ring.tail());
  }

  /** Makes the device fetch each descriptor a second time. */
  void fetchTwice() {
    cpu.mmioWrite(bar0 + MailboxLayout.CONTROL, Integer.BYTES, MailboxLayout.CONTROL_FETCH_TWICE);
  }

  /** Polls until the oldest descriptor is done, and takes it back. */
  void await() {
    long pa = ring.descriptorPa(ring.head()) + MailboxLayout.FLAGS_OFFSET;
    while (((int) cpu.load(pa, Integer.BYTES) & MailboxLayout.FLAG_DONE) == 0) {
      cpu.compute(10);
    }
    ring.advanceHead(1);
  }

  /** Waits without looking, longer than the device takes. */
  void sleep() {
    cpu.delay(SETTLE_PS);
  }
}
