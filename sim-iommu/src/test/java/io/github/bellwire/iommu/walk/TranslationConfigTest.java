package io.github.bellwire.iommu.walk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.bellwire.iommu.walk.TranslationConfig.Capabilities;
import io.github.bellwire.iommu.walk.TranslationConfig.Iotlb;
import io.github.bellwire.iommu.walk.TranslationConfig.PagingCaches;
import io.github.bellwire.iommu.walk.TranslationConfig.Walkers;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

class TranslationConfigTest {
  private static final TranslationConfig BDW = TranslationPresets.BDW;

  @Test
  void shouldChangeOneThingAtATime() {
    Capabilities capabilities = new Capabilities(39, 2, 0, false, false, true, false);
    TranslationConfig changed =
        BDW.withCapabilities(capabilities)
            .withIotlb(new Iotlb(2, 3, 1, 1))
            .withPagingCaches(new PagingCaches(1, 2, 3))
            .withWalkers(new Walkers(2, 1, 3, 4, true))
            .withPreservesPagingCachesOnLeafInvalidate(true);

    assertThat(changed)
        .isEqualTo(
            new TranslationConfig(
                capabilities,
                new Iotlb(2, 3, 1, 1),
                new PagingCaches(1, 2, 3),
                64,
                64,
                new Walkers(2, 1, 3, 4, true),
                true));
    assertThat(capabilities.maxAddressBits()).isEqualTo(39);
    assertThat(BDW.capabilities().maxAddressBits()).isEqualTo(48);
    assertThat(WalkFixture.EVERYTHING.maxAddressBits()).isEqualTo(57);
  }

  /** 128 entries less the reach of single reads, and the entry of the page itself. */
  @Test
  void shouldDeriveWhatWalksKeepFromTheReach() {
    assertThat(BDW.iotlb()).isEqualTo(new Iotlb(1, 128, 11, 5));
    assertThat(TranslationPresets.SNB.iotlb()).isEqualTo(new Iotlb(1, 128, 4, 5));
    // 291 ns less 20 in the cache, but for the fit.
    assertThat(BDW.walkers()).isEqualTo(new Walkers(6, 1, 250_000, 0, false));
    assertThat(TranslationPresets.SNB.walkers()).isEqualTo(new Walkers(6, 1, 219_000, 0, true));
  }

  @Test
  void shouldRefuseWhatIsOutOfRange() {
    refuse(() -> new Iotlb(3, 1, 1, 1), "sets must be a power of two in 1..4096: sets=3");
    refuse(() -> new Iotlb(8192, 1, 1, 1), "sets must be a power of two in 1..4096: sets=8192");
    refuse(() -> new Iotlb(1, 0, 1, 1), "ways must be 1..4096: ways=0");
    refuse(() -> new Iotlb(1, 1, 0, 1), "entriesPerReadWalk must be 1..4096: entriesPerReadWalk=0");
    refuse(
        () -> new Iotlb(1, 1, 1, 0), "entriesPerWriteWalk must be 1..4096: entriesPerWriteWalk=0");
    refuse(() -> new PagingCaches(-1, 0, 0), "l1Entries must be 0..4096: l1Entries=-1");
    refuse(() -> new PagingCaches(0, 4097, 0), "l2Entries must be 0..4096: l2Entries=4097");
    refuse(() -> new PagingCaches(0, 0, -1), "l3Entries must be 0..4096: l3Entries=-1");
    refuse(() -> new Walkers(0, 0, 0, 0, false), "count must be 1..64: count=0");
    refuse(
        () -> new Walkers(2, 2, 0, 0, false),
        "forWritesOnly must be 0 to below count=2: forWritesOnly=2");
    refuse(() -> new Walkers(1, 0, -1, 0, false), "overheadPs must be 0..1 ms: overheadPs=-1");
    refuse(
        () -> new Walkers(1, 0, 0, 1_000_000_001, false),
        "perReadPs must be 0..1 ms: perReadPs=1000000001");
    refuse(
        () -> new Capabilities(31, 2, 0, false, false, false, true),
        "hostAddressBits must be 32..52: hostAddressBits=31");
    refuse(
        () -> new Capabilities(46, 0, 0, false, false, false, true),
        "addressWidths must be made of bits 1, 2 and 3: addressWidths=0");
    refuse(
        () -> new Capabilities(46, 2, 4, false, false, false, true),
        "superPages must be 0..3: superPages=4");
    refuse(
        () ->
            new TranslationConfig(
                BDW.capabilities(), BDW.iotlb(), BDW.pagingCaches(), 0, 1, BDW.walkers(), true),
        "contextEntries must be 1..4096: contextEntries=0");
    refuse(
        () ->
            new TranslationConfig(
                BDW.capabilities(), BDW.iotlb(), BDW.pagingCaches(), 1, 0, BDW.walkers(), true),
        "pasidEntries must be 1..4096: pasidEntries=0");
  }

  private static void refuse(ThrowingCallable call, String message) {
    assertThatIllegalArgumentException().isThrownBy(call).withMessage(message);
  }
}
