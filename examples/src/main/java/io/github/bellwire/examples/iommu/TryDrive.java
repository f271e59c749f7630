package io.github.bellwire.examples.iommu;
import io.github.bellwire.iommu.driver.MappingPolicy;
public final class TryDrive { public static void main(String[] a) { for (String s : a) {
  long t0=System.nanoTime(); DriveMachine m = new DriveMachine(MappingPolicy.valueOf(s), 1);
  double iops = m.measure(Long.getLong("warm",1000)*1_000_000L, Long.getLong("dur",1000)*1_000_000L);
  System.out.printf("%s %.2f M IOPS, busy %.2f answered %d refused %d p99 %d ns wall %d ms%n", s, iops/1e6, m.busyRatio(), m.answered(), m.refused(), m.latency().percentilePs(99)/1000, (System.nanoTime()-t0)/1000000);
  if (m.system()!=null) System.out.printf("  sub %d wait %.0f ns lockhold %.0f ns%n", m.system().submissionsCount(), m.system().waitPsTotal()/1e3/Math.max(1,m.system().submissionsCount()), m.system().queueLock().holdPsTotal()/1e3/Math.max(1,m.system().queueLock().acquisitionsCount()));
}}}
