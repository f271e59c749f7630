package io.github.bellwire.examples.settings;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SettingsTest {
  private static final Key<Long> SIZE =
      Key.of("ring.size", ValueTypes.count(8, 4096), "512", "descriptors");
  private static final Key<Long> LANES =
      Key.optional("link.lanes", ValueTypes.oneOf(1, 2, 4), "host", "width");
  private static final Key<Long> BUFFER =
      Key.of("buffer", ValueTypes.bytes(0, 4096), "2KiB", "buffer size");

  @Test
  void shouldPreferWhatTheUserSetOverPresetAndDefault() {
    Settings settings = settings("ring.size=64", "link.lanes=2");

    assertThat(settings.value(SIZE)).isEqualTo(64);
    assertThat(settings.intValue(SIZE)).isEqualTo(64);
    assertThat(settings.supply(LANES, 4L)).isEqualTo(2);
    assertThat(settings.supply(BUFFER, 1024L)).isEqualTo(1024);
    assertThat(settings.isGiven(SIZE)).isTrue();
    assertThat(settings.isGiven(BUFFER)).isFalse();
    assertThat(settings.assignments())
        .containsExactly("ring.size=64", "link.lanes=2", "buffer=1KiB");
  }

  @Test
  void shouldKnowWhichKeysHaveNoValue() {
    Settings settings = settings();

    assertThat(settings.find(LANES)).isEmpty();
    assertThat(settings.find(SIZE)).contains(512L);
    assertThat(settings.toJson()).containsEntry("link.lanes", null).containsEntry("buffer", 2048L);
    assertThat(settings.assignments()).containsExactly("ring.size=512", "buffer=2KiB");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> settings.value(LANES))
        .withMessage("key must be one with a value: key=link.lanes");
  }

  @Test
  void shouldLeaveOutWhatTakesNoPartUnlessTheUserSetIt() {
    Settings settings = settings("ring.size=64");

    settings.leaveOut(SIZE);
    settings.leaveOut(BUFFER);

    assertThat(settings.assignments()).containsExactly("ring.size=64");
    assertThat(settings.toJson()).containsEntry("buffer", null);
    assertThat(settings.find(BUFFER)).isEmpty();
  }

  @Test
  void shouldFindTheValueByAKeyWithAnotherDefault() {
    Key<Long> other = SIZE.withDefault("8");

    assertThat(settings().value(other)).isEqualTo(512);
    assertThat(other.defaultText()).isEqualTo("8");
  }

  @Test
  void shouldNameValuesInErrors() {
    Settings settings = settings("buffer=64");

    assertThat(settings.refuse(BUFFER, "must be larger")).hasMessage("buffer=64: must be larger");
    assertThat(settings.refuse(SIZE, "too large")).hasMessage("ring.size=512: too large");
    assertThat(settings.assignment(LANES)).isEqualTo("link.lanes=(host)");
  }

  @Test
  void shouldRefuseKeysThatAreNotTheScenarios() {
    Key<Long> unknown = Key.of("batch", ValueTypes.count(1, 2), "1", "batch");
    Key<Long> sameName = Key.of("ring.size", ValueTypes.count(1, 2), "1", "other type");

    assertThat(settings().has(SIZE)).isTrue();
    assertThat(settings().has(unknown)).isFalse();
    assertThatIllegalArgumentException().isThrownBy(() -> settings().value(unknown));
    assertThatIllegalArgumentException().isThrownBy(() -> settings().value(sameName));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Settings.of("test", List.of(SIZE, SIZE), List.of()));
  }

  @Test
  void shouldRefuseMisnamedKeysAndForbiddenDefaults() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Key.of("Ring_size", ValueTypes.onOff(), "on", ""));
    assertThatExceptionOfType(UserErrorException.class)
        .isThrownBy(() -> Key.of("ring", ValueTypes.onOff(), "maybe", ""));
  }

  @ParameterizedTest
  @CsvSource({
    "rngsize, ring.size",
    "size, ring.size",
    "RING.SIZE, ring.size",
    "lanes, link.lanes",
    "bufer, buffer",
    "buffre, buffer",
  })
  void shouldNameTheNearestKey(String typed, String nearest) {
    assertThatExceptionOfType(UserErrorException.class)
        .isThrownBy(() -> settings(typed + "=1"))
        .withMessageStartingWith(
            typed + "=1: unknown key " + typed + "; did you mean " + nearest + "? Keys of test: ");
  }

  @ParameterizedTest
  @CsvSource({
    "frames, frames, 0",
    "frmaes, frames, 1",
    "frame, frames, 1",
    "xframes, frames, 1",
    "fromes, frames, 1",
    "ca, abc, 3",
    "'', abc, 3",
    "abc, '', 3",
    "kitten, sitting, 3",
  })
  void shouldCountEdits(String left, String right, int edits) {
    assertThat(NearestName.editDistance(left, right)).isEqualTo(edits);
  }

  @Test
  void shouldNameTheFirstAmongEquals() {
    assertThat(NearestName.of("cab", List.of("cub", "cob"))).contains("cub");
  }

  @ParameterizedTest
  @CsvSource({
    "kernal, kernel", // one error
    "strict_bounce, strict-bounce",
    "KB, KiB", // a letter is missing; B lacks half
    "frambyte, frame-bytes", // three errors in eleven letters
    "bounce, strict-bounce", // a part
    "off, OFF",
  })
  void shouldNameWhatIsNear(String typed, String near) {
    assertThat(NearestName.of(typed, List.of("B", near))).contains(near);
    assertThat(NearestName.question(typed, List.of(near)))
        .isEqualTo("; did you mean " + near + "?");
  }

  @ParameterizedTest
  @CsvSource({
    "up, none",
    "many, 92-lines",
    "on, off",
    "true, on",
    "xy, sv",
    "min, ms",
    "foo, ddio",
    "4, 4k"
  })
  void shouldNameNothingThatIsFarOff(String typed, String other) {
    assertThat(NearestName.of(typed, List.of(other))).isEmpty();
    assertThat(NearestName.question(typed, List.of(other))).isEmpty();
  }

  @Test
  void shouldListTheKeysWhenNoneIsNear() {
    assertThat(NearestName.of("c", List.of())).isEmpty();
    assertThatExceptionOfType(UserErrorException.class)
        .isThrownBy(() -> settings("voltage=1"))
        .withMessageStartingWith("voltage=1: unknown key voltage; keys of test: ");
  }

  @Test
  void shouldTellWhatIsGivenFromWhatIsChanged() {
    Settings settings = settings(SIZE.name() + "=" + SIZE.defaultText());

    assertThat(settings.isGiven(SIZE)).isTrue();
    assertThat(settings.isChanged(SIZE)).isFalse();
    assertThat(settings.isChanged(LANES)).isFalse();
    assertThat(settings(LANES.name() + "=4").isChanged(LANES)).isTrue();
  }

  @Test
  void shouldCallAValueUnchangedThatWouldHoldAnyway() {
    Settings settings = settings("ring.size=64", "link.lanes=2", "buffer=1KiB");

    settings.adapt(SIZE, usual -> usual / 8); // 512 / 8 = 64
    settings.supply(LANES, 2L);
    settings.adapt(BUFFER, usual -> usual - 1);

    assertThat(settings.isChanged(SIZE)).isFalse();
    assertThat(settings.isChanged(LANES)).isFalse();
    assertThat(settings.isChanged(BUFFER)).isTrue();
    assertThat(settings.value(BUFFER)).isEqualTo(1024);
  }

  @Test
  void shouldAdaptDefaultsToOtherSettings() {
    Settings settings = settings();

    assertThat(settings.adapt(SIZE, usual -> usual / 8)).isEqualTo(64);
    assertThat(settings.value(SIZE)).isEqualTo(64);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> settings.adapt(LANES, usual -> usual))
        .withMessage("key must be one with a default: key=link.lanes");
  }

  private static Settings settings(String... assignments) {
    return Settings.of("test", List.of(SIZE, LANES, BUFFER), List.of(assignments));
  }
}
