package io.github.bellwire.examples.iommu;

import io.github.bellwire.device.striding.driver.RxPages;
import io.github.bellwire.iommu.driver.MappingPolicy;

public final class Try {
  public static void main(String[] a) {
    for (String arg : a) {
      String[] p = arg.split(",");
      CongestionPreset q = p[0].equals("c") ? CongestionPresets.CASCADE_LAKE_STRICT_100G : CongestionPresets.ICE_LAKE_LAZY_200G;
      int flows = Integer.parseInt(p[1]);
      int mtu = p.length > 4 ? Integer.parseInt(p[4]) : q.mtuBytes();
      var tc = q.iommu().translation(); q = new CongestionPreset(q.host(), q.iommu().withTranslation(tc.withIotlb(new io.github.bellwire.iommu.walk.TranslationConfig.Iotlb(1,Integer.getInteger("tlb",tc.iotlb().ways()),1,1)).withWalkers(new io.github.bellwire.iommu.walk.TranslationConfig.Walkers(Integer.getInteger("wk",tc.walkers().count()),0,Integer.getInteger("read",(int)tc.walkers().perReadPs()),false,tc.walkers().inOrderLinePs())).withPagingCaches(new io.github.bellwire.iommu.walk.TranslationConfig.PagingCaches(32,32,Integer.getInteger("l3",tc.pagingCaches().l3Entries())))), q.system(), MappingPolicy.valueOf(p[2]), q.bitsPerSecond(), mtu, q.ringFrames(), Integer.getInteger("ch", q.channels()), q.activeChannels(), flows, Long.getLong("mod", q.moderationNs()), Integer.getInteger("buf", q.bufferBytes()));
      long t0 = System.nanoTime();
      CongestionMachine m = new CongestionMachine(q, RxPages.Policy.valueOf(p[3]), 1);
      long t1 = System.nanoTime();
      CongestionMachine.Counts c = m.measure(Long.getLong("warm", 4) * 1_000_000_000L, Long.getLong("dur", 6) * 1_000_000_000L);
      long t2 = System.nanoTime();
      System.out.printf("R="+m.leafTables()+" %s: %.1f Gb/s drop %.2f%%(over %d noentry %d) iotlb %.3f (/MiB %.0f) L1 %.3f L2 %.3f L3 %.3f acks/page %.3f inv/page %.3f unmapped/page %.3f recycled/page %.3f frames/turn %.1f busy %.2f Mmiss/s %.2f retx %d probes %d bufmax %d ev %d set-up %d ms run %d ms%n", arg, c.goodputGbps(), 100 * c.dropRatio(), c.overflows(), c.noEntry(), c.perPage(c.iotlbMisses()), c.perMib(c.iotlbMisses()), c.perPage(c.l1Misses()), c.perPage(c.l2Misses()), c.perPage(c.l3Misses()), c.perPage(c.acks()), c.perPage(c.pageInvalidations()), c.perPage(c.unmapped()), c.perPage(c.recycled()), c.stored() / (double) c.turns(), c.busyPs() / (double) c.timePs() / q.activeChannels(), c.iotlbMisses() * 1e6 / c.timePs(), m.senders().retransmittedFrames(), m.senders().probes(), m.nic().bufferedBytesMax(), m.host().simulation().eventsTotal(), (t1 - t0) / 1000000, (t2 - t1) / 1000000);
    }
  }
}
