package io.github.bellwire.examples;

import io.github.bellwire.cpu.SynchronousPort;
import io.github.bellwire.device.nic.Nic;
import io.github.bellwire.device.nic.NicConfig;
import io.github.bellwire.device.nic.driver.BufferPool;
import io.github.bellwire.device.nic.driver.ConfigAccess;
import io.github.bellwire.device.nic.driver.NicDriver;
import io.github.bellwire.device.nic.driver.NicDriverConfig;
import io.github.bellwire.host.Host;
import io.github.bellwire.host.HostConfig;

/** The sample of the README: a machine, a card and its driver receive one frame. */
public final class EmbeddingSample {
  private EmbeddingSample() {}

  /**
   * Runs the sample.
   *
   * @param args not looked at
   */
  public static void main(String[] args) {
    // region sample
    Host host = new Host(HostConfig.GEN4_SERVER, 1);
    Nic nic = new Nic(NicConfig.NIC_82599, host.simulation(), host.config().link(), null);
    host.attach(nic);
    long bar0 = host.enumerate().get(0).barAddress(0);

    NicDriverConfig software = NicDriverConfig.POLLING;
    BufferPool pool = new BufferPool(host.pages(), software.bufferBytes(), software.buffersCount());
    ConfigAccess config = ConfigAccess.of(nic.configSpace()::read, nic.configSpace()::write);
    NicDriver driver = new NicDriver(software, config, bar0, host.newDmaDevice(), pool, null);
    SynchronousPort cpu = host.synchronousPort(0);
    driver.start(cpu);

    long arrivedPs = host.simulation().nowPs();
    nic.onFrame(new byte[60], 0, 60, arrivedPs);
    while (driver.rxRing(0).receive(cpu, 32, (port, frame) -> {}) == 0) {} // each look takes time
    System.out.println("received after " + (cpu.nowPs() - arrivedPs) / 1_000 + " ns");
    // endregion
  }
}
