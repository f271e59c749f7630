package io.github.bellwire.iommu;

import io.github.bellwire.cpu.CpuPort;
import io.github.bellwire.cpu.InterruptVector;
import io.github.bellwire.cpu.Routine;
import io.github.bellwire.cpu.SynchronousPort;
import io.github.bellwire.host.Host;
import io.github.bellwire.host.HostConfig;
import io.github.bellwire.iommu.layout.RegisterLayout;
import io.github.bellwire.memory.PhysicalMemory;
import io.github.bellwire.pcie.DmaStatus;
import java.util.Random;

/** A host with an IOMMU of another architecture, a device behind it, and hand-made rings. */
final class VendorMachine {
  static final long DEVICES = 0x100_0000; // 2 MiB, or 4 MiB of streams.
  static final long ROOT = 0x180_0000;
  static final long COMMANDS = 0x190_0000;
  static final long EVENTS = 0x191_0000;
  static final long STATUS = 0x192_0000;
  static final long CONTEXT = 0x193_0000;
  static final long DATA = 0x200_0000;
  static final long BASE = RegisterLayout.BASE_ADDRESS;

  final Host host;
  final Iommu iommu;
  final TestDevice device = new TestDevice();
  final PhysicalMemory memory;
  final SynchronousPort core;
  final int deviceId;

  VendorMachine(IommuConfig config) {
    IommuFactory factory = new IommuFactory(config);
    host = new Host(HostConfig.GEN4_SERVER, 1, factory);
    iommu = factory.iommu();
    host.attach(device);
    deviceId = host.enumerate().get(0).bdf().requesterId();
    device.enable();
    memory = host.memory();
    core = host.synchronousPort(0);
  }

  /** {@return how often a core has been interrupted by a vector whose message goes to registers} */
  int[] countMessages(int addressOffset, int dataOffset) {
    int[] count = new int[1];
    Routine routine =
        new Routine(host.core(1)) {
          @Override
          protected void run(CpuPort port) {
            count[0]++;
          }
        };
    InterruptVector vector = host.interrupts().allocate(host.core(1), routine);
    write(addressOffset, 4, vector.address() & 0xFFFF_FFFFL);
    write(dataOffset, 4, vector.data());
    return count;
  }

  long read(int offset, int bytes) {
    return core.mmioRead(BASE + offset, bytes);
  }

  void write(int offset, int bytes, long value) {
    core.mmioWrite(BASE + offset, bytes, value);
  }

  /** Now and then waits long enough for a device that does not answer to be given up. */
  void pause(Random random) {
    core.delay(random.nextInt(16) == 0 ? 20_000_000_000L : random.nextInt(1_000_000));
  }

  DmaStatus deviceRead(long iova) {
    device.dma().read(iova, new byte[8], 0, 8, host.simulation().nowPs());
    DmaStatus status = device.dma().status();
    core.delay(10_000_000);
    return status;
  }

  DmaStatus deviceWrite(long iova) {
    device.dma().write(iova, new byte[8], 0, 8, host.simulation().nowPs());
    DmaStatus status = device.dma().status();
    core.delay(10_000_000);
    return status;
  }
}
