package io.github.bellwire.examples.pio;

import io.github.bellwire.cpu.MemoryType;
import io.github.bellwire.cpu.MmioMapping;
import io.github.bellwire.cpu.SynchronousPort;
import io.github.bellwire.device.aperture.Aperture;
import io.github.bellwire.device.aperture.ApertureConfig;
import io.github.bellwire.device.aperture.ApertureLayout;
import io.github.bellwire.device.aperture.driver.ApertureDriver;
import io.github.bellwire.device.aperture.driver.DeviceCopy;
import io.github.bellwire.dma.CoherentBuffer;
import io.github.bellwire.dma.DmaDevice;
import io.github.bellwire.examples.cli.RunContext;
import io.github.bellwire.examples.host.Slots;
import io.github.bellwire.host.Host;
import io.github.bellwire.kernel.RandomStream;
import io.github.bellwire.pcie.ConfigLayout;
import io.github.bellwire.pcie.EnumeratedFunction;
import io.github.bellwire.trace.LifecycleStep;
import io.github.bellwire.trace.OperationId;
import io.github.bellwire.trace.TraceCause;
import io.github.bellwire.trace.TraceSink;
import java.util.Arrays;
import java.util.Objects;
import java.util.zip.CRC32C;

/**
 * A machine with a device that has an aperture, and one core that copies to and from it, one copy
 * at a time on an idle machine.
 */
final class CopyBench {
  /** The largest copy. */
  static final int BYTES_MAX = 1 << 20;

  private static final int DESCRIPTORS = 16;
  private static final int ADDRESS_BITS = 47; // what a V100 reaches; more than the machine has
  private static final int PAUSE_CYCLES =
      10; // of a PAUSE up to Broadwell (Intel Optimization Manual)
  private static final long REST_PS = 10_000_000;

  private final Host host;
  private final Aperture device;
  private final SynchronousPort cpu;
  private final DeviceCopy copy;
  private final ApertureDriver driver;
  private final CoherentBuffer buffer;
  private final long softwarePs;
  private final RandomStream random;
  private final RunContext context;
  private final CRC32C crc = new CRC32C();
  private long copiesTotal;
  private final byte[] sent = new byte[BYTES_MAX];
  private final byte[] received = new byte[BYTES_MAX];

  /**
   * Plugs the device into a machine and sets it up.
   *
   * @param host the machine, with nothing plugged in
   * @param slots where the device goes
   * @param deviceConfig the device
   * @param softwarePs what a run-time library costs the core around each copy by DMA
   * @param context hears of every copy
   */
  CopyBench(
      Host host, Slots slots, ApertureConfig deviceConfig, long softwarePs, RunContext context) {
    this.host = host;
    this.context = context;
    this.softwarePs = softwarePs;
    random = host.simulation().randomStream("content");
    device = new Aperture(deviceConfig, host.simulation(), host.config().link());
    slots.attach(device);
    EnumeratedFunction function = host.enumerate().get(0);
    int enabled = ConfigLayout.COMMAND_MEMORY_ENABLE | ConfigLayout.COMMAND_BUS_MASTER_ENABLE;
    device.configSpace().write(ConfigLayout.COMMAND, Short.BYTES, enabled);
    cpu = host.synchronousPort(0);
    long window = function.barAddress(ApertureLayout.APERTURE_BAR);
    copy = new DeviceCopy(new MmioMapping(window, deviceConfig.apertureBytes(), MemoryType.WC));
    DmaDevice dma = host.newDmaDevice();
    dma.trySetCoherentMask(ADDRESS_BITS);
    long registers = function.barAddress(ApertureLayout.REGISTER_BAR);
    driver = new ApertureDriver(cpu, dma, registers, DESCRIPTORS);
    buffer = Objects.requireNonNull(dma.allocateCoherent(cpu, BYTES_MAX), "buffer");
  }

  /** {@return events that the simulation has executed} */
  long eventsTotal() {
    return host.simulation().eventsTotal();
  }

