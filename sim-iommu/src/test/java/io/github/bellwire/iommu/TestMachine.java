package io.github.bellwire.iommu;

import static io.github.bellwire.iommu.layout.RegisterLayout.*;

import io.github.bellwire.cpu.SynchronousPort;
import io.github.bellwire.host.Host;
import io.github.bellwire.host.HostConfig;
import io.github.bellwire.iommu.layout.ContextEntryLayout;
import io.github.bellwire.iommu.layout.FirstLevelLayout;
import io.github.bellwire.iommu.layout.InvalidationDescriptorLayout;
import io.github.bellwire.iommu.layout.PasidLayout;
import io.github.bellwire.iommu.layout.ScalableContextLayout;
import io.github.bellwire.iommu.layout.SecondLevelLayout;
import io.github.bellwire.memory.PhysicalMemory;
import io.github.bellwire.pcie.DmaStatus;
import io.github.bellwire.pcie.TranslationRequest;

/**
 * A host with an IOMMU and one device behind it, and hand-made tables at fixed places: root table,
 * context table, second-level tables of four levels for IOVA 0 to 2 MiB, and for scalable mode a
 * PASID directory, a PASID table, and first-level tables.
 */
final class TestMachine {
  static final long ROOT = 0x100_0000;
  static final long CONTEXTS = 0x101_0000;
  static final long SECOND = 0x102_0000;
  static final long FIRST = 0x103_0000;
  static final long DIRECTORY = 0x104_0000;
  static final long PASIDS = 0x105_0000;
  static final long QUEUE = 0x106_0000;
  static final long STATUS = 0x107_0000;
  static final long INTERRUPTS = 0x108_0000;
  static final long PAGE_REQUESTS = 0x109_0000;
  static final long DATA = 0x200_0000;
  static final int DOMAIN = 7;
  static final int PASID = 5;
  static final long NOWHERE = 0x30_0000_0000L; // 192 GiB, beyond the memory of the host.

  private static final int QUEUE_BYTES = 4096;
  private static final int DONE = 2;

  final IommuFactory factory;
  final Host host;
  final TestDevice device = new TestDevice();
  final PhysicalMemory memory;
  final SynchronousPort core;
  final Iommu iommu;
  final int deviceId;
  boolean isWide;
  private int tail;

  TestMachine() {
    this(IommuPresets.SAPPHIRE_RAPIDS);
  }

  TestMachine(IommuConfig config) {
    this(config, HostConfig.GEN4_SERVER);
  }

  TestMachine(IommuConfig config, HostConfig hostConfig) {
    factory = new IommuFactory(config);
    host = new Host(hostConfig, 1, factory);
    iommu = factory.iommu();
    host.attach(device);
    deviceId = host.enumerate().get(0).bdf().requesterId();
    device.enable();
    memory = host.memory();
    core = host.synchronousPort(0);
  }

  int read4(int offset) {
    return (int) core.mmioRead(BASE_ADDRESS + offset, 4);
  }

  long read8(int offset) {
    return core.mmioRead(BASE_ADDRESS + offset, 8);
  }

  void write4(int offset, int value) {
    core.mmioWrite(BASE_ADDRESS + offset, 4, value & 0xFFFF_FFFFL);
  }

  void write8(int offset, long value) {
    core.mmioWrite(BASE_ADDRESS + offset, 8, value);
  }

  /** {@return where the device's context entry is} */
  long contextPa() {
    int devfn = deviceId & 0xFF;
    return CONTEXTS + devfn * (long) ContextEntryLayout.ENTRY_BYTES;
  }

  long scalableContextPa() {
    int devfn = deviceId & 0x7F;
    return CONTEXTS + devfn * (long) ScalableContextLayout.ENTRY_BYTES;
  }

  long rootPa() {
    return ROOT + (deviceId >>> 8) * 16L;
  }

  static long pasidPa(int pasid) {
    return PASIDS + pasid * (long) PasidLayout.ENTRY_BYTES;
  }

  /** {@return where the second-level entry of a level is for IOVA 0 on, of 4 KiB pages} */
  static long secondPa(int level, long iova) {
    return SECOND + (4 - level) * 0x1000L + (level == 1 ? (iova >>> 12) * 8 : 0);
  }

  static long firstPa(int level, long iova) {
    return FIRST + (4 - level) * 0x1000L + (level == 1 ? (iova >>> 12) * 8 : 0);
  }

  /** Maps a page below 2 MiB in the second level. */
  void map(long iova, long pa, long rights) {
    for (int level = 4; level > 1; level--) {
      memory.putLong(secondPa(level, 0), SECOND + (5 - level) * 0x1000L | 3);
    }
    memory.putLong(secondPa(1, iova), pa | rights);
  }

  /** Maps a page below 2 MiB in the first level. */
  void mapFirst(long iova, long pa, long flags) {
    for (int level = 4; level > 1; level--) {
      memory.putLong(firstPa(level, 0), FIRST + (5 - level) * 0x1000L | 7);
    }
    memory.putLong(firstPa(1, iova), pa | flags);
  }

  /** Sets up legacy mode for the device, one page at 1000h mapped to DATA, and switches on. */
  TestMachine legacy(int translationType) {
    memory.putLong(rootPa(), CONTEXTS | 1);
    long type = (long) translationType << ContextEntryLayout.TRANSLATION_TYPE_SHIFT;
    memory.putLongs(contextPa(), SECOND | type | 1, (long) DOMAIN << 8 | 2);
    map(0x1000, DATA, SecondLevelLayout.READ | SecondLevelLayout.WRITE);
    return enable(0);
  }

