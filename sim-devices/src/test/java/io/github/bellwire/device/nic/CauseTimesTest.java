package io.github.bellwire.device.nic;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class CauseTimesTest {
  private final CauseTimes times = new CauseTimes();

  @Test
  void shouldKeepTimesInOrder() {
    times.add(30);
    times.add(10);
    times.add(20);

    assertThat(times.firstPs()).isEqualTo(10);
    assertThat(times.removeUntil(10)).isTrue();
    assertThat(times.firstPs()).isEqualTo(20);
    assertThat(times.removeUntil(19)).isFalse();
    assertThat(times.removeUntil(29)).isTrue();
    assertThat(times.firstPs()).isEqualTo(30);
    assertThat(times.removeUntil(30)).isTrue();
    assertThat(times.isEmpty()).isTrue();
  }

  @Test
  void shouldKeepOneOfEqualTimes() {
    for (int i = 0; i < 100; i++) {
      times.add(7);
    }

    assertThat(times.isFull()).isFalse();
    assertThat(times.removeUntil(7)).isTrue();
    assertThat(times.isEmpty()).isTrue();
  }

  @Test
  void shouldKeepTheLatestTimeWhenFull() {
    for (int i = 0; i < CauseTimes.CAPACITY; i++) {
      times.add(i);
    }
    assertThat(times.isFull()).isTrue();

    times.add(1000);
    times.add(500);

    assertThat(times.removeUntil(999)).isTrue();
    assertThat(times.firstPs()).isEqualTo(1000);
  }

  @Test
  void shouldForgetOnClear() {
    times.add(5);

    times.clear();

    assertThat(times.isEmpty()).isTrue();
    assertThat(times.removeUntil(5)).isFalse();
  }
}