  /**
   * Copies once.
   *
   * @param method how
   * @param bytes 1..{@link #BYTES_MAX}
   */
  CopyTimes run(CopyMethod method, int bytes) {
    for (int i = 0; i < bytes; i++) {
      sent[i] = (byte) random.nextInt(256);
    }
    Arrays.fill(received, 0, bytes, (byte) 0);
    prepare(method, bytes);
    host.simulation().run();
    cpu.delay(
        REST_PS); // until nothing of the copy before is under way, buffers in the core included
    long startPs = cpu.nowPs();
    CopyTimes times = method.isDma() ? byDevice(method, bytes) : byCore(method, bytes);
    trace(method, bytes, startPs, times);
    return times;
  }

  /** A copy is an operation; who moves the bytes decides of which kind. */
  private void trace(CopyMethod method, int bytes, long startPs, CopyTimes times) {
    long sequence = copiesTotal++;
    long id =
        method.isToHost()
            ? OperationId.receive(0, method.ordinal(), sequence)
            : OperationId.transmit(0, method.ordinal(), sequence);
    TraceSink sink = context.trace();
    long arrivalPs = startPs + times.arrivalPs();
    sink.onStep(id, LifecycleStep.BUILD, TraceCause.COMMAND_GIVEN, startPs, 0, bytes);
    if (method.isDma()) {
      TraceCause moved = method.isToHost() ? TraceCause.PAYLOAD_WRITTEN : TraceCause.PAYLOAD_READ;
      sink.onStep(id, LifecycleStep.DEVICE_DMA, moved, arrivalPs, buffer.pa(), bytes);
    }
    long endPs = startPs + times.callPs();
    sink.onStep(id, LifecycleStep.COMPLETION, TraceCause.END_NOTICED, endPs, 0, bytes);
    crc.reset();
    crc.update(received, 0, bytes);
    context.observe(arrivalPs, crc.getValue());
  }

  /** Puts the bytes where they come from. */
  private void prepare(CopyMethod method, int bytes) {
    if (method.isToHost()) {
      copy.writeCombining(cpu, 0, sent, bytes);
    } else if (method.isDma()) {
      cpu.store(buffer.pa(), sent, 0, bytes);
    }
  }

  private CopyTimes byCore(CopyMethod method, int bytes) {
    long startPs = cpu.nowPs();
    switch (method) {
      case UC_WRITE -> copy.writeUncached(cpu, 0, sent, bytes);
      case WC_WRITE -> copy.writeCombining(cpu, 0, sent, bytes);
      case MOVDIR64B -> copy.writeLines(cpu, 0, sent, bytes);
      case MMIO_READ -> copy.read(cpu, 0, received, bytes);
      default -> throw new IllegalArgumentException("method must be one of the core: " + method);
    }
    long callPs = cpu.nowPs() - startPs;
    if (method.isToHost()) {
      return new CopyTimes(callPs, callPs, callPs, isReceived(bytes));
    }
    host.simulation().run(); // posted: the last bytes are still on their way
    long arrivalPs = device.lastWritePs() - startPs;
    device.copyOut(0, received, bytes);
    return new CopyTimes(callPs, callPs, arrivalPs, isReceived(bytes));
  }

  private CopyTimes byDevice(CopyMethod method, int bytes) {
    long startPs = cpu.nowPs();
    cpu.delay(softwarePs);
    driver.trySubmit(cpu, buffer.iova(), 0, bytes, method.isToHost());
    long submittedPs = cpu.nowPs();
    long lookPs = submittedPs;
    while (driver.reap(cpu) == 0) {
      cpu.compute(PAUSE_CYCLES);
      lookPs = cpu.nowPs();
    }
    long callPs = cpu.nowPs() - startPs;
    long cpuPs = submittedPs - startPs + (cpu.nowPs() - lookPs);
    if (method.isToHost()) {
      host.memory().copyOut(buffer.pa(), received, 0, bytes);
    } else {
      device.copyOut(0, received, bytes);
    }
    return new CopyTimes(callPs, cpuPs, callPs, isReceived(bytes) && driver.errorsTotal() == 0);
  }

  private boolean isReceived(int bytes) {
    return Arrays.equals(sent, 0, bytes, received, 0, bytes);
  }
}