  /** Sets up scalable mode: RID_PASID 0 by the second level, PASID 5 by the first. */
  TestMachine scalable() {
    memory.putLong(rootPa(), CONTEXTS | 1);
    long flags =
        ScalableContextLayout.PRESENT
            | ScalableContextLayout.DEVICE_TLB_ENABLE
            | ScalableContextLayout.PASID_ENABLE
            | ScalableContextLayout.PAGE_REQUEST_ENABLE;
    memory.putLongs(scalableContextPa(), DIRECTORY | flags, 0);
    memory.putLong(DIRECTORY, PASIDS | 1);
    pasidEntry(0, PasidLayout.SECOND_LEVEL_ONLY);
    pasidEntry(PASID, PasidLayout.FIRST_LEVEL_ONLY);
    map(0x1000, DATA, SecondLevelLayout.READ | SecondLevelLayout.WRITE);
    mapFirst(0x1000, DATA, FirstLevelLayout.PRESENT | 6);
    isWide = true;
    return enable(RTADDR_SCALABLE);
  }

  void pasidEntry(int pasid, int type) {
    long width = 2L << PasidLayout.ADDRESS_WIDTH_SHIFT;
    long low = SECOND | width | (long) type << PasidLayout.TRANSLATION_TYPE_SHIFT | 1;
    memory.putLongs(pasidPa(pasid), low, DOMAIN);
    memory.putLong(pasidPa(pasid) + PasidLayout.FIRST_LEVEL, FIRST);
  }

  private TestMachine enable(long mode) {
    write8(RTADDR, ROOT | mode);
    write4(GCMD, SET_ROOT_POINTER);
    write8(IQA, QUEUE | (isWide ? IQA_WIDE : 0));
    write4(GCMD, QUEUED_INVALIDATION_ENABLE);
    write4(GCMD, QUEUED_INVALIDATION_ENABLE | TRANSLATION_ENABLE);
    return this;
  }

  /** Moves the root table, as it is latched. */
  void setRoot(long address) {
    write8(RTADDR, address);
    write4(GCMD, QUEUED_INVALIDATION_ENABLE | TRANSLATION_ENABLE | SET_ROOT_POINTER);
  }

  /** Puts a descriptor into the queue as a driver does, and tells nobody. */
  void queue(long word0, long word1) {
    core.store(QUEUE + tail, 8, word0);
    core.store(QUEUE + tail + 8, 8, word1);
    if (isWide) {
      core.store(QUEUE + tail + 16, 8, 0);
      core.store(QUEUE + tail + 24, 8, 0);
    }
    tail = (tail + (isWide ? 32 : 16)) % QUEUE_BYTES;
  }

  void kick() {
    write4(IQT, tail);
  }

  /** Queues a descriptor and a wait, and spins until that is done; false if it has an error. */
  boolean submit(long word0, long word1) {
    core.store(STATUS, 4, 0);
    queue(word0, word1);
    long wait =
        InvalidationDescriptorLayout.WAIT
            | InvalidationDescriptorLayout.WAIT_STATUS_WRITE
            | (long) DONE << InvalidationDescriptorLayout.WAIT_DATA_SHIFT;
    queue(wait, STATUS);
    kick();
    int errors = FSTS_QUEUE_ERROR | FSTS_TIMEOUT_ERROR | FSTS_COMPLETION_ERROR;
    while (core.load(STATUS, 4) != DONE) {
      if ((iommu.registers().read(FSTS, 4, core.nowPs()) & errors) != 0) {
        return false;
      }
      core.delay(10_000);
    }
    return true;
  }

  void flushAll() {
    int granularity = 1 << InvalidationDescriptorLayout.GRANULARITY_SHIFT;
    submit(InvalidationDescriptorLayout.CONTEXT | granularity, 0);
    if (isWide) {
      int global = InvalidationDescriptorLayout.PASID_CACHE_GLOBAL;
      submit(InvalidationDescriptorLayout.PASID_CACHE | global << 4, 0);
    }
    submit(InvalidationDescriptorLayout.IOTLB | granularity, 0);
  }

  /** The device writes one byte; returns how that ended. */
  DmaStatus write(long iova, int value) {
    device.dma().write(iova, new byte[] {(byte) value}, 0, 1, host.simulation().nowPs());
    DmaStatus status = device.dma().status();
    core.delay(10_000_000);
    return status;
  }

  /** The device reads one byte; returns how that ended. */
  DmaStatus read(long iova) {
    byte[] data = new byte[1];
    device.dma().read(iova, data, 0, 1, host.simulation().nowPs());
    DmaStatus status = device.dma().status();
    core.delay(10_000_000);
    return status;
  }

  void usePasid(boolean isUsed) {
    device.dma().usePasid(isUsed ? PASID : TranslationRequest.NO_PASID);
  }

  /** {@return the reason in the first fault record, 0 if there is none} */
  int firstReason() {
    return (read4(FSTS) & FSTS_PENDING) == 0 ? 0 : read4(FRCD + 12) & 0xFF;
  }

  int data(long offset) {
    return host.memory().getByte(DATA + offset);
  }
}
