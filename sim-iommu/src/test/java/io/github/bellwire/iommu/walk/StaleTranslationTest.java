package io.github.bellwire.iommu.walk;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.bellwire.dma.TranslationListener;
import io.github.bellwire.iommu.layout.ContextEntryLayout;
import io.github.bellwire.iommu.layout.PasidLayout;
import io.github.bellwire.pcie.AddressType;
import io.github.bellwire.pcie.DmaStatus;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Requests that are served by what the tables no longer say are told before they are served. */
class StaleTranslationTest {
  private static final long IOVA = 0x4000_0000L;
  private static final long PA = 0x300_0000L;
  private static final int READ = 1;
  private static final int BOTH = 3;
  private static final int USER_WRITE = 6;

  private final WalkFixture fixture = new WalkFixture(WalkFixture.SMALL);
  private final List<String> told = new ArrayList<>();

  /** Notes who accessed what and when. */
  private final class Notes implements TranslationListener {
    @Override
    public void onStaleTranslation(int requesterId, long iova, long atPs) {
      told.add(String.format("%x %x %d", requesterId, iova, atPs));
    }

    @Override
    public void onChangeWithoutInvalidation(
        int requesterId, long iova, long lengthBytes, long atPs) {}

    @Override
    public void onIovaAllocated(int requesterId, long iova, long lengthBytes, long atPs) {}

    @Override
    public void onIovaFreed(int requesterId, long iova, long atPs) {}

    @Override
    public void onGlobalFlush(int requesterId, long changesCount, long atPs) {}
  }

  private long mapped(long rights) {
    long tables = fixture.legacy();
    fixture.map(tables, 4, IOVA, PA, 1, rights);
    fixture.unit.listen(new Notes());
    return tables;
  }

  private DmaStatus ask(long iova, boolean isWrite, long atPs) {
    return fixture.ask(iova, isWrite, atPs);
  }

  @Test
  void shouldTellOfAHitOnAnEntryThatIsNoLongerThere() {
    long tables = mapped(BOTH);
    ask(IOVA + 64, true, 0);
    ask(IOVA + 64, true, 1_000_000);
    assertThat(told).isEmpty();
    fixture.memory.putLong(fixture.entry(tables, 4, IOVA, 1), 0);

    assertThat(ask(IOVA + 128, true, 2_000_000)).isEqualTo(DmaStatus.OK);

    assertThat(told).containsExactly("308 40000080 2000000");
    assertThat(fixture.result.pa()).isEqualTo(PA + 128);
  }

  @Test
  void shouldTellOfAnotherPageAndOfAMissingRightButNotOfMoreRights() {
    long tables = mapped(READ);
    ask(IOVA, false, 0);
    fixture.map(tables, 4, IOVA, PA, 1, BOTH);
    ask(IOVA, false, 1_000_000);
    assertThat(told).isEmpty();

    fixture.map(tables, 4, IOVA, PA, 1, 2); // write only
    ask(IOVA, false, 2_000_000);
    assertThat(told).containsExactly("308 40000000 2000000");

    fixture.map(tables, 4, IOVA, PA + 0x1000, 1, BOTH);
    ask(IOVA, false, 3_000_000);
    assertThat(told).hasSize(2);
  }

  @Test
  void shouldNotTellOfALargerPageThatLeadsToTheSamePlace() {
    long tables = mapped(BOTH);
    fixture.map(tables, 4, IOVA, 0x200_0000L, 1, BOTH);
    ask(IOVA, false, 0);

    fixture.map(tables, 4, IOVA, 0x200_0000L, 2, BOTH);
    ask(IOVA + 8, false, 1_000_000);

    assertThat(told).isEmpty();
  }

  @Test
  void shouldTellOfAWalkByARememberedPointerToATable() {
    long tables = mapped(BOTH);
    ask(IOVA, false, 0);
    fixture.map(tables, 4, IOVA + 0x1000, PA + 0x1000, 1, BOTH);
    fixture.memory.putLong(fixture.entry(tables, 4, IOVA, 2), 0);

    assertThat(ask(IOVA + 0x1000, false, 1_000_000)).isEqualTo(DmaStatus.OK);

    assertThat(told).containsExactly("308 40001000 1000000");
  }

  @Test
  void shouldSayNothingOfRefusedAndPassedRequests() {
    mapped(READ);
    fixture.legacy(0x310, 9, 4, ContextEntryLayout.PASS_THROUGH);

    assertThat(ask(IOVA, true, 0)).isNotEqualTo(DmaStatus.OK);
    assertThat(fixture.ask(0x310, -1, AddressType.UNTRANSLATED, IOVA, true, 0))
        .isEqualTo(DmaStatus.OK);

    assertThat(told).isEmpty();
  }

  @Test
  void shouldLookThroughBothLevels() {
    long first = fixture.table();
    long second = fixture.table();
    fixture.scalable(PasidLayout.NESTED, first, second);
    fixture.mapFirst(first, IOVA, 0x5000_0000L, 1, USER_WRITE);
    fixture.map(second, 4, 0x5000_0000L, PA, 1, BOTH);
    fixture.map(second, 4, 0, 0, 3, BOTH); // The tables of the first level.
    fixture.unit.listen(new Notes());
    ask(IOVA, true, 0);
    ask(IOVA + 64, true, 1_000_000);
    assertThat(told).isEmpty();

    fixture.map(second, 4, 0x5000_0000L, PA, 1, READ);
    ask(IOVA, false, 2_000_000);
    assertThat(told).isEmpty();
    ask(IOVA, true, 3_000_000);
    assertThat(told).hasSize(1);

    fixture.map(second, 4, 0x5000_0000L, PA, 1, BOTH);
    fixture.mapFirst(first, IOVA, 0x5000_0000L, 1, 4); // no longer to be written
    ask(IOVA, true, 4_000_000);
    assertThat(told).hasSize(2);

    fixture.mapFirst(first, IOVA, 0x5000_0000L, 1, USER_WRITE);
    fixture.memory.putLong(fixture.entry(second, 4, 0, 3), 0); // no table can be read
    ask(IOVA, true, 5_000_000);
    assertThat(told).hasSize(3);
  }
}
