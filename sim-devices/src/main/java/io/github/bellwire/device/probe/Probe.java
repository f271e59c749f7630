package io.github.bellwire.device.probe;

import static java.util.Objects.requireNonNull;

import io.github.bellwire.kernel.Simulation;
import io.github.bellwire.pcie.ConfigSpace;
import io.github.bellwire.pcie.ConfigSpaceBuilder;
import io.github.bellwire.pcie.DmaPort;
import io.github.bellwire.pcie.Endpoint;
import io.github.bellwire.pcie.PcieLinkConfig;
import io.github.bellwire.trace.TraceSink;
import org.jspecify.annotations.Nullable;

/**
 * An endpoint that reads and writes memory as fast as its engines, its tags and the link allow, or
 * one operation at a time. It takes one event per operation and one for each time that it waits for
 * a tag; between the start and the end of a run it allocates nothing.
 *
 * <p>Its requests are relaxed where configuration space allows it. It has no registers and no
 * interrupts. Software must enable bus mastering before a run starts. Confined to the simulation
 * thread.
 */
public final class Probe implements Endpoint {
  private static final int VENDOR_NETRONOME = 0x19EE;
  private static final int DEVICE_NFP6000 = 0x6000;
  private static final int PCIE_CAPABILITY = 0x40;
  private static final int MPS_SUPPORTED_BYTES = 4096;

  private final ProbeConfig config;
  private final Simulation simulation;
  private final @Nullable TraceSink trace;
  private final ConfigSpace configSpace;
  private @Nullable DmaPort dma;
  private @Nullable ProbeRunner runner;

  /**
   * Creates a probe that does nothing yet.
   *
   * @param config engines, tags and firmware
   * @param slot the slot that it is made for
   * @param simulation the clock and the source of random addresses
   * @param trace hears of every operation, or null
   */
  public Probe(
      ProbeConfig config, PcieLinkConfig slot, Simulation simulation, @Nullable TraceSink trace) {
    this.config = requireNonNull(config, "config");
    this.simulation = requireNonNull(simulation, "simulation");
    this.trace = trace;
    configSpace =
        new ConfigSpaceBuilder(VENDOR_NETRONOME, DEVICE_NFP6000)
            .pcie(
                PCIE_CAPABILITY,
                slot.generation().number(),
                slot.lanes(),
                MPS_SUPPORTED_BYTES,
                true)
            .functionLevelReset()
            .build();
  }

  /**
   * Starts to measure now.
   *
   * @param run what to measure
   * @throws IllegalStateException if the probe is plugged in nowhere, must not be bus master, or
   *     the last run has not ended
   */
  public void start(ProbeRun run) {
    if (dma == null || !configSpace.isBusMasterEnabled()) {
      throw new IllegalStateException(
          "probe must be plugged in and bus master: isPluggedIn="
              + (dma != null)
              + ", isBusMaster="
              + configSpace.isBusMasterEnabled());
    }
    if (runner != null && !runner.isDone()) {
      throw new IllegalStateException(
          "last run must have ended: doneTotal=" + runner.meter().doneTotal());
    }
    runner = new ProbeRunner(simulation, config, run, configSpace, dma, trace);
    runner.start();
  }

  /** {@return whether every operation of the last run has ended} */
  public boolean isDone() {
    return runner == null || runner.isDone();
  }

  /**
   * {@return what the last run has measured so far}
   *
   * @throws IllegalStateException if there has been none
   */
  public ProbeMeter meter() {
    return lastRunner().meter();
  }

  /** {@return for how long all tags of the last run were in use, summed up, in picoseconds} */
  public long tagsHeldPsTotal() {
    return lastRunner().tagsHeldPsTotal();
  }

  /** {@return how long the read engine was occupied in the last run, latency runs not counted} */
  public long readBusyPsTotal() {
    return lastRunner().readBusyPsTotal();
  }

  /**
   * {@return how long the write engine was occupied in the last run, by the {@linkplain
   * ProbeConfig#pairsPerSecond rate of pairs} too, latency runs not counted}
   */
  public long writeBusyPsTotal() {
    return lastRunner().writeBusyPsTotal();
  }

  /** {@return requests of the last run that the host refused} */
  public long refusedTotal() {
    return lastRunner().refusedTotal();
  }

  /**
   * {@return reads of the last run that had no answer when a reset or the loss of the link ended
   * it; they count as done}
   */
  public int lostCount() {
    return lastRunner().lostCount();
  }

  /** {@return how it is built} */
  public ProbeConfig config() {
    return config;
  }

  @Override
  public ConfigSpace configSpace() {
    return configSpace;
  }

  @Override
  public void connect(DmaPort port) {
    dma = port;
  }

  @Override
  public long mmioRead(int bar, long offset, int sizeBytes, long nowPs) {
    return -1; // There is no BAR to hit.
  }

  @Override
  public void mmioWrite(int bar, long offset, int sizeBytes, long value, long nowPs) {
    // There is no BAR to hit.
  }

  @Override
  public void reset(long nowPs) {
    stop(nowPs);
    configSpace.reset();
  }

  @Override
  public void linkDown(long nowPs) {
    stop(nowPs);
  }

  private void stop(long nowPs) {
    if (runner != null) {
      runner.stop(nowPs);
    }
  }

  private ProbeRunner lastRunner() {
    if (runner == null) {
      throw new IllegalStateException("a run must have been started");
    }
    return runner;
  }
}
