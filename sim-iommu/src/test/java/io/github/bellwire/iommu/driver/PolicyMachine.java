package io.github.bellwire.iommu.driver;

import io.github.bellwire.cpu.CpuPort;
import io.github.bellwire.cpu.Routine;
import io.github.bellwire.cpu.SynchronousPort;
import io.github.bellwire.dma.DmaDevice;
import io.github.bellwire.dma.DmaDirection;
import io.github.bellwire.dma.DmaMapper;
import io.github.bellwire.host.Host;
import io.github.bellwire.host.HostConfig;
import io.github.bellwire.iommu.Iommu;
import io.github.bellwire.iommu.IommuConfig;
import io.github.bellwire.iommu.IommuFactory;
import io.github.bellwire.iommu.IommuPresets;
import io.github.bellwire.pcie.EnumeratedFunction;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** A server with an IOMMU that translates, and a device under one policy. */
final class PolicyMachine {
  /** 64 IOTLB entries, paging-structure caches of 32 and 64, address masks up to 18. */
  static final IommuConfig IOMMU = IommuPresets.ICE_LAKE;

  final Host host;
  final Iommu iommu;
  final IommuDriver driver;
  final BusMaster device = new BusMaster();
  final BusMaster otherDevice = new BusMaster();
  final SynchronousPort port;
  final DmaMapper mapper;
  final DmaDevice dma;

  PolicyMachine(MappingPolicy policy) {
    this(policy, IommuDriverConfig.LINUX_6_12, DeviceTraits.INTERNAL);
  }

  PolicyMachine(MappingPolicy policy, IommuDriverConfig config, DeviceTraits traits) {
    this(policy, IOMMU, config, traits);
  }

  PolicyMachine(
      MappingPolicy policy, IommuConfig firmware, IommuDriverConfig config, DeviceTraits traits) {
    IommuFactory factory = new IommuFactory(firmware);
    host = new Host(HostConfig.GEN4_SERVER, 1, factory);
    iommu = factory.iommu();
    host.attach(device);
    host.attach(otherDevice);
    List<EnumeratedFunction> functions = host.enumerate();
    device.enable(functions.get(0));
    otherDevice.enable(functions.get(1));
    port = host.synchronousPort(0);
    driver = new IommuDriver(host, firmware, config, List.of());
    driver.start(port, false);
    mapper = driver.attach(port, device.requesterId(), policy, traits);
    dma = host.newDmaDevice(mapper, functions.get(0).bdf());
    dma.trySetMask(64);
    dma.trySetCoherentMask(64);
  }

  IommuMapper translated() {
    return (IommuMapper) mapper;
  }

  DmaDomain domain() {
    return translated().domain();
  }

  long nowPs() {
    return host.simulation().nowPs();
  }

  /** Runs something on a core at a time, and everything else until then. */
  void onCore(int core, long atPs, Consumer<CpuPort> work) {
    onCoreLater(core, atPs, work);
    host.simulation().runUntil(atPs);
  }

  /** Has something run on a core when the clock gets there. */
  void onCoreLater(int core, long atPs, Consumer<CpuPort> work) {
    Routine routine =
        new Routine(host.core(core)) {
          @Override
          protected void run(CpuPort port) {
            work.accept(port);
          }
        };
    routine.wakeAt(atPs);
  }

  /** Maps pages of their own, each one of host memory. */
  List<Long> mapPages(int count, DmaDirection direction) {
    List<Long> iovas = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      iovas.add(dma.mapSingle(port, host.pages().allocate(4096), 4096, direction));
    }
    return iovas;
  }
}
