package io.github.bellwire.examples.settings;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ValueTypesTest {
  private enum Mode {
    POLL,
    LAT_READ
  }

  private static final long DAY_PS = 86_400_000_000_000_000L;
  private static final ValueType<Long> TIME = ValueTypes.timePs(0, DAY_PS);
  private static final ValueType<Long> BYTES = ValueTypes.bytes(0, 1L << 50);
  private static final ValueType<Long> BIT_RATE =
      ValueTypes.bitsPerSecond(0, 1_000_000_000_000_000L);
  private static final ValueType<Long> BYTE_RATE =
      ValueTypes.bytesPerSecond(0, 1_000_000_000_000_000L);
  private static final ValueType<Long> FREQUENCY = ValueTypes.frequencyHz(1, 10_000_000_000L);
  private static final ValueType<Long> PER_SECOND = ValueTypes.perSecond(1, 1_000_000_000_000L);

  @ParameterizedTest
  @CsvSource({
    "0ns, 0, 0ns",
    "0ps, 0, 0ns",
    "70ns, 70000, 70ns",
    "13.3ns, 13300, 13.3ns",
    "0.001ns, 1, 0.001ns",
    "1500ns, 1500000, 1.5us",
    "2us, 2000000, 2us",
    "1ms, 1000000000, 1ms",
    "3s, 3000000000000, 3s",
    "0.1s, 100000000000, 100ms",
  })
  void shouldParseTimes(String text, long ps, String printed) {
    assertParsed(TIME, text, ps, printed);
  }

  @ParameterizedTest
  @CsvSource({
    "64, 64, 64B",
    "64B, 64, 64B",
    "64KiB, 65536, 64KiB",
    "1500, 1500, 1500B",
    "1.5KiB, 1536, 1536B",
    "2MiB, 2097152, 2MiB",
    "3GiB, 3221225472, 3GiB",
    "1TiB, 1099511627776, 1TiB",
    "0, 0, 0B",
  })
  void shouldParseSizes(String text, long bytes, String printed) {
    assertParsed(BYTES, text, bytes, printed);
  }

  @ParameterizedTest
  @CsvSource({
    "100Gb/s, 100000000000, 100Gb/s",
    "2.5Gb/s, 2500000000, 2.5Gb/s",
    "100Mb/s, 100000000, 100Mb/s",
    "1.5kb/s, 1500, 1.5kb/s",
    "1b/s, 1, 1b/s",
    "25.6GB/s, 204800000000, 204.8Gb/s",
    "1.6Tb/s, 1600000000000, 1.6Tb/s",
    "0.125B/s, 1, 1b/s",
  })
  void shouldParseRatesInBits(String text, long bitsPerSecond, String printed) {
    assertParsed(BIT_RATE, text, bitsPerSecond, printed);
  }

  @ParameterizedTest
  @CsvSource({
    "25.6GB/s, 25600000000, 25.6GB/s",
    "204.8Gb/s, 25600000000, 25.6GB/s",
    "800kB/s, 800000, 800kB/s",
  })
  void shouldParseRatesInBytes(String text, long bytesPerSecond, String printed) {
    assertParsed(BYTE_RATE, text, bytesPerSecond, printed);
  }

  @ParameterizedTest
  @CsvSource({"3.3GHz, 3300000000, 3.3GHz", "100MHz, 100000000, 100MHz", "7Hz, 7, 7Hz"})
  void shouldParseFrequencies(String text, long hz, String printed) {
    assertParsed(FREQUENCY, text, hz, printed);
  }

  @ParameterizedTest
  @CsvSource({"14.88M/s, 14880000, 14.88M/s", "5/s, 5, 5/s", "59k/s, 59000, 59k/s"})
  void shouldParseHowOftenSomethingHappens(String text, long perSecond, String printed) {
    assertParsed(PER_SECOND, text, perSecond, printed);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "70   | needs a unit, for example 70ns; must be 0ns to 86400s in ps, ns, us, ms or s",
        "0    | needs a unit, for example 0ns; must be 0ns to 86400s in ps, ns, us, ms or s",
        "70nS | unknown unit nS, must be ps, ns, us, ms or s; did you mean 70ns?",
        "2min | unknown unit min, must be ps, ns, us, ms or s",
        "-1ns | must be a number with a unit such as 86400s, 0ns to 86400s",
        "1e3ns | must be a number with a unit such as 86400s, 0ns to 86400s",
        "1,5ns | must be a number with a unit such as 86400s, 0ns to 86400s",
        ".5ns | must be a number with a unit such as 86400s, 0ns to 86400s",
        "5.ns | must be a number with a unit such as 86400s, 0ns to 86400s",
        "5 ns | must be a number with a unit such as 86400s, 0ns to 86400s",
        "''   | must be a number with a unit such as 86400s, 0ns to 86400s",
        "ns   | must be a number with a unit such as 86400s, 0ns to 86400s",
        "0.0001ns | must be a whole number of picoseconds",
        "86400.000000000001s | must be 0ns to 86400s",
        "99999999999999999999s | must be 0ns to 86400s",
        "999999999999999999999s | must be a number with a unit such as 86400s, 0ns to 86400s",
      })
  void shouldRefuseWhatIsNoTime(String text, String message) {
    assertRefused(TIME, text, message);
  }

  @Test
  void shouldRefuseWhatIsNoQuantityOfItsKind() {
    assertRefused(
        BYTES, "64KB", "unknown unit KB, must be B, KiB, MiB, GiB or TiB; did you mean 64KiB?");
    assertRefused(BYTES, "1.5", "must be a whole number of bytes");
    assertRefused(ValueTypes.bytes(64, 16_384), "63", "must be 64B to 16KiB");
    assertRefused(
        FREQUENCY,
        "3.3",
        "needs a unit, for example 3.3GHz; must be 1Hz to 10GHz in Hz, kHz, MHz" + " or GHz");
    assertRefused(
        PER_SECOND,
        "10",
        "needs a unit, for example 10M/s; must be 1/s to 1000G/s in /s, k/s, M/s" + " or G/s");
    assertRefused(BIT_RATE, "0.3b/s", "must be a whole number of bits per second");
  }

  @Test
  void shouldRefuseBoundsThatLeaveNothing() {
    assertThatIllegalArgumentException().isThrownBy(() -> ValueTypes.timePs(2, 1));
    assertThatIllegalArgumentException().isThrownBy(() -> ValueTypes.bytes(-1, 1));
  }

  @Test
  void shouldParseWhatItPrints() {
    long seed = 7;
    SplittableRandom random = new SplittableRandom(seed);
    for (int i = 0; i < 20_000; i++) {
      long value = random.nextLong(1L << random.nextInt(1, 33));
      for (ValueType<Long> type : List.of(TIME, BYTES, BIT_RATE, BYTE_RATE)) {
        String printed = type.format(value);
        if (type.parse(printed) != value) {
          throw new AssertionError("seed " + seed + ": " + value + " printed as " + printed);
        }
      }
    }
  }

  @Test
  void shouldParseCounts() {
    ValueType<Long> count = ValueTypes.count(1, 1_000);

    assertParsed(count, "1", 1L, "1");
    assertParsed(count, "1000", 1_000L, "1000");
    assertRefused(count, "0", "must be 1 to 1000");
    assertRefused(count, "1001", "must be 1 to 1000");
    for (String text : List.of("", "-1", "1.0", "0x10", "1k", "9999999999999999999")) {
      assertRefused(count, text, "must be a whole number without a unit, 1 to 1000");
    }
    assertRefused(ValueTypes.count(8, 64, 8), "12", "must be 8 to 64 in steps of 8");
    assertThat(count.toJson(5L)).isEqualTo(5L);
    assertThat(count.unit()).isEqualTo("count");
  }

  @ParameterizedTest
  @ValueSource(strings = {"1", "2", "4", "8", "16", "32"})
  void shouldParseWidthsOfLinks(String text) {
    assertThat(ValueTypes.oneOf(1, 2, 4, 8, 16, 32).parse(text)).isEqualTo(Long.valueOf(text));
  }

  @ParameterizedTest
  @ValueSource(strings = {"0", "3", "64"})
  void shouldRefuseOtherWidthsOfLinks(String text) {
    assertRefused(ValueTypes.oneOf(1, 2, 4, 8, 16, 32), text, "must be 1, 2, 4, 8, 16 or 32");
  }

  @Test
  void shouldParseWords() {
    assertParsed(ValueTypes.onOff(), "on", true, "on");
    assertParsed(ValueTypes.onOff(), "off", false, "off");
    assertRefused(ValueTypes.onOff(), "true", "must be on or off");
    assertParsed(ValueTypes.words(Mode.class), "lat-read", Mode.LAT_READ, "lat-read");
    assertRefused(
        ValueTypes.words(Mode.class), "pol", "must be poll or lat-read; did you mean poll?");
    assertParsed(ValueTypes.words(List.of("snb", "ib")), "ib", "ib", "ib");
  }

  @Test
  void shouldParseFiles() {
    assertParsed(ValueTypes.file(), "a b/c.pcap", Path.of("a b", "c.pcap"), "a b/c.pcap");
    assertRefused(ValueTypes.file(), " ", "must be the name of a file");
    assertRefused(
        ValueTypes.file(), "a\0b", "must be the name of a file: Nul character not allowed");
  }

  @Test
  void shouldParseAWordInPlaceOfANumber() {
    ValueType<OptionalLong> type = ValueTypes.wordOr("unlimited", ValueTypes.perSecond(1, 1_000));

    assertParsed(type, "unlimited", OptionalLong.empty(), "unlimited");
    assertParsed(type, "1k/s", OptionalLong.of(1_000), "1k/s");
    assertRefused(type, "2k/s", "must be 1/s to 1k/s, or unlimited");
    assertThat(type.range()).isEqualTo("1/s to 1k/s, or unlimited");
    assertThat(type.toJson(OptionalLong.empty())).isEqualTo("unlimited");
    assertThat(ValueTypes.wordOr("all", ValueTypes.count(1, 9)).toJson(OptionalLong.of(3)))
        .isEqualTo(3L);
  }

  @Test
  void shouldParseSomeOfSeveralWords() {
    ValueType<List<String>> type = ValueTypes.anyOf(List.of("rr", "cr", "uf"));

    assertParsed(type, "off", List.of(), "off");
    assertParsed(type, "rr", List.of("rr"), "rr");
    assertParsed(type, "uf,rr", List.of("rr", "uf"), "rr,uf"); // In their own order.
    assertRefused(type, "uf,rr,uf", "must be off or some of rr,cr,uf, each once");
    assertRefused(type, "rr,", "must be off or some of rr,cr,uf");
    assertRefused(type, "of", "must be off or some of rr,cr,uf; did you mean off?");
    assertThat(type.range()).isEqualTo("off or some of rr,cr,uf");
  }

  private static <T> void assertParsed(ValueType<T> type, String text, T value, String printed) {
    assertThat(type.parse(text)).isEqualTo(value);
    assertThat(type.format(value)).isEqualTo(printed);
    assertThat(type.parse(printed)).isEqualTo(value);
  }

  private static void assertRefused(ValueType<?> type, String text, String message) {
    assertThatExceptionOfType(UserErrorException.class)
        .isThrownBy(() -> type.parse(text))
        .withMessage(message);
  }
}
