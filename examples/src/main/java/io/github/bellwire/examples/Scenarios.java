package io.github.bellwire.examples;

import io.github.bellwire.examples.attack.Attack;
import io.github.bellwire.examples.cli.Scenario;
import io.github.bellwire.examples.dmacheck.DmaCheck;
import io.github.bellwire.examples.iommu.HostCongestion;
import io.github.bellwire.examples.iommu.IommuModes;
import io.github.bellwire.examples.memory.DramBench;
import io.github.bellwire.examples.nic.Ddio;
import io.github.bellwire.examples.nic.Lifecycle;
import io.github.bellwire.examples.nic.NicForward;
import io.github.bellwire.examples.nic.NicRx;
import io.github.bellwire.examples.nic.NicTx;
import io.github.bellwire.examples.pcie.PcieBench;
import io.github.bellwire.examples.pio.PioVsDma;
import java.util.List;

/** All scenarios that the command line offers. */
public final class Scenarios {
  private Scenarios() {}

  /** {@return the scenarios in the order in which {@code list} shows them} */
  public static List<Scenario> all() {
    return List.of(
        new NicRx(),
        new NicTx(),
        new NicForward(),
        new Ddio(),
        new Lifecycle(),
        new PcieBench(),
        new IommuModes(),
        new HostCongestion(),
        new DramBench(),
        new PioVsDma(),
        new DmaCheck(),
        new Attack());
  }
}
