package io.github.bellwire.iommu.driver;

import static io.github.bellwire.dma.DmaDirection.FROM_DEVICE;

import java.util.List;
import org.junit.jupiter.api.Test;

class TmpPrintTest {
  @Test
  void print() {
    for (MappingPolicy policy : new MappingPolicy[] {MappingPolicy.STRICT, MappingPolicy.LAZY, MappingPolicy.STRICT_BOUNCE}) {
      PolicyMachine m = new PolicyMachine(policy);
      List<Long> iovas = m.mapPages(600, FROM_DEVICE);
      for (int i = 0; i < 300; i++) m.dma.unmapSingle(m.port, iovas.get(i), 4096, FROM_DEVICE);
      long pa = m.host.pages().allocate(4096);
      for (int i = 0; i < 4; i++) {
        long t0 = m.nowPs();
        long iova = m.dma.mapSingle(m.port, pa, 4096, FROM_DEVICE);
        long t1 = m.nowPs();
        long w = m.driver.waitPsTotal();
        m.dma.unmapSingle(m.port, iova, 4096, FROM_DEVICE);
        long t2 = m.nowPs();
        System.out.println(policy + " map " + (t1 - t0) + " unmap " + (t2 - t1) + " wait " + (m.driver.waitPsTotal() - w));
      }
    }
    for (int cores : new int[] {1, 2, 4, 8}) {
      PolicyMachine machine = new PolicyMachine(MappingPolicy.STRICT);
      List<Long> iovas = machine.mapPages(100 * cores, FROM_DEVICE);
      long atPs = machine.nowPs() + 1_000_000;
      long[] end = new long[1];
      long w = machine.driver.waitPsTotal();
      for (int core = 1; core <= cores; core++) {
        int first = (core - 1) * 100;
        io.github.bellwire.cpu.Routine routine =
            new io.github.bellwire.cpu.Routine(machine.host.core(core)) {
              @Override
              protected void run(io.github.bellwire.cpu.CpuPort port) {
                for (int i = first; i < first + 100; i++) {
                  machine.dma.unmapSingle(port, iovas.get(i), 4096, FROM_DEVICE);
                }
                end[0] = Math.max(end[0], port.nowPs());
                System.out.println("core done " + (port.nowPs() - atPs) / 100 + " per unmap");
              }
            };
        routine.wakeAt(atPs);
      }
      machine.host.simulation().runUntil(atPs);
      System.out.println(cores + " cores: per unmap " + (end[0] - atPs) / 100 / cores + " ps, mean wait "
          + (machine.driver.waitPsTotal() - w) / 100 / cores + " lock wait " + machine.driver.queueLock().waitPsTotal() / 100 / cores);
    }
  }
}
