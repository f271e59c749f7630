package io.github.bellwire.examples.nic;

import io.github.bellwire.device.nic.Nic;
import io.github.bellwire.device.nic.driver.BufferPool;
import io.github.bellwire.device.nic.driver.ConfigAccess;
import io.github.bellwire.device.nic.driver.DriverStatistics;
import io.github.bellwire.device.nic.driver.NicDriver;
import io.github.bellwire.device.nic.driver.NicDriverConfig;
import io.github.bellwire.dma.DmaDevice;
import io.github.bellwire.host.Host;
import io.github.bellwire.pcie.DownstreamPort;
import io.github.bellwire.stats.StatsRegistry;
import io.github.bellwire.trace.TraceSink;

/** One port of a card on a host, with its driver. */
final class NicPort {
  private final Nic nic;
  private final DownstreamPort slot;
  private final StatsRegistry counters = new StatsRegistry();
  private final NicDriver driver;

  private NicPort(Nic nic, DownstreamPort slot, NicDriver driver) {
    this.nic = nic;
    this.slot = slot;
    this.driver = driver;
    nic.registerCounters(counters, "nic");
  }

  /**
   * Puts a driver, which is not started yet, on a card that firmware has set up.
   *
   * @param nic the card
   * @param slot where it is plugged in
   * @param bar0 where firmware has placed its registers
   * @param dma what it maps through
   * @param pool buffers that ports may share
   * @param trace listens to the driver
   */
  static NicPort of(
      Nic nic,
      DownstreamPort slot,
      long bar0,
      DmaDevice dma,
      NicDriverConfig software,
      BufferPool pool,
      TraceSink trace) {
    ConfigAccess access = ConfigAccess.of(nic.configSpace()::read, nic.configSpace()::write);
    return new NicPort(nic, slot, new NicDriver(software, access, bar0, dma, pool, trace));
  }

  Nic nic() {
    return nic;
  }

  DownstreamPort slot() {
    return slot;
  }

  NicDriver driver() {
    return driver;
  }

  long counter(String name) {
    return counters.value("nic." + name);
  }

  /** {@return frames that arrived and reached no driver, for whatever reason} */
  long lostTotal() {
    return counter("rx_missed_count")
        + counter("rx_no_descriptor_count")
        + counter("rx_bad_count")
        + counter("rx_filtered_count")
        + counter("rx_lost_to_fault_count");
  }

  /** {@return frames handed to the card that it will not send, for whatever reason} */
  long refusedTotal() {
    return counter("tx_discarded_count");
  }

  /** {@return how often the driver has written a tail register} */
  long doorbellsTotal() {
    long doorbells = 0;
    for (int i = 0; i < driver.rxQueuesCount(); i++) {
      doorbells += driver.rxRing(i).tailWritesTotal();
    }
    for (int i = 0; i < driver.txQueuesCount(); i++) {
      doorbells += driver.txRing(i).tailWritesTotal();
    }
    return doorbells;
  }

  /** {@return what the card has counted since the driver last asked} */
  DriverStatistics readStatistics(Host host) {
    return driver.readStatistics(host.synchronousPort(0));
  }
}
