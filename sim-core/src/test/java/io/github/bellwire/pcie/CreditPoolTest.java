package io.github.bellwire.pcie;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CreditPoolTest {
  @ParameterizedTest
  @CsvSource({"0, 0", "1, 1", "4, 1", "16, 1", "17, 2", "64, 4", "4096, 256"})
  void shouldCountDataInUnitsOf16Bytes(int payloadBytes, int credits) {
    assertThat(CreditPool.dataCredits(payloadBytes)).isEqualTo(credits);
  }

  @Test
  void shouldWaitForAHeaderCredit() {
    CreditPool pool = new CreditPool(2, 0);

    assertThat(pool.take(4, 10)).isEqualTo(10);
    pool.giveBack(4, 100);
    assertThat(pool.take(4, 10)).isEqualTo(10);
    pool.giveBack(4, 200);
    assertThat(pool.take(4, 20)).isEqualTo(100);
    pool.giveBack(4, 300);
    assertThat(pool.take(4, 250)).isEqualTo(250);
    assertThat(pool.waitedPsTotal()).isEqualTo(80);
  }

  @Test
  void shouldWaitForEnoughDataCredits() {
    CreditPool pool = new CreditPool(0, 10);

    pool.take(4, 0);
    pool.giveBack(4, 100);
    pool.take(4, 0);
    pool.giveBack(4, 200);
    // 2 left; 5 are there once the first 4 are back, 9 once all are.
    assertThat(pool.take(2, 0)).isZero();
    pool.giveBack(2, 300);
    assertThat(pool.take(5, 0)).isEqualTo(200);
  }

  @Test
  void shouldTakeTheCreditsThatComeBackFirst() {
    CreditPool pool = new CreditPool(2, 0);

    pool.take(1, 0);
    pool.giveBack(1, 900);
    pool.take(1, 0);
    pool.giveBack(1, 100);

    assertThat(pool.take(1, 0)).isEqualTo(100);
  }

  @Test
  void shouldLetATlpThatNeedsMoreThanThereIsWaitForAll() {
    CreditPool pool = new CreditPool(0, 4);

    pool.take(3, 0);
    pool.giveBack(3, 100);
    assertThat(pool.take(9, 0)).isEqualTo(100);
    pool.giveBack(9, 250);
    assertThat(pool.take(1, 0)).isEqualTo(250);
  }

  @Test
  void shouldNeedNothingForATlpWithoutDataIfHeadersAreUnlimited() {
    CreditPool pool = new CreditPool(0, 1);

    for (int i = 0; i < 10; i++) {
      assertThat(pool.take(0, 5)).isEqualTo(5);
      pool.giveBack(0, 1_000);
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6})
  void shouldNeverHaveMoreInUseThanAdvertised(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    int headers = random.nextInt(3) == 0 ? 0 : 1 + random.nextInt(20);
    int data = headers > 0 && random.nextInt(3) == 0 ? 0 : 16 + random.nextInt(40);
    CreditPool pool = new CreditPool(headers, data);
    List<long[]> inUse = new ArrayList<>(); // {return time, data credits}
    long atPs = 0;

    for (int i = 0; i < 5_000; i++) {
      int credits = 1 + random.nextInt(16);
      long startPs = pool.take(credits, atPs);

      // The oracle: the first time at which it fits, returns in the order of time.
      long expectedPs = atPs;
      inUse.sort(Comparator.comparingLong(use -> use[0]));
      while (!fits(inUse, expectedPs, headers, data, credits)) {
        long after = expectedPs;
        expectedPs =
            inUse.stream().mapToLong(use -> use[0]).filter(ps -> ps > after).min().orElseThrow();
      }
      assertThat(startPs).as("seed=%d, i=%d", seed, i).isEqualTo(expectedPs);

      long returnPs = startPs + random.nextLong(1_000);
      pool.giveBack(credits, returnPs);
      inUse.add(new long[] {returnPs, credits});
      atPs = startPs + random.nextLong(20);
      long nowPs = atPs;
      inUse.removeIf(use -> use[0] <= nowPs);
    }
  }

  private static boolean fits(List<long[]> inUse, long atPs, int headers, int data, int credits) {
    int usedHeaders = 0;
    long usedData = 0;
    for (long[] use : inUse) {
      if (use[0] > atPs) {
        usedHeaders++;
        usedData += use[1];
      }
    }
    return (headers == 0 || usedHeaders < headers) && (data == 0 || usedData + credits <= data);
  }

  // Configuration.

  @Test
  void shouldHaveTheAdvertisementsOfRealParts() {
    assertThat(FlowControlCredits.XEON_C5500_X4)
        .isEqualTo(new FlowControlCredits(16, 80, 18, 4, 0, 0));
    assertThat(FlowControlCredits.XEON_C5500_X8)
        .isEqualTo(new FlowControlCredits(32, 160, 36, 4, 0, 0));
    assertThat(FlowControlCredits.XEON_C5500_X16)
        .isEqualTo(new FlowControlCredits(64, 320, 72, 4, 0, 0));
    assertThat(FlowControlCredits.PCIEVHOST)
        .isEqualTo(new FlowControlCredits(32, 1008, 32, 1, 0, 0));
    assertThat(FlowControlCredits.P_TILE).isEqualTo(new FlowControlCredits(0, 0, 0, 0, 1144, 1444));
    assertThat(FlowControlCredits.R_TILE).isEqualTo(new FlowControlCredits(0, 0, 0, 0, 572, 2016));
    assertThat(FlowControlCredits.WRITES_92_LINES)
        .isEqualTo(new FlowControlCredits(92, 368, 0, 0, 0, 0));
  }

  @ParameterizedTest
  @CsvSource({
    "-1, 0, 0, 0, 0, 0, 'ph must be 0..2032: ph=-1'",
    "2033, 0, 0, 0, 0, 0, 'ph must be 0..2032: ph=2033'",
    "0, 32753, 0, 0, 0, 0, 'pd must be 0..32752: pd=32753'",
    "0, 0, 2033, 0, 0, 0, 'nph must be 0..2032: nph=2033'",
    "0, 0, 0, -1, 0, 0, 'npd must be 0..32752: npd=-1'",
    "0, 0, 0, 0, 65536, 0, 'cplh must be 0..65535: cplh=65536'",
    "0, 0, 0, 0, 0, -1, 'cpld must be 0..65535: cpld=-1'"
  })
  void shouldRejectAnIllegalAdvertisement(
      int ph, int pd, int nph, int npd, int cplh, int cpld, String message) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new FlowControlCredits(ph, pd, nph, npd, cplh, cpld))
        .withMessage(message);
  }

  @ParameterizedTest
  @ValueSource(longs = {-1, 100_000_001})
  void shouldRejectAnIllegalUpdateDelay(long updatePs) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> FlowControlConfig.UNLIMITED.withUpdatePs(updatePs))
        .withMessage("updatePs must be 0..100000000: updatePs=" + updatePs);
  }
}
