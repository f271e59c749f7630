package io.github.bellwire.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.HashSet;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class AddressMappingTest {
  // DDR4: 7 bits of column, 2 of group, 2 of bank; with 2 channels and 2 ranks one bit each.
  private static AddressMapping mapping(String text) {
    return new AddressMapping(text, DramTiming.DDR4_3200, 2, 2);
  }

  private static String decode(String text, long burst) {
    long[] fields = new long[6];
    mapping(text).decode(burst, fields);
    return String.format(
        "ch%d ra%d bg%d ba%d ro%d co%d",
        fields[0], fields[1], fields[2], fields[3], fields[4], fields[5]);
  }

  @ParameterizedTest
  @CsvSource({
    // the lowest bit of each field in turn, from the right
    "rochrababgco, 1, ch0 ra0 bg0 ba0 ro0 co1",
    "rochrababgco, 128, ch0 ra0 bg1 ba0 ro0 co0",
    "rochrababgco, 512, ch0 ra0 bg0 ba1 ro0 co0",
    "rochrababgco, 2048, ch0 ra1 bg0 ba0 ro0 co0",
    "rochrababgco, 4096, ch1 ra0 bg0 ba0 ro0 co0",
    "rochrababgco, 8192, ch0 ra0 bg0 ba0 ro1 co0",
    "rorabacochbg, 3, ch0 ra0 bg3 ba0 ro0 co0",
    "rorabacochbg, 4, ch1 ra0 bg0 ba0 ro0 co0",
    "rorabacochbg, 8, ch0 ra0 bg0 ba0 ro0 co1",
    // the bank holds the group in its low bits
    "RoBaRaCoCh, 1, ch1 ra0 bg0 ba0 ro0 co0",
    "RoBaRaCoCh, 256, ch0 ra1 bg0 ba0 ro0 co0",
    "RoBaRaCoCh, 512, ch0 ra0 bg1 ba0 ro0 co0",
    "RoBaRaCoCh, 2048, ch0 ra0 bg0 ba1 ro0 co0",
    "RoBaRaCoCh, 8192, ch0 ra0 bg0 ba0 ro1 co0",
    // channel lowest, then two bits of the column, rank, group, bank, the rest of the column
    "rocobabgraco2, 1, ch1 ra0 bg0 ba0 ro0 co0",
    "rocobabgraco2, 6, ch0 ra0 bg0 ba0 ro0 co3",
    "rocobabgraco2, 8, ch0 ra1 bg0 ba0 ro0 co0",
    "rocobabgraco2, 256, ch0 ra0 bg0 ba0 ro0 co4",
    "rocobabgraco2, 8192, ch0 ra0 bg0 ba0 ro1 co0",
    // turned by the column: bit 0 for the rank, 1 and 2 for the group, 3 and 4 for the bank
    "MOP4CLXOR, 2, ch0 ra1 bg0 ba0 ro0 co1",
    "MOP4CLXOR, 4, ch0 ra0 bg1 ba0 ro0 co2",
    "MOP4CLXOR, 256, ch0 ra0 bg2 ba0 ro0 co4",
    "MOP4CLXOR, 512, ch0 ra0 bg0 ba1 ro0 co8",
    // turned by the row
    "rorabacochbg^ro, 8192, ch0 ra1 bg0 ba0 ro1 co0",
    "rorabacochbg^ro, 16384, ch0 ra0 bg1 ba0 ro2 co0",
  })
  void shouldTakeAnAddressApart(String text, long burst, String expected) {
    assertThat(decode(text, burst)).isEqualTo(expected);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "rochrababgco",
        "rorabacochbg",
        "RoBaRaCoCh",
        "MOP4CLXOR",
        "RoRaBaChCo",
        "RoRaBaCoCh",
        "RoCoRaBaCh",
        "chrarobabgco",
        "rorabacochbg^ro",
        "robacobgro3rach"
      })
  void shouldGiveEveryAddressAPlaceOfItsOwn(String text) {
    long seed = 20_260_801;
    SplittableRandom random = new SplittableRandom(seed);
    Set<Long> bursts = new HashSet<>();
    Set<String> places = new HashSet<>();
    // 29 bits: 13 of the fields below the row and 16 of the row
    while (bursts.size() < 20_000) {
      long burst = random.nextLong(1L << 29);
      if (bursts.add(burst)) {
        places.add(decode(text, burst));
      }
    }

    assertThat(places).as("seed %d", seed).hasSize(bursts.size());
  }

  @Test
  void shouldNotWrapARowOnTop() {
    assertThat(decode("RoBaRaCoCh", 1L << 50)).isEqualTo("ch0 ra0 bg0 ba0 ro137438953472 co0");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "ro", "robaco3x", "roba", "rocoba^ba", "rocobazz", "rorbaco", "^co"})
  void shouldRefuseWhatIsNoMapping(String text) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> mapping(text))
        .withMessage(
            "mapping must be two-letter fields of ch, ra, bg, ba, ro and co from the highest bit to"
                + " the lowest, such as RoBaRaCoCh or rocobabgraco2^co, or MOP4CLXOR: mapping="
                + text);
  }

  @ParameterizedTest
  @CsvSource({
    "robabacoco8, 7, co",
    "rocobaco8, 7, co",
    "roco2baco, 7, co",
    "robabgco3, 7, co",
    "rococobaba, 2, ba",
    "rorobaco, 16, ro",
  })
  void shouldRefuseBitsThatAreMissingOrThereTwice(String text, int bits, String field) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> mapping(text))
        .withMessage(
            "mapping must place the " + bits + " bits of " + field + " once: mapping=" + text);
  }
}
