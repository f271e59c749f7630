package io.github.bellwire.iommu.driver;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.bellwire.dma.TranslationListener;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Which changes of entries are told, by hand. */
class DomainWatchTest {
  private static final int ID = 0x100;
  private static final long PAGE = 4096;
  private static final long LARGE = 2 << 20;

  private final List<String> told = new ArrayList<>();
  private final DomainWatch watch = new DomainWatch(new Notes());

  /** Notes changes and flushes. */
  private final class Notes implements TranslationListener {
    @Override
    public void onStaleTranslation(int requesterId, long iova, long atPs) {}

    @Override
    public void onChangeWithoutInvalidation(
        int requesterId, long iova, long lengthBytes, long atPs) {
      told.add(String.format("changed %x+%x at %d", iova, lengthBytes, atPs));
    }

    @Override
    public void onIovaAllocated(int requesterId, long iova, long lengthBytes, long atPs) {}

    @Override
    public void onIovaFreed(int requesterId, long iova, long atPs) {}

    @Override
    public void onGlobalFlush(int requesterId, long changesCount, long atPs) {
      told.add("flush of " + changesCount);
    }
  }

  private void flush() {
    long before = watch.changesTotal();
    watch.onFlush(ID, 0);
    watch.onFlushed(before);
  }

  @Test
  void shouldTellOnceOfAnEntryThatIsLeftInCaches() {
    watch.onEntry(0x1000, PAGE, 7);
    watch.onDone(ID, 0x1000, PAGE, 10);
    assertThat(told).isEmpty(); // What was not there is not cached.
    watch.onEntry(0x1000, PAGE, 7);
    watch.onDone(ID, 0x1000, PAGE, 20);
    assertThat(told).isEmpty(); // It is as it was.

    watch.onEntry(0x1000, PAGE, 0);
    watch.onDone(ID, 0x2000, PAGE, 30);
    assertThat(told).isEmpty(); // It may still be invalidated.
    watch.onDone(ID, 0x1000, PAGE, 40);
    watch.onDone(ID, 0x1000, PAGE, 50);

    assertThat(told).containsExactly("changed 1000+1000 at 40");
  }

  @Test
  void shouldForgiveWhatIsInvalidatedOrQueued() {
    watch.onEntry(0x1000, PAGE, 7);
    watch.onEntry(0x2000, PAGE, 7);
    watch.onEntry(0x1000, PAGE, 0);
    watch.onEntry(0x2000, PAGE, 0);

    watch.onInvalidated(0x1000, PAGE, watch.changesTotal());
    watch.onQueued(ID, 0x2000, PAGE, 0);
    watch.onDone(ID, 0x1000, 2 * PAGE, 10);

    assertThat(told).isEmpty();
  }

  @Test
  void shouldNotForgiveByAnInvalidationThatBeganBefore() {
    watch.onEntry(0x1000, PAGE, 7);
    long before = watch.changesTotal();
    watch.onEntry(0x1000, PAGE, 0);

    watch.onInvalidated(0x1000, PAGE, before);
    watch.onFlushed(before);
    watch.onDone(ID, 0x1000, PAGE, 10);

    assertThat(told).containsExactly("changed 1000+1000 at 10");
  }

  @Test
  void shouldSeeALargePageInWhosePlaceSmallOnesComeAndTheReverse() {
    watch.onEntry(LARGE, LARGE, 7);
    watch.onEntry(LARGE + 0x3000, PAGE, 7);
    watch.onDone(ID, LARGE + 0x3000, PAGE, 10);
    assertThat(told).containsExactly("changed 200000+200000 at 10");

    flush();
    watch.onEntry(LARGE + 0x4000, PAGE, 7);
    watch.onEntry(LARGE, LARGE, 9);
    watch.onDone(ID, LARGE, LARGE, 20);

    assertThat(told)
        .containsExactly(
            "changed 200000+200000 at 10",
            "flush of 1",
            "changed 203000+1000 at 20",
            "changed 204000+1000 at 20");
  }

  @Test
  void shouldCountWhatAFlushIsFor() {
    flush();
    watch.onEntry(0x1000, PAGE, 7);
    flush();
    watch.onEntry(0x1000, PAGE, 0);
    watch.onDetached();
    flush();
    watch.onQueued(ID, 0x1000, PAGE, 0); // Flushed just now, but the queue does not know.
    flush();
    flush();

    assertThat(told)
        .containsExactly("flush of 0", "flush of 0", "flush of 2", "flush of 1", "flush of 0");
  }

  @Test
  void shouldTakeAFlushUnderWayForOneThatIsToCome() {
    watch.onEntry(0x1000, PAGE, 7);
    watch.onEntry(0x1000, PAGE, 0);
    long first = watch.changesTotal();
    watch.onFlush(ID, 0);
    watch.onFlush(ID, 0); // by another core, whose change may have come too late for the first
    watch.onFlushed(first);

    assertThat(told).containsExactly("flush of 1", "flush of 1");
  }
}
