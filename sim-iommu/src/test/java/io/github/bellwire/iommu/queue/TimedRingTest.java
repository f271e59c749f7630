package io.github.bellwire.iommu.queue;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.bellwire.kernel.Simulation;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class TimedRingTest {
  private record Element(long atPs, long first, long second) {}

  @Test
  void shouldGiveElementsBackInTheOrderOfTheirTimes() {
    TimedRing ring = new TimedRing();
    List<Element> expected = new ArrayList<>();
    SplittableRandom random = new SplittableRandom(7);
    // Few times, so that many are equal; the sort keeps those in the order of addition.
    for (int i = 0; i < 200; i++) {
      Element element = new Element(random.nextInt(20), i, -i);
      ring.add(element.atPs(), element.first(), element.second());
      expected.add(element);
      if (i % 3 == 0) { // So that the ring wraps.
        expected.sort(Comparator.comparingLong(Element::atPs));
        assertFirst(ring, expected.remove(0));
      }
    }
    expected.sort(Comparator.comparingLong(Element::atPs));
    for (Element element : expected) {
      assertFirst(ring, element);
    }
    assertThat(ring.nextPs()).isEqualTo(Simulation.NEVER_PS);
  }

  private static void assertFirst(TimedRing ring, Element element) {
    assertThat(new Element(ring.nextPs(), ring.first(), ring.second())).isEqualTo(element);
    ring.remove();
  }

  @Test
  void shouldForgetEverythingWhenCleared() {
    TimedRing ring = new TimedRing();
    ring.add(5, 1, 1);
    ring.clear();
    assertThat(ring.nextPs()).isEqualTo(Simulation.NEVER_PS);
  }
}
